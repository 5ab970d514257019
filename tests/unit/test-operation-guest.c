/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The operations, bare, with guests and people that do something else than what was asked for. */

#include "operation-world.h"

#include <string.h>

/* --- asking the guest ------------------------------------------------------------------------ */

static World *
begun_with_agent(OperationKind kind)
{
    World *w = world_new(kind);

    w->domain.agent_connected = true;
    begin(w, DOMAIN_RUNNING);
    return w;
}

static void
test_agent_that_answers(void)
{
    g_autoptr(World) w = begun_with_agent(OPERATION_STOP);

    pass(w, 2 * SEC);
    ok(w);
    pass(w, STOP_TIMEOUT - 2 * SEC - 1);
    expect(w, "agent-shutdown");
    see(w, DOMAIN_SHUTOFF);
    refreshed(w, DOMAIN_SHUTOFF);
    expect(w, "refresh done");
}

static void
test_agent_that_hangs(void)
{
    g_autoptr(World) w = begun_with_agent(OPERATION_STOP);
    unsigned agent = w->serial;

    pass(w, 3 * SEC - 1);
    expect(w, "agent-shutdown");
    pass(w, 1);
    expect(w, "shutdown");
    ok(w);
    pass(w, SEC);
    see(w, DOMAIN_SHUTOFF);
    refreshed(w, DOMAIN_SHUTOFF);
    expect(w, "refresh done");
    g_assert_false(w->forced);
    end_call(w, agent, OUTCOME_FAILED);
    expect(w, "");

    /* It answers in the end, when the guest was asked by ACPI long ago. */
    g_autoptr(World) late = begun_with_agent(OPERATION_STOP);
    agent = late->serial;
    pass(late, 3 * SEC);
    ok(late);
    end_call(late, agent, OUTCOME_FAILED);
    pass(late, STOP_TIMEOUT - 3 * SEC - 1);
    expect(late, "agent-shutdown shutdown");
    pass(late, 1);
    expect(late, "destroy");
}

static void
test_agent_that_refuses(void)
{
    g_autoptr(World) w = begun_with_agent(OPERATION_STOP);

    end_call(w, w->serial, OUTCOME_FAILED);
    expect(w, "agent-shutdown shutdown");
    ok(w);
    pass(w, 5 * SEC);
    expect(w, "");

    /* Neither the agent nor ACPI: these are libvirt's words. */
    g_autoptr(World) gentle = world_new(OPERATION_STOP);
    gentle->domain.agent_connected = true;
    gentle->spec.force = false;
    begin(gentle, DOMAIN_RUNNING);
    end_call(gentle, gentle->serial, OUTCOME_FAILED);
    end_call(gentle, gentle->serial, OUTCOME_FAILED);
    refreshed(gentle, DOMAIN_RUNNING);
    expect(gentle, "agent-shutdown shutdown refresh failed");
    expect_error(gentle, ERROR_OPERATION_FAILED, "libvirt's own words");
}

/* The agent goes down with its guest, and so fails the request that it obeyed. */
static void
test_agent_that_goes_down(void)
{
    g_autoptr(World) w = begun_with_agent(OPERATION_STOP);

    end_call(w, w->serial, OUTCOME_FAILED);
    end_call(w, w->serial, OUTCOME_FAILED);
    refreshed(w, DOMAIN_SHUTOFF);
    refreshed(w, DOMAIN_SHUTOFF);
    expect(w, "agent-shutdown shutdown refresh refresh done");
}

static void
test_agent_and_reboot(void)
{
    g_autoptr(World) w = world_new(OPERATION_REBOOT);

    w->transient = true;
    w->domain.agent_connected = true;
    begin(w, DOMAIN_RUNNING);
    pass(w, 3 * SEC);
    expect(w, "agent-reboot reboot");
    ok(w);
    operation_event(w->op, w->now, OPERATION_EVENT_REBOOTED);
    refreshed(w, DOMAIN_RUNNING);
    expect(w, "refresh done");
}

