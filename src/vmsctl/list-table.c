/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "list-table.h"

#include "describe.h"
#include "rows.h"
#include "text.h"

#include <unistd.h>

typedef struct Column {
    const char *name;
    const char *heading;
    void (*add)(Table *table, const Inventory *inventory, const char *path);
    /* 0: always shown; -1: only if chosen; else a narrow terminal leaves it out, the highest number
     * first. */
    int optional;
} Column;

static void
add_text(Table *table, Color color, const char *text)
{
    table_add(table, color, text && *text ? text : "-");
}

static void
add_name(Table *table, const Inventory *inventory, const char *path)
{
    table_add(table, COLOR_NONE, inventory_vm_name(inventory, path));
}

static void
add_state(Table *table, const Inventory *inventory, const char *path)
{
    const char *state = inventory_string(inventory, path, VMS_DOMAIN_INTERFACE, "State");

    add_text(table, state ? term_state_color(state) : COLOR_NONE, state);
}

static void
add_job(Table *table, const Inventory *inventory, const char *path)
{
    const char *job = inventory_string(inventory, path, VMS_DOMAIN_INTERFACE, "Job");

    add_text(table, COLOR_YELLOW,
             job ? inventory_string(inventory, job, VMS_JOB_INTERFACE, "Operation") : NULL);
}

static void
add_autostart(Table *table, const Inventory *inventory, const char *path)
{
    table_add(table, COLOR_NONE,
              inventory_bool(inventory, path, VMS_DOMAIN_INTERFACE, "Autostart") ? "yes" : "no");
}

static void
add_vcpus(Table *table, const Inventory *inventory, const char *path)
{
    guint64 vcpus = inventory_u64(inventory, path, VMS_CONFIG_INTERFACE, "VCpus");

    if (vcpus > 0)
        table_add_format(table, COLOR_NONE, "%" G_GUINT64_FORMAT, vcpus);
    else
        table_add(table, COLOR_NONE, "-");
}

static void
add_memory(Table *table, const Inventory *inventory, const char *path)
{
    guint64 memory = inventory_u64(inventory, path, VMS_CONFIG_INTERFACE, "MemoryBytes");
    g_autofree char *size = memory > 0 ? text_format_size(memory) : NULL;

    add_text(table, COLOR_NONE, size);
}

static void
add_address(Table *table, const Inventory *inventory, const char *path)
{
    add_text(table, COLOR_NONE, describe_address(inventory, path));
}

static void
add_uptime(Table *table, const Inventory *inventory, const char *path)
{
    g_autofree char *uptime = describe_uptime(inventory, path);

    add_text(table, COLOR_NONE, uptime);
}

static void
add_problem(Table *table, const Inventory *inventory, const char *path)
{
    g_autofree char *problems = describe_problems(inventory, path);

    add_text(table, problems ? COLOR_RED : COLOR_NONE, problems);
}

static void
add_title(Table *table, const Inventory *inventory, const char *path)
{
    const char *title = inventory_string(inventory, path, VMS_DOMAIN_INTERFACE, "Title");

    table_add(table, COLOR_GRAY, title ? title : "");
}

static void
add_uuid(Table *table, const Inventory *inventory, const char *path)
{
    add_text(table, COLOR_NONE, inventory_string(inventory, path, VMS_DOMAIN_INTERFACE, "Uuid"));
}

static void
add_hostname(Table *table, const Inventory *inventory, const char *path)
{
    add_text(table, COLOR_NONE, inventory_string(inventory, path, VMS_GUEST_INTERFACE, "Hostname"));
}

static const Column columns[] = {
    {"name", "NAME", add_name, 0},
    {"state", "STATE", add_state, 0},
    {"job", "JOB", add_job, 0},
    {"autostart", "AUTOSTART", add_autostart, 0},
    {"vcpus", ">VCPUS", add_vcpus, 0},
    {"memory", ">MEMORY", add_memory, 0},
    {"problem", "PROBLEM", add_problem, 1},
    {"address", "ADDRESS", add_address, 2},
    {"uptime", "UPTIME", add_uptime, 3},
    {"title", "TITLE", add_title, 0},
    {"uuid", "UUID", add_uuid, -1},
    {"hostname", "HOSTNAME", add_hostname, -1},
};
#define OPTIONAL_MAX 3

static bool
choose(GArray *chosen, const char *name, GError **error)
{
    g_autoptr(GString) names = g_string_new(NULL);

    for (unsigned i = 0; i < G_N_ELEMENTS(columns); i++) {
        if (g_str_equal(columns[i].name, name)) {
            g_array_append_val(chosen, i);
            return true;
        }
        g_string_append_printf(names, "%s%s", i > 0 ? ", " : "", columns[i].name);
    }
    failure_set(error, EXIT_USAGE, "\"%s\" is not a column; the columns are: %s", name, names->str);
    return false;
}

GArray *
list_table_parse(const char *names, GError **error)
{
    g_autoptr(GArray) chosen = g_array_new(FALSE, FALSE, sizeof(unsigned));
    g_auto(GStrv) parts = g_strsplit(names, ",", -1);

    /* An empty text has no parts. */
    if (!*names && !choose(chosen, names, error))
        return NULL;
    for (char **part = parts; *part; part++)
        if (!choose(chosen, *part, error))
            return NULL;
    return g_steal_pointer(&chosen);
}

static GArray *
usual_columns(void)
{
    GArray *usual = g_array_new(FALSE, FALSE, sizeof(unsigned));

    for (unsigned i = 0; i < G_N_ELEMENTS(columns); i++)
        if (columns[i].optional >= 0)
            g_array_append_val(usual, i);
    return usual;
}

static const Column *
column_at(const GArray *list, unsigned place)
{
    return &columns[g_array_index(list, unsigned, place)];
}

static void
fit(Table *table, const GArray *list, bool legend)
{
    int cells = term_columns(STDOUT_FILENO);

    for (int least = OPTIONAL_MAX; least > 0 && table_width(table, legend) > cells; least--)
        for (unsigned i = 0; i < list->len; i++)
            if (column_at(list, i)->optional == least)
                table_hide(table, i);
}

void
list_table_print(const Inventory *inventory, const GPtrArray *paths, const GArray *chosen,
                 bool legend)
{
    g_autoptr(GArray) usual = usual_columns();
    const GArray *list = chosen ? chosen : usual;
    g_autofree const char **headings = g_new0(const char *, list->len + 1);

    for (unsigned i = 0; i < list->len; i++)
        headings[i] = column_at(list, i)->heading;
    g_autoptr(Table) table = table_new(headings);
    for (unsigned i = 0; i < paths->len; i++)
        for (unsigned j = 0; j < list->len; j++)
            column_at(list, j)->add(table, inventory, paths->pdata[i]);
    if (!chosen && isatty(STDOUT_FILENO))
        fit(table, list, legend);
    table_print(table, legend);
}
