/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The figures of guests that run: a tick of Usage, beside the one call to libvirt that it makes and
 * libvirt-dbus's GetStats on each. What each costs is the CPU time that it takes in its process and
 * in libvirtd, without what these take meanwhile anyway.
 */

#include "bench.h"

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <unistd.h>

#define RUNNING_MAX 50
#define INTERVAL    UINT64_C(1000000)
#define ROOT_PATH   "/org/unraid/Vms"
#define MANAGER     "org.unraid.Vms.Manager"

#define FLOOR_GROUPS                                                                               \
    (VIR_DOMAIN_STATS_CPU_TOTAL | VIR_DOMAIN_STATS_BALLOON | VIR_DOMAIN_STATS_INTERFACE |          \
     VIR_DOMAIN_STATS_BLOCK)

typedef struct {
    sd_bus *bus;
    sd_bus_slot *slot;
    unsigned n;
} Subscriber;

static int
on_usage(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    ((Subscriber *)userdata)->n++;
    return 0;
}

static void
subscribe(Subscriber *s, const Bench *b)
{
    s->bus = bus_connect(world_address(b->world));
    g_assert_cmpint(
        sd_bus_match_signal(s->bus, &s->slot, NULL, ROOT_PATH, MANAGER, "Usage", on_usage, s), >=,
        0);
    sd_bus_message_unref(
        bus_call(s->bus, OURS, ROOT_PATH, MANAGER, "SubscribeUsage", "ta{sv}", INTERVAL, 0));
}

static void
wait_ticks(Subscriber *s, unsigned n)
{
    for (unsigned begin = s->n; s->n < begin + n;) {
        int r = sd_bus_process(s->bus, NULL);

        if (r == 0)
            r = sd_bus_wait(s->bus, UINT64_MAX);
        g_assert_cmpint(r, >=, 0);
    }
}

static void
leave(Subscriber *s)
{
    sd_bus_slot_unref(s->slot);
    sd_bus_flush_close_unref(s->bus);
}

/* --- the guests --------------------------------------------------------------------------- */

static virDomainPtr
find_machine(const Bench *b, unsigned i)
{
    g_autofree char *name = g_strdup_printf("machine-%05u", i);
    virDomainPtr dom = virDomainLookupByName(b->floor.conn, name);

    if (!dom)
        g_error("no domain %s", name);
    return dom;
}

virDomainPtr *
bench_start_guests(Bench *b, unsigned n)
{
    g_autofree char *script =
        g_strdup_printf("mkdir -p /var/lib/libvirt/images && for i in $(seq %u); do "
                        "fallocate -l 1M /var/lib/libvirt/images/$i.img; done",
                        n);
    const char *argv[] = {"sh", "-c", script, NULL};
    virDomainPtr *doms = g_new0(virDomainPtr, n + 1);

    watch_reset(b->watch);
    g_assert_cmpint(process_run(argv, NULL, NULL), ==, 0);
    for (unsigned i = 0; i < n; i++) {
        doms[i] = find_machine(b, i + 1);
        if (virDomainCreate(doms[i]) < 0)
            g_error("a guest does not start: %s", virGetLastErrorMessage());
    }
    watch_until(b->watch, b->watch->state.n >= n);
    /* Their XML and the capacities of their disks are read after the start. */
    g_usleep((b->is_short ? 2 : 20) * G_USEC_PER_SEC);
    return doms;
}

void
bench_end_guests(virDomainPtr *doms)
{
    for (virDomainPtr *dom = doms; *dom; dom++) {
        g_assert_cmpint(virDomainDestroy(*dom), ==, 0);
        virDomainFree(*dom);
    }
    g_free(doms);
}

/* --- what it costs ------------------------------------------------------------------------ */

static pid_t
libvirtd_pid(void)
{
    const char *argv[] = {"libvirtd-ctl", "pid", NULL};
    g_autofree char *output = NULL;

    g_assert_cmpint(process_run(argv, &output, NULL), ==, 0);
    return (pid_t)atoi(output);
}

static double
cpu_of(pid_t pid)
{
    return process_cpu_ms(pid) + process_cpu_ms(libvirtd_pid());
}

static void
ask_libvirt(virDomainPtr *doms)
{
    virDomainStatsRecordPtr *records = NULL;

    if (virDomainListGetStats(doms, FLOOR_GROUPS, &records,
                              VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE |
                                  VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT) < 0)
        g_error("%s", virGetLastErrorMessage());
    virDomainStatsRecordListFree(records);
}

/* As far apart as ticks are: what is called at once again is cheaper. */
static double
measure_floor(virDomainPtr *doms, unsigned times)
{
    double sum = 0;

    for (unsigned i = 0; i < times; i++) {
        g_usleep(INTERVAL);
        double before = cpu_of(getpid());
        ask_libvirt(doms);
        sum += cpu_of(getpid()) - before;
    }
    return sum / times;
}

static double
measure_peer(Bench *b, unsigned n)
{
    double before = cpu_of(process_pid(b->peer));

    for (unsigned i = 1; i <= n; i++) {
        g_autofree char *path =
            g_strdup_printf(PEER_PATH "/domain/_00000000_0000_4000_8000_%012x", i);

        sd_bus_message_unref(
            bus_call(b->bus, PEER, path, "org.libvirt.Domain", "GetStats", "uu", FLOOR_GROUPS, 0));
    }
    return cpu_of(process_pid(b->peer)) - before;
}

static double
measure_ticks(Bench *b, Subscriber *s, unsigned times)
{
    double before = cpu_of(bench_service_pid(b));

    wait_ticks(s, times);
    return (cpu_of(bench_service_pid(b)) - before) / times;
}

static double
measure_rest(Bench *b, unsigned seconds)
{
    double before = cpu_of(bench_service_pid(b));

    g_usleep(seconds * G_USEC_PER_SEC);
    return (cpu_of(bench_service_pid(b)) - before) / seconds;
}

static void
measure_round(Bench *b, virDomainPtr *doms, unsigned n, unsigned times)
{
    Subscriber first = {NULL};
    Subscriber second = {NULL};
    double rest = measure_rest(b, times);

    bench_add(b, "usage-floor", "ms", measure_floor(doms, times));
    subscribe(&first, b);
    wait_ticks(&first, 1);
    double one = measure_ticks(b, &first, times) - rest;
    bench_add(b, "usage-tick", "ms", one);
    subscribe(&second, b);
    wait_ticks(&second, 1);
    bench_add(b, "usage-second", "ms", measure_ticks(b, &second, times) - rest - one);
    leave(&first);
    leave(&second);
    bench_add(b, "usage-peer", "ms", measure_peer(b, n));
}

void
bench_usage(Bench *b)
{
    unsigned n = MIN(b->is_short ? 3U : RUNNING_MAX, b->n_defined);
    unsigned times = b->is_short ? 1 : MIN(b->idle_seconds, 20);
    virDomainPtr *doms = bench_start_guests(b, n);

    for (unsigned round = 0; round < MIN(b->rounds, 3); round++)
        measure_round(b, doms, n, times);
    /* Lanes that nobody needs any more leave within half a minute. */
    g_usleep((b->is_short ? 1 : 35) * G_USEC_PER_SEC);
    double before = process_wakeups(bench_service_pid(b), NULL);
    g_usleep(b->idle_seconds * G_USEC_PER_SEC);
    bench_add(b, "usage-idle", "/min",
              (process_wakeups(bench_service_pid(b), NULL) - before) * 60 / b->idle_seconds);
    bench_end_guests(doms);
}
