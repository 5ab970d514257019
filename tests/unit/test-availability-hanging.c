/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The availability engine and connection attempts that hang. */

#include "availability-world.h"

#include <string.h>

/* Let the attempts 1 to `n` hang, each until the next one is started. */
static World *
hanging_world(unsigned n)
{
    World *w = world_new();

    availability_start(w->engine, w->now);
    for (unsigned i = 1; i < n; i++)
        pass(w, 30 * SEC);
    pass(w, 10 * SEC);
    g_string_truncate(w->log, 0);
    return w;
}

static void
test_deadline_answers(void)
{
    g_autoptr(World) w = world_new();

    availability_start(w->engine, w->now);
    want(w, "a");
    pass(w, 5 * SEC);
    want(w, "b");
    expect(w, "connect:1");
    pass(w, 5 * SEC);
    expect(w, "leave:1 unreachable a- b-");
    /* While it hangs, callers are told at once. */
    pass(w, 5 * SEC);
    hint(w, HINT_PROBE);
    want(w, "c");
    expect(w, "c-");
    g_assert_cmpuint(w->armed, ==, w->now + 15 * SEC);
}

static void
test_another_one_after_a_while(void)
{
    g_autoptr(World) w = world_new();

    availability_start(w->engine, w->now);
    pass(w, 29 * SEC);
    expect(w, "connect:1 leave:1 unreachable");
    pass(w, SEC);
    expect(w, "connect:2");
    want(w, "a");
    pass(w, 10 * SEC);
    expect(w, "leave:2 a-");
    pass(w, 20 * SEC);
    expect(w, "connect:3");
    succeed(w, 3);
    expect(w, "adopt:3 available");
}

static void
test_late_good_attempt_is_used(void)
{
    g_autoptr(World) w = world_new();

    availability_start(w->engine, w->now);
    pass(w, 20 * SEC);
    expect(w, "connect:1 leave:1 unreachable");
    succeed(w, 1);
    expect(w, "adopt:1 available");
    g_assert_cmpuint(availability_generation(w->engine), ==, 1);
}

static void
test_late_failure_goes_on(void)
{
    g_autoptr(World) w = world_new();

    availability_start(w->engine, w->now);
    pass(w, 20 * SEC);
    fail(w, 1, STATUS_STOPPED);
    expect(w, "connect:1 leave:1 unreachable stopped");
    pass(w, 200 * MSEC);
    expect(w, "connect:2");
}

/* The end of libvirt's ssh, say: that it was ended says nothing of the other host. */
static void
test_attempt_that_we_ended_is_no_news(void)
{
    g_autoptr(World) w = world_new();

    w->ends = true;
    availability_start(w->engine, w->now);
    pass(w, 10 * SEC);
    fail(w, 1, STATUS_FAILED);
    expect(w, "connect:1 leave:1 unreachable");
    pass(w, 200 * MSEC);
    expect(w, "connect:2");
}

static void
test_new_daemon_allows_another(void)
{
    g_autoptr(World) w = world_new();

    availability_start(w->engine, w->now);
    pass(w, 20 * SEC);
    expect(w, "connect:1 leave:1 unreachable");
    hint(w, HINT_NEW_DAEMON);
    expect(w, "connect:2");
    succeed(w, 2);
    expect(w, "adopt:2 available");
    succeed(w, 1);
    expect(w, "discard:1");
    g_assert_cmpuint(availability_generation(w->engine), ==, 2);
}

static void
test_new_daemon_before_the_deadline(void)
{
    g_autoptr(World) w = world_new();

    availability_start(w->engine, w->now);
    want(w, "a");
    pass(w, SEC);
    /* It may be the new daemon that is just about to answer. */
    hint(w, HINT_NEW_DAEMON);
    expect(w, "connect:1");
    pass(w, SEC);
    expect(w, "leave:1 connect:2");
    succeed(w, 2);
    expect(w, "adopt:2 available a+");
}

/* A late good attempt wins over a newer one that is under way; the newer one is then too late. */
static void
test_late_good_attempt_beside_another(void)
{
    g_autoptr(World) w = hanging_world(1);

    hint(w, HINT_NEW_DAEMON);
    want(w, "a");
    succeed(w, 1);
    expect(w, "connect:2 adopt:1 available a+");
    succeed(w, 2);
    expect(w, "discard:2");
    g_assert_cmpuint(availability_generation(w->engine), ==, 1);
}

static void
test_failing_attempt_tears_down_nothing(void)
{
    g_autoptr(World) w = hanging_world(1);

    hint(w, HINT_NEW_DAEMON);
    succeed(w, 2);
    expect(w, "connect:2 adopt:2 available");
    fail(w, 1, STATUS_FAILED);
    pass(w, 60 * SEC);
    expect(w, "");
    g_assert_cmpint(availability_status(w->engine), ==, STATUS_AVAILABLE);
    g_assert_cmpuint(availability_generation(w->engine), ==, 2);
}

/* It speaks of a daemon that is gone. */
static void
test_left_behind_failure_is_no_news(void)
{
    g_autoptr(World) w = hanging_world(1);

    hint(w, HINT_NEW_DAEMON);
    fail(w, 2, STATUS_DENIED);
    expect(w, "connect:2 denied");
    uint64_t due = w->armed;
    fail(w, 1, STATUS_STOPPED);
    expect(w, "");
    g_assert_cmpuint(w->armed, ==, due);
}

