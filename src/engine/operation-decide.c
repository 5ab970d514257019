/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation-private.h"
#include "units.h"

/* How long libvirt may take to end a domain that it does not force any more, and how often the
 * domain is looked at meanwhile. */
#define ENDING_LIMIT (60 * SEC)
#define ENDING_PAUSE (200 * MSEC)

/* The request to the guest failed or was lost: a Stop that forces waits out its time. */
static void
decide_about_request(Operation *op, uint64_t now)
{
    bool is_down = operation_is_down(op);
    bool goes_on =
        op->phase == PHASE_LOST || (is_down ? operation_has_acted(op) : operation_forces(op));

    if (!goes_on) {
        if (is_down)
            operation_finish_not_possible(op);
        else
            operation_finish_failed(op, false);
        return;
    }
    if (!is_down)
        op->impact = IMPACT_ACTED;
    operation_enter(op, now, PHASE_WAITING);
    operation_await(op, now);
}

/* The long call is over, and was not carried out or may have been. */
static void
finish_long_call(Operation *op)
{
    bool may_have = operation_is_lost(op);

    if (op->given_up)
        operation_finish_canceled(op, "as was asked for", false);
    else if (op->failure->kind == ERROR_CANCELED && !may_have)
        operation_finish(op, RESULT_CANCELED, op->failure); /* by somebody else */
    else
        operation_finish_failed(op, may_have);
}

/*
 * Whether the aim of a call that failed, if it is reached, can be called ours. virDomainDestroy()
 * kills QEMU first and waits for other work on the domain afterwards. That work (a new libvirtd
 * that is still connecting to the guest, for example) may notice the end first; then libvirt
 * answers the call that killed the guest with "domain is not running".
 */
static bool
counts_all_the_same(const Operation *op)
{
    bool destroys = operation_steps[*op->step].verb == VERB_DESTROY;

    return op->phase == PHASE_LOST || operation_is_preparing(op) || operation_may_have_acted(op) ||
           (destroys && op->began_active);
}

/* Start of a domain that was off, and that somebody else is starting or has just started. */
static bool
joins_start(const Operation *op)
{
    return op->spec.kind == OPERATION_START && !op->spec.paused && *op->step == STEP_CREATE &&
           op->phase == PHASE_REFUSED && !op->began_active && operation_is_active(op);
}

/*
 * libvirt has taken the domain's id away, and answers "domain is not running", but its state does
 * not tell yet: somebody else's destroy, or a start that failed, is still cleaning up.
 */
static bool
is_being_ended(const Operation *op)
{
    return op->phase == PHASE_REFUSED && operation_steps[*op->step].verb == VERB_DESTROY &&
           !operation_is_active(op) && !operation_is_off(op);
}

/* Wait for the end that is_being_ended() sees; false if it has taken too long. */
static bool
awaits_end(Operation *op, uint64_t now)
{
    if (op->ending_until == 0)
        op->ending_until = operation_time_after(now, ENDING_LIMIT);
    if (now >= op->ending_until)
        return false;
    op->until = operation_time_after(now, ENDING_PAUSE);
    return true;
}

/* If the domain ended during the call, libvirt's error may be about that and not about the call. */
static void
finish_failed_call(Operation *op)
{
    if (op->began_active && operation_is_off(op))
        operation_finish_failed_and_ended(op);
    else
        operation_finish_failed(op, op->phase == PHASE_LOST);
}

static void
decide_about_call(Operation *op, uint64_t now)
{
    bool destroys = operation_steps[*op->step].verb == VERB_DESTROY;
    bool can_do_without = operation_forces(op) && operation_steps[*op->step].prepares &&
                          (operation_has_acted(op) || !operation_is_down(op));

    if (counts_all_the_same(op) && operation_is_goal_reached(op)) {
        op->forced = operation_cuts_power(op) && op->phase == PHASE_LOST;
        operation_next_step(op, now);
    } else if (can_do_without) {
        /* The guest can be asked no longer: wait out the time, then force. */
        op->impact = IMPACT_ACTED;
        operation_skip_to(op, now, STEP_AWAIT_DOWN);
    } else if (destroys && operation_is_off(op)) {
        operation_finish_not_possible(op);
    } else if (is_being_ended(op) && awaits_end(op, now)) {
        return;
    } else if (joins_start(op)) {
        op->plan = &operation_plan_join_start;
        op->step = op->plan->steps;
        operation_begin_step(op, now);
    } else {
        finish_failed_call(op);
    }
}

static void
decide_about_failure(Operation *op, uint64_t now)
{
    bool lasts = operation_steps[*op->step].lasts;

    if (*op->step == STEP_AWAIT_DOWN)
        decide_about_request(op, now);
    else if (lasts && op->phase == PHASE_LOST)
        operation_enter(op, now, PHASE_PROBING);
    else if (lasts)
        finish_long_call(op);
    else
        decide_about_call(op, now);
}

/* The call was never sent; now the domain is known as it is. */
static void
send_again(Operation *op, uint64_t now)
{
    bool is_down = operation_is_down(op);
    bool needs_no_force =
        (*op->step == STEP_FORCE && is_down) || (*op->step == STEP_DESTROY && operation_is_off(op));

    if (operation_awaits_answer(op) && !is_down) {
        operation_request(op, now);
    } else if (is_down && operation_has_ahead(op, STEP_AWAIT_DOWN)) {
        operation_enter(op, now, PHASE_WAITING);
        operation_await(op, now);
    } else if (!needs_no_force) {
        operation_begin_step(op, now);
    } else if (operation_may_have_acted(op)) {
        operation_next_step(op, now);
    } else {
        operation_finish_not_possible(op);
    }
}

void
operation_refreshed(Operation *op, uint64_t now)
{
    switch (op->phase) {
    case PHASE_WAITING:
        operation_await(op, now);
        break;
    case PHASE_UNSENT:
        send_again(op, now);
        break;
    case PHASE_REFUSED:
    case PHASE_LOST:
        decide_about_failure(op, now);
        break;
    case PHASE_CONCLUDING:
        finish_long_call(op);
        break;
    case PHASE_ANSWERING:
        operation_finish_refreshed(op);
        break;
    case PHASE_OVER:
    case PHASE_CALLING:
    case PHASE_OVERTAKEN:
    case PHASE_PROBING:
    case PHASE_WATCHING:
        break;
    }
}
