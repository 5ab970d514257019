/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation-private.h"
#include "units.h"

/* A guest just woken may miss a request that is sent within its first second. */
#define WAKE_PAUSE         (1500 * MSEC)
/* The work is done; how long its last refresh may hold up the answer. */
#define LAST_REFRESH_LIMIT (5 * SEC)
/* How often to probe whether a long call goes on without us. */
#define PROBE_INTERVAL     (500 * MSEC)
/* Somebody else's start may have been left half way up by a hypervisor that was killed. */
#define JOIN_LIMIT         (600 * SEC)
/* A call that cannot be sent, time after time, although there is a connection. */
#define UNSENT_MAX         10

static DomainVerb
verb_of(const Operation *op)
{
    if (*op->step == STEP_CREATE && op->spec.paused)
        return VERB_CREATE_PAUSED;
    return operation_steps[*op->step].verb;
}

/* How long a step waits that is not bounded by the deadline, or is only a pause. */
static uint64_t
pause_of(Step step)
{
    switch (step) {
    case STEP_GRACE:
        return WAKE_PAUSE;
    case STEP_AWAIT_STARTED:
        return JOIN_LIMIT;
    default:
        return UINT64_MAX;
    }
}

void
operation_enter(Operation *op, uint64_t now, Phase phase)
{
    op->phase = phase;
    op->until = UINT64_MAX;
    if (phase < PHASE_REFUSED || phase > PHASE_CONCLUDING)
        g_clear_pointer(&op->failure, error_free);
    switch (phase) {
    case PHASE_CALLING:
        op->serial = ++op->last_serial;
        op->effects->call(op->userdata, verb_of(op), op->serial);
        break;
    case PHASE_WAITING:
        op->until = operation_time_after(now, pause_of(*op->step));
        break;
    case PHASE_PROBING:
        op->serial = ++op->last_serial;
        op->effects->probe(op->userdata, op->serial);
        break;
    case PHASE_WATCHING:
        op->until = operation_time_after(now, PROBE_INTERVAL);
        break;
    case PHASE_ANSWERING:
        op->until = operation_time_after(now, LAST_REFRESH_LIMIT);
        op->effects->refresh(op->userdata);
        break;
    case PHASE_UNSENT:
    case PHASE_REFUSED:
    case PHASE_LOST:
    case PHASE_CONCLUDING:
        op->effects->refresh(op->userdata);
        break;
    case PHASE_OVER:
    case PHASE_OVERTAKEN:
        break;
    }
}

void
operation_set_failure(Operation *op, const Error *error, const char *fallback)
{
    error_free(op->failure);
    op->failure = error ? error_copy(error) : error_new(ERROR_OPERATION_FAILED, "%s", fallback);
}

void
operation_enter_refused(Operation *op, uint64_t now, const Error *error)
{
    operation_set_failure(op, error, "libvirt gave no reason");
    operation_enter(op, now, PHASE_REFUSED);
}

void
operation_enter_lost(Operation *op, uint64_t now, const Error *error)
{
    operation_set_failure(op, error, "The connection to libvirt was lost");
    operation_enter(op, now, PHASE_LOST);
}

void
operation_enter_unsent(Operation *op, uint64_t now, const Error *error)
{
    if (++op->unsent < UNSENT_MAX) {
        operation_enter(op, now, PHASE_UNSENT);
        return;
    }
    operation_set_failure(op, error, "The call could not be sent");
    if (op->impact == IMPACT_NONE && op->failure->kind != ERROR_NOT_AVAILABLE &&
        op->failure->kind != ERROR_LIMITS_EXCEEDED) {
        g_autoptr(Error) words = g_steal_pointer(&op->failure);

        op->failure = error_not_available(words->message);
    }
    operation_finish_failed(op, false);
}

void
operation_request(Operation *op, uint64_t now)
{
    static const DomainVerb verbs[][2] = {
        [SIDE_CALL_AGENT] = {VERB_SHUTDOWN_AGENT, VERB_REBOOT_AGENT},
        [SIDE_CALL_ACPI] = {VERB_SHUTDOWN_ACPI, VERB_REBOOT_ACPI},
    };
    bool by_agent = op->asked == ASKED_NOT && op->seen.agent_connected;
    SideCall side_call = by_agent ? SIDE_CALL_AGENT : SIDE_CALL_ACPI;
    unsigned serial = ++op->last_serial;

    operation_enter(op, now, PHASE_WAITING);
    op->n_repeated += op->asked == ASKED_ACPI;
    op->asked = by_agent ? ASKED_UNANSWERED : ASKED_ACPI;
    op->asked_at = now;
    op->side_calls[side_call] = serial;
    op->effects->call(op->userdata, verbs[side_call][*op->step == STEP_AWAIT_REBOOT], serial);
    if (op->phase == PHASE_WAITING)
        operation_await(op, now);
}

