/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The options on the command line: those before the command, and those after it. Both parsers take
 * their options out of ARGUMENTS, whose first element is the program or the command.
 */
#pragma once

#include "verbs.h"

typedef struct MainOptions {
    gboolean version;
    gboolean completion; /* print the table of commands for the shell's completion */
    gboolean stdio_bridge;
} MainOptions;

/* Leaves the command and what follows it. */
bool command_line_parse_main(char ***arguments, MainOptions *options, ClientOptions *client,
                             GError **error);

/* Leaves the command and its arguments. */
bool command_line_parse_verb(const Verb *verb, char ***arguments, ClientOptions *client,
                             GError **error);
