/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The operations, bare: how long they wait for the guest, and how they force. */

#include "operation-world.h"

#include <string.h>

static void
test_stop_forces_when_time_is_up(void)
{
    static const DomainState states[] = {DOMAIN_RUNNING, DOMAIN_IDLE, DOMAIN_SHUTDOWN};

    for (unsigned i = 0; i < G_N_ELEMENTS(states); i++) {
        g_autoptr(World) w = begun(OPERATION_STOP, states[i]);

        if (states[i] != DOMAIN_SHUTDOWN)
            ok(w);
        g_string_truncate(w->log, 0);
        pass(w, STOP_TIMEOUT - 1);
        expect(w, "");
        pass(w, 1);
        expect(w, "destroy");
        ok(w);
        refreshed(w, DOMAIN_SHUTOFF);
        expect(w, "refresh done");
    }
}

static void
test_forcing_never_waits_for_a_hung_ask(void)
{
    g_autoptr(World) w = begun(OPERATION_STOP, DOMAIN_RUNNING);
    unsigned ask = w->serial;

    expect(w, "shutdown");
    pass(w, STOP_TIMEOUT);
    expect(w, "destroy");
    ok(w);
    refreshed(w, DOMAIN_SHUTOFF);
    expect(w, "refresh done");
    end_call(w, ask, OUTCOME_FAILED);
    expect(w, "");
}

/* Nor for a call that was to prepare the asking. */
static void
test_forcing_never_waits_for_a_hung_preparation(void)
{
    static const DomainState states[] = {DOMAIN_PAUSED, DOMAIN_PMSUSPENDED};

    for (unsigned i = 0; i < G_N_ELEMENTS(states); i++) {
        g_autoptr(World) w = begun(OPERATION_STOP, states[i]);
        unsigned preparation = w->serial;

        g_string_truncate(w->log, 0);
        pass(w, STOP_TIMEOUT);
        expect(w, "destroy");
        end_call(w, preparation, OUTCOME_OK);
        expect(w, "");
        ok(w);
        refreshed(w, DOMAIN_SHUTOFF);
        expect(w, "refresh done");
    }
}

static void
test_reply_never_waits_for_a_hung_ask(void)
{
    g_autoptr(World) w = begun(OPERATION_STOP, DOMAIN_RUNNING);

    see(w, DOMAIN_SHUTDOWN);
    see(w, DOMAIN_SHUTOFF);
    refreshed(w, DOMAIN_SHUTOFF);
    expect(w, "shutdown refresh done");
}

static void
test_force_fails(void)
{
    /* It went down by itself at the last moment. */
    g_autoptr(World) w = begun(OPERATION_STOP, DOMAIN_RUNNING);

    pass(w, STOP_TIMEOUT);
    end_call(w, w->serial, OUTCOME_FAILED);
    refreshed(w, DOMAIN_SHUTOFF);
    refreshed(w, DOMAIN_SHUTOFF);
    expect(w, "shutdown destroy refresh refresh done");

    g_autoptr(World) stubborn = begun(OPERATION_STOP, DOMAIN_RUNNING);
    pass(stubborn, STOP_TIMEOUT);
    end_call(stubborn, stubborn->serial, OUTCOME_FAILED);
    refreshed(stubborn, DOMAIN_RUNNING);
    expect(stubborn, "shutdown destroy refresh failed");
    expect_error(stubborn, ERROR_OPERATION_FAILED, "libvirt's own words");
}

static void
test_stop_without_force(void)
{
    g_autoptr(World) w = world_new(OPERATION_STOP);

    w->spec.force = false;
    begin(w, DOMAIN_RUNNING);
    pass(w, STOP_TIMEOUT - 1);
    expect(w, "shutdown");
    pass(w, 1);
    expect(w, "timeout");
    expect_error(w, ERROR_TIMEOUT, "nothing was forced");
}

/* A guest that was asleep is given time to come to itself. */
static void
test_woken_guest_is_given_time(void)
{
    g_autoptr(World) w = begun(OPERATION_STOP, DOMAIN_PMSUSPENDED);

    ok(w);
    expect(w, "wakeup");
    pass(w, SEC);
    see(w, DOMAIN_RUNNING);
    pass(w, SEC);
    expect(w, "");
    pass(w, SEC);
    expect(w, "shutdown");
    pass(w, STOP_TIMEOUT - 3 * SEC);
    expect(w, "destroy");
}

static void
test_guest_goes_down_as_it_wakes(void)
{
    g_autoptr(World) w = begun(OPERATION_STOP, DOMAIN_PMSUSPENDED);

    ok(w);
    see(w, DOMAIN_RUNNING);
    see(w, DOMAIN_SHUTOFF);
    refreshed(w, DOMAIN_SHUTOFF);
    expect(w, "wakeup refresh done");
}

