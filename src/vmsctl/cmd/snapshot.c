/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vmsctl snapshot */
#include "command.h"
#include "document.h"
#include "flags.h"
#include "follow.h"
#include "json.h"
#include "table.h"
#include "text.h"

static char *description;
static gboolean want_disk_only, want_running, want_paused, want_children, want_metadata_only;
static gboolean no_wait;

static const GOptionEntry options[] = {
    {"description", 'd', 0, G_OPTION_ARG_STRING, &description, "create: what the snapshot is for",
     "TEXT"},
    {"disk-only", 0, 0, G_OPTION_ARG_NONE, &want_disk_only, "create: without the memory", NULL},
    {"running", 0, 0, G_OPTION_ARG_NONE, &want_running, "revert: leave the VM running", NULL},
    {"paused", 0, 0, G_OPTION_ARG_NONE, &want_paused, "revert: leave the VM paused", NULL},
    {"children", 0, 0, G_OPTION_ARG_NONE, &want_children,
     "delete: with all snapshots that descend from it", NULL},
    {"metadata-only", 0, 0, G_OPTION_ARG_NONE, &want_metadata_only,
     "delete: only the hypervisor's metadata, and no data", NULL},
    FOLLOW_NO_WAIT_OPTION(&no_wait),
    {NULL},
};

static const Flag create_flags[] = {{"disk_only", &want_disk_only}, {NULL}};
static const Flag revert_flags[] = {{"running", &want_running}, {"paused", &want_paused}, {NULL}};
static const Flag delete_flags[] = {
    {"children", &want_children}, {"metadata_only", &want_metadata_only}, {NULL}};

static const char *
text_of(GVariant *snapshot, const char *key)
{
    const char *text = "";

    g_variant_lookup(snapshot, key, "&s", &text);
    return text;
}

static void
add_row(Table *table, GVariant *snapshot, int depth)
{
    guint64 created = 0;
    gboolean is_current = FALSE;

    g_variant_lookup(snapshot, "created", "t", &created);
    g_variant_lookup(snapshot, "current", "b", &is_current);
    g_autofree char *time = text_format_time(created);
    table_add_format(table, COLOR_NONE, "%*s%s", 2 * depth, "", text_of(snapshot, "name"));
    table_add(table, term_state_color(text_of(snapshot, "state")), text_of(snapshot, "state"));
    table_add(table, COLOR_NONE, is_current ? "yes" : "no");
    table_add(table, COLOR_NONE, time);
}

#define DEPTH_MAX 30

/* Those that descend from the parent ("": from none), each with its own descendants below it. */
static void
add_descendants(Table *table, GVariant *snapshots, const char *parent, int depth)
{
    GVariantIter iter;
    GVariant *snapshot;

    g_variant_iter_init(&iter, snapshots);
    while ((snapshot = g_variant_iter_next_value(&iter))) {
        if (g_str_equal(text_of(snapshot, "parent"), parent)) {
            add_row(table, snapshot, MIN(depth, DEPTH_MAX));
            add_descendants(table, snapshots, text_of(snapshot, "name"), depth + 1);
        }
        g_variant_unref(snapshot);
    }
}

static void
print_snapshots(Client *client, GVariant *snapshots)
{
    static const char *const headings[] = {"NAME", "STATE", "CURRENT", "CREATED", NULL};
    g_autoptr(Table) table = table_new(headings);

    add_descendants(table, snapshots, "", 0);
    table_print(table, !client->options->no_legend);
}

static ExitStatus
list(Client *client, const char *vm, const char *unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = client_find_vm(client, vm, &error);
    g_autoptr(GVariant) reply =
        path ? client_read(client, path, VMS_SNAPSHOTS_INTERFACE, "List", NULL, &error) : NULL;

    if (reply && !g_variant_is_of_type(reply, G_VARIANT_TYPE("(aa{sv})")))
        failure_set(&error, EXIT_FAILED, "The reply has an unknown format");
    if (error)
        return failure_report(vm, error);

    g_autoptr(GVariant) snapshots = g_variant_get_child_value(reply, 0);
    if (client->options->json)
        json_print(snapshots);
    else
        print_snapshots(client, snapshots);
    return EXIT_OK;
}

static ExitStatus
print_xml(Client *client, const char *vm, const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = client_find_vm(client, vm, &error);
    g_autoptr(GVariant) reply = path ? client_change(client, path, VMS_SNAPSHOTS_INTERFACE,
                                                     "GetXml", g_variant_new("(s)", name), &error)
                                     : NULL;
    const char *xml;

    if (!reply)
        return failure_report(vm, error);
    g_variant_get(reply, "(&s)", &xml);
    document_print(xml);
    return EXIT_OK;
}

static ExitStatus
change(Client *client, const char *vm, const char *method, const char *name,
       GVariantBuilder *builder)
{
    return follow_one(client, vm, VMS_SNAPSHOTS_INTERFACE, method,
                      g_variant_new("(sa{sv})", name, builder), no_wait);
}

static ExitStatus
create(Client *client, const char *vm, const char *name)
{
    g_autoptr(GVariantBuilder) builder = flags_build(create_flags);

    if (description)
        g_variant_builder_add(builder, "{sv}", "description", g_variant_new_string(description));
    /* The hypervisor makes a name up where there is none. */
    return change(client, vm, "Create", name ? name : "", builder);
}

static ExitStatus
revert(Client *client, const char *vm, const char *name)
{
    g_autoptr(GVariantBuilder) builder = flags_build(revert_flags);

    return change(client, vm, "Revert", name, builder);
}

static ExitStatus delete (Client *client, const char *vm, const char *name)
{
    g_autoptr(GVariantBuilder) builder = flags_build(delete_flags);

    return change(client, vm, "Delete", name, builder);
}

typedef struct Action {
    const char *name;
    bool takes_name, needs_name; /* of a snapshot */
    ExitStatus (*run)(Client *client, const char *vm, const char *snapshot);
} Action;

static const Action actions[] = {
    {"list", false, false, list},   {"create", true, false, create}, {"revert", true, true, revert},
    {"delete", true, true, delete}, {"xml", true, true, print_xml},
};

static const Action *
find_action(const char *name, bool has_snapshot, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(actions); i++) {
        const Action *action = &actions[i];

        if (!g_str_equal(action->name, name))
            continue;
        if (has_snapshot ? action->takes_name : !action->needs_name)
            return action;
        failure_set(error, EXIT_USAGE, "\"snapshot %s\" takes %s name of a snapshot", name,
                    has_snapshot ? "no" : "the");
        return NULL;
    }
    failure_set(error, EXIT_USAGE, "Unknown action \"%s\"; try \"vmsctl snapshot --help\"", name);
    return NULL;
}

static ExitStatus
run(Client *client, const Command *command, char **arguments)
{
    const char *vm = arguments[0], *snapshot = arguments[1] ? arguments[2] : NULL;
    g_autoptr(GError) error = NULL;
    const Action *action =
        find_action(arguments[1] ? arguments[1] : "list", snapshot != NULL, &error);

    return action ? action->run(client, vm, snapshot) : failure_report(NULL, error);
}

const Command command_snapshot = {run, options, NULL};
