/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation-private.h"

#define MAY_HAVE "it may have been carried out"

void
operation_finish(Operation *op, OperationResult result, const Error *error)
{
    g_autoptr(Error) copy = error_copy(error);

    op->phase = PHASE_OVER;
    if (op->armed != UINT64_MAX) {
        op->armed = UINT64_MAX;
        op->effects->arm(op->userdata, UINT64_MAX);
    }
    op->effects->finished(op->userdata, result, copy, op->forced);
}

void
operation_finish_canceled(Operation *op, const char *why, bool may_have)
{
    g_autoptr(Error) error =
        error_new(ERROR_CANCELED, "%s of \"%s\" was canceled: %s%s", operation_name(op->spec.kind),
                  op->domain_name, why, may_have ? "; " MAY_HAVE : "");

    operation_finish(op, RESULT_CANCELED, error);
}

void
operation_finish_failed(Operation *op, bool may_have)
{
    g_autoptr(Error) error =
        may_have ? error_append(op->failure, MAY_HAVE) : error_copy(op->failure);

    operation_finish(op, RESULT_FAILED, error);
}

/* Such as "paused (io-error)". */
static char *
describe_state(const Operation *op)
{
    const char *state = op->seen.gone ? "gone" : domain_state_name(op->seen.state);

    return op->seen.reason && !op->seen.gone ? g_strdup_printf("%s (%s)", state, op->seen.reason)
                                             : g_strdup(state);
}

void
operation_finish_failed_and_ended(Operation *op)
{
    g_autofree char *state = describe_state(op);
    g_autofree char *ended = g_strdup_printf("\"%s\" is %s now", op->domain_name, state);
    g_autoptr(Error) error = error_append(op->failure, ended);

    operation_finish(op, RESULT_FAILED, error);
}

void
operation_finish_not_possible(Operation *op)
{
    g_autofree char *state = describe_state(op);
    g_autoptr(Error) error =
        error_new(ERROR_INVALID_STATE, "%s is not possible any more: \"%s\" is %s",
                  operation_name(op->spec.kind), op->domain_name, state);

    operation_finish(op, RESULT_FAILED, error);
}

void
operation_finish_stuck(Operation *op)
{
    bool has_crashed = !op->seen.gone && op->seen.state == DOMAIN_CRASHED;
    bool was_missed = operation_is_down(op) && !operation_is_off(op);
    g_autofree char *state = was_missed ? g_strdup("was restarted") : describe_state(op);
    g_autoptr(Error) error =
        error_new(has_crashed ? ERROR_INVALID_STATE : ERROR_OPERATION_FAILED,
                  "%s of \"%s\" cannot go on: it %s%s", operation_name(op->spec.kind),
                  op->domain_name, was_missed ? "" : "is ", state);

    operation_finish(op, RESULT_FAILED, error);
}

/* Whether the domain's state contradicts that the operation is done. */
static bool
differs_from_goal(const Operation *op)
{
    DomainState state = op->seen.state;
    bool has_ended = operation_is_off(op) || state == DOMAIN_CRASHED;
    bool is_halted = state == DOMAIN_PAUSED || state == DOMAIN_PMSUSPENDED;

    switch (op->spec.kind) {
    case OPERATION_START:
        return has_ended || (is_halted && !op->spec.paused && !op->seen.restored);
    case OPERATION_RESUME:
    case OPERATION_REBOOT:
    case OPERATION_RESET:
        return has_ended || is_halted;
    case OPERATION_PAUSE:
        return op->seen.gone || (state != DOMAIN_PAUSED && state != DOMAIN_NOSTATE);
    default:
        return false;
    }
}

void
operation_finish_refreshed(Operation *op)
{
    if (!differs_from_goal(op)) {
        operation_finish(op, RESULT_DONE, NULL);
        return;
    }

    g_autofree char *state = describe_state(op);
    g_autoptr(Error) error =
        error_new(ERROR_OPERATION_FAILED, "%s of \"%s\" was carried out, but now it is %s",
                  operation_name(op->spec.kind), op->domain_name, state);
    operation_finish(op, RESULT_FAILED, error);
}

void
operation_finish_restarted(Operation *op)
{
    g_autoptr(Error) error =
        error_new(ERROR_TIMEOUT,
                  "Stop: the guest of \"%s\" shut down and restarted, as its configuration "
                  "(on_poweroff) says; it can be stopped by force only, and nothing was forced",
                  op->domain_name);

    operation_finish(op, RESULT_TIMEOUT, error);
}

static Error *
timeout_error(const Operation *op)
{
    const char *name = op->domain_name;

    if (op->spec.kind == OPERATION_STOP)
        return error_new(ERROR_TIMEOUT,
                         "Stop: the guest of \"%s\" did not shut down in time; nothing was forced",
                         name);
    if (op->spec.kind == OPERATION_REBOOT &&
        (*op->step == STEP_AWAIT_REBOOT || op->seen.restarts_on_poweroff))
        return error_new(ERROR_TIMEOUT,
                         "Reboot: the guest of \"%s\" did not restart in time; nothing was forced, "
                         "and if it obeys later it restarts then",
                         name);
    if (op->spec.kind == OPERATION_REBOOT)
        return error_new(ERROR_TIMEOUT,
                         "Reboot: the guest of \"%s\" did not shut down in time; nothing was "
                         "forced, and if it obeys later it stays off",
                         name);
    return error_new(
        ERROR_TIMEOUT, "%s of \"%s\" was not done in time%s", operation_name(op->spec.kind), name,
        op->phase == PHASE_CALLING || operation_is_lost(op) ? "; it may still be carried out" : "");
}

void
operation_finish_timeout(Operation *op)
{
    g_autoptr(Error) error = timeout_error(op);

    operation_finish(op, RESULT_TIMEOUT, error);
}
