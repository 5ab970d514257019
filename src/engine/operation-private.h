/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The parts that the files of an operation share: its phases and its state. Each file uses those
 * above it:
 *
 *   operation-facts.c    what is known: of the domain, and of the rest of the plan
 *   operation-end.c      how it ends: the result and its words
 *   operation-phase.c    entering a phase; beginning the plan's next step; waiting
 *   operation-request.c  what becomes of a request to the guest, and asking once more
 *   operation-decide.c   what follows once the domain was refreshed
 *   operation.c          what comes in from outside: results, news, time, cancelling
 */

#include "operation-plan.h"
#include "operation.h"

/*
 * Where an operation stands. operation_enter() is the only way from one phase to another.
 *
 *   step begins -> CALLING -> ok: next step      or -> WAITING -> reached: next step
 *                  CALLING -> UNSENT  -> refreshed: the call is made again
 *                  CALLING -> REFUSED -> refreshed: next step, or the end; or it is refreshed again
 *                  CALLING -> LOST    -> refreshed: next step, or the end
 *   a long call:   LOST -> PROBING -> next step
 *                          PROBING <-> WATCHING
 *                          PROBING -> CONCLUDING -> refreshed: the end
 *   followed: WATCHING
 *   last step done -> ANSWERING -> refreshed: the end
 */
typedef enum {
    PHASE_OVER,       /* it has ended, or was not begun */
    PHASE_CALLING,    /* the step's call is under way */
    PHASE_OVERTAKEN,  /* likewise, but ForceStop has taken over: the call's end is the end */
    PHASE_WAITING,    /* for the guest to do something, or for time to pass */
    PHASE_UNSENT,     /* the call or request never left: made once the domain was refreshed */
    PHASE_REFUSED,    /* it failed: the refreshed domain may be in the goal state nevertheless */
    PHASE_LOST,       /* nobody knows whether it was carried out: the refreshed domain tells */
    PHASE_PROBING,    /* the hypervisor is asked for the outcome of a lost long call */
    PHASE_WATCHING,   /* that one goes on without us: probed again later */
    PHASE_CONCLUDING, /* it was not carried out, as far as known: refreshed before that is said */
    PHASE_ANSWERING,  /* the work is done: refreshed before that is said */
} Phase;

/* Whether what is seen of the domain counts. */
typedef enum {
    LINK_DOWN,  /* not connected: nothing is called */
    LINK_STALE, /* events may have been missed: nothing counts before the domain was refreshed */
    LINK_FRESH,
} Link;

/* Results of the calls that have ended. */
typedef enum {
    IMPACT_NONE, /* none has reached the hypervisor */
    IMPACT_REFUSED,
    IMPACT_ACTED, /* or may have */
} Impact;

/* Calls for which nothing waits. */
typedef enum {
    SIDE_CALL_AGENT,       /* the guest is asked through its agent, which may hang */
    SIDE_CALL_ACPI,        /* the guest is asked by ACPI */
    SIDE_CALL_PREPARATION, /* of a step before the guest is asked: it hung until time was up */
    _SIDE_CALL_MAX,
} SideCall;

/* How the guest was asked last. */
typedef enum {
    ASKED_NOT,
    ASKED_UNANSWERED, /* so far there is no answer: it is asked by ACPI next */
    ASKED_AND_AGREED, /* its agent has agreed */
    ASKED_ACPI,
} Asked;

#define RUN_UNKNOWN (-2)

struct Operation {
    OperationSpec spec;
    char *domain_name;
    const OperationEffects *effects;
    void *userdata;

    Phase phase;
    const Plan *plan;
    const Step *step; /* of the plan: the one under way */
    Error *failure;   /* from PHASE_REFUSED to PHASE_CONCLUDING: what the call ended with */

    unsigned last_serial;
    unsigned serial;                     /* of the call or probe that the phase waits for */
    unsigned side_calls[_SIDE_CALL_MAX]; /* likewise of those for which nothing waits; 0: none */
    unsigned unsent;                     /* how often a call could not be sent */
    Impact impact;
    bool given_up; /* the hypervisor has agreed to end the long call */
    bool forced;
    bool had_crashed; /* the guest, when the step's call was made */

    Asked asked;
    uint64_t asked_at;
    unsigned n_repeated; /* requests by ACPI after the first */

    Link link;
    Observation seen;
    bool began_active; /* as far as was known */
    int run;           /* the domain's id when first refreshed; -1: it was off; or RUN_UNKNOWN */

