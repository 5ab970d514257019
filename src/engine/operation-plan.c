/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation-plan.h"

#define PLAN(...)                                                                                  \
    {                                                                                              \
        .allowed = true, .steps = { __VA_ARGS__, STEP_DONE }                                       \
    }

#define ACTIVE(step)                                                                               \
    [DOMAIN_NOSTATE] = PLAN(step), [DOMAIN_RUNNING] = PLAN(step), [DOMAIN_IDLE] = PLAN(step),      \
    [DOMAIN_PAUSED] = PLAN(step), [DOMAIN_PMSUSPENDED] = PLAN(step),                               \
    [DOMAIN_SHUTDOWN] = PLAN(step)
#define ANY(step)    ACTIVE(step), [DOMAIN_SHUTOFF] = PLAN(step), [DOMAIN_CRASHED] = PLAN(step)
#define WAKE         STEP_WAKEUP, STEP_AWAIT_AWAKE
#define ASK_AND_WAIT STEP_ASK_SHUTDOWN, STEP_AWAIT_DOWN

/* The table of the interface's documentation; what is not listed is InvalidState. */
static const Plan plans[_OPERATION_MAX][_DOMAIN_STATE_MAX] = {
    [OPERATION_START] =
        {
            [DOMAIN_NOSTATE] = PLAN(STEP_CREATE),
            [DOMAIN_PAUSED] = PLAN(STEP_RESUME),
            [DOMAIN_PMSUSPENDED] = PLAN(WAKE),
            [DOMAIN_SHUTOFF] = PLAN(STEP_CREATE),
        },
    [OPERATION_STOP] =
        {
            [DOMAIN_NOSTATE] = PLAN(ASK_AND_WAIT, STEP_FORCE),
            [DOMAIN_RUNNING] = PLAN(ASK_AND_WAIT, STEP_FORCE),
            [DOMAIN_IDLE] = PLAN(ASK_AND_WAIT, STEP_FORCE),
            [DOMAIN_PAUSED] = PLAN(STEP_RESUME, ASK_AND_WAIT, STEP_FORCE),
            [DOMAIN_PMSUSPENDED] = PLAN(WAKE, STEP_GRACE, ASK_AND_WAIT, STEP_FORCE),
            [DOMAIN_SHUTDOWN] = PLAN(STEP_AWAIT_DOWN, STEP_FORCE),
            [DOMAIN_CRASHED] = PLAN(STEP_FORCE),
        },
    [OPERATION_PAUSE] =
        {
            [DOMAIN_NOSTATE] = PLAN(STEP_SUSPEND),
            [DOMAIN_RUNNING] = PLAN(STEP_SUSPEND),
            [DOMAIN_IDLE] = PLAN(STEP_SUSPEND),
        },
    [OPERATION_RESUME] =
        {
            [DOMAIN_NOSTATE] = PLAN(STEP_RESUME),
            [DOMAIN_PAUSED] = PLAN(STEP_RESUME),
            [DOMAIN_PMSUSPENDED] = PLAN(WAKE),
        },
    [OPERATION_FORCE_STOP] =
        {
            [DOMAIN_NOSTATE] = PLAN(STEP_DESTROY),
            [DOMAIN_RUNNING] = PLAN(STEP_DESTROY),
            [DOMAIN_IDLE] = PLAN(STEP_DESTROY),
            [DOMAIN_PAUSED] = PLAN(STEP_DESTROY),
            [DOMAIN_PMSUSPENDED] = PLAN(STEP_DESTROY),
            [DOMAIN_SHUTDOWN] = PLAN(STEP_DESTROY),
            [DOMAIN_CRASHED] = PLAN(STEP_DESTROY),
        },
    [OPERATION_REBOOT] =
        {
            [DOMAIN_NOSTATE] = PLAN(ASK_AND_WAIT, STEP_CREATE),
            [DOMAIN_RUNNING] = PLAN(ASK_AND_WAIT, STEP_CREATE),
            [DOMAIN_IDLE] = PLAN(ASK_AND_WAIT, STEP_CREATE),
            [DOMAIN_PAUSED] = PLAN(STEP_RESUME, ASK_AND_WAIT, STEP_CREATE),
            [DOMAIN_PMSUSPENDED] = PLAN(WAKE, STEP_GRACE, ASK_AND_WAIT, STEP_CREATE),
            [DOMAIN_SHUTDOWN] = PLAN(STEP_AWAIT_DOWN, STEP_CREATE),
        },
    [OPERATION_RESET] =
        {
            [DOMAIN_NOSTATE] = PLAN(STEP_DESTROY, STEP_CREATE),
            [DOMAIN_RUNNING] = PLAN(STEP_DESTROY, STEP_CREATE),
            [DOMAIN_IDLE] = PLAN(STEP_DESTROY, STEP_CREATE),
            [DOMAIN_PAUSED] = PLAN(STEP_DESTROY, STEP_CREATE),
            [DOMAIN_PMSUSPENDED] = PLAN(STEP_DESTROY, STEP_CREATE),
            [DOMAIN_SHUTDOWN] = PLAN(STEP_DESTROY, STEP_CREATE),
            [DOMAIN_CRASHED] = PLAN(STEP_DESTROY, STEP_CREATE),
        },
    [OPERATION_SAVE] = {ACTIVE(STEP_SAVE)},
    [OPERATION_CREATE_SNAPSHOT] = {ANY(STEP_CREATE_SNAPSHOT)},
    [OPERATION_REVERT_SNAPSHOT] = {ANY(STEP_REVERT_SNAPSHOT)},
    [OPERATION_DELETE_SNAPSHOT] = {ANY(STEP_DELETE_SNAPSHOT)},
    [OPERATION_MIGRATE] = {ACTIVE(STEP_MIGRATE), [DOMAIN_SHUTOFF] = PLAN(STEP_MIGRATE)},
};

