/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rows.h"

static bool
check_type(GVariant *value, const char *type, GError **error)
{
    if (g_variant_is_of_type(value, G_VARIANT_TYPE(type)))
        return true;
    failure_set(error, EXIT_FAILED, "The reply has an unknown format");
    return false;
}

GVariant *
rows_of_reply(GVariant *reply, GError **error)
{
    if (!reply || !check_type(reply, "(aa{sv})", error))
        return NULL;
    return g_variant_get_child_value(reply, 0);
}

GVariant *
rows_of_property(Client *client, const char *path, const char *interface, const char *property,
                 GError **error)
{
    g_autoptr(GVariant) value = client_get(client, path, interface, property, error);

    if (!value || !check_type(value, "aa{sv}", error))
        return NULL;
    return g_steal_pointer(&value);
}

GVariant *
rows_find(GVariant *rows, const char *key, const char *text)
{
    GVariantIter iter;
    GVariant *row;

    g_variant_iter_init(&iter, rows);
    while ((row = g_variant_iter_next_value(&iter))) {
        if (g_ascii_strcasecmp(row_text(row, key, ""), text) == 0)
            return row;
        g_variant_unref(row);
    }
    return NULL;
}

const char *
row_text(GVariant *row, const char *key, const char *otherwise)
{
    const char *text;

    return g_variant_lookup(row, key, "&s", &text) ? text : otherwise;
}

guint64
row_number(GVariant *row, const char *key, guint64 otherwise)
{
    guint64 number;
    guint32 small;

    if (g_variant_lookup(row, key, "t", &number))
        return number;
    return g_variant_lookup(row, key, "u", &small) ? small : otherwise;
}

bool
row_flag(GVariant *row, const char *key)
{
    gboolean flag = FALSE;

    return g_variant_lookup(row, key, "b", &flag) && flag;
}
