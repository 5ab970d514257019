/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How the availability engine connects, notices losses, and answers callers. */

#include "availability-world.h"

#include <string.h>

/* --- connecting ------------------------------------------------------------------------------ */

static void
test_nothing_before_start(void)
{
    g_autoptr(World) w = world_new();

    pass(w, 3600 * SEC);
    expect(w, "");
    g_assert_cmpint(availability_status(w->engine), ==, STATUS_STARTING);
    g_assert_cmpuint(availability_generation(w->engine), ==, 0);
}

static void
test_start(void)
{
    g_autoptr(World) w = world_new();

    availability_start(w->engine, w->now);
    expect(w, "connect:1");
    g_assert_cmpint(availability_status(w->engine), ==, STATUS_STARTING);
    succeed(w, 1);
    expect(w, "adopt:1 available");
    g_assert_cmpuint(w->armed, ==, AVAILABILITY_NEVER);
    g_assert_cmpuint(availability_generation(w->engine), ==, 1);
    want(w, "a");
    expect(w, "a+");
}

static void
test_start_and_call_connect_once(void)
{
    g_autoptr(World) w = world_new();

    availability_start(w->engine, w->now);
    want(w, "a");
    hint(w, HINT_PROBE);
    want(w, "b");
    availability_reconnect(w->engine, w->now, (void *)"c");
    expect(w, "connect:1");
    succeed(w, 1);
    expect(w, "adopt:1 available a+ b+ c+");
}

/* A call while libvirt is down starts an attempt at once, whatever was known last. */
static void
test_stale_flag_recovers_on_demand(void)
{
    g_autoptr(World) w = connected_world();

    lose(w, 1);
    expect(w, "clear:1 unreachable close:1 connect:2");
    fail(w, 2, STATUS_STOPPED);
    expect(w, "stopped");
    g_assert_cmpuint(w->armed, >, w->now);
    want(w, "a");
    expect(w, "connect:3");
    succeed(w, 3);
    expect(w, "adopt:3 available a+");
}

/* However many callers come, attempts keep a pace. */
static void
test_callers_keep_a_pace(void)
{
    g_autoptr(World) w = connected_world();
    unsigned started = 0;
    unsigned last = 1;

    lose(w, 1);
    for (uint64_t until = w->now + 10 * SEC; w->now < until; pass(w, 10 * MSEC)) {
        want(w, "a");
        if (strstr(w->log->str, "connect:")) {
            fail(w, ++last, STATUS_STOPPED);
            started++;
        }
        g_string_truncate(w->log, 0);
    }
    g_assert_cmpuint(started, >=, 5);
    g_assert_cmpuint(started, <=, 8);
}

/* A caller joins the attempt that the pace lets start next. */
static void
test_caller_waits_for_the_next_attempt(void)
{
    g_autoptr(World) w = connected_world();

    lose(w, 1);
    for (unsigned i = 2; i < 8; i++) {
        fail(w, i, STATUS_STOPPED);
        pass(w, w->armed - w->now);
    }
    fail(w, 8, STATUS_STOPPED);
    g_string_truncate(w->log, 0);
    want(w, "a");
    expect(w, "connect:9");
    fail(w, 9, STATUS_STOPPED);
    expect(w, "a-");
    want(w, "b");
    expect(w, "");
    pass(w, 3 * SEC);
    expect(w, "connect:10");
    succeed(w, 10);
    expect(w, "adopt:10 available b+");
}

static void
test_failures_tell_why(void)
{
    static const Status whys[] = {STATUS_STOPPED, STATUS_UNREACHABLE, STATUS_DENIED, STATUS_FAILED};

    for (unsigned i = 0; i < G_N_ELEMENTS(whys); i++) {
        g_autoptr(World) w = world_new();

        availability_start(w->engine, w->now);
        want(w, "a");
        expect(w, "connect:1");
        fail(w, 1, whys[i]);
        g_autofree char *log = g_strdup_printf("%s a-", status_name(whys[i]));
        expect(w, log);
        g_assert_cmpstr(w->message, ==, "some reason");
        /* The same failure again is no transition. */
        pass(w, SEC / 2);
        fail(w, 2, whys[i]);
        expect(w, "connect:2");
    }
}

static void
test_backoff_never_gives_up(void)
{
    g_autoptr(World) w = world_new();
    uint64_t base = 100 * MSEC;
    bool jitter = false;

    availability_start(w->engine, w->now);
    expect(w, "connect:1");
    for (unsigned i = 1; i < 1000; i++) {
        fail(w, i, STATUS_STOPPED);
        uint64_t pause = w->armed - w->now;

        g_assert_cmpuint(pause, >=, base * 3 / 4);
        g_assert_cmpuint(pause, <=, base * 5 / 4);
        jitter |= pause != base;
        g_string_truncate(w->log, 0);
        pass(w, pause);
        g_autofree char *log = g_strdup_printf("connect:%u", i + 1);
        expect(w, log);
        base = MIN(base * 2, 10 * SEC);
    }
    g_assert_true(jitter);
}

