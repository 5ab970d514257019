/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The operations, bare, while the connection to the hypervisor goes and comes. */

#include "operation-world.h"

#include <string.h>

/* --- the connection goes and comes ----------------------------------------------------------- */

static void
test_waiting_stop_outlives_a_reset_of_the_connection(void)
{
    g_autoptr(World) w = begun(OPERATION_STOP, DOMAIN_RUNNING);

    ok(w);
    pass(w, 2 * SEC);
    connection(w, false);
    pass(w, 2 * SEC);
    reset_connection(w, DOMAIN_RUNNING);
    expect(w, "shutdown refresh");
    pass(w, 2 * SEC);
    see(w, DOMAIN_SHUTOFF);
    refreshed(w, DOMAIN_SHUTOFF);
    expect(w, "refresh done");

    /* Neither does it forget its time. */
    g_autoptr(World) stubborn = begun(OPERATION_STOP, DOMAIN_RUNNING);
    ok(stubborn);
    connection(stubborn, false);
    reset_connection(stubborn, DOMAIN_RUNNING);
    pass(stubborn, STOP_TIMEOUT - 1);
    expect(stubborn, "shutdown refresh");
    pass(stubborn, 1);
    expect(stubborn, "destroy");
}

/* The event that it waits for came while nobody listened. */
static void
test_missed_events_are_made_up_by_a_refresh(void)
{
    g_autoptr(World) stop = begun(OPERATION_STOP, DOMAIN_RUNNING);
    ok(stop);
    connection(stop, false);
    pass(stop, 60 * SEC);
    reset_connection(stop, DOMAIN_SHUTOFF);
    refreshed(stop, DOMAIN_SHUTOFF);
    expect(stop, "shutdown refresh refresh done");

    g_autoptr(World) reboot = begun(OPERATION_REBOOT, DOMAIN_RUNNING);
    ok(reboot);
    connection(reboot, false);
    pass(reboot, 60 * SEC);
    /* A list may be as old as the attempt that made it: only the refresh counts. */
    see(reboot, DOMAIN_SHUTOFF);
    connection(reboot, true);
    expect(reboot, "shutdown refresh");
    refreshed(reboot, DOMAIN_SHUTOFF);
    expect(reboot, "create");

    g_autoptr(World) start = begun(OPERATION_START, DOMAIN_PMSUSPENDED);
    ok(start);
    connection(start, false);
    reset_connection(start, DOMAIN_RUNNING);
    refreshed(start, DOMAIN_RUNNING);
    expect(start, "wakeup refresh refresh done");
}

/* A hypervisor that was killed in the middle of it has left the domain half way up. */
static void
test_left_half_way_up(void)
{
    g_autoptr(World) w = begun(OPERATION_START, DOMAIN_SHUTOFF);
    Observation seen = {.state = DOMAIN_PAUSED, .id = 5, .starting_up = true, .fresh = true};

    end_call(w, w->serial, OUTCOME_LOST);
    connection(w, false);
    connection(w, true);
    operation_observe(w->op, w->now, &seen);
    expect(w, "create refresh refresh failed");
    expect_error(w, ERROR_OPERATION_FAILED, "libvirt's own words" MAY_HAVE);
}

/* It is running, but was restarted: its id is another one. */
static void
test_restarted(void)
{
    static const OperationKind kinds[] = {OPERATION_STOP, OPERATION_REBOOT};

    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autoptr(World) w = begun(kinds[i], DOMAIN_RUNNING);
        Observation seen = {.state = DOMAIN_RUNNING, .id = 6, .fresh = true};

        ok(w);
        connection(w, false);
        connection(w, true);
        operation_observe(w->op, w->now, &seen);
        operation_observe(w->op, w->now, &seen);
        expect(w, "shutdown refresh refresh done");
    }
}

/* It was restarted while libvirt was unavailable: Stop does not force it, though its time is up. */
static void
test_restarted_domain_is_not_forced(void)
{
    g_autoptr(World) w = begun(OPERATION_STOP, DOMAIN_RUNNING);
    Observation seen = {.state = DOMAIN_RUNNING, .id = 6};

    ok(w);
    refreshed(w, DOMAIN_RUNNING);
    connection(w, false);
    pass(w, 60 * SEC);
    operation_observe(w->op, w->now, &seen);
    connection(w, true);
    pass(w, SEC);
    seen.fresh = true;
    operation_observe(w->op, w->now, &seen);
    operation_observe(w->op, w->now, &seen);
    expect(w, "shutdown refresh refresh done");
}

