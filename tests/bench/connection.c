/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench.h"

#include <signal.h>
#include <stdlib.h>

/* --- connect, list and publish ------------------------------------------------------------ */

static void
measure_floor_connect(Bench *b)
{
    FloorTimes times = floor_ask(b->bare_connect, b->uri, true);

    bench_add(b, "connect-floor-bulk", "ms", times.bulk);
    bench_add(b, "connect-floor", "ms", times.all);
}

/* The service waits for a socket that is not there; its time begins when it is. */
static void
measure_connect(Bench *b)
{
    char *uri_option = g_strconcat("--uri=", b->uri, NULL);

    bench_unlink_socket(b);
    watch_reset(b->watch);
    world_start(b->world, uri_option, NULL);
    g_free(uri_option);

    double cpu = process_cpu_ms(bench_service_pid(b));
    double bus_cpu = process_cpu_ms(process_pid(world_bus(b->world)));
    double begin = now_ms();
    bench_link_socket(b);
    watch_until(b->watch, b->watch->ready.n > 0 && b->watch->added.n >= b->n);
    bench_add(b, "connect-available-cpu", "ms", process_cpu_ms(bench_service_pid(b)) - cpu);
    bench_add(b, "connect-available-bus-cpu", "ms",
              process_cpu_ms(process_pid(world_bus(b->world))) - bus_cpu);
    bench_add(b, "connect-available", "ms", b->watch->ready.at - begin);
    bench_add(b, "connect-added", "ms", b->watch->added.at - begin);
    watch_until(b->watch, b->watch->titles.n >= b->n);
    bench_add(b, "connect-all", "ms", b->watch->titles.at - begin);
    bench_add(b, "connect-cpu", "ms", process_cpu_ms(bench_service_pid(b)) - cpu);
    world_stop(b->world);
}

void
bench_connect(Bench *b)
{
    unsigned rounds = b->n_defined > 1000 ? b->rounds : b->quick_rounds;

    for (unsigned round = 0; round < rounds; round++) {
        measure_floor_connect(b);
        measure_connect(b);
    }
    bench_link_socket(b);
}

/* --- one availability transition ---------------------------------------------------------- */

/* Reconnect drops the connection: every object's Available turns false, and true again later. */
void
bench_transition(Bench *b)
{
    for (unsigned round = 0; round < 2 * b->quick_rounds; round++) {
        double cpu = process_cpu_ms(bench_service_pid(b));
        double begin = now_ms();
        sd_bus_slot *slot = NULL;

        watch_reset(b->watch);
        g_assert_cmpint(sd_bus_call_method_async(b->watch->bus, &slot, OURS, "/org/unraid/Vms",
                                                 "org.unraid.Vms.Manager", "Reconnect", NULL, NULL,
                                                 ""),
                        >=, 0);
        watch_until(b->watch, b->watch->lost.n >= b->n);
        bench_add(b, "transition", "ms", b->watch->lost.at - begin);
        watch_until(b->watch, b->watch->back.n >= b->n && b->watch->ready.n > 0);
        bench_add(b, "transition-back", "ms", b->watch->back.at - begin);
        bench_add(b, "transition-cpu", "ms", process_cpu_ms(bench_service_pid(b)) - cpu);
        sd_bus_slot_unref(slot);
    }
}

/* --- recovery ----------------------------------------------------------------------------- */

/* The time of a starting daemon's first answer, found by asking all the time. */
static gpointer
probe(gpointer userdata)
{
    double *answered = userdata;

    for (;;) {
        virConnectPtr conn = virConnectOpen("qemu:///system");
        unsigned long version;

        if (conn && virConnectGetLibVersion(conn, &version) == 0) {
            *answered = now_ms();
            virConnectClose(conn);
            return NULL;
        }
        if (conn)
            virConnectClose(conn);
        g_usleep(1000);
    }
}

static void
measure_recovery(Bench *b)
{
    const char *kill[] = {"libvirtd-ctl", "kill", NULL};
    const char *start[] = {"libvirtd-ctl", "start", NULL};
    double answered = 0;

    watch_reset(b->watch);
    g_assert_cmpint(process_run(kill, NULL, NULL), ==, 0);
    watch_until(b->watch, b->watch->manager_lost.n > 0);
    watch_reset(b->watch);

    GThread *prober = g_thread_new("probe", probe, &answered);
    g_autoptr(Process) starter = process_spawn(start, -1);
    watch_until(b->watch, b->watch->ready.n > 0);
    g_thread_join(prober);
    g_assert_cmpint(process_wait(starter, 60000), ==, 0);
    bench_add(b, "recovery", "ms", b->watch->ready.at - answered);

    /* libvirt-dbus connects when it is called. */
    double begin = now_ms();
    g_autoptr(GPtrArray) paths G_GNUC_UNUSED = peer_list(b->bus);
    bench_add(b, "recovery-peer", "ms", now_ms() - begin);
}

void
bench_recovery(Bench *b)
{
    floor_close(&b->floor);
    for (unsigned round = 0; round < b->rounds; round++)
        measure_recovery(b);
    floor_open(&b->floor, "qemu:///system");
}
