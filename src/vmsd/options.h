/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The command line and the environment of unraid-vmsd.
 */

#include "manager.h"

typedef enum {
    OPTIONS_RUN,
    OPTIONS_DONE, /* --help or --version was all */
    OPTIONS_BAD,  /* `message` says what, in one line */
} OptionsResult;

typedef struct {
    ManagerConfig config; /* its strings are owned by the fields below */
    int log_level;

    char *address;
    char *name;
    char *instance;
    char *uri;
    char **pid_files;
    char *message;
} Options;

/* Prints what --help and --version ask for. */
OptionsResult options_parse(Options *options, int argc, char **argv);
void options_clear(Options *options);

/*
 * The instance that a bus name says: NULL for the main name, else the element behind
 * "org.unraid.Vms."; false where the name is neither of these, or is no bus name.
 */
bool options_instance_of_name(const char *bus_name, const char **ret_instance);
