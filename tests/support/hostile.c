/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostile.h"

#include "rounds.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

#define IDLE_NAME        "org.unraid.Vms.idle"
#define DESCRIPTION      6000
#define READS            21
#define TIMES            3
#define ATTEMPTS         3
#define FLOOR_USEC       5000
#define MEMORY_BOUND_KIB (256 * 1024)

struct Others {
    World *world;
    Process *idle;
    Client *of_idle;
    Client *of_service;
    gint64 before_usec;
};

Service *
hostile_service(World *w)
{
    g_autoptr(Node) node = node_new();
    g_autofree char *description = g_strnfill(DESCRIPTION, 'd');

    for (guint i = 0; i < HOSTILE_DOMAINS; i++) {
        g_autofree char *name = g_strdup_printf("domain%u", i);

        node_add_domain(
            node, &(NodeDomain){.name = name, .state = "running", .description = description});
    }
    return service_on_node_in(w, node, "--stop-timeout=60", NULL);
}

/* --- how long a read takes ---------------------------------------------------------------- */

/* Of a process so far. */
typedef struct {
    gint64 main_usec;   /* CPU time of its main thread */
    gint64 waited_usec; /* that thread was ready to run, and had no processor */
    gint64 all_usec;    /* CPU time of all threads */
} ProcessorUse;

/* "sched-stats" of the kernel's documentation: CPU time and waiting of the main thread, in ns. All
 * 0 where the kernel does not count them. */
static ProcessorUse
processor_use(const Process *p)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/schedstat", (int)process_pid(p));
    g_autofree char *text = NULL;
    clockid_t clock;
    struct timespec all;
    char *waited;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return (ProcessorUse){0};
    gint64 main_usec = g_ascii_strtoll(text, &waited, 10) / 1000;
    g_assert_cmpint(clock_getcpuclockid(process_pid(p), &clock), ==, 0);
    g_assert_cmpint(clock_gettime(clock, &all), ==, 0);
    return (ProcessorUse){
        .main_usec = main_usec,
        .waited_usec = g_ascii_strtoll(waited, NULL, 10) / 1000,
        .all_usec = (gint64)all.tv_sec * G_USEC_PER_SEC + all.tv_nsec / 1000,
    };
}

/* Without the time in which other programs had the processor of the one that answers: the two
 * instances may be on different ones. Its own work always counts, that of its other threads too. */
static gint64
read_once(Client *c, const Process *answers)
{
    ProcessorUse before = processor_use(answers);
    g_autoptr(Call) call = client_call(c, VMS_ROOT_PATH, "org.freedesktop.DBus.Properties", "Get",
                                       "ss", VMS_MANAGER_INTERFACE, "Version");
    ProcessorUse after = processor_use(answers);
    gint64 main_usec = after.main_usec - before.main_usec;
    gint64 threads_usec = MAX(after.all_usec - before.all_usec - main_usec, 0);
    gint64 others_usec = MAX(after.waited_usec - before.waited_usec - threads_usec, 0);

    assert_ok(call);
    gint64 took_usec = call->done_usec - call->sent_usec;
    return MAX(took_usec - others_usec, MIN(main_usec, took_usec));
}

static int
compare_times(const void *a, const void *b)
{
    gint64 one = *(const gint64 *)a, other = *(const gint64 *)b;

    return (one > other) - (one < other);
}

static gint64
median(gint64 *times)
{
    qsort(times, READS, sizeof *times, compare_times);
    return times[READS / 2];
}

typedef struct {
    gint64 service_usec, idle_usec;
} Latencies;

/* In turns, so that both meet the same machine. */
static Latencies
measure(const Others *others)
{
    gint64 service[READS], idle[READS];

    for (guint i = 0; i < READS; i++) {
        idle[i] = read_once(others->of_idle, others->idle);
        service[i] = read_once(others->of_service, world_service(others->world));
    }
    return (Latencies){median(service), median(idle)};
}

/* --- the others --------------------------------------------------------------------------- */

static Process *
start_idle(World *w)
{
    g_autofree char *address = g_strconcat("--address=", world_address(w), NULL);
    const char *argv[] = {
        world_program(), address, "--name=" IDLE_NAME, "--uri=test:///default", NULL,
    };

    return process_spawn(argv, -1);
}

Others *
others_new(World *w)
{
    Others *others = g_new0(Others, 1);

    others->world = w;
    others->idle = start_idle(w);
    others->of_service = client_new(w);
    others->of_idle = client_new(w);
    g_free(others->of_idle->destination);
    others->of_idle->destination = g_strdup(IDLE_NAME);
    client_wait_owned(others->of_idle);
    client_wait_available(others->of_idle, true);
    others->before_usec = measure(others).service_usec;
    return others;
}

void
others_free(Others *others)
{
    if (!others)
        return;
    client_free(others->of_idle);
    client_free(others->of_service);
    process_signal(others->idle, SIGTERM);
    g_assert_cmpint(process_wait(others->idle, BOUND_MS), ==, 0);
    process_free(others->idle);
    g_free(others);
}

static bool
are_unhindered(const Others *others)
{
    Latencies now = measure(others);
    gint64 floor_usec = memory_counts() ? FLOOR_USEC : 4 * FLOOR_USEC;

    g_test_message("a read takes %" G_GINT64_FORMAT " us, %" G_GINT64_FORMAT
                   " us of an idle service, %" G_GINT64_FORMAT " us before: %.1f times",
                   now.service_usec, now.idle_usec, others->before_usec,
                   (double)now.service_usec / (double)now.idle_usec);
    return now.service_usec <= TIMES * now.idle_usec + floor_usec;
}

/* A machine that does something else for a moment is measured again. */
void
others_check(Others *others)
{
    for (guint i = 0; i < ATTEMPTS; i++)
        if (are_unhindered(others))
            return;
    g_error("the service is slow for others");
}

void
others_check_change(Others *others, const char *path)
{
    others_check(others);
    for (int autostart = 1; autostart >= 0; autostart--) {
        g_autoptr(Call) change = client_call(others->of_service, path, VMS_DOMAIN_INTERFACE,
                                             "SetAutostart", "b", autostart);

        assert_ok(change);
    }
}

void
others_check_memory(const Others *others)
{
    Holdings h = holdings_of(others->world);

    g_test_message("resident %" G_GUINT64_FORMAT " KiB, at most %" G_GUINT64_FORMAT " KiB", h.kib,
                   h.peak_kib);
    if (memory_counts())
        g_assert_cmpuint(h.peak_kib, <=, MEMORY_BOUND_KIB);
}
