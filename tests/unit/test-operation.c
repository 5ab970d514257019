/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The operations, bare: the test is the clock, the hypervisor and the guest. Every effect is a word
 * in a log ("shutdown refresh done"), which is compared with what it should be.
 */

#include "operation-plan.h"
#include "operation.h"

#include <string.h>

#define MSEC UINT64_C(1000)
#define SEC  (1000 * MSEC)

#define STOP_TIMEOUT (10 * SEC)

typedef struct {
    Operation *op;
    OperationSpec spec;
    bool transient;
    uint64_t now;
    uint64_t began;
    uint64_t armed;
    GString *log;
    unsigned serial; /* of the last call */
    bool refuse;     /* calls fail at once */
    bool finished;
    OperationResult result;
    Error *error;
} World;

static const char *const verbs[_VERB_MAX] = {
    [VERB_CREATE] = "create",   [VERB_CREATE_PAUSED] = "create-paused",
    [VERB_RESUME] = "resume",   [VERB_WAKEUP] = "wakeup",
    [VERB_SUSPEND] = "suspend", [VERB_SHUTDOWN] = "shutdown",
    [VERB_DESTROY] = "destroy", [VERB_REBOOT] = "reboot",
    [VERB_RESET] = "reset",
};

static void
say(World *w, const char *word)
{
    if (w->log->len > 0)
        g_string_append_c(w->log, ' ');
    g_string_append(w->log, word);
}

static void
on_call(void *userdata, DomainVerb verb, unsigned serial)
{
    World *w = userdata;

    g_assert_false(w->finished);
    g_assert_cmpuint(serial, !=, w->serial);
    w->serial = serial;
    say(w, verbs[verb]);
    if (w->refuse) {
        g_autoptr(Error) error = error_new(ERROR_LIMITS_EXCEEDED, "Too many calls");

        operation_call_done(w->op, w->now, serial, OUTCOME_FAILED, error);
    }
}

static void
on_refresh(void *userdata)
{
    World *w = userdata;

    g_assert_false(w->finished);
    say(w, "refresh");
}

static void
on_arm(void *userdata, uint64_t when)
{
    World *w = userdata;

    g_assert_false(w->finished);
    g_assert_cmpuint(when, !=, w->armed);
    w->armed = when;
}

static void
on_finished(void *userdata, OperationResult result, const Error *error)
{
    World *w = userdata;

    g_assert_false(w->finished);
    g_assert_cmpuint(w->armed, ==, UINT64_MAX);
    g_assert_true((result == RESULT_DONE) == (error == NULL));
    w->finished = true;
    w->result = result;
    w->error = error_copy(error);
    say(w, operation_result_name(result));
}

static const OperationEffects effects = {
    .call = on_call,
    .refresh = on_refresh,
    .arm = on_arm,
    .finished = on_finished,
};

static World *
world_new(OperationKind kind)
{
    World *w = g_new0(World, 1);

    w->spec = (OperationSpec){.kind = kind, .timeout = STOP_TIMEOUT, .force = true};
    w->now = w->began = 1000 * SEC;
    w->armed = UINT64_MAX;
    w->log = g_string_new(NULL);
    return w;
}