/* The connection is lost while the agent hangs: the guest has still to be asked by ACPI. */
static void
test_agent_and_connection(void)
{
    g_autoptr(World) w = begun_with_agent(OPERATION_STOP);

    pass(w, SEC);
    connection(w, false);
    end_call(w, w->serial, OUTCOME_LOST);
    reset_connection(w, DOMAIN_RUNNING);
    pass(w, 2 * SEC - 1);
    expect(w, "agent-shutdown refresh refresh");
    pass(w, 1);
    expect(w, "shutdown");

    g_autoptr(World) unsent = begun_with_agent(OPERATION_STOP);
    connection(unsent, false);
    end_call(unsent, unsent->serial, OUTCOME_UNSENT);
    reset_connection(unsent, DOMAIN_RUNNING);
    expect(unsent, "agent-shutdown refresh refresh agent-shutdown");
}

/* A request of a booting guest's first seconds is lost: it is asked again while it starts up. */
static void
test_guest_that_is_starting_up(void)
{
    g_autoptr(World) w = world_new(OPERATION_STOP);

    w->spec.timeout = 300 * SEC;
    w->domain.booted_at = w->now - SEC;
    begin(w, DOMAIN_RUNNING);
    ok(w);
    pass(w, 5 * SEC - 1);
    expect(w, "shutdown");
    pass(w, 1);
    expect(w, "shutdown");
    /* The second hangs: no other is made beside it. */
    pass(w, 10 * SEC);
    expect(w, "");
    ok(w);
    pass(w, 0);
    expect(w, "shutdown");
    end_call(w, w->serial, OUTCOME_FAILED);
    for (unsigned i = 0; i < 20; i++) {
        pass(w, 5 * SEC);
        ok(w);
    }
    expect(w, "shutdown shutdown shutdown");
    see(w, DOMAIN_SHUTOFF);
    refreshed(w, DOMAIN_SHUTOFF);
    expect(w, "refresh done");

    /* One that obeys is left alone. */
    g_autoptr(World) obeys = world_new(OPERATION_STOP);
    obeys->spec.timeout = 300 * SEC;
    obeys->domain.booted_at = obeys->now - SEC;
    begin(obeys, DOMAIN_RUNNING);
    ok(obeys);
    see(obeys, DOMAIN_SHUTDOWN);
    pass(obeys, 30 * SEC);
    expect(obeys, "shutdown");

    /* It has been up for long. */
    g_autoptr(World) up = world_new(OPERATION_STOP);
    up->spec.timeout = 300 * SEC;
    up->domain.booted_at = up->now - 30 * SEC;
    begin(up, DOMAIN_RUNNING);
    ok(up);
    pass(up, 200 * SEC);
    expect(up, "shutdown");
}

/* The guest restarts by itself after it was asked: it did not hear that. */
static void
test_guest_that_restarts_by_itself(void)
{
    g_autoptr(World) w = begun(OPERATION_STOP, DOMAIN_RUNNING);

    ok(w);
    pass(w, 6 * SEC);
    w->domain.booted_at = w->now;
    operation_event(w->op, w->now, OPERATION_EVENT_REBOOTED);
    see(w, DOMAIN_RUNNING);
    pass(w, 0);
    expect(w, "shutdown shutdown");

    /* For ever: that is bounded, too. */
    g_autoptr(World) loop = world_new(OPERATION_STOP);
    unsigned asked = 0;
    loop->spec.timeout = OPERATION_NO_TIMEOUT;
    begin(loop, DOMAIN_RUNNING);
    for (unsigned i = 0; i < 100; i++) {
        asked += g_str_equal(loop->log->str, "shutdown");
        g_string_truncate(loop->log, 0);
        ok(loop);
        loop->domain.booted_at = loop->now;
        see(loop, DOMAIN_RUNNING);
        pass(loop, 5 * SEC);
    }
    g_assert_cmpuint(asked, <, 30);
}

/* --- guests that restart when they shut down ------------------------------------------------- */

static World *
begun_restarting(OperationKind kind, bool force)
{
    World *w = world_new(kind);

    w->domain.restarts_on_poweroff = true;
    w->spec.force = force;
    begin(w, DOMAIN_RUNNING);
    ok(w);
    expect(w, "shutdown");
    return w;
}

