/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vmsctl device, attach, detach, update */
#include "command.h"
#include "document.h"
#include "flags.h"
#include "json.h"
#include "rows.h"
#include "table.h"

#include <string.h>

static gboolean want_live, want_config, want_force;

static const GOptionEntry options[] = {
    FLAGS_AFFECT_OPTIONS(&want_live, &want_config),
    {NULL},
};
static const GOptionEntry update_options[] = {
    FLAGS_AFFECT_OPTIONS(&want_live, &want_config),
    {"force", 0, 0, G_OPTION_ARG_NONE, &want_force, "Even if the guest has locked the medium in",
     NULL},
    {NULL},
};

static GVariantBuilder *
build_options(void)
{
    static const Flag flags[] = {{"force", &want_force}, {NULL}};
    GVariantBuilder *builder = flags_build(flags);

    flags_add_affect(builder, want_live, want_config);
    return builder;
}

static ExitStatus
change(Client *client, const char *vm, const char *method, const char *text)
{
    g_autoptr(GVariantBuilder) builder = build_options();

    return client_change_one(client, vm, VMS_CONFIG_INTERFACE, method,
                             g_variant_new("(sa{sv})", text, builder));
}

static ExitStatus
change_by_file(Client *client, const char *vm, const char *method, const char *file)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *xml = document_read(file, &error);

    return xml ? change(client, vm, method, xml) : failure_report(NULL, error);
}

/* --- attach, detach and link -------------------------------------------------------------- */

/* A file with such a name is written as "./NAME". */
static bool
is_address(const char *text)
{
    return strchr(text, ':') && strspn(text, "0123456789abcdefABCDEF:.") == strlen(text);
}

static bool
is_mac(const char *text)
{
    return strlen(text) == strlen("52:54:00:00:00:00") &&
           strspn(text, "0123456789abcdefABCDEF:") == strlen(text) && text[2] == ':';
}

static ExitStatus
attach(Client *client, const Action *action, const char *vm, char **arguments)
{
    if (is_address(arguments[0]))
        return change(client, vm, "AttachHostDevice", arguments[0]);
    return change_by_file(client, vm, "AttachDevice", arguments[0]);
}

static ExitStatus
detach(Client *client, const Action *action, const char *vm, char **arguments)
{
    if (is_mac(arguments[0])) {
        /* libvirt finds it by its MAC address; the type is there because there has to be one. */
        g_autofree char *xml =
            g_strdup_printf("<interface type='user'><mac address='%s'/></interface>", arguments[0]);

        return change(client, vm, "DetachDevice", xml);
    }
    if (is_address(arguments[0]))
        return change(client, vm, "DetachHostDevice", arguments[0]);
    return change_by_file(client, vm, "DetachDevice", arguments[0]);
}

static ExitStatus
link_nic(Client *client, const Action *action, const char *vm, char **arguments)
{
    bool is_up = g_str_equal(arguments[1], "up");
    g_autoptr(GVariantBuilder) builder = build_options();
    g_autoptr(GError) error = NULL;

    if (!is_up && !g_str_equal(arguments[1], "down")) {
        failure_set(&error, EXIT_USAGE, "Write \"up\" or \"down\" after the address, not \"%s\"",
                    arguments[1]);
        return failure_report(NULL, error);
    }
    return client_change_one(client, vm, VMS_CONFIG_INTERFACE, "SetLink",
                             g_variant_new("(sba{sv})", arguments[0], is_up, builder));
}

/* --- list --------------------------------------------------------------------------------- */

static void
add_nic(Table *table, GVariant *nic)
{
    table_add(table, COLOR_NONE, "nic");
    table_add(table, COLOR_BOLD, row_text(nic, "mac", "-"));
    table_add(table, COLOR_NONE, row_text(nic, "model", "-"));
    table_add_format(table, COLOR_NONE, "%s %s", row_text(nic, "type", ""),
                     row_text(nic, "source", ""));
    table_add(table, COLOR_NONE, row_flag(nic, "link") ? "up" : "down");
}

/* "1234:5678" */
static void
add_model(Table *table, GVariant *device)
{
    const char *product = row_text(device, "product", NULL);

    if (product)
        table_add_format(table, COLOR_NONE, "%s:%s", row_text(device, "vendor", ""), product);
    else
        table_add(table, COLOR_NONE, "-");
}

static void
add_host_device(Table *table, GVariant *device)
{
    table_add(table, COLOR_NONE, row_text(device, "type", "-"));
    table_add(table, COLOR_BOLD, row_text(device, "address", "-"));
    add_model(table, device);
    table_add(table, COLOR_NONE, "host");
    table_add(table, COLOR_NONE, "-");
}

static void
add_each(Table *table, GVariant *rows, void (*add)(Table *table, GVariant *row))
{
    for (gsize i = 0; i < g_variant_n_children(rows); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(rows, i);

        add(table, row);
    }
}

static ExitStatus
list(Client *client, const Action *action, const char *vm, char **unused)
{
    static const char *const headings[] = {"KIND", "ADDRESS", "MODEL", "SOURCE", "LINK", NULL};
    g_autoptr(Table) table = table_new(headings);
    g_autoptr(GError) error = NULL;
    g_autofree char *path = client_find_vm(client, vm, &error);
    g_autoptr(GVariant) nics =
        path ? rows_of_property(client, path, VMS_CONFIG_INTERFACE, "Nics", &error) : NULL;
    g_autoptr(GVariant) devices =
        nics ? rows_of_property(client, path, VMS_CONFIG_INTERFACE, "HostDevices", &error) : NULL;

    if (!devices)
        return failure_report(vm, error);
    if (client->options->json) {
        json_print(g_variant_new_parsed("{'Nics': <%v>, 'HostDevices': <%v>}", nics, devices));
        return EXIT_OK;
    }
    add_each(table, nics, add_nic);
    add_each(table, devices, add_host_device);
    table_print(table, !client->options->no_legend);
    return EXIT_OK;
}

/* --- the tables --------------------------------------------------------------------------- */

static const Action actions[] = {
    {"list", NULL, NULL, "List the network interfaces and host devices of the VM", list},
    {"attach", "ADDRESS|FILE", "live config",
     "Attach the host's device at this address, or the device that an XML file describes", attach},
    {"detach", "MAC|ADDRESS|FILE", "live config", "Detach a device", detach},
    {"link", "MAC up|down", "live config", "Plug or unplug the cable of a network interface",
     link_nic},
    {NULL},
};

const Command command_device = {.options = options, .actions = actions};

static ExitStatus
run_file(Client *client, const Command *command, char **arguments)
{
    return change_by_file(client, arguments[0], command->method, arguments[1]);
}

const Command command_attach = {run_file, options, "AttachDevice"};
const Command command_detach = {run_file, options, "DetachDevice"};
const Command command_update = {run_file, update_options, "UpdateDevice"};
