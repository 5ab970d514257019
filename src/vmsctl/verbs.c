/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "verbs.h"

#include <stdio.h>
#include <string.h>

#define SUMMARY_COLUMN 29

#define HEADING(text) {.name = (text)},
#define VERB(name, id, arguments, states, summary)                                                 \
    {name, arguments, states, summary, &command_##id},
static const Verb verbs[] = {
#include "commands.def"
};
#undef HEADING
#undef VERB

const Verb *
verb_find(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++)
        if (verbs[i].command && g_str_equal(verbs[i].name, name))
            return &verbs[i];
    return NULL;
}

/* --- arguments ---------------------------------------------------------------------------- */

/* How many arguments there may be; MAX is G_MAXUINT where one of them can be repeated. */
static void
count_limits(char **words, unsigned *min, unsigned *max)
{
    *min = *max = 0;
    for (; *words; words++) {
        *min += **words != '[';
        *max = *max == G_MAXUINT || strstr(*words, "…") ? G_MAXUINT : *max + 1;
    }
}

/* Names of files are bytes; that no VM has a name that is not UTF-8 is said later. */
static bool
may_be_bytes(const char *word)
{
    return strstr(word, "FILE") || strstr(word, "VM");
}

/* SPEC as in commands.def. */
static bool
check_arguments(const char *name, const char *spec, char **arguments, GError **error)
{
    g_auto(GStrv) words = g_strsplit(spec ? spec : "", " ", -1);
    unsigned count = g_strv_length(arguments), last = g_strv_length(words), min, max;

    count_limits(words, &min, &max);
    if (count < min || count > max) {
        failure_set(error, EXIT_USAGE, "Too %s arguments; try \"vmsctl %s --help\"",
                    count < min ? "few" : "many", name);
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        if (may_be_bytes(words[MIN(i, last - 1)]) || g_utf8_validate(arguments[i], -1, NULL))
            continue;
        failure_set(error, EXIT_USAGE, "An argument is not UTF-8 text");
        return false;
    }
    return true;
}

/* --- actions ------------------------------------------------------------------------------ */

static bool
action_takes(const Action *action, const char *option)
{
    g_auto(GStrv) words = g_strsplit(action->options ? action->options : "", " ", -1);

    return g_strv_contains((const char *const *)words, option);
}

/* ARGUMENTS: VM [ACTION …] */
static const Action *
find_action(const Verb *verb, char **arguments, GError **error)
{
    const Action *action = verb->command->actions;

    if (!arguments[0] || !arguments[1])
        return action;
    for (; action->name; action++)
        if (g_str_equal(action->name, arguments[1]))
            return action;
    failure_set(error, EXIT_USAGE, "Unknown action \"%s\"; try \"vmsctl %s --help\"", arguments[1],
                verb->name);
    return NULL;
}

/* Those that follow the name of the action. */
static char **
action_arguments(char **arguments)
{
    return arguments + MIN(g_strv_length(arguments), 2);
}

static bool
is_given(const GOptionEntry *option)
{
    return option->arg == G_OPTION_ARG_NONE ? *(const gboolean *)option->arg_data
                                            : *(void *const *)option->arg_data != NULL;
}

static bool
check_options(const Verb *verb, const Action *action, GError **error)
{
    for (const GOptionEntry *option = verb->command->options; option->long_name; option++) {
        if (!is_given(option) || action_takes(action, option->long_name))
            continue;
        failure_set(error, EXIT_USAGE, "\"%s %s\" takes no option --%s", verb->name, action->name,
                    option->long_name);
        return false;
    }
    return true;
}

static bool
check_action(const Verb *verb, char **arguments, GError **error)
{
    const Action *action = find_action(verb, arguments, error);

    if (!action)
        return false;
    if (!arguments[0])
        return check_arguments(verb->name, verb->arguments, arguments, error);
    return check_arguments(verb->name, action->arguments, action_arguments(arguments), error) &&
           check_options(verb, action, error);
}

