/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The operations, bare: cancelled, overtaken by ForceStop, or ended with the service. */

#include "operation-world.h"

#include <string.h>

static void
assert_cancel(World *w, bool possible)
{
    g_autoptr(Error) error = operation_cancel(w->op, w->now);

    g_assert_true((error == NULL) == possible);
    g_assert_true(w->finished == possible);
    if (error)
        g_assert_cmpint(error->kind, ==, ERROR_INVALID_STATE);
    else
        expect_error(w, ERROR_CANCELED, "was canceled");
}

static void
test_cancel(void)
{
    static const struct {
        OperationKind kind;
        DomainState state;
        bool possible; /* while its first call is under way */
    } rows[] = {
        {OPERATION_STOP, DOMAIN_RUNNING, true},        {OPERATION_STOP, DOMAIN_PAUSED, true},
        {OPERATION_STOP, DOMAIN_SHUTDOWN, true},       {OPERATION_STOP, DOMAIN_CRASHED, false},
        {OPERATION_REBOOT, DOMAIN_RUNNING, true},      {OPERATION_START, DOMAIN_SHUTOFF, false},
        {OPERATION_START, DOMAIN_PAUSED, false},       {OPERATION_RESUME, DOMAIN_PAUSED, false},
        {OPERATION_START, DOMAIN_PMSUSPENDED, false},  {OPERATION_PAUSE, DOMAIN_RUNNING, false},
        {OPERATION_FORCE_STOP, DOMAIN_RUNNING, false}, {OPERATION_RESET, DOMAIN_RUNNING, false},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(World) w = begun(rows[i].kind, rows[i].state);

        assert_cancel(w, rows[i].possible);
    }
}

/* A cancelled Stop leaves the guest alone, whatever its calls come to. */
static void
test_cancelled_stop_forces_nothing(void)
{
    g_autoptr(World) w = begun(OPERATION_STOP, DOMAIN_RUNNING);

    assert_cancel(w, true);
    ok(w);
    see(w, DOMAIN_CRASHED);
    connection(w, false);
    connection(w, true);
    operation_elapsed(w->op, w->now + 3600 * SEC);
    operation_overtake(w->op, w->now);
    expect(w, "shutdown canceled");
    g_autoptr(Error) error = operation_cancel(w->op, w->now);
    g_assert_cmpint(error->kind, ==, ERROR_INVALID_STATE);
}

static void
test_cancel_while_away(void)
{
    g_autoptr(World) w = begun(OPERATION_START, DOMAIN_SHUTOFF);

    connection(w, false);
    end_call(w, w->serial, OUTCOME_LOST);
    assert_cancel(w, true);
    expect_error(w, ERROR_CANCELED, MAY_HAVE);
}

static void
test_cancel_of_what_is_done(void)
{
    g_autoptr(World) w = begun(OPERATION_PAUSE, DOMAIN_RUNNING);

    ok(w);
    assert_cancel(w, false);
    refreshed(w, DOMAIN_PAUSED);
    expect(w, "suspend refresh done");
}

static void
test_overtake(void)
{
    /* An operation that only waits, or has only a request under way, ends at once. */
    static const DomainState states[] = {DOMAIN_RUNNING, DOMAIN_PAUSED, DOMAIN_PMSUSPENDED};
    for (unsigned i = 0; i < G_N_ELEMENTS(states); i++) {
        g_autoptr(World) stop = begun(OPERATION_STOP, states[i]);

        operation_overtake(stop->op, stop->now);
        expect_error(stop, ERROR_CANCELED, "ForceStop");
    }

    /* An operation whose call changes something ends with the result of that call. */
    static const struct {
        CallOutcome outcome;
        OperationResult result;
        const char *words;
    } rows[] = {
        {OUTCOME_OK, RESULT_CANCELED, "ForceStop"},
        {OUTCOME_FAILED, RESULT_FAILED, "libvirt's own words"},
        {OUTCOME_UNSENT, RESULT_CANCELED, "ForceStop"},
        {OUTCOME_LOST, RESULT_CANCELED, MAY_HAVE},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(World) start = begun(OPERATION_START, DOMAIN_SHUTOFF);

        operation_overtake(start->op, start->now);
        g_assert_false(start->finished);
        g_autoptr(Error) error = operation_cancel(start->op, start->now);
        g_assert_cmpint(error->kind, ==, ERROR_INVALID_STATE);
        end_call(start, start->serial, rows[i].outcome);
        g_assert_true(start->finished);
        g_assert_cmpint(start->result, ==, rows[i].result);
        g_assert_nonnull(strstr(start->error->message, rows[i].words));
    }

    g_autoptr(World) done = begun(OPERATION_PAUSE, DOMAIN_RUNNING);
    ok(done);
    operation_overtake(done->op, done->now);
    expect(done, "suspend refresh done");
}

/* A Reset that was overtaken between its two calls does not boot. */
static void
test_overtaken_reset_does_not_boot(void)
{
    g_autoptr(World) w = begun(OPERATION_RESET, DOMAIN_RUNNING);

    operation_overtake(w->op, w->now);
    ok(w);
    expect(w, "destroy canceled");
}

static void
test_overtaken_stop_forces_nothing(void)
{
    g_autoptr(World) w = world_new(OPERATION_START);

    w->spec.timeout_given = true;
    begin(w, DOMAIN_SHUTOFF);
    operation_overtake(w->op, w->now);
    pass(w, STOP_TIMEOUT);
    expect(w, "create canceled");
    expect_error(w, ERROR_CANCELED, MAY_HAVE);
}

static void
test_abort(void)
{
    g_autoptr(World) w = begun(OPERATION_START, DOMAIN_SHUTOFF);

    operation_abort(w->op, "the service is stopping");
    expect(w, "create canceled");
    expect_error(w, ERROR_CANCELED, "the service is stopping" MAY_HAVE);
    operation_abort(w->op, "again");
}

/* Only its last refresh is open: it is done. */
static void
test_abort_of_what_is_done(void)
{
    g_autoptr(World) w = begun(OPERATION_PAUSE, DOMAIN_RUNNING);

    ok(w);
    operation_abort(w->op, "the service is stopping");
    expect(w, "suspend refresh done");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name, function) g_test_add_func("/operation/cancel/" name, function)
    TEST("cancel", test_cancel);
    TEST("cancelled-stop-forces-nothing", test_cancelled_stop_forces_nothing);
    TEST("cancel-while-away", test_cancel_while_away);
    TEST("cancel-of-what-is-done", test_cancel_of_what_is_done);
    TEST("overtake", test_overtake);
    TEST("overtaken-reset-does-not-boot", test_overtaken_reset_does_not_boot);
    TEST("overtaken-stop-forces-nothing", test_overtaken_stop_forces_nothing);
    TEST("abort", test_abort);
    TEST("abort-of-what-is-done", test_abort_of_what_is_done);
#undef TEST
    return g_test_run();
}