/* The PID file comes some milliseconds before the sockets answer. */
static void
test_hint_tries_again_soon(void)
{
    g_autoptr(World) w = world_new();

    availability_start(w->engine, w->now);
    for (unsigned i = 1; i < 10; i++) {
        fail(w, i, STATUS_STOPPED);
        pass(w, 20 * SEC);
    }
    fail(w, 10, STATUS_STOPPED);
    g_string_truncate(w->log, 0);
    hint(w, HINT_NEW_DAEMON);
    expect(w, "connect:11");
    fail(w, 11, STATUS_STOPPED);
    g_assert_cmpuint(w->armed - w->now, <=, 25 * MSEC);
    pass(w, 25 * MSEC);
    expect(w, "connect:12");
    succeed(w, 12);
    expect(w, "adopt:12 available");
}

static void
test_hint_is_no_verdict(void)
{
    g_autoptr(World) w = connected_world();

    hint(w, HINT_PROBE);
    hint(w, HINT_NEW_DAEMON);
    pass(w, 60 * SEC);
    expect(w, "");
    g_assert_cmpuint(availability_generation(w->engine), ==, 1);
}

/* --- losing ---------------------------------------------------------------------------------- */

static void
test_cleared_before_closed(void)
{
    g_autoptr(World) w = connected_world();

    /* on_close() finds nothing shared any more, and nobody can ask between the two. */
    lose(w, 1);
    expect(w, "clear:1 unreachable close:1 connect:2");
    g_assert_cmpstr(w->message, ==, "End of file");
    lose(w, 1);
    expect(w, "");
}

static void
test_reconnect(void)
{
    g_autoptr(World) w = connected_world();

    availability_reconnect(w->engine, w->now, (void *)"a");
    expect(w, "clear:1 unreachable close:1 connect:2");
    availability_reconnect(w->engine, w->now, (void *)"b");
    expect(w, "");
    succeed(w, 2);
    expect(w, "adopt:2 available a+ b+");
    availability_reconnect(w->engine, w->now, (void *)"c");
    fail(w, 3, STATUS_DENIED);
    expect(w, "clear:2 unreachable close:2 connect:3 denied c-");
}

static void
test_lost_while_connecting(void)
{
    g_autoptr(World) w = world_new();

    availability_start(w->engine, w->now);
    want(w, "a");
    lose(w, 1);
    expect(w, "connect:1");
    succeed(w, 1);
    expect(w, "discard:1 unreachable a-");
    pass(w, 200 * MSEC);
    expect(w, "connect:2");
}

static void
test_old_losses_mean_nothing(void)
{
    g_autoptr(World) w = connected_world();

    lose(w, 1);
    succeed(w, 2);
    g_string_truncate(w->log, 0);
    lose(w, 1);
    lose(w, 0);
    lose(w, 77);
    expect(w, "");
    g_assert_cmpuint(availability_generation(w->engine), ==, 2);
}

/* A daemon that drops everyone at once is not called in a tight loop. */
static void
test_flapping_backs_off(void)
{
    g_autoptr(World) w = connected_world();
    uint64_t waited = 0;

    for (unsigned i = 1; i <= 20; i++) {
        lose(w, i);
        uint64_t lost = w->now;

        pass(w, i == 1 ? 0 : w->armed - w->now);
        g_autofree char *connect = g_strdup_printf("connect:%u", i + 1);
        g_assert_true(g_str_has_suffix(w->log->str, connect));
        waited += w->now - lost;
        succeed(w, i + 1);
        w->now += MSEC;
    }
    g_assert_cmpuint(waited, >, 60 * SEC);
    g_string_truncate(w->log, 0);

    /* One that lasts is followed at once, as ever. */
    pass(w, 60 * SEC);
    lose(w, 21);
    expect(w, "clear:21 unreachable close:21 connect:22");
    fail(w, 22, STATUS_STOPPED);
    g_assert_cmpuint(w->armed - w->now, <=, 125 * MSEC);
}

static void
test_flapping_still_serves_callers(void)
{
    g_autoptr(World) w = world_new();

    availability_start(w->engine, w->now);
    succeed(w, 1);
    lose(w, 1);
    expect(w, "connect:1 adopt:1 available clear:1 unreachable close:1");
    want(w, "a");
    expect(w, "connect:2");
    succeed(w, 2);
    expect(w, "adopt:2 available a+");
}

