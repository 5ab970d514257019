/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The lane pool with its own threads, but a clock that only the test moves and a libvirt whose
 * calls return when the test says so.
 */

#include "clock.h"
#include "fake-hypervisor.h"
#include "fake-loop.h"
#include "lane-pool.h"

#define MSEC  UINT64_C(1000)
#define SEC   (1000 * MSEC)
#define ROOT  0
#define ALICE 1000

typedef struct {
    LoopQueue *queue;
    LanePool *pool;
    GString *log;
    unsigned attempted;
    bool discards; /* connections come too late */
    bool stopped;
    GPtrArray *calls; /* TestCall: those that are not freed yet */
} World;

typedef struct {
    Call call;
    World *world;
    GMutex mutex;
    GCond released;
    bool release;
    bool fails;
    bool *freed; /* to be set then */
    CallOutcome outcome;
    bool done;
} TestCall;

/* --- the pool's listener ---------------------------------------------------------------------- */

static void
on_attempted(void *userdata, ConnectResult *result)
{
    World *w = userdata;

    w->attempted = result->attempt;
    if (result->succeeded && w->discards)
        lane_pool_discard(w->pool, result->attempt);
    else if (result->succeeded)
        lane_pool_adopt(w->pool, result->attempt);
    else
        g_string_append_printf(w->log, "failed:%u ", result->attempt);
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
on_returned(void *userdata, const Call *call)
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
    .attempted = on_attempted,
    .probed = on_probed,
    .event = on_event,
    .lost = on_lost,
    .hanging = on_hanging,
    .returned = on_returned,
    .stopped = on_stopped,
};

/* --- the world ------------------------------------------------------------------------------- */

static unsigned
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

static unsigned
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
nothing_is_left_behind(void *userdata)
{
    return count_left_behind(userdata) == 0;
}

static bool
is_stopped(void *userdata)
{
    return ((World *)userdata)->stopped;
}

static void
settle(World *w)
{
    fake_loop_wait(no_lane_is_opening, w);
}

static void
pass(World *w, uint64_t usec)
{
    fake_loop_advance(usec);
    settle(w);
}

static void
connect_pool(World *w, unsigned attempt)
{
    w->attempted = 0;
    lane_pool_connect(w->pool, attempt);
    fake_loop_wait(is_attempted, w);
    settle(w);
}

static void
world_init_with(World *w, const char *uri)
{
    *w = (World){.log = g_string_new(NULL), .calls = g_ptr_array_new()};
    fake_loop_reset();
    fake_hypervisor_reset();
    g_assert_cmpint(loop_queue_new(NULL, &w->queue), ==, 0);
    w->pool = lane_pool_new(NULL, w->queue, uri, &callbacks, w);
    connect_pool(w, 1);
}

static void
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

static void
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

static void
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
    if (call->fails || !hypervisor_is_alive(h)) {
        *error = error_new(ERROR_OPERATION_FAILED, "some reason");
        return false;
    }
    return true;
}

static void
on_done(Call *base, CallOutcome outcome, const Error *error)
{
    TestCall *call = (TestCall *)base;

    g_assert_false(call->done);
    call->done = true;
    call->outcome = outcome;
}

/* Called when nobody uses it any more; the test looks at it until it has said done_with(). */
static void
on_free(Call *base)
{
    TestCall *call = (TestCall *)base;

    g_ptr_array_remove(call->world->calls, call);
    if (call->freed)
        *call->freed = true;
    g_free(call);
}

static TestCall *
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

static TestCall *
submit(World *w, CallClass class, const char *key)
{
    TestCall *call = submit_for(w, class, ROOT, key);

    settle(w);
    return call;
}

static TestCall *
submit_nth(World *w, CallClass class, unsigned n)
{
    g_autofree char *key = g_strdup_printf("%s-%u", call_rules[class].name, n);

    return submit(w, class, key);
}

static bool
is_under_way(const TestCall *call)
{
    return call->call.state == CALL_RUNNING || call->call.state == CALL_HANGING;
}

static bool
is_freed(void *userdata)
{
    return *(bool *)userdata;
}

/* Let it return, and wait until it has. */
static void
finish_alone(TestCall *call)
{
    bool freed = false;

    call->freed = &freed;
    release(call);
    fake_loop_wait(is_freed, &freed);
}

static void
finish(World *w, TestCall *call)
{
    finish_alone(call);
    settle(w);
}

