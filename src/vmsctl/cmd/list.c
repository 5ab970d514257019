/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vmsctl list */
#include "command.h"
#include "inventory.h"
#include "json.h"
#include "list-table.h"
#include "terminal-text.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char **wanted_states;
static char *column_names;
static gboolean want_cached;
static gboolean want_names;
static gboolean want_completion;

static const GOptionEntry options[] = {
    {"state", 's', 0, G_OPTION_ARG_STRING_ARRAY, &wanted_states,
     "List only VMs in these states, as in --state=running,paused", "STATE,…"},
    {"columns", 0, 0, G_OPTION_ARG_STRING, &column_names,
     "Print these columns, as in --columns=name,address", "COLUMN,…"},
    {"cached", 0, 0, G_OPTION_ARG_NONE, &want_cached,
     "List what the service knows, without asking the hypervisor", NULL},
    {"completion", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &want_completion, NULL, NULL},
    {"names", 0, 0, G_OPTION_ARG_NONE, &want_names, "Print only the names, one on each line", NULL},
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

                failure_set(error, EXIT_USAGE, "\"%s\" is not a state; the states are: %s", *part,
                            all);
                return false;
            }
            g_hash_table_add(states, g_strdup(*part));
        }
    }
    return true;
}

/* Is TEXT this UUID, in capitals or not, with its dashes or without? */
static bool
is_uuid(const char *text, const char *uuid)
{
    g_auto(GStrv) parts = g_strsplit(uuid, "-", -1);
    g_autofree char *digits = g_strjoinv("", parts);

    return g_ascii_strcasecmp(text, uuid) == 0 || g_ascii_strcasecmp(text, digits) == 0;
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
            is_uuid(*pattern, uuid))
            return true;
    return false;
}

static void
print_table(const Inventory *inventory, const GPtrArray *paths, const GArray *columns, bool legend)
{
    list_table_print(inventory, paths, columns, legend);
    if (legend)
        printf("\n%u VM%s listed.\n", paths->len, paths->len == 1 ? "" : "s");
}

/* Scripts pass the names on and get them as they are; a terminal gets escapes. */
static void
print_names(const Inventory *inventory, GPtrArray *paths)
{
    bool is_terminal = isatty(STDOUT_FILENO);

    for (unsigned i = 0; i < paths->len; i++) {
        const char *name = inventory_vm_name(inventory, paths->pdata[i]);
        g_autofree char *safe = is_terminal ? terminal_text_escape(name) : NULL;

        puts(safe ? safe : name);
    }
}

/* Is NAME, typed as an argument, always taken for the name of this VM, and safe for a terminal? */
static bool
can_be_typed(const char *name)
{
    g_autofree char *safe = terminal_text_escape(name);
    g_auto(GStrv) parts = g_strsplit(name, "-", -1);
    g_autofree char *digits = g_strjoinv("", parts);
    bool is_uuid_of_any = strlen(digits) == 32 && strspn(digits, "0123456789abcdefABCDEF") == 32;

    return *name != '-' && !is_uuid_of_any && g_str_equal(safe, name);
}

/* For the shell's completion: the name of each VM or, where that cannot be typed, its UUID. */
static void
print_completion(const Inventory *inventory, GPtrArray *paths)
{
    for (unsigned i = 0; i < paths->len; i++) {
        const char *path = paths->pdata[i], *name = inventory_vm_name(inventory, path);

        puts(can_be_typed(name) ? name
                                : inventory_string(inventory, path, VMS_DOMAIN_INTERFACE, "Uuid"));
    }
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

/* Makes the service ask the hypervisor. Where it cannot, what it last knew is listed. */
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

static ExitStatus
run(Client *client, const Command *command, char **arguments)
{
    g_autoptr(GHashTable) states = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(Inventory) inventory = inventory_new();
    g_autoptr(GError) error = NULL;

    g_autoptr(GArray) columns = column_names ? list_table_parse(column_names, &error) : NULL;

    if (error || !parse_states(states, &error))
        return failure_report(NULL, error);

    ExitStatus status = ask_hypervisor(client);
    if (!inventory_load(inventory, client, &error))
        return status != EXIT_OK ? status : failure_report(NULL, error);

    g_autoptr(GPtrArray) paths = choose(inventory, states, arguments);
    if (client->options->json)
        json_print(inventory_describe_all(inventory, paths));
    else if (want_completion)
        print_completion(inventory, paths);
    else if (want_names)
        print_names(inventory, paths);
    else
        print_table(inventory, paths, columns, !client->options->no_legend);
    return status;
}

const Command command_list = {run, options, NULL};
