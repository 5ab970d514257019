/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "disk-operation.h"

#include "units.h"

#define MAY_HAVE        "it may have been carried out"
#define FIRST_POLL_USEC (200 * MSEC)
#define POLL_USEC       (500 * MSEC)
/* So many polls in a row have to miss the job before it counts as ended without an event: the event
 * may still be on its way. */
#define ABSENT_MAX      2
#define REFUSED_MAX     3
/* Capacities are rounded up to it. */
#define SECTOR_BYTES    512

typedef enum {
    PHASE_READING,    /* the layers that the disk has before */
    PHASE_STARTING,   /* not started, or the call to start it is under way */
    PHASE_RUNNING,    /* the block job */
    PHASE_CONCLUDING, /* it is over, and nobody saw how */
    PHASE_OVER,
} Phase;

struct DiskOperation {
    DiskOperationSpec *spec;
    char *what;
    const DiskOperationEffects *effects;
    void *userdata;

    Phase phase;
    bool connected;
    DiskCallKind under_way;
    BlockJobType type;
    DiskChain chain; /* before */
    uint64_t poll_at;

    bool ready;         /* all is copied: it can be ended */
    bool missed;        /* events, since the job was last seen */
    unsigned n_absent;  /* polls in a row that did not find it */
    DiskCallKind asked; /* the call that asked the job to end; while it is set, no other one does */
    /* The last such call that was lost: libvirt may yet carry it out, though polls find the job. */
    DiskCallKind asked_lost;
    unsigned n_refused;
    bool cancel;
    bool is_off;
    /* An event has told the end of a job, maybe of an earlier one than ours: a poll that was begun
     * after the event shows whose it was. */
    bool has_end;
    bool is_end_polled;
    BlockJobEvent end;
    Error *lost; /* the connection was lost during the call to start; NULL: it was not */
};

/* --- life --------------------------------------------------------------------------------- */

DiskOperation *
disk_operation_new(const DiskOperationSpec *spec, const char *what,
                   const DiskOperationEffects *effects, void *userdata)
{
    DiskOperation *op = g_new0(DiskOperation, 1);

    op->spec = disk_operation_spec_ref(spec);
    op->what = g_strdup(what);
    op->effects = effects;
    op->userdata = userdata;
    op->connected = true;
    return op;
}

void
disk_operation_free(DiskOperation *op)
{
    if (!op)
        return;
    disk_operation_spec_unref(op->spec);
    disk_chain_clear(&op->chain);
    error_free(op->lost);
    g_free(op->what);
    g_free(op);
}

const DiskOperationSpec *
disk_operation_spec(const DiskOperation *op)
{
    return op->spec;
}

static bool
is_resize(const DiskOperation *op)
{
    return op->spec && op->spec->kind == DISK_RESIZE;
}

/* --- the end ------------------------------------------------------------------------------ */

static void
finish(DiskOperation *op, OperationResult result, const Error *error)
{
    op->phase = PHASE_OVER;
    op->effects->arm(op->userdata, UINT64_MAX);
    op->effects->finished(op->userdata, result, error);
}

static void
finish_done(DiskOperation *op)
{
    finish(op, RESULT_DONE, NULL);
}

static void
finish_canceled(DiskOperation *op, const char *why)
{
    g_autoptr(Error) error = error_new(ERROR_CANCELED, "%s was canceled: %s", op->what, why);

    finish(op, RESULT_CANCELED, error);
}

static void
finish_failed(DiskOperation *op, const char *why)
{
    g_autoptr(Error) error = error_new(ERROR_OPERATION_FAILED, "%s failed: %s", op->what, why);

    finish(op, RESULT_FAILED, error);
}

static void
finish_refused(DiskOperation *op, const Error *error)
{
    finish(op, RESULT_FAILED, error);
}

static void
finish_occupied(DiskOperation *op)
{
    g_autoptr(Error) error = error_new(
        ERROR_BUSY, "%s is not possible: somebody else's job of this disk is under way", op->what);

    finish(op, RESULT_FAILED, error);
}