/* --- how many -------------------------------------------------------------------------------- */

static void
test_left_behind_are_bounded(void)
{
    g_autoptr(World) w = hanging_world(4);

    /* A peer that takes connections and says nothing: no more threads wait for it. */
    pass(w, 25 * SEC);
    expect(w, "probe");
    availability_probed(w->engine, w->now, false);
    pass(w, 9 * SEC);
    want(w, "a");
    expect(w, "a-");
    pass(w, SEC);
    expect(w, "probe");
    /* One that is under way is enough. */
    pass(w, 3600 * SEC);
    hint(w, HINT_NEW_DAEMON);
    expect(w, "");

    availability_probed(w->engine, w->now, true);
    expect(w, "connect:5");
    want(w, "b");
    pass(w, 10 * SEC);
    expect(w, "leave:5 b-");
    /* The last one: now one of them has to end. */
    pass(w, 3600 * SEC);
    hint(w, HINT_NEW_DAEMON);
    want(w, "c");
    expect(w, "c-");
    g_assert_cmpuint(w->armed, ==, AVAILABILITY_NEVER);
    fail(w, 2, STATUS_FAILED);
    pass(w, SEC);
    expect(w, "probe");
    fail(w, 3, STATUS_FAILED);
    pass(w, SEC);
    expect(w, "connect:6");
    succeed(w, 6);
    expect(w, "adopt:6 available");
    availability_probed(w->engine, w->now, true);
    expect(w, "");
}

static void
test_probe_that_is_answered_is_for_one(void)
{
    g_autoptr(World) w = hanging_world(4);

    pass(w, 20 * SEC);
    availability_probed(w->engine, w->now, true);
    expect(w, "probe connect:5");
    fail(w, 5, STATUS_FAILED);
    g_string_truncate(w->log, 0);
    pass(w, 9 * SEC);
    expect(w, "");
    pass(w, SEC);
    expect(w, "probe");
    availability_probed(w->engine, w->now, true);
    succeed(w, 6);
    expect(w, "connect:6 adopt:6 available");
}

static void
test_new_daemon_is_probed_at_once(void)
{
    g_autoptr(World) w = hanging_world(4);

    pass(w, 20 * SEC);
    availability_probed(w->engine, w->now, false);
    expect(w, "probe");
    pass(w, SEC);
    hint(w, HINT_NEW_DAEMON);
    expect(w, "probe");
}

static void
test_replaced_daemons_leave_few_behind(void)
{
    g_autoptr(World) w = world_new();

    availability_start(w->engine, w->now);
    for (unsigned i = 0; i < 10; i++) {
        pass(w, 5 * SEC);
        hint(w, HINT_NEW_DAEMON);
    }
    expect(w, "connect:1 leave:1 connect:2 leave:2 connect:3 leave:3 connect:4 leave:4 "
              "unreachable probe");
}

/* However often the daemon is replaced, nobody waits for a row of attempts. */
static void
test_patience_is_bounded(void)
{
    g_autoptr(World) w = world_new();
    uint64_t began = w->now;

    availability_start(w->engine, w->now);
    want(w, "a");
    while (!strstr(w->log->str, "a-")) {
        pass(w, SEC / 2);
        g_assert_cmpuint(w->now - began, <=, 13 * SEC);
        if ((w->now - began) % (9 * SEC) == 0)
            hint(w, HINT_NEW_DAEMON);
    }
}

/* Its time passed while there was a connection: nobody is made to wait for it. */
static void
test_hanging_attempt_is_not_joined_later(void)
{
    g_autoptr(World) w = hanging_world(1);

    hint(w, HINT_NEW_DAEMON);
    succeed(w, 1);
    pass(w, 20 * SEC);
    expect(w, "connect:2 adopt:1 available");
    lose(w, 1);
    expect(w, "leave:2 clear:1 unreachable close:1");
    want(w, "a");
    expect(w, "a-");
    pass(w, 10 * SEC);
    expect(w, "connect:3");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name, function) g_test_add_func("/availability-hanging/" name, function)
    TEST("deadline-answers", test_deadline_answers);
    TEST("another-one-after-a-while", test_another_one_after_a_while);
    TEST("late-good-attempt-is-used", test_late_good_attempt_is_used);
    TEST("late-failure-goes-on", test_late_failure_goes_on);
    TEST("attempt-that-we-ended-is-no-news", test_attempt_that_we_ended_is_no_news);
    TEST("new-daemon-allows-another", test_new_daemon_allows_another);
    TEST("new-daemon-before-the-deadline", test_new_daemon_before_the_deadline);
    TEST("late-good-attempt-beside-another", test_late_good_attempt_beside_another);
    TEST("failing-attempt-tears-down-nothing", test_failing_attempt_tears_down_nothing);
    TEST("left-behind-failure-is-no-news", test_left_behind_failure_is_no_news);
    TEST("left-behind-are-bounded", test_left_behind_are_bounded);
    TEST("probe-that-is-answered-is-for-one", test_probe_that_is_answered_is_for_one);
    TEST("new-daemon-is-probed-at-once", test_new_daemon_is_probed_at_once);
    TEST("replaced-daemons-leave-few-behind", test_replaced_daemons_leave_few_behind);
    TEST("patience-is-bounded", test_patience_is_bounded);
    TEST("hanging-attempt-is-not-joined-later", test_hanging_attempt_is_not_joined_later);
#undef TEST
    return g_test_run();
}
