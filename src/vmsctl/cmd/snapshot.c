/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vmsctl snapshot */
#include "follow.h"
#include "json.h"
#include "table.h"
#include "text.h"
#include "verb.h"

#include <stdio.h>

static char *description;
static gboolean want_disk_only, want_running, want_paused, want_children, want_metadata_only;
static gboolean no_wait;

const GOptionEntry snapshot_options[] = {
    {"description", 'd', 0, G_OPTION_ARG_STRING, &description, "create: what it is for", "TEXT"},
    {"disk-only", 0, 0, G_OPTION_ARG_NONE, &want_disk_only, "create: without the memory", NULL},
    {"running", 0, 0, G_OPTION_ARG_NONE, &want_running, "revert: leave the VM running", NULL},
    {"paused", 0, 0, G_OPTION_ARG_NONE, &want_paused, "revert: leave the VM paused", NULL},
    {"children", 0, 0, G_OPTION_ARG_NONE, &want_children, "delete: with all that follow from it",
     NULL},
    {"metadata-only", 0, 0, G_OPTION_ARG_NONE, &want_metadata_only,
     "delete: what the hypervisor knows of it, and no data", NULL},
    {"no-wait", 0, 0, G_OPTION_ARG_NONE, &no_wait,
     "Print the number of the job and do not wait for its end", NULL},
    {NULL},
};

typedef struct Flag {
    const char *action;
    const char *name;
    const gboolean *is_set;
} Flag;

static const Flag flags[] = {
    {"Create", "disk_only", &want_disk_only},
    {"Revert", "running", &want_running},
    {"Revert", "paused", &want_paused},
    {"Delete", "children", &want_children},
    {"Delete", "metadata_only", &want_metadata_only},
};

static void
print_snapshots(Client *client, GVariant *snapshots)
{
    static const char *const headings[] = {"NAME", "STATE", "CURRENT", "CREATED", NULL};
    g_autoptr(Table) table = table_new(headings);
    GVariantIter iter;
    const char *name, *state;
    gint64 created;
    gboolean is_current;

    g_variant_iter_init(&iter, snapshots);
    while (g_variant_iter_next(&iter, "(&sx&sb)", &name, &created, &state, &is_current)) {
        g_autofree char *time = text_format_time((guint64)created * G_USEC_PER_SEC);

        table_add(table, COLOR_NONE, name);
        table_add(table, term_state_color(state), state);
        table_add(table, COLOR_NONE, is_current ? "yes" : "no");
        table_add(table, COLOR_NONE, time);
    }
    table_print(table, !client->options->no_legend);
}

static GVariant *
describe(GVariant *snapshots)
{
    GVariantBuilder builder;
    GVariantIter iter;
    const char *name, *state;
    gint64 created;
    gboolean is_current;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("aa{sv}"));
    g_variant_iter_init(&iter, snapshots);
    while (g_variant_iter_next(&iter, "(&sx&sb)", &name, &created, &state, &is_current)) {
        g_variant_builder_open(&builder, G_VARIANT_TYPE_VARDICT);
        g_variant_builder_add(&builder, "{sv}", "Name", g_variant_new_string(name));
        g_variant_builder_add(&builder, "{sv}", "CreatedAt", g_variant_new_int64(created));
        g_variant_builder_add(&builder, "{sv}", "State", g_variant_new_string(state));
        g_variant_builder_add(&builder, "{sv}", "Current", g_variant_new_boolean(is_current));
        g_variant_builder_close(&builder);
    }
    return g_variant_builder_end(&builder);
}

static ExitStatus
list(Client *client, const char *vm, const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        client_read(client, path, VMS_SNAPSHOTS_INTERFACE, "List", NULL, &error);

    if (reply && !g_variant_is_of_type(reply, G_VARIANT_TYPE("(a(sxsb))")))
        failure_set(&error, EXIT_FAILED, "The service's answer makes no sense");
    if (error)
        return failure_report(vm, error);

    g_autoptr(GVariant) snapshots = g_variant_get_child_value(reply, 0);
    if (client->options->json)
        json_print(describe(snapshots));
    else
        print_snapshots(client, snapshots);
    return EXIT_OK;
}

static ExitStatus
print_xml(Client *client, const char *vm, const char *path, const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply = client_change(client, path, VMS_SNAPSHOTS_INTERFACE, "GetXml",
                                              g_variant_new("(s)", name), &error);
    const char *xml;

    if (!reply)
        return failure_report(vm, error);
    g_variant_get(reply, "(&s)", &xml);
    (void)fputs(xml, stdout);
    return EXIT_OK;
}

static ExitStatus
change(Client *client, const char *vm, const char *path, const char *method, const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Follower) follower = follower_new(client, &error);
    GVariantBuilder builder;

    if (!follower)
        return failure_report(NULL, error);
    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    if (description && g_str_equal(method, "Create"))
        g_variant_builder_add(&builder, "{sv}", "description", g_variant_new_string(description));
    for (size_t i = 0; i < G_N_ELEMENTS(flags); i++)
        if (*flags[i].is_set && g_str_equal(flags[i].action, method))
            g_variant_builder_add(&builder, "{sv}", flags[i].name, g_variant_new_boolean(TRUE));

    ExitStatus status = follower_call(follower, vm, path, VMS_SNAPSHOTS_INTERFACE, method,
                                      g_variant_new("(sa{sv})", name, &builder), no_wait);
    return status != EXIT_OK ? status : follower_wait(follower);
}

VERB(verb_snapshot)
{
    const char *vm = arguments[0], *action = arguments[1] ? arguments[1] : "list";
    const char *name = arguments[1] ? arguments[2] : NULL;
    bool is_list = g_str_equal(action, "list");
    /* Without a name the hypervisor makes one up. */
    bool needs_name = !is_list && !g_str_equal(action, "create");
    g_autoptr(GError) error = NULL;

    if (!g_strv_contains((const char *const[]){"list", "create", "revert", "delete", "xml", NULL},
                         action))
        failure_set(&error, EXIT_USAGE, "\"%s\" cannot be done with snapshots; try \"%s\"", action,
                    "vmsctl snapshot --help");
    else if (needs_name && !name)
        failure_set(&error, EXIT_USAGE, "\"snapshot %s\" takes the name of a snapshot", action);
    else if (is_list && name)
        failure_set(&error, EXIT_USAGE, "\"snapshot list\" takes no name");
    if (error)
        return failure_report(NULL, error);

    g_autofree char *path = client_find_vm(client, vm, &error);
    if (!path)
        return failure_report(vm, error);
    if (is_list)
        return list(client, vm, path);
    if (g_str_equal(action, "xml"))
        return print_xml(client, vm, path, name);

    g_autofree char *method = g_strdup(action);
    method[0] = g_ascii_toupper(method[0]);
    return change(client, vm, path, method, name ? name : "");
}
