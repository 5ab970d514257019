/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The operations, bare: the test is the clock, the hypervisor and the guest. Every effect is a word
 * in a log ("shutdown refresh done"), which is compared with what it should be.
 */

#include "operation-world.h"

#include <string.h>

/* --- the table ------------------------------------------------------------------------------- */

typedef struct {
    OperationKind kind;
    DomainState state;
    bool transient;
    const char *first; /* the first effects; NULL: InvalidState */
} Cell;

/* Every cell of the table, and nostate, which tries. */
static const Cell cells[] = {
    {OPERATION_START, DOMAIN_NOSTATE, false, "create"},
    {OPERATION_START, DOMAIN_RUNNING, false, NULL},
    {OPERATION_START, DOMAIN_IDLE, false, NULL},
    {OPERATION_START, DOMAIN_PAUSED, false, "resume"},
    {OPERATION_START, DOMAIN_SHUTDOWN, false, NULL},
    {OPERATION_START, DOMAIN_SHUTOFF, false, "create"},
    {OPERATION_START, DOMAIN_CRASHED, false, NULL},
    {OPERATION_START, DOMAIN_PMSUSPENDED, false, "wakeup"},

    {OPERATION_STOP, DOMAIN_NOSTATE, false, "shutdown"},
    {OPERATION_STOP, DOMAIN_RUNNING, false, "shutdown"},
    {OPERATION_STOP, DOMAIN_IDLE, false, "shutdown"},
    {OPERATION_STOP, DOMAIN_PAUSED, false, "resume"},
    {OPERATION_STOP, DOMAIN_SHUTDOWN, false, ""},
    {OPERATION_STOP, DOMAIN_SHUTOFF, false, NULL},
    {OPERATION_STOP, DOMAIN_CRASHED, false, "destroy"},
    {OPERATION_STOP, DOMAIN_PMSUSPENDED, false, "wakeup"},
    {OPERATION_STOP, DOMAIN_RUNNING, true, "shutdown"},

    {OPERATION_PAUSE, DOMAIN_NOSTATE, false, "suspend"},
    {OPERATION_PAUSE, DOMAIN_RUNNING, false, "suspend"},
    {OPERATION_PAUSE, DOMAIN_IDLE, false, "suspend"},
    {OPERATION_PAUSE, DOMAIN_PAUSED, false, NULL},
    {OPERATION_PAUSE, DOMAIN_SHUTDOWN, false, NULL},
    {OPERATION_PAUSE, DOMAIN_SHUTOFF, false, NULL},
    {OPERATION_PAUSE, DOMAIN_CRASHED, false, NULL},
    {OPERATION_PAUSE, DOMAIN_PMSUSPENDED, false, NULL},

    {OPERATION_RESUME, DOMAIN_NOSTATE, false, "resume"},
    {OPERATION_RESUME, DOMAIN_RUNNING, false, NULL},
    {OPERATION_RESUME, DOMAIN_IDLE, false, NULL},
    {OPERATION_RESUME, DOMAIN_PAUSED, false, "resume"},
    {OPERATION_RESUME, DOMAIN_SHUTDOWN, false, NULL},
    {OPERATION_RESUME, DOMAIN_SHUTOFF, false, NULL},
    {OPERATION_RESUME, DOMAIN_CRASHED, false, NULL},
    {OPERATION_RESUME, DOMAIN_PMSUSPENDED, false, "wakeup"},

    {OPERATION_FORCE_STOP, DOMAIN_NOSTATE, false, "destroy"},
    {OPERATION_FORCE_STOP, DOMAIN_RUNNING, false, "destroy"},
    {OPERATION_FORCE_STOP, DOMAIN_IDLE, false, "destroy"},
    {OPERATION_FORCE_STOP, DOMAIN_PAUSED, false, "destroy"},
    {OPERATION_FORCE_STOP, DOMAIN_SHUTDOWN, false, "destroy"},
    {OPERATION_FORCE_STOP, DOMAIN_SHUTOFF, false, NULL},
    {OPERATION_FORCE_STOP, DOMAIN_CRASHED, false, "destroy"},
    {OPERATION_FORCE_STOP, DOMAIN_PMSUSPENDED, false, "destroy"},

    {OPERATION_REBOOT, DOMAIN_NOSTATE, false, "shutdown"},
    {OPERATION_REBOOT, DOMAIN_RUNNING, false, "shutdown"},
    {OPERATION_REBOOT, DOMAIN_IDLE, false, "shutdown"},
    {OPERATION_REBOOT, DOMAIN_PAUSED, false, "resume"},
    {OPERATION_REBOOT, DOMAIN_SHUTDOWN, false, ""},
    {OPERATION_REBOOT, DOMAIN_SHUTOFF, false, NULL},
    {OPERATION_REBOOT, DOMAIN_CRASHED, false, NULL},
    {OPERATION_REBOOT, DOMAIN_PMSUSPENDED, false, "wakeup"},
    {OPERATION_REBOOT, DOMAIN_RUNNING, true, "reboot"},
    {OPERATION_REBOOT, DOMAIN_PAUSED, true, "resume"},
    {OPERATION_REBOOT, DOMAIN_PMSUSPENDED, true, "wakeup"},
    {OPERATION_REBOOT, DOMAIN_CRASHED, true, NULL},

    {OPERATION_RESET, DOMAIN_NOSTATE, false, "destroy"},
    {OPERATION_RESET, DOMAIN_RUNNING, false, "destroy"},
    {OPERATION_RESET, DOMAIN_IDLE, false, "destroy"},
    {OPERATION_RESET, DOMAIN_PAUSED, false, "destroy"},
    {OPERATION_RESET, DOMAIN_SHUTDOWN, false, "destroy"},
    {OPERATION_RESET, DOMAIN_SHUTOFF, false, NULL},
    {OPERATION_RESET, DOMAIN_CRASHED, false, "destroy"},
    {OPERATION_RESET, DOMAIN_PMSUSPENDED, false, "destroy"},
    {OPERATION_RESET, DOMAIN_RUNNING, true, "reset"},
    {OPERATION_RESET, DOMAIN_PAUSED, true, "reset"},
    {OPERATION_RESET, DOMAIN_CRASHED, true, "reset"},
    {OPERATION_RESET, DOMAIN_PMSUSPENDED, true, "wakeup"},
    {OPERATION_RESET, DOMAIN_SHUTOFF, true, NULL},
};

