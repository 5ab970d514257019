/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation.h"

#include "operation-plan.h"

#define MSEC UINT64_C(1000)
#define SEC  (1000 * MSEC)

/* A guest just woken may miss a request that is sent within its first second. */
#define WAKE_SETTLE     (1500 * MSEC)
/* The work is done; how long its last look at the domain may hold up the answer. */
#define LAST_LOOK_LIMIT (5 * SEC)
/* An operation does not wait for a hypervisor that stays away longer than this. */
#define AWAY_LIMIT      (600 * SEC)
/* A call that cannot be sent, time after time, although there is a connection. */
#define UNSENT_MAX      10
/* How often to see whether a long call goes on without us. */
#define PROBE_INTERVAL  (500 * MSEC)

#define MAY_HAVE "it may have been carried out"

static const char *const result_names[_RESULT_MAX] = {
    [RESULT_DONE] = "done",
    [RESULT_FAILED] = "failed",
    [RESULT_TIMEOUT] = "timeout",
    [RESULT_CANCELED] = "canceled",
};

struct Operation {
    OperationSpec spec;
    char *domain_name;
    const OperationEffects *effects;
    void *userdata;

    const Step *step; /* into a plan; NULL once it is finished */
    uint64_t started;
    uint64_t deadline;
    uint64_t look_limit; /* until then the deadline waits for a look */
    uint64_t until;      /* the end of a pause between steps, or of the last look */
    uint64_t armed;

    bool connected;
    uint64_t away_since;

    Observation seen;
    int first_id;
    bool looked_at; /* since it began: what was seen before then may have been out of date */
    bool rebooted;

    unsigned last_serial;
    unsigned call;  /* serial of the step's call under way; 0: none */
    unsigned ask;   /* serial of the request under way that nothing waits for; 0: none */
    unsigned probe; /* serial of the question what became of a long call; 0: none */
    bool watching;  /* a long call goes on without us: probe again at `until` */
    bool aborted;   /* the hypervisor agreed to give the long call up */
    bool reached;   /* some call that is over may have reached the hypervisor */
    bool acted; /* some call did something, or may have; or nothing but waiting was to be done */
    unsigned unsent;
    bool recall;  /* the step's call is to be made once we have looked */
    bool reask;   /* likewise the request */
    bool looking; /* nothing goes on before the domain was looked at */
    bool probed;  /* a probe has told that the long call was not carried out */
    bool overtaken;

    Error *failure; /* what a look is to decide about, and is the answer if it was no success */
    bool lost;      /* the failure leaves open whether the call was carried out */
};

static void advance(Operation *op, uint64_t now);

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
    op->until = UINT64_MAX;
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

