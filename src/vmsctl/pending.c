/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pending.h"

#include "describe.h"
#include "rows.h"
#include "term.h"
#include "text.h"

#include <string.h>

/* The properties whose values are rows. */
typedef struct RowKind {
    const char *property;
    const char *key; /* tells one row from another */
    char *(*describe)(GVariant *row);
    const char *of_run; /* the key of what only a domain that runs has */
} RowKind;

static const RowKind kinds[] = {
    {"Disks", "target", describe_disk, "capacity"},
    {"Nics", "mac", describe_nic, "target"},
    {"HostDevices", "address", describe_host_device, "alias"},
};

static const RowKind *
find_kind(const char *property)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (g_str_equal(kinds[i].property, property))
            return &kinds[i];
    return NULL;
}

/* A device that is chosen by its IDs has an address only where it runs. */
static bool
is_same_model(GVariant *row, GVariant *other)
{
    const char *vendor = row_text(row, "vendor", NULL);

    return vendor && g_str_equal(vendor, row_text(other, "vendor", "")) &&
           g_str_equal(row_text(row, "product", ""), row_text(other, "product", ""));
}

/* The row of the same thing among ROWS, or NULL. */
static GVariant *
find_same(const RowKind *kind, GVariant *rows, GVariant *row)
{
    const char *key = row_text(row, kind->key, NULL);
    GVariant *same = key ? rows_find(rows, kind->key, key) : NULL;

    for (gsize i = 0; !same && i < g_variant_n_children(rows); i++) {
        g_autoptr(GVariant) other = g_variant_get_child_value(rows, i);

        if ((!key || !row_text(other, kind->key, NULL)) && is_same_model(row, other))
            same = g_variant_ref(other);
    }
    return same;
}

/* Has ROW each key of OTHER, with the same value? */
static bool
has_all(GVariant *row, GVariant *other, const RowKind *kind)
{
    GVariantIter iter;
    const char *key;
    GVariant *value;
    bool same = true;

    g_variant_iter_init(&iter, other);
    while (g_variant_iter_next(&iter, "{&sv}", &key, &value)) {
        g_autoptr(GVariant) own = g_variant_lookup_value(row, key, NULL);
        bool matters = !g_str_equal(key, kind->of_run) && !g_str_equal(key, "job");
        bool is_equal = own ? g_variant_equal(own, value) : g_str_equal(key, kind->key);

        same = same && (!matters || is_equal);
        g_variant_unref(value);
    }
    return same;
}

static void
add_row(GPtrArray *texts, const RowKind *kind, char sign, GVariant *row)
{
    g_autofree char *text = kind->describe(row);

    g_ptr_array_add(texts, g_strdup_printf("%s: %c %s", kind->property, sign, text));
}

/* Adds the rows of ROWS that are not among OTHERS and, with CHANGED, those that differ there. */
static void
compare_rows(GPtrArray *texts, const RowKind *kind, GVariant *rows, GVariant *others, char missing,
             bool changed)
{
    for (gsize i = 0; i < g_variant_n_children(rows); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(rows, i);
        g_autoptr(GVariant) other = find_same(kind, others, row);

        if (!other)
            add_row(texts, kind, missing, row);
        else if (changed && (!has_all(row, other, kind) || !has_all(other, row, kind)))
            add_row(texts, kind, '~', row);
    }
}

/* Sizes and times by the ends of their properties' names. */
static char *
describe_value(const char *property, GVariant *value)
{
    if (!value)
        return g_strdup("-");
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_STRING))
        return *g_variant_get_string(value, NULL) ? g_variant_dup_string(value, NULL)
                                                  : g_strdup("-");
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_UINT32))
        return g_strdup_printf("%u", g_variant_get_uint32(value));
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_UINT64) && g_str_has_suffix(property, "Bytes"))
        return text_format_size(g_variant_get_uint64(value));
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_UINT64) && g_str_has_suffix(property, "USec"))
        return g_strdup_printf("%.15g s",
                               (double)g_variant_get_uint64(value) / (double)G_USEC_PER_SEC);
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_STRING_ARRAY)) {
        g_auto(GStrv) parts = g_variant_dup_strv(value, NULL);

        return *parts ? g_strjoinv(" ", parts) : g_strdup("-");
    }
    return g_variant_print(value, FALSE);
}

static void
add_change(GPtrArray *texts, const char *property, GVariant *now, GVariant *next)
{
    static const char rows_type[] = "aa{sv}";
    const RowKind *kind = find_kind(property);

    if (kind && now && g_variant_is_of_type(now, G_VARIANT_TYPE(rows_type)) &&
        g_variant_is_of_type(next, G_VARIANT_TYPE(rows_type))) {
        compare_rows(texts, kind, next, now, '+', true);
        compare_rows(texts, kind, now, next, '-', false);
        return;
    }
    g_autofree char *before = describe_value(property, now);
    g_autofree char *after = describe_value(property, next);
    g_ptr_array_add(texts, g_strdup_printf("%s: %s %s %s", property, before,
                                           term_is_unicode() ? "→" : "->", after));
}

GPtrArray *
pending_changes(const Inventory *inventory, const char *path)
{
    GVariant *next = inventory_get(inventory, path, VMS_CONFIG_INTERFACE, "Next");
    GPtrArray *texts = g_ptr_array_new_with_free_func(g_free);
    GVariantIter iter;
    const char *property;
    GVariant *value;

    if (!next || !g_variant_is_of_type(next, G_VARIANT_TYPE_VARDICT))
        return texts;
    g_variant_iter_init(&iter, next);
    while (g_variant_iter_next(&iter, "{&sv}", &property, &value)) {
        add_change(texts, property, inventory_get(inventory, path, VMS_CONFIG_INTERFACE, property),
                   value);
        g_variant_unref(value);
    }
    return texts;
}
