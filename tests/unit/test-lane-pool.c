/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls: those that hang, those that are lost, refused or withdrawn; and attempts to connect. */

#include "lane-world.h"

/* --- hanging --------------------------------------------------------------------------------- */

static void
test_hanging_calls_hold_up_no_other(void)
{
    World w;
    TestCall *calls[12];
    TestCall *other;

    world_init(&w);
    for (unsigned i = 0; i < G_N_ELEMENTS(calls); i++)
        calls[i] =
            i < 8 ? submit_at_pace(&w, CALL_OPERATION, i) : submit_nth(&w, CALL_OPERATION, i);
    other = submit(&w, CALL_OPERATION, "other");
    g_assert_true(is_under_way(calls[7]));
    g_assert_false(is_under_way(calls[8]));
    g_assert_false(is_under_way(other));
    pass(&w, 290 * MSEC - 8 * CALL_PACE_USEC);
    g_assert_false(is_under_way(calls[8]));
    expect_log(&w, "");
    pass(&w, 20 * MSEC);
    /* Each needs another lane, which takes a moment, too. */
    for (unsigned i = 0; i < 2 * G_N_ELEMENTS(calls); i++)
        pass(&w, CALL_PACE_USEC);
    g_assert_true(g_str_has_prefix(w.log->str, "hangs:operation-0:operation hangs:operation-1:"));
    g_assert_true(is_under_way(calls[11]));
    g_assert_true(is_under_way(other));
    finish(&w, other);

    /* A call that hangs goes on, however long, and is no sign of a dead daemon. */
    pass(&w, 3600 * SEC);
    g_string_truncate(w.log, 0);
    finish(&w, calls[3]);
    expect_log(&w, "returned:operation-3 ");
    world_clear(&w);
}

/* libvirtd could not make workers for calls that come together. */
static void
test_calls_are_not_begun_together(void)
{
    World w;
    TestCall *calls[3];

    world_init(&w);
    for (unsigned i = 0; i < G_N_ELEMENTS(calls); i++)
        calls[i] = submit_nth(&w, CALL_CHANGE, i);
    g_assert_true(is_under_way(calls[0]));
    g_assert_false(is_under_way(calls[1]));
    pass(&w, CALL_PACE_USEC);
    g_assert_true(is_under_way(calls[1]));
    g_assert_false(is_under_way(calls[2]));
    /* Its worker is free for the next one. */
    finish(&w, calls[0]);
    g_assert_true(is_under_way(calls[2]));
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
    g_assert_true(lane_pool_domain_is_silent(w.pool, "d"));
    g_assert_false(is_under_way(second));
    /* The client is gone; the call goes on, and is still the sign. */
    lane_pool_abandon(w.pool, &first->call);
    g_assert_true(lane_pool_domain_is_silent(w.pool, "d"));
    finish(&w, first);
    expect_log(&w, "returned:d ");
    g_assert_false(lane_pool_domain_is_silent(w.pool, "d"));
    g_assert_true(is_under_way(second));
    finish(&w, second);
    expect_log(&w, "");
    world_clear(&w);
}

/* XML waits for the domain's lock, and then for its process: the domain itself hangs no longer. */
static void
test_xml_gets_the_lock(void)
{
    World w;
    TestCall *xml, *read;

    world_init(&w);
    lane_pool_set_traits(w.pool, TRAIT_XML_WAITS);
    fake_hypervisor_hold_locks(true);
    xml = submit(&w, CALL_XML, "d");
    pass(&w, SEC);
    expect_log(&w, "hangs:d:xml ");
    g_assert_true(lane_pool_domain_is_silent(w.pool, "d"));
    read = submit(&w, CALL_READ, "d");
    g_assert_false(is_under_way(read));

    fake_hypervisor_hold_locks(false);
    /* In steps that are too short for the read to hang, too. */
    while (w.log->len == 0) {
        g_usleep(1000);
        pass(&w, SEC / 10);
    }
    expect_log(&w, "returned:d ");
    g_assert_true(is_under_way(read));
    g_assert_false(xml->done);
    finish(&w, read);
    g_assert_true(lane_pool_domain_is_silent(w.pool, "d"));
    finish(&w, xml);
    expect_log(&w, "returned:d ");
    g_assert_false(lane_pool_domain_is_silent(w.pool, "d"));
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

/* --- losing and leaving ---------------------------------------------------------------------- */

static void
test_dead_connection_is_told(void)
{
    World w;
    TestCall *quick, *read;

    world_init(&w);
    quick = submit(&w, CALL_QUICK, "");
    pass(&w, CALL_PACE_USEC);
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
    fake_loop_wait(is_set, &freed);
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
    fake_loop_wait(is_set, &freed);
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
    (void)submit_at_pace(&w, CALL_READ, 0);
    for (unsigned i = 0; i < max; i++)
        g_assert_nonnull(submit_for(&w, CALL_READ, ALICE, "read-0"));
    g_assert_null(submit_for(&w, CALL_READ, ALICE, "read-0"));
    g_assert_true(is_under_way(submit(&w, CALL_CHANGE, "read-0")));
    g_assert_nonnull(submit(&w, CALL_READ, "read-0"));
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
    lane_pool_connect(w.pool, 5, true);
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
    lane_pool_connect(w.pool, 2, true);
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
    TEST("calls-are-not-begun-together", test_calls_are_not_begun_together);
    TEST("hanging-read-is-told", test_hanging_read_is_told);
    TEST("xml-gets-the-lock", test_xml_gets_the_lock);
    TEST("long-calls-are-patient", test_long_calls_are_patient);
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
