/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Named series of measured numbers, kept until the end and written as one line each: name, number
 * of domains, unit and the samples, separated by tabs. And the kernel's figures of a process: CPU
 * time, private memory, wake-ups.
 */

#include <glib.h>
#include <sys/types.h>

/* Of the monotonic clock, in milliseconds. */
double now_ms(void);

typedef struct Results Results;

Results *results_new(void);
void results_free(Results *results);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Results, results_free)

void results_add(Results *results, const char *name, unsigned n_domains, const char *unit,
                 double value);
void results_write(const Results *results, const char *file);

/* CPU time of all its threads so far, in milliseconds. */
double process_cpu_ms(pid_t pid);
/* Memory that is its alone, in MB of 1,000,000 bytes. */
double process_private_mb(pid_t pid);
/* The same by what is mapped; see mapping_names. */
#define N_MAPPINGS 5
extern const char *const mapping_names[N_MAPPINGS];
void process_mappings_mb(pid_t pid, double mb[N_MAPPINGS]);
/* How often its threads of this name (NULL: all) have waited for something so far. */
double process_wakeups(pid_t pid, const char *thread);
