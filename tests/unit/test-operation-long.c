/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Operations that are one long call, in the bare engine: what it makes of each way that such a call
 * can end, be cancelled, overtaken and lost. */

#include "operation-plan.h"
#include "operation.h"

#define SEC  UINT64_C(1000000)
#define NOW  (1000 * SEC)
#define TICK (500 * UINT64_C(1000))

/* The world around one operation: what it asked for, and how it ended. */
typedef struct World {
    Operation *operation;
    DomainVerb verb;
    unsigned call; /* serials; 0: none */
    unsigned probe;
    guint calls, refreshes, probes, aborts;
    bool withdraws; /* the call was never sent */
    uint64_t armed;
    bool finished;
    OperationResult result;
    ErrorKind kind;
    char *message;
} World;

static void
effect_call(void *userdata, DomainVerb verb, unsigned serial)
{
    World *w = userdata;

    w->verb = verb;
    w->call = serial;
    w->calls++;
}

static void
effect_refresh(void *userdata)
{
    ((World *)userdata)->refreshes++;
}

static void
effect_probe(void *userdata, unsigned serial)
{
    World *w = userdata;

    w->probe = serial;
    w->probes++;
}

static bool
effect_abort(void *userdata)
{
    World *w = userdata;

    w->aborts++;
    return w->withdraws;
}

static void
effect_arm(void *userdata, uint64_t when)
{
    ((World *)userdata)->armed = when;
}

static void
effect_finished(void *userdata, OperationResult result, const Error *error, bool forced)
{
    World *w = userdata;

    g_assert_false(w->finished);
    g_assert_true((result == RESULT_DONE) == (error == NULL));
    w->finished = true;
    w->result = result;
    w->kind = error ? error->kind : ERROR_NONE;
    w->message = g_strdup(error ? error->message : "");
}

static const OperationEffects effects = {
    .call = effect_call,
    .refresh = effect_refresh,
    .probe = effect_probe,
    .abort = effect_abort,
    .arm = effect_arm,
    .finished = effect_finished,
};