static void
world_free(World *w)
{
    operation_free(w->op);
    g_string_free(w->log, TRUE);
    error_free(w->error);
    g_free(w);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(World, world_free)

static int
id_of(DomainState state)
{
    return state == DOMAIN_SHUTOFF ? -1 : 5;
}

static void
begin(World *w, DomainState state)
{
    g_autoptr(Error) error = operation_check(&w->spec, state, !w->transient, "vm");

    g_assert_null(error);
    w->op = operation_new(&w->spec, "vm", &effects, w);
    operation_begin(w->op, w->now, state, id_of(state), !w->transient);
    if (!w->log->str[0] || !g_str_has_suffix(w->log->str, "refresh") || w->refuse)
        return;

    /* One that waits for the guest refreshes the domain first, to know which run this is. */
    g_string_truncate(w->log, w->log->len - strlen("refresh"));
    if (w->log->len > 0)
        g_string_truncate(w->log, w->log->len - 1);
    Observation seen = {.state = state, .id = id_of(state), .fresh = true};
    operation_observe(w->op, w->now, &seen);
}

static World *
begun(OperationKind kind, DomainState state)
{
    World *w = world_new(kind);

    begin(w, state);
    return w;
}

static void
expect(World *w, const char *log)
{
    g_assert_cmpstr(w->log->str, ==, log);
    g_string_truncate(w->log, 0);
}

static void
end_call(World *w, unsigned serial, CallOutcome outcome)
{
    g_autoptr(Error) error =
        outcome == OUTCOME_OK ? NULL : error_new(ERROR_OPERATION_FAILED, "libvirt's own words");

    operation_call_done(w->op, w->now, serial, outcome, error);
}

static void
ok(World *w)
{
    end_call(w, w->serial, OUTCOME_OK);
}

static void
observe(World *w, DomainState state, bool fresh)
{
    Observation seen = {.state = state, .id = id_of(state), .fresh = fresh};

    operation_observe(w->op, w->now, &seen);
}

static void
see(World *w, DomainState state)
{
    observe(w, state, false);
}

static void
refreshed(World *w, DomainState state)
{
    observe(w, state, true);
}

static void
connection(World *w, bool connected)
{
    operation_connection(w->op, w->now, connected);
}

/* A new connection, on which the domain is found so: listed first, then refreshed. */
static void
reset_connection(World *w, DomainState state)
{
    see(w, state);
    connection(w, true);
    refreshed(w, state);
}

static void
pass(World *w, uint64_t usec)
{
    uint64_t until = w->now + usec;
    unsigned fired = 0;

    while (!w->finished && w->armed <= until) {
        w->now = MAX(w->now, w->armed);
        w->armed = UINT64_MAX;
        operation_elapsed(w->op, w->now);
        g_assert_cmpuint(++fired, <, 100);
    }
    w->now = until;
}

static void
expect_error(World *w, ErrorKind kind, const char *words)
{
    g_assert_true(w->finished);
    g_assert_cmpint(w->error->kind, ==, kind);
    if (!strstr(w->error->message, words))
        g_error("\"%s\" does not say \"%s\"", w->error->message, words);
}

#define MAY_HAVE "; it may have been carried out"

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
    g_assert_cmpuint(persistent, ==, _OPERATION_LIFECYCLE_MAX * _DOMAIN_STATE_MAX);
}