/* The cache told of an earlier run: this one has not been down yet. */
static void
test_run_is_known_by_a_refresh(void)
{
    g_autoptr(World) w = world_new(OPERATION_STOP);
    Observation seen = {.state = DOMAIN_RUNNING, .id = 6, .fresh = true};

    w->op = operation_new(&w->spec, "vm", &world_effects, w);
    seen.fresh = false;
    seen.id = 5;
    operation_begin(w->op, w->now, &seen);
    seen = (Observation){.state = DOMAIN_RUNNING, .id = 6, .fresh = true};
    ok(w);
    /* An answer that was on its way already, of the time between the two. */
    see(w, DOMAIN_SHUTOFF);
    operation_observe(w->op, w->now, &seen);
    operation_observe(w->op, w->now, &seen);
    expect(w, "shutdown refresh");
    seen.id = 7;
    operation_observe(w->op, w->now, &seen);
    operation_observe(w->op, w->now, &seen);
    expect(w, "refresh done");
}

/* The list is good enough, if it has all facts. */
static void
test_fresh_before_the_connection_is_told(void)
{
    g_autoptr(World) w = begun(OPERATION_START, DOMAIN_SHUTOFF);

    connection(w, false);
    end_call(w, w->serial, OUTCOME_UNSENT);
    refreshed(w, DOMAIN_SHUTOFF);
    expect(w, "create refresh refresh");
    connection(w, true);
    expect(w, "create");
}

static void
test_nothing_is_called_while_it_is_away(void)
{
    g_autoptr(World) w = begun(OPERATION_STOP, DOMAIN_RUNNING);

    connection(w, false);
    end_call(w, w->serial, OUTCOME_UNSENT);
    g_string_truncate(w->log, 0);
    see(w, DOMAIN_RUNNING);
    refreshed(w, DOMAIN_RUNNING);
    pass(w, 60 * SEC);
    expect(w, "");
    connection(w, true);
    expect(w, "shutdown");
}

typedef struct {
    OperationKind kind;
    DomainState state;
    bool transient;
    DomainState found;
    const char *log;
    ErrorKind kind_of_error;
} LostCall;

/* A call that may have reached the hypervisor is never repeated: a refresh decides. */
static void
test_lost_calls(void)
{
    static const LostCall rows[] = {
        {OPERATION_START, DOMAIN_SHUTOFF, false, DOMAIN_RUNNING,
         "create refresh refresh refresh done", 0},
        {OPERATION_START, DOMAIN_SHUTOFF, false, DOMAIN_SHUTOFF, "create refresh refresh failed",
         ERROR_OPERATION_FAILED},
        {OPERATION_START, DOMAIN_PAUSED, false, DOMAIN_RUNNING,
         "resume refresh refresh refresh done", 0},
        {OPERATION_START, DOMAIN_PAUSED, false, DOMAIN_PAUSED, "resume refresh refresh failed",
         ERROR_OPERATION_FAILED},
        {OPERATION_START, DOMAIN_PMSUSPENDED, false, DOMAIN_RUNNING,
         "wakeup refresh refresh refresh done", 0},
        {OPERATION_PAUSE, DOMAIN_RUNNING, false, DOMAIN_PAUSED,
         "suspend refresh refresh refresh done", 0},
        {OPERATION_PAUSE, DOMAIN_RUNNING, false, DOMAIN_RUNNING, "suspend refresh refresh failed",
         ERROR_OPERATION_FAILED},
        {OPERATION_FORCE_STOP, DOMAIN_RUNNING, false, DOMAIN_SHUTOFF,
         "destroy refresh refresh refresh done", 0},
        {OPERATION_FORCE_STOP, DOMAIN_RUNNING, false, DOMAIN_RUNNING,
         "destroy refresh refresh failed", ERROR_OPERATION_FAILED},
        {OPERATION_STOP, DOMAIN_RUNNING, false, DOMAIN_SHUTOFF,
         "shutdown refresh refresh refresh done", 0},
        {OPERATION_STOP, DOMAIN_PAUSED, false, DOMAIN_RUNNING, "resume refresh refresh shutdown",
         0},
        {OPERATION_STOP, DOMAIN_CRASHED, false, DOMAIN_SHUTOFF,
         "destroy refresh refresh refresh done", 0},
        {OPERATION_REBOOT, DOMAIN_RUNNING, false, DOMAIN_SHUTOFF, "shutdown refresh refresh create",
         0},
        {OPERATION_REBOOT, DOMAIN_RUNNING, true, DOMAIN_RUNNING, "reboot refresh refresh failed",
         ERROR_OPERATION_FAILED},
        {OPERATION_REBOOT, DOMAIN_PAUSED, false, DOMAIN_PAUSED, "resume refresh refresh failed",
         ERROR_OPERATION_FAILED},
        {OPERATION_RESET, DOMAIN_RUNNING, false, DOMAIN_SHUTOFF, "destroy refresh refresh create",
         0},
        {OPERATION_RESET, DOMAIN_RUNNING, false, DOMAIN_RUNNING, "destroy refresh refresh failed",
         ERROR_OPERATION_FAILED},
        {OPERATION_RESET, DOMAIN_RUNNING, true, DOMAIN_RUNNING, "reset refresh refresh failed",
         ERROR_OPERATION_FAILED},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(World) w = world_new(rows[i].kind);

        w->transient = rows[i].transient;
        begin(w, rows[i].state);
        connection(w, false);
        end_call(w, w->serial, OUTCOME_LOST);
        reset_connection(w, rows[i].found);
        if (!w->finished)
            refreshed(w, rows[i].found);
        expect(w, rows[i].log);
        if (rows[i].kind_of_error)
            expect_error(w, rows[i].kind_of_error, "libvirt's own words" MAY_HAVE);
    }
}