static void
world_free(World *w)
{
    operation_free(w->operation);
    g_free(w->message);
    g_free(w);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(World, world_free)

static OperationSpec
spec_of(OperationKind kind, const OperationPayload *payload)
{
    return (OperationSpec){.kind = kind, .timeout = OPERATION_NO_TIMEOUT, .payload = payload};
}

/* Under way. */
static World *
world_new(OperationKind kind)
{
    World *w = g_new0(World, 1);
    g_autoptr(OperationPayload) payload =
        operation_payload_new(&(OperationPayload){.name = (char *)"one"});
    OperationSpec spec = spec_of(kind, payload);

    g_assert_null(operation_check(&spec, DOMAIN_RUNNING, true, "web"));
    w->operation = operation_new(&spec, "web", &effects, w);
    Observation seen = {.state = DOMAIN_RUNNING, .id = 1, .persistent = true};
    operation_begin(w->operation, NOW, &seen);
    g_assert_cmpuint(w->calls, ==, 1);
    return w;
}

static void
end_call(World *w, CallOutcome outcome, ErrorKind kind, const char *words)
{
    g_autoptr(Error) error = words ? error_new(kind, "%s", words) : NULL;

    operation_call_done(w->operation, NOW, w->call, outcome, error);
}

static void
see(World *w, DomainState state)
{
    Observation seen = {.state = state, .id = 1, .fresh = true};

    operation_observe(w->operation, NOW, &seen);
}

/* The connection is lost in the middle of the call, and comes back. */
static void
lose(World *w)
{
    operation_connection(w->operation, NOW, false);
    end_call(w, OUTCOME_LOST, ERROR_OPERATION_FAILED, "end of file");
    operation_connection(w->operation, NOW + SEC, true);
    see(w, DOMAIN_PAUSED);
}

static void
answer(World *w, ProbeAnswer what)
{
    operation_probed(w->operation, NOW, w->probe, what);
}

static void
assert_finished(const World *w, OperationResult result, ErrorKind kind, const char *message)
{
    g_assert_true(w->finished);
    g_assert_cmpstr(operation_result_name(w->result), ==, operation_result_name(result));
    g_assert_cmpstr(w->message, ==, message);
    g_assert_cmpint(w->kind, ==, kind);
}

static void
test_table(void)
{
    static const struct {
        OperationKind kind;
        const char *name;
        DomainVerb verb;
        const char *states; /* where it is possible */
    } rows[] = {
        {OPERATION_SAVE, "Save", VERB_SAVE, "nostate running idle paused shutdown pmsuspended "},
        {OPERATION_CREATE_SNAPSHOT, "CreateSnapshot", VERB_CREATE_SNAPSHOT,
         "nostate running idle paused shutdown shutoff crashed pmsuspended "},
        {OPERATION_REVERT_SNAPSHOT, "RevertSnapshot", VERB_REVERT_SNAPSHOT,
         "nostate running idle paused shutdown shutoff crashed pmsuspended "},
        {OPERATION_DELETE_SNAPSHOT, "DeleteSnapshot", VERB_DELETE_SNAPSHOT,
         "nostate running idle paused shutdown shutoff crashed pmsuspended "},
        {OPERATION_MIGRATE, "Migrate", VERB_MIGRATE,
         "nostate running idle paused shutdown pmsuspended "},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(World) w = world_new(rows[i].kind);
        g_autoptr(GString) states = g_string_new(NULL);

        g_assert_cmpstr(operation_name(rows[i].kind), ==, rows[i].name);
        g_assert_cmpint(w->verb, ==, rows[i].verb);
        for (DomainState state = 0; state < _DOMAIN_STATE_MAX; state++) {
            g_autoptr(Error) refusal =
                operation_check(operation_spec(w->operation), state, true, "web");

            if (!refusal)
                g_string_append_printf(states, "%s ", domain_state_name(state));
            else
                g_assert_cmpint(refusal->kind, ==, ERROR_INVALID_STATE);
        }
        g_assert_cmpstr(states->str, ==, rows[i].states);
    }
}

/* A domain that is off can move only as a definition. */
static void
test_migrate_shutoff(void)
{
    g_autoptr(OperationPayload) payload = operation_payload_new(
        &(OperationPayload){.name = (char *)"x", .flags = PAYLOAD_PERSIST_DESTINATION});
    OperationSpec spec = spec_of(OPERATION_MIGRATE, payload);

    g_assert_null(operation_check(&spec, DOMAIN_SHUTOFF, true, "web"));
}

static void
test_same(void)
{
    const OperationPayload one = {.name = (char *)"one"};
    const OperationPayload others[] = {
        {.name = (char *)"two"},
        {.name = (char *)"one", .description = (char *)"text"},
        {.name = (char *)"one", .flags = PAYLOAD_DISK_ONLY},
        {.name = (char *)"one", .bandwidth = 1},
        {.name = (char *)"one", .generated = true},
        {.name = NULL},
    };
    g_autoptr(World) w = world_new(OPERATION_CREATE_SNAPSHOT);
    OperationSpec spec = spec_of(OPERATION_CREATE_SNAPSHOT, &one);

    g_assert_true(operation_is_same(w->operation, &spec));
    for (guint i = 0; i < G_N_ELEMENTS(others); i++) {
        spec.payload = &others[i];
        g_assert_false(operation_is_same(w->operation, &spec));
    }
    spec = spec_of(OPERATION_REVERT_SNAPSHOT, &one);
    g_assert_false(operation_is_same(w->operation, &spec));

    /* A caller who asks for any name gets this one, too. */
    g_autoptr(OperationPayload) unnamed =
        operation_payload_new(&(OperationPayload){.name = (char *)"1", .generated = true});
    const OperationPayload later = {.name = (char *)"2", .generated = true};
    OperationSpec first = spec_of(OPERATION_CREATE_SNAPSHOT, unnamed);
    g_autoptr(World) other = g_new0(World, 1);
    other->operation = operation_new(&first, "web", &effects, other);
    spec = spec_of(OPERATION_CREATE_SNAPSHOT, &later);
    g_assert_true(operation_is_same(other->operation, &spec));
}

static void
test_done(void)
{
    g_autoptr(World) w = world_new(OPERATION_SAVE);

    see(w, DOMAIN_PAUSED); /* on the way, nothing of it matters */
    g_assert_false(w->finished);
    end_call(w, OUTCOME_OK, 0, NULL);
    g_assert_false(w->finished);
    see(w, DOMAIN_SHUTOFF);
    assert_finished(w, RESULT_DONE, ERROR_NONE, "");
    g_assert_cmpuint(w->probes, ==, 0);
}

static void
test_failed(void)
{
    g_autoptr(World) w = world_new(OPERATION_SAVE);

    end_call(w, OUTCOME_FAILED, ERROR_OPERATION_FAILED, "disk full");
    see(w, DOMAIN_RUNNING);
    assert_finished(w, RESULT_FAILED, ERROR_OPERATION_FAILED, "disk full");
}

static void
test_cancel(void)
{
    g_autoptr(World) w = world_new(OPERATION_SAVE);

    g_assert_null(operation_cancel(w->operation, NOW));
    g_assert_cmpuint(w->aborts, ==, 1);
    g_assert_false(w->finished);
    operation_aborted(w->operation);
    end_call(w, OUTCOME_FAILED, ERROR_CANCELED, "aborted by client");
    see(w, DOMAIN_RUNNING);
    assert_finished(w, RESULT_CANCELED, ERROR_CANCELED,
                    "Save of \"web\" was canceled: as was asked for");
}

static void
test_cancel_too_late(void)
{
    g_autoptr(World) w = world_new(OPERATION_MIGRATE);

    g_assert_null(operation_cancel(w->operation, NOW));
    operation_aborted(w->operation);
    end_call(w, OUTCOME_OK, 0, NULL);
    see(w, DOMAIN_SHUTOFF);
    assert_finished(w, RESULT_DONE, ERROR_NONE, "");
}

static void
test_cancel_unsent(void)
{
    g_autoptr(World) w = world_new(OPERATION_MIGRATE);

    w->withdraws = true;
    g_assert_null(operation_cancel(w->operation, NOW));
    assert_finished(w, RESULT_CANCELED, ERROR_CANCELED,
                    "Migrate of \"web\" was canceled: as was asked for");
}

/* An abort that was asked for but not agreed to is not what ended the call. */
static void
test_cancel_not_agreed(void)
{
    g_autoptr(World) w = world_new(OPERATION_SAVE);

    g_assert_null(operation_cancel(w->operation, NOW));
    end_call(w, OUTCOME_FAILED, ERROR_OPERATION_FAILED, "disk full");
    see(w, DOMAIN_RUNNING);
    assert_finished(w, RESULT_FAILED, ERROR_OPERATION_FAILED, "disk full");
}

static void
test_canceled_by_others(void)
{
    g_autoptr(World) w = world_new(OPERATION_SAVE);

    end_call(w, OUTCOME_FAILED, ERROR_CANCELED, "operation aborted");
    see(w, DOMAIN_RUNNING);
    assert_finished(w, RESULT_CANCELED, ERROR_CANCELED, "operation aborted");
}

static void
test_not_abortable(void)
{
    static const OperationKind kinds[] = {OPERATION_REVERT_SNAPSHOT, OPERATION_DELETE_SNAPSHOT};

    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autoptr(World) w = world_new(kinds[i]);
        g_autoptr(Error) error = operation_cancel(w->operation, NOW);

        g_assert_nonnull(error);
        g_assert_cmpint(error->kind, ==, ERROR_INVALID_STATE);
        g_assert_cmpuint(w->aborts, ==, 0);
        g_assert_false(w->finished);
    }
}

