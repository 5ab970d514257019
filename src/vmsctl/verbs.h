/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of commands (see commands.def): look-up, checks and help. */
#pragma once

#include "command.h"

typedef struct Verb {
    const char *name;
    const char *arguments; /* NULL where there are none; of a command with actions, those before */
    const char *states;
    const char *summary;
    const Command *command; /* NULL: the row is a heading */
} Verb;

/* NULL if there is none. */
const Verb *verb_find(const char *name);

/* Checks the ARGUMENTS, and for a command with actions the options, too; sets EXIT_USAGE. */
bool verb_check(const Verb *verb, char **arguments, GError **error);

/* The command, or its action, with ARGUMENTS that were checked. */
ExitStatus verb_run(const Verb *verb, Client *client, char **arguments);

/* "VM FILE", for --help. */
char *verb_usage(const Verb *verb);

/* The list of the command's actions for its --help; NULL if it has none. */
char *verb_actions_overview(const Verb *verb);

/* "create, revert: DESCRIPTION", naming the actions that take the OPTION, unless all do. */
char *verb_option_description(const Verb *verb, const char *option, const char *description);

/* The list of commands for --help. */
char *verbs_overview(void);

/* For the shell's completion: a line "NAME<tab>STATES<tab>ARGUMENTS" for each command, and a line
 * "NAME ACTION<tab>STATES<tab>ARGUMENTS" for each of its actions, with "-" where there are none. */
void verbs_print(void);
