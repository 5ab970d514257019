/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Aligned columns on standard output, with colours on a terminal. Cells are made safe for it. */
#pragma once

#include "term.h"

#include <glib.h>

typedef struct Table Table;

/* HEADINGS ends with NULL; one that begins with '>' is a column aligned to the right. */
Table *table_new(const char *const *headings);
void table_free(Table *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Table, table_free)

/* The next cell, from left to right, row after row. */
void table_add(Table *table, Color color, const char *text);
void table_add_format(Table *table, Color color, const char *format, ...) G_GNUC_PRINTF(3, 4);

unsigned table_rows(const Table *table);

/* The cells of a terminal that a line takes; LEGEND as for table_print(). */
int table_width(const Table *table, bool legend);
/* Leaves the column out of what is measured and printed. */
void table_hide(Table *table, unsigned column);

/* LEGEND: with the line of headings. */
void table_print(const Table *table, bool legend);
