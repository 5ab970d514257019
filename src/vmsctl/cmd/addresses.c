/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vmsctl addresses */
#include "command.h"
#include "json.h"
#include "rows.h"
#include "table.h"

static char *source;

static const GOptionEntry options[] = {
    {"source", 0, 0, G_OPTION_ARG_STRING, &source,
     "Ask lease (the host's DHCP server; the default), agent (the guest) or arp", "SOURCE"},
    {NULL},
};

static void
print_table(Client *client, GVariant *addresses)
{
    static const char *const headings[] = {"INTERFACE", "MAC", "ADDRESS", NULL};
    g_autoptr(Table) table = table_new(headings);
    GVariantIter iter;
    GVariant *address;

    g_variant_iter_init(&iter, addresses);
    while ((address = g_variant_iter_next_value(&iter))) {
        table_add(table, COLOR_NONE, row_text(address, "interface", "-"));
        table_add(table, COLOR_NONE, row_text(address, "mac", "-"));
        table_add_format(table, COLOR_NONE, "%s/%u", row_text(address, "address", "-"),
                         (unsigned)row_number(address, "prefix", 0));
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
    g_autoptr(GVariant) addresses = rows_of_reply(reply, &error);

    if (!addresses)
        return failure_report(arguments[0], error);
    if (client->options->json)
        json_print(addresses);
    else
        print_table(client, addresses);
    return EXIT_OK;
}

const Command command_addresses = {run, options, NULL};
