/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The implementation of a command: each file of cmd/ defines one, or a family of them, under the
 * names that commands.def uses.
 */
#pragma once

#include "client.h"

typedef struct Command {
    /* ARGUMENTS has no options any more; their number is checked. */
    ExitStatus (*run)(Client *client, const struct Command *command, char **arguments);
    const GOptionEntry *options; /* NULL: only the global ones */
    const char *method;          /* of D-Bus, where one function serves a family of commands */
} Command;

#define HEADING(text)
#define VERB(name, id, arguments, states, summary) extern const Command command_##id;
#include "commands.def"
#undef HEADING
#undef VERB
