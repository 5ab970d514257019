/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation-world.h"

#include <string.h>

static const char *const verbs[_VERB_MAX] = {
    [VERB_CREATE] = "create",
    [VERB_CREATE_PAUSED] = "create-paused",
    [VERB_RESUME] = "resume",
    [VERB_WAKEUP] = "wakeup",
    [VERB_SUSPEND] = "suspend",
    [VERB_SHUTDOWN_AGENT] = "agent-shutdown",
    [VERB_SHUTDOWN_ACPI] = "shutdown",
    [VERB_DESTROY] = "destroy",
    [VERB_REBOOT_AGENT] = "agent-reboot",
    [VERB_REBOOT_ACPI] = "reboot",
    [VERB_RESET] = "reset",
    [VERB_SAVE] = "save",
    [VERB_CREATE_SNAPSHOT] = "create-snapshot",
    [VERB_REVERT_SNAPSHOT] = "revert-snapshot",
    [VERB_DELETE_SNAPSHOT] = "delete-snapshot",
    [VERB_MIGRATE] = "migrate",
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

        operation_call_done(w->op, w->now, serial, OUTCOME_UNSENT, error);
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
on_probe(void *userdata, unsigned serial)
{
    World *w = userdata;

    g_assert_false(w->finished);
    w->serial = serial;
    say(w, "probe");
}

static bool
on_abort(void *userdata)
{
    say(userdata, "abort");
    return false;
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
on_finished(void *userdata, OperationResult result, const Error *error, bool forced)
{
    World *w = userdata;

    g_assert_false(w->finished);
    g_assert_cmpuint(w->armed, ==, UINT64_MAX);
    g_assert_true((result == RESULT_DONE) == (error == NULL));
    w->finished = true;
    w->result = result;
    w->forced = forced;
    w->error = error_copy(error);
    say(w, operation_result_name(result));
}

const OperationEffects world_effects = {
    .call = on_call,
    .refresh = on_refresh,
    .probe = on_probe,
    .abort = on_abort,
    .arm = on_arm,
    .finished = on_finished,
};

World *
world_new(OperationKind kind)
{
    World *w = g_new0(World, 1);

    w->spec = (OperationSpec){.kind = kind, .timeout = STOP_TIMEOUT, .force = true};
    w->now = w->began = 1000 * SEC;
    w->armed = UINT64_MAX;
    w->log = g_string_new(NULL);
    return w;
}

void
world_free(World *w)
{
    operation_free(w->op);
    g_string_free(w->log, TRUE);
    error_free(w->error);
    g_free(w);
}

int
id_of(DomainState state)
{
    return state == DOMAIN_SHUTOFF ? -1 : 5;
}

static Observation
seen_as(const World *w, DomainState state, bool fresh)
{
    Observation seen = w->domain;

    seen.state = state;
    seen.id = id_of(state);
    seen.persistent = !w->transient;
    seen.fresh = fresh;
    return seen;
}

void
observe(World *w, DomainState state, bool fresh)
{
    Observation seen = seen_as(w, state, fresh);

    operation_observe(w->op, w->now, &seen);
}

void
begin(World *w, DomainState state)
{
    g_autoptr(Error) error = operation_check(&w->spec, state, !w->transient, "vm");
    Observation seen = seen_as(w, state, false);

    g_assert_null(error);
    w->op = operation_new(&w->spec, "vm", &world_effects, w);
    operation_begin(w->op, w->now, &seen);
    if (!g_str_has_suffix(w->log->str, "refresh") || w->refuse)
        return;

    /* One that waits for the guest refreshes the domain first, to know which run this is. */
    g_string_truncate(w->log, w->log->len - strlen("refresh"));
    if (w->log->len > 0)
        g_string_truncate(w->log, w->log->len - 1);
    observe(w, state, true);
}

World *
begun(OperationKind kind, DomainState state)
{
    World *w = world_new(kind);

    begin(w, state);
    return w;
}

void
expect(World *w, const char *log)
{
    g_assert_cmpstr(w->log->str, ==, log);
    g_string_truncate(w->log, 0);
}

void
end_call(World *w, unsigned serial, CallOutcome outcome)
{
    g_autoptr(Error) error =
        outcome == OUTCOME_OK ? NULL : error_new(ERROR_OPERATION_FAILED, "libvirt's own words");

    operation_call_done(w->op, w->now, serial, outcome, error);
}

void
ok(World *w)
{
    end_call(w, w->serial, OUTCOME_OK);
}

void
see(World *w, DomainState state)
{
    observe(w, state, false);
}

void
refreshed(World *w, DomainState state)
{
    observe(w, state, true);
}

void
connection(World *w, bool connected)
{
    operation_connection(w->op, w->now, connected);
}

void
reset_connection(World *w, DomainState state)
{
    see(w, state);
    connection(w, true);
    refreshed(w, state);
}

void
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

void
probed(World *w, ProbeAnswer answer)
{
    operation_probed(w->op, w->now, w->serial, answer);
}

void
expect_error(World *w, ErrorKind kind, const char *words)
{
    g_assert_true(w->finished);
    g_assert_cmpint(w->error->kind, ==, kind);
    if (!strstr(w->error->message, words))
        g_error("\"%s\" does not say \"%s\"", w->error->message, words);
}

void
vanish(World *w)
{
    static const Observation gone = {
        .state = DOMAIN_SHUTOFF, .id = -1, .gone = true, .fresh = true};

    operation_observe(w->op, w->now, &gone);
}