static void
finish_lost(DiskOperation *op)
{
    g_autoptr(Error) error = error_append(op->lost, MAY_HAVE);

    error->kind = ERROR_OPERATION_FAILED;
    finish(op, RESULT_FAILED, error);
}

/* Whether the hypervisor may have been asked to end the job in this way. */
static bool
may_have_asked(const DiskOperation *op, DiskCallKind end)
{
    return op->asked == end || op->asked_lost == end;
}

/* Told by an event. */
static void
finish_told(DiskOperation *op, BlockJobEvent end)
{
    if (end == BLOCK_JOB_FAILED)
        finish_failed(op, "QEMU gave the job up, and libvirt does not say why");
    else if (end == BLOCK_JOB_COMPLETED || may_have_asked(op, DISK_CALL_KEEP))
        finish_done(op);
    else if (op->cancel || may_have_asked(op, DISK_CALL_GIVE_UP))
        finish_canceled(op, "as was asked for");
    else
        finish_canceled(op, "somebody else ended it");
}

/* Whether the job keeps the file that is written to and takes away layers below it, so that only
 * the number of layers tells its outcome. */
static bool
only_layers_tell(const DiskOperation *op)
{
    return op->type != BLOCK_JOB_ACTIVE_COMMIT && op->type != BLOCK_JOB_COPY;
}

/* Whether an event has told the end of this job. If this job may not have begun, the event was
 * about an earlier one. */
static bool
is_told(const DiskOperation *op)
{
    return op->has_end && !op->lost;
}

/* Whether the disk has become what the job makes of it. */
static bool
has_changed(const DiskOperation *op, const DiskChain *now)
{
    if (!only_layers_tell(op))
        return g_strcmp0(op->chain.layers[0], now->layers[0]) != 0;
    return now->is_active && g_strv_length(now->layers) < g_strv_length(op->chain.layers);
}

static void
conclude(DiskOperation *op, const DiskChain *now)
{
    bool is_off = op->is_off || !now->is_active;
    /* All was copied when it was asked to end. */
    bool is_kept = may_have_asked(op, DISK_CALL_KEEP) && !is_off;

    if (has_changed(op, now) || is_kept)
        finish_done(op);
    else if (is_off && only_layers_tell(op))
        finish_failed(op, "the domain was turned off, and does not tell its layers; " MAY_HAVE);
    else if (may_have_asked(op, DISK_CALL_GIVE_UP))
        finish_canceled(op, "as was asked for");
    else if (is_off)
        finish_failed(op, "the domain was turned off before it was done");
    else if (op->lost)
        finish_lost(op);
    else
        finish_failed(op, "it ended unseen, and the disk is what it was before");
}

/* --- what comes next ---------------------------------------------------------------------- */

static void
call(DiskOperation *op, DiskCallKind kind)
{
    op->under_way = kind;
    op->effects->call(op->userdata, kind, op->type);
}

/* The next poll is due after the delay, or at once where only a poll tells what is the case. */
static void
plan_poll(DiskOperation *op, uint64_t now, uint64_t delay)
{
    bool is_in_doubt = op->missed || (op->has_end && !op->is_end_polled);

    op->poll_at = is_in_doubt ? now : now + delay;
}

/* How the job has to be asked to end now. */
static DiskCallKind
end_wanted(const DiskOperation *op)
{
    if (op->cancel)
        return DISK_CALL_GIVE_UP;
    if (!op->spec || !op->ready)
        return DISK_CALL_NONE;
    if (op->type == BLOCK_JOB_ACTIVE_COMMIT)
        return DISK_CALL_PIVOT;
    if (op->type == BLOCK_JOB_COPY)
        return op->spec->pivot ? DISK_CALL_PIVOT : DISK_CALL_KEEP;
    return DISK_CALL_NONE;
}

