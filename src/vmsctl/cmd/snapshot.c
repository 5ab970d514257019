/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vmsctl snapshot */
#include "command.h"
#include "document.h"
#include "flags.h"
#include "follow.h"
#include "json.h"
#include "rows.h"
#include "snapshot-tree.h"
#include "table.h"
#include "text.h"

static char *description, *memory_file;
static char **disks;
static gboolean want_disk_only, want_quiesce, want_running, want_paused, want_force;
static gboolean want_children, want_metadata_only, no_wait;

static const GOptionEntry options[] = {
    {"description", 'd', 0, G_OPTION_ARG_STRING, &description, "What the snapshot is for", "TEXT"},
    {"disk-only", 0, 0, G_OPTION_ARG_NONE, &want_disk_only, "Without the memory", NULL},
    {"memory-file", 0, 0, G_OPTION_ARG_STRING, &memory_file,
     "Write the memory into this file, and go on in new images", "FILE"},
    {"disks", 0, 0, G_OPTION_ARG_STRING_ARRAY, &disks, "Only of these disks, as in --disks=vda,vdb",
     "TARGET,…"},
    {"quiesce", 0, 0, G_OPTION_ARG_NONE, &want_quiesce,
     "Let the guest's agent bring the file systems to rest meanwhile", NULL},
    {"running", 0, 0, G_OPTION_ARG_NONE, &want_running, "Leave the VM running", NULL},
    {"paused", 0, 0, G_OPTION_ARG_NONE, &want_paused, "Leave the VM paused", NULL},
    {"force", 0, 0, G_OPTION_ARG_NONE, &want_force,
     "Even if the VM that runs has to be ended for it", NULL},
    {"children", 0, 0, G_OPTION_ARG_NONE, &want_children, "With all snapshots that descend from it",
     NULL},
    {"metadata-only", 0, 0, G_OPTION_ARG_NONE, &want_metadata_only,
     "Only the hypervisor's metadata, and no data", NULL},
    FOLLOW_NO_WAIT_OPTION(&no_wait),
    {NULL},
};

/* Each action accepts only its own options, so the rest are unset. */
static const Flag flags[] = {
    {"disk_only", &want_disk_only},
    {"quiesce", &want_quiesce},
    {"running", &want_running},
    {"paused", &want_paused},
    {"force", &want_force},
    {"children", &want_children},
    {"metadata_only", &want_metadata_only},
    {NULL},
};

static void
add_row(GVariant *snapshot, const char *branch, void *data)
{
    Table *table = data;
    const char *state = row_text(snapshot, "state", "-");
    g_autofree char *time = text_format_time(row_number(snapshot, "created", 0));

    table_add_format(table, COLOR_NONE, "%s%s", branch, row_text(snapshot, "name", ""));
    table_add(table, term_state_color(state), state);
    table_add(table, COLOR_NONE, row_flag(snapshot, "current") ? "yes" : "no");
    table_add(table, COLOR_NONE, row_flag(snapshot, "external") ? "external" : "internal");
    table_add(table, COLOR_NONE, time);
}

static void
print_snapshots(Client *client, GVariant *snapshots)
{
    static const char *const headings[] = {"NAME", "STATE", "CURRENT", "KIND", "CREATED", NULL};
    g_autoptr(Table) table = table_new(headings);

    snapshot_tree_visit(snapshots, add_row, table);
    table_print(table, !client->options->no_legend);
}

static ExitStatus
list(Client *client, const Action *action, const char *vm, char **unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = client_find_vm(client, vm, &error);
    g_autoptr(GVariant) reply =
        path ? client_read(client, path, VMS_SNAPSHOTS_INTERFACE, "List", NULL, &error) : NULL;
    g_autoptr(GVariant) snapshots = rows_of_reply(reply, &error);

    if (!snapshots)
        return failure_report(vm, error);
    if (client->options->json)
        json_print(snapshots);
    else
        print_snapshots(client, snapshots);
    return EXIT_OK;
}

static ExitStatus
print_xml(Client *client, const Action *action, const char *vm, char **arguments)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = client_find_vm(client, vm, &error);
    g_autoptr(GVariant) reply = path
                                    ? client_change(client, path, VMS_SNAPSHOTS_INTERFACE, "GetXml",
                                                    g_variant_new("(s)", arguments[0]), &error)
                                    : NULL;
    const char *xml;

    if (!reply)
        return failure_report(vm, error);
    g_variant_get(reply, "(&s)", &xml);
    document_print(xml);
    return EXIT_OK;
}

/* ARGUMENTS: [SNAPSHOT]; the service makes a name up where there is none. */
static ExitStatus
change(Client *client, const Action *action, const char *vm, char **arguments)
{
    const char *name = arguments[0] ? arguments[0] : "";
    g_autoptr(GVariantBuilder) builder = flags_build(flags);

    flags_add_text(builder, "description", description);
    flags_add_text(builder, "memory_file", memory_file);
    flags_add_texts(builder, "disks", disks);
    return follow_one(client, vm, VMS_SNAPSHOTS_INTERFACE, action->method,
                      g_variant_new("(sa{sv})", name, builder), no_wait);
}

static const Action actions[] = {
    {"list", NULL, NULL, "List the snapshots (without an action, too)", list},
    {"create", "[NAME]", "description disk-only memory-file disks quiesce no-wait",
     "Create a snapshot", change, "Create"},
    {"revert", "SNAPSHOT", "running paused force no-wait", "Revert to a snapshot", change,
     "Revert"},
    {"delete", "SNAPSHOT", "children metadata-only no-wait", "Delete a snapshot", change, "Delete"},
    {"xml", "SNAPSHOT", NULL, "Print the XML of a snapshot", print_xml},
    {NULL},
};

const Command command_snapshot = {.options = options, .actions = actions};
