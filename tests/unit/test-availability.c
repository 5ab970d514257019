/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The availability engine, bare: the test is the clock, the daemon and the waiters, and every
 * effect is a word in a log that is compared with what it should be.
 */

#include "availability.h"

#include <string.h>

#define MSEC UINT64_C(1000)
#define SEC  (1000 * MSEC)

typedef struct {
    Availability *engine;
    uint64_t now;
    uint64_t armed;
    GString *log;
    bool shared;  /* what an adopted connection published is there */
    void *forget; /* a waiter to forget from within the next answer */
    bool again;   /* wait again from within the next answer */
    bool drop;    /* ask for a new connection from within the next answer */
} World;

static void say(World *w, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void
say(World *w, const char *format, ...)
{
    va_list args;

    if (w->log->len > 0)
        g_string_append_c(w->log, ' ');
    va_start(args, format);
    g_string_append_vprintf(w->log, format, args);
    va_end(args);
}

static void
on_connect(void *userdata, unsigned attempt)
{
    say(userdata, "connect:%u", attempt);
}

static void
on_adopt(void *userdata, unsigned attempt)
{
    World *w = userdata;

    g_assert_cmpuint(availability_generation(w->engine), ==, attempt);
    w->shared = true;
    say(w, "adopt:%u", attempt);
}

static void
on_discard(void *userdata, unsigned attempt)
{
    say(userdata, "discard:%u", attempt);
}

static void
on_clear(void *userdata, unsigned generation)
{
    World *w = userdata;

    g_assert_cmpuint(availability_generation(w->engine), ==, 0);
    w->shared = false;
    say(w, "clear:%u", generation);
}

static void
on_close(void *userdata, unsigned generation)
{
    World *w = userdata;

    g_assert_false(w->shared);
    say(w, "close:%u", generation);
}

static void
on_status(void *userdata, Status status, const char *message)
{
    World *w = userdata;

    g_assert_cmpint(availability_status(w->engine), ==, status);
    g_assert_cmpstr(availability_message(w->engine), ==, message);
    say(w, "%s", status_name(status));
}

static void
on_answer(void *userdata, void *waiter, const Error *error)
{
    World *w = userdata;
    void *forget = g_steal_pointer(&w->forget);

    if (error) {
        g_assert_cmpint(error->kind, ==, ERROR_NOT_AVAILABLE);
        g_assert_true(g_str_has_prefix(error->message, "VMs are not available: "));
        g_assert_cmpuint(strlen(error->message), >, strlen("VMs are not available: "));
    }
    say(w, "%s%s", (const char *)waiter, error ? "-" : "+");
    if (forget)
        availability_forget(w->engine, forget);
    if (w->again) {
        w->again = false;
        availability_want(w->engine, w->now, (void *)"again");
    }
    if (w->drop) {
        w->drop = false;
        availability_reconnect(w->engine, w->now, (void *)"drop");
    }
}

static void
on_arm(void *userdata, uint64_t when)
{
    World *w = userdata;

    g_assert_cmpuint(when, !=, w->armed);
    w->armed = when;
}

static const AvailabilityEffects effects = {
    .connect = on_connect,
    .adopt = on_adopt,
    .discard = on_discard,
    .clear = on_clear,
    .close = on_close,
    .status = on_status,
    .answer = on_answer,
    .arm = on_arm,
};

static World *
world_new(void)
{
    World *w = g_new0(World, 1);

    w->now = 1000 * SEC;
    w->armed = AVAILABILITY_NEVER;
    w->log = g_string_new(NULL);
    w->engine = availability_new(&effects, w, 42);
    return w;
}

static void
world_free(World *w)
{
    availability_free(w->engine);
    g_string_free(w->log, TRUE);
    g_free(w);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(World, world_free)

/* Everything since the last time. */
static void
expect(World *w, const char *log)
{
    g_assert_cmpstr(w->log->str, ==, log);
    g_string_truncate(w->log, 0);
}

static void
want(World *w, const char *waiter)
{
    availability_want(w->engine, w->now, (void *)waiter);
}

static void
succeed(World *w, unsigned attempt)
{
    availability_succeeded(w->engine, w->now, attempt);
}

static void
fail(World *w, unsigned attempt, Status why)
{
    availability_failed(w->engine, w->now, attempt, why, "some reason");
}

static void
lose(World *w, unsigned generation)
{
    availability_lost(w->engine, w->now, generation, "End of file");
}

/* Let the time pass, with the timer as the engine armed it. */
static void
pass(World *w, uint64_t usec)
{
    uint64_t until = w->now + usec;
    unsigned fired = 0;

    while (w->armed <= until) {
        w->now = MAX(w->now, w->armed);
        w->armed = AVAILABILITY_NEVER;
        availability_elapsed(w->engine, w->now);
        g_assert_cmpuint(++fired, <, 100);
    }
    w->now = until;
}

static World *
connected_world(void)
{
    World *w = world_new();

    availability_start(w->engine, w->now);
    succeed(w, 1);
    expect(w, "connect:1 adopt:1 available");
    pass(w, 3600 * SEC);
    expect(w, "");
    return w;
}

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
    availability_hint(w->engine, w->now, HINT_PROBE);
    want(w, "b");
    availability_reconnect(w->engine, w->now, (void *)"c");
    expect(w, "connect:1");
    succeed(w, 1);
    expect(w, "adopt:1 available a+ b+ c+");
}

/* No flag is trusted: a call while it is away looks for itself, at once. */
static void
test_stale_flag_recovers_on_demand(void)
{
    g_autoptr(World) w = connected_world();

    lose(w, 1);
    expect(w, "clear:1 unreachable close:1 connect:2");
    fail(w, 2, STATUS_STOPPED);
    expect(w, "stopped");
    g_assert_cmpuint(availability_next_attempt(w->engine), >, w->now);
    want(w, "a");
    expect(w, "connect:3");
    succeed(w, 3);
    expect(w, "adopt:3 available a+");
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
        g_assert_cmpstr(availability_message(w->engine), ==, "some reason");
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

        g_assert_cmpuint(w->armed, ==, availability_next_attempt(w->engine));
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
    availability_hint(w->engine, w->now, HINT_NEW_DAEMON);
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

    availability_hint(w->engine, w->now, HINT_PROBE);
    availability_hint(w->engine, w->now, HINT_NEW_DAEMON);
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
    g_assert_cmpstr(availability_message(w->engine), ==, "End of file");
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

/* --- attempts that hang ---------------------------------------------------------------------- */

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
    expect(w, "unreachable a- b-");
    /* None is started beside it; whoever calls is told at once. */
    pass(w, 3600 * SEC);
    availability_hint(w->engine, w->now, HINT_PROBE);
    want(w, "c");
    expect(w, "c-");
    g_assert_cmpuint(w->armed, ==, AVAILABILITY_NEVER);
}

static void
test_late_good_attempt_is_used(void)
{
    g_autoptr(World) w = world_new();

    availability_start(w->engine, w->now);
    pass(w, 60 * SEC);
    expect(w, "connect:1 unreachable");
    succeed(w, 1);
    expect(w, "adopt:1 available");
    g_assert_cmpuint(availability_generation(w->engine), ==, 1);
}

static void
test_late_failure_goes_on(void)
{
    g_autoptr(World) w = world_new();

    availability_start(w->engine, w->now);
    pass(w, 60 * SEC);
    fail(w, 1, STATUS_STOPPED);
    expect(w, "connect:1 unreachable stopped");
    pass(w, 200 * MSEC);
    expect(w, "connect:2");
}

static void
test_new_daemon_allows_another(void)
{
    g_autoptr(World) w = world_new();

    availability_start(w->engine, w->now);
    pass(w, 60 * SEC);
    expect(w, "connect:1 unreachable");
    availability_hint(w->engine, w->now, HINT_NEW_DAEMON);
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
    availability_hint(w->engine, w->now, HINT_NEW_DAEMON);
    expect(w, "connect:1");
    pass(w, SEC);
    expect(w, "connect:2");
    succeed(w, 2);
    expect(w, "adopt:2 available a+");
}

/* A late good attempt wins over a newer one that is under way; the newer one is then too late. */
static void
test_late_good_attempt_beside_another(void)
{
    g_autoptr(World) w = world_new();

    availability_start(w->engine, w->now);
    pass(w, 60 * SEC);
    availability_hint(w->engine, w->now, HINT_NEW_DAEMON);
    expect(w, "connect:1 unreachable connect:2");
    want(w, "a");
    succeed(w, 1);
    expect(w, "adopt:1 available a+");
    succeed(w, 2);
    expect(w, "discard:2");
    g_assert_cmpuint(availability_generation(w->engine), ==, 1);
}

static void
test_failing_attempt_tears_down_nothing(void)
{
    g_autoptr(World) w = world_new();

    availability_start(w->engine, w->now);
    pass(w, 60 * SEC);
    availability_hint(w->engine, w->now, HINT_NEW_DAEMON);
    succeed(w, 2);
    expect(w, "connect:1 unreachable connect:2 adopt:2 available");
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
    g_autoptr(World) w = world_new();

    availability_start(w->engine, w->now);
    pass(w, 60 * SEC);
    availability_hint(w->engine, w->now, HINT_NEW_DAEMON);
    fail(w, 2, STATUS_DENIED);
    expect(w, "connect:1 unreachable connect:2 denied");
    uint64_t due = w->armed;
    fail(w, 1, STATUS_STOPPED);
    expect(w, "");
    g_assert_cmpuint(w->armed, ==, due);
}

static void
test_attempts_left_behind_are_bounded(void)
{
    g_autoptr(World) w = world_new();

    availability_start(w->engine, w->now);
    for (unsigned i = 0; i < 10; i++) {
        pass(w, 60 * SEC);
        availability_hint(w->engine, w->now, HINT_NEW_DAEMON);
    }
    expect(w, "connect:1 unreachable connect:2 connect:3 connect:4");
    /* The last one may be joined, but not left: its waiters get their answer all the same. */
    fail(w, 2, STATUS_STOPPED);
    expect(w, "");
    pass(w, SEC);
    expect(w, "connect:5");
    want(w, "a");
    availability_hint(w->engine, w->now, HINT_NEW_DAEMON);
    pass(w, 20 * SEC);
    expect(w, "a-");
}

static void
test_waiters_of_a_full_house_are_answered(void)
{
    g_autoptr(World) w = world_new();

    availability_start(w->engine, w->now);
    for (unsigned i = 0; i < 3; i++) {
        pass(w, 60 * SEC);
        availability_hint(w->engine, w->now, HINT_NEW_DAEMON);
    }
    expect(w, "connect:1 unreachable connect:2 connect:3 connect:4");
    want(w, "a");
    pass(w, 3 * SEC);
    availability_hint(w->engine, w->now, HINT_NEW_DAEMON);
    expect(w, "");
    pass(w, 7 * SEC);
    expect(w, "a-");
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
            availability_hint(w->engine, w->now, HINT_NEW_DAEMON);
    }
}