/* --- hanging --------------------------------------------------------------------------------- */

static void
test_hanging_calls_hold_up_no_other(void)
{
    World w;
    TestCall *calls[12];
    TestCall *other;

    world_init(&w);
    for (unsigned i = 0; i < G_N_ELEMENTS(calls); i++)
        calls[i] = submit_nth(&w, CALL_OPERATION, i);
    other = submit(&w, CALL_OPERATION, "other");
    g_assert_true(is_under_way(calls[7]));
    g_assert_false(is_under_way(calls[8]));
    g_assert_false(is_under_way(other));
    pass(&w, 290 * MSEC);
    g_assert_false(is_under_way(calls[8]));
    expect_log(&w, "");
    pass(&w, 20 * MSEC);
    g_assert_true(g_str_has_prefix(w.log->str, "hangs:operation-0:operation hangs:operation-1:"));
    g_assert_true(is_under_way(calls[11]));
    g_assert_true(is_under_way(other));
    finish(&w, other);

    /* What hangs goes on, however long, and is no sign of a dead daemon. */
    pass(&w, 3600 * SEC);
    g_string_truncate(w.log, 0);
    finish(&w, calls[3]);
    expect_log(&w, "returned:operation-3 ");
    world_clear(&w);
}

static void
test_hanging_read_is_told(void)
{
    World w;
    TestCall *first, *second;

    world_init(&w);
    first = submit(&w, CALL_READ, "d");
    second = submit(&w, CALL_READ, "d");
    pass(&w, SEC);
    expect_log(&w, "hangs:d:read ");
    g_assert_true(lane_pool_domain_hangs(w.pool, "d"));
    g_assert_false(is_under_way(second));
    /* The client is gone; the call goes on, and is still the sign. */
    lane_pool_abandon(w.pool, &first->call);
    g_assert_true(lane_pool_domain_hangs(w.pool, "d"));
    finish(&w, first);
    expect_log(&w, "returned:d ");
    g_assert_false(lane_pool_domain_hangs(w.pool, "d"));
    g_assert_true(is_under_way(second));
    finish(&w, second);
    expect_log(&w, "");
    world_clear(&w);
}

/* A save takes long by nature: it hangs where a read shows that its domain does. */
static void
test_long_calls_are_patient(void)
{
    World w;
    TestCall *read;

    world_init(&w);
    (void)submit(&w, CALL_LONG, "d");
    pass(&w, 60 * SEC);
    expect_log(&w, "");
    /* How far it is can only its process tell, which says nothing of the domain's lock. */
    read = submit(&w, CALL_PROGRESS, "d");
    pass(&w, SEC);
    expect_log(&w, "hangs:d:progress ");
    finish(&w, read);
    expect_log(&w, "returned:d ");

    read = submit(&w, CALL_READ, "d");
    pass(&w, SEC);
    expect_log(&w, "hangs:d:read hangs:d:long ");
    finish(&w, read);
    expect_log(&w, "returned:d ");
    world_clear(&w);
}

/* --- forcing --------------------------------------------------------------------------------- */

static void
test_force_always_has_a_lane(void)
{
    World w;

    world_init(&w);
    for (unsigned i = 0; i < 12; i++) {
        (void)submit_nth(&w, CALL_OPERATION, i);
        (void)submit_nth(&w, CALL_READ, i);
    }
    pass(&w, SEC);
    /* Of processes that cannot be killed. */
    for (unsigned i = 0; i < 20; i++)
        g_assert_true(is_under_way(submit_nth(&w, CALL_FORCE, i)));
    world_clear(&w);
}

/* libvirtd has too many clients: it takes no further connection, and does not say so. */
static void
test_force_where_no_lane_opens(void)
{
    World w;
    TestCall *change, *first, *second, *third;

    world_init(&w);
    fake_hypervisor_hold_opens(true);
    change = submit_for(&w, CALL_CHANGE, ROOT, "d");
    fake_loop_run();
    /* The lane that is kept is not for it. */
    g_assert_false(is_under_way(change));
    first = submit_for(&w, CALL_FORCE, ROOT, "d");
    second = submit_for(&w, CALL_FORCE, ROOT, "e");
    third = submit_for(&w, CALL_FORCE, ROOT, "f");
    fake_loop_run();
    g_assert_true(is_under_way(first));
    g_assert_true(is_under_way(second));
    g_assert_false(is_under_way(third));
    finish_alone(first);
    fake_loop_run();
    g_assert_true(is_under_way(third));
    world_clear(&w);
}