static void
follow(DiskOperation *op, uint64_t now)
{
    /* If it is in doubt whether the job is still there, a poll comes first. */
    bool may_end = op->asked == DISK_CALL_NONE && !op->missed && !op->has_end;
    DiskCallKind end = may_end ? end_wanted(op) : DISK_CALL_NONE;

    if (end != DISK_CALL_NONE) {
        op->asked = end;
        call(op, end);
    } else if (now >= op->poll_at) {
        op->is_end_polled = true;
        call(op, DISK_CALL_POLL);
    } else {
        op->effects->arm(op->userdata, op->poll_at);
    }
}

static void
go_on(DiskOperation *op, uint64_t now)
{
    if (op->under_way != DISK_CALL_NONE || !op->connected)
        return;
    switch (op->phase) {
    case PHASE_READING:
        call(op, DISK_CALL_READ_CHAIN);
        break;
    case PHASE_STARTING:
        call(op, is_resize(op) ? DISK_CALL_RESIZE : DISK_CALL_START);
        break;
    case PHASE_RUNNING:
        follow(op, now);
        break;
    case PHASE_CONCLUDING:
        call(op, is_resize(op) ? DISK_CALL_READ_CAPACITY : DISK_CALL_READ_CHAIN);
        break;
    case PHASE_OVER:
        break;
    }
}

/* --- calls -------------------------------------------------------------------------------- */

static BlockJobType
type_to_start(const DiskOperation *op)
{
    const char *top = op->spec->top;

    if (op->spec->kind == DISK_PULL)
        return BLOCK_JOB_PULL;
    if (op->spec->kind == DISK_COPY)
        return BLOCK_JOB_COPY;
    return !top || g_str_equal(top, op->chain.layers[0]) ? BLOCK_JOB_ACTIVE_COMMIT
                                                         : BLOCK_JOB_COMMIT;
}

static void
on_chain_read(DiskOperation *op, CallOutcome outcome, DiskAnswer *answer, const Error *error)
{
    bool before = op->phase == PHASE_READING;

    if (outcome == OUTCOME_FAILED) {
        finish_refused(op, error);
    } else if (outcome == OUTCOME_OK && !before) {
        conclude(op, &answer->chain);
    } else if (outcome == OUTCOME_OK && !*answer->chain.layers) {
        finish_failed(op, "there is no such disk, or nothing in it");
    } else if (outcome == OUTCOME_OK && answer->chain.has_job) {
        /* Only one job may work on a disk. If our call to start one got lost, the job that is there
         * could not be told from ours. */
        finish_occupied(op);
    } else if (outcome == OUTCOME_OK) {
        op->chain = answer->chain;
        answer->chain = (DiskChain){NULL};
        op->type = type_to_start(op);
        op->phase = PHASE_STARTING;
    }
}

static Error *
loss(const Error *error)
{
    return error ? error_copy(error) : error_new(ERROR_OPERATION_FAILED, "The connection was lost");
}

static void
on_started(DiskOperation *op, uint64_t now, CallOutcome outcome, const Error *error)
{
    if (outcome == OUTCOME_UNSENT) {
        op->has_end = false;
        return;
    }
    if (outcome == OUTCOME_FAILED) {
        finish_refused(op, error);
        return;
    }
    if (outcome == OUTCOME_LOST)
        op->lost = loss(error);
    op->missed = outcome == OUTCOME_LOST;
    op->phase = PHASE_RUNNING;
    plan_poll(op, now, FIRST_POLL_USEC);
}

static void
on_resized(DiskOperation *op, CallOutcome outcome, const Error *error)
{
    switch (outcome) {
    case OUTCOME_OK:
        finish_done(op);
        break;
    case OUTCOME_FAILED:
        finish_refused(op, error);
        break;
    case OUTCOME_LOST:
        op->lost = loss(error);
        op->phase = PHASE_CONCLUDING;
        break;
    case OUTCOME_UNSENT:
        break;
    }
}