/* Each operation, step by step, with a guest that does as it is asked. */
static void
test_every_walk(void)
{
    static const struct {
        OperationKind kind;
        DomainState state;
        bool transient;
        DomainState awake; /* what the guest is after a call that prepares */
        const char *walk;
    } rows[] = {
        {OPERATION_START, DOMAIN_SHUTOFF, false, 0, "create refresh done"},
        {OPERATION_START, DOMAIN_PAUSED, false, 0, "resume refresh done"},
        {OPERATION_START, DOMAIN_PMSUSPENDED, false, DOMAIN_RUNNING, "wakeup refresh done"},
        {OPERATION_RESUME, DOMAIN_PMSUSPENDED, false, DOMAIN_RUNNING, "wakeup refresh done"},
        {OPERATION_PAUSE, DOMAIN_RUNNING, false, 0, "suspend refresh done"},
        {OPERATION_FORCE_STOP, DOMAIN_CRASHED, false, 0, "destroy refresh done"},
        {OPERATION_STOP, DOMAIN_RUNNING, false, 0, "shutdown refresh done"},
        {OPERATION_STOP, DOMAIN_SHUTDOWN, false, 0, "refresh done"},
        {OPERATION_STOP, DOMAIN_PAUSED, false, DOMAIN_RUNNING, "resume shutdown refresh done"},
        {OPERATION_STOP, DOMAIN_PMSUSPENDED, false, DOMAIN_RUNNING, "wakeup shutdown refresh done"},
        {OPERATION_STOP, DOMAIN_CRASHED, false, 0, "destroy refresh done"},
        {OPERATION_REBOOT, DOMAIN_RUNNING, false, 0, "shutdown create refresh done"},
        {OPERATION_REBOOT, DOMAIN_PAUSED, false, DOMAIN_RUNNING,
         "resume shutdown create refresh done"},
        {OPERATION_REBOOT, DOMAIN_PMSUSPENDED, false, DOMAIN_RUNNING,
         "wakeup shutdown create refresh done"},
        {OPERATION_REBOOT, DOMAIN_SHUTDOWN, false, 0, "create refresh done"},
        {OPERATION_REBOOT, DOMAIN_RUNNING, true, 0, "reboot refresh done"},
        {OPERATION_REBOOT, DOMAIN_PAUSED, true, DOMAIN_RUNNING, "resume reboot refresh done"},
        {OPERATION_REBOOT, DOMAIN_PMSUSPENDED, true, DOMAIN_RUNNING, "wakeup reboot refresh done"},
        {OPERATION_RESET, DOMAIN_RUNNING, false, 0, "destroy create refresh done"},
        {OPERATION_RESET, DOMAIN_CRASHED, false, 0, "destroy create refresh done"},
        {OPERATION_RESET, DOMAIN_RUNNING, true, 0, "reset refresh done"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(World) w = world_new(rows[i].kind);
        DomainState state = rows[i].state;

        w->transient = rows[i].transient;
        begin(w, state);
        for (unsigned step = 0; step < 20 && !w->finished; step++) {
            const char *last = strrchr(w->log->str, ' ');

            last = last ? last + 1 : w->log->str;
            if (g_str_equal(last, "refresh")) {
                refreshed(w, state);
            } else if (g_str_equal(last, "resume") || g_str_equal(last, "wakeup")) {
                ok(w);
                state = rows[i].awake;
                if (state)
                    see(w, state);
                pass(w, 2 * SEC);
            } else if (g_str_equal(last, "shutdown") || g_str_equal(last, "")) {
                ok(w);
                state = DOMAIN_SHUTOFF;
                see(w, state);
            } else if (g_str_equal(last, "reboot")) {
                ok(w);
                operation_event(w->op, w->now, OPERATION_EVENT_REBOOTED);
            } else {
                ok(w);
            }
        }
        expect(w, rows[i].walk);
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

/* --- forcing and waiting --------------------------------------------------------------------- */

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

/* What was cached was wrong: somebody else has done it already, so we have done nothing. */
static void
test_never_success_without_having_acted(void)
{
    static const struct {
        OperationKind kind;
        DomainState state;
        DomainState found;
    } rows[] = {
        {OPERATION_START, DOMAIN_SHUTOFF, DOMAIN_RUNNING},
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
        if (asks)
            expect_error(unsent, ERROR_INVALID_STATE, "shutoff");
    }
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
        Observation seen = {.state = DOMAIN_SHUTOFF, .id = -1, .gone = true, .fresh = true};
        end_call(gone, gone->serial, OUTCOME_FAILED);
        operation_observe(gone->op, gone->now, &seen);
        if (forced[i].kind != OPERATION_RESET)
            operation_observe(gone->op, gone->now, &seen);
        expect(gone, forced[i].log);
    }
}

/* It ended without us: nothing that we did reached it. */
static void
test_force_of_what_is_off(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(forced); i++) {
        /* The connection goes before the call is sent, and libvirt comes back without the guest. */
        g_autoptr(World) unsent = begun(forced[i].kind, forced[i].state);
        connection(unsent, false);
        end_call(unsent, unsent->serial, OUTCOME_UNSENT);
        reset_connection(unsent, DOMAIN_SHUTOFF);
        expect(unsent, "destroy refresh refresh failed");
        expect_error(unsent, ERROR_INVALID_STATE, "shutoff");
    }

    /* It was off when ForceStop overtook the Start that had not begun. */
    g_autoptr(World) w = world_new(OPERATION_FORCE_STOP);
    w->op = operation_new(&w->spec, "vm", &effects, w);
    operation_begin(w->op, w->now, DOMAIN_NOSTATE, -1, true);
    end_call(w, w->serial, OUTCOME_FAILED);
    refreshed(w, DOMAIN_SHUTOFF);
    expect(w, "destroy refresh failed");
    expect_error(w, ERROR_INVALID_STATE, "shutoff");
}

static void
test_guest_that_cannot_be_asked(void)
{
    /* Stop waits out its time all the same. */
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

/* A call may be refused before it is even queued. */
static void
test_calls_that_fail_at_once(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(cells); i++) {
        g_autoptr(World) w = world_new(cells[i].kind);
        bool waits = cells[i].kind == OPERATION_STOP && cells[i].state != DOMAIN_CRASHED;

        if (!cells[i].first || cells[i].state == DOMAIN_SHUTDOWN)
            continue;
        w->refuse = true;
        w->transient = cells[i].transient;
        begin(w, cells[i].state);
        refreshed(w, cells[i].state);
        if (waits) {
            pass(w, STOP_TIMEOUT);
            refreshed(w, cells[i].state);
        }
        g_assert_true(w->finished);
        g_assert_cmpint(w->result, ==, RESULT_FAILED);
        expect_error(w, ERROR_LIMITS_EXCEEDED, "Too many calls");
    }
}

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
    /* What was listed may be as old as the attempt that listed it: only the refresh counts. */
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

/* It was restarted while libvirt was away: Stop does not force it, though its time is up. */
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

    w->op = operation_new(&w->spec, "vm", &effects, w);
    operation_begin(w->op, w->now, DOMAIN_RUNNING, 5, true);
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

/* What listing found is good enough, if it is all in. */
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

/* What may have reached the hypervisor is never repeated: a refresh decides. */
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

/* What cannot have reached the hypervisor is done on the next connection. */
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

/* A connection on which nothing can be sent: it ends all the same, and was not done. */
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
    expect_error(reboot, ERROR_OPERATION_FAILED, "went down");
}

