/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vmsctl disk */
#include "command.h"
#include "flags.h"
#include "follow.h"
#include "json.h"
#include "rows.h"
#include "table.h"
#include "text.h"

static gboolean want_live, want_config, want_force, want_delete, want_pivot, no_wait;
static char *base, *top, *format, *bandwidth;

static const GOptionEntry options[] = {
    FLAGS_AFFECT_OPTIONS(&want_live, &want_config),
    {"force", 0, 0, G_OPTION_ARG_NONE, &want_force, "Even if the guest has locked the drive", NULL},
    {"base", 0, 0, G_OPTION_ARG_STRING, &base, "The image that stays below the others", "IMAGE"},
    {"top", 0, 0, G_OPTION_ARG_STRING, &top, "The uppermost image that is merged", "IMAGE"},
    {"delete", 0, 0, G_OPTION_ARG_NONE, &want_delete, "Delete the images that were merged", NULL},
    {"format", 0, 0, G_OPTION_ARG_STRING, &format, "The format of the copy, as in qcow2", "FORMAT"},
    {"pivot", 0, 0, G_OPTION_ARG_NONE, &want_pivot, "Let the VM go on with the copy", NULL},
    FLAGS_BANDWIDTH_OPTION(&bandwidth),
    FOLLOW_NO_WAIT_OPTION(&no_wait),
    {NULL},
};

/* --- list --------------------------------------------------------------------------------- */

static GVariant *
get_disks(Client *client, const char *vm, GError **error)
{
    g_autofree char *path = client_find_vm(client, vm, error);

    return path ? rows_of_property(client, path, VMS_CONFIG_INTERFACE, "Disks", error) : NULL;
}

static void
add_row(Table *table, GVariant *disk)
{
    guint64 capacity = row_number(disk, "capacity", 0);
    g_autofree char *size = capacity > 0 ? text_format_size(capacity) : g_strdup("-");

    table_add(table, COLOR_BOLD, row_text(disk, "target", "-"));
    table_add(table, COLOR_NONE, row_text(disk, "device", "-"));
    table_add(table, COLOR_NONE, row_text(disk, "bus", "-"));
    table_add(table, COLOR_NONE, size);
    table_add(table, COLOR_NONE, row_text(disk, "format", "-"));
    table_add(table, COLOR_NONE, row_text(disk, "source", "(empty)"));
}

static ExitStatus
list(Client *client, const Action *action, const char *vm, char **unused)
{
    static const char *const headings[] = {"TARGET", "DEVICE", "BUS", ">SIZE",
                                           "FORMAT", "SOURCE", NULL};
    g_autoptr(Table) table = table_new(headings);
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) disks = get_disks(client, vm, &error);

    if (!disks)
        return failure_report(vm, error);
    if (client->options->json) {
        json_print(disks);
        return EXIT_OK;
    }
    for (gsize i = 0; i < g_variant_n_children(disks); i++) {
        g_autoptr(GVariant) disk = g_variant_get_child_value(disks, i);

        add_row(table, disk);
    }
    table_print(table, !client->options->no_legend);
    return EXIT_OK;
}

/* --- media -------------------------------------------------------------------------------- */

/* ARGUMENTS: TARGET [SOURCE]; the service ejects where the source is empty. */
static ExitStatus
change_media(Client *client, const Action *action, const char *vm, char **arguments)
{
    static const Flag flags[] = {{"force", &want_force}, {NULL}};
    g_autoptr(GVariantBuilder) builder = flags_build(flags);

    flags_add_affect(builder, want_live, want_config);
    return client_change_one(
        client, vm, VMS_STORAGE_INTERFACE, "ChangeMedia",
        g_variant_new("(ssa{sv})", arguments[0], arguments[1] ? arguments[1] : "", builder));
}

/* --- jobs --------------------------------------------------------------------------------- */

static bool
get_capacity(Client *client, const char *vm, const char *target, guint64 *ret, GError **error)
{
    g_autoptr(GVariant) disks = get_disks(client, vm, error);
    g_autoptr(GVariant) disk = disks ? rows_find(disks, "target", target) : NULL;

    *ret = disk ? row_number(disk, "capacity", 0) : 0;
    if (disks && !disk)
        failure_set(error, EXIT_FAILED, "The VM has no disk \"%s\"", target);
    else if (disk && *ret == 0)
        failure_set(error, EXIT_FAILED, "The size of \"%s\" is not known; write the new one whole",
                    target);
    return *ret > 0;
}

/* "20G" is the new size, "+5G" what is added. */
static ExitStatus
resize(Client *client, const Action *action, const char *vm, char **arguments)
{
    bool is_more = *arguments[1] == '+';
    g_autoptr(GVariantBuilder) builder = g_variant_builder_new(G_VARIANT_TYPE_VARDICT);
    g_autoptr(GError) error = NULL;
    guint64 bytes, before = 0;

    if (!text_parse_size(arguments[1] + is_more, &bytes, &error))
        return failure_report(NULL, error);
    if (is_more && !get_capacity(client, vm, arguments[0], &before, &error))
        return failure_report(vm, error);
    if (bytes > G_MAXUINT64 - before)
        bytes = G_MAXUINT64 - before; /* which the service refuses */
    return follow_one(client, vm, VMS_STORAGE_INTERFACE, "Resize",
                      g_variant_new("(sta{sv})", arguments[0], before + bytes, builder), no_wait);
}

/* NULL if an option is wrong. Each action accepts only its own options, so the rest are unset. */
static GVariantBuilder *
build_options(GError **error)
{
    static const Flag flags[] = {{"delete", &want_delete}, {"pivot", &want_pivot}, {NULL}};
    g_autoptr(GVariantBuilder) builder = flags_build(flags);

    flags_add_text(builder, "base", base);
    flags_add_text(builder, "top", top);
    flags_add_text(builder, "format", format);
    return flags_add_bandwidth(builder, bandwidth, error) ? g_steal_pointer(&builder) : NULL;
}

static ExitStatus
run_job(Client *client, const Action *action, const char *vm, char **arguments)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariantBuilder) builder = build_options(&error);

    if (!builder)
        return failure_report(NULL, error);
    return follow_one(client, vm, VMS_STORAGE_INTERFACE, action->method,
                      arguments[1] ? g_variant_new("(ssa{sv})", arguments[0], arguments[1], builder)
                                   : g_variant_new("(sa{sv})", arguments[0], builder),
                      no_wait);
}

static const Action actions[] = {
    {"list", NULL, NULL, "List the disks (without an action, too)", list},
    {"media", "TARGET SOURCE", "live config force",
     "Put a medium into a drive: an absolute path, POOL/VOLUME, or a URL", change_media},
    {"eject", "TARGET", "live config force", "Empty a drive", change_media},
    {"resize", "TARGET SIZE", "no-wait", "Make a disk larger (20G, or +5G to add that much)",
     resize},
    {"commit", "TARGET", "base top delete bandwidth no-wait",
     "Merge an image into the one below it", run_job, "Commit"},
    {"pull", "TARGET", "base bandwidth no-wait",
     "Fill an image with what is in those below it, which it then needs no more", run_job, "Pull"},
    {"copy", "TARGET DESTINATION", "format pivot bandwidth no-wait", "Copy a disk to a file",
     run_job, "Copy"},
    {NULL},
};

const Command command_disk = {.options = options, .actions = actions};