static void
test_reboot_of_restarting(void)
{
    g_autoptr(World) w = begun_restarting(OPERATION_REBOOT, false);

    operation_event(w->op, w->now, OPERATION_EVENT_REBOOTED);
    refreshed(w, DOMAIN_RUNNING);
    expect(w, "refresh done");

    /* The event was missed, but not what it came from. */
    g_autoptr(World) seen = begun_restarting(OPERATION_REBOOT, false);
    see(seen, DOMAIN_SHUTDOWN);
    refreshed(seen, DOMAIN_RUNNING);
    expect(seen, "refresh");
    refreshed(seen, DOMAIN_RUNNING);
    expect(seen, "done");

    g_autoptr(World) ignores = begun_restarting(OPERATION_REBOOT, false);
    pass(ignores, STOP_TIMEOUT);
    expect(ignores, "timeout");
    expect_error(ignores, ERROR_TIMEOUT, "if it obeys later it restarts then");

    /* It is off nevertheless. */
    g_autoptr(World) off = begun_restarting(OPERATION_REBOOT, false);
    see(off, DOMAIN_SHUTOFF);
    expect(off, "create");
}

static void
test_stop_of_restarting(void)
{
    g_autoptr(World) w = begun_restarting(OPERATION_STOP, true);
    operation_event(w->op, w->now, OPERATION_EVENT_REBOOTED);
    expect(w, "destroy");
    ok(w);
    refreshed(w, DOMAIN_SHUTOFF);
    expect(w, "refresh done");
    g_assert_false(w->forced);

    /* Ended on its way, it does not even boot. */
    g_autoptr(World) down = begun_restarting(OPERATION_STOP, true);
    see(down, DOMAIN_SHUTDOWN);
    expect(down, "destroy");

    /* It ended by itself in the same moment. */
    g_autoptr(World) race = begun_restarting(OPERATION_STOP, true);
    see(race, DOMAIN_SHUTDOWN);
    end_call(race, race->serial, OUTCOME_FAILED);
    refreshed(race, DOMAIN_SHUTOFF);
    refreshed(race, DOMAIN_SHUTOFF);
    expect(race, "destroy refresh refresh done");

    g_autoptr(World) ignores = begun_restarting(OPERATION_STOP, true);
    pass(ignores, STOP_TIMEOUT);
    expect(ignores, "destroy");
}

static void
test_gentle_stop_of_restarting(void)
{
    g_autoptr(World) w = begun_restarting(OPERATION_STOP, false);

    see(w, DOMAIN_SHUTDOWN);
    expect(w, "");
    operation_event(w->op, w->now, OPERATION_EVENT_REBOOTED);
    expect(w, "timeout");
    expect_error(w, ERROR_TIMEOUT, "on_poweroff");
    expect_error(w, ERROR_TIMEOUT, "nothing was forced");
}

/* --- the answer is what is true -------------------------------------------------------------- */

