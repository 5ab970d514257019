/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vmsctl host: the host that the VMs run on, and its devices. */
#include "command.h"
#include "inventory.h"
#include "json.h"
#include "rows.h"
#include "table.h"
#include "terminal-text.h"
#include "text.h"

#include <stdio.h>

static const char *const kinds[] = {"pci", "usb", NULL};

static void
print_host(GVariant *properties)
{
    static const char *const parts[] = {"cells", "sockets", "cores", "threads"};
    g_autofree char *model = terminal_text_escape(row_text(properties, "CpuModel", ""));
    g_autofree char *memory = text_format_size(row_number(properties, "MemoryBytes", 0));
    g_autoptr(GVariant) topology =
        g_variant_lookup_value(properties, "CpuTopology", G_VARIANT_TYPE("a{su}"));

    printf("%10s: %" G_GUINT64_FORMAT "%s%s\n", "CPUs", row_number(properties, "CpuCount", 0),
           *model ? ", " : "", model);
    for (size_t i = 0; topology && i < G_N_ELEMENTS(parts); i++) {
        guint32 count = 0;

        (void)g_variant_lookup(topology, parts[i], "u", &count);
        if (i == 0)
            printf("%10s: ", "Topology");
        printf("%s%s %u", i > 0 ? ", " : "", parts[i], count);
    }
    (void)fputs(topology ? "\n" : "", stdout);
    printf("%10s: %s\n", "Memory", memory);
}

/* The names of the VMs that use the device; none: "-". */
static char *
users_of(GVariant *device, const Inventory *inventory)
{
    g_autoptr(GVariant) paths =
        g_variant_lookup_value(device, "used_by", G_VARIANT_TYPE_OBJECT_PATH_ARRAY);
    g_autoptr(GString) names = g_string_new(NULL);

    for (gsize i = 0; paths && i < g_variant_n_children(paths); i++) {
        g_autoptr(GVariant) path = g_variant_get_child_value(paths, i);

        g_string_append_printf(names, "%s%s", i > 0 ? ", " : "",
                               inventory_vm_name(inventory, g_variant_get_string(path, NULL)));
    }
    return names->len > 0 ? g_strdup(names->str) : g_strdup("-");
}

static void
add_device(Table *table, GVariant *device, const Inventory *inventory)
{
    guint32 group;
    g_autofree char *users = users_of(device, inventory);
    g_autofree char *model = g_strstrip(g_strjoin(" ", row_text(device, "vendor_name", ""),
                                                  row_text(device, "product_name", ""), NULL));

    table_add(table, COLOR_BOLD, row_text(device, "address", "-"));
    table_add_format(table, COLOR_NONE, "%s:%s", row_text(device, "vendor", "-"),
                     row_text(device, "product", "-"));
    table_add(table, COLOR_NONE, row_text(device, "driver", "-"));
    if (g_variant_lookup(device, "iommu_group", "u", &group))
        table_add_format(table, COLOR_NONE, "%u", group);
    else
        table_add(table, COLOR_NONE, "-");
    table_add(table, COLOR_YELLOW, users);
    table_add(table, COLOR_NONE, *model ? model : "-");
}

static void
print_devices(GVariant *devices, const char *kind, const Inventory *inventory, bool legend)
{
    const char *const headings[] = {g_str_equal(kind, "pci") ? "PCI" : "USB",
                                    "ID",
                                    "DRIVER",
                                    ">IOMMU",
                                    "USED BY",
                                    "DEVICE",
                                    NULL};
    g_autoptr(Table) table = table_new(headings);

    for (gsize i = 0; i < g_variant_n_children(devices); i++) {
        g_autoptr(GVariant) device = g_variant_get_child_value(devices, i);

        add_device(table, device, inventory);
    }
    table_print(table, legend);
}

static GVariant *
get_devices(Client *client, const char *kind, GError **error)
{
    g_autoptr(GVariant) reply = client_read(client, VMS_ROOT_PATH, VMS_HOST_INTERFACE, "GetDevices",
                                            g_variant_new("(s)", kind), error);

    return rows_of_reply(reply, error);
}

/* One kind alone. */
static ExitStatus
run_kind(Client *client, const char *kind)
{
    g_autoptr(Inventory) inventory = inventory_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) devices = get_devices(client, kind, &error);

    if (!devices || !inventory_load(inventory, client, &error))
        return failure_report(NULL, error);
    if (client->options->json)
        json_print(devices);
    else
        print_devices(devices, kind, inventory, !client->options->no_legend);
    return EXIT_OK;
}

/* The daemon for devices may be away while all else is there: the failure is told at the end. */
static ExitStatus
run_all(Client *client)
{
    g_autoptr(Inventory) inventory = inventory_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) host = client_get_all(client, VMS_ROOT_PATH, VMS_HOST_INTERFACE, &error);
    g_autoptr(GVariantBuilder) builder = g_variant_builder_new(G_VARIANT_TYPE_VARDICT);
    ExitStatus first = EXIT_OK;

    if (!host || !inventory_load(inventory, client, &error))
        return failure_report(NULL, error);
    g_variant_builder_add(builder, "{sv}", "Host", host);
    if (!client->options->json)
        print_host(host);
    for (const char *const *kind = kinds; *kind; kind++) {
        g_autoptr(GError) problem = NULL;
        g_autoptr(GVariant) devices = get_devices(client, *kind, &problem);

        if (!devices) {
            failure_keep_first(&first, failure_report(*kind, problem));
            continue;
        }
        g_variant_builder_add(builder, "{sv}", *kind, devices);
        if (client->options->json || g_variant_n_children(devices) == 0)
            continue;
        putchar('\n');
        print_devices(devices, *kind, inventory, !client->options->no_legend);
    }
    if (client->options->json)
        json_print(g_variant_builder_end(builder));
    return first;
}

static ExitStatus
run(Client *client, const Command *command, char **arguments)
{
    const char *kind = arguments[0];
    g_autoptr(GError) error = NULL;

    if (!kind)
        return run_all(client);
    if (g_strv_contains(kinds, kind))
        return run_kind(client, kind);
    failure_set(&error, EXIT_USAGE, "\"%s\" is no kind of device; write \"pci\" or \"usb\"", kind);
    return failure_report(NULL, error);
}

const Command command_host = {.run = run};
