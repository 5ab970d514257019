/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vmsctl status: all that the service publishes about VMs, and their last journal entries. */
#include "command.h"
#include "describe.h"
#include "history.h"
#include "inventory.h"
#include "json.h"
#include "pending.h"
#include "rows.h"
#include "snapshot-tree.h"
#include "term.h"
#include "terminal-text.h"
#include "text.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

static int lines = 10;

static const GOptionEntry options[] = {
    {"lines", 'n', 0, G_OPTION_ARG_INT, &lines, "How many entries of the journal (10)", "NUMBER"},
    {NULL},
};

typedef struct View {
    const Inventory *inventory;
    const char *path;
} View;

static const char *
domain_string(const View *view, const char *property)
{
    const char *text =
        inventory_string(view->inventory, view->path, VMS_DOMAIN_INTERFACE, property);

    return text ? text : "";
}

static void
print_text(const char *label, const char *value)
{
    g_autofree char *safe = terminal_text_escape(value);

    if (*value)
        printf("%13s: %s\n", label, safe);
}

static void
print_state(const View *view)
{
    g_autofree char *state = terminal_text_escape(domain_string(view, "State"));
    g_autofree char *reason = terminal_text_escape(domain_string(view, "StateReason"));
    int id = inventory_vm_id(view->inventory, view->path);

    printf("%13s: %s%s%s", "State", term_color(STDOUT_FILENO, term_state_color(state)), state,
           term_reset(STDOUT_FILENO));
    if (*reason)
        printf(" (%s)", reason);
    if (id >= 0)
        printf(", id %d", id);
    if (!inventory_bool(view->inventory, view->path, VMS_DOMAIN_INTERFACE, "Available"))
        printf("; last known, as the VM is not available now");
    putchar('\n');
}

static void
print_uptime(const View *view)
{
    g_autofree char *uptime = describe_uptime(view->inventory, view->path);
    g_autofree char *began = text_format_time(
        inventory_u64(view->inventory, view->path, VMS_DOMAIN_INTERFACE, "StartedAt"));

    if (uptime)
        printf("%13s: %s, since %s\n", "Up", uptime, began);
}

static void
print_problems(const View *view)
{
    GVariant *rows = describe_problem_rows(view->inventory, view->path);

    for (gsize i = 0; rows && i < g_variant_n_children(rows); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(rows, i);
        g_autofree char *problem = describe_problem(row);
        g_autofree char *ago = text_format_ago(row_number(row, "since", 0));
        g_autofree char *text =
            g_strdup_printf("%s: %s (%s)", problem, row_text(row, "message", "-"), ago);
        g_autofree char *safe = terminal_text_escape(text);

        printf("%13s: %s%s%s\n", i == 0 ? "Problems" : "", term_color(STDOUT_FILENO, COLOR_RED),
               safe, term_reset(STDOUT_FILENO));
    }
}

static char *
format_job(const View *view, const char *job)
{
    const char *operation = inventory_string(view->inventory, job, VMS_JOB_INTERFACE, "Operation");
    const char *disk = inventory_string(view->inventory, job, VMS_JOB_INTERFACE, "Disk");
    bool is_of_disk = disk && *disk;
    g_autofree char *ago =
        text_format_ago(inventory_u64(view->inventory, job, VMS_JOB_INTERFACE, "StartedAt"));

    return g_strdup_printf("%s%s%s, begun %s (%s)", operation ? operation : "-",
                           is_of_disk ? " of " : "", is_of_disk ? disk : "", ago, job);
}

/* The operation, and the jobs of the disks. */
static void
print_jobs(const View *view)
{
    g_autoptr(GPtrArray) jobs = inventory_paths(view->inventory, VMS_JOB_PREFIX);
    const char *label = "Job";

    for (unsigned i = 0; i < jobs->len; i++) {
        const char *job = jobs->pdata[i];

        if (g_strcmp0(inventory_string(view->inventory, job, VMS_JOB_INTERFACE, "Domain"),
                      view->path) != 0)
            continue;
        g_autofree char *text = format_job(view, job);
        print_text(label, text);
        label = "";
    }
}

static void
print_stop_timeout(const View *view)
{
    guint64 timeout =
        inventory_u64(view->inventory, view->path, VMS_CONFIG_INTERFACE, "StopTimeoutUSec");
    g_autofree char *text = describe_stop_timeout(timeout);

    if (timeout > 0)
        print_text("Stop waits", text);
}

