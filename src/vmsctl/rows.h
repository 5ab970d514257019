/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows (aa{sv}) of the service: dictionaries in which a key that does not apply is left out. */
#pragma once

#include "client.h"

/* The one value of REPLY, if that is an array of rows; an error otherwise. REPLY may be NULL. */
GVariant *rows_of_reply(GVariant *reply, GError **error);
/* The rows that are the value of a property. */
GVariant *rows_of_property(Client *client, const char *path, const char *interface,
                           const char *property, GError **error);

/* The first row in which KEY is TEXT, whatever the case of its letters; NULL if there is none. */
GVariant *rows_find(GVariant *rows, const char *key, const char *text);

/* A key of a row, or OTHERWISE where the row does not have it. */
const char *row_text(GVariant *row, const char *key, const char *otherwise);
guint64 row_number(GVariant *row, const char *key, guint64 otherwise);
bool row_flag(GVariant *row, const char *key);
