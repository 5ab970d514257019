/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A child process of a test. Its stdout and stderr are kept in memory. It dies with the test
 * program, however that ends, and when the test program aborts (a failed assertion does), what all
 * children have written to stderr is shown.
 */

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

typedef struct Process Process;

/* Starts argv[0], found in PATH. pass_fd (or -1) stays open in the child under the same number. */
Process *process_spawn(const char *const *argv, int pass_fd);

pid_t process_pid(const Process *p);
int process_pidfd(const Process *p);
bool process_is_alive(Process *p);
void process_signal(Process *p, int signum);

/* Waits for the end: the exit status, or minus the signal that killed it. Aborts when the bound has
 * passed. */
int process_wait(Process *p, int bound_ms);

/* Its output so far. */
char *process_stdout(const Process *p);
char *process_stderr(const Process *p);

/* Runs a command to its end, within 60 s; the status as process_wait() has it. */
int process_run(const char *const *argv, char **ret_stdout, char **ret_stderr);

/* Kills it with SIGKILL if it still lives. */
void process_free(Process *p);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Process, process_free)