static void
test_lost(void)
{
    static const OperationKind kinds[] = {OPERATION_SAVE, OPERATION_CREATE_SNAPSHOT,
                                          OPERATION_REVERT_SNAPSHOT, OPERATION_DELETE_SNAPSHOT,
                                          OPERATION_MIGRATE};

    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autoptr(World) done = world_new(kinds[i]);
        lose(done);
        answer(done, PROBE_CARRIED_OUT);
        see(done, DOMAIN_SHUTOFF);
        assert_finished(done, RESULT_DONE, ERROR_NONE, "");

        g_autoptr(World) unknown = world_new(kinds[i]);
        lose(unknown);
        answer(unknown, PROBE_NOT_CARRIED_OUT);
        /* The state that it left is read first. */
        g_assert_false(unknown->finished);
        see(unknown, DOMAIN_RUNNING);
        assert_finished(unknown, RESULT_FAILED, ERROR_OPERATION_FAILED,
                        "end of file; it may have been carried out");
        /* It is never made again. */
        g_assert_cmpuint(unknown->calls, ==, 1);
    }
}

/* libvirt goes on with it although our connection was lost. */
static void
test_lost_under_way(void)
{
    g_autoptr(World) w = world_new(OPERATION_SAVE);

    lose(w);
    for (guint i = 0; i < 3; i++) {
        answer(w, i == 1 ? PROBE_UNANSWERED : PROBE_UNDER_WAY);
        g_assert_false(w->finished);
        g_assert_cmpuint(w->armed, ==, NOW + TICK);
        operation_elapsed(w->operation, NOW + TICK - 1);
        g_assert_cmpuint(w->probes, ==, i + 1);
        operation_elapsed(w->operation, NOW + TICK);
        g_assert_cmpuint(w->probes, ==, i + 2);
    }
    answer(w, PROBE_CARRIED_OUT);
    see(w, DOMAIN_SHUTOFF);
    assert_finished(w, RESULT_DONE, ERROR_NONE, "");
}