static void
test_crash_on_the_way(void)
{
    g_autoptr(World) stop = begun(OPERATION_STOP, DOMAIN_RUNNING);
    see(stop, DOMAIN_CRASHED);
    expect(stop, "shutdown destroy");

    g_autoptr(World) reboot = begun(OPERATION_REBOOT, DOMAIN_RUNNING);
    see(reboot, DOMAIN_CRASHED);
    expect(reboot, "shutdown failed");
    expect_error(reboot, ERROR_INVALID_STATE, "crashed");

    g_autoptr(World) start = begun(OPERATION_START, DOMAIN_PMSUSPENDED);
    ok(start);
    see(start, DOMAIN_CRASHED);
    expect(start, "wakeup failed");
    expect_error(start, ERROR_INVALID_STATE, "crashed");
}

static void
test_reboot_timeout(void)
{
    g_autoptr(World) w = begun(OPERATION_REBOOT, DOMAIN_RUNNING);

    ok(w);
    pass(w, STOP_TIMEOUT - 1);
    expect(w, "shutdown");
    pass(w, 1);
    expect(w, "timeout");
    expect_error(w, ERROR_TIMEOUT, "if it obeys later it stays off");

    g_autoptr(World) transient = world_new(OPERATION_REBOOT);
    transient->transient = true;
    begin(transient, DOMAIN_RUNNING);
    ok(transient);
    pass(transient, STOP_TIMEOUT);
    expect(transient, "reboot timeout");
    expect_error(transient, ERROR_TIMEOUT, "nothing was forced");
}

/* Its time is for going down: booting takes as long as it takes. */
static void
test_reboot_boots_after_its_time(void)
{
    g_autoptr(World) w = begun(OPERATION_REBOOT, DOMAIN_RUNNING);

    pass(w, STOP_TIMEOUT - 1);
    see(w, DOMAIN_SHUTOFF);
    pass(w, 3600 * SEC);
    expect(w, "shutdown create");
    ok(w);
    refreshed(w, DOMAIN_RUNNING);
    expect(w, "refresh done");
}

static void
test_reboot_in_call(void)
{
    g_autoptr(World) w = world_new(OPERATION_REBOOT);

    w->transient = true;
    w->spec.reboot_in_call = true;
    begin(w, DOMAIN_RUNNING);
    ok(w);
    refreshed(w, DOMAIN_RUNNING);
    expect(w, "reboot refresh done");
}

static void
test_start_timeout(void)
{
    g_autoptr(World) w = world_new(OPERATION_START);

    w->spec.timeout_given = true;
    begin(w, DOMAIN_SHUTOFF);
    pass(w, STOP_TIMEOUT);
    expect(w, "create timeout");
    expect_error(w, ERROR_TIMEOUT, "may still be carried out");

    g_autoptr(World) patient = begun(OPERATION_START, DOMAIN_SHUTOFF);
    pass(patient, 3600 * SEC);
    expect(patient, "create");
}

static void
test_last_refresh_is_bounded(void)
{
    g_autoptr(World) w = begun(OPERATION_PAUSE, DOMAIN_RUNNING);

    ok(w);
    see(w, DOMAIN_PAUSED);
    expect(w, "suspend refresh");
    pass(w, 5 * SEC);
    expect(w, "done");
}

typedef struct {
    OperationKind kind;
    DomainState state;
    const char *log;
} Forced;

/* By the very call that libvirt says was refused because the domain is off. */
static const Forced forced[] = {
    {OPERATION_FORCE_STOP, DOMAIN_RUNNING, "destroy refresh refresh done"},
    {OPERATION_FORCE_STOP, DOMAIN_PAUSED, "destroy refresh refresh done"},
    {OPERATION_STOP, DOMAIN_CRASHED, "destroy refresh refresh done"},
    {OPERATION_RESET, DOMAIN_RUNNING, "destroy refresh create"},
};

static void
test_forced_by_a_refused_call(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(forced); i++) {
        g_autoptr(World) w = begun(forced[i].kind, forced[i].state);

        end_call(w, w->serial, OUTCOME_FAILED);
        refreshed(w, DOMAIN_SHUTOFF);
        if (forced[i].kind != OPERATION_RESET)
            refreshed(w, DOMAIN_SHUTOFF);
        expect(w, forced[i].log);

        /* A transient domain is gone with its power. */
        g_autoptr(World) gone = begun(forced[i].kind, forced[i].state);
        end_call(gone, gone->serial, OUTCOME_FAILED);
        vanish(gone);
        if (forced[i].kind != OPERATION_RESET)
            vanish(gone);
        expect(gone, forced[i].log);
    }
}

