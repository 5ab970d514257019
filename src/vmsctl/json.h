/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any value as one line of JSON (RFC 8259): maps with string keys become objects, other containers
 * become arrays, and what JSON has no word for (an infinite number) becomes null.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

char *json_format(GVariant *value);

/* One line on standard output. Takes a floating VALUE. */
void json_print(GVariant *value);
