/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options of the command line that become options (a{sv}) of a D-Bus method. */
#pragma once

#include "failure.h"

#include <stdbool.h>

typedef struct Flag {
    const char *name; /* of the method's option */
    const gboolean *is_set;
} Flag;

/* A dictionary with true for each flag that is set; other options may be added. FLAGS ends with an
 * element without a name. */
GVariantBuilder *flags_build(const Flag *flags);

/* Add an option if it was given, that is, if TEXT or TEXTS is not NULL. */
void flags_add_text(GVariantBuilder *options, const char *name, const char *text);
/* Each of the texts may hold several, with commas between them. */
void flags_add_texts(GVariantBuilder *options, const char *name, char **texts);
/* `bandwidth`, in bytes/s, from MiB/s. */
bool flags_add_bandwidth(GVariantBuilder *options, const char *text, GError **error);
/* `live` and `config`; without either the service changes whichever apply. */
void flags_add_affect(GVariantBuilder *options, gboolean live, gboolean config);

/* The options that go with them. */
#define FLAGS_BANDWIDTH_OPTION(variable)                                                           \
    {                                                                                              \
        "bandwidth", 0, 0, G_OPTION_ARG_STRING, variable, "Use at most this much", "MiB/s"         \
    }
#define FLAGS_AFFECT_OPTIONS(live, config)                                                         \
    {"live", 0, 0, G_OPTION_ARG_NONE, live, "Change the running VM", NULL},                        \
    {                                                                                              \
        "config", 0, 0, G_OPTION_ARG_NONE, config, "Change the configuration of the next start",   \
            NULL                                                                                   \
    }