/* --- commands ----------------------------------------------------------------------------- */

bool
verb_check(const Verb *verb, char **arguments, GError **error)
{
    return verb->command->actions ? check_action(verb, arguments, error)
                                  : check_arguments(verb->name, verb->arguments, arguments, error);
}

ExitStatus
verb_run(const Verb *verb, Client *client, char **arguments)
{
    if (!verb->command->actions)
        return verb->command->run(client, verb->command, arguments);

    const Action *action = find_action(verb, arguments, NULL);
    return action->run(client, action, arguments[0], action_arguments(arguments));
}

/* --- help --------------------------------------------------------------------------------- */

static char *
join_actions(const Action *actions, const char *option, const char *separator)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (; actions->name; actions++)
        if (!option || action_takes(actions, option))
            g_ptr_array_add(names, (char *)actions->name);
    g_ptr_array_add(names, NULL);
    return g_strjoinv(separator, (char **)names->pdata);
}

char *
verb_usage(const Verb *verb)
{
    const Action *actions = verb->command->actions;

    if (!actions)
        return g_strdup(verb->arguments ? verb->arguments : "");

    g_autofree char *names = join_actions(actions, NULL, "|");
    bool is_optional = !actions->arguments;
    return g_strdup_printf("%s %s%s%s …", verb->arguments, is_optional ? "[" : "", names,
                           is_optional ? "]" : "");
}

static void
append_usage(GString *out, const char *name, const char *arguments, const char *summary)
{
    g_autofree char *usage = g_strjoin(" ", name, arguments, NULL);
    int padding = SUMMARY_COLUMN - 2 - (int)g_utf8_strlen(usage, -1);

    if (padding < 2)
        g_string_append_printf(out, "  %s\n%*s%s\n", usage, SUMMARY_COLUMN, "", summary);
    else
        g_string_append_printf(out, "  %s%*s%s\n", usage, padding, "", summary);
}

char *
verb_actions_overview(const Verb *verb)
{
    const Action *action = verb->command->actions;

    if (!action)
        return NULL;
    GString *out = g_string_new("Actions:\n");
    for (; action->name; action++)
        append_usage(out, action->name, action->arguments, action->summary);
    return g_string_free(out, FALSE);
}

char *
verb_option_description(const Verb *verb, const char *option, const char *description)
{
    const Action *actions = verb->command->actions;
    g_autofree char *all = actions ? join_actions(actions, NULL, ", ") : g_strdup("");
    g_autofree char *takers = actions ? join_actions(actions, option, ", ") : g_strdup("");

    return g_str_equal(all, takers) ? g_strdup(description)
                                    : g_strconcat(takers, ": ", description, NULL);
}

char *
verbs_overview(void)
{
    GString *out = g_string_new(NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++) {
        if (verbs[i].command) {
            g_autofree char *usage = verb_usage(&verbs[i]);

            append_usage(out, verbs[i].name, usage, verbs[i].summary);
        } else {
            g_string_append_printf(out, "%s%s:\n", i > 0 ? "\n" : "", verbs[i].name);
        }
    }
    g_string_append(out, "\nA VM is given by its name or its UUID. \"vmsctl COMMAND --help\" lists "
                         "the options\nof a command; vmsctl(1) lists the exit statuses.");
    return g_string_free(out, FALSE);
}

static void
print_for_completion(const Verb *verb)
{
    const char *states = verb->states ? verb->states : "-";
    g_autofree char *usage = verb_usage(verb);

    printf("%s\t%s\t%s\n", verb->name, states, *usage ? usage : "-");
    for (const Action *action = verb->command->actions; action && action->name; action++)
        printf("%s %s\t%s\t%s %s %s\n", verb->name, action->name, states, verb->arguments,
               action->name, action->arguments ? action->arguments : "");
}

void
verbs_print(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++)
        if (verbs[i].command)
            print_for_completion(&verbs[i]);
}
