/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation.h"

#include "operation-private.h"
#include "units.h"

/* An operation does not wait for a hypervisor that stays unavailable longer than this. */
#define DISCONNECTED_LIMIT (600 * SEC)
/* After a reconnect the time that passed meanwhile decides nothing before this refresh. */
#define REFRESH_LIMIT      (5 * SEC)

static const char *const result_names[_RESULT_MAX] = {
    [RESULT_DONE] = "done",
    [RESULT_FAILED] = "failed",
    [RESULT_TIMEOUT] = "timeout",
    [RESULT_CANCELED] = "canceled",
};

const char *
operation_result_name(OperationResult result)
{
    return result_names[result];
}

Operation *
operation_new(const OperationSpec *spec, const char *domain_name, const OperationEffects *effects,
              void *userdata)
{
    Operation *op = g_new0(Operation, 1);

    op->spec = *spec;
    op->spec.payload = operation_payload_ref(spec->payload);
    op->domain_name = g_strdup(domain_name);
    op->effects = effects;
    op->userdata = userdata;
    op->armed = UINT64_MAX;
    return op;
}

void
operation_free(Operation *op)
{
    if (!op)
        return;
    operation_payload_unref((OperationPayload *)op->spec.payload);
    g_free(op->domain_name);
    error_free(op->failure);
    g_free(op);
}

const OperationSpec *
operation_spec(const Operation *op)
{
    return &op->spec;
}

bool
operation_is_same(const Operation *op, const OperationSpec *spec)
{
    return operation_spec_is_same(&op->spec, spec);
}

/* --- the timer ---------------------------------------------------------------------------- */

/* Stop's and Reboot's time is for the guest to go down in; what comes after that takes its own. */
static bool
has_deadline(const Operation *op)
{
    bool bounds_all = op->spec.timeout_given && op->spec.kind != OPERATION_STOP &&
                      op->spec.kind != OPERATION_REBOOT;

    return op->phase != PHASE_ANSWERING && (bounds_all || operation_awaits_guest(op));
}

/* A domain that a new connection lists as down or restarted is refreshed before it is forced. */
static uint64_t
deadline_of(const Operation *op)
{
    if (!has_deadline(op))
        return UINT64_MAX;
    return operation_is_refreshing(op) && operation_is_down(op)
               ? MAX(op->deadline, op->refresh_limit)
               : op->deadline;
}

/* The end of the phase's own pause, which does not count before the domain is known. */
static uint64_t
pause_of(const Operation *op)
{
    return op->phase == PHASE_WAITING && op->link != LINK_FRESH ? UINT64_MAX : op->until;
}

static void
arm(Operation *op)
{
    uint64_t when = op->phase == PHASE_OVER ? UINT64_MAX
                    : op->link == LINK_DOWN
                        ? operation_time_after(op->disconnected_since, DISCONNECTED_LIMIT)
                        : MIN(MIN(deadline_of(op), pause_of(op)), operation_next_request(op));

    if (when == op->armed)
        return;
    op->armed = when;
    op->effects->arm(op->userdata, when);
}

static void
handle_disconnected_limit(Operation *op)
{
    bool is_calling = op->phase == PHASE_CALLING || op->phase == PHASE_OVERTAKEN;

    if (op->phase == PHASE_ANSWERING) {
        operation_finish(op, RESULT_DONE, NULL);
    } else if (op->phase == PHASE_OVERTAKEN) {
        operation_finish_canceled(op, "ForceStop overtook it", true);
    } else if (op->impact == IMPACT_NONE && !is_calling && !operation_is_asking(op)) {
        g_autoptr(Error) error = error_not_available("libvirt has been away for too long");

        operation_finish(op, RESULT_FAILED, error);
    } else {
        if (!op->failure)
            op->failure = error_new(ERROR_OPERATION_FAILED,
                                    "libvirt has been away for too long to finish %s of \"%s\"",
                                    operation_name(op->spec.kind), op->domain_name);
        operation_finish_failed(op, true);
    }
}