static void
see_without_id(World *w, DomainState state)
{
    Observation seen = {.state = state, .id = -1, .persistent = true, .fresh = true};

    operation_observe(w->op, w->now, &seen);
}

/* libvirt says that it is not running while it still cleans up, and shows the state of before. */
static void
test_force_of_what_is_being_ended(void)
{
    g_autoptr(World) w = begun(OPERATION_FORCE_STOP, DOMAIN_PAUSED);

    end_call(w, w->serial, OUTCOME_FAILED);
    see_without_id(w, DOMAIN_PAUSED);
    expect(w, "destroy refresh");
    pass(w, SEC / 4);
    expect(w, "refresh");
    see_without_id(w, DOMAIN_PAUSED);
    refreshed(w, DOMAIN_SHUTOFF);
    refreshed(w, DOMAIN_SHUTOFF);
    expect(w, "refresh done");

    g_autoptr(World) stuck = begun(OPERATION_FORCE_STOP, DOMAIN_PAUSED);
    end_call(stuck, stuck->serial, OUTCOME_FAILED);
    for (unsigned i = 0; i < 60; i++) {
        see_without_id(stuck, DOMAIN_PAUSED);
        pass(stuck, SEC);
    }
    see_without_id(stuck, DOMAIN_PAUSED);
    g_assert_nonnull(g_strstr_len(stuck->log->str, -1, "failed"));
    expect_error(stuck, ERROR_OPERATION_FAILED, "libvirt's own words");
}

/* It ended without us: nothing that we did reached it. */
static void
test_force_of_what_is_off(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(forced); i++) {
        /* The connection is lost before the call is sent, and libvirt comes back without the guest.
         */
        g_autoptr(World) unsent = begun(forced[i].kind, forced[i].state);
        connection(unsent, false);
        end_call(unsent, unsent->serial, OUTCOME_UNSENT);
        reset_connection(unsent, DOMAIN_SHUTOFF);
        expect(unsent, "destroy refresh refresh failed");
        expect_error(unsent, ERROR_INVALID_STATE, "shutoff");

        g_autoptr(World) refused = world_new(forced[i].kind);
        refused->refuse = true;
        begin(refused, forced[i].state);
        refreshed(refused, DOMAIN_SHUTOFF);
        expect(refused, "destroy refresh failed");
        expect_error(refused, ERROR_INVALID_STATE, "shutoff");
    }

    /* It was off when ForceStop overtook the Start that had not begun. */
    g_autoptr(World) w = world_new(OPERATION_FORCE_STOP);
    Observation seen = {.state = DOMAIN_NOSTATE, .id = -1, .persistent = true};
    w->op = operation_new(&w->spec, "vm", &world_effects, w);
    operation_begin(w->op, w->now, &seen);
    end_call(w, w->serial, OUTCOME_FAILED);
    refreshed(w, DOMAIN_SHUTOFF);
    expect(w, "destroy refresh failed");
    expect_error(w, ERROR_INVALID_STATE, "shutoff");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name, function) g_test_add_func("/operation/force/" name, function)
    TEST("stop-forces-when-time-is-up", test_stop_forces_when_time_is_up);
    TEST("forcing-never-waits-for-a-hung-ask", test_forcing_never_waits_for_a_hung_ask);
    TEST("forcing-never-waits-for-a-hung-preparation",
         test_forcing_never_waits_for_a_hung_preparation);
    TEST("reply-never-waits-for-a-hung-ask", test_reply_never_waits_for_a_hung_ask);
    TEST("force-fails", test_force_fails);
    TEST("stop-without-force", test_stop_without_force);
    TEST("woken-guest-is-given-time", test_woken_guest_is_given_time);
    TEST("guest-goes-down-as-it-wakes", test_guest_goes_down_as_it_wakes);
    TEST("crash-on-the-way", test_crash_on_the_way);
    TEST("reboot-timeout", test_reboot_timeout);
    TEST("reboot-boots-after-its-time", test_reboot_boots_after_its_time);
    TEST("reboot-in-call", test_reboot_in_call);
    TEST("start-timeout", test_start_timeout);
    TEST("last-refresh-is-bounded", test_last_refresh_is_bounded);
    TEST("forced-by-a-refused-call", test_forced_by_a_refused_call);
    TEST("being-ended", test_force_of_what_is_being_ended);
    TEST("force-of-what-is-off", test_force_of_what_is_off);
#undef TEST
    return g_test_run();
}
