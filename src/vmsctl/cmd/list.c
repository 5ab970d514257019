/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vmsctl list */
#include "inventory.h"
#include "json.h"
#include "table.h"
#include "text.h"
#include "verb.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char **wanted_states;
static gboolean want_cached;
static gboolean want_names;

const GOptionEntry list_options[] = {
    {"state", 's', 0, G_OPTION_ARG_STRING_ARRAY, &wanted_states,
     "Only VMs in these states, as in --state=running,paused", "STATE,…"},
    {"cached", 0, 0, G_OPTION_ARG_NONE, &want_cached,
     "What the service knows, without asking the hypervisor", NULL},
    {"names", 0, 0, G_OPTION_ARG_NONE, &want_names, "Print the names alone, one a line", NULL},
    {NULL},
};

static const char *const known_states[] = {
    "nostate", "running", "idle", "paused", "shutdown", "shutoff", "crashed", "pmsuspended", NULL,
};

static bool
parse_states(GHashTable *states, GError **error)
{
    for (char **option = wanted_states; option && *option; option++) {
        g_auto(GStrv) parts = g_strsplit(*option, ",", -1);

        for (char **part = parts; *part; part++) {
            if (!g_strv_contains(known_states, *part)) {
                g_autofree char *all = g_strjoinv(", ", (char **)known_states);

                failure_set(error, EXIT_USAGE, "\"%s\" is no state; there are: %s", *part, all);
                return false;
            }
            g_hash_table_add(states, g_strdup(*part));
        }
    }
    return true;
}

static bool
is_wanted(const Inventory *inventory, const char *path, GHashTable *states, char **patterns)
{
    const char *state = inventory_string(inventory, path, VMS_DOMAIN_INTERFACE, "State");
    const char *uuid = inventory_string(inventory, path, VMS_DOMAIN_INTERFACE, "Uuid");

    if (!state || !uuid)
        return false;
    if (g_hash_table_size(states) > 0 && !g_hash_table_contains(states, state))
        return false;
    if (!*patterns)
        return true;
    for (char **pattern = patterns; *pattern; pattern++)
        if (g_pattern_match_simple(*pattern, inventory_vm_name(inventory, path)) ||
            g_str_equal(*pattern, uuid))
            return true;
    return false;
}

static void
add_row(Table *table, const Inventory *inventory, const char *path)
{
    const char *state = inventory_string(inventory, path, VMS_DOMAIN_INTERFACE, "State");
    const char *title = inventory_string(inventory, path, VMS_DOMAIN_INTERFACE, "Title");
    const char *job = inventory_string(inventory, path, VMS_DOMAIN_INTERFACE, "Job");
    const char *operation =
        job ? inventory_string(inventory, job, VMS_JOB_INTERFACE, "Operation") : NULL;
    guint64 memory = inventory_u64(inventory, path, VMS_CONFIG_INTERFACE, "MemoryBytes");
    guint64 vcpus = inventory_u64(inventory, path, VMS_CONFIG_INTERFACE, "VCpus");

    table_add(table, COLOR_NONE, inventory_vm_name(inventory, path));
    table_add(table, term_state_color(state), state);
    table_add(table, COLOR_YELLOW, operation ? operation : "-");
    table_add(table, COLOR_NONE,
              inventory_bool(inventory, path, VMS_DOMAIN_INTERFACE, "Autostart") ? "yes" : "no");
    if (vcpus > 0)
        table_add_format(table, COLOR_NONE, "%" G_GUINT64_FORMAT, vcpus);
    else
        table_add(table, COLOR_NONE, "-");
    g_autofree char *size = memory > 0 ? text_format_size(memory) : g_strdup("-");
    table_add(table, COLOR_NONE, size);
    table_add(table, COLOR_GRAY, title ? title : "");
}

static void
print_table(const Inventory *inventory, GPtrArray *paths, bool legend)
{
    static const char *const headings[] = {"NAME",   "STATE",   "JOB",   "AUTOSTART",
                                           ">VCPUS", ">MEMORY", "TITLE", NULL};
    g_autoptr(Table) table = table_new(headings);

    for (unsigned i = 0; i < paths->len; i++)
        add_row(table, inventory, paths->pdata[i]);
    table_print(table, legend);
    if (legend)
        printf("\n%u VM%s listed.\n", paths->len, paths->len == 1 ? "" : "s");
}

static void
print_json(const Inventory *inventory, GPtrArray *paths)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("aa{sv}"));
    for (unsigned i = 0; i < paths->len; i++)
        g_variant_builder_add_value(&builder, inventory_describe(inventory, paths->pdata[i]));
    json_print(g_variant_builder_end(&builder));
}

static void
print_names(const Inventory *inventory, GPtrArray *paths)
{
    for (unsigned i = 0; i < paths->len; i++)
        puts(inventory_vm_name(inventory, paths->pdata[i]));
}

static GPtrArray *
choose(const Inventory *inventory, GHashTable *states, char **patterns)
{
    g_autoptr(GPtrArray) all = inventory_paths(inventory, VMS_DOMAIN_PREFIX);
    GPtrArray *paths = g_ptr_array_new();

    for (unsigned i = 0; i < all->len; i++)
        if (is_wanted(inventory, all->pdata[i], states, patterns))
            g_ptr_array_add(paths, all->pdata[i]);
    return paths;
}

/* Makes the service look; where it cannot, what it last knew is still worth a list. */
static ExitStatus
ask_hypervisor(Client *client)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply = NULL;

    if (want_cached)
        return EXIT_OK;
    reply = client_read(client, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "ListDomains", NULL, &error);
    return reply ? EXIT_OK : failure_report(NULL, error);
}

VERB(verb_list)
{
    g_autoptr(GHashTable) states = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(Inventory) inventory = inventory_new();
    g_autoptr(GError) error = NULL;

    if (!parse_states(states, &error))
        return failure_report(NULL, error);

    ExitStatus status = ask_hypervisor(client);
    if (!inventory_load(inventory, client, &error))
        return status != EXIT_OK ? status : failure_report(NULL, error);

    g_autoptr(GPtrArray) paths = choose(inventory, states, arguments);
    if (client->options->json)
        print_json(inventory, paths);
    else if (want_names)
        print_names(inventory, paths);
    else
        print_table(inventory, paths, !client->options->no_legend);
    return status;
}