static void
test_lost_and_canceled(void)
{
    g_autoptr(World) w = world_new(OPERATION_SAVE);

    lose(w);
    answer(w, PROBE_UNDER_WAY);
    g_assert_null(operation_cancel(w->operation, NOW));
    g_assert_cmpuint(w->aborts, ==, 1);
    operation_aborted(w->operation);
    operation_elapsed(w->operation, NOW + TICK);
    answer(w, PROBE_NOT_CARRIED_OUT);
    g_assert_false(w->finished);
    see(w, DOMAIN_RUNNING);
    assert_finished(w, RESULT_CANCELED, ERROR_CANCELED,
                    "Save of \"web\" was canceled: as was asked for");
}

/* Before its outcome is known. */
static void
test_lost_and_canceled_at_once(void)
{
    g_autoptr(World) w = world_new(OPERATION_SAVE);

    operation_connection(w->operation, NOW, false);
    end_call(w, OUTCOME_LOST, ERROR_OPERATION_FAILED, "end of file");
    operation_connection(w->operation, NOW + SEC, true);
    g_assert_null(operation_cancel(w->operation, NOW));
    g_assert_cmpuint(w->aborts, ==, 1);
    g_assert_false(w->finished);
    see(w, DOMAIN_PAUSED);
    answer(w, PROBE_UNDER_WAY);
    operation_aborted(w->operation);
    operation_elapsed(w->operation, NOW + TICK);
    answer(w, PROBE_NOT_CARRIED_OUT);
    g_assert_false(w->finished);
    see(w, DOMAIN_RUNNING);
    assert_finished(w, RESULT_CANCELED, ERROR_CANCELED,
                    "Save of \"web\" was canceled: as was asked for");
}

/* Nobody can be asked to give it up yet: the wish waits for the connection. */
static void
test_canceled_while_away(void)
{
    g_autoptr(World) w = world_new(OPERATION_SAVE);

    operation_connection(w->operation, NOW, false);
    end_call(w, OUTCOME_LOST, ERROR_OPERATION_FAILED, "end of file");
    g_assert_null(operation_cancel(w->operation, NOW));
    g_assert_cmpuint(w->aborts, ==, 1);
    g_assert_false(w->finished);
    operation_connection(w->operation, NOW + SEC, true);
    see(w, DOMAIN_PAUSED);
    answer(w, PROBE_UNDER_WAY);
    operation_aborted(w->operation);
    operation_elapsed(w->operation, NOW + TICK);
    answer(w, PROBE_NOT_CARRIED_OUT);
    see(w, DOMAIN_RUNNING);
    assert_finished(w, RESULT_CANCELED, ERROR_CANCELED,
                    "Save of \"web\" was canceled: as was asked for");
}

