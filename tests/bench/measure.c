/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "measure.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

typedef struct {
    char *name;
    const char *unit;
    unsigned n_domains;
    GArray *values;
} Series;

struct Results {
    GPtrArray *series;
};

double
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void
series_free(gpointer data)
{
    Series *series = data;

    g_free(series->name);
    g_array_unref(series->values);
    g_free(series);
}

Results *
results_new(void)
{
    Results *results = g_new0(Results, 1);

    results->series = g_ptr_array_new_with_free_func(series_free);
    return results;
}

void
results_free(Results *results)
{
    g_ptr_array_unref(results->series);
    g_free(results);
}

static Series *
get_series(Results *results, const char *name, unsigned n_domains, const char *unit)
{
    for (unsigned i = 0; i < results->series->len; i++) {
        Series *series = results->series->pdata[i];

        if (g_str_equal(series->name, name) && series->n_domains == n_domains)
            return series;
    }
    Series *series = g_new0(Series, 1);
    series->name = g_strdup(name);
    series->unit = unit;
    series->n_domains = n_domains;
    series->values = g_array_new(FALSE, FALSE, sizeof(double));
    g_ptr_array_add(results->series, series);
    return series;
}

void
results_add(Results *results, const char *name, unsigned n_domains, const char *unit, double value)
{
    g_array_append_val(get_series(results, name, n_domains, unit)->values, value);
}

void
results_write(const Results *results, const char *file)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GError) error = NULL;

    for (unsigned i = 0; i < results->series->len; i++) {
        const Series *series = results->series->pdata[i];

        g_string_append_printf(text, "%s\t%u\t%s", series->name, series->n_domains, series->unit);
        for (unsigned j = 0; j < series->values->len; j++)
            g_string_append_printf(text, "\t%.4f", g_array_index(series->values, double, j));
        g_string_append_c(text, '\n');
    }
    if (!g_file_set_contents(file, text->str, -1, &error))
        g_error("%s", error->message);
}

/* --- a process ---------------------------------------------------------------------------- */

double
process_cpu_ms(pid_t pid)
{
    clockid_t clock;
    struct timespec used;

    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) < 0)
        g_error("no CPU clock of process %d", pid);
    return (double)used.tv_sec * 1e3 + (double)used.tv_nsec / 1e6;
}

/* The number behind "Key:" in a file of the kernel's. */
static double
read_number(const char *text, const char *key)
{
    const char *found = strstr(text, key);

    return found ? g_ascii_strtod(found + strlen(key), NULL) : 0;
}

static char *
read_proc(pid_t pid, const char *file)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/%s", pid, file);
    char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) ? text : g_strdup("");
}

double
process_private_mb(pid_t pid)
{
    g_autofree char *text = read_proc(pid, "smaps_rollup");

    return (read_number(text, "Private_Clean:") + read_number(text, "Private_Dirty:")) * 1024 / 1e6;
}

const char *const mapping_names[N_MAPPINGS] = {"anonymous", "program", "crypto", "libvirt",
                                               "others"};

/* An index of mapping_names; the first line of a mapping ends in what is mapped, if anything. */
static unsigned
mapping_kind(const char *line, const char *program)
{
    const char *path = strchr(line, '/');

    if (!path)
        return 0;
    if (g_str_equal(path, program))
        return 1;
    return strstr(path, "libcrypto") ? 2 : strstr(path, "libvirt") ? 3 : 4;
}

void
process_mappings_mb(pid_t pid, double mb[N_MAPPINGS])
{
    g_autofree char *exe = g_strdup_printf("/proc/%d/exe", pid);
    g_autofree char *program = g_file_read_link(exe, NULL);
    g_autofree char *text = read_proc(pid, "smaps");
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    unsigned kind = 0;

    for (unsigned i = 0; i < N_MAPPINGS; i++)
        mb[i] = 0;
    for (char **line = lines; *line; line++) {
        if (g_ascii_isxdigit(**line) && strchr(*line, '-') && !g_ascii_isupper(**line))
            kind = mapping_kind(*line, program ? program : "");
        else if (g_str_has_prefix(*line, "Private_Clean:") ||
                 g_str_has_prefix(*line, "Private_Dirty:"))
            mb[kind] += read_number(*line, ":") * 1024 / 1e6;
    }
}

static double
task_wakeups(pid_t pid, const char *task, const char *thread)
{
    g_autofree char *status_file = g_strdup_printf("task/%s/status", task);
    g_autofree char *comm_file = g_strdup_printf("task/%s/comm", task);
    g_autofree char *comm = g_strchomp(read_proc(pid, comm_file));
    g_autofree char *status = read_proc(pid, status_file);

    if (thread && !g_str_equal(comm, thread))
        return 0;
    return read_number(status, "\nvoluntary_ctxt_switches:");
}

double
process_wakeups(pid_t pid, const char *thread)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/task", pid);
    g_autoptr(GDir) tasks = g_dir_open(path, 0, NULL);
    const char *task;
    double sum = 0;

    while (tasks && (task = g_dir_read_name(tasks)))
        sum += task_wakeups(pid, task, thread);
    return sum;
}
