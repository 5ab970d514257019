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

/* How many arguments there may be; MAX is G_MAXUINT where one of them can be repeated. */
static void
count_limits(const Verb *verb, unsigned *min, unsigned *max)
{
    g_auto(GStrv) words = g_strsplit(verb->arguments ? verb->arguments : "", " ", -1);

    *min = *max = 0;
    for (char **word = words; *word; word++) {
        *min += **word != '[';
        *max = *max == G_MAXUINT || strstr(*word, "…") ? G_MAXUINT : *max + 1;
    }
}

bool
verb_check(const Verb *verb, char **arguments, GError **error)
{
    unsigned count = g_strv_length(arguments), min, max;

    count_limits(verb, &min, &max);
    if (count >= min && count <= max)
        return true;
    failure_set(error, EXIT_USAGE, "Too %s arguments; try \"vmsctl %s --help\"",
                count < min ? "few" : "many", verb->name);
    return false;
}

static void
append_usage(GString *out, const Verb *verb)
{
    g_autofree char *usage =
        g_strjoin(" ", verb->name, verb->arguments ? verb->arguments : "", NULL);
    int padding = SUMMARY_COLUMN - 2 - (int)g_utf8_strlen(usage, -1);

    if (padding < 2)
        g_string_append_printf(out, "  %s\n%*s%s\n", usage, SUMMARY_COLUMN, "", verb->summary);
    else
        g_string_append_printf(out, "  %s%*s%s\n", usage, padding, "", verb->summary);
}

char *
verbs_overview(void)
{
    GString *out = g_string_new(NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++) {
        if (verbs[i].command)
            append_usage(out, &verbs[i]);
        else
            g_string_append_printf(out, "%s%s:\n", i > 0 ? "\n" : "", verbs[i].name);
    }
    g_string_append(out, "\nA VM is given by its name or its UUID. \"vmsctl COMMAND --help\" lists "
                         "the options\nof a command; vmsctl(1) lists the exit statuses.");
    return g_string_free(out, FALSE);
}

void
verbs_print(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++)
        if (verbs[i].command)
            printf("%s\t%s\t%s\n", verbs[i].name, verbs[i].states ? verbs[i].states : "-",
                   verbs[i].arguments ? verbs[i].arguments : "-");
}