static uint64_t
saturating_add(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* Up again: it was down in between, seen or not. */
static bool
is_another_life(const Operation *op)
{
    return op->looked_at && !op->seen.gone && op->first_id >= 0 && op->seen.id >= 0 &&
           op->seen.id != op->first_id;
}

static bool
is_down(const Operation *op)
{
    return op->seen.gone || domain_state_is_down(op->seen.state) || is_another_life(op);
}

static bool
is_active(const Operation *op)
{
    return !op->seen.gone && op->seen.id >= 0;
}

static bool
forces(const Operation *op)
{
    return op->spec.kind == OPERATION_STOP && op->spec.force;
}

/* Still before the guest is down, in a plan that asks it to go down. */
static bool
waits_for_guest(const Operation *op)
{
    for (const Step *step = op->step; step && *step != STEP_DONE; step++)
        if (*step == STEP_AWAIT_DOWN || *step == STEP_AWAIT_REBOOT || *step == STEP_AWAIT_AWAKE)
            return true;
    return false;
}

/* A step that is but the way to asking the guest, in Stop and Reboot. */
static bool
is_preparation(const Operation *op)
{
    if (!operation_steps[*op->step].prepares)
        return false;
    for (const Step *step = op->step; *step != STEP_DONE; step++)
        if (*step == STEP_AWAIT_DOWN || *step == STEP_AWAIT_REBOOT)
            return true;
    return false;
}

/* Whether what the domain has come to can be called this operation's doing. */
static bool
has_acted(const Operation *op)
{
    return op->acted || op->call || op->ask;
}

/* Stop's and Reboot's time is for the guest to go down in; what comes after that takes its own. */
static bool
deadline_applies(const Operation *op)
{
    bool bounds_all = op->spec.timeout_given && op->spec.kind != OPERATION_STOP &&
                      op->spec.kind != OPERATION_REBOOT;

    return *op->step != STEP_DONE && (bounds_all || waits_for_guest(op));
}

/*
 * What a new connection has listed says that it went down, or is in another life by now: before
 * that one is forced, the look comes first.
 */
static uint64_t
deadline_of(const Operation *op)
{
    return op->looking && is_down(op) ? MAX(op->deadline, op->look_limit) : op->deadline;
}

static uint64_t
next_event(const Operation *op)
{
    if (!op->step)
        return UINT64_MAX;
    if (!op->connected)
        return saturating_add(op->away_since, AWAY_LIMIT);

    bool pauses =
        op->watching || *op->step == STEP_DONE || (*op->step == STEP_SETTLE && !op->looking);
    uint64_t when = deadline_applies(op) ? deadline_of(op) : UINT64_MAX;
    return pauses ? MIN(when, op->until) : when;
}

static void
arm(Operation *op)
{
    uint64_t when = next_event(op);

    if (when == op->armed)
        return;
    op->armed = when;
    op->effects->arm(op->userdata, when);
}

static void
finish(Operation *op, OperationResult result, const Error *error)
{
    g_autoptr(Error) copy = error_copy(error);

    op->step = NULL;
    arm(op);
    op->effects->finished(op->userdata, result, copy);
}

static void
finish_canceled(Operation *op, const char *why)
{
    g_autoptr(Error) error =
        error_new(ERROR_CANCELED, "%s of \"%s\" was canceled: %s%s", operation_name(op->spec.kind),
                  op->domain_name, why, op->lost ? "; " MAY_HAVE : "");

    finish(op, RESULT_CANCELED, error);
}

static void
finish_failed(Operation *op)
{
    g_autoptr(Error) error =
        op->lost ? error_append(op->failure, MAY_HAVE) : error_copy(op->failure);

    if (op->overtaken && op->lost)
        finish_canceled(op, "ForceStop overtook it");
    else
        finish(op, RESULT_FAILED, error);
}

/* The domain came to be so without us. */
static void
finish_not_possible(Operation *op)
{
    const char *state = op->seen.gone ? "gone" : domain_state_name(op->seen.state);
    g_autoptr(Error) error =
        error_new(ERROR_INVALID_STATE, "%s is not possible any more: \"%s\" is %s",
                  operation_name(op->spec.kind), op->domain_name, state);

    finish(op, RESULT_FAILED, error);
}

static void
finish_timeout(Operation *op)
{
    const char *name = operation_name(op->spec.kind);
    g_autoptr(Error) error = NULL;

    if (op->spec.kind == OPERATION_REBOOT && *op->step == STEP_AWAIT_REBOOT)
        error = error_new(ERROR_TIMEOUT,
                          "Reboot: the guest of \"%s\" did not restart in time; nothing was "
                          "forced, and if it obeys later it restarts then",
                          op->domain_name);
    else if (op->spec.kind == OPERATION_REBOOT)
        error = error_new(ERROR_TIMEOUT,
                          "Reboot: the guest of \"%s\" did not shut down in time; nothing was "
                          "forced, and if it obeys later it stays off",
                          op->domain_name);
    else if (op->spec.kind == OPERATION_STOP)
        error = error_new(ERROR_TIMEOUT,
                          "Stop: the guest of \"%s\" did not shut down in time; nothing was forced",
                          op->domain_name);
    else
        error =
            error_new(ERROR_TIMEOUT, "%s of \"%s\" was not done in time%s", name, op->domain_name,
                      op->call || op->lost ? "; it may still be carried out" : "");
    finish(op, RESULT_TIMEOUT, error);
}

static void
look(Operation *op)
{
    op->looking = true;
    op->effects->refresh(op->userdata);
}

static void
remember_failure(Operation *op, const Error *error, bool lost)
{
    error_free(op->failure);
    op->failure =
        error ? error_copy(error)
              : error_new(ERROR_OPERATION_FAILED,
                          lost ? "The connection to libvirt was lost" : "libvirt gave no reason");
    op->lost = lost;
}

static void
forget_failure(Operation *op)
{
    g_clear_pointer(&op->failure, error_free);
    op->lost = false;
}

static DomainVerb
verb_of(const Operation *op, Step step)
{
    if (step == STEP_CREATE && op->spec.paused)
        return VERB_CREATE_PAUSED;
    return operation_steps[step].verb;
}

static void
make_call(Operation *op)
{
    unsigned serial = ++op->last_serial;

    op->recall = false;
    op->call = serial;
    op->effects->call(op->userdata, verb_of(op, *op->step), serial);
}

static void
ask_guest(Operation *op, Step step)
{
    unsigned serial = ++op->last_serial;

    op->reask = false;
    op->ask = serial;
    op->rebooted = false;
    op->effects->call(op->userdata, operation_steps[step].verb, serial);
}

/* What the step has to bring about, so that a look can tell whether a lost call did it. */
/* Waking is all that is left to do: then the guest has to run, not only to be no longer asleep. */
static bool
only_wakes(const Operation *op)
{
    const Step *step = op->step;

    while (*step == STEP_WAKEUP || *step == STEP_AWAIT_AWAKE)
        step++;
    return *step == STEP_DONE;
}

static bool
goal_is_reached(const Operation *op)
{
    switch (*op->step) {
    case STEP_CREATE:
        return is_active(op) && !op->seen.starting_up;
    case STEP_RESUME:
        return is_active(op) && (op->seen.state == DOMAIN_RUNNING || op->seen.state == DOMAIN_IDLE);
    case STEP_WAKEUP:
    case STEP_AWAIT_AWAKE:
        return is_active(op) && op->seen.state != DOMAIN_PMSUSPENDED &&
               op->seen.state != DOMAIN_CRASHED &&
               !(op->seen.state == DOMAIN_PAUSED && only_wakes(op));
    case STEP_SUSPEND:
        return op->seen.state == DOMAIN_PAUSED;
    case STEP_AWAIT_DOWN:
    case STEP_FORCE:
    case STEP_DESTROY:
        return is_down(op);
    case STEP_AWAIT_REBOOT:
        return op->rebooted;
    default:
        return false;
    }
}

static bool
plan_awaits_down(const Operation *op)
{
    const Step *step = op->step;

    while (*step != STEP_DONE && *step != STEP_AWAIT_DOWN)
        step++;
    return *step == STEP_AWAIT_DOWN;
}

static void
skip_to(Operation *op, Step step)
{
    while (*op->step != step && *op->step != STEP_DONE)
        op->step++;
}

/* The guest can be asked no longer: a Stop that forces waits out its time, then forces. */
static void
go_on_without_asking(Operation *op, uint64_t now)
{
    forget_failure(op);
    op->acted = true;
    skip_to(op, STEP_AWAIT_DOWN);
    advance(op, now);
}

static void
begin_step(Operation *op, uint64_t now)
{
    Step step = *op->step;

    if (!op->connected) {
        op->recall = true;
        look(op);
        return;
    }
    if (!operation_steps[step].asks) {
        make_call(op);
        return;
    }
    op->step++;
    ask_guest(op, step);
    if (op->step && !op->failure)
        advance(op, now);
}

/* The work is done. The answer waits for what it changed to be known and signalled. */
static void
begin_last_look(Operation *op, uint64_t now)
{
    op->until = saturating_add(now, LAST_LOOK_LIMIT);
    look(op);
}

/* Crashed on the way down. */
static void
handle_crash(Operation *op, uint64_t now)
{
    if (forces(op)) {
        skip_to(op, STEP_FORCE);
        advance(op, now);
        return;
    }
    g_autoptr(Error) error =
        error_new(ERROR_INVALID_STATE, "%s of \"%s\" cannot go on: it has crashed",
                  operation_name(op->spec.kind), op->domain_name);
    finish(op, RESULT_FAILED, error);
}

/* The guest is down: what would ask or force it is not needed. */
static void
go_on_when_down(Operation *op, uint64_t now)
{
    if (!has_acted(op)) {
        finish_not_possible(op);
        return;
    }
    op->reask = false;
    skip_to(op, STEP_AWAIT_DOWN);
    op->step++;
    if (*op->step == STEP_FORCE)
        op->step++;
    advance(op, now);
}

static void
await(Operation *op, uint64_t now)
{
    /* What is known may be of before it began: an earlier life, even. */
    if (!op->looked_at && !(*op->step == STEP_AWAIT_REBOOT && op->rebooted))
        return;
    if (is_down(op) && plan_awaits_down(op)) {
        go_on_when_down(op, now);
    } else if (goal_is_reached(op)) {
        op->step++;
        advance(op, now);
    } else if (op->seen.state == DOMAIN_CRASHED) {
        handle_crash(op, now);
    } else if (is_down(op) || (*op->step == STEP_AWAIT_AWAKE && op->seen.state == DOMAIN_PAUSED)) {
        g_autoptr(Error) error =
            error_new(ERROR_OPERATION_FAILED, "%s of \"%s\" cannot go on: it %s",
                      operation_name(op->spec.kind), op->domain_name,
                      is_down(op) ? "went down" : "is paused");
        finish(op, RESULT_FAILED, error);
    }
}

/* Begin the step that stands next. Does not come back to a step that has begun. */
static void
advance(Operation *op, uint64_t now)
{
    op->until = UINT64_MAX;
    switch (*op->step) {
    case STEP_DONE:
        begin_last_look(op, now);
        break;
    case STEP_SETTLE:
        op->until = saturating_add(now, WAKE_SETTLE);
        break;
    case STEP_AWAIT_AWAKE:
    case STEP_AWAIT_DOWN:
    case STEP_AWAIT_REBOOT:
        await(op, now);
        break;
    case STEP_CREATE:
        if (!op->acted || !is_another_life(op)) {
            begin_step(op, now);
            break;
        }
        /* Somebody was faster: it is up again. */
        op->step++;
        begin_last_look(op, now);
        break;
    default:
        begin_step(op, now);
    }
}

void
operation_begin(Operation *op, uint64_t now, DomainState state, int id, bool persistent)
{
    op->step = operation_plan(op->spec.kind, state, persistent)->steps;
    op->started = now;
    op->deadline = saturating_add(now, op->spec.timeout);
    op->connected = true;
    op->seen = (Observation){.state = state, .id = id};
    op->first_id = id;
    op->acted = *op->step == STEP_AWAIT_DOWN;
    advance(op, now);
    if (op->step && waits_for_guest(op))
        op->effects->refresh(op->userdata);
    if (op->step)
        arm(op);
}

/* The request to the guest failed or was lost. */
static void
decide_about_asking(Operation *op, uint64_t now)
{
    if (op->lost || (is_down(op) && op->acted)) {
        forget_failure(op);
        await(op, now);
    } else if (forces(op) && !is_down(op)) {
        forget_failure(op);
        op->acted = true;
        await(op, now);
    } else {
        finish_failed(op);
    }
}

/* --- long calls ---------------------------------------------------------------------------- */

static void
probe(Operation *op)
{
    op->watching = op->probed = false;
    op->probe = ++op->last_serial;
    op->effects->probe(op->userdata, op->probe);
}

/* The long call is over, and was not carried out or may have been. */
static void
finish_long_call(Operation *op)
{
    if (op->aborted) {
        op->lost = false;
        finish_canceled(op, "as was asked for");
    } else if (op->failure->kind == ERROR_CANCELED && !op->lost) {
        finish(op, RESULT_CANCELED, op->failure); /* by somebody else */
    } else {
        finish_failed(op);
    }
}

static void
decide_about_long_call(Operation *op)
{
    if (op->lost && !op->probed)
        probe(op);
    else
        finish_long_call(op);
}

void
operation_probed(Operation *op, uint64_t now, unsigned serial, ProbeAnswer answer)
{
    if (!op->step || serial == 0 || serial != op->probe)
        return;
    op->probe = 0;
    switch (answer) {
    case PROBE_CARRIED_OUT:
        forget_failure(op);
        op->step++;
        advance(op, now);
        break;
    case PROBE_NOT_CARRIED_OUT:
        /* What it left behind is seen before the answer. */
        op->probed = true;
        look(op);
        break;
    case PROBE_UNDER_WAY:
    case PROBE_UNANSWERED:
        op->watching = true;
        op->until = saturating_add(now, PROBE_INTERVAL);
        break;
    }
    if (op->step)
        arm(op);
}

void
operation_aborted(Operation *op)
{
    op->aborted = true;
}

/* --- looks --------------------------------------------------------------------------------- */

/* A look after a failed or lost call has come: is it as it was to be, all the same? */
static void
decide_by_look(Operation *op, uint64_t now)
{
    if (*op->step == STEP_AWAIT_DOWN) {
        decide_about_asking(op, now);
        return;
    }
    if (operation_steps[*op->step].lasts) {
        decide_about_long_call(op);
        return;
    }

    bool however = op->lost || is_preparation(op) || (*op->step == STEP_FORCE && has_acted(op)) ||
                   (*op->step == STEP_CREATE && is_another_life(op));
    if (however && goal_is_reached(op)) {
        forget_failure(op);
        op->step++;
        advance(op, now);
    } else if (forces(op) && operation_steps[*op->step].prepares && (op->acted || !is_down(op))) {
        go_on_without_asking(op, now);
    } else {
        finish_failed(op);
    }
}

/* The step's call was never sent; the domain is now known as it is. */
static void
call_again(Operation *op, uint64_t now)
{
    op->recall = false;
    if (is_down(op) && plan_awaits_down(op)) {
        go_on_when_down(op, now);
    } else if (*op->step == STEP_FORCE && is_down(op) && !has_acted(op)) {
        finish_not_possible(op);
    } else if (*op->step == STEP_FORCE && is_down(op)) {
        op->step++;
        advance(op, now);
    } else {
        advance(op, now);
    }
}

static void
looked(Operation *op, uint64_t now)
{
    op->looking = false;
    if (*op->step == STEP_DONE)
        finish(op, RESULT_DONE, NULL);
    else if (op->failure)
        decide_by_look(op, now);
    else if (op->recall)
        call_again(op, now);
    else if (op->reask && *op->step == STEP_AWAIT_DOWN && !is_down(op))
        ask_guest(op, STEP_ASK_SHUTDOWN);
    else if (op->reask && *op->step == STEP_AWAIT_REBOOT && !is_down(op))
        ask_guest(op, STEP_ASK_REBOOT);
    else if (!op->call)
        await(op, now);
}

static bool
is_awaiting(const Operation *op)
{
    return !op->looking && !op->call && !op->failure && !op->recall &&
           (*op->step == STEP_AWAIT_DOWN || *op->step == STEP_AWAIT_AWAKE ||
            *op->step == STEP_AWAIT_REBOOT || *op->step == STEP_SETTLE);
}

void
operation_observe(Operation *op, uint64_t now, const Observation *seen)
{
    if (!op->step)
        return;
    op->seen = *seen;
    if (seen->fresh && !op->looked_at) {
        op->looked_at = true;
        if (op->first_id >= 0)
            op->first_id = seen->id;
    }
    if (op->looking && seen->fresh && op->connected)
        looked(op, now);
    else if (is_awaiting(op))
        await(op, now);
    if (op->step)
        arm(op);
}

void
operation_event(Operation *op, uint64_t now, OperationEvent event)
{
    if (!op->step)
        return;
    if (event == OPERATION_EVENT_REBOOTED)
        op->rebooted = true;
    if (is_awaiting(op))
        await(op, now);
    if (op->step)
        arm(op);
}

static void
note_outcome(Operation *op, CallOutcome outcome)
{
    if (outcome != OUTCOME_UNSENT)
        op->reached = true;
    if (outcome == OUTCOME_OK || outcome == OUTCOME_LOST)
        op->acted = true;
}

/* False if it was tried often enough: then it is over. */
static bool
may_send_again(Operation *op, const Error *error)
{
    if (++op->unsent < UNSENT_MAX)
        return true;
    if (op->reached) {
        remember_failure(op, error, false);
        finish_failed(op);
        return false;
    }

    g_autoptr(Error) unavailable =
        error && error->kind == ERROR_NOT_AVAILABLE
            ? error_copy(error)
            : error_not_available(error ? error->message : "the call could not be sent");
    finish(op, RESULT_FAILED, unavailable);
    return false;
}

/* Whether the guest restarted, no look can tell: only an event, which may pass by unseen now. */
static void
miss_reboot(Operation *op)
{
    remember_failure(op, NULL, true);
    look(op);
}

static void
ask_done(Operation *op, uint64_t now, CallOutcome outcome, const Error *error)
{
    op->ask = 0;
    if (*op->step != STEP_AWAIT_DOWN && *op->step != STEP_AWAIT_REBOOT)
        return;
    switch (outcome) {
    case OUTCOME_OK:
        if (*op->step == STEP_AWAIT_REBOOT && op->spec.reboot_in_call)
            operation_event(op, now, OPERATION_EVENT_REBOOTED);
        else if (*op->step == STEP_AWAIT_REBOOT && !op->connected)
            miss_reboot(op);
        break;
    case OUTCOME_UNSENT:
        if (!may_send_again(op, error))
            break;
        op->reask = true;
        look(op);
        break;
    case OUTCOME_LOST:
    case OUTCOME_FAILED:
        remember_failure(op, error, outcome == OUTCOME_LOST);
        look(op);
        break;
    }
}

static void
overtaken_call_done(Operation *op, CallOutcome outcome, const Error *error)
{
    if (outcome != OUTCOME_FAILED) {
        op->lost = outcome == OUTCOME_LOST;
        finish_canceled(op, "ForceStop overtook it");
        return;
    }
    remember_failure(op, error, false);
    finish_failed(op);
}

static void
step_call_done(Operation *op, uint64_t now, CallOutcome outcome, const Error *error)
{
    op->call = 0;
    if (op->overtaken) {
        overtaken_call_done(op, outcome, error);
        return;
    }
    switch (outcome) {
    case OUTCOME_OK:
        op->step++;
        advance(op, now);
        break;
    case OUTCOME_UNSENT:
        if (!may_send_again(op, error))
            break;
        op->recall = true;
        look(op);
        break;
    case OUTCOME_LOST:
    case OUTCOME_FAILED:
        remember_failure(op, error, outcome == OUTCOME_LOST);
        look(op);
        break;
    }
}

void
operation_call_done(Operation *op, uint64_t now, unsigned serial, CallOutcome outcome,
                    const Error *error)
{
    if (!op->step || serial == 0)
        return;
    if (serial == op->ask || serial == op->call)
        note_outcome(op, outcome);
    if (serial == op->ask)
        ask_done(op, now, outcome, error);
    else if (serial == op->call)
        step_call_done(op, now, outcome, error);
    if (op->step)
        arm(op);
}

static void
handle_deadline(Operation *op, uint64_t now)
{
    if (op->overtaken) {
        op->lost = true;
        finish_canceled(op, "ForceStop overtook it");
        return;
    }
    if (forces(op)) {
        /* A hanging call that was to prepare holds up nothing. */
        if (op->call)
            op->ask = op->call;
        op->call = 0;
        op->looking = op->recall = op->reask = false;
        forget_failure(op);
        skip_to(op, STEP_FORCE);
        advance(op, now);
        return;
    }
    finish_timeout(op);
}

static void
handle_away_limit(Operation *op)
{
    if (*op->step == STEP_DONE) {
        finish(op, RESULT_DONE, NULL);
        return;
    }
    if (!op->reached && !op->call && !op->ask) {
        g_autoptr(Error) error = error_not_available("libvirt has been away for too long");
        finish(op, RESULT_FAILED, error);
        return;
    }
    if (!op->failure)
        op->failure = error_new(ERROR_OPERATION_FAILED,
                                "libvirt has been away for too long to finish %s of \"%s\"",
                                operation_name(op->spec.kind), op->domain_name);
    op->lost = true;
    finish_failed(op);
}

void
operation_elapsed(Operation *op, uint64_t now)
{
    if (!op->step)
        return;
    op->armed = UINT64_MAX;
    if (!op->connected) {
        if (now >= saturating_add(op->away_since, AWAY_LIMIT))
            handle_away_limit(op);
    } else if (*op->step == STEP_DONE && op->until <= now) {
        finish(op, RESULT_DONE, NULL);
    } else if (deadline_applies(op) && deadline_of(op) <= now) {
        handle_deadline(op, now);
    } else if (op->watching && op->until <= now) {
        probe(op);
    } else if (*op->step == STEP_SETTLE && op->until <= now && !op->looking) {
        op->step++;
        advance(op, now);
    }
    if (op->step)
        arm(op);
}

/* Events are missed from now on: nothing goes on before the domain was looked at again. */
static void
disconnected(Operation *op, uint64_t now)
{
    op->away_since = now;
    op->seen.fresh = false;
    /* What is not answered yet is asked again. */
    op->probe = 0;
    op->watching = false;
    /* A request that is under way ends by itself, and so tells more than this. */
    if (*op->step == STEP_AWAIT_REBOOT && !op->failure && !op->ask && !op->reask)
        miss_reboot(op);
    else
        look(op);
}

static void
reconnected(Operation *op, uint64_t now)
{
    uint64_t limit = saturating_add(now, LAST_LOOK_LIMIT);

    if (*op->step == STEP_DONE)
        op->until = limit;
    /* What became of it is for the look to say, not for the time that passed meanwhile. */
    op->look_limit = limit;
    if (!forces(op))
        op->deadline = MAX(op->deadline, limit);
    if (op->looking && op->seen.fresh)
        looked(op, now);
    else if (op->recall && *op->step == STEP_FORCE && !is_down(op))
        make_call(op); /* forcing waits for nothing, not for a look either */
}

void
operation_connection(Operation *op, uint64_t now, bool connected)
{
    if (!op->step || op->connected == connected)
        return;
    op->connected = connected;
    if (connected)
        reconnected(op, now);
    else
        disconnected(op, now);
    if (op->step)
        arm(op);
}

/* A long call, as far as we know, that libvirt can be asked to give up, or once it is back. */
static bool
can_abort(const Operation *op)
{
    return op->step && operation_steps[*op->step].aborts && !op->overtaken &&
           (op->call || op->lost);
}

Error *
operation_cancel(Operation *op, uint64_t now)
{
    if (can_abort(op)) {
        if (op->effects->abort(op->userdata)) {
            op->call = 0;
            finish_canceled(op, "as was asked for");
        }
        return NULL;
    }

    bool can_stop =
        op->step && *op->step != STEP_DONE && !op->overtaken && (!op->call || is_preparation(op));

    if (!can_stop)
        return error_new(ERROR_INVALID_STATE, "%s of \"%s\" can no longer be canceled",
                         operation_name(op->spec.kind), op->domain_name);
    finish_canceled(op, "as was asked for");
    return NULL;
}

void
operation_abort(Operation *op, const char *why)
{
    if (!op->step)
        return;
    if (*op->step == STEP_DONE) {
        finish(op, RESULT_DONE, NULL);
        return;
    }
    op->lost |= op->call != 0;
    finish_canceled(op, why);
}

void
operation_overtake(Operation *op, uint64_t now)
{
    if (!op->step)
        return;
    op->overtaken = true;
    if (*op->step == STEP_DONE)
        finish(op, RESULT_DONE, NULL);
    else if (!op->call || is_preparation(op))
        finish_canceled(op, "ForceStop overtook it");
}