/* The guest may have heard it: it is not asked twice, and forced when time is up. */
static void
test_lost_request_is_not_repeated(void)
{
    g_autoptr(World) w = begun(OPERATION_STOP, DOMAIN_RUNNING);

    connection(w, false);
    end_call(w, w->serial, OUTCOME_LOST);
    reset_connection(w, DOMAIN_RUNNING);
    pass(w, STOP_TIMEOUT - 1);
    expect(w, "shutdown refresh refresh");
    pass(w, 1);
    expect(w, "destroy");
}

static void
test_unsent_before_the_loss_is_told(void)
{
    g_autoptr(World) w = world_new(OPERATION_REBOOT);

    w->transient = true;
    begin(w, DOMAIN_RUNNING);
    end_call(w, w->serial, OUTCOME_UNSENT);
    connection(w, false);
    reset_connection(w, DOMAIN_RUNNING);
    expect(w, "reboot refresh refresh reboot");
}

/* A connection on which nothing can be sent: it ends nevertheless, and was not done. */
static void
test_unsendable(void)
{
    g_autoptr(World) w = begun(OPERATION_START, DOMAIN_SHUTOFF);
    unsigned tries = 0;

    while (!w->finished) {
        end_call(w, w->serial, OUTCOME_UNSENT);
        if (!w->finished)
            refreshed(w, DOMAIN_SHUTOFF);
        g_assert_cmpuint(++tries, <, 100);
    }
    g_assert_cmpuint(tries, >, 3);
    expect_error(w, ERROR_NOT_AVAILABLE, "libvirt's own words");
}

/* Whether the guest restarted meanwhile, nobody can tell. */
static void
test_restart_that_may_have_been_missed(void)
{
    g_autoptr(World) w = world_new(OPERATION_REBOOT);

    w->transient = true;
    begin(w, DOMAIN_RUNNING);
    ok(w);
    connection(w, false);
    reset_connection(w, DOMAIN_RUNNING);
    expect(w, "reboot refresh failed");
    expect_error(w, ERROR_OPERATION_FAILED, MAY_HAVE);

    g_autoptr(World) late = world_new(OPERATION_REBOOT);
    late->transient = true;
    begin(late, DOMAIN_RUNNING);
    connection(late, false);
    ok(late);
    reset_connection(late, DOMAIN_RUNNING);
    expect(late, "reboot refresh refresh failed");
    expect_error(late, ERROR_OPERATION_FAILED, MAY_HAVE);
}