/* Others wait after a failure; forcing has one more opened at once. */
static void
test_force_waits_for_no_pause(void)
{
    World w;

    world_init(&w);
    fake_hypervisor_fail_opens(true);
    g_assert_true(is_under_way(submit(&w, CALL_READ, "d")));
    fake_hypervisor_fail_opens(false);
    g_assert_false(is_under_way(submit(&w, CALL_READ, "e")));
    for (unsigned i = 0; i < 3; i++)
        g_assert_true(is_under_way(submit_nth(&w, CALL_FORCE, i)));
    world_clear(&w);
}

/* --- opening --------------------------------------------------------------------------------- */

static void
test_lane_that_does_not_open_is_left_behind(void)
{
    World w;
    TestCall *change, *read;

    world_init(&w);
    fake_hypervisor_hold_opens(true);
    change = submit_for(&w, CALL_CHANGE, ROOT, "d");
    fake_loop_advance(2900 * MSEC);
    g_assert_false(is_under_way(change));
    g_assert_cmpuint(count_left_behind(&w), ==, 0);
    fake_loop_advance(200 * MSEC);
    /* No other lane can be had: it goes on the primary one. */
    g_assert_cmpuint(count_left_behind(&w), ==, 1);
    g_assert_true(is_under_way(change));

    read = submit_for(&w, CALL_READ, ROOT, "d");
    fake_loop_advance(3600 * SEC);
    g_assert_false(is_under_way(read));
    g_assert_cmpuint(count_left_behind(&w), ==, 4);
    expect_log(&w, "hangs:d:change ");
    fake_hypervisor_hold_opens(false);
    fake_loop_wait(nothing_is_left_behind, &w);
    for (unsigned i = 0; i < 20; i++)
        pass(&w, SEC);
    g_assert_true(is_under_way(read));
    world_clear(&w);
}

static void
test_failed_opening_is_tried_again(void)
{
    World w;
    TestCall *first, *second;

    world_init(&w);
    fake_hypervisor_fail_opens(true);
    first = submit(&w, CALL_READ, "d");
    second = submit(&w, CALL_READ, "e");
    g_assert_true(is_under_way(first));
    g_assert_false(is_under_way(second));
    g_assert_cmpuint(count_lanes(&w, "idle"), ==, 1);
    fake_hypervisor_fail_opens(false);
    pass(&w, 1100 * MSEC);
    g_assert_true(is_under_way(second));
    /* The primary one is for others again. */
    finish(&w, first);
    finish(&w, second);
    g_assert_true(is_under_way(submit(&w, CALL_QUICK, "")));
    world_clear(&w);
}

static void
test_idle_lanes_close_but_for_one(void)
{
    World w;
    TestCall *calls[4];

    world_init(&w);
    g_assert_cmpuint(fake_hypervisor_open_count(), ==, 2);
    for (unsigned i = 0; i < G_N_ELEMENTS(calls); i++)
        calls[i] = submit_nth(&w, CALL_READ, i);
    for (unsigned i = 0; i < G_N_ELEMENTS(calls); i++)
        finish(&w, calls[i]);
    g_assert_cmpuint(count_lanes(&w, "idle"), ==, 6);
    unsigned opened = fake_hypervisor_opened_count();
    pass(&w, 29 * SEC);
    g_assert_cmpuint(count_lanes(&w, "idle"), ==, 6);
    pass(&w, 2 * SEC);
    g_assert_cmpuint(count_lanes(&w, "idle"), ==, 2);
    pass(&w, 3600 * SEC);
    g_assert_cmpuint(count_lanes(&w, "idle"), ==, 2);
    g_assert_cmpuint(fake_hypervisor_opened_count(), ==, opened);
    world_clear(&w);
}

/* Every connection to the test driver is a world of its own. */
static void
test_single_lane(void)
{
    World w;
    TestCall *first, *second;

    world_init_with(&w, "test:///default");
    first = submit(&w, CALL_CHANGE, "d");
    second = submit(&w, CALL_FORCE, "d");
    g_assert_true(is_under_way(first));
    g_assert_false(is_under_way(second));
    pass(&w, 3600 * SEC);
    g_assert_cmpuint(fake_hypervisor_open_count(), ==, 1);
    finish(&w, first);
    g_assert_true(is_under_way(second));
    world_clear(&w);
}

