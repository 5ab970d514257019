/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* vmsctl ($VMSCTL) on the bus of a world, in a pipe or in a terminal. */

#include "names.h"
#include "service.h"
#include "terminal.h"

/* The exit statuses of the manual page, which scripts rely on. */
enum {
    OK = 0,
    FAILED = 1,
    USAGE = 2,
    NO_SUCH_VM = 3,
    INVALID_STATE = 4,
    NOT_AVAILABLE = 5,
    DENIED = 6,
    BUSY = 7,
    TIMEOUT = 8,
    CANCELED = 9,
    STILL_RUNNING = 10,
    NOT_OFFERED = 11,
    INTERRUPTED = 130,
};

typedef struct Run {
    int status;
    char *out;
    char *err;
} Run;

void run_free(Run *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Run, run_free)

/* Runs it to its end in a pipe. */
Run *run_vmsctl(World *w, const char *argument, ...) G_GNUC_NULL_TERMINATED;
/* Any program, found in PATH, with $VMSCTL and the bus as the system bus. */
Run *run_program(World *w, const char *const *argv);

/* The same, and it must end so. */
#define assert_vmsctl(w, expected, ...)                                                            \
    G_STMT_START                                                                                   \
    {                                                                                              \
        g_autoptr(Run) run_ = run_vmsctl(w, __VA_ARGS__, NULL);                                    \
        run_assert(run_, expected, __FILE__, __LINE__);                                            \
    }                                                                                              \
    G_STMT_END
/* It succeeds and writes this. */
#define assert_prints(w, expected, ...)                                                            \
    G_STMT_START                                                                                   \
    {                                                                                              \
        g_autoptr(Run) run_ = run_vmsctl(w, __VA_ARGS__, NULL);                                    \
        run_assert(run_, OK, __FILE__, __LINE__);                                                  \
        g_assert_cmpstr(run_->out, ==, expected);                                                  \
    }                                                                                              \
    G_STMT_END
/* It fails so, says this in one line of stderr, and nothing on stdout. */
#define assert_fails(w, expected, line, ...)                                                       \
    G_STMT_START                                                                                   \
    {                                                                                              \
        g_autoptr(Run) run_ = run_vmsctl(w, __VA_ARGS__, NULL);                                    \
        run_assert(run_, expected, __FILE__, __LINE__);                                            \
        g_assert_cmpstr(run_->err, ==, line "\n");                                                 \
        g_assert_cmpstr(run_->out, ==, "");                                                        \
    }                                                                                              \
    G_STMT_END
void run_assert(const Run *run, int expected, const char *file, int line);

/* Starts it in a terminal, or as a child whose output is kept. */
Terminal *terminal_vmsctl(World *w, const char *argument, ...) G_GNUC_NULL_TERMINATED;
Process *spawn_vmsctl(World *w, const char *argument, ...) G_GNUC_NULL_TERMINATED;
/* Another client of the bus, with one more argument or NULL. */
Process *spawn_client(World *w, char **command, const char *argument);
/* How often the process has written TEXT to stdout so far. */
unsigned count_printed(const Process *p, const char *text);
/* Until it has written that, or has so often; it must not end before. */
void wait_printed(World *w, Process *p, const char *text);
void wait_printed_times(World *w, Process *p, const char *text, unsigned times);
/* Until it has ended; the world's loop runs meanwhile. */
void wait_ended(World *w, Process *p);
/* Until /proc/PID/status has this TEXT: the signals that it blocks or ignores show how far it is.
 */
void wait_status(World *w, Process *p, const char *text);