static void
print_hardware(const View *view)
{
    guint64 vcpus = inventory_u64(view->inventory, view->path, VMS_CONFIG_INTERFACE, "VCpus");
    guint64 max_vcpus =
        inventory_u64(view->inventory, view->path, VMS_CONFIG_INTERFACE, "MaxVCpus");
    guint64 memory =
        inventory_u64(view->inventory, view->path, VMS_CONFIG_INTERFACE, "MemoryBytes");
    guint64 max_memory =
        inventory_u64(view->inventory, view->path, VMS_CONFIG_INTERFACE, "MaxMemoryBytes");
    g_autofree char *size = text_format_size(memory);
    g_autofree char *max_size = text_format_size(max_memory);

    if (!inventory_has(view->inventory, view->path, VMS_CONFIG_INTERFACE))
        return;
    printf("%13s: %" PRIu64 " of at most %" PRIu64 "\n", "vCPUs", vcpus, max_vcpus);
    printf("%13s: %s of at most %s\n", "Memory", size, max_size);
}

static void
print_each(const View *view, const char *interface, const char *property, const char *label,
           char *(*format)(GVariant *element))
{
    GVariant *array = inventory_get(view->inventory, view->path, interface, property);

    if (array && !g_variant_is_of_type(array, G_VARIANT_TYPE("aa{sv}")))
        return;
    for (gsize i = 0; array && i < g_variant_n_children(array); i++) {
        g_autoptr(GVariant) element = g_variant_get_child_value(array, i);
        g_autofree char *text = format(element);

        print_text(i == 0 ? label : "", text);
    }
}

static char *
format_graphics(GVariant *graphics)
{
    static const char *const ports[][2] = {
        {"port", "port"}, {"tls_port", "TLS port"}, {"websocket", "websocket"}};
    const char *where = row_text(graphics, "socket", row_text(graphics, "listen", "(any)"));
    GString *text = g_string_new(row_text(graphics, "type", ""));
    guint32 port;

    if (!g_str_equal(where, "(any)") || g_variant_lookup(graphics, "port", "u", &port))
        g_string_append_printf(text, " on %s", where);
    for (size_t i = 0; i < G_N_ELEMENTS(ports); i++)
        if (g_variant_lookup(graphics, ports[i][0], "u", &port))
            g_string_append_printf(text, ", %s %u", ports[i][1], port);
    return g_string_free(text, FALSE);
}

static void
print_guest(const View *view)
{
    const char *hostname =
        inventory_string(view->inventory, view->path, VMS_GUEST_INTERFACE, "Hostname");
    GVariant *os = inventory_get(view->inventory, view->path, VMS_GUEST_INTERFACE, "OsInfo");
    const char *name = "", *version = "", *kernel = "";

    if (!inventory_has(view->inventory, view->path, VMS_GUEST_INTERFACE))
        return;
    print_text("Guest agent",
               inventory_bool(view->inventory, view->path, VMS_GUEST_INTERFACE, "AgentConnected")
                   ? "connected"
                   : "not connected");
    print_text("Host name", hostname ? hostname : "");
    if (os && g_variant_is_of_type(os, G_VARIANT_TYPE("a{ss}"))) {
        (void)g_variant_lookup(os, "name", "&s", &name);
        (void)g_variant_lookup(os, "version", "&s", &version);
        (void)g_variant_lookup(os, "kernel", "&s", &kernel);
        g_autofree char *words = g_strstrip(g_strjoin(" ", name, version, kernel, NULL));

        print_text("Guest OS", words);
    }
    print_each(view, VMS_GUEST_INTERFACE, "Addresses", "Addresses", describe_guest_address);
}

static void
print_pending(const View *view)
{
    g_autoptr(GPtrArray) changes = pending_changes(view->inventory, view->path);

    for (unsigned i = 0; i < changes->len; i++)
        print_text(i == 0 ? "Next start" : "", changes->pdata[i]);
}

static void
print_snapshot(GVariant *snapshot, const char *branch, void *data)
{
    bool *is_first = data;
    g_autofree char *created = text_format_time(row_number(snapshot, "created", 0));
    g_autofree char *text =
        g_strdup_printf("%s%s (%s)%s", branch, row_text(snapshot, "name", ""), created,
                        row_flag(snapshot, "current") ? ", current" : "");

    print_text(*is_first ? "Snapshots" : "", text);
    *is_first = false;
}

