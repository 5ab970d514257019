/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "describe.h"

#include "rows.h"
#include "text.h"

char *
describe_uptime(const Inventory *inventory, const char *path)
{
    guint64 started = inventory_u64(inventory, path, VMS_DOMAIN_INTERFACE, "StartedAt");

    return started > 0 ? text_format_since(started) : NULL;
}

char *
describe_stop_timeout(guint64 usec)
{
    return g_strdup_printf("%.15g s, then Stop cuts the power",
                           (double)usec / (double)G_USEC_PER_SEC);
}

static GVariant *
find_rows(const Inventory *inventory, const char *path, const char *interface, const char *property)
{
    GVariant *rows = inventory_get(inventory, path, interface, property);

    return rows && g_variant_is_of_type(rows, G_VARIANT_TYPE("aa{sv}")) ? rows : NULL;
}

GVariant *
describe_problem_rows(const Inventory *inventory, const char *path)
{
    return find_rows(inventory, path, VMS_DOMAIN_INTERFACE, "Problems");
}

char *
describe_problem(GVariant *row)
{
    const char *device = row_text(row, "device", "");

    return g_strconcat(row_text(row, "kind", "unknown"), *device ? " " : "", device, NULL);
}

char *
describe_problems(const Inventory *inventory, const char *path)
{
    GVariant *rows = describe_problem_rows(inventory, path);
    GString *text = g_string_new(NULL);
    GVariantIter iter;
    GVariant *row;

    if (rows)
        g_variant_iter_init(&iter, rows);
    while (rows && (row = g_variant_iter_next_value(&iter))) {
        g_autofree char *problem = describe_problem(row);

        g_string_append_printf(text, "%s%s", text->len > 0 ? ", " : "", problem);
        g_variant_unref(row);
    }
    return g_string_free(text, text->len == 0);
}

/* Nobody reaches the guest by it from elsewhere. */
static bool
is_local(const char *address)
{
    return g_str_has_prefix(address, "fe80:") || g_str_has_prefix(address, "169.254.") ||
           g_str_has_prefix(address, "127.") || g_str_equal(address, "::1");
}

const char *
describe_address(const Inventory *inventory, const char *path)
{
    GVariant *rows = find_rows(inventory, path, VMS_GUEST_INTERFACE, "Addresses");
    const char *first = NULL;

    for (gsize i = 0; rows && i < g_variant_n_children(rows); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(rows, i);
        /* The text is part of the whole value. */
        const char *address = row_text(row, "address", NULL);

        if (address && !is_local(address))
            return address;
        first = first ? first : address;
    }
    return first;
}

char *
describe_disk(GVariant *disk)
{
    guint64 capacity = row_number(disk, "capacity", 0);
    g_autofree char *size = capacity > 0 ? text_format_size(capacity) : g_strdup("");

    return g_strstrip(g_strdup_printf("%s (%s) %s %s", row_text(disk, "target", ""),
                                      row_text(disk, "bus", ""),
                                      row_text(disk, "source", "(empty)"), size));
}

char *
describe_nic(GVariant *nic)
{
    const char *model = row_text(nic, "model", NULL);
    g_autofree char *in_brackets = model ? g_strdup_printf(" (%s)", model) : g_strdup("");

    return g_strdup_printf("%s%s on %s", row_text(nic, "mac", ""), in_brackets,
                           row_text(nic, "source", row_text(nic, "type", "")));
}

char *
describe_host_device(GVariant *device)
{
    const char *vendor = row_text(device, "vendor", NULL);
    g_autofree char *model =
        vendor ? g_strdup_printf(" (%s:%s)", vendor, row_text(device, "product", "")) : NULL;

    return g_strdup_printf("%s %s%s", row_text(device, "type", ""), row_text(device, "address", ""),
                           model ? model : "");
}

char *
describe_guest_address(GVariant *address)
{
    guint64 prefix = row_number(address, "prefix", 0);
    g_autofree char *length =
        prefix > 0 ? g_strdup_printf("/%" G_GUINT64_FORMAT, prefix) : g_strdup("");

    return g_strdup_printf("%s%s on %s (%s)", row_text(address, "address", ""), length,
                           row_text(address, "interface", row_text(address, "mac", "-")),
                           row_text(address, "source", ""));
}
