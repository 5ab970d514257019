/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command-line.h"

#include <string.h>

#define GLOBAL_OPTIONS 7

static void
set_global_options(GOptionEntry entries[GLOBAL_OPTIONS + 1], ClientOptions *client)
{
    const GOptionEntry options[GLOBAL_OPTIONS + 1] = {
        {"session", 0, 0, G_OPTION_ARG_NONE, &client->session, "Use the session bus", NULL},
        {"address", 0, 0, G_OPTION_ARG_STRING, &client->address, "Use the bus at this address",
         "ADDRESS"},
        {"host", 'H', 0, G_OPTION_ARG_STRING, &client->host, "Use the system bus of another host",
         "[USER@]HOST"},
        {"instance", 'i', 0, G_OPTION_ARG_STRING, &client->instance,
         "Use the service " VMS_BUS_NAME ".NAME", "NAME"},
        {"json", 'j', 0, G_OPTION_ARG_NONE, &client->json, "Print JSON", NULL},
        {"no-legend", 0, 0, G_OPTION_ARG_NONE, &client->no_legend,
         "Print neither headings nor totals", NULL},
        {"no-ask-password", 0, 0, G_OPTION_ARG_NONE, &client->no_ask_password,
         "Do not ask for passwords", NULL},
        {NULL},
    };

    memcpy(entries, options, sizeof options);
}

/* Does the option that is called NAME on the command line take a value? NAME ends before "=". */
static bool
takes_value(const GOptionEntry *const *groups, const char *name, size_t length, bool is_short)
{
    for (; *groups; groups++)
        for (const GOptionEntry *entry = *groups; entry->long_name; entry++)
            if (is_short ? entry->short_name == *name
                         : strlen(entry->long_name) == length &&
                               strncmp(entry->long_name, name, length) == 0)
                return entry->arg != G_OPTION_ARG_NONE;
    return false;
}

/*
 * Adds ARGUMENT, a group of short options, with the value that is attached to one of them as a word
 * of its own. Returns whether the value is the next argument.
 */
static bool
add_short(GStrvBuilder *out, const GOptionEntry *const *groups, const char *argument)
{
    for (const char *letter = argument + 1; *letter; letter++) {
        if (!takes_value(groups, letter, 1, true))
            continue;
        g_autofree char *option = g_strndup(argument, (size_t)(letter + 1 - argument));

        g_strv_builder_add(out, option);
        if (letter[1])
            g_strv_builder_add(out, letter + 1);
        return !letter[1];
    }
    g_strv_builder_add(out, argument);
    return false;
}

/* Adds ARGUMENT, an option. Returns whether its value is the next argument. */
static bool
add_option(GStrvBuilder *out, const GOptionEntry *const *groups, const char *argument)
{
    if (argument[1] != '-')
        return add_short(out, groups, argument);
    g_strv_builder_add(out, argument);
    return !strchr(argument, '=') && takes_value(groups, argument + 2, strlen(argument + 2), false);
}

/*
 * GOption does not know "-n5", so it gets "-n" and "5". IS_STRICT: options end at the first
 * argument that is none.
 */
static void
detach_values(char ***arguments, const GOptionEntry *const *groups, bool is_strict)
{
    g_autoptr(GStrvBuilder) out = g_strv_builder_new();
    bool is_value = true; /* the program's name is no option */
    bool is_over = false;

    for (char **argument = *arguments; *argument; argument++) {
        bool is_option = !is_value && !is_over && (*argument)[0] == '-' && (*argument)[1];

        is_over = is_over || (is_option && g_str_equal(*argument, "--")) ||
                  (is_strict && !is_value && !is_option);
        is_value = is_option && !is_over && add_option(out, groups, *argument);
        if (!is_option || is_over)
            g_strv_builder_add(out, *argument);
    }
    g_strfreev(*arguments);
    *arguments = g_strv_builder_end(out);
}

/* Frees CONTEXT. */
static bool
parse(GOptionContext *context, const GOptionEntry *const *groups, char ***arguments, bool is_strict,
      GError **error)
{
    g_autoptr(GError) problem = NULL;

    for (const GOptionEntry *const *group = groups; *group; group++)
        g_option_context_add_main_entries(context, *group, NULL);
    g_option_context_set_strict_posix(context, is_strict);
    detach_values(arguments, groups, is_strict);

    bool ok = g_option_context_parse_strv(context, arguments, &problem);
    if (!ok)
        failure_set(error, EXIT_USAGE, "%s; try \"%s --help\"", problem->message, g_get_prgname());
    g_option_context_free(context);
    return ok;
}

bool
command_line_parse_main(char ***arguments, MainOptions *options, ClientOptions *client,
                        GError **error)
{
    const GOptionEntry own[] = {
        {"version", 0, 0, G_OPTION_ARG_NONE, &options->version, "Print the version", NULL},
        {"completion", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &options->completion, NULL,
         NULL},
        {"stdio-bridge", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &options->stdio_bridge, NULL,
         NULL},
        {NULL},
    };
    GOptionEntry global[GLOBAL_OPTIONS + 1];
    g_autofree char *description = verbs_overview();
    GOptionContext *context = g_option_context_new("COMMAND …");

    set_global_options(global, client);
    g_option_context_set_summary(context, "Show and operate the virtual machines (VMs) of a host.");
    g_option_context_set_description(context, description);
    return parse(context, (const GOptionEntry *const[]){own, global, NULL}, arguments, true, error);
}

/* "--" ends the options. GOption removes it only where nothing that looks like an option follows.
 */
static void
remove_separator(char **arguments)
{
    while (*arguments && !g_str_equal(*arguments, "--"))
        arguments++;
    if (!*arguments)
        return;
    g_free(*arguments);
    memmove(arguments, arguments + 1,
            g_strv_length(arguments + 1) * sizeof *arguments + sizeof *arguments);
}

/* The command's own options as --help prints them; the descriptions belong to STRINGS. */
static GOptionEntry *
describe_options(const Verb *verb, GStringChunk *strings)
{
    GArray *entries = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));

    for (const GOptionEntry *entry = verb->command->options; entry && entry->long_name; entry++) {
        GOptionEntry described = *entry;
        g_autofree char *text = verb_option_description(verb, entry->long_name, entry->description);

        described.description = g_string_chunk_insert(strings, text ? text : "");
        g_array_append_val(entries, described);
    }
    return (GOptionEntry *)(void *)g_array_free(entries, FALSE);
}

bool
command_line_parse_verb(const Verb *verb, char ***arguments, ClientOptions *client, GError **error)
{
    GOptionEntry global[GLOBAL_OPTIONS + 1];
    g_autofree char *summary = g_strconcat(verb->summary, ".", NULL);
    g_autofree char *actions = verb_actions_overview(verb);
    g_autofree char *usage = verb_usage(verb);
    g_autofree char *program = g_strconcat("vmsctl ", verb->name, NULL);
    g_autoptr(GStringChunk) strings = g_string_chunk_new(1024);
    g_autofree GOptionEntry *own = describe_options(verb, strings);
    GOptionContext *context = g_option_context_new(usage);

    g_set_prgname(program);
    set_global_options(global, client);
    g_option_context_set_summary(context, summary);
    g_option_context_set_description(context, actions);
    if (!parse(context, (const GOptionEntry *const[]){own, global, NULL}, arguments, false, error))
        return false;
    remove_separator(*arguments + 1);
    return true;
}
