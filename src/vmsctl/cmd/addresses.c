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

static void
print_table(Client *client, GVariant *interfaces)
{
    static const char *const headings[] = {"INTERFACE", "MAC", "ADDRESS", NULL};
    g_autoptr(Table) table = table_new(headings);
    GVariantIter iter;
    GVariantIter *addresses;
    const char *name, *mac, *address;
    guint32 prefix;

    g_variant_iter_init(&iter, interfaces);
    while (g_variant_iter_next(&iter, "(&s&sa(su))", &name, &mac, &addresses)) {
        while (g_variant_iter_next(addresses, "(&su)", &address, &prefix)) {
            table_add(table, COLOR_NONE, name);
            table_add(table, COLOR_NONE, *mac ? mac : "-");
            table_add_format(table, COLOR_NONE, "%s/%u", address, prefix);
        }
        g_variant_iter_free(addresses);
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

    if (reply && !g_variant_is_of_type(reply, G_VARIANT_TYPE("(a(ssa(su)))")))
        failure_set(&error, EXIT_FAILED, "The reply has an unknown format");
    if (error)
        return failure_report(arguments[0], error);

    g_autoptr(GVariant) interfaces = g_variant_get_child_value(reply, 0);
    if (client->options->json)
        json_print(interfaces);
    else
        print_table(client, interfaces);
    return EXIT_OK;
}

const Command command_addresses = {run, options, NULL};