static void
test_answer_is_what_is_true(void)
{
    static const struct {
        OperationKind kind;
        DomainState state;
        bool transient;
        DomainState found; /* at the last refresh */
        const char *words; /* NULL: done */
    } rows[] = {
        {OPERATION_START, DOMAIN_SHUTOFF, false, DOMAIN_RUNNING, NULL},
        {OPERATION_START, DOMAIN_SHUTOFF, false, DOMAIN_IDLE, NULL},
        {OPERATION_START, DOMAIN_SHUTOFF, false, DOMAIN_PAUSED, "now it is paused"},
        {OPERATION_START, DOMAIN_SHUTOFF, false, DOMAIN_SHUTOFF, "now it is shutoff"},
        {OPERATION_START, DOMAIN_SHUTOFF, false, DOMAIN_CRASHED, "now it is crashed"},
        {OPERATION_START, DOMAIN_PAUSED, false, DOMAIN_PAUSED, "now it is paused"},
        {OPERATION_RESUME, DOMAIN_PAUSED, false, DOMAIN_RUNNING, NULL},
        {OPERATION_RESUME, DOMAIN_PAUSED, false, DOMAIN_PAUSED, "now it is paused"},
        {OPERATION_PAUSE, DOMAIN_RUNNING, false, DOMAIN_PAUSED, NULL},
        {OPERATION_PAUSE, DOMAIN_RUNNING, false, DOMAIN_RUNNING, "now it is running"},
        {OPERATION_FORCE_STOP, DOMAIN_RUNNING, false, DOMAIN_SHUTOFF, NULL},
        {OPERATION_RESET, DOMAIN_RUNNING, true, DOMAIN_RUNNING, NULL},
        {OPERATION_RESET, DOMAIN_RUNNING, true, DOMAIN_PAUSED, "now it is paused"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(World) w = world_new(rows[i].kind);

        w->transient = rows[i].transient;
        begin(w, rows[i].state);
        ok(w);
        refreshed(w, rows[i].found);
        g_assert_true(w->finished);
        if (rows[i].words)
            expect_error(w, ERROR_OPERATION_FAILED, rows[i].words);
        else
            g_assert_cmpint(w->result, ==, RESULT_DONE);
    }
}

/* The disk is still full. */
static void
test_paused_again(void)
{
    g_autoptr(World) w = begun(OPERATION_RESUME, DOMAIN_PAUSED);

    ok(w);
    see(w, DOMAIN_RUNNING);
    w->domain.reason = "io-error";
    refreshed(w, DOMAIN_PAUSED);
    expect(w, "resume refresh failed");
    expect_error(w, ERROR_OPERATION_FAILED, "paused (io-error)");
}

/* --- reset in place -------------------------------------------------------------------------- */

static World *
begun_transient_reset(DomainState state, bool ends_on_reboot)
{
    World *w = world_new(OPERATION_RESET);

    w->transient = true;
    w->domain.ends_on_reboot = ends_on_reboot;
    begin(w, state);
    return w;
}

static void
test_reset_of_what_is_paused(void)
{
    /* Somebody else has resumed it meanwhile. */
    g_autoptr(World) w = begun_transient_reset(DOMAIN_PAUSED, false);
    ok(w);
    end_call(w, w->serial, OUTCOME_FAILED);
    refreshed(w, DOMAIN_RUNNING);
    refreshed(w, DOMAIN_RUNNING);
    expect(w, "reset resume refresh refresh done");

    g_autoptr(World) stays = begun_transient_reset(DOMAIN_CRASHED, false);
    ok(stays);
    end_call(stays, stays->serial, OUTCOME_FAILED);
    refreshed(stays, DOMAIN_PAUSED);
    expect(stays, "reset resume refresh failed");
    expect_error(stays, ERROR_OPERATION_FAILED, "libvirt's own words");
}

static void
test_reset_of_what_sleeps(void)
{
    g_autoptr(World) w = begun_transient_reset(DOMAIN_PMSUSPENDED, false);

    ok(w);
    expect(w, "wakeup");
    refreshed(w, DOMAIN_RUNNING);
    expect(w, "reset");

    g_autoptr(World) sleeps_on = begun_transient_reset(DOMAIN_PMSUSPENDED, false);
    ok(sleeps_on);
    pass(sleeps_on, STOP_TIMEOUT);
    expect(sleeps_on, "wakeup timeout");
}

static void
test_reset_that_removes(void)
{
    static const DomainState states[] = {DOMAIN_RUNNING, DOMAIN_PAUSED, DOMAIN_CRASHED,
                                         DOMAIN_PMSUSPENDED};

    for (unsigned i = 0; i < G_N_ELEMENTS(states); i++) {
        g_autoptr(World) w = begun_transient_reset(states[i], true);

        ok(w);
        see(w, states[i]);
        pass(w, SEC);
        expect(w, "reset");
        vanish(w);
        vanish(w);
        expect(w, "refresh failed");
        expect_error(w, ERROR_OPERATION_FAILED, "now it is gone");
    }

    /* Nobody knew. */
    g_autoptr(World) w = begun_transient_reset(DOMAIN_RUNNING, false);
    ok(w);
    vanish(w);
    expect(w, "reset refresh failed");
    expect_error(w, ERROR_OPERATION_FAILED, "now it is gone");
}

static void
test_calls_that_fail_when_it_ends(void)
{
    static const OperationKind kinds[] = {OPERATION_RESET, OPERATION_PAUSE, OPERATION_RESUME};

    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        DomainState state = kinds[i] == OPERATION_RESUME ? DOMAIN_PAUSED : DOMAIN_RUNNING;
        g_autoptr(World) gone = world_new(kinds[i]);
        gone->transient = true;
        begin(gone, state);
        end_call(gone, gone->serial, OUTCOME_FAILED);
        vanish(gone);
        expect_error(gone, ERROR_OPERATION_FAILED, "libvirt's own words; \"vm\" is gone now");

        g_autoptr(World) off = world_new(kinds[i]);
        off->transient = true;
        begin(off, state);
        end_call(off, off->serial, OUTCOME_FAILED);
        refreshed(off, DOMAIN_SHUTOFF);
        expect_error(off, ERROR_OPERATION_FAILED, "libvirt's own words; \"vm\" is shutoff now");
    }
}