/* A transient domain would vanish with its power: the hypervisor cycles it in place. */
static const Plan reboot_in_place = PLAN(STEP_ASK_REBOOT, STEP_AWAIT_REBOOT);
static const Plan reboot_in_place_paused = PLAN(STEP_RESUME, STEP_ASK_REBOOT, STEP_AWAIT_REBOOT);
static const Plan reboot_in_place_asleep =
    PLAN(WAKE, STEP_GRACE, STEP_ASK_REBOOT, STEP_AWAIT_REBOOT);

/* A reset leaves the guest paused that was; one that sleeps could not be woken afterwards. */
static const Plan reset_in_place = PLAN(STEP_RESET);
static const Plan reset_in_place_paused = PLAN(STEP_RESET, STEP_RESUME);
static const Plan reset_in_place_asleep = PLAN(WAKE, STEP_RESET);
/* The reply says that the domain has ended. */
static const Plan reset_that_ends = PLAN(STEP_RESET, STEP_AWAIT_DOWN);

const Plan operation_plan_join_start = PLAN(STEP_AWAIT_STARTED);
const Plan operation_plan_end_restarted = PLAN(STEP_DESTROY);

const StepTraits operation_steps[_STEP_MAX] = {
    [STEP_CREATE] = {.calls = true, .verb = VERB_CREATE},
    [STEP_RESUME] = {.calls = true, .prepares = true, .verb = VERB_RESUME},
    [STEP_WAKEUP] = {.calls = true, .prepares = true, .verb = VERB_WAKEUP},
    [STEP_AWAIT_AWAKE] = {.prepares = true},
    [STEP_GRACE] = {.prepares = true},
    [STEP_SUSPEND] = {.calls = true, .verb = VERB_SUSPEND},
    [STEP_ASK_SHUTDOWN] = {.calls = true, .asks = true, .prepares = true},
    [STEP_FORCE] = {.calls = true, .verb = VERB_DESTROY},
    [STEP_DESTROY] = {.calls = true, .verb = VERB_DESTROY},
    [STEP_ASK_REBOOT] = {.calls = true, .asks = true, .prepares = true},
    [STEP_RESET] = {.calls = true, .verb = VERB_RESET},
    [STEP_SAVE] = {.calls = true, .lasts = true, .aborts = true, .verb = VERB_SAVE},
    [STEP_CREATE_SNAPSHOT] = {.calls = true,
                              .lasts = true,
                              .aborts = true,
                              .verb = VERB_CREATE_SNAPSHOT},
    [STEP_REVERT_SNAPSHOT] = {.calls = true, .lasts = true, .verb = VERB_REVERT_SNAPSHOT},
    [STEP_DELETE_SNAPSHOT] = {.calls = true, .lasts = true, .verb = VERB_DELETE_SNAPSHOT},
    [STEP_MIGRATE] = {.calls = true, .lasts = true, .aborts = true, .verb = VERB_MIGRATE},
};

static const Plan *
plan_in_place(OperationKind kind, const Observation *seen)
{
    bool is_halted = seen->state == DOMAIN_PAUSED || seen->state == DOMAIN_CRASHED;
    bool is_asleep = seen->state == DOMAIN_PMSUSPENDED;

    if (kind == OPERATION_REBOOT)
        return is_halted   ? &reboot_in_place_paused
               : is_asleep ? &reboot_in_place_asleep
                           : &reboot_in_place;
    if (seen->ends_on_reboot)
        return &reset_that_ends;
    return is_halted   ? &reset_in_place_paused
           : is_asleep ? &reset_in_place_asleep
                       : &reset_in_place;
}

const Plan *
operation_plan(OperationKind kind, const Observation *seen)
{
    bool is_known = (unsigned)seen->state < _DOMAIN_STATE_MAX;
    const Plan *plan = &plans[kind][is_known ? seen->state : DOMAIN_NOSTATE];
    bool cycles = kind == OPERATION_REBOOT || kind == OPERATION_RESET;

    if (kind == OPERATION_START && seen->starting_up)
        return &operation_plan_join_start;
    return plan->allowed && cycles && !seen->persistent ? plan_in_place(kind, seen) : plan;
}

Error *
operation_check(const OperationSpec *spec, DomainState state, bool persistent,
                const char *domain_name)
{
    const Observation seen = {.state = state, .persistent = persistent};

    if (!operation_plan(spec->kind, &seen)->allowed)
        return error_new(ERROR_INVALID_STATE, "%s is not possible: \"%s\" is %s",
                         operation_name(spec->kind), domain_name, domain_state_name(state));
    /* It would run, which is not what was asked for. */
    if (spec->kind == OPERATION_START && spec->paused &&
        (state == DOMAIN_PAUSED || state == DOMAIN_PMSUSPENDED))
        return error_new(ERROR_INVALID_STATE, "Start as paused is not possible: \"%s\" is %s",
                         domain_name, domain_state_name(state));
    if (spec->kind == OPERATION_MIGRATE && state == DOMAIN_SHUTOFF &&
        !(spec->payload->flags & PAYLOAD_PERSIST_DESTINATION))
        return error_new(ERROR_INVALID_STATE,
                         "Migrate without persist_destination is not possible: \"%s\" is shutoff",
                         domain_name);
    if (spec->kind == OPERATION_STOP && state == DOMAIN_CRASHED && !spec->force)
        return error_new(ERROR_INVALID_STATE,
                         "Stop without force is not possible: \"%s\" is crashed", domain_name);
    return NULL;
}
