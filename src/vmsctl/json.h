/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any value as one line of JSON (RFC 8259). Dictionaries with string keys become objects, other
 * containers become arrays, and numbers that JSON does not have (infinity) become null. Characters
 * that a terminal acts on are escaped.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

char *json_format(GVariant *value);

/* One line on standard output. Takes a floating VALUE. */
void json_print(GVariant *value);
