/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench.h"

#include "libvirtd.h"

static virDomainPtr
find(Bench *b, const char *name)
{
    virDomainPtr dom = virDomainLookupByName(b->floor.conn, name);

    if (!dom)
        g_error("no domain %s", name);
    return dom;
}

/* --- from libvirt's callback to the client ------------------------------------------------ */

static void
measure_event(Bench *b, virDomainPtr dom, int event, int (*act)(virDomainPtr))
{
    watch_reset(b->watch);
    floor_expect(event);
    g_assert_cmpint(act(dom), ==, 0);
    watch_until(b->watch,
                floor_event_time() > 0 && b->watch->state.n > 0 && b->watch->peer_event.n > 0);
    bench_add(b, "event", "ms", b->watch->state.at - floor_event_time());
    bench_add(b, "event-peer", "ms", b->watch->peer_event.at - floor_event_time());

    double begin = now_ms();
    floor_look(&b->floor, dom);
    bench_add(b, "round-trip", "ms", now_ms() - begin);
}

void
bench_event(Bench *b)
{
    virDomainPtr dom = find(b, "guest");

    g_assert_cmpint(virDomainCreate(dom), ==, 0);
    watch_until(b->watch, b->watch->state.n > 0);
    /* Wait for the title, which is read again after the start, so that it is not measured. */
    g_usleep(G_USEC_PER_SEC / 2);
    for (unsigned i = 0; i < 10 * b->rounds; i++) {
        measure_event(b, dom, VIR_DOMAIN_EVENT_SUSPENDED, virDomainSuspend);
        measure_event(b, dom, VIR_DOMAIN_EVENT_RESUMED, virDomainResume);
    }
    g_assert_cmpint(virDomainDestroy(dom), ==, 0);
    virDomainFree(dom);
}

/* --- from libvirt's callback to the reply of Stop ----------------------------------------- */

static int
on_stopped(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    double *at = userdata;

    if (sd_bus_message_is_method_error(reply, NULL))
        g_error("Stop: %s", sd_bus_message_get_error(reply)->message);
    *at = now_ms();
    return 0;
}

static void
measure_stop(Bench *b, virDomainPtr dom, const char *path)
{
    double replied = 0;
    sd_bus_slot *slot = NULL;

    g_assert_cmpint(virDomainCreate(dom), ==, 0);
    guest_wait(b->world, "guest", "VMS-GUEST-READY");
    floor_expect(VIR_DOMAIN_EVENT_STOPPED);
    g_assert_cmpint(sd_bus_call_method_async(b->watch->bus, &slot, OURS, path,
                                             "org.unraid.Vms.Domain", "Stop", on_stopped, &replied,
                                             ""),
                    >=, 0);
    watch_until(b->watch, floor_event_time() > 0 && replied > 0);
    bench_add(b, "stop", "ms", replied - floor_event_time());
    sd_bus_slot_unref(slot);
}

void
bench_stop(Bench *b)
{
    virDomainPtr dom = find(b, "guest");
    g_autofree char *path = guest_path(b->world, "guest");

    for (unsigned round = 0; round < b->rounds; round++)
        measure_stop(b, dom, path);
    virDomainFree(dom);
}
