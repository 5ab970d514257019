/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation-private.h"
#include "units.h"

/* An agent that has not answered by then may hang: the guest is asked by ACPI, too. */
#define AGENT_PATIENCE  (3 * SEC)
/* A guest that is starting up loses requests. */
#define STARTING_UP     (30 * SEC)
#define REPEAT_INTERVAL (5 * SEC)
#define REPEATED_MAX    20 /* for one that restarts again and again */

/* It may still lose what it is asked. */
static bool
was_starting_up(const Operation *op)
{
    return op->seen.booted_at > 0 &&
           op->asked_at < operation_time_after(op->seen.booted_at, STARTING_UP);
}

uint64_t
operation_next_request(const Operation *op)
{
    bool hears = op->phase == PHASE_WAITING && op->link == LINK_FRESH &&
                 operation_awaits_answer(op) &&
                 (op->seen.state == DOMAIN_RUNNING || op->seen.state == DOMAIN_IDLE);

    if (hears && op->asked == ASKED_UNANSWERED)
        return operation_time_after(op->asked_at, AGENT_PATIENCE);
    if (hears && op->asked == ASKED_ACPI && !op->side_calls[SIDE_CALL_ACPI] &&
        was_starting_up(op) && op->n_repeated < REPEATED_MAX)
        return operation_time_after(op->asked_at, REPEAT_INTERVAL);
    return UINT64_MAX;
}

static void
accepted(Operation *op, uint64_t now)
{
    if (*op->step != STEP_AWAIT_REBOOT)
        return;
    if (op->spec.reboot_in_call)
        operation_next_step(op, now);
    else if (op->link == LINK_DOWN && !operation_is_asking(op))
        operation_enter_lost(op, now, NULL); /* only an event tells, and may be missed now */
}

void
operation_request_done(Operation *op, uint64_t now, SideCall side_call, CallOutcome outcome,
                       const Error *error)
{
    bool by_agent = side_call == SIDE_CALL_AGENT;
    /* The result of this request matters less, since another one was made after it or before it. */
    bool is_minor =
        by_agent ? op->asked == ASKED_ACPI : op->n_repeated > 0 || op->side_calls[SIDE_CALL_AGENT];

    if (op->phase != PHASE_WAITING || !operation_awaits_answer(op))
        return;
    if (outcome == OUTCOME_OK) {
        if (by_agent && !is_minor)
            op->asked = ASKED_AND_AGREED;
        accepted(op, now);
    } else if (outcome == OUTCOME_LOST) {
        operation_enter_lost(op, now, error);
    } else if (outcome == OUTCOME_UNSENT && !is_minor) {
        op->asked = by_agent ? ASKED_NOT : ASKED_UNANSWERED;
        operation_enter_unsent(op, now, error);
    } else if (outcome == OUTCOME_UNSENT && !by_agent && op->n_repeated == 0) {
        op->asked = ASKED_UNANSWERED; /* the agent still hangs */
    } else if (is_minor) {
        return;
    } else if (by_agent && op->link != LINK_DOWN) {
        operation_request(op, now);
    } else {
        operation_enter_refused(op, now, error);
    }
}
