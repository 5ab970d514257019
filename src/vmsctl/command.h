/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The implementation of a command: each file of cmd/ defines one, or a family of them, under the
 * names that commands.def uses.
 */
#pragma once

#include "client.h"

/* One thing of several that a command does, such as "vmsctl snapshot VM create". */
typedef struct Action {
    const char *name;
    const char *arguments; /* that follow the name, as in commands.def; NULL: none */
    const char *options;   /* the command's options that go with it, as words; NULL: none */
    const char *summary;
    /* The number of ARGUMENTS and the options are checked. */
    ExitStatus (*run)(Client *client, const struct Action *action, const char *vm,
                      char **arguments);
    const char *method; /* of D-Bus, where one function serves several actions */
} Action;

typedef struct Command {
    /* ARGUMENTS has no options any more; their number is checked. */
    ExitStatus (*run)(Client *client, const struct Command *command, char **arguments);
    const GOptionEntry *options; /* NULL: only the global ones */
    const char *method;          /* of D-Bus, where one function serves a family of commands */
    /* Instead of `run`; ends with an element without a name, and the first one is meant where none
     * is named. `options` have no other types than flags, texts and lists of texts. */
    const Action *actions;
} Command;

#define HEADING(text)
#define VERB(name, id, arguments, states, summary) extern const Command command_##id;
#include "commands.def"
#undef HEADING
#undef VERB