void
operation_begin_step(Operation *op, uint64_t now)
{
    Step step = *op->step;

    if (step == STEP_DONE) {
        operation_enter(op, now, PHASE_ANSWERING);
    } else if (!operation_steps[step].calls) {
        operation_enter(op, now, PHASE_WAITING);
        operation_await(op, now);
    } else if (step == STEP_CREATE && operation_has_acted(op) && operation_is_restarted(op)) {
        /* Somebody else has started the domain already. */
        operation_next_step(op, now);
    } else if (op->link == LINK_DOWN) {
        operation_enter(op, now, PHASE_UNSENT);
    } else if (operation_steps[step].asks) {
        op->step++;
        operation_request(op, now);
    } else {
        op->had_crashed = op->seen.state == DOMAIN_CRASHED;
        operation_enter(op, now, PHASE_CALLING);
    }
}

void
operation_next_step(Operation *op, uint64_t now)
{
    op->step++;
    operation_begin_step(op, now);
}

void
operation_skip_to(Operation *op, uint64_t now, Step step)
{
    while (*op->step != step && *op->step != STEP_DONE)
        op->step++;
    operation_begin_step(op, now);
}

/* The guest is down: what would ask or force it is not needed. */
static void
go_on_when_down(Operation *op, uint64_t now)
{
    if (!operation_may_have_acted(op)) {
        operation_finish_not_possible(op);
        return;
    }
    while (*op->step != STEP_AWAIT_DOWN)
        op->step++;
    op->step++;
    if (*op->step == STEP_FORCE)
        op->step++;
    operation_begin_step(op, now);
}

void
operation_go_on_when_restarted(Operation *op, uint64_t now)
{
    op->impact = IMPACT_ACTED;
    if (op->spec.kind == OPERATION_REBOOT) {
        operation_skip_to(op, now, STEP_DONE);
    } else if (operation_forces(op)) {
        op->plan = &operation_plan_end_restarted;
        op->step = op->plan->steps;
        operation_begin_step(op, now);
    } else {
        operation_finish_restarted(op);
    }
}

/* The guest is about to restart: end it now, before it boots. */
static bool
can_be_ended(const Operation *op)
{
    return *op->step == STEP_AWAIT_DOWN && op->seen.restarts_on_poweroff &&
           op->seen.state == DOMAIN_SHUTDOWN && operation_forces(op);
}

/* The start that is waited for led to a domain that does not run, or runs no more. */
static bool
start_is_over(const Operation *op)
{
    return *op->step == STEP_AWAIT_STARTED &&
           (op->seen.state == DOMAIN_SHUTDOWN || op->seen.state == DOMAIN_PMSUSPENDED);
}

static bool
is_stuck(const Operation *op)
{
    bool has_to_run = *op->step == STEP_AWAIT_AWAKE || *op->step == STEP_AWAIT_STARTED;
    /* A reset may have begun with that. */
    bool has_crashed = op->seen.state == DOMAIN_CRASHED && op->spec.kind != OPERATION_RESET;

    return has_crashed || operation_is_down(op) || start_is_over(op) ||
           (has_to_run && op->seen.state == DOMAIN_PAUSED && !op->seen.starting_up);
}

void
operation_await(Operation *op, uint64_t now)
{
    if (op->link != LINK_FRESH)
        return;
    if (operation_is_down(op) && operation_has_ahead(op, STEP_AWAIT_DOWN))
        go_on_when_down(op, now);
    else if (operation_is_goal_reached(op))
        operation_next_step(op, now);
    else if (can_be_ended(op))
        operation_go_on_when_restarted(op, now);
    else if (op->seen.state == DOMAIN_CRASHED && operation_forces(op))
        operation_skip_to(op, now, STEP_FORCE);
    else if (is_stuck(op))
        operation_finish_stuck(op);
}