/* --- losing and leaving ---------------------------------------------------------------------- */

static void
test_dead_connection_is_told(void)
{
    World w;
    TestCall *quick, *read;

    world_init(&w);
    quick = submit(&w, CALL_QUICK, "");
    read = submit(&w, CALL_READ, "d");
    fake_hypervisor_kill();
    finish(&w, read);
    expect_log(&w, "");
    finish(&w, quick);
    expect_log(&w, "lost:1 ");
    world_clear(&w);
}

static void
test_clear_tells_everybody(void)
{
    World w;
    TestCall *hanging, *waiting;

    world_init(&w);
    hanging = submit(&w, CALL_CHANGE, "d");
    waiting = submit(&w, CALL_CHANGE, "d");
    pass(&w, SEC);
    expect_log(&w, "hangs:d:change ");
    while (g_atomic_int_get(&hanging->call.gate) != GATE_PASSED)
        g_thread_yield();

    bool freed = false;
    waiting->freed = &freed;
    lane_pool_clear(w.pool);
    expect_log(&w, "returned:d ");
    g_assert_true(hanging->done);
    g_assert_cmpint(hanging->outcome, ==, OUTCOME_LOST);
    g_assert_false(waiting->done);
    fake_loop_wait(is_freed, &freed);
    lane_pool_close_cleared(w.pool);

    /* Nothing of it is counted any more on the next connection. */
    connect_pool(&w, 2);
    g_assert_true(is_under_way(submit(&w, CALL_CHANGE, "d")));
    finish(&w, hanging);
    expect_log(&w, "");
    world_clear(&w);
}

static void
on_unsent(Call *base, CallOutcome outcome, const Error *error)
{
    g_assert_cmpint(outcome, ==, OUTCOME_UNSENT);
    on_done(base, outcome, error);
}

static void
test_without_a_connection_nothing_is_sent(void)
{
    World w;
    TestCall *call;
    bool freed = false;

    world_init(&w);
    lane_pool_clear(w.pool);
    lane_pool_close_cleared(w.pool);
    call = submit_for(&w, CALL_FORCE, ROOT, "d");
    call->call.done = on_unsent;
    call->freed = &freed;
    g_assert_false(call->done);
    fake_loop_wait(is_freed, &freed);
    world_clear(&w);
}

static void
test_withdrawing(void)
{
    World w;
    TestCall *first, *second, *third;

    world_init(&w);
    first = submit(&w, CALL_CHANGE, "d");
    second = submit(&w, CALL_CHANGE, "d");
    third = submit(&w, CALL_CHANGE, "d");
    while (g_atomic_int_get(&first->call.gate) != GATE_PASSED)
        g_thread_yield();
    g_assert_false(lane_pool_withdraw(w.pool, &first->call));
    g_assert_true(lane_pool_withdraw(w.pool, &second->call));
    finish(&w, first);
    g_assert_true(is_under_way(third));
    world_clear(&w);
}

static void
test_only_the_flooder_is_refused(void)
{
    World w;
    unsigned max = call_rules[CALL_READ].per_user;

    world_init(&w);
    (void)submit(&w, CALL_READ, "d");
    for (unsigned i = 0; i < max; i++)
        g_assert_nonnull(submit_for(&w, CALL_READ, ALICE, "d"));
    g_assert_null(submit_for(&w, CALL_READ, ALICE, "d"));
    g_assert_true(is_under_way(submit(&w, CALL_CHANGE, "d")));
    g_assert_nonnull(submit(&w, CALL_READ, "d"));
    world_clear(&w);
}

static void
test_describe(void)
{
    World w;
    LanePoolDescription description;
    const LaneDescription *lane;
    const QueueDescription *queue;

    world_init(&w);
    (void)submit(&w, CALL_READ, "d");
    (void)submit_for(&w, CALL_READ, ALICE, "d");
    pass(&w, SEC);
    lane_pool_describe(w.pool, &description);
    g_assert_cmpuint(description.lanes->len, ==, 3);
    lane = &g_array_index(description.lanes, LaneDescription, 0);
    g_assert_true(lane->primary);
    g_assert_cmpstr(lane->state, ==, "idle");
    g_assert_null(lane->call);
    for (unsigned i = 1; i < 3; i++) {
        lane = &g_array_index(description.lanes, LaneDescription, i);
        if (lane->call)
            break;
    }
    g_assert_cmpstr(lane->state, ==, "hanging");
    g_assert_cmpstr(lane->class, ==, "read");
    g_assert_cmpstr(lane->call, ==, "read");
    g_assert_cmpstr(lane->domain, ==, "d");
    g_assert_cmpuint(clock_now_usec() - lane->since, ==, SEC);
    g_assert_cmpuint(description.queues->len, ==, 1);
    queue = &g_array_index(description.queues, QueueDescription, 0);
    g_assert_cmpstr(queue->class, ==, "read");
    g_assert_cmpuint(queue->uid, ==, ALICE);
    g_assert_cmpuint(queue->waiting, ==, 1);
    lane_pool_description_clear(&description);
    world_clear(&w);
}