static void
handle_deadline(Operation *op, uint64_t now)
{
    if (op->phase == PHASE_OVERTAKEN) {
        operation_finish_canceled(op, "ForceStop overtook it", true);
    } else if (operation_forces(op)) {
        /* A call that was to prepare the asking, and hangs, holds up nothing. */
        if (op->phase == PHASE_CALLING)
            op->side_calls[SIDE_CALL_PREPARATION] = op->serial;
        operation_skip_to(op, now, STEP_FORCE);
    } else {
        operation_finish_timeout(op);
    }
}

static void
handle_pause_end(Operation *op, uint64_t now)
{
    if (op->phase == PHASE_ANSWERING)
        operation_finish(op, RESULT_DONE, NULL);
    else if (op->phase == PHASE_WATCHING)
        operation_enter(op, now, PHASE_PROBING);
    else if (op->phase == PHASE_REFUSED)
        operation_enter(op, now, PHASE_REFUSED); /* it is looked at once more */
    else if (*op->step == STEP_AWAIT_STARTED)
        operation_finish_timeout(op);
    else
        operation_next_step(op, now);
}

void
operation_elapsed(Operation *op, uint64_t now)
{
    if (op->phase == PHASE_OVER)
        return;
    op->armed = UINT64_MAX;
    if (op->link == LINK_DOWN) {
        if (now >= operation_time_after(op->disconnected_since, DISCONNECTED_LIMIT))
            handle_disconnected_limit(op);
    } else if (deadline_of(op) <= now) {
        handle_deadline(op, now);
    } else if (pause_of(op) <= now) {
        handle_pause_end(op, now);
    } else if (operation_next_request(op) <= now) {
        operation_request(op, now);
    }
    arm(op);
}

/* --- what comes in ------------------------------------------------------------------------ */

static void
set_out(Operation *op, uint64_t now, const Observation *seen)
{
    op->plan = operation_plan(op->spec.kind, seen);
    op->step = op->plan->steps;
    op->deadline = operation_time_after(now, op->spec.timeout);
    /* The known facts may be out of date, and even be those of an earlier run. */
    op->link = LINK_STALE;
    op->seen = *seen;
    op->seen.fresh = false;
    op->began_active = seen->id >= 0;
    op->run = op->began_active ? RUN_UNKNOWN : -1;
}

void
operation_begin(Operation *op, uint64_t now, const Observation *seen)
{
    set_out(op, now, seen);
    operation_begin_step(op, now);
    if (op->phase != PHASE_OVER && operation_waits(op))
        op->effects->refresh(op->userdata);
    arm(op);
}

void
operation_follow(Operation *op, uint64_t now, const Observation *seen)
{
    set_out(op, now, seen);
    op->impact = IMPACT_ACTED;
    operation_set_failure(op, NULL, "libvirt did not tell how it ended");
    operation_enter(op, now, PHASE_WATCHING);
    arm(op);
}

/* The guest restarted, and its id stays; false if that is not waited for. */
static bool
restarted(Operation *op, uint64_t now)
{
    bool is_waiting = op->phase == PHASE_WAITING || op->phase == PHASE_LOST;

    if (is_waiting && *op->step == STEP_AWAIT_REBOOT)
        operation_next_step(op, now);
    else if (is_waiting && *op->step == STEP_AWAIT_DOWN && op->seen.restarts_on_poweroff)
        operation_go_on_when_restarted(op, now);
    else
        return false;
    return true;
}

