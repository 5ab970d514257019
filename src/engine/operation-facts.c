/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation-private.h"

uint64_t
operation_time_after(uint64_t now, uint64_t usec)
{
    return now > UINT64_MAX - usec ? UINT64_MAX : now + usec;
}

bool
operation_is_restarted(const Operation *op)
{
    return op->run >= 0 && !op->seen.gone && op->seen.id >= 0 && op->seen.id != op->run;
}

bool
operation_is_off(const Operation *op)
{
    return op->seen.gone || domain_state_is_down(op->seen.state);
}

bool
operation_is_down(const Operation *op)
{
    return operation_is_off(op) || operation_is_restarted(op);
}

bool
operation_is_active(const Operation *op)
{
    return !op->seen.gone && op->seen.id >= 0;
}

bool
operation_has_acted(const Operation *op)
{
    /* A guest that is shutting down already is only waited for. */
    return op->impact == IMPACT_ACTED || op->plan->steps[0] == STEP_AWAIT_DOWN;
}

bool
operation_is_asking(const Operation *op)
{
    for (SideCall side_call = 0; side_call < _SIDE_CALL_MAX; side_call++)
        if (op->side_calls[side_call])
            return true;
    return false;
}

bool
operation_may_have_acted(const Operation *op)
{
    return operation_has_acted(op) || operation_is_asking(op);
}

bool
operation_forces(const Operation *op)
{
    return op->spec.kind == OPERATION_STOP && op->spec.force;
}

bool
operation_cuts_power(const Operation *op)
{
    return *op->step == STEP_FORCE && !op->had_crashed;
}

bool
operation_has_ahead(const Operation *op, Step step)
{
    for (const Step *next = op->step; *next != STEP_DONE; next++)
        if (*next == step)
            return true;
    return false;
}

bool
operation_awaits_guest(const Operation *op)
{
    return operation_has_ahead(op, STEP_AWAIT_DOWN) || operation_has_ahead(op, STEP_AWAIT_REBOOT) ||
           operation_has_ahead(op, STEP_AWAIT_AWAKE);
}

bool
operation_waits(const Operation *op)
{
    for (const Step *next = op->step; *next != STEP_DONE; next++)
        if (!operation_steps[*next].calls)
            return true;
    return false;
}

bool
operation_awaits_answer(const Operation *op)
{
    return *op->step == STEP_AWAIT_DOWN || *op->step == STEP_AWAIT_REBOOT;
}

bool
operation_is_preparing(const Operation *op)
{
    return operation_steps[*op->step].prepares &&
           (operation_has_ahead(op, STEP_AWAIT_DOWN) || operation_has_ahead(op, STEP_AWAIT_REBOOT));
}

bool
operation_is_lost(const Operation *op)
{
    switch (op->phase) {
    case PHASE_LOST:
    case PHASE_PROBING:
    case PHASE_WATCHING:
    case PHASE_CONCLUDING:
        return true;
    default:
        return false;
    }
}

bool
operation_is_refreshing(const Operation *op)
{
    switch (op->phase) {
    case PHASE_UNSENT:
    case PHASE_REFUSED:
    case PHASE_LOST:
    case PHASE_CONCLUDING:
    case PHASE_ANSWERING:
        return true;
    default:
        return op->link != LINK_FRESH;
    }
}

/* Waking it up is all that there is to do: then the guest has to run, not just to be awake. */
static bool
only_wakes(const Operation *op)
{
    const Step *step = op->step;

    while (*step == STEP_WAKEUP || *step == STEP_AWAIT_AWAKE)
        step++;
    return *step == STEP_DONE;
}

bool
operation_is_goal_reached(const Operation *op)
{
    DomainState state = op->seen.state;

    switch (*op->step) {
    case STEP_CREATE:
        return operation_is_active(op) && !op->seen.starting_up;
    case STEP_AWAIT_STARTED:
    case STEP_RESUME:
        return operation_is_active(op) && (state == DOMAIN_RUNNING || state == DOMAIN_IDLE);
    case STEP_WAKEUP:
    case STEP_AWAIT_AWAKE:
        return operation_is_active(op) && state != DOMAIN_PMSUSPENDED && state != DOMAIN_CRASHED &&
               !(state == DOMAIN_PAUSED && only_wakes(op));
    case STEP_SUSPEND:
        return state == DOMAIN_PAUSED;
    case STEP_AWAIT_DOWN:
    case STEP_FORCE:
    case STEP_DESTROY:
        return operation_is_down(op);
    default:
        return false; /* no refresh can tell */
    }
}