static void
test_lost_again(void)
{
    g_autoptr(World) w = world_new(OPERATION_SAVE);

    lose(w);
    unsigned stale = w->probe;
    operation_connection(w->operation, NOW, false);
    operation_probed(w->operation, NOW, stale, PROBE_CARRIED_OUT); /* of the other connection */
    g_assert_false(w->finished);
    operation_connection(w->operation, NOW, true);
    see(w, DOMAIN_PAUSED);
    g_assert_cmpuint(w->probes, ==, 2);
    answer(w, PROBE_CARRIED_OUT);
    see(w, DOMAIN_SHUTOFF);
    assert_finished(w, RESULT_DONE, ERROR_NONE, "");
}

static void
test_unsent(void)
{
    g_autoptr(World) w = world_new(OPERATION_SAVE);

    end_call(w, OUTCOME_UNSENT, 0, NULL);
    see(w, DOMAIN_RUNNING);
    g_assert_cmpuint(w->calls, ==, 2);
    end_call(w, OUTCOME_OK, 0, NULL);
    see(w, DOMAIN_SHUTOFF);
    assert_finished(w, RESULT_DONE, ERROR_NONE, "");
}

static void
test_overtaken(void)
{
    g_autoptr(World) failed = world_new(OPERATION_SAVE);
    operation_overtake(failed->operation, NOW);
    g_autoptr(Error) error = operation_cancel(failed->operation, NOW);
    g_assert_nonnull(error);
    end_call(failed, OUTCOME_FAILED, ERROR_OPERATION_FAILED, "domain is not running");
    assert_finished(failed, RESULT_FAILED, ERROR_OPERATION_FAILED, "domain is not running");

    g_autoptr(World) lost = world_new(OPERATION_SAVE);
    lose(lost);
    answer(lost, PROBE_UNDER_WAY);
    operation_overtake(lost->operation, NOW);
    assert_finished(lost, RESULT_CANCELED, ERROR_CANCELED,
                    "Save of \"web\" was canceled: ForceStop overtook it; it may have been "
                    "carried out");
}

/* --- any schedule ------------------------------------------------------------------------- */

/* The results of libvirt and of the operation, as an observer of both sees them. */
typedef struct Truth {
    uint64_t now;
    bool connected;
    bool reached; /* a call may have been carried out */
    bool good;    /* a call, or a refresh after it, said so */
    guint answered;
} Truth;

static void
step_call(World *w, Truth *t)
{
    static const ErrorKind kinds[] = {ERROR_OPERATION_FAILED, ERROR_CANCELED};
    CallOutcome outcome = (CallOutcome)g_test_rand_int_range(0, 4);
    g_autoptr(Error) error =
        outcome == OUTCOME_OK ? NULL : error_new(kinds[g_test_rand_int_range(0, 2)], "words");

    if (t->answered == w->calls)
        return;
    /* Only a connection that goes loses calls, and takes all that there are. */
    if (!t->connected && outcome != OUTCOME_UNSENT)
        outcome = OUTCOME_LOST;
    t->answered = w->calls;
    t->reached |= outcome != OUTCOME_UNSENT;
    t->good |= outcome == OUTCOME_OK;
    operation_call_done(w->operation, t->now, w->call, outcome, error);
}

static void
step_probe(World *w, Truth *t)
{
    ProbeAnswer what = (ProbeAnswer)g_test_rand_int_range(0, 4);

    if (!w->probe || !t->connected)
        return;
    t->good |= what == PROBE_CARRIED_OUT;
    operation_probed(w->operation, t->now, w->probe, what);
    w->probe = 0;
}

static void
step_connection(World *w, Truth *t)
{
    t->connected = !t->connected;
    operation_connection(w->operation, t->now, t->connected);
    if (!t->connected) {
        w->probe = 0;
        step_call(w, t);
    }
}

static void
step_time(World *w, Truth *t)
{
    t->now += (uint64_t)g_test_rand_int_range(0, (gint32)(2 * SEC));
    if (w->armed <= t->now) {
        w->armed = UINT64_MAX;
        operation_elapsed(w->operation, t->now);
    }
}