static void
on_capacity_read(DiskOperation *op, CallOutcome outcome, const DiskAnswer *answer)
{
    uint64_t bytes = op->spec->bytes;

    if (outcome == OUTCOME_OK && answer->capacity >= bytes &&
        answer->capacity - bytes < SECTOR_BYTES)
        finish_done(op);
    else if (outcome == OUTCOME_OK || outcome == OUTCOME_FAILED)
        finish_lost(op);
}

static void
on_present(DiskOperation *op, const BlockJobInfo *info)
{
    bool can_be_ready = op->type == BLOCK_JOB_ACTIVE_COMMIT || op->type == BLOCK_JOB_COPY;

    /* The job is there: its end was not missed, and it may be asked to end again. */
    if (op->missed) {
        op->missed = false;
        op->asked = DISK_CALL_NONE;
        g_clear_pointer(&op->lost, error_free);
    }
    op->has_end &= !op->is_end_polled;
    op->n_absent = 0;
    /* A guest that writes all the time keeps a job that is ready from looking so. */
    op->ready |= can_be_ready && info->ready;
    if (info->progress >= 0)
        op->effects->progressed(op->userdata, info->progress);
}

/* A domain that is off has no job, nor has a disk that is not there. */
static bool
tells_absence(const Error *error)
{
    return error->kind == ERROR_INVALID_STATE || error->kind == ERROR_INVALID_ARGS ||
           error->kind == ERROR_NO_SUCH_DOMAIN;
}

static void
on_polled(DiskOperation *op, uint64_t now, CallOutcome outcome, const DiskAnswer *answer,
          const Error *error)
{
    bool is_absent = (outcome == OUTCOME_OK && answer->info.type != op->type) ||
                     (outcome == OUTCOME_FAILED && tells_absence(error));

    op->poll_at = now + POLL_USEC;
    if (op->phase != PHASE_RUNNING)
        return;
    if (is_absent && is_told(op))
        finish_told(op, op->end);
    else if (is_absent && (op->missed || ++op->n_absent >= ABSENT_MAX))
        op->phase = PHASE_CONCLUDING;
    else if (outcome == OUTCOME_OK && !is_absent)
        on_present(op, &answer->info);
    if (outcome == OUTCOME_OK)
        plan_poll(op, now, POLL_USEC);
}

static void
on_asked_to_end(DiskOperation *op, uint64_t now, CallOutcome outcome, const Error *error)
{
    /* A call that died with its own connection alone may not have been carried out: a poll tells.
     */
    if (outcome == OUTCOME_LOST) {
        op->missed = true;
        op->asked_lost = op->asked;
    }
    plan_poll(op, now, POLL_USEC);
    if (op->phase != PHASE_RUNNING || outcome == OUTCOME_OK || outcome == OUTCOME_LOST)
        return;

    bool gives_up = op->asked == DISK_CALL_GIVE_UP;
    op->asked = DISK_CALL_NONE;
    if (outcome == OUTCOME_UNSENT)
        return;
    op->ready = false; /* a poll tells when to try again */
    if (gives_up) {
        op->cancel = false;
        op->effects->refused(op->userdata, error);
    } else if (++op->n_refused >= REFUSED_MAX) {
        finish_refused(op, error);
    }
}

void
disk_operation_call_done(DiskOperation *op, uint64_t now, CallOutcome outcome, DiskAnswer *answer,
                         const Error *error)
{
    DiskCallKind kind = op->under_way;

    op->under_way = DISK_CALL_NONE;
    switch (kind) {
    case DISK_CALL_READ_CHAIN:
        on_chain_read(op, outcome, answer, error);
        break;
    case DISK_CALL_READ_CAPACITY:
        on_capacity_read(op, outcome, answer);
        break;
    case DISK_CALL_RESIZE:
        on_resized(op, outcome, error);
        break;
    case DISK_CALL_START:
        on_started(op, now, outcome, error);
        break;
    case DISK_CALL_POLL:
        on_polled(op, now, outcome, answer, error);
        break;
    case DISK_CALL_KEEP:
    case DISK_CALL_PIVOT:
    case DISK_CALL_GIVE_UP:
        on_asked_to_end(op, now, outcome, error);
        break;
    case DISK_CALL_NONE:
        break;
    }
    go_on(op, now);
}

