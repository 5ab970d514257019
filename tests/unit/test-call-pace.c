/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How soon one call follows another. */

#include "call-pace.h"

#define NOW 5000000

static bool
may_begin(const CallPace *pace, CallGroup group, unsigned n_running, uint64_t now)
{
    return call_pace_next(pace, group, n_running, now) <= now;
}

static const char calls[8]; /* their addresses */

/* Reads, too: those that come together may all be for domains that hang, which nobody knows yet. */
static void
test_calls_follow_one_by_one(void)
{
    CallPace pace = {0};

    g_assert_true(may_begin(&pace, CALL_GROUP_CHANGE, 0, NOW));
    call_pace_begin(&pace, &calls[0], NOW);
    for (CallGroup group = CALL_GROUP_READ; group < _CALL_GROUP_MAX; group++) {
        if (group == CALL_GROUP_URGENT)
            continue;
        g_assert_false(may_begin(&pace, group, 1, NOW));
        g_assert_cmpuint(call_pace_next(&pace, group, 1, NOW), ==, NOW + CALL_PACE_USEC);
        g_assert_true(may_begin(&pace, group, 1, NOW + CALL_PACE_USEC));
    }
}

/* However much hangs: a call that has returned waits for no worker. */
static void
test_healthy_calls_wait_for_none(void)
{
    CallPace pace = {0};
    uint64_t later = NOW + CALL_PACE_FREE_USEC + 1;

    call_pace_begin(&pace, &calls[0], NOW);
    call_pace_return(&pace, &calls[0], NOW);
    g_assert_true(may_begin(&pace, CALL_GROUP_READ, 12, later));
    call_pace_begin(&pace, &calls[1], later);
    g_assert_false(may_begin(&pace, CALL_GROUP_READ, 13, later));
}

/* The workers of calls that have returned are free for as many others. */
static void
test_returns_let_others_begin(void)
{
    CallPace pace = {0};

    call_pace_begin(&pace, &calls[0], NOW);
    for (guint i = 1; i <= 2; i++)
        call_pace_return(&pace, &calls[i], NOW);
    for (guint i = 3; i <= 4; i++) {
        g_assert_true(may_begin(&pace, CALL_GROUP_CHANGE, 3, NOW + CALL_PACE_FREE_USEC));
        call_pace_begin(&pace, &calls[i], NOW + CALL_PACE_FREE_USEC);
    }
    g_assert_false(may_begin(&pace, CALL_GROUP_CHANGE, 5, NOW + CALL_PACE_FREE_USEC));
}

/* Their workers serve no others. */
static void
test_returns_of_priority_free_none(void)
{
    CallPace pace = {0};

    call_pace_begin(&pace, &calls[0], NOW);
    call_pace_return_of_priority(&pace, &calls[1]);
    g_assert_false(may_begin(&pace, CALL_GROUP_READ, 1, NOW));
    call_pace_return_of_priority(&pace, &calls[0]);
    g_assert_true(may_begin(&pace, CALL_GROUP_READ, 1, NOW));
    call_pace_begin(&pace, &calls[2], NOW);
    g_assert_false(may_begin(&pace, CALL_GROUP_READ, 2, NOW));
}

static void
test_others_take_free_workers(void)
{
    CallPace pace = {0};
    uint64_t later = NOW + CALL_PACE_FREE_USEC + 1;

    call_pace_begin(&pace, &calls[0], NOW);
    call_pace_return(&pace, &calls[1], NOW);
    g_assert_false(may_begin(&pace, CALL_GROUP_CHANGE, 1, later));
    /* That one does not come back with the next. */
    call_pace_return(&pace, &calls[2], later);
    call_pace_begin(&pace, &calls[3], later);
    g_assert_false(may_begin(&pace, CALL_GROUP_CHANGE, 2, later));
}

/* Calls that use workers of others do not put off one that needs its own: so it becomes more. */
static void
test_more_while_calls_return(void)
{
    CallPace pace = {0};

    call_pace_begin(&pace, &calls[0], NOW);
    for (uint64_t now = NOW + 1000; now < NOW + CALL_PACE_USEC; now += 1000) {
        call_pace_return(&pace, &calls[1], now);
        call_pace_begin(&pace, &calls[1], now);
        g_assert_false(may_begin(&pace, CALL_GROUP_READ, 1, now));
    }
    g_assert_true(may_begin(&pace, CALL_GROUP_READ, 1, NOW + CALL_PACE_USEC));
}

static void
test_urgent_calls_wait_for_none(void)
{
    CallPace pace = {0};

    call_pace_begin(&pace, &calls[0], NOW);
    g_assert_true(may_begin(&pace, CALL_GROUP_URGENT, 9, NOW));
}

/* Nothing is under way: nothing can wait for a worker. */
static void
test_alone(void)
{
    CallPace pace = {0};

    call_pace_begin(&pace, &calls[0], NOW);
    g_assert_true(may_begin(&pace, CALL_GROUP_CHANGE, 0, NOW));
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/call-pace/one-by-one", test_calls_follow_one_by_one);
    g_test_add_func("/call-pace/healthy", test_healthy_calls_wait_for_none);
    g_test_add_func("/call-pace/returns", test_returns_let_others_begin);
    g_test_add_func("/call-pace/priority", test_returns_of_priority_free_none);
    g_test_add_func("/call-pace/free", test_others_take_free_workers);
    g_test_add_func("/call-pace/more", test_more_while_calls_return);
    g_test_add_func("/call-pace/urgent", test_urgent_calls_wait_for_none);
    g_test_add_func("/call-pace/alone", test_alone);
    return g_test_run();
}
