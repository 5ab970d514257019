/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The table of operations by state: what each of them does, step by step, to a domain as it is
 * when it begins. Pure and constant; for any thread.
 */

#include "error.h"
#include "observation.h"
#include "operation-spec.h"
#include "verb.h"

typedef enum {
    STEP_DONE,
    STEP_CREATE,
    STEP_AWAIT_STARTED, /* by somebody else */
    STEP_RESUME,
    STEP_WAKEUP,
    STEP_AWAIT_AWAKE,
    STEP_GRACE, /* a guest just woken is given time before it is asked */
    STEP_SUSPEND,
    STEP_ASK_SHUTDOWN,
    STEP_AWAIT_DOWN,
    STEP_FORCE, /* Stop's last resort; a guest that went down by itself skips it */
    STEP_DESTROY,
    STEP_ASK_REBOOT,
    STEP_AWAIT_REBOOT,
    STEP_RESET,
    STEP_SAVE,
    STEP_CREATE_SNAPSHOT,
    STEP_REVERT_SNAPSHOT,
    STEP_DELETE_SNAPSHOT,
    STEP_MIGRATE,
    _STEP_MAX,
} Step;

#define PLAN_MAX 8

typedef struct {
    bool allowed;
    Step steps[PLAN_MAX]; /* ends with STEP_DONE */
} Plan;

/* A step: the call that it makes, if any, and how the plan goes on with it. */
typedef struct {
    bool calls;
    bool asks; /* its call asks the guest: the next step waits for the guest, none for the call */
    bool prepares; /* comes before or with asking the guest: a Stop that forces can do without it */
    bool lasts;    /* its call is a long one, whose outcome the refreshed domain does not tell */
    bool aborts;   /* its call is a long one that the hypervisor can give up */
    DomainVerb verb;
} StepTraits;

extern const StepTraits operation_steps[_STEP_MAX];

/* The plan of `kind` for a domain in this state. Never NULL. */
const Plan *operation_plan(OperationKind kind, const Observation *seen);
/* Start, where somebody else is starting the domain. */
extern const Plan operation_plan_join_start;
/* Stop with force, where the guest has shut down and restarts. */
extern const Plan operation_plan_end_restarted;

/* NULL, or why `spec` cannot be done to a domain in this state (InvalidState). */
Error *operation_check(const OperationSpec *spec, DomainState state, bool persistent,
                       const char *domain_name);
