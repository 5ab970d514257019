/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Where a domain's graphics servers listen: rows of (type, listen, kind of socket, number).
 *
 * A device has a row "port", and one more, "websocket", where it has been given one. Rows are in
 * the order of the devices. Pure, any thread; a table is changed by nobody once it is made.
 */

#include <glib.h>
#include <stdbool.h>

typedef struct {
    char *type;       /* "vnc", "spice" */
    char *listen;     /* an address, or the path of a socket; "" if the XML names none */
    const char *kind; /* static: "port" or "websocket" */
    int number;       /* -1: none, or none yet */
} DomainGraphics;

/* An empty table; g_ptr_array_unref() frees it with its rows. */
GPtrArray *domain_graphics_new(void);
void domain_graphics_add(GPtrArray *table, const char *type, const char *listen, const char *kind,
                         int number);
/* NULL is an empty table. */
bool domain_graphics_equal(const GPtrArray *a, const GPtrArray *b);
