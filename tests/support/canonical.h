/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Values as text that can be compared: what is equal prints equal, the entries of a dictionary in
 * the order of their keys. Strings and object paths are quoted, but bare where they are the whole
 * argument: so are "shutoff", 12, true, {"a": <1>}, ["x", ("y", 2)], <"v">.
 */

#include <systemd/sd-bus.h>

/* The argument or element that comes next in the message. A variant is its content here. */
char *canonical_next(sd_bus_message *m);

/* All that is left in the message, separated by single spaces. */
char *canonical_rest(sd_bus_message *m);