static void
test_every_cell(void)
{
    unsigned persistent = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(cells); i++) {
        const Cell *cell = &cells[i];
        g_autoptr(World) w = world_new(cell->kind);

        persistent += !cell->transient;
        w->transient = cell->transient;
        if (cell->first) {
            begin(w, cell->state);
            expect(w, cell->first);
            continue;
        }

        g_autoptr(Error) error = operation_check(&w->spec, cell->state, !cell->transient, "my vm");
        g_assert_nonnull(error);
        g_assert_cmpint(error->kind, ==, ERROR_INVALID_STATE);
        g_assert_nonnull(strstr(error->message, operation_name(cell->kind)));
        g_assert_nonnull(strstr(error->message, domain_state_name(cell->state)));
        g_assert_nonnull(strstr(error->message, "my vm"));
    }
    g_assert_cmpuint(persistent, ==,
                     (unsigned)_OPERATION_LIFECYCLE_MAX * (unsigned)_DOMAIN_STATE_MAX);
}

/* The state of an obedient guest after a call; the same state where it takes time. */
static DomainState
state_after(const char *call, DomainState state)
{
    static const struct {
        const char *call;
        DomainState state;
    } rows[] = {
        {"create", DOMAIN_RUNNING}, {"resume", DOMAIN_RUNNING},  {"wakeup", DOMAIN_RUNNING},
        {"suspend", DOMAIN_PAUSED}, {"destroy", DOMAIN_SHUTOFF}, {"shutdown", DOMAIN_SHUTOFF},
        {"", DOMAIN_SHUTOFF},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        if (g_str_equal(call, rows[i].call))
            return rows[i].state;
    return state;
}

/* Each operation, step by step, with a guest that does as it is asked. */
static void
test_every_walk(void)
{
    static const struct {
        OperationKind kind;
        DomainState state;
        bool transient;
        const char *walk;
    } rows[] = {
        {OPERATION_START, DOMAIN_SHUTOFF, false, "create refresh done"},
        {OPERATION_START, DOMAIN_PAUSED, false, "resume refresh done"},
        {OPERATION_START, DOMAIN_PMSUSPENDED, false, "wakeup refresh done"},
        {OPERATION_RESUME, DOMAIN_PMSUSPENDED, false, "wakeup refresh done"},
        {OPERATION_PAUSE, DOMAIN_RUNNING, false, "suspend refresh done"},
        {OPERATION_FORCE_STOP, DOMAIN_CRASHED, false, "destroy refresh done"},
        {OPERATION_STOP, DOMAIN_RUNNING, false, "shutdown refresh done"},
        {OPERATION_STOP, DOMAIN_SHUTDOWN, false, "refresh done"},
        {OPERATION_STOP, DOMAIN_PAUSED, false, "resume shutdown refresh done"},
        {OPERATION_STOP, DOMAIN_PMSUSPENDED, false, "wakeup shutdown refresh done"},
        {OPERATION_STOP, DOMAIN_CRASHED, false, "destroy refresh done"},
        {OPERATION_REBOOT, DOMAIN_RUNNING, false, "shutdown create refresh done"},
        {OPERATION_REBOOT, DOMAIN_PAUSED, false, "resume shutdown create refresh done"},
        {OPERATION_REBOOT, DOMAIN_PMSUSPENDED, false, "wakeup shutdown create refresh done"},
        {OPERATION_REBOOT, DOMAIN_SHUTDOWN, false, "create refresh done"},
        {OPERATION_REBOOT, DOMAIN_RUNNING, true, "reboot refresh done"},
        {OPERATION_REBOOT, DOMAIN_PAUSED, true, "resume reboot refresh done"},
        {OPERATION_REBOOT, DOMAIN_PMSUSPENDED, true, "wakeup reboot refresh done"},
        {OPERATION_RESET, DOMAIN_RUNNING, false, "destroy create refresh done"},
        {OPERATION_RESET, DOMAIN_CRASHED, false, "destroy create refresh done"},
        {OPERATION_RESET, DOMAIN_RUNNING, true, "reset refresh done"},
        {OPERATION_RESET, DOMAIN_PAUSED, true, "reset resume refresh done"},
        {OPERATION_RESET, DOMAIN_CRASHED, true, "reset resume refresh done"},
        {OPERATION_RESET, DOMAIN_PMSUSPENDED, true, "wakeup reset refresh done"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(World) w = world_new(rows[i].kind);
        DomainState state = rows[i].state;

        w->transient = rows[i].transient;
        begin(w, state);
        for (unsigned step = 0; step < 20 && !w->finished; step++) {
            const char *space = strrchr(w->log->str, ' ');
            g_autofree char *last = g_strdup(space ? space + 1 : w->log->str);

            if (g_str_equal(last, "refresh")) {
                refreshed(w, state);
                continue;
            }
            ok(w);
            state = state_after(last, state);
            see(w, state);
            if (g_str_equal(last, "reboot"))
                operation_event(w->op, w->now, OPERATION_EVENT_REBOOTED);
            pass(w, 2 * SEC);
        }
        expect(w, rows[i].walk);
        g_assert_false(w->forced && rows[i].state != DOMAIN_CRASHED);
    }
}

static void
test_start_paused(void)
{
    g_autoptr(World) w = world_new(OPERATION_START);

    w->spec.paused = true;
    begin(w, DOMAIN_SHUTOFF);
    expect(w, "create-paused");
    ok(w);
    refreshed(w, DOMAIN_PAUSED);
    expect(w, "refresh done");

    /* It would run, which was not asked for. */
    static const DomainState states[] = {DOMAIN_PAUSED, DOMAIN_PMSUSPENDED};
    for (unsigned i = 0; i < G_N_ELEMENTS(states); i++) {
        g_autoptr(Error) error = operation_check(&w->spec, states[i], true, "vm");

        g_assert_cmpint(error->kind, ==, ERROR_INVALID_STATE);
    }
}

static void
test_stop_without_force_of_crashed(void)
{
    g_autoptr(World) w = world_new(OPERATION_STOP);

    w->spec.force = false;
    g_autoptr(Error) error = operation_check(&w->spec, DOMAIN_CRASHED, true, "vm");
    g_assert_cmpint(error->kind, ==, ERROR_INVALID_STATE);
}

static void
test_same(void)
{
    g_autoptr(World) w = begun(OPERATION_STOP, DOMAIN_RUNNING);
    OperationSpec other = w->spec;

    g_assert_true(operation_is_same(w->op, &other));
    other.timeout++;
    g_assert_false(operation_is_same(w->op, &other));
    other = w->spec;
    other.force = false;
    g_assert_false(operation_is_same(w->op, &other));
    other = w->spec;
    other.kind = OPERATION_REBOOT;
    g_assert_false(operation_is_same(w->op, &other));
}

static void
test_names(void)
{
    static const char *const names[] = {"Start",     "Stop",   "Pause", "Resume",
                                        "ForceStop", "Reboot", "Reset"};
    static const char *const results[] = {"done", "failed", "timeout", "canceled"};

    for (unsigned i = 0; i < _OPERATION_LIFECYCLE_MAX; i++)
        g_assert_cmpstr(operation_name((OperationKind)i), ==, names[i]);
    for (unsigned i = 0; i < _RESULT_MAX; i++)
        g_assert_cmpstr(operation_result_name((OperationResult)i), ==, results[i]);
}

/* --- failures -------------------------------------------------------------------------------- */

static void
test_failure_keeps_the_words(void)
{
    static const struct {
        OperationKind kind;
        DomainState state;
        const char *log;
    } rows[] = {
        {OPERATION_START, DOMAIN_SHUTOFF, "create refresh failed"},
        {OPERATION_START, DOMAIN_PAUSED, "resume refresh failed"},
        {OPERATION_START, DOMAIN_PMSUSPENDED, "wakeup refresh failed"},
        {OPERATION_PAUSE, DOMAIN_RUNNING, "suspend refresh failed"},
        {OPERATION_RESUME, DOMAIN_PAUSED, "resume refresh failed"},
        {OPERATION_FORCE_STOP, DOMAIN_RUNNING, "destroy refresh failed"},
        {OPERATION_REBOOT, DOMAIN_RUNNING, "shutdown refresh failed"},
        {OPERATION_REBOOT, DOMAIN_PAUSED, "resume refresh failed"},
        {OPERATION_RESET, DOMAIN_RUNNING, "destroy refresh failed"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(World) w = begun(rows[i].kind, rows[i].state);

        end_call(w, w->serial, OUTCOME_FAILED);
        refreshed(w, rows[i].state);
        expect(w, rows[i].log);
        expect_error(w, ERROR_OPERATION_FAILED, "libvirt's own words");
        g_assert_cmpstr(w->error->message, ==, "libvirt's own words");
    }
}

/* The cache was out of date: somebody else has done it already, so the operation has done nothing.
 */
static void
test_never_success_without_having_acted(void)
{
    static const struct {
        OperationKind kind;
        DomainState state;
        DomainState found;
    } rows[] = {
        {OPERATION_START, DOMAIN_PAUSED, DOMAIN_RUNNING},
        {OPERATION_PAUSE, DOMAIN_RUNNING, DOMAIN_PAUSED},
        {OPERATION_RESUME, DOMAIN_PAUSED, DOMAIN_RUNNING},
        {OPERATION_STOP, DOMAIN_RUNNING, DOMAIN_SHUTOFF},
        {OPERATION_REBOOT, DOMAIN_RUNNING, DOMAIN_SHUTOFF},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(World) w = begun(rows[i].kind, rows[i].state);

        end_call(w, w->serial, OUTCOME_FAILED);
        refreshed(w, rows[i].found);
        g_assert_true(w->finished);
        g_assert_cmpint(w->result, ==, RESULT_FAILED);

        g_autoptr(World) unsent = begun(rows[i].kind, rows[i].state);
        bool asks = rows[i].kind == OPERATION_STOP || rows[i].kind == OPERATION_REBOOT;
        connection(unsent, false);
        end_call(unsent, unsent->serial, OUTCOME_UNSENT);
        reset_connection(unsent, rows[i].found);
        if (!unsent->finished && !asks)
            end_call(unsent, unsent->serial, OUTCOME_FAILED);
        if (!unsent->finished)
            refreshed(unsent, rows[i].found);
        g_assert_true(unsent->finished);
        g_assert_cmpint(unsent->result, ==, RESULT_FAILED);
        if (asks) {
            expect_error(w, ERROR_INVALID_STATE, "shutoff");
            expect_error(unsent, ERROR_INVALID_STATE, "shutoff");
        }
    }
}

static void
test_guest_that_cannot_be_asked(void)
{
    /* Stop waits out its time nevertheless. */
    g_autoptr(World) w = begun(OPERATION_STOP, DOMAIN_RUNNING);
    end_call(w, w->serial, OUTCOME_FAILED);
    refreshed(w, DOMAIN_RUNNING);
    pass(w, STOP_TIMEOUT - 1);
    expect(w, "shutdown refresh");
    pass(w, 1);
    expect(w, "destroy");

    g_autoptr(World) asleep = begun(OPERATION_STOP, DOMAIN_PMSUSPENDED);
    end_call(asleep, asleep->serial, OUTCOME_FAILED);
    refreshed(asleep, DOMAIN_PMSUSPENDED);
    pass(asleep, STOP_TIMEOUT - 1);
    expect(asleep, "wakeup refresh");
    pass(asleep, 1);
    expect(asleep, "destroy");

    g_autoptr(World) gentle = world_new(OPERATION_STOP);
    gentle->spec.force = false;
    begin(gentle, DOMAIN_RUNNING);
    end_call(gentle, gentle->serial, OUTCOME_FAILED);
    refreshed(gentle, DOMAIN_RUNNING);
    expect(gentle, "shutdown refresh failed");
}

/* It was cached as paused, but somebody else has resumed it: it can be asked. */
static void
test_preparation_that_was_not_needed(void)
{
    g_autoptr(World) w = begun(OPERATION_STOP, DOMAIN_PAUSED);

    end_call(w, w->serial, OUTCOME_FAILED);
    refreshed(w, DOMAIN_RUNNING);
    expect(w, "resume refresh shutdown");
}

/* A full queue of ours is no failure of libvirt, and no reason to force. */
static void
test_calls_that_find_no_place(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(cells); i++) {
        g_autoptr(World) w = world_new(cells[i].kind);

        if (!cells[i].first || cells[i].state == DOMAIN_SHUTDOWN)
            continue;
        w->refuse = true;
        w->transient = cells[i].transient;
        begin(w, cells[i].state);
        for (unsigned tries = 0; !w->finished && tries < 20; tries++)
            refreshed(w, cells[i].state);
        g_assert_true(w->finished);
        g_assert_cmpint(w->result, ==, RESULT_FAILED);
        expect_error(w, ERROR_LIMITS_EXCEEDED, "Too many calls");
        if (cells[i].kind == OPERATION_STOP && cells[i].state != DOMAIN_CRASHED)
            g_assert_null(strstr(w->log->str, "destroy"));

        /* There is a place again. */
        g_autoptr(World) later = world_new(cells[i].kind);
        later->refuse = true;
        later->transient = cells[i].transient;
        begin(later, cells[i].state);
        later->refuse = false;
        g_string_truncate(later->log, 0);
        refreshed(later, cells[i].state);
        expect(later, cells[i].first);
    }
}

/* A call that cannot have reached the hypervisor is made on the next connection. */
static void
test_unsent_calls(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(cells); i++) {
        g_autoptr(World) w = world_new(cells[i].kind);

        if (!cells[i].first || !cells[i].first[0])
            continue;
        w->transient = cells[i].transient;
        begin(w, cells[i].state);
        connection(w, false);
        end_call(w, w->serial, OUTCOME_UNSENT);
        g_string_truncate(w->log, 0);
        pass(w, SEC);
        see(w, cells[i].state);
        connection(w, true);
        /* All but Stop's forcing, which waits for nothing, is done when the domain is known. */
        if (cells[i].kind != OPERATION_STOP || cells[i].state != DOMAIN_CRASHED)
            expect(w, "");
        refreshed(w, cells[i].state);
        expect(w, cells[i].first);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name, function) g_test_add_func("/operation/" name, function)
    TEST("every-cell", test_every_cell);
    TEST("every-walk", test_every_walk);
    TEST("start-paused", test_start_paused);
    TEST("stop-without-force-of-crashed", test_stop_without_force_of_crashed);
    TEST("same", test_same);
    TEST("names", test_names);
    TEST("failure-keeps-the-words", test_failure_keeps_the_words);
    TEST("never-success-without-having-acted", test_never_success_without_having_acted);
    TEST("guest-that-cannot-be-asked", test_guest_that_cannot_be_asked);
    TEST("preparation-that-was-not-needed", test_preparation_that_was_not_needed);
    TEST("calls-that-find-no-place", test_calls_that_find_no_place);
    TEST("unsent-calls", test_unsent_calls);
#undef TEST
    return g_test_run();
}
