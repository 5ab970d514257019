/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vmsctl: arguments in, one verb run, its exit status out. */
#include "config.h"

#include "verb.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ClientOptions options;
static gboolean want_version;

static const GOptionEntry global_options[] = {
    {"session", 0, 0, G_OPTION_ARG_NONE, &options.session, "Use the session bus", NULL},
    {"address", 0, 0, G_OPTION_ARG_STRING, &options.address, "Use the bus at this address",
     "ADDRESS"},
    {"host", 'H', 0, G_OPTION_ARG_STRING, &options.host, "Use the system bus of another host",
     "[USER@]HOST"},
    {"instance", 'i', 0, G_OPTION_ARG_STRING, &options.instance,
     "Talk to the service " VMS_BUS_NAME ".NAME", "NAME"},
    {"json", 'j', 0, G_OPTION_ARG_NONE, &options.json, "Print JSON", NULL},
    {"no-legend", 0, 0, G_OPTION_ARG_NONE, &options.no_legend, "Print neither headings nor totals",
     NULL},
    {"no-ask-password", 0, 0, G_OPTION_ARG_NONE, &options.no_ask_password,
     "Do not ask for passwords", NULL},
    {NULL},
};

static const GOptionEntry main_options[] = {
    {"version", 0, 0, G_OPTION_ARG_NONE, &want_version, "Print the version", NULL},
    {NULL},
};

static char *
overview(void)
{
    GString *out = g_string_new(NULL);

    for (const Verb *verb = verbs; verb->name; verb++) {
        if (verb->is_heading) {
            g_string_append_printf(out, "%s%s:\n", out->len > 0 ? "\n" : "", verb->name);
            continue;
        }
        g_autofree char *usage =
            g_strjoin(" ", verb->name, verb->arguments ? verb->arguments : "", NULL);
        glong width = g_utf8_strlen(usage, -1);

        if (width > 25)
            g_string_append_printf(out, "  %s\n%29s%s\n", usage, "", verb->summary);
        else
            g_string_append_printf(out, "  %s%*s%s\n", usage, (int)(27 - width), "", verb->summary);
    }
    g_string_append(out, "\nVMs are given by name or UUID. \"vmsctl COMMAND --help\" tells the "
                         "options of a command;\nvmsctl(1) has the exit statuses.");
    return g_string_free(out, FALSE);
}

static const Verb *
find_verb(const char *name)
{
    for (const Verb *verb = verbs; verb->name; verb++)
        if (!verb->is_heading && g_str_equal(verb->name, name))
            return verb;
    return NULL;
}

G_GNUC_PRINTF(1, 2)
static ExitStatus
usage_error(const char *format, ...)
{
    va_list arguments;
    g_autoptr(GError) error = NULL;

    va_start(arguments, format);
    error = g_error_new_valist(VMSCTL_ERROR, EXIT_USAGE, format, arguments);
    va_end(arguments);
    return failure_report(NULL, error);
}

/* The options before the verb. Leaves the verb and what follows it in ARGUMENTS. */
static bool
parse_main(char ***arguments, GError **error)
{
    g_autofree char *description = overview();
    GOptionContext *context = g_option_context_new("COMMAND …");
    bool ok;

    g_option_context_set_summary(context, "See and operate the virtual machines of this host.");
    g_option_context_set_description(context, description);
    g_option_context_add_main_entries(context, main_options, NULL);
    g_option_context_add_main_entries(context, global_options, NULL);
    g_option_context_set_strict_posix(context, TRUE);
    ok = g_option_context_parse_strv(context, arguments, error);
    g_option_context_free(context);
    return ok;
}

/* What follows the verb. Leaves the verb's own arguments. */
static bool
parse_verb(const Verb *verb, char ***arguments, GError **error)
{
    g_autofree char *summary = g_strconcat(verb->summary, ".", NULL);
    GOptionContext *context = g_option_context_new(verb->arguments);
    g_autofree char *program = g_strconcat("vmsctl ", verb->name, NULL);
    bool ok;

    g_set_prgname(program);
    g_option_context_set_summary(context, summary);
    if (verb->options)
        g_option_context_add_main_entries(context, verb->options, NULL);
    g_option_context_add_main_entries(context, global_options, NULL);
    ok = g_option_context_parse_strv(context, arguments, error);
    g_option_context_free(context);
    return ok;
}

static ExitStatus
run_verb(const Verb *verb, char **arguments)
{
    g_autoptr(GError) error = NULL;
    Client client = {0};
    int count = (int)g_strv_length(arguments);

    if (count < verb->min || (verb->max >= 0 && count > verb->max))
        return usage_error("Too %s arguments; try \"vmsctl %s --help\"",
                           count < verb->min ? "few" : "many", verb->name);
    if (!client_open(&client, &options, &error))
        return failure_report(NULL, error);

    ExitStatus status = verb->run(&client, verb, arguments);
    client_close(&client);
    return status;
}

static ExitStatus
run(char ***arguments)
{
    g_autoptr(GError) error = NULL;

    if (!parse_main(arguments, &error))
        return usage_error("%s; try \"vmsctl --help\"", error->message);
    if (want_version) {
        puts("vmsctl " PROJECT_VERSION);
        return EXIT_OK;
    }

    const char *name = (*arguments)[1] ? (*arguments)[1] : "list";
    if (g_str_equal(name, "--"))
        return usage_error("A command is missing; try \"vmsctl --help\"");
    const Verb *verb = find_verb(name);
    if (!verb)
        return usage_error("Unknown command \"%s\"; try \"vmsctl --help\"", name);

    /* The verb takes the place of the program's name. */
    if ((*arguments)[1]) {
        g_free((*arguments)[0]);
        memmove(*arguments, *arguments + 1, g_strv_length(*arguments) * sizeof(char *));
    }
    if (!parse_verb(verb, arguments, &error))
        return usage_error("%s; try \"vmsctl %s --help\"", error->message, verb->name);

    /* "--" ends the options; GOption leaves it where an argument that looks like one follows. */
    char **rest = *arguments + 1;
    if (*rest && g_str_equal(*rest, "--"))
        rest++;
    return run_verb(verb, rest);
}

/* Output that could not be written is a failure too, but for a reader who has seen enough. */
static ExitStatus
flush(ExitStatus status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    if (status != EXIT_OK)
        return status;
    g_autoptr(GError) error = NULL;
    failure_set(&error, EXIT_FAILED, "The output could not be written");
    return failure_report(NULL, error);
}

int
main(int argc, char **argv)
{
    /* Words and characters as the user likes them, numbers as scripts do. */
    (void)setlocale(LC_ALL, "");
    (void)setlocale(LC_NUMERIC, "C");
    g_set_prgname("vmsctl");
    g_auto(GStrv) arguments = g_strdupv(argv);

    return (int)flush(run(&arguments));
}