/* --- waiters --------------------------------------------------------------------------------- */

static void
test_forget(void)
{
    g_autoptr(World) w = world_new();
    static const char a[] = "a";
    static const char b[] = "b";
    static const char c[] = "c";

    availability_start(w->engine, w->now);
    want(w, a);
    want(w, b);
    want(w, c);
    availability_forget(w->engine, (void *)a);
    w->forget = (void *)c;
    fail(w, 1, STATUS_STOPPED);
    expect(w, "connect:1 stopped b-");
    availability_forget(w->engine, (void *)b);
}

static void
test_waiting_again_from_an_answer(void)
{
    g_autoptr(World) w = world_new();

    availability_start(w->engine, w->now);
    want(w, "a");
    want(w, "b");
    w->again = true;
    fail(w, 1, STATUS_STOPPED);
    expect(w, "connect:1 stopped a- connect:2 b-");
    succeed(w, 2);
    expect(w, "adopt:2 available again+");
}

/* The first one who is told drops the connection: the others are not told that it is there. */
static void
test_dropping_from_an_answer(void)
{
    g_autoptr(World) w = world_new();

    availability_start(w->engine, w->now);
    want(w, "a");
    want(w, "b");
    w->drop = true;
    succeed(w, 1);
    expect(w, "connect:1 adopt:1 available a+ clear:1 unreachable close:1 connect:2");
    succeed(w, 2);
    expect(w, "adopt:2 available b+ drop+");
}

/* --- stopping -------------------------------------------------------------------------------- */

static void
test_stop(void)
{
    g_autoptr(World) w = connected_world();

    availability_stop(w->engine, w->now, "bye");
    expect(w, "clear:1 unreachable close:1");
    want(w, "a");
    expect(w, "a-");
    hint(w, HINT_NEW_DAEMON);
    pass(w, 3600 * SEC);
    expect(w, "");
    g_assert_cmpuint(w->armed, ==, AVAILABILITY_NEVER);
}

static void
test_stop_while_connecting(void)
{
    g_autoptr(World) w = world_new();

    availability_start(w->engine, w->now);
    want(w, "a");
    availability_stop(w->engine, w->now, "bye");
    expect(w, "connect:1 a-");
    succeed(w, 1);
    expect(w, "discard:1");
    g_assert_cmpuint(w->armed, ==, AVAILABILITY_NEVER);
}

/* --- a daemon that was stopped ------------------------------------------------------------- */

/* The hint comes before the loss, as far as we see. */
static void
test_stopped_then_lost(void)
{
    g_autoptr(World) w = connected_world();

    hint(w, HINT_STOPPED);
    lose(w, 1);
    expect(w, "clear:1 unreachable close:1 stopped");
    g_assert_cmpuint(w->armed, ==, AVAILABILITY_NEVER);
    pass(w, 3600 * SEC);
    expect(w, "");
    want(w, "a");
    expect(w, "connect:2");
    succeed(w, 2);
    expect(w, "adopt:2 available a+");
}

static void
test_lost_then_stopped(void)
{
    g_autoptr(World) w = connected_world();

    w->may_be_stopped = true;
    lose(w, 1);
    expect(w, "clear:1 unreachable close:1");
    pass(w, 10 * MSEC);
    hint(w, HINT_STOPPED);
    expect(w, "stopped");
    hint(w, HINT_STOPPED);
    pass(w, 3600 * SEC);
    expect(w, "");
    hint(w, HINT_NEW_DAEMON);
    expect(w, "connect:2");
}

/* The daemon lives, and has closed this connection alone. */
static void
test_lost_and_not_stopped(void)
{
    g_autoptr(World) w = connected_world();

    w->may_be_stopped = true;
    lose(w, 1);
    expect(w, "clear:1 unreachable close:1");
    pass(w, 500 * MSEC);
    expect(w, "connect:2");
}

/* A daemon that has closed its connections takes its time to end. */
static void
test_lost_and_stopped_slowly(void)
{
    g_autoptr(World) w = connected_world();

    w->may_be_stopped = true;
    w->daemon_lives = true;
    lose(w, 1);
    expect(w, "clear:1 unreachable close:1");
    pass(w, 1400 * MSEC);
    expect(w, "");
    hint(w, HINT_STOPPED);
    pass(w, 3600 * SEC);
    expect(w, "stopped");
}

/* Not for ever; and one that is gone without a word has crashed. */
static void
test_lost_and_lives(void)
{
    g_autoptr(World) w = connected_world();

    w->may_be_stopped = true;
    w->daemon_lives = true;
    lose(w, 1);
    pass(w, 1500 * MSEC);
    expect(w, "clear:1 unreachable close:1 connect:2");
    succeed(w, 2);
    pass(w, 60 * SEC);
    lose(w, 2);
    pass(w, 500 * MSEC);
    w->daemon_lives = false;
    pass(w, 500 * MSEC);
    expect(w, "adopt:2 available clear:2 unreachable close:2 connect:3");
}