void
operation_observe(Operation *op, uint64_t now, const Observation *seen)
{
    /* Facts from before the first refresh may be from before the operation. */
    bool came_up = op->run >= 0 && op->run == seen->id && op->seen.state == DOMAIN_SHUTDOWN &&
                   seen->state == DOMAIN_RUNNING;
    bool is_refreshed = seen->fresh && op->link != LINK_DOWN;

    if (op->phase == PHASE_OVER)
        return;
    op->seen = *seen;
    if (seen->fresh && op->run == RUN_UNKNOWN)
        op->run = seen->id;
    if (is_refreshed)
        op->link = LINK_FRESH;
    /* A step that follows a restart needs a new refresh. */
    bool goes_on = came_up && restarted(op, now);
    if (is_refreshed && !goes_on)
        operation_refreshed(op, now);
    else if (op->phase == PHASE_WAITING)
        operation_await(op, now);
    arm(op);
}

void
operation_event(Operation *op, uint64_t now, OperationEvent event)
{
    switch (event) {
    case OPERATION_EVENT_REBOOTED:
        restarted(op, now);
        break;
    case OPERATION_EVENT_MIGRATED:
        if (*op->step == STEP_MIGRATE && operation_is_lost(op))
            operation_next_step(op, now);
        break;
    }
    arm(op);
}

static void
call_done(Operation *op, uint64_t now, CallOutcome outcome, const Error *error)
{
    switch (outcome) {
    case OUTCOME_OK:
        op->forced = operation_cuts_power(op);
        operation_next_step(op, now);
        break;
    case OUTCOME_UNSENT:
        operation_enter_unsent(op, now, error);
        break;
    case OUTCOME_LOST:
        operation_enter_lost(op, now, error);
        break;
    case OUTCOME_FAILED:
        operation_enter_refused(op, now, error);
        break;
    }
}

static void
overtaken_call_done(Operation *op, CallOutcome outcome, const Error *error)
{
    if (outcome != OUTCOME_FAILED) {
        operation_finish_canceled(op, "ForceStop overtook it", outcome == OUTCOME_LOST);
        return;
    }
    operation_set_failure(op, error, "libvirt gave no reason");
    operation_finish_failed(op, false);
}

static void
note_outcome(Operation *op, CallOutcome outcome)
{
    if (outcome == OUTCOME_FAILED)
        op->impact = MAX(op->impact, IMPACT_REFUSED);
    else if (outcome != OUTCOME_UNSENT)
        op->impact = IMPACT_ACTED;
}

static void
side_call_done(Operation *op, uint64_t now, unsigned serial, CallOutcome outcome,
               const Error *error)
{
    for (SideCall side_call = 0; side_call < _SIDE_CALL_MAX; side_call++) {
        if (op->side_calls[side_call] != serial)
            continue;
        /* An agent may fail because it has shut the guest down. */
        bool is_unsure = side_call == SIDE_CALL_AGENT && outcome == OUTCOME_FAILED;
        note_outcome(op, is_unsure ? OUTCOME_LOST : outcome);
        op->side_calls[side_call] = 0;
        operation_request_done(op, now, side_call, outcome, error);
        return;
    }
}

void
operation_call_done(Operation *op, uint64_t now, unsigned serial, CallOutcome outcome,
                    const Error *error)
{
    bool is_calling = op->phase == PHASE_CALLING || op->phase == PHASE_OVERTAKEN;

    if (op->phase == PHASE_OVER || serial == 0)
        return;
    if (!is_calling || serial != op->serial) {
        side_call_done(op, now, serial, outcome, error);
    } else {
        note_outcome(op, outcome);
        if (op->phase == PHASE_OVERTAKEN)
            overtaken_call_done(op, outcome, error);
        else
            call_done(op, now, outcome, error);
    }
    arm(op);
}

void
operation_probed(Operation *op, uint64_t now, unsigned serial, ProbeAnswer answer)
{
    if (op->phase != PHASE_PROBING || serial != op->serial)
        return;
    switch (answer) {
    case PROBE_CARRIED_OUT:
        operation_next_step(op, now);
        break;
    case PROBE_NOT_CARRIED_OUT:
        operation_enter(op, now, PHASE_CONCLUDING);
        break;
    case PROBE_UNDER_WAY:
    case PROBE_UNANSWERED:
        operation_enter(op, now, PHASE_WATCHING);
        break;
    }
    arm(op);
}