/* --- news --------------------------------------------------------------------------------- */

void
disk_operation_begin(DiskOperation *op, uint64_t now)
{
    op->phase = is_resize(op) ? PHASE_STARTING : PHASE_READING;
    go_on(op, now);
}

void
disk_operation_follow(DiskOperation *op, uint64_t now, const BlockJobInfo *info, DiskChain *chain)
{
    op->type = info->type;
    op->chain = *chain;
    *chain = (DiskChain){NULL};
    op->phase = PHASE_RUNNING;
    op->poll_at = now + POLL_USEC;
    on_present(op, info);
    go_on(op, now);
}

void
disk_operation_event(DiskOperation *op, uint64_t now, BlockJobEvent event)
{
    bool is_starting = op->phase == PHASE_STARTING && op->under_way == DISK_CALL_START;

    if (!is_starting && op->phase != PHASE_RUNNING && op->phase != PHASE_CONCLUDING)
        return;
    if (event == BLOCK_JOB_READY) {
        op->ready |= !is_starting; /* it may be another job's */
    } else if (op->phase == PHASE_CONCLUDING && !is_resize(op)) {
        finish_told(op, event);
    } else if (!is_resize(op)) {
        op->has_end = true;
        op->is_end_polled = false;
        op->end = event;
        op->poll_at = now;
    }
    go_on(op, now);
}

void
disk_operation_elapsed(DiskOperation *op, uint64_t now)
{
    go_on(op, now);
}

void
disk_operation_connection(DiskOperation *op, uint64_t now, bool connected)
{
    op->connected = connected;
    if (!connected && op->phase == PHASE_RUNNING) {
        op->missed = true;
        op->poll_at = now;
    }
    go_on(op, now);
}

void
disk_operation_off(DiskOperation *op, uint64_t now)
{
    if (op->phase != PHASE_RUNNING || !op->connected)
        return;
    if (is_told(op)) {
        finish_told(op, op->end);
        return;
    }
    op->is_off = true;
    op->phase = PHASE_CONCLUDING;
    go_on(op, now);
}

void
disk_operation_gone(DiskOperation *op)
{
    if (op->phase != PHASE_RUNNING)
        return;
    if (is_told(op))
        finish_told(op, op->end);
    else if (may_have_asked(op, DISK_CALL_GIVE_UP))
        finish_canceled(op, "as was asked for");
    else
        finish_failed(op, "the domain is gone");
}

static Error *
too_late(const DiskOperation *op, const char *why)
{
    return error_new(ERROR_INVALID_STATE, "%s can no longer be canceled: %s", op->what, why);
}

Error *
disk_operation_cancel(DiskOperation *op, uint64_t now)
{
    bool may_be_sent = op->under_way == DISK_CALL_RESIZE || op->under_way == DISK_CALL_START;

    switch (op->phase) {
    case PHASE_READING:
    case PHASE_STARTING:
        if (!may_be_sent || op->effects->withdraw(op->userdata)) {
            finish_canceled(op, "as was asked for");
            return NULL;
        }
        if (is_resize(op))
            return too_late(op, "libvirt is at it");
        op->cancel = true;
        return NULL;
    case PHASE_RUNNING:
        if (op->asked == DISK_CALL_KEEP || op->asked == DISK_CALL_PIVOT)
            return too_late(op, "all is copied, and it is about to end");
        op->cancel = true;
        go_on(op, now);
        return NULL;
    default:
        return too_late(op, "it has ended");
    }
}

void
disk_operation_abort(DiskOperation *op, const char *why)
{
    if (op->phase != PHASE_OVER)
        finish_failed(op, why);
}