    uint64_t deadline;      /* until then the guest has time to do what is waited for */
    uint64_t refresh_limit; /* until then the deadline waits for a refresh */
    uint64_t until;         /* the end of a pause; UINT64_MAX: none */
    uint64_t ending_until;  /* until then libvirt has time to end the domain; 0: it is not ending */
    uint64_t disconnected_since;
    uint64_t armed;
};

/* --- facts -------------------------------------------------------------------------------- */

uint64_t operation_time_after(uint64_t now, uint64_t usec);

/* The domain runs, but was off at some time since it was first refreshed, whether that was seen or
 * not. */
bool operation_is_restarted(const Operation *op);
/* The domain is off now. */
bool operation_is_off(const Operation *op);
/* The domain is off now, or was off at some time since it was first refreshed. */
bool operation_is_down(const Operation *op);
bool operation_is_active(const Operation *op);
/* Whether what has become of the domain may be this operation's doing. */
bool operation_may_have_acted(const Operation *op);
/* The same, where only calls that have ended count. */
bool operation_has_acted(const Operation *op);
/* A call for which nothing waits is under way. */
bool operation_is_asking(const Operation *op);
bool operation_forces(const Operation *op);
/* The call under way forces off a guest that could have powered off by itself. */
bool operation_cuts_power(const Operation *op);
/* The goal of the step under way is reached. */
bool operation_is_goal_reached(const Operation *op);

/* The rest of the plan still has this step to come, or under way. */
bool operation_has_ahead(const Operation *op, Step step);
/* The rest of the plan waits for anything. */
bool operation_waits(const Operation *op);
/* The rest of the plan waits for the guest, which has a deadline. */
bool operation_awaits_guest(const Operation *op);
/* The step under way waits for what the guest does about a request. */
bool operation_awaits_answer(const Operation *op);
/* The step under way prepares asking the guest, in Stop and Reboot. */
bool operation_is_preparing(const Operation *op);
/* Nothing goes on before the domain was refreshed. */
bool operation_is_refreshing(const Operation *op);
/* The call that the phase is about may have been carried out. */
bool operation_is_lost(const Operation *op);

/* --- the end ------------------------------------------------------------------------------ */

void operation_finish(Operation *op, OperationResult result, const Error *error);
void operation_finish_canceled(Operation *op, const char *why, bool may_have);
/* The answer is `failure`. */
void operation_finish_failed(Operation *op, bool may_have);
/* The same where the domain has ended meanwhile: the answer says that, too. */
void operation_finish_failed_and_ended(Operation *op);
void operation_finish_timeout(Operation *op);
/* The domain has reached the goal without us. */
void operation_finish_not_possible(Operation *op);
/* In the state that the domain is in, it cannot do what is waited for. */
void operation_finish_stuck(Operation *op);
/* For a Stop without force: the guest has shut down, and restarted by its configuration. */
void operation_finish_restarted(Operation *op);
/* The work is done, and the domain was refreshed: the result is RESULT_DONE, or RESULT_FAILED if
 * the domain's state contradicts it. */
void operation_finish_refreshed(Operation *op);

/* --- phases ------------------------------------------------------------------------------- */

void operation_enter(Operation *op, uint64_t now, Phase phase);
/* The result of the call; `error` may be NULL. */
void operation_set_failure(Operation *op, const Error *error, const char *fallback);
void operation_enter_refused(Operation *op, uint64_t now, const Error *error);
void operation_enter_lost(Operation *op, uint64_t now, const Error *error);
/* Enter PHASE_UNSENT, or end where the call was tried often enough. */
void operation_enter_unsent(Operation *op, uint64_t now, const Error *error);
/* Begin the step under way, or make its call again. */
void operation_begin_step(Operation *op, uint64_t now);
void operation_next_step(Operation *op, uint64_t now);
/* Skip the steps before `step`. */
void operation_skip_to(Operation *op, uint64_t now, Step step);
/* In PHASE_WAITING: go on if what is waited for has come. */
void operation_await(Operation *op, uint64_t now);
/* Ask the guest, in the step that waits for its answer: first through its agent, if it has one. */
void operation_request(Operation *op, uint64_t now);
/* Go on where the guest has shut down and restarts by its configuration. */
void operation_go_on_when_restarted(Operation *op, uint64_t now);

/* --- requests to the guest ---------------------------------------------------------------- */

/* When the guest is to be asked once more, by ACPI; UINT64_MAX: not. */
uint64_t operation_next_request(const Operation *op);
void operation_request_done(Operation *op, uint64_t now, SideCall side_call, CallOutcome outcome,
                            const Error *error);

/* --- decisions ---------------------------------------------------------------------------- */

/* The domain was refreshed: go on where the phase has waited for that. */
void operation_refreshed(Operation *op, uint64_t now);
