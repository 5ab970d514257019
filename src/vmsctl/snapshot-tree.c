/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snapshot-tree.h"

#include "rows.h"
#include "term.h"

/* Deeper ones are drawn at this depth, so that lines end. */
#define DEPTH_MAX 20

typedef struct Walk {
    GHashTable *children; /* name ("": of none) → GPtrArray of rows */
    SnapshotVisit visit;
    void *data;
} Walk;

static const char *
corner(bool is_last)
{
    if (term_is_unicode())
        return is_last ? "└─" : "├─";
    return is_last ? "`-" : "|-";
}

static const char *
trunk(bool is_last)
{
    return is_last ? "  " : term_is_unicode() ? "│ " : "| ";
}

/* INDENT is drawn before the branches. A list that is taken out cannot be walked in a circle. */
static void
walk_children(Walk *walk, const char *parent, const char *indent, unsigned depth)
{
    g_autofree char *key = NULL;
    GPtrArray *list = NULL;

    if (!g_hash_table_steal_extended(walk->children, parent, (void **)&key, (void **)&list))
        return;
    for (unsigned i = 0; i < list->len; i++) {
        bool is_last = i + 1 == list->len;
        bool is_deeper = depth > 0 && depth <= DEPTH_MAX;
        g_autofree char *branch = g_strconcat(indent, depth > 0 ? corner(is_last) : "", NULL);
        g_autofree char *below = g_strconcat(indent, is_deeper ? trunk(is_last) : "", NULL);

        walk->visit(list->pdata[i], branch, walk->data);
        walk_children(walk, row_text(list->pdata[i], "name", ""), below, depth + 1);
    }
    g_ptr_array_unref(list);
}

static void
unref_array(void *data)
{
    g_ptr_array_unref(data);
}

static void
add_child(GHashTable *children, const char *parent, GVariant *row)
{
    GPtrArray *list = g_hash_table_lookup(children, parent);

    if (!list) {
        list = g_ptr_array_new_with_free_func((GDestroyNotify)g_variant_unref);
        g_hash_table_insert(children, g_strdup(parent), list);
    }
    g_ptr_array_add(list, row);
}

void
snapshot_tree_visit(GVariant *snapshots, SnapshotVisit visit, void *data)
{
    g_autoptr(GHashTable) children =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, unref_array);
    g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    Walk walk = {children, visit, data};

    for (gsize i = 0; i < g_variant_n_children(snapshots); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(snapshots, i);

        g_hash_table_add(names, g_strdup(row_text(row, "name", "")));
    }
    for (gsize i = 0; i < g_variant_n_children(snapshots); i++) {
        GVariant *row = g_variant_get_child_value(snapshots, i);
        const char *parent = row_text(row, "parent", "");

        /* One whose parent is not in the list would not be visited. */
        add_child(children, g_hash_table_contains(names, parent) ? parent : "", row);
    }
    walk_children(&walk, "", "", 0);
}
