/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vmsctl jobs and vmsctl cancel */
#include "command.h"
#include "inventory.h"
#include "json.h"
#include "table.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

static void
add_row(Table *table, const Inventory *inventory, const char *path)
{
    const char *domain = inventory_string(inventory, path, VMS_JOB_INTERFACE, "Domain");
    const char *operation = inventory_string(inventory, path, VMS_JOB_INTERFACE, "Operation");
    const char *disk = inventory_string(inventory, path, VMS_JOB_INTERFACE, "Disk");
    g_autofree char *what =
        g_strjoin(" ", operation ? operation : "-", disk && *disk ? disk : NULL, NULL);
    GVariant *progress = inventory_get(inventory, path, VMS_JOB_INTERFACE, "Progress");
    g_autofree char *since =
        text_format_ago(inventory_u64(inventory, path, VMS_JOB_INTERFACE, "StartedAt"));

    table_add(table, COLOR_NONE, path + strlen(VMS_JOB_PREFIX "/"));
    table_add(table, COLOR_BOLD, domain ? inventory_vm_name(inventory, domain) : "-");
    table_add(table, COLOR_NONE, what);
    if (progress && g_variant_is_of_type(progress, G_VARIANT_TYPE_DOUBLE) &&
        g_variant_get_double(progress) >= 0)
        table_add_format(table, COLOR_NONE, "%.0f%%", g_variant_get_double(progress) * 100);
    else
        table_add(table, COLOR_NONE, "-");
    table_add(table, COLOR_NONE, since);
}

static void
print_jobs(Client *client, const Inventory *inventory, GPtrArray *paths)
{
    static const char *const headings[] = {">JOB", "VM", "OPERATION", ">DONE", "STARTED", NULL};
    g_autoptr(Table) table = table_new(headings);
    bool legend = !client->options->no_legend;

    for (unsigned i = 0; i < paths->len; i++)
        add_row(table, inventory, paths->pdata[i]);
    if (paths->len > 0)
        table_print(table, legend);
    else if (legend)
        puts("No operation is under way.");
}

static ExitStatus
run_jobs(Client *client, const Command *command, char **arguments)
{
    g_autoptr(Inventory) inventory = inventory_new();
    g_autoptr(GError) error = NULL;

    if (!inventory_load(inventory, client, &error))
        return failure_report(NULL, error);

    g_autoptr(GPtrArray) paths = inventory_paths(inventory, VMS_JOB_PREFIX);
    if (!client->options->json) {
        print_jobs(client, inventory, paths);
        return EXIT_OK;
    }

    json_print(inventory_describe_all(inventory, paths));
    return EXIT_OK;
}

static bool
is_number(const char *text)
{
    return *text && strspn(text, "0123456789") == strlen(text);
}

static char *
job_of_vm(Client *client, const char *vm, GError **error)
{
    g_autofree char *path = client_find_vm(client, vm, error);
    g_autoptr(GVariant) value =
        path ? client_get(client, path, VMS_DOMAIN_INTERFACE, "Job", error) : NULL;

    if (!value)
        return NULL;
    if (!g_variant_is_of_type(value, G_VARIANT_TYPE_OBJECT_PATH) ||
        g_str_equal(g_variant_get_string(value, NULL), "/")) {
        failure_set(error, EXIT_INVALID_STATE, "No operation is under way");
        return NULL;
    }
    return g_variant_dup_string(value, NULL);
}

static char *
find_job(Client *client, const char *name, GError **error)
{
    if (is_number(name))
        return g_strconcat(VMS_JOB_PREFIX "/", name, NULL);
    if (g_str_has_prefix(name, VMS_JOB_PREFIX "/") && sd_bus_object_path_is_valid(name))
        return g_strdup(name);
    return job_of_vm(client, name, error);
}

static ExitStatus
cancel_one(Client *client, const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *job = find_job(client, name, &error);
    g_autoptr(GVariant) reply =
        job ? client_change(client, job, VMS_JOB_INTERFACE, "Cancel", NULL, &error) : NULL;

    if (!reply && job && error->code == EXIT_NO_SUCH_VM) {
        g_clear_error(&error);
        failure_set(&error, EXIT_INVALID_STATE, "There is no such job, or it has ended");
    }
    return reply ? EXIT_OK : failure_report(name, error);
}

static ExitStatus
run_cancel(Client *client, const Command *command, char **names)
{
    ExitStatus first = EXIT_OK;

    for (; *names; names++)
        failure_keep_first(&first, cancel_one(client, *names));
    return first;
}

const Command command_jobs = {.run = run_jobs};
const Command command_cancel = {.run = run_cancel};