static void
step(World *w, Truth *t)
{
    Observation seen = {
        .state = (DomainState)g_test_rand_int_range(0, _DOMAIN_STATE_MAX),
        .id = g_test_rand_int_range(-1, 3),
        .fresh = g_test_rand_bit(),
    };

    switch (g_test_rand_int_range(0, 12)) {
    case 0:
        step_connection(w, t);
        break;
    case 1:
        error_free(operation_cancel(w->operation, t->now));
        break;
    case 2:
        operation_aborted(w->operation);
        break;
    case 3:
        if (g_test_rand_int_range(0, 8) == 0)
            operation_overtake(w->operation, t->now);
        break;
    case 4:
    case 5:
        step_call(w, t);
        break;
    case 6:
    case 7:
        step_probe(w, t);
        break;
    case 8:
        step_time(w, t);
        break;
    default:
        operation_observe(w->operation, t->now, &seen);
    }
}

/* As one would after all that: everything answers, and time passes. */
static void
let_it_end(World *w, Truth *t)
{
    Observation seen = {.state = DOMAIN_SHUTOFF, .id = -1, .fresh = true};

    if (!t->connected)
        step_connection(w, t);
    for (guint i = 0; i < 100 && !w->finished; i++) {
        if (t->answered < w->calls) {
            t->answered = w->calls;
            t->good = t->reached = true;
            operation_call_done(w->operation, t->now, w->call, OUTCOME_OK, NULL);
        } else if (w->probe) {
            operation_probed(w->operation, t->now, w->probe, PROBE_NOT_CARRIED_OUT);
            w->probe = 0;
        }
        operation_observe(w->operation, t->now, &seen);
        t->now += SEC;
        if (w->armed <= t->now) {
            w->armed = UINT64_MAX;
            operation_elapsed(w->operation, t->now);
        }
    }
}

static void
test_any_schedule(void)
{
    for (guint run = 0; run < 20000; run++) {
        OperationKind kind =
            (OperationKind)g_test_rand_int_range(OPERATION_SAVE, OPERATION_MIGRATE + 1);
        g_autoptr(World) w = world_new(kind);
        Truth t = {.now = NOW, .connected = true};

        for (guint i = 0; i < 60 && !w->finished; i++) {
            bool reached = t.reached;
            guint calls = w->calls;

            step(w, &t);
            /* A call that may have been carried out is never repeated, and nothing is called while
             * libvirt is unavailable. */
            g_assert_true(w->calls == calls || (!reached && t.connected));
        }
        let_it_end(w, &t);
        g_assert_true(w->finished);
        g_assert_true(w->result != RESULT_DONE || t.good);
        g_assert_cmpint(w->result, !=, RESULT_TIMEOUT);

        /* After the end, nothing. */
        guint effects_so_far = w->calls + w->refreshes + w->probes + w->aborts;
        for (guint i = 0; i < 10; i++)
            step(w, &t);
        g_assert_cmpuint(w->calls + w->refreshes + w->probes + w->aborts, ==, effects_so_far);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/operation/long/table", test_table);
    g_test_add_func("/operation/long/migrate-shutoff", test_migrate_shutoff);
    g_test_add_func("/operation/long/same", test_same);
    g_test_add_func("/operation/long/done", test_done);
    g_test_add_func("/operation/long/failed", test_failed);
    g_test_add_func("/operation/long/cancel", test_cancel);
    g_test_add_func("/operation/long/cancel-too-late", test_cancel_too_late);
    g_test_add_func("/operation/long/cancel-unsent", test_cancel_unsent);
    g_test_add_func("/operation/long/cancel-not-agreed", test_cancel_not_agreed);
    g_test_add_func("/operation/long/canceled-by-others", test_canceled_by_others);
    g_test_add_func("/operation/long/not-abortable", test_not_abortable);
    g_test_add_func("/operation/long/lost", test_lost);
    g_test_add_func("/operation/long/lost-under-way", test_lost_under_way);
    g_test_add_func("/operation/long/lost-and-canceled", test_lost_and_canceled);
    g_test_add_func("/operation/long/lost-and-canceled-at-once", test_lost_and_canceled_at_once);
    g_test_add_func("/operation/long/canceled-while-away", test_canceled_while_away);
    g_test_add_func("/operation/long/lost-again", test_lost_again);
    g_test_add_func("/operation/long/unsent", test_unsent);
    g_test_add_func("/operation/long/overtaken", test_overtaken);
    g_test_add_func("/operation/long/any-schedule", test_any_schedule);
    return g_test_run();
}
