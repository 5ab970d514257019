/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "console-child.h"
#include "log.h"
#include "manager.h"
#include "options.h"

#include <libxml/parser.h>
#include <locale.h>
#include <malloc.h>
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

/*
 * The threads are few and wait for libvirt: a heap for each of them would cost memory and gain
 * nothing. What a long reply or a list took is given back, and not kept for the next one.
 */
static void
keep_memory_small(void)
{
    (void)mallopt(M_ARENA_MAX, 1);
    (void)mallopt(M_TRIM_THRESHOLD, 128 * 1024);
    (void)mallopt(M_MMAP_THRESHOLD, 128 * 1024);
}

static int
run(const Options *options)
{
    g_autoptr(Error) error = NULL;
    Manager *m = manager_new(options, &error);
    int status = EXIT_SUCCESS;

    if (error) {
        fprintf(stderr, "unraid-vmsd: %s\n", error->message);
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

int
main(int argc, char **argv)
{
    Options options;
    int status = EXIT_SUCCESS;

    (void)setlocale(LC_ALL, "");
    if (argc > 1 && g_str_equal(argv[1], CONSOLE_ARGUMENT))
        return hypervisor_console_main(argc, argv);
    switch (options_parse(&options, argc, argv)) {
    case OPTIONS_RUN:
        log_set_level(options.log_level);
        keep_memory_small();
        block_signals();
        xmlInitParser();
        status = run(&options);
        xmlCleanupParser();
        break;
    case OPTIONS_DONE:
        break;
    case OPTIONS_BAD:
        fprintf(stderr, "unraid-vmsd: %s\n", options.message);
        status = EXIT_BAD_OPTION;
        break;
    }
    options_clear(&options);
    return status;
}