/* Its time passed while there was a connection: nobody is made to wait for it. */
static void
test_hanging_attempt_is_not_joined_later(void)
{
    g_autoptr(World) w = world_new();

    availability_start(w->engine, w->now);
    pass(w, 60 * SEC);
    availability_hint(w->engine, w->now, HINT_NEW_DAEMON);
    succeed(w, 1);
    pass(w, 60 * SEC);
    expect(w, "connect:1 unreachable connect:2 adopt:1 available");
    lose(w, 1);
    expect(w, "clear:1 unreachable close:1");
    want(w, "a");
    expect(w, "a-");
    g_assert_cmpuint(w->armed, ==, AVAILABILITY_NEVER);
    fail(w, 2, STATUS_STOPPED);
    pass(w, 200 * MSEC);
    expect(w, "stopped connect:3");
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
    availability_hint(w->engine, w->now, HINT_NEW_DAEMON);
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

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name, function) g_test_add_func("/availability/" name, function)
    TEST("nothing-before-start", test_nothing_before_start);
    TEST("start", test_start);
    TEST("start-and-call-connect-once", test_start_and_call_connect_once);
    TEST("stale-flag-recovers-on-demand", test_stale_flag_recovers_on_demand);
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
    TEST("deadline-answers", test_deadline_answers);
    TEST("late-good-attempt-is-used", test_late_good_attempt_is_used);
    TEST("late-failure-goes-on", test_late_failure_goes_on);
    TEST("new-daemon-allows-another", test_new_daemon_allows_another);
    TEST("new-daemon-before-the-deadline", test_new_daemon_before_the_deadline);
    TEST("late-good-attempt-beside-another", test_late_good_attempt_beside_another);
    TEST("failing-attempt-tears-down-nothing", test_failing_attempt_tears_down_nothing);
    TEST("left-behind-failure-is-no-news", test_left_behind_failure_is_no_news);
    TEST("attempts-left-behind-are-bounded", test_attempts_left_behind_are_bounded);
    TEST("waiters-of-a-full-house-are-answered", test_waiters_of_a_full_house_are_answered);
    TEST("patience-is-bounded", test_patience_is_bounded);
    TEST("hanging-attempt-is-not-joined-later", test_hanging_attempt_is_not_joined_later);
    TEST("forget", test_forget);
    TEST("waiting-again-from-an-answer", test_waiting_again_from_an_answer);
    TEST("dropping-from-an-answer", test_dropping_from_an_answer);
    TEST("stop", test_stop);
    TEST("stop-while-connecting", test_stop_while_connecting);
#undef TEST
    return g_test_run();
}