static void
test_lost_again_and_stopped(void)
{
    g_autoptr(World) w = connected_world();

    w->may_be_stopped = true;
    lose(w, 1);
    want(w, "a");
    succeed(w, 2);
    expect(w, "clear:1 unreachable close:1 connect:2 adopt:2 available a+");
    lose(w, 2);
    pass(w, 400 * MSEC);
    hint(w, HINT_STOPPED);
    expect(w, "clear:2 unreachable close:2 stopped");
    pass(w, 3600 * SEC);
    expect(w, "");
}

/* A caller does not wait to see which of them it is. */
static void
test_lost_and_called(void)
{
    g_autoptr(World) w = connected_world();

    w->may_be_stopped = true;
    lose(w, 1);
    want(w, "a");
    expect(w, "clear:1 unreachable close:1 connect:2");
    hint(w, HINT_STOPPED);
    fail(w, 2, STATUS_STOPPED);
    expect(w, "stopped a- stopped");
    pass(w, 3600 * SEC);
    expect(w, "");
}

/* An init script may remove the PID file of a daemon that goes on. */
static void
test_stopped_long_before(void)
{
    g_autoptr(World) w = connected_world();

    hint(w, HINT_STOPPED);
    pass(w, 60 * SEC);
    lose(w, 1);
    expect(w, "clear:1 unreachable close:1 connect:2");
}

static void
test_stopped_and_started(void)
{
    g_autoptr(World) w = connected_world();

    hint(w, HINT_STOPPED);
    hint(w, HINT_NEW_DAEMON);
    lose(w, 1);
    expect(w, "clear:1 unreachable close:1 connect:2");
}

/* Attempts that fail are no longer repeated; one for a caller that fails is. */
static void
test_stopped_while_away(void)
{
    g_autoptr(World) w = connected_world();

    lose(w, 1);
    fail(w, 2, STATUS_DENIED);
    expect(w, "clear:1 unreachable close:1 connect:2 denied");
    hint(w, HINT_STOPPED);
    expect(w, "stopped");
    pass(w, 3600 * SEC);
    expect(w, "");
    want(w, "a");
    fail(w, 3, STATUS_STOPPED);
    expect(w, "connect:3 stopped a-");
    pass(w, SEC);
    expect(w, "connect:4");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name, function) g_test_add_func("/availability/" name, function)
    TEST("nothing-before-start", test_nothing_before_start);
    TEST("start", test_start);
    TEST("start-and-call-connect-once", test_start_and_call_connect_once);
    TEST("stale-flag-recovers-on-demand", test_stale_flag_recovers_on_demand);
    TEST("callers-keep-a-pace", test_callers_keep_a_pace);
    TEST("caller-waits-for-the-next-attempt", test_caller_waits_for_the_next_attempt);
    TEST("failures-tell-why", test_failures_tell_why);
    TEST("backoff-never-gives-up", test_backoff_never_gives_up);
    TEST("hint-tries-again-soon", test_hint_tries_again_soon);
    TEST("hint-is-no-verdict", test_hint_is_no_verdict);
    TEST("cleared-before-closed", test_cleared_before_closed);
    TEST("reconnect", test_reconnect);
    TEST("lost-while-connecting", test_lost_while_connecting);
    TEST("old-losses-mean-nothing", test_old_losses_mean_nothing);
    TEST("flapping-backs-off", test_flapping_backs_off);
    TEST("flapping-still-serves-callers", test_flapping_still_serves_callers);
    TEST("forget", test_forget);
    TEST("waiting-again-from-an-answer", test_waiting_again_from_an_answer);
    TEST("dropping-from-an-answer", test_dropping_from_an_answer);
    TEST("stopped-then-lost", test_stopped_then_lost);
    TEST("lost-then-stopped", test_lost_then_stopped);
    TEST("lost-and-not-stopped", test_lost_and_not_stopped);
    TEST("lost-and-stopped-slowly", test_lost_and_stopped_slowly);
    TEST("lost-and-lives", test_lost_and_lives);
    TEST("lost-again-and-stopped", test_lost_again_and_stopped);
    TEST("lost-and-called", test_lost_and_called);
    TEST("stopped-long-before", test_stopped_long_before);
    TEST("stopped-and-started", test_stopped_and_started);
    TEST("stopped-while-away", test_stopped_while_away);
    TEST("stop", test_stop);
    TEST("stop-while-connecting", test_stop_while_connecting);
#undef TEST
    return g_test_run();
}
