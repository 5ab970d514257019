/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lane-world.h"

/* --- the pool's listener ---------------------------------------------------------------------- */

static void
on_connect_result(void *userdata, ConnectResult *result)
{
    World *w = userdata;

    w->attempted = result->attempt;
    w->has_version = result->identity.version != NULL;
    w->has_list = result->updates != NULL;
    if (result->succeeded && w->discards)
        lane_pool_discard(w->pool, result->attempt);
    else if (result->succeeded)
        lane_pool_adopt(w->pool, result->attempt);
    else
        g_string_append_printf(w->log, "failed:%u ", result->attempt);
}

static void
on_version(void *userdata, unsigned attempt, const char *version)
{
    World *w = userdata;

    g_string_append_printf(w->log, "version:%u:%s ", attempt, version);
}

static void
on_probed(void *userdata, bool answered)
{
    World *w = userdata;

    g_string_append_printf(w->log, "probed:%d ", answered);
}

static void
on_event(void *userdata, const HypervisorEvent *event)
{
}

static void
on_lost(void *userdata, unsigned generation, const char *message)
{
    World *w = userdata;

    g_string_append_printf(w->log, "lost:%u ", generation);
}

static void
on_hanging(void *userdata, const Call *call, uint64_t since)
{
    World *w = userdata;

    g_assert_cmpuint(clock_now_usec() - since, >=, 300 * MSEC);
    g_string_append_printf(w->log, "hangs:%s:%s ", call->key, call->name);
}

static void
on_returned(void *userdata, const Call *call, bool answered)
{
    World *w = userdata;

    g_string_append_printf(w->log, "returned:%s ", call->key);
}

static void
on_stopped(void *userdata)
{
    ((World *)userdata)->stopped = true;
}

static const LanePoolCallbacks callbacks = {
    .connect_result = on_connect_result,
    .version = on_version,
    .probed = on_probed,
    .event = on_event,
    .lost = on_lost,
    .hanging = on_hanging,
    .returned = on_returned,
    .stopped = on_stopped,
};

/* --- the world ------------------------------------------------------------------------------- */

unsigned
count_lanes(World *w, const char *state)
{
    LanePoolDescription description;
    unsigned n = 0;

    lane_pool_describe(w->pool, &description);
    for (unsigned i = 0; i < description.lanes->len; i++)
        n += g_str_equal(g_array_index(description.lanes, LaneDescription, i).state, state);
    lane_pool_description_clear(&description);
    return n;
}

unsigned
count_left_behind(World *w)
{
    LanePoolDescription description;
    unsigned n;

    lane_pool_describe(w->pool, &description);
    n = description.left_behind;
    lane_pool_description_clear(&description);
    return n;
}

static bool
no_lane_is_opening(void *userdata)
{
    return count_lanes(userdata, "opening") == 0;
}

static bool
is_attempted(void *userdata)
{
    return ((World *)userdata)->attempted > 0;
}

static bool
is_stopped(void *userdata)
{
    return ((World *)userdata)->stopped;
}

void
settle(World *w)
{
    fake_loop_wait(no_lane_is_opening, w);
}

void
pass(World *w, uint64_t usec)
{
    fake_loop_advance(usec);
    settle(w);
}

void
connect_pool(World *w, unsigned attempt)
{
    w->attempted = 0;
    lane_pool_connect(w->pool, attempt, true);
    fake_loop_wait(is_attempted, w);
    settle(w);
}

void
world_init_with(World *w, const char *uri)
{
    *w = (World){.log = g_string_new(NULL), .calls = g_ptr_array_new()};
    fake_loop_reset();
    fake_hypervisor_reset();
    g_assert_cmpint(loop_queue_new(NULL, &w->queue), ==, 0);
    w->pool = lane_pool_new(NULL, w->queue, uri, &callbacks, w);
    connect_pool(w, 1);
}

void
world_init(World *w)
{
    world_init_with(w, "qemu:///system");
}

static void
release(TestCall *call)
{
    g_mutex_lock(&call->mutex);
    call->release = true;
    g_cond_signal(&call->released);
    g_mutex_unlock(&call->mutex);
}

void
world_clear(World *w)
{
    lane_pool_stop(w->pool);
    for (unsigned i = 0; i < w->calls->len; i++)
        release(w->calls->pdata[i]);
    fake_hypervisor_hold_opens(false);
    fake_loop_wait(is_stopped, w);
    fake_loop_run();
    g_assert_cmpuint(w->calls->len, ==, 0);
    g_assert_cmpuint(fake_hypervisor_open_count(), ==, 0);
    lane_pool_free(w->pool);
    loop_queue_free(w->queue);
    g_string_free(w->log, TRUE);
    g_ptr_array_unref(w->calls);
}

void
expect_log(World *w, const char *log)
{
    g_assert_cmpstr(w->log->str, ==, log);
    g_string_truncate(w->log, 0);
}

/* --- calls ----------------------------------------------------------------------------------- */

static bool
work(Call *base, Hypervisor *h, Error **error)
{
    TestCall *call = (TestCall *)base;

    (void)g_atomic_int_compare_and_exchange(&base->gate, GATE_OPEN, GATE_PASSED);
    g_mutex_lock(&call->mutex);
    while (!call->release)
        g_cond_wait(&call->released, &call->mutex);
    g_mutex_unlock(&call->mutex);
    if (!hypervisor_is_alive(h)) {
        *error = error_new(ERROR_OPERATION_FAILED, "some reason");
        return false;
    }
    return true;
}

void
on_done(Call *base, CallOutcome outcome, const Error *error)
{
    TestCall *call = (TestCall *)base;

    g_assert_false(call->done);
    call->done = true;
    call->outcome = outcome;
}

static void
on_free(Call *base)
{
    TestCall *call = (TestCall *)base;

    g_ptr_array_remove(call->world->calls, call);
    if (call->freed)
        *call->freed = true;
    g_free(call);
}

TestCall *
submit_for(World *w, CallClass class, uid_t uid, const char *key)
{
    TestCall *call = g_new0(TestCall, 1);

    call->world = w;
    call->call.class = class;
    call->call.name = call_rules[class].name;
    call->call.uid = uid;
    g_strlcpy(call->call.key, key, sizeof call->call.key);
    call->call.work = work;
    call->call.done = on_done;
    call->call.free = on_free;
    g_ptr_array_add(w->calls, call);
    return lane_pool_submit_limited(w->pool, &call->call) ? call : NULL;
}

TestCall *
submit(World *w, CallClass class, const char *key)
{
    TestCall *call = submit_for(w, class, ROOT, key);

    settle(w);
    return call;
}

TestCall *
submit_nth(World *w, CallClass class, unsigned n)
{
    g_autofree char *key = g_strdup_printf("%s-%u", call_rules[class].name, n);

    return submit(w, class, key);
}

TestCall *
submit_at_pace(World *w, CallClass class, unsigned n)
{
    TestCall *call = submit_nth(w, class, n);

    pass(w, CALL_PACE_USEC);
    return call;
}

bool
is_under_way(const TestCall *call)
{
    return call->call.state == CALL_RUNNING || call->call.state == CALL_HANGING;
}

bool
is_set(void *flag)
{
    return *(bool *)flag;
}

void
finish_alone(TestCall *call)
{
    bool freed = false;

    call->freed = &freed;
    release(call);
    fake_loop_wait(is_set, &freed);
}

void
finish(World *w, TestCall *call)
{
    finish_alone(call);
    settle(w);
}