/* --- somebody else's start ------------------------------------------------------------------- */

static void
test_start_while_others_start(void)
{
    g_autoptr(World) w = world_new(OPERATION_START);
    w->domain.starting_up = true;
    begin(w, DOMAIN_PAUSED);
    expect(w, "");
    pass(w, 60 * SEC);
    w->domain.starting_up = false;
    refreshed(w, DOMAIN_RUNNING);
    refreshed(w, DOMAIN_RUNNING);
    expect(w, "refresh done");

    /* libvirt knew before we did. */
    g_autoptr(World) refused = begun(OPERATION_START, DOMAIN_SHUTOFF);
    end_call(refused, refused->serial, OUTCOME_FAILED);
    refused->domain.starting_up = true;
    refreshed(refused, DOMAIN_PAUSED);
    expect(refused, "create refresh");
    pass(refused, 60 * SEC);
    refused->domain.starting_up = false;
    see(refused, DOMAIN_RUNNING);
    refreshed(refused, DOMAIN_RUNNING);
    expect(refused, "refresh done");

    /* It was up by the time that libvirt said so. */
    g_autoptr(World) up = begun(OPERATION_START, DOMAIN_SHUTOFF);
    end_call(up, up->serial, OUTCOME_FAILED);
    refreshed(up, DOMAIN_RUNNING);
    refreshed(up, DOMAIN_RUNNING);
    expect(up, "create refresh refresh done");
}