void
operation_aborted(Operation *op)
{
    op->given_up = true;
}

/* --- the connection ----------------------------------------------------------------------- */

static void
disconnected(Operation *op, uint64_t now)
{
    bool awaits_reboot = op->phase == PHASE_WAITING && *op->step == STEP_AWAIT_REBOOT;

    op->link = LINK_DOWN;
    op->disconnected_since = now;
    op->seen.fresh = false;
    if (op->phase == PHASE_PROBING || op->phase == PHASE_WATCHING)
        operation_enter(op, now, PHASE_LOST); /* what is not answered yet is asked again */
    else if (awaits_reboot && !operation_is_asking(op))
        operation_enter_lost(op, now, NULL); /* the event may be missed from now on */
    else
        op->effects->refresh(op->userdata);
}

static void
reconnected(Operation *op, uint64_t now)
{
    uint64_t limit = operation_time_after(now, REFRESH_LIMIT);
    bool is_forcing = operation_forces(op) && operation_steps[*op->step].verb == VERB_DESTROY;

    op->link = op->seen.fresh ? LINK_FRESH : LINK_STALE;
    op->refresh_limit = limit;
    if (op->phase == PHASE_ANSWERING)
        op->until = limit;
    if (!operation_forces(op))
        op->deadline = MAX(op->deadline, limit);
    if (op->link == LINK_FRESH)
        operation_refreshed(op, now);
    else if (op->phase == PHASE_UNSENT && is_forcing && !operation_is_down(op))
        operation_enter(op, now, PHASE_CALLING); /* forcing waits for nothing, not for a refresh */
}

void
operation_connection(Operation *op, uint64_t now, bool connected)
{
    if (op->phase == PHASE_OVER || connected == (op->link != LINK_DOWN))
        return;
    if (connected)
        reconnected(op, now);
    else
        disconnected(op, now);
    arm(op);
}

/* --- ending it from outside --------------------------------------------------------------- */

/* A long call, as far as is known, that libvirt can be asked to give up, or once it is back. */
static bool
can_give_up(const Operation *op)
{
    return (op->phase == PHASE_CALLING || operation_is_lost(op)) &&
           operation_steps[*op->step].aborts;
}

/* A call under way would not end with the operation. */
static bool
is_committed(const Operation *op)
{
    return op->phase == PHASE_OVER || op->phase == PHASE_OVERTAKEN ||
           op->phase == PHASE_ANSWERING ||
           (op->phase == PHASE_CALLING && !operation_is_preparing(op));
}

Error *
operation_cancel(Operation *op, uint64_t now)
{
    bool gives_up = can_give_up(op);

    if (!gives_up && is_committed(op))
        return error_new(ERROR_INVALID_STATE, "%s of \"%s\" can no longer be canceled",
                         operation_name(op->spec.kind), op->domain_name);
    if (!gives_up)
        operation_finish_canceled(op, "as was asked for", operation_is_lost(op));
    else if (op->effects->abort(op->userdata))
        operation_finish_canceled(op, "as was asked for", false);
    return NULL;
}

void
operation_abort(Operation *op, const char *why)
{
    bool may_have =
        op->phase == PHASE_CALLING || op->phase == PHASE_OVERTAKEN || operation_is_lost(op);

    if (op->phase == PHASE_ANSWERING)
        operation_finish(op, RESULT_DONE, NULL);
    else if (op->phase != PHASE_OVER)
        operation_finish_canceled(op, why, may_have);
}

void
operation_overtake(Operation *op, uint64_t now)
{
    if (op->phase == PHASE_OVER)
        return;
    if (op->phase == PHASE_ANSWERING)
        operation_finish(op, RESULT_DONE, NULL);
    else if (is_committed(op))
        operation_enter(op, now, PHASE_OVERTAKEN);
    else
        operation_finish_canceled(op, "ForceStop overtook it", operation_is_lost(op));
}