/* The tree is read from libvirt. Where it cannot be had there is their number. */
static void
print_snapshots(Client *client, const View *view)
{
    guint64 count = inventory_u64(view->inventory, view->path, VMS_SNAPSHOTS_INTERFACE, "Count");
    bool is_first = true;

    if (count == 0)
        return;
    g_autoptr(GVariant) reply =
        client_read(client, view->path, VMS_SNAPSHOTS_INTERFACE, "List", NULL, NULL);
    g_autoptr(GVariant) snapshots = rows_of_reply(reply, NULL);
    if (snapshots)
        snapshot_tree_visit(snapshots, print_snapshot, &is_first);
    else
        printf("%13s: %" PRIu64 "\n", "Snapshots", count);
}

static void
print_extras(const View *view)
{
    const char *os = inventory_string(view->inventory, view->path, VMS_CONFIG_INTERFACE, "OsType");

    print_text("OS type", os ? os : "");
    print_each(view, VMS_CONFIG_INTERFACE, "Disks", "Disks", describe_disk);
    print_each(view, VMS_CONFIG_INTERFACE, "Nics", "Network", describe_nic);
    print_each(view, VMS_CONFIG_INTERFACE, "HostDevices", "Host devices", describe_host_device);
    print_each(view, VMS_DISPLAY_INTERFACE, "Graphics", "Graphics", format_graphics);
    print_guest(view);
    if (inventory_bool(view->inventory, view->path, VMS_SAVED_INTERFACE, "HasManagedSave"))
        print_text("Saved", "start goes on from the saved memory");
}

static void
print_history(const Client *client, const View *view)
{
    const char *instance = client->options->instance;
    g_autofree char *unit = instance ? g_strdup_printf("unraid-vms@%s.service", instance)
                                     : g_strdup("unraid-vms.service");

    history_print(domain_string(view, "Uuid"), unit, lines);
}

static void
print_vm(Client *client, const View *view)
{
    const char *state = domain_string(view, "State");
    g_autofree char *name = terminal_text_escape(inventory_vm_name(view->inventory, view->path));
    g_autofree char *title = terminal_text_escape(domain_string(view, "Title"));

    printf("%s%s%s %s%s%s\n", term_color(STDOUT_FILENO, term_state_color(state)),
           term_is_unicode() ? "●" : "*", term_reset(STDOUT_FILENO), name, *title ? " - " : "",
           title);
    print_text("UUID", domain_string(view, "Uuid"));
    print_state(view);
    print_uptime(view);
    print_problems(view);
    print_jobs(view);
    print_text("Description", domain_string(view, "Description"));
    print_text("Autostart",
               inventory_bool(view->inventory, view->path, VMS_DOMAIN_INTERFACE, "Autostart")
                   ? "yes"
                   : "no");
    print_stop_timeout(view);
    if (!inventory_bool(view->inventory, view->path, VMS_DOMAIN_INTERFACE, "Persistent"))
        print_text("Persistent", "no: it vanishes when it stops");
    print_hardware(view);
    print_extras(view);
    print_pending(view);
    print_snapshots(client, view);
    if (lines > 0 && client_is_local(client))
        print_history(client, view);
}

/* Reads all again for each VM: client_find_vm() may make the service find one that is new. */
static char *
load(Inventory *inventory, Client *client, const char *vm, GError **error)
{
    g_autofree char *path = client_find_vm(client, vm, error);

    return path && inventory_load(inventory, client, error) ? g_steal_pointer(&path) : NULL;
}

static ExitStatus
run(Client *client, const Command *command, char **vms)
{
    g_autoptr(Inventory) inventory = inventory_new();
    g_autoptr(GVariantBuilder) builder = g_variant_builder_new(G_VARIANT_TYPE("aa{sv}"));
    ExitStatus first = EXIT_OK;
    bool is_next = false;

    if (lines < 0) {
        g_autoptr(GError) error = NULL;

        failure_set(&error, EXIT_USAGE, "The number of journal entries cannot be negative");
        return failure_report(NULL, error);
    }
    for (; *vms; vms++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *path = load(inventory, client, *vms, &error);

        if (!path) {
            failure_keep_first(&first, failure_report(*vms, error));
        } else if (client->options->json) {
            g_variant_builder_add_value(builder, inventory_describe(inventory, path));
        } else {
            (void)fputs(is_next ? "\n" : "", stdout);
            print_vm(client, &(View){inventory, path});
            is_next = true;
        }
    }
    if (client->options->json)
        json_print(g_variant_builder_end(builder));
    return first;
}

const Command command_status = {run, options, NULL};
