/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Functions that GLib has since 2.68 and 2.70. Where it is older, and only there, the build
 * includes this header in every source.
 */

#include <glib.h>
#include <string.h>

static inline gpointer
g_memdup2(gconstpointer mem, gsize size)
{
    gpointer copy = mem && size > 0 ? g_malloc(size) : NULL;

    return copy ? memcpy(copy, mem, size) : NULL;
}

static inline gboolean
g_spawn_check_wait_status(gint status, GError **error)
{
    return g_spawn_check_exit_status(status, error);
}

typedef GPtrArray GStrvBuilder;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GStrvBuilder, g_ptr_array_unref)

static inline GStrvBuilder *
g_strv_builder_new(void)
{
    return g_ptr_array_new_with_free_func(g_free);
}

static inline void
g_strv_builder_add(GStrvBuilder *builder, const char *text)
{
    g_ptr_array_add(builder, g_strdup(text));
}

static inline void
g_strv_builder_addv(GStrvBuilder *builder, const char **texts)
{
    for (; *texts; texts++)
        g_strv_builder_add(builder, *texts);
}

static inline GStrv
g_strv_builder_end(GStrvBuilder *builder)
{
    g_ptr_array_add(builder, NULL);
    return (GStrv)g_ptr_array_steal(builder, NULL);
}
