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

/* The domains of which the service has something to read. */
static uint32_t
backlog(Bench *b)
{
    sd_bus_message *reply =
        bus_call(b->bus, OURS, "/org/unraid/Vms", "org.unraid.Vms.Debug", "GetState", NULL);
    uint32_t n = UINT32_MAX;
    const char *key;

    g_assert_cmpint(sd_bus_message_enter_container(reply, 'a', "{sv}"), >, 0);
    while (sd_bus_message_enter_container(reply, 'e', "sv") > 0) {
        g_assert_cmpint(sd_bus_message_read(reply, "s", &key), >, 0);
        if (g_str_equal(key, "refresh_backlog"))
            g_assert_cmpint(sd_bus_message_read(reply, "v", "u", &n), >, 0);
        else
            g_assert_cmpint(sd_bus_message_skip(reply, "v"), >, 0);
        g_assert_cmpint(sd_bus_message_exit_container(reply), >=, 0);
    }
    sd_bus_message_unref(reply);
    return n;
}

/* At rest the service has read everything that the event before has changed. */
static void
measure_event(Bench *b, virDomainPtr dom, bool at_rest, int event, int (*act)(virDomainPtr))
{
    while (at_rest && backlog(b) > 0)
        continue;
    watch_reset(b->watch);
    floor_expect(event);
    g_assert_cmpint(act(dom), ==, 0);
    watch_until(b->watch,
                floor_event_time() > 0 && b->watch->state.n > 0 && b->watch->peer_event.n > 0);
    bench_add(b, at_rest ? "event" : "event-busy", "ms", b->watch->state.at - floor_event_time());
    bench_add(b, at_rest ? "event-peer" : "event-busy-peer", "ms",
              b->watch->peer_event.at - floor_event_time());

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
        measure_event(b, dom, i % 2 == 0, VIR_DOMAIN_EVENT_SUSPENDED, virDomainSuspend);
        measure_event(b, dom, i % 2 == 0, VIR_DOMAIN_EVENT_RESUMED, virDomainResume);
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
