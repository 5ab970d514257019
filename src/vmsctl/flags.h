/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options of the command line that become options (a{sv}) of a D-Bus method. */
#pragma once

#include <glib.h>

typedef struct Flag {
    const char *name; /* of the method's option */
    const gboolean *is_set;
} Flag;

/* A dictionary with true for each flag that is set; other options may be added. FLAGS ends with an
 * element without a name. */
GVariantBuilder *flags_build(const Flag *flags);
