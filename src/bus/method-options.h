/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The options (a{sv}) that a method takes: one table says which there are, of which type, and where
 * they go. Loop thread.
 */

#include <stddef.h>
#include <systemd/sd-bus.h>

/* An array of strings, "as". */
#define METHOD_OPTION_TEXTS SD_BUS_TYPE_ARRAY

typedef struct {
    const char *name; /* NULL ends the table */
    char type;        /* SD_BUS_TYPE_UINT64 into a uint64_t, SD_BUS_TYPE_BOOLEAN into an int,
                         SD_BUS_TYPE_STRING into a const char *, which the message owns,
                         METHOD_OPTION_TEXTS into a char **, which is the caller's */
    size_t offset;    /* into the target */
} MethodOption;

/*
 * Read a{sv} from the message into `target`; what is not given keeps its value there. What the
 * table does not list, lists with another type or is given twice: InvalidArgs, a negative errno.
 * `ret_seen` may be NULL; bit N is set where row N was given.
 */
int method_options_read(sd_bus_message *message, const MethodOption *options, void *target,
                        uint64_t *ret_seen, sd_bus_error *error);

/* Read "s" from the message; `*ret` is the caller's. */
int method_read_text(sd_bus_message *message, char **ret);
/* Read "as" from the message, as GLib's strv. */
int method_read_texts(sd_bus_message *message, char ***ret);

/* An option of type b that sets a flag where it is true. */
typedef struct {
    const char *name; /* NULL ends the table */
    unsigned flag;
} MethodFlag;

/* The same where all options are flags; `*ret` are those that are set. */
int method_options_read_flags(sd_bus_message *message, const MethodFlag *flags, unsigned *ret,
                              sd_bus_error *error);