/* --- canceling and overtaking ---------------------------------------------------------------- */

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
    /* What only waits, or has but a request under way, ends at once. */
    static const DomainState states[] = {DOMAIN_RUNNING, DOMAIN_PAUSED, DOMAIN_PMSUSPENDED};
    for (unsigned i = 0; i < G_N_ELEMENTS(states); i++) {
        g_autoptr(World) stop = begun(OPERATION_STOP, states[i]);

        operation_overtake(stop->op, stop->now);
        expect_error(stop, ERROR_CANCELED, "ForceStop");
    }

    /* What changes something ends with what it came to. */
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
#define TEST(name, function) g_test_add_func("/operation/" name, function)
    TEST("every-cell", test_every_cell);
    TEST("every-walk", test_every_walk);
    TEST("start-paused", test_start_paused);
    TEST("stop-without-force-of-crashed", test_stop_without_force_of_crashed);
    TEST("same", test_same);
    TEST("names", test_names);
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
    TEST("failure-keeps-the-words", test_failure_keeps_the_words);
    TEST("never-success-without-having-acted", test_never_success_without_having_acted);
    TEST("forced-by-a-refused-call", test_forced_by_a_refused_call);
    TEST("force-of-what-is-off", test_force_of_what_is_off);
    TEST("guest-that-cannot-be-asked", test_guest_that_cannot_be_asked);
    TEST("preparation-that-was-not-needed", test_preparation_that_was_not_needed);
    TEST("calls-that-fail-at-once", test_calls_that_fail_at_once);
    TEST("waiting-stop-outlives-a-reset-of-the-connection",
         test_waiting_stop_outlives_a_reset_of_the_connection);
    TEST("missed-events-are-made-up-by-a-refresh", test_missed_events_are_made_up_by_a_refresh);
    TEST("restarted", test_restarted);
    TEST("restarted-domain-is-not-forced", test_restarted_domain_is_not_forced);
    TEST("run-is-known-by-a-refresh", test_run_is_known_by_a_refresh);
    TEST("fresh-before-the-connection-is-told", test_fresh_before_the_connection_is_told);
    TEST("nothing-is-called-while-it-is-away", test_nothing_is_called_while_it_is_away);
    TEST("lost-calls", test_lost_calls);
    TEST("left-half-way-up", test_left_half_way_up);
    TEST("lost-request-is-not-repeated", test_lost_request_is_not_repeated);
    TEST("unsent-calls", test_unsent_calls);
    TEST("unsent-before-the-loss-is-told", test_unsent_before_the_loss_is_told);
    TEST("unsendable", test_unsendable);
    TEST("restart-that-may-have-been-missed", test_restart_that_may_have_been_missed);
    TEST("time-that-passed-while-away", test_time_that_passed_while_away);
    TEST("lost-after-the-work-was-done", test_lost_after_the_work_was_done);
    TEST("away-for-too-long", test_away_for_too_long);
    TEST("gone-domain", test_gone_domain);
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
