/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench.h"

#include "libvirtd.h"
#include "stages.h"

/* Both services have gone to sleep by then. */
#define REST_USEC 5000

static virDomainPtr
find(Bench *b, const char *name)
{
    virDomainPtr dom = virDomainLookupByName(b->floor.conn, name);

    if (!dom)
        g_error("no domain %s", name);
    return dom;
}

/* --- from the call that causes an event to the client ------------------------------- */

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

/*
 * The call that causes the event, made by a thread of its own, so that the watch stamps the signals
 * as they come: libvirtd sends the event before the reply. All times of an event begin just before
 * the call, when nobody can have seen the event.
 */
typedef struct {
    virDomainPtr dom;
    int (*act)(virDomainPtr);
    double begin;
    int result;
} Trigger;

static gpointer
pull(gpointer userdata)
{
    Trigger *trigger = userdata;

    trigger->begin = now_ms();
    trigger->result = trigger->act(trigger->dom);
    return NULL;
}

static void
add_event(Bench *b, bool at_rest, const char *series, double value)
{
    g_autofree char *name = g_strconcat(at_rest ? "event" : "event-busy", series, NULL);

    bench_add(b, name, "ms", value);
}

void
bench_wait_read(Bench *b)
{
    while (backlog(b) > 0)
        continue;
}

/* Until the service and libvirt-dbus sleep. */
static void
let_rest(Bench *b)
{
    bench_wait_read(b);
    g_usleep(REST_USEC);
}

/* Returns when both services have told the event. */
static Trigger
cause(Bench *b, virDomainPtr dom, int event, int (*act)(virDomainPtr))
{
    Trigger trigger = {.dom = dom, .act = act};

    watch_reset(b->watch);
    floor_expect(event);
    GThread *thread = g_thread_new("trigger", pull, &trigger);
    watch_until(b->watch,
                floor_event_time() > 0 && b->watch->state.n > 0 && b->watch->peer_event.n > 0);
    g_thread_join(thread);
    g_assert_cmpint(trigger.result, ==, 0);
    return trigger;
}

static void
measure_event(Bench *b, virDomainPtr dom, bool at_rest, int event, int (*act)(virDomainPtr))
{
    if (at_rest)
        let_rest(b);
    double begin = cause(b, dom, event, act).begin;
    add_event(b, at_rest, "-floor", floor_event_time() - begin);
    add_event(b, at_rest, "-peer", b->watch->peer_event.at - begin);
    add_event(b, at_rest, "", b->watch->state.at - begin);
    add_event(b, at_rest, "-difference", b->watch->state.at - b->watch->peer_event.at);

    begin = now_ms();
    floor_look(&b->floor, dom);
    bench_add(b, "round-trip", "ms", now_ms() - begin);
}

static void
measure_events(Bench *b, virDomainPtr dom, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        measure_event(b, dom, i % 2 == 0, VIR_DOMAIN_EVENT_SUSPENDED, virDomainSuspend);
        measure_event(b, dom, i % 2 == 0, VIR_DOMAIN_EVENT_RESUMED, virDomainResume);
    }
}

/* Where the time of an event at rest goes, with probes in the service. */
static void
measure_stages(Bench *b, virDomainPtr dom, int event, int (*act)(virDomainPtr))
{
    static const char *const series[N_STAGES] = {"stage-callback", "stage-loop",  "stage-read",
                                                 "stage-answer",   "stage-apply", "stage-signal"};
    double at[N_STAGES];

    let_rest(b);
    stages_reset();
    double before = cause(b, dom, event, act).begin;
    if (!stages_read(at))
        g_error("the probes tell less than all stages of an event");
    bench_add(b, "stages", "ms", b->watch->state.at - before);
    bench_add(b, "stages-peer", "ms", b->watch->peer_event.at - before);
    for (unsigned i = 0; i < N_STAGES; i++) {
        bench_add(b, series[i], "ms", at[i] - before);
        before = at[i];
    }
    bench_add(b, "stage-client", "ms", b->watch->state.at - before);
}

static void
measure_all_stages(Bench *b, virDomainPtr dom, unsigned n)
{
    if (!stages_open(world_program()))
        return;
    for (unsigned i = 0; i < n; i++) {
        measure_stages(b, dom, VIR_DOMAIN_EVENT_SUSPENDED, virDomainSuspend);
        measure_stages(b, dom, VIR_DOMAIN_EVENT_RESUMED, virDomainResume);
    }
    stages_close();
}

/* libvirtd sends an event to its clients in the order in which these have come: half of the events
 * with the service first, half with libvirt-dbus. */
void
bench_event(Bench *b)
{
    unsigned n = b->is_short ? 5 : 50;
    virDomainPtr dom = find(b, "guest");

    g_assert_cmpint(virDomainCreate(dom), ==, 0);
    watch_until(b->watch, b->watch->state.n > 0);
    for (unsigned round = 0; round < 2; round++) {
        if (round == 0)
            bench_restart_peer(b);
        else
            bench_restart_service(b);
        /* libvirt-dbus connects when it is called; and the title is read again after a start. */
        g_usleep(G_USEC_PER_SEC / 2);
        measure_events(b, dom, n);
    }
    measure_all_stages(b, dom, n);
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
