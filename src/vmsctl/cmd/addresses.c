/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vmsctl addresses */
#include "command.h"
#include "json.h"
#include "table.h"

static char *source;

static const GOptionEntry options[] = {
    {"source", 0, 0, G_OPTION_ARG_STRING, &source,
     "Ask lease (the host's DHCP server; the default), agent (the guest) or arp", "SOURCE"},
    {NULL},
};

static const char *
text_of(GVariant *address, const char *key)
{
    const char *text = "-";

    g_variant_lookup(address, key, "&s", &text);
    return text;
}

static void
print_table(Client *client, GVariant *addresses)
{
    static const char *const headings[] = {"INTERFACE", "MAC", "ADDRESS", NULL};
    g_autoptr(Table) table = table_new(headings);
    GVariantIter iter;
    GVariant *address;

    g_variant_iter_init(&iter, addresses);
    while ((address = g_variant_iter_next_value(&iter))) {
        guint32 prefix = 0;

        g_variant_lookup(address, "prefix", "u", &prefix);
        table_add(table, COLOR_NONE, text_of(address, "interface"));
        table_add(table, COLOR_NONE, text_of(address, "mac"));
        table_add_format(table, COLOR_NONE, "%s/%u", text_of(address, "address"), prefix);
        g_variant_unref(address);
    }
    table_print(table, !client->options->no_legend);
}

static ExitStatus
run(Client *client, const Command *command, char **arguments)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = client_find_vm(client, arguments[0], &error);
    g_autoptr(GVariant) reply =
        path ? client_change(client, path, VMS_GUEST_INTERFACE, "GetAddresses",
                             g_variant_new("(s)", source ? source : "lease"), &error)
             : NULL;

    if (reply && !g_variant_is_of_type(reply, G_VARIANT_TYPE("(aa{sv})")))
        failure_set(&error, EXIT_FAILED, "The reply has an unknown format");
    if (error)
        return failure_report(arguments[0], error);

    g_autoptr(GVariant) addresses = g_variant_get_child_value(reply, 0);
    if (client->options->json)
        json_print(addresses);
    else
        print_table(client, addresses);
    return EXIT_OK;
}

const Command command_addresses = {run, options, NULL};
