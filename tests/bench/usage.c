/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The figures of guests that run: a tick of Usage, beside the one call to libvirt that it makes and
 * libvirt-dbus's GetStats on each. What each costs is the CPU time that it takes in its process and
 * in libvirtd, without what these take meanwhile anyway.
 */

#include "bench.h"

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>
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

void
bench_start_guests(Bench *b, unsigned n)
{
    g_autofree char *script =
        g_strdup_printf("mkdir -p /var/lib/libvirt/images && for i in $(seq %u); do "
                        "fallocate -l 1M /var/lib/libvirt/images/$i.img; done",
                        n);
    const char *argv[] = {"sh", "-c", script, NULL};
    unsigned before = b->guests->len;

    watch_reset(b->watch);
    g_assert_cmpint(process_run(argv, NULL, NULL), ==, 0);
    while (b->guests->len < n) {
        virDomainPtr dom = find_machine(b, b->guests->len + 1);

        if (virDomainCreate(dom) < 0)
            g_error("a guest does not start: %s", virGetLastErrorMessage());
        g_ptr_array_add(b->guests, dom);
    }
    watch_until(b->watch, b->watch->state.n >= n - before);
    /* Their XML and the capacities of their disks are read after the start. */
    bench_wait_read(b);
    g_usleep((b->is_short ? 2 : 5) * G_USEC_PER_SEC);
}

void
bench_end_guests(Bench *b)
{
    for (unsigned i = 0; i < b->guests->len; i++) {
        g_assert_cmpint(virDomainDestroy(b->guests->pdata[i]), ==, 0);
        virDomainFree(b->guests->pdata[i]);
    }
    g_ptr_array_set_size(b->guests, 0);
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
ask_libvirt(const Bench *b)
{
    g_autofree virDomainPtr *doms = g_new0(virDomainPtr, b->guests->len + 1);
    virDomainStatsRecordPtr *records = NULL;

    memcpy(doms, b->guests->pdata, b->guests->len * sizeof *doms);
    if (virDomainListGetStats(doms, FLOOR_GROUPS, &records,
                              VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE |
                                  VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT) < 0)
        g_error("%s", virGetLastErrorMessage());
    virDomainStatsRecordListFree(records);
}

/* As far apart as ticks are: what is called at once again is cheaper. */
static void
measure_floor(Bench *b, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        g_usleep(INTERVAL);
        double before = cpu_of(getpid());
        ask_libvirt(b);
        bench_add(b, "usage-floor", "ms", cpu_of(getpid()) - before);
    }
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

/* Each of these ticks, without that much. Returns their mean. */
static double
measure_ticks(Bench *b, Subscriber *s, const char *series, unsigned times, double less)
{
    double sum = 0;

    for (unsigned i = 0; i < times; i++) {
        double before = cpu_of(bench_service_pid(b));

        wait_ticks(s, 1);
        double tick = cpu_of(bench_service_pid(b)) - before - less;
        bench_add(b, series, "ms", tick);
        sum += tick;
    }
    return sum / times;
}

static double
measure_rest(Bench *b, unsigned seconds)
{
    double before = cpu_of(bench_service_pid(b));

    g_usleep(seconds * G_USEC_PER_SEC);
    return (cpu_of(bench_service_pid(b)) - before) / seconds;
}

void
bench_usage(Bench *b)
{
    unsigned n = MIN(b->is_short ? 3U : RUNNING_MAX, b->n_defined);
    unsigned times = b->is_short ? 1 : MIN(b->idle_seconds, 20);
    Subscriber first = {NULL};
    Subscriber second = {NULL};

    bench_start_guests(b, n);
    double rest = measure_rest(b, times);
    measure_floor(b, times);
    subscribe(&first, b);
    wait_ticks(&first, 1);
    double one = measure_ticks(b, &first, "usage-tick", times, rest);
    subscribe(&second, b);
    wait_ticks(&second, 1);
    measure_ticks(b, &second, "usage-second", times, rest + one);
    leave(&first);
    leave(&second);
    for (unsigned i = 0; i < times; i++)
        bench_add(b, "usage-peer", "ms", measure_peer(b, n));
}
