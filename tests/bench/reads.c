/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench.h"

#include <signal.h>
#include <string.h>

#define OBJECT_MANAGER_INTERFACE "org.freedesktop.DBus.ObjectManager"
#define MANAGER_INTERFACE        "org.unraid.Vms.Manager"
#define DOMAIN_INTERFACE         "org.unraid.Vms.Domain"
#define PEER_INTERFACE_DOMAIN    "org.libvirt.Domain"
#define ROOT_PATH                "/org/unraid/Vms"

static const char domain_path[] = "/org/unraid/Vms/domain/00000000_0000_4000_8000_000000000001";
static const char peer_path[] = PEER_PATH "/domain/_00000000_0000_4000_8000_000000000001";

static double
time_managed_objects(Bench *b)
{
    return bus_time(b->bus, OURS, ROOT_PATH, OBJECT_MANAGER_INTERFACE, "GetManagedObjects", NULL);
}

static double
time_peer_all(Bench *b, unsigned in_flight)
{
    double begin = now_ms();
    g_autoptr(GPtrArray) paths = peer_list(b->bus);

    peer_get_all(b->bus, paths, in_flight);
    return now_ms() - begin;
}

void
bench_managed_objects(Bench *b, bool with_peer)
{
    for (unsigned round = 0; round < b->rounds; round++) {
        for (unsigned i = 0; i < (b->is_short ? 5 : 20); i++) {
            double cpu = process_cpu_ms(bench_service_pid(b));

            bench_add(b, "objects", "ms", time_managed_objects(b));
            bench_add(b, "objects-cpu", "ms", process_cpu_ms(bench_service_pid(b)) - cpu);
        }
        if (!with_peer)
            continue;
        bench_add(b, "objects-peer-16", "ms", time_peer_all(b, 16));
        bench_add(b, "objects-peer-1", "ms", time_peer_all(b, 1));
    }
}

static double
time_get(Bench *b)
{
    return bus_time(b->bus, OURS, domain_path, PROPERTIES_INTERFACE, "Get", "ss", DOMAIN_INTERFACE,
                    "State");
}

static double
time_ping(Bench *b, const char *name, const char *path)
{
    return bus_time(b->bus, name, path, "org.freedesktop.DBus.Peer", "Ping", NULL);
}

void
bench_property(Bench *b)
{
    for (unsigned i = 0; i < 100 * b->quick_rounds; i++) {
        bench_add(b, "get", "ms", time_get(b));
        bench_add(b, "ping", "ms", time_ping(b, OURS, domain_path));
        bench_add(b, "get-peer", "ms",
                  bus_time(b->bus, PEER, peer_path, PROPERTIES_INTERFACE, "Get", "ss",
                           PEER_INTERFACE_DOMAIN, "Active"));
        bench_add(b, "ping-peer", "ms", time_ping(b, PEER, peer_path));
    }
}

static double
time_virsh(void)
{
    const char *argv[] = {"virsh", "-q", "-c", "qemu:///system", "list", "--all", NULL};
    double begin = now_ms();
    g_autofree char *output = NULL;

    g_assert_cmpint(process_run(argv, &output, NULL), ==, 0);
    return now_ms() - begin;
}

static void
measure_floor_list(Bench *b)
{
    FloorTimes times = floor_ask(b->bare_list, "qemu:///system", false);

    bench_add(b, "list-floor-names", "ms", times.names);
    bench_add(b, "list-floor", "ms", times.bulk);
}

void
bench_list(Bench *b, bool with_peer)
{
    for (unsigned round = 0; round < 2 * b->quick_rounds; round++) {
        measure_floor_list(b);
        bench_add(b, "list", "ms",
                  bus_time(b->bus, OURS, ROOT_PATH, MANAGER_INTERFACE, "ListDomains", NULL));
        if (with_peer)
            bench_add(b, "list-virsh", "ms", time_virsh());
    }
}

/* --- while libvirtd is frozen ------------------------------------------------------------- */

static void
signal_libvirtd(Bench *b, const char *verb)
{
    const char *argv[] = {"libvirtd-ctl", verb, NULL};

    g_assert_cmpint(process_run(argv, NULL, NULL), ==, 0);
}

static void
read_for_a_while(Bench *b, const char *series_get, const char *series_all)
{
    for (unsigned i = 0; i < 5 * b->quick_rounds; i++) {
        for (unsigned j = 0; j < 20; j++)
            bench_add(b, series_get, "ms", time_get(b));
        bench_add(b, series_all, "ms", time_managed_objects(b));
    }
}

/* How long libvirt-dbus takes to answer, with whatever it answers. */
static double
time_peer_frozen(Bench *b)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    double begin = now_ms();

    (void)sd_bus_call_method(b->bus, PEER, peer_path, PROPERTIES_INTERFACE, "Get", &error, NULL,
                             "ss", PEER_INTERFACE_DOMAIN, "Active");
    sd_bus_error_free(&error);
    return now_ms() - begin;
}

void
bench_thawed(Bench *b)
{
    read_for_a_while(b, "thawed-get", "thawed-objects");
}

/* bench_thawed() measures the values to compare with, before and after. */
void
bench_frozen(Bench *b)
{
    bench_thawed(b);
    signal_libvirtd(b, "freeze");
    /* The first reads meet libvirtd as it freezes, the last ones when it is known to be lost. */
    read_for_a_while(b, "frozen-get", "frozen-objects");
    if (!b->is_short) {
        bench_add(b, "frozen-get-peer", "ms", time_peer_frozen(b));
        read_for_a_while(b, "frozen-get", "frozen-objects");
    }
    watch_reset(b->watch);
    signal_libvirtd(b, "thaw");
}
