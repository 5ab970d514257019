/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job-progress.h"

#include "clock.h"
#include "hypervisor-job.h"

/* Most are over before anybody would want to know how far they are. */
#define FIRST_POLL_USEC (200 * UINT64_C(1000))
#define POLL_USEC       (500 * UINT64_C(1000))
#define ACCURACY_USEC   1000

/* A call beside the long one. It keeps its job. */
typedef struct BesideCall {
    Call call;
    Job *job;
    DomainVerb verb;
    OperationPayload *payload;
    unsigned serial; /* of a probe */
    bool was_active;
    double progress;
    ProbeAnswer answer;
} BesideCall;

struct JobProgress {
    Job *job; /* which owns this */
    DomainVerb verb;
    OperationPayload *payload;
    Timer *timer; /* for the next poll, and the next try to abort */

    BesideCall *poll; /* under way; NULL: none */
    BesideCall *abort;
    BesideCall *probe;
    bool was_active; /* the domain, when the long call was made */
    bool silent;     /* libvirt does not tell of progress */
    bool aborting;
    bool stopped;
};

/* --- calls -------------------------------------------------------------------------------- */

static void
free_beside(Call *call)
{
    BesideCall *beside = (BesideCall *)call;

    operation_payload_unref(beside->payload);
    job_unref(beside->job);
    g_free(beside);
}

static BesideCall *
submit(JobProgress *watch, CallClass class, const char *name, CallWork work,
       void (*done)(Call *call, CallOutcome outcome, const Error *), unsigned serial)
{
    BesideCall *beside = g_new0(BesideCall, 1);

    beside->call.class = class;
    beside->call.name = name;
    g_strlcpy(beside->call.key, watch->job->domain->uuid, sizeof beside->call.key);
    beside->call.work = work;
    beside->call.done = done;
    beside->call.free = free_beside;
    beside->job = job_ref(watch->job);
    beside->verb = watch->verb;
    beside->payload = operation_payload_ref(watch->payload);
    beside->serial = serial;
    beside->was_active = watch->was_active;
    /* These are few: they always find a place. */
    lane_pool_submit(jobs_parts(watch->job->jobs)->lane_pool, &beside->call);
    return beside;
}

static void
abandon(JobProgress *watch, BesideCall **beside)
{
    if (*beside)
        lane_pool_abandon(jobs_parts(watch->job->jobs)->lane_pool, &(*beside)->call);
    *beside = NULL;
}

/* --- progress ----------------------------------------------------------------------------- */

static bool
work_poll(Call *call, Hypervisor *h, Error **error)
{
    return hypervisor_get_progress(h, call->key, &((BesideCall *)call)->progress, error);
}

static void
on_polled(Call *call, CallOutcome outcome, const Error *error)
{
    BesideCall *beside = (BesideCall *)call;
    JobProgress *watch = beside->job->job_progress;

    watch->poll = NULL;
    if (outcome == OUTCOME_OK && beside->progress >= 0)
        job_set_progress(watch->job, beside->progress);
    /* A domain that is off has no statistics, nor has any domain of some drivers. */
    watch->silent = outcome == OUTCOME_FAILED;
    if (watch->aborting)
        job_progress_abort(watch);
    else if (!watch->silent)
        timer_arm_relative(watch->timer, POLL_USEC);
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
    JobProgress *watch = ((BesideCall *)call)->job->job_progress;

    watch->abort = NULL;
    if (outcome == OUTCOME_OK) {
        watch->aborting = false;
        operation_aborted(watch->job->operation);
    } else if (outcome == OUTCOME_FAILED && error->kind != ERROR_INVALID_STATE) {
        g_autoptr(Error) refusal = error_copy(error);

        watch->aborting = false;
        refusal->kind = ERROR_INVALID_STATE;
        job_cancel_failed(watch->job, refusal);
        timer_arm_relative(watch->timer, POLL_USEC);
    } else {
        /* It has not quite begun, or is as good as over; or the connection went. */
        timer_arm_relative(watch->timer, POLL_USEC);
    }
}

/* Never while libvirt is asked about the same job. */
void
job_progress_abort(JobProgress *watch)
{
    watch->aborting = true;
    if (!watch->abort && !watch->poll)
        watch->abort =
            submit(watch, CALL_JOB_CONTROL, "virDomainAbortJob", work_abort, on_aborted, 0);
}

/* --- probing ------------------------------------------------------------------------------ */

static bool
work_probe(Call *call, Hypervisor *h, Error **error)
{
    BesideCall *beside = (BesideCall *)call;

    return hypervisor_probe(h, call->key, beside->verb, beside->payload, beside->was_active,
                            &beside->answer, error);
}

static void
on_probed(Call *call, CallOutcome outcome, const Error *error)
{
    BesideCall *beside = (BesideCall *)call;
    Job *job = beside->job;
    ProbeAnswer answer = PROBE_UNANSWERED;

    job->job_progress->probe = NULL;
    if (outcome == OUTCOME_OK)
        answer = beside->answer;
    else if (outcome == OUTCOME_FAILED)
        answer = PROBE_NOT_CARRIED_OUT;
    operation_probed(job->operation, clock_now_usec(), beside->serial, answer);
}

void
job_progress_probe(JobProgress *watch, unsigned serial)
{
    abandon(watch, &watch->probe);
    watch->probe =
        submit(watch, CALL_JOB_CONTROL, "virDomainGetState", work_probe, on_probed, serial);
}

/* --- life --------------------------------------------------------------------------------- */

static void
on_timer(void *userdata)
{
    JobProgress *watch = userdata;

    if (watch->aborting && !watch->abort)
        job_progress_abort(watch);
    if (!watch->aborting && !watch->silent && !watch->poll)
        watch->poll = submit(watch, CALL_PROGRESS, "virDomainGetJobStats", work_poll, on_polled, 0);
}

JobProgress *
job_progress_new(Job *job, DomainVerb verb, const OperationPayload *payload)
{
    JobProgress *watch = g_new0(JobProgress, 1);

    watch->job = job;
    watch->verb = verb;
    watch->was_active = job->domain->id >= 0;
    watch->payload = operation_payload_ref(payload);
    watch->timer = timer_new(jobs_parts(job->jobs)->event, ACCURACY_USEC, on_timer, watch);
    timer_arm_relative(watch->timer, FIRST_POLL_USEC);
    return watch;
}

void
job_progress_stop(JobProgress *watch)
{
    if (!watch)
        return;
    abandon(watch, &watch->poll);
    abandon(watch, &watch->abort);
    abandon(watch, &watch->probe);
    g_clear_pointer(&watch->timer, timer_free);
}

void
job_progress_free(JobProgress *watch)
{
    if (!watch)
        return;
    timer_free(watch->timer);
    operation_payload_unref(watch->payload);
    g_free(watch);
}
