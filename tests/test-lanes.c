/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The calls that wait for a lane, on libvirt's embedded hypervisor. */

#include "lane-pool.h"

#define CALLS_MAX 100000

typedef struct {
    sd_event *event;
    Completion *completion;
    Lanes *lanes;
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
on_attempted(void *userdata, Attempted *result)
{
    World *w = userdata;

    g_assert_true(result->succeeded);
    lanes_adopt(w->lanes, result->attempt);
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

static const LanesCallbacks callbacks = {
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
    g_assert_cmpint(completion_new(w->event, &w->completion), >=, 0);
    w->lanes = lanes_new(w->event, w->completion, "test:///default", &callbacks, w);
    g_assert_nonnull(w->lanes);
    lanes_connect(w->lanes, 1);
    run_until(w, &w->connected);
}

static void
world_down(World *w)
{
    lanes_stop(w->lanes);
    run_until(w, &w->stopped);
    lanes_free(w->lanes);
    completion_free(w->completion);
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
    while (taken < CALLS_MAX && lanes_submit_limited(w.lanes, call_new(&w, CALL_READ)))
        taken++;
    g_assert_cmpuint(taken, <, CALLS_MAX);
    g_assert_false(lanes_submit_limited(w.lanes, call_new(&w, CALL_CHANGE)));
    lanes_submit(w.lanes, call_new(&w, CALL_CHANGE));
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
