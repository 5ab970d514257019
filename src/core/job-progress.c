/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job-progress.h"

#include "hypervisor-job.h"
#include "timer.h"
#include "units.h"

/* Most jobs end before their progress matters. */
#define FIRST_POLL_USEC (200 * MSEC)
#define POLL_USEC       (500 * MSEC)
#define ACCURACY_USEC   MSEC

/* A call that is made while the long call is under way. It keeps the progress. */
typedef struct {
    Call call;
    JobProgress *progress;
    unsigned serial; /* of a probe */
    double fraction;
    ProbeAnswer answer;
} ProgressCall;

struct JobProgress {
    unsigned n_ref;
    LanePool *lane_pool;
    char uuid[UUID_LENGTH + 1];
    bool was_active;
    DomainVerb verb;
    OperationPayload *payload;
    const JobProgressFuncs *funcs;
    void *userdata;
    Timer *timer; /* for the next poll, and the next try to abort */

    ProgressCall *poll; /* under way; NULL: none */
    ProgressCall *abort;
    ProgressCall *probe;
    bool silent; /* libvirt does not tell of progress */
    bool aborting;
};

static void
unref(JobProgress *progress)
{
    if (--progress->n_ref > 0)
        return;
    timer_free(progress->timer);
    operation_payload_unref(progress->payload);
    g_free(progress);
}

/* --- calls -------------------------------------------------------------------------------- */

static void
free_progress_call(Call *call)
{
    ProgressCall *progress_call = (ProgressCall *)call;

    unref(progress_call->progress);
    g_free(progress_call);
}

static ProgressCall *
submit(JobProgress *progress, CallClass class, const char *name, CallWork work,
       void (*done)(Call *call, CallOutcome outcome, const Error *), unsigned serial)
{
    ProgressCall *progress_call = g_new0(ProgressCall, 1);

    progress_call->call.class = class;
    progress_call->call.name = name;
    g_strlcpy(progress_call->call.key, progress->uuid, sizeof progress_call->call.key);
    progress_call->call.work = work;
    progress_call->call.done = done;
    progress_call->call.free = free_progress_call;
    progress_call->progress = progress;
    progress->n_ref++;
    progress_call->serial = serial;
    lane_pool_submit(progress->lane_pool, &progress_call->call);
    return progress_call;
}

static void
abandon(JobProgress *progress, ProgressCall **progress_call)
{
    if (*progress_call)
        lane_pool_abandon(progress->lane_pool, &(*progress_call)->call);
    *progress_call = NULL;
}

/* --- progress ----------------------------------------------------------------------------- */

static bool
work_poll(Call *call, Hypervisor *h, Error **error)
{
    return hypervisor_get_progress(h, call->key, &((ProgressCall *)call)->fraction, error);
}

static void
on_polled(Call *call, CallOutcome outcome, const Error *error)
{
    const ProgressCall *progress_call = (ProgressCall *)call;
    JobProgress *progress = progress_call->progress;

    progress->poll = NULL;
    if (outcome == OUTCOME_OK && progress_call->fraction >= 0)
        progress->funcs->progressed(progress->userdata, progress_call->fraction);
    /* A domain that is off has no statistics, nor has any domain of some drivers. */
    progress->silent = outcome == OUTCOME_FAILED;
    if (progress->aborting)
        job_progress_abort(progress);
    else if (!progress->silent)
        timer_arm_relative(progress->timer, POLL_USEC);
}

/* --- aborting ----------------------------------------------------------------------------- */

static bool
work_abort(Call *call, Hypervisor *h, Error **error)
{
    return hypervisor_abort(h, call->key, error);
}

static void
on_aborted(Call *call, CallOutcome outcome, const Error *error)
{
    JobProgress *progress = ((ProgressCall *)call)->progress;

    progress->abort = NULL;
    if (outcome == OUTCOME_OK) {
        progress->aborting = false;
        progress->funcs->aborted(progress->userdata);
    } else if (outcome == OUTCOME_FAILED && error->kind != ERROR_INVALID_STATE) {
        progress->aborting = false;
        timer_arm_relative(progress->timer, POLL_USEC);
        progress->funcs->refused(progress->userdata, error);
    } else {
        /* The job has not begun in libvirt, or is about to end, or the connection was lost. */
        timer_arm_relative(progress->timer, POLL_USEC);
    }
}

/* While a poll asks libvirt about the same job, the call waits until that has ended. */
void
job_progress_abort(JobProgress *progress)
{
    progress->aborting = true;
    if (!progress->abort && !progress->poll)
        progress->abort =
            submit(progress, CALL_JOB_CONTROL, "virDomainAbortJob", work_abort, on_aborted, 0);
}

/* --- probing ------------------------------------------------------------------------------ */

static bool
work_probe(Call *call, Hypervisor *h, Error **error)
{
    ProgressCall *progress_call = (ProgressCall *)call;
    const JobProgress *progress = progress_call->progress;

    return hypervisor_probe(h, call->key, progress->verb, progress->payload, progress->was_active,
                            &progress_call->answer, error);
}

static void
on_probed(Call *call, CallOutcome outcome, const Error *error)
{
    const ProgressCall *progress_call = (ProgressCall *)call;
    JobProgress *progress = progress_call->progress;
    ProbeAnswer answer = PROBE_UNANSWERED;

    progress->probe = NULL;
    if (outcome == OUTCOME_OK)
        answer = progress_call->answer;
    else if (outcome == OUTCOME_FAILED)
        answer = PROBE_NOT_CARRIED_OUT;
    progress->funcs->probed(progress->userdata, progress_call->serial, answer);
}

void
job_progress_probe(JobProgress *progress, unsigned serial)
{
    abandon(progress, &progress->probe);
    progress->probe =
        submit(progress, CALL_JOB_CONTROL, "virDomainGetState", work_probe, on_probed, serial);
}

/* --- life --------------------------------------------------------------------------------- */

static void
on_timer(void *userdata)
{
    JobProgress *progress = userdata;

    if (progress->aborting && !progress->abort)
        job_progress_abort(progress);
    if (!progress->aborting && !progress->silent && !progress->poll)
        progress->poll =
            submit(progress, CALL_PROGRESS, "virDomainGetJobStats", work_poll, on_polled, 0);
}

JobProgress *
job_progress_new(struct sd_event *event, LanePool *lane_pool, const LongCall *call,
                 const JobProgressFuncs *funcs, void *userdata)
{
    JobProgress *progress = g_new0(JobProgress, 1);

    progress->n_ref = 1;
    progress->lane_pool = lane_pool;
    g_strlcpy(progress->uuid, call->uuid, sizeof progress->uuid);
    progress->was_active = call->was_active;
    progress->verb = call->verb;
    progress->payload = operation_payload_ref(call->payload);
    progress->funcs = funcs;
    progress->userdata = userdata;
    progress->timer = timer_new(event, ACCURACY_USEC, on_timer, progress);
    timer_arm_relative(progress->timer, FIRST_POLL_USEC);
    return progress;
}

void
job_progress_stop(JobProgress *progress)
{
    if (!progress)
        return;
    abandon(progress, &progress->poll);
    abandon(progress, &progress->abort);
    abandon(progress, &progress->probe);
    timer_disarm(progress->timer);
}

void
job_progress_free(JobProgress *progress)
{
    if (progress)
        unref(progress);
}
