/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of commands (see commands.def): look-up, checks and help. */
#pragma once

#include "command.h"

typedef struct Verb {
    const char *name;
    const char *arguments; /* NULL where there are none */
    const char *states;
    const char *summary;
    const Command *command; /* NULL: the row is a heading */
} Verb;

/* NULL if there is none. */
const Verb *verb_find(const char *name);

/* Sets EXIT_USAGE if there are too few or too many ARGUMENTS. */
bool verb_check(const Verb *verb, char **arguments, GError **error);

/* The list of commands for --help. */
char *verbs_overview(void);

/* For the shell's completion: a line "NAME<tab>STATES<tab>ARGUMENTS" for each command, with "-"
 * where there are none. */
void verbs_print(void);
