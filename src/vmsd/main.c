/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "console-child.h"
#include "heap.h"
#include "launch.h"
#include "log.h"
#include "manager.h"
#include "options.h"

#include <libxml/parser.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define EXIT_BAD_OPTION 2

/* Before any thread is made: they inherit it, and the loop alone takes the signals. */
static void
block_signals(void)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGCHLD);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

/* Standard error is nowhere if a bus that has no terminal starts the program. */
static void
complain(const char *message)
{
    if (log_get_target() == LOG_TARGET_SYSLOG)
        log_message(LOG_ERR, "%s", message);
    else
        fprintf(stderr, LOG_IDENTIFIER ": %s\n", message);
}

static int
run(const Options *options)
{
    g_autoptr(Error) error = NULL;
    Manager *m = manager_new(options, &error);
    int status = EXIT_SUCCESS;

    if (error) {
        complain(error->message);
        status = EXIT_FAILURE;
    } else if (manager_run(m) < 0) {
        status = EXIT_FAILURE;
    }
    if (manager_free(m))
        return status;
    /* The thread may yet return from libvirt, and use libraries that exit() cleans up. */
    (void)fflush(NULL);
    _exit(status);
}

static int
serve(const Options *options)
{
    log_set_level(options->log_level);
    heap_keep_small();
    block_signals();
    xmlInitParser();
    int status = run(options);
    xmlCleanupParser();
    return status;
}

/* Goes on in the program that it runs, and comes back only with a failure. */
static int
start_over(const Options *options, char **argv)
{
    g_autoptr(Error) error = launch(options, argv);

    complain(error->message);
    return EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
    Options options;
    int status = EXIT_SUCCESS;
    /* The parser takes what it knows out of `argv`. */
    g_auto(GStrv) given = g_strdupv(argv);

    (void)setlocale(LC_ALL, "");
    if (argc > 1 && g_str_equal(argv[1], CONSOLE_ARGUMENT))
        return hypervisor_console_main(argc, argv);
    switch (options_parse(&options, argc, argv)) {
    case OPTIONS_RUN:
        status = launch_is_due(&options) ? start_over(&options, given) : serve(&options);
        break;
    case OPTIONS_DONE:
        break;
    case OPTIONS_BAD:
        complain(options.message);
        /* A bus that starts the program takes this status for a lack of memory. */
        status = g_getenv("DBUS_STARTER_BUS_TYPE") ? EXIT_FAILURE : EXIT_BAD_OPTION;
        break;
    }
    options_clear(&options);
    return status;
}
