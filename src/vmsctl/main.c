/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vmsctl: arguments in, one command run, its exit status out. */
#include "config.h"

#include "command-line.h"
#include "stdio-bridge.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

static ExitStatus
run_verb(const Verb *verb, char ***arguments, ClientOptions *options)
{
    g_autoptr(GError) error = NULL;
    Client client = {0};

    if (!command_line_parse_verb(verb, arguments, options, &error) ||
        !verb_check(verb, *arguments + 1, &error) || !client_open(&client, options, &error))
        return failure_report(NULL, error);

    ExitStatus status = verb_run(verb, &client, *arguments + 1);
    client_close(&client);
    return status;
}

/* The command is the first of the ARGUMENTS afterwards, in place of the program's name. */
static const Verb *
take_verb(char **arguments, GError **error)
{
    const char *name = arguments[1] ? arguments[1] : "list";
    const Verb *verb = verb_find(name);

    if (g_str_equal(name, "--"))
        failure_set(error, EXIT_USAGE, "A command is missing; try \"vmsctl --help\"");
    else if (!verb)
        failure_set(error, EXIT_USAGE, "Unknown command \"%s\"; try \"vmsctl --help\"", name);
    else if (arguments[1]) {
        g_free(arguments[0]);
        memmove(arguments, arguments + 1, g_strv_length(arguments) * sizeof *arguments);
    }
    return verb;
}

static ExitStatus
run(char ***arguments)
{
    g_autoptr(GError) error = NULL;
    MainOptions options = {0};
    g_auto(ClientOptions) client = {0};

    if (!command_line_parse_main(arguments, &options, &client, &error))
        return failure_report(NULL, error);
    if (options.version) {
        puts("vmsctl " PROJECT_VERSION);
        return EXIT_OK;
    }
    if (options.completion) {
        verbs_print();
        return EXIT_OK;
    }
    if (options.stdio_bridge)
        return stdio_bridge_run();
    const Verb *verb = take_verb(*arguments, &error);
    return verb ? run_verb(verb, arguments, &client) : failure_report(NULL, error);
}

/* Output that cannot be written is a failure, too. */
static ExitStatus
flush(ExitStatus status)
{
    g_autoptr(GError) error = NULL;

    if ((fflush(stdout) == 0 && !ferror(stdout)) || status != EXIT_OK)
        return status;
    failure_set(&error, EXIT_FAILED, "The output could not be written");
    return failure_report(NULL, error);
}

int
main(int argc, char **argv)
{
    /* Characters and words as the user's locale has them, numbers as scripts read them. */
    (void)setlocale(LC_ALL, "");
    (void)setlocale(LC_NUMERIC, "C");
    g_set_prgname("vmsctl");
    g_auto(GStrv) arguments = g_strdupv(argv);

    return (int)flush(run(&arguments));
}
