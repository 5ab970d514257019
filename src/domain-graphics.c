/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain-graphics.h"

static void
free_row(gpointer data)
{
    DomainGraphics *row = data;

    g_free(row->type);
    g_free(row->listen);
    g_free(row);
}

GPtrArray *
domain_graphics_new(void)
{
    return g_ptr_array_new_with_free_func(free_row);
}

void
domain_graphics_add(GPtrArray *table, const char *type, const char *listen, const char *kind,
                    int number)
{
    DomainGraphics *row = g_new0(DomainGraphics, 1);

    row->type = g_strdup(type);
    row->listen = g_strdup(listen);
    row->kind = kind;
    row->number = number;
    g_ptr_array_add(table, row);
}

static bool
are_rows_equal(const DomainGraphics *a, const DomainGraphics *b)
{
    return a->number == b->number && g_str_equal(a->kind, b->kind) &&
           g_str_equal(a->type, b->type) && g_str_equal(a->listen, b->listen);
}

bool
domain_graphics_equal(const GPtrArray *a, const GPtrArray *b)
{
    unsigned n = a ? a->len : 0;

    if (n != (b ? b->len : 0))
        return false;
    for (unsigned i = 0; i < n; i++)
        if (!are_rows_equal(a->pdata[i], b->pdata[i]))
            return false;
    return true;
}