/* --- attempts -------------------------------------------------------------------------------- */

static void
test_attempts(void)
{
    World w;

    world_init(&w);
    lane_pool_clear(w.pool);
    lane_pool_close_cleared(w.pool);
    fake_hypervisor_fail_opens(true);
    connect_pool(&w, 2);
    expect_log(&w, "failed:2 ");
    fake_hypervisor_fail_opens(false);
    connect_pool(&w, 3);
    g_assert_true(is_under_way(submit(&w, CALL_READ, "d")));

    /* One that comes too late, and one that is under way at the end. */
    w.discards = true;
    connect_pool(&w, 4);
    g_assert_cmpuint(count_lanes(&w, "connecting"), ==, 0);
    g_assert_cmpuint(count_lanes(&w, "running"), ==, 1);
    fake_hypervisor_hold_opens(true);
    lane_pool_connect(w.pool, 5);
    g_assert_cmpuint(count_lanes(&w, "connecting"), ==, 1);
    world_clear(&w);
}

static bool
is_logged(void *userdata)
{
    return ((World *)userdata)->log->len > 0;
}

/* libvirt's ssh to another host hangs: it is ours to end. */
static void
test_attempt_that_is_left_ends_its_child(void)
{
    World w;
    bool ended = false;

    world_init(&w);
    lane_pool_clear(w.pool);
    lane_pool_close_cleared(w.pool);
    fake_hypervisor_run_child(true);
    fake_hypervisor_fail_opens(true);
    lane_pool_connect(w.pool, 2);
    /* The child may not have been started yet. */
    while (w.log->len == 0) {
        ended |= lane_pool_leave(w.pool, 2);
        g_thread_yield();
        fake_loop_run();
    }
    g_assert_true(ended);
    expect_log(&w, "failed:2 ");
    g_assert_false(lane_pool_leave(w.pool, 2));
    world_clear(&w);
}

static void
test_probe(void)
{
    World w;
    const char *const sockets[] = {"/nonexistent/socket", NULL};

    world_init(&w);
    lane_pool_probe(w.pool, sockets);
    fake_loop_wait(is_logged, &w);
    expect_log(&w, "probed:0 ");
    world_clear(&w);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name, function) g_test_add_func("/lane-pool/" name, function)
    TEST("hanging-calls-hold-up-no-other", test_hanging_calls_hold_up_no_other);
    TEST("hanging-read-is-told", test_hanging_read_is_told);
    TEST("long-calls-are-patient", test_long_calls_are_patient);
    TEST("force-always-has-a-lane", test_force_always_has_a_lane);
    TEST("force-where-no-lane-opens", test_force_where_no_lane_opens);
    TEST("force-waits-for-no-pause", test_force_waits_for_no_pause);
    TEST("lane-that-does-not-open-is-left-behind", test_lane_that_does_not_open_is_left_behind);
    TEST("failed-opening-is-tried-again", test_failed_opening_is_tried_again);
    TEST("idle-lanes-close-but-for-one", test_idle_lanes_close_but_for_one);
    TEST("single-lane", test_single_lane);
    TEST("dead-connection-is-told", test_dead_connection_is_told);
    TEST("clear-tells-everybody", test_clear_tells_everybody);
    TEST("without-a-connection-nothing-is-sent", test_without_a_connection_nothing_is_sent);
    TEST("withdrawing", test_withdrawing);
    TEST("only-the-flooder-is-refused", test_only_the_flooder_is_refused);
    TEST("describe", test_describe);
    TEST("attempts", test_attempts);
    TEST("attempt-that-is-left-ends-its-child", test_attempt_that_is_left_ends_its_child);
    TEST("probe", test_probe);
#undef TEST
    return g_test_run();
}
