/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How soon one call follows another. */

#include "call-pace.h"

#define NOW 5000000

static bool
may_begin(const CallPace *pace, CallGroup group, unsigned n_running, unsigned n_hanging,
          uint64_t now)
{
    return call_pace_next(pace, group, n_running, n_hanging) <= now;
}

static void
test_calls_follow_one_by_one(void)
{
    CallPace pace = {0};

    g_assert_true(may_begin(&pace, CALL_GROUP_CHANGE, 0, 0, NOW));
    call_pace_begin(&pace, NOW);
    g_assert_false(may_begin(&pace, CALL_GROUP_CHANGE, 1, 0, NOW));
    g_assert_cmpuint(call_pace_next(&pace, CALL_GROUP_CHANGE, 1, 0), ==, NOW + CALL_PACE_USEC);
    g_assert_true(may_begin(&pace, CALL_GROUP_CHANGE, 1, 0, NOW + CALL_PACE_USEC));
}

/* The worker of a call that has returned is free for the next one. */
static void
test_return_lets_next_begin(void)
{
    CallPace pace = {0};

    call_pace_begin(&pace, NOW);
    call_pace_return(&pace);
    g_assert_true(may_begin(&pace, CALL_GROUP_CHANGE, 3, 0, NOW));
    call_pace_begin(&pace, NOW);
    g_assert_false(may_begin(&pace, CALL_GROUP_CHANGE, 4, 0, NOW));
}

static void
test_reads_are_slower_while_something_hangs(void)
{
    CallPace pace = {0};

    call_pace_begin(&pace, NOW);
    g_assert_false(may_begin(&pace, CALL_GROUP_READ, 1, 0, NOW));
    g_assert_true(may_begin(&pace, CALL_GROUP_READ, 1, 0, NOW + CALL_PACE_READ_USEC));
    g_assert_false(may_begin(&pace, CALL_GROUP_READ, 1, 1, NOW + CALL_PACE_READ_USEC));
    g_assert_true(may_begin(&pace, CALL_GROUP_READ, 1, 1, NOW + CALL_PACE_USEC));
}

static void
test_urgent_calls_wait_for_none(void)
{
    CallPace pace = {0};

    call_pace_begin(&pace, NOW);
    g_assert_true(may_begin(&pace, CALL_GROUP_URGENT, 9, 0, NOW));
}

/* Nothing is under way: nothing can wait for a worker. */
static void
test_alone(void)
{
    CallPace pace = {0};

    call_pace_begin(&pace, NOW);
    g_assert_true(may_begin(&pace, CALL_GROUP_CHANGE, 0, 0, NOW));
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/call-pace/one-by-one", test_calls_follow_one_by_one);
    g_test_add_func("/call-pace/return", test_return_lets_next_begin);
    g_test_add_func("/call-pace/hanging", test_reads_are_slower_while_something_hangs);
    g_test_add_func("/call-pace/urgent", test_urgent_calls_wait_for_none);
    g_test_add_func("/call-pace/alone", test_alone);
    return g_test_run();
}
