/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The command line and the environment of unraid-vmsd.
 */

#include <stdbool.h>
#include <stdint.h>

typedef enum {
    OPTIONS_RUN,
    OPTIONS_DONE, /* --help or --version was all */
    OPTIONS_BAD,  /* `message` says what, in one line */
} OptionsResult;

typedef struct {
    char *address;    /* of the bus; NULL: */
    bool session;     /* the session bus, else the system bus */
    char *name;       /* to own on it: "org.unraid.Vms" and what --name makes of it */
    char *instance;   /* NULL for the main one */
    char *uri;        /* of libvirt */
    char **pid_files; /* NULL: the usual ones of libvirt's daemons */
    uint64_t stop_timeout_usec;
    bool guest_info; /* ask the guests for the properties of Guest */
    int log_level;
    bool drop_root; /* where root starts it */
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