static void
test_start_that_others_fail(void)
{
    static const struct {
        DomainState found;
        const char *words;
    } rows[] = {
        {DOMAIN_SHUTOFF, "is shutoff"},   {DOMAIN_PAUSED, "is paused"}, /* virsh start --paused */
        {DOMAIN_SHUTDOWN, "is shutdown"}, {DOMAIN_PMSUSPENDED, "is pmsuspended"},
        {DOMAIN_CRASHED, "is crashed"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(World) w = world_new(OPERATION_START);

        w->domain.starting_up = true;
        begin(w, DOMAIN_PAUSED);
        w->domain.starting_up = false;
        see(w, rows[i].found);
        expect(w, "failed");
        g_assert_nonnull(strstr(w->error->message, rows[i].words));
    }

    /* It was active all the time. */
    g_autoptr(World) active = begun(OPERATION_START, DOMAIN_NOSTATE);
    end_call(active, active->serial, OUTCOME_FAILED);
    refreshed(active, DOMAIN_NOSTATE);
    expect(active, "create refresh failed");
    expect_error(active, ERROR_OPERATION_FAILED, "libvirt's own words");

    /* Left half way up for good. */
    g_autoptr(World) w = world_new(OPERATION_START);
    w->domain.starting_up = true;
    begin(w, DOMAIN_PAUSED);
    pass(w, 3600 * SEC);
    expect(w, "timeout");

    /* Ours was to leave it paused, theirs does not. */
    g_autoptr(World) paused = world_new(OPERATION_START);
    paused->spec.paused = true;
    begin(paused, DOMAIN_SHUTOFF);
    end_call(paused, paused->serial, OUTCOME_FAILED);
    refreshed(paused, DOMAIN_RUNNING);
    expect(paused, "create-paused refresh failed");
    expect_error(paused, ERROR_OPERATION_FAILED, "libvirt's own words");
}

/* --- what was forced, and the service's own end ---------------------------------------------- */

static void
test_forced_is_told(void)
{
    g_autoptr(World) w = begun(OPERATION_STOP, DOMAIN_RUNNING);
    ok(w);
    pass(w, STOP_TIMEOUT);
    ok(w);
    refreshed(w, DOMAIN_SHUTOFF);
    expect(w, "shutdown destroy refresh done");
    g_assert_true(w->forced);

    /* The connection was lost as it was forced, and it is off. */
    g_autoptr(World) lost = begun(OPERATION_STOP, DOMAIN_RUNNING);
    ok(lost);
    pass(lost, STOP_TIMEOUT);
    connection(lost, false);
    end_call(lost, lost->serial, OUTCOME_LOST);
    reset_connection(lost, DOMAIN_SHUTOFF);
    refreshed(lost, DOMAIN_SHUTOFF);
    g_assert_cmpint(lost->result, ==, RESULT_DONE);
    g_assert_true(lost->forced);

    /* It went down by itself in the last moment. */
    g_autoptr(World) late = begun(OPERATION_STOP, DOMAIN_RUNNING);
    ok(late);
    pass(late, STOP_TIMEOUT);
    end_call(late, late->serial, OUTCOME_FAILED);
    refreshed(late, DOMAIN_SHUTOFF);
    refreshed(late, DOMAIN_SHUTOFF);
    g_assert_cmpint(late->result, ==, RESULT_DONE);
    g_assert_false(late->forced);

    /* One that has crashed could not power off. */
    g_autoptr(World) crashed = begun(OPERATION_STOP, DOMAIN_CRASHED);
    ok(crashed);
    refreshed(crashed, DOMAIN_SHUTOFF);
    g_assert_cmpint(crashed->result, ==, RESULT_DONE);
    g_assert_false(crashed->forced);

    /* Nobody expected this guest to shut down. */
    g_autoptr(World) force = begun(OPERATION_FORCE_STOP, DOMAIN_RUNNING);
    ok(force);
    refreshed(force, DOMAIN_SHUTOFF);
    g_assert_false(force->forced);
}

/* The service stops in the middle of whatever it is: nothing is called from then on. */
static void
test_abort_forces_and_repeats_nothing(void)
{
    for (OperationKind kind = 0; kind < _OPERATION_MAX; kind++) {
        for (unsigned half = 0; half < 2; half++) {
            g_autoptr(World) w = world_new(kind);

            w->domain.agent_connected = true;
            w->domain.booted_at = w->now;
            w->transient = half;
            begin(w, kind == OPERATION_START || kind == OPERATION_RESUME ? DOMAIN_PAUSED
                                                                         : DOMAIN_RUNNING);
            operation_abort(w->op, "the service is stopping");
            g_assert_cmpint(w->result, ==, RESULT_CANCELED);
            g_string_truncate(w->log, 0);
            ok(w);
            pass(w, 3600 * SEC);
            operation_event(w->op, w->now, OPERATION_EVENT_REBOOTED);
            see(w, DOMAIN_CRASHED);
            connection(w, false);
            connection(w, true);
            operation_elapsed(w->op, w->now);
            expect(w, "");
        }
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name, function) g_test_add_func("/operation/guest/" name, function)
    TEST("agent-that-answers", test_agent_that_answers);
    TEST("agent-that-hangs", test_agent_that_hangs);
    TEST("agent-that-refuses", test_agent_that_refuses);
    TEST("agent-that-goes-down", test_agent_that_goes_down);
    TEST("agent-and-reboot", test_agent_and_reboot);
    TEST("agent-and-connection", test_agent_and_connection);
    TEST("starting-up", test_guest_that_is_starting_up);
    TEST("restarts-by-itself", test_guest_that_restarts_by_itself);
    TEST("reboot-of-restarting", test_reboot_of_restarting);
    TEST("stop-of-restarting", test_stop_of_restarting);
    TEST("gentle-stop-of-restarting", test_gentle_stop_of_restarting);
    TEST("answer-is-what-is-true", test_answer_is_what_is_true);
    TEST("paused-again", test_paused_again);
    TEST("reset-of-what-is-paused", test_reset_of_what_is_paused);
    TEST("reset-of-what-sleeps", test_reset_of_what_sleeps);
    TEST("reset-that-removes", test_reset_that_removes);
    TEST("calls-that-fail-when-it-ends", test_calls_that_fail_when_it_ends);
    TEST("start-while-others-start", test_start_while_others_start);
    TEST("start-that-others-fail", test_start_that_others_fail);
    TEST("forced-is-told", test_forced_is_told);
    TEST("abort-forces-and-repeats-nothing", test_abort_forces_and_repeats_nothing);
#undef TEST
    return g_test_run();
}
