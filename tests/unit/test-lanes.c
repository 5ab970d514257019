/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The calls that wait for a lane, on libvirt's embedded hypervisor. */

#include "lane-pool.h"

#include <systemd/sd-event.h>

#define CALLS_MAX 100000

typedef struct {
    sd_event *event;
    LoopQueue *loop_queue;
    LanePool *lane_pool;
    bool connected;
    bool stopped;
    GMutex hold; /* a call that waits for it keeps the only lane busy */
    guint done;
} World;

typedef struct {
    Call call;
    World *world;
} TestCall;

static void
on_attempted(void *userdata, ConnectResult *result)
{
    World *w = userdata;

    g_assert_true(result->succeeded);
    lane_pool_adopt(w->lane_pool, result->attempt);
    w->connected = true;
}

static void
on_event(void *userdata, const HypervisorEvent *event)
{
}

static void
on_lost(void *userdata, unsigned generation, const char *message)
{
    g_error("lost: %s", message);
}

static void
on_stopped(void *userdata)
{
    ((World *)userdata)->stopped = true;
}

static const LanePoolCallbacks callbacks = {
    .attempted = on_attempted,
    .event = on_event,
    .lost = on_lost,
    .stopped = on_stopped,
};

static void
run_until(World *w, const bool *condition)
{
    while (!*condition)
        g_assert_cmpint(sd_event_run(w->event, UINT64_MAX), >=, 0);
}

static void
world_up(World *w)
{
    g_autoptr(Error) error = NULL;

    g_assert_true(hypervisor_library_start(&error));
    g_mutex_init(&w->hold);
    g_assert_cmpint(sd_event_new(&w->event), >=, 0);
    g_assert_cmpint(loop_queue_new(w->event, &w->loop_queue), >=, 0);
    w->lane_pool = lane_pool_new(w->event, w->loop_queue, "test:///default", &callbacks, w);
    g_assert_nonnull(w->lane_pool);
    lane_pool_connect(w->lane_pool, 1);
    run_until(w, &w->connected);
}

static void
world_down(World *w)
{
    lane_pool_stop(w->lane_pool);
    run_until(w, &w->stopped);
    lane_pool_free(w->lane_pool);
    loop_queue_free(w->loop_queue);
    sd_event_unref(w->event);
    g_mutex_clear(&w->hold);
    hypervisor_library_stop();
}

static bool
work_wait(Call *call, Hypervisor *h, Error **error)
{
    World *w = ((TestCall *)call)->world;

    g_mutex_lock(&w->hold);
    g_mutex_unlock(&w->hold);
    return true;
}

static void
on_done(Call *call, CallOutcome outcome, const Error *error)
{
    g_assert_cmpint(outcome, ==, OUTCOME_OK);
    ((TestCall *)call)->world->done++;
}

static Call *
call_new(World *w, CallClass class)
{
    TestCall *test = g_new0(TestCall, 1);

    test->call.class = class;
    test->call.work = work_wait;
    test->call.done = on_done;
    test->world = w;
    return &test->call;
}

/* Clients' calls are refused when the queue is full; an operation's never is. */
static void
test_full_queue(void)
{
    World w = {0};
    guint taken = 0;

    world_up(&w);
    g_mutex_lock(&w.hold);
    while (taken < CALLS_MAX && lane_pool_submit_limited(w.lane_pool, call_new(&w, CALL_READ)))
        taken++;
    g_assert_cmpuint(taken, <, CALLS_MAX);
    g_assert_false(lane_pool_submit_limited(w.lane_pool, call_new(&w, CALL_CHANGE)));
    lane_pool_submit(w.lane_pool, call_new(&w, CALL_CHANGE));
    g_mutex_unlock(&w.hold);
    while (w.done < taken + 1)
        g_assert_cmpint(sd_event_run(w.event, UINT64_MAX), >=, 0);
    world_down(&w);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lanes/full-queue", test_full_queue);
    return g_test_run();
}