/* The time that passed while nobody could refresh decides nothing. */
static void
test_time_that_passed_while_away(void)
{
    g_autoptr(World) w = begun(OPERATION_REBOOT, DOMAIN_RUNNING);

    ok(w);
    connection(w, false);
    pass(w, 60 * SEC);
    connection(w, true);
    pass(w, SEC);
    expect(w, "shutdown refresh");
    refreshed(w, DOMAIN_SHUTOFF);
    expect(w, "create");

    /* A Stop that forces has nothing to wait for. */
    g_autoptr(World) stop = begun(OPERATION_STOP, DOMAIN_RUNNING);
    ok(stop);
    connection(stop, false);
    pass(stop, 60 * SEC);
    expect(stop, "shutdown refresh");
    see(stop, DOMAIN_RUNNING);
    connection(stop, true);
    pass(stop, 0);
    expect(stop, "destroy");
}

static void
test_lost_after_the_work_was_done(void)
{
    g_autoptr(World) w = begun(OPERATION_PAUSE, DOMAIN_RUNNING);

    ok(w);
    connection(w, false);
    pass(w, 60 * SEC);
    expect(w, "suspend refresh refresh");
    connection(w, true);
    pass(w, SEC);
    expect(w, "");
    refreshed(w, DOMAIN_PAUSED);
    expect(w, "done");

    g_autoptr(World) forgotten = begun(OPERATION_PAUSE, DOMAIN_RUNNING);
    ok(forgotten);
    connection(forgotten, false);
    pass(forgotten, 3600 * SEC);
    expect(forgotten, "suspend refresh refresh done");
}

static void
test_away_for_too_long(void)
{
    g_autoptr(World) unsent = begun(OPERATION_START, DOMAIN_SHUTOFF);
    connection(unsent, false);
    end_call(unsent, unsent->serial, OUTCOME_UNSENT);
    pass(unsent, 3600 * SEC);
    expect(unsent, "create refresh refresh failed");
    expect_error(unsent, ERROR_NOT_AVAILABLE, "VMs are not available: ");

    g_autoptr(World) lost = begun(OPERATION_START, DOMAIN_SHUTOFF);
    connection(lost, false);
    end_call(lost, lost->serial, OUTCOME_LOST);
    pass(lost, 3600 * SEC);
    expect(lost, "create refresh refresh failed");
    expect_error(lost, ERROR_OPERATION_FAILED, "libvirt's own words" MAY_HAVE);
}

static void
test_gone_domain(void)
{
    static const Observation gone = {
        .state = DOMAIN_SHUTOFF, .id = -1, .gone = true, .fresh = true};
    g_autoptr(World) stop = world_new(OPERATION_STOP);

    stop->transient = true;
    begin(stop, DOMAIN_RUNNING);
    ok(stop);
    operation_observe(stop->op, stop->now, &gone);
    operation_observe(stop->op, stop->now, &gone);
    expect(stop, "shutdown refresh done");

    g_autoptr(World) reboot = world_new(OPERATION_REBOOT);
    reboot->transient = true;
    begin(reboot, DOMAIN_RUNNING);
    ok(reboot);
    operation_observe(reboot->op, reboot->now, &gone);
    expect(reboot, "reboot failed");
    expect_error(reboot, ERROR_OPERATION_FAILED, "is gone");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name, function) g_test_add_func("/operation/connection/" name, function)
    TEST("waiting-stop-outlives-a-reset-of-the-connection",
         test_waiting_stop_outlives_a_reset_of_the_connection);
    TEST("missed-events-are-made-up-by-a-refresh", test_missed_events_are_made_up_by_a_refresh);
    TEST("left-half-way-up", test_left_half_way_up);
    TEST("restarted", test_restarted);
    TEST("restarted-domain-is-not-forced", test_restarted_domain_is_not_forced);
    TEST("run-is-known-by-a-refresh", test_run_is_known_by_a_refresh);
    TEST("fresh-before-the-connection-is-told", test_fresh_before_the_connection_is_told);
    TEST("nothing-is-called-while-it-is-away", test_nothing_is_called_while_it_is_away);
    TEST("lost-calls", test_lost_calls);
    TEST("lost-request-is-not-repeated", test_lost_request_is_not_repeated);
    TEST("unsent-before-the-loss-is-told", test_unsent_before_the_loss_is_told);
    TEST("unsendable", test_unsendable);
    TEST("restart-that-may-have-been-missed", test_restart_that_may_have_been_missed);
    TEST("time-that-passed-while-away", test_time_that_passed_while_away);
    TEST("lost-after-the-work-was-done", test_lost_after_the_work_was_done);
    TEST("away-for-too-long", test_away_for_too_long);
    TEST("gone-domain", test_gone_domain);
#undef TEST
    return g_test_run();
}
