/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job.h"

#include "clock.h"
#include "deferred.h"
#include "hypervisor-domain.h"
#include "hypervisor-job.h"
#include "job-progress.h"
#include "log.h"
#include "operation-plan.h"

#define TIMER_ACCURACY_USEC 1000

struct Jobs {
    JobParts parts;
    uint64_t last_number;
    GHashTable *by_number; /* number (of the job) -> Job, with a reference */
    GHashTable *by_domain; /* uuid (of the domain) -> Job */
    GPtrArray *ended;      /* released at the end of the turn: their operation is on the stack */
    Deferred *release_ended;
};

/* A step's call. It keeps its job. */
typedef struct {
    Call call;
    Job *job;
    DomainVerb verb;
    OperationPayload *payload; /* of a long one */
    unsigned serial;
} StepCall;

static const OperationEffects effects;

/* --- life --------------------------------------------------------------------------------- */

Job *
job_ref(Job *job)
{
    job->n_ref++;
    return job;
}

void
job_unref(Job *job)
{
    if (--job->n_ref > 0)
        return;
    timer_free(job->timer);
    job_progress_free(job->job_progress);
    operation_free(job->operation);
    domain_unref(job->domain);
    g_ptr_array_unref(job->calls);
    waiters_free(job->waiters);
    waiters_free(job->cancel_waiters);
    g_free(job->caller);
    g_free(job);
}

static void
release_job(gpointer job)
{
    job_unref(job);
}

static void
on_release_ended(void *userdata)
{
    g_ptr_array_set_size(((Jobs *)userdata)->ended, 0);
}

Jobs *
jobs_new(const JobParts *parts)
{
    Jobs *jobs = g_new0(Jobs, 1);

    jobs->parts = *parts;
    /* The time in ms: a later process begins with a higher number than any that was used. */
    jobs->last_number = clock_realtime_usec() / 1000;
    jobs->by_number = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, release_job);
    jobs->by_domain = g_hash_table_new(g_str_hash, g_str_equal);
    jobs->ended = g_ptr_array_new_with_free_func(release_job);
    jobs->release_ended = deferred_new(parts->event, DEFERRED_IN_TURN, on_release_ended, jobs);
    return jobs;
}

void
jobs_free(Jobs *jobs)
{
    if (!jobs)
        return;
    deferred_free(jobs->release_ended);
    g_hash_table_unref(jobs->by_domain);
    g_hash_table_unref(jobs->by_number);
    g_ptr_array_unref(jobs->ended);
    g_free(jobs);
}

static void
on_timer(void *userdata)
{
    operation_elapsed(((Job *)userdata)->operation, clock_now_usec());
}

static Job *
job_new(Jobs *jobs, Domain *domain, const OperationSpec *spec, const JobCaller *caller)
{
    Job *job = g_new0(Job, 1);

    job->n_ref = 1;
    job->jobs = jobs;
    job->number = ++jobs->last_number;
    job->domain = domain_ref(domain);
    job->operation = operation_new(spec, domain->name, &effects, job);
    job->started_at = clock_realtime_usec();
    job->progress = -1;
    job->timer = timer_new(jobs->parts.event, TIMER_ACCURACY_USEC, on_timer, job);
    job->calls = g_ptr_array_new();
    job->waiters = waiters_new();
    job->cancel_waiters = waiters_new();
    job->uid = caller->uid;
    job->caller = g_strdup(caller->name);
    g_hash_table_insert(jobs->by_number, &job->number, job);
    g_hash_table_replace(jobs->by_domain, job->domain->uuid, job);
    return job;
}

const char *
job_operation_name(const Job *job)
{
    return operation_name(operation_spec(job->operation)->kind);
}

static void
answer(Waiters **waiters, const Error *error)
{
    Waiters *answered = *waiters;

    *waiters = waiters_new();
    waiters_answer(answered, error ? OUTCOME_FAILED : OUTCOME_OK, NULL, error);
}

/* --- the operation's effects -------------------------------------------------------------- */

static bool
work_step(Call *call, Hypervisor *h, Error **error)
{
    const StepCall *step = (StepCall *)call;

    if (step->payload)
        return hypervisor_do_long(h, call->key, step->verb, step->payload, error);
    return hypervisor_do(h, call->key, step->verb, error);
}

static void
on_step_done(Call *call, CallOutcome outcome, const Error *error)
{
    StepCall *step = (StepCall *)call;
    Job *job = step->job;

    g_ptr_array_remove_fast(job->calls, call);
    operation_call_done(job->operation, clock_now_usec(), step->serial, outcome, error);
}

static void
free_step(Call *call)
{
    StepCall *step = (StepCall *)call;

    operation_payload_unref(step->payload);
    job_unref(step->job);
    g_free(step);
}

/* A request to the guest beside one that hangs in its agent must not wait for that. */
static CallClass
class_of(DomainVerb verb, bool is_side_call)
{
    if (verb == VERB_DESTROY)
        return CALL_FORCE;
    if (is_side_call)
        return CALL_ACPI;
    return verb >= VERB_SAVE ? CALL_LONG : CALL_OPERATION;
}

static void
on_progressed(void *userdata, double fraction)
{
    Job *job = userdata;

    if (ABS(job->progress - fraction) < 1e-6)
        return;
    job->progress = fraction;
    job->jobs->parts.listener->progress(job->jobs->parts.userdata, job);
}

static void
on_aborted(void *userdata)
{
    operation_aborted(((Job *)userdata)->operation);
}

static void
on_abort_refused(void *userdata, const Error *error)
{
    g_autoptr(Error) refusal = error_copy(error);

    refusal->kind = ERROR_INVALID_STATE;
    answer(&((Job *)userdata)->cancel_waiters, refusal);
}

static void
on_probed(void *userdata, unsigned serial, ProbeAnswer probe_answer)
{
    operation_probed(((Job *)userdata)->operation, clock_now_usec(), serial, probe_answer);
}

/* Follow the operation's one long call. */
static void
watch_long_call(Job *job, DomainVerb verb, const OperationPayload *payload)
{
    static const JobProgressFuncs funcs = {
        .progressed = on_progressed,
        .aborted = on_aborted,
        .refused = on_abort_refused,
        .probed = on_probed,
    };
    const LongCall call = {
        .uuid = job->domain->uuid,
        .was_active = job->domain->id >= 0,
        .verb = verb,
        .payload = payload,
    };

    if (!job->job_progress)
        job->job_progress = job_progress_new(job->jobs->parts.event, job->jobs->parts.lane_pool,
                                             &call, &funcs, job);
}

static void
effect_call(void *userdata, DomainVerb verb, unsigned serial)
{
    Job *job = userdata;
    StepCall *step = g_new0(StepCall, 1);

    step->call.class = class_of(verb, job->calls->len > 0);
    step->call.name = call_name_of_verb(verb);
    g_strlcpy(step->call.key, job->domain->uuid, sizeof step->call.key);
    step->call.work = work_step;
    step->call.done = on_step_done;
    step->call.free = free_step;
    step->job = job_ref(job);
    step->verb = verb;
    step->payload = operation_payload_ref(operation_spec(job->operation)->payload);
    step->serial = serial;
    if (step->payload)
        watch_long_call(job, verb, step->payload);
    g_ptr_array_add(job->calls, step);
    lane_pool_submit(job->jobs->parts.lane_pool, &step->call);
}

static void
effect_refresh(void *userdata)
{
    Job *job = userdata;

    refresher_mark(job->jobs->parts.refresher, job->domain->uuid, FACT_ALL);
}

static void
effect_probe(void *userdata, unsigned serial)
{
    job_progress_probe(((Job *)userdata)->job_progress, serial);
}

static bool
effect_abort(void *userdata)
{
    Job *job = userdata;

    /* A long operation has no other call. */
    if (job->calls->len > 0 &&
        lane_pool_withdraw(job->jobs->parts.lane_pool, job->calls->pdata[0])) {
        g_ptr_array_set_size(job->calls, 0);
        return true;
    }
    job_progress_abort(job->job_progress);
    return false;
}

static void
effect_arm(void *userdata, uint64_t when)
{
    timer_arm(((Job *)userdata)->timer, when);
}

static char *
end_message(const Job *job, OperationResult result, const Error *error, bool forced)
{
    const char *operation = job_operation_name(job);
    const char *name = job->domain->name;

    if (error)
        return g_strdup_printf("%s of \"%s\" ended as %s: %s", operation, name,
                               operation_result_name(result), error->message);
    return g_strdup_printf("%s of \"%s\" is done%s", operation, name,
                           forced ? ": the guest did not power off within its time, and its power "
                                    "was cut"
                                  : "");
}

static void
log_end(const Job *job, OperationResult result, const Error *error, bool forced)
{
    static const LogEvent events[_RESULT_MAX] = {
        [RESULT_DONE] = LOG_EVENT_OPERATION_DONE,
        [RESULT_FAILED] = LOG_EVENT_OPERATION_FAILED,
        [RESULT_TIMEOUT] = LOG_EVENT_OPERATION_FAILED,
        [RESULT_CANCELED] = LOG_EVENT_OPERATION_CANCELED,
    };
    char uid[LOG_NUMBER_SIZE];
    char code[LOG_NUMBER_SIZE];
    LogEvent event = result == RESULT_DONE && forced ? LOG_EVENT_POWER_CUT : events[result];
    g_autofree char *message = end_message(job, result, error, forced);

    log_event(event, message, LOG_FIELD_VM_UUID, job->domain->uuid, LOG_FIELD_VM_NAME,
              job->domain->name, LOG_FIELD_VM_OPERATION, job_operation_name(job),
              LOG_FIELD_VM_RESULT, operation_result_name(result), LOG_FIELD_LIBVIRT_ERROR_CODE,
              error && error->libvirt_code ? log_number(code, error->libvirt_code) : NULL,
              LOG_FIELD_CALLER_UID, job->uid != (uid_t)-1 ? log_number(uid, job->uid) : NULL,
              LOG_FIELD_CALLER_BUS_NAME, job->caller, NULL);
}

static Error *
too_late_error(const Job *job)
{
    return error_new(ERROR_INVALID_STATE, "%s of \"%s\" can no longer be canceled: it has ended",
                     job_operation_name(job), job->domain->name);
}

static void
release_domain(Job *job)
{
    Jobs *jobs = job->jobs;
    Domain *domain = cache_find(jobs->parts.cache, job->domain->uuid);

    /* A job that ForceStop has overtaken does not occupy its domain any more. */
    if (jobs_find(jobs, job->domain->uuid) != job)
        return;
    g_hash_table_remove(jobs->by_domain, job->domain->uuid);
    if (!domain)
        return;
    domain_set_job(domain, 0);
    cache_changed(jobs->parts.cache, domain);
}

static void
abandon_calls(Job *job)
{
    for (unsigned i = job->calls->len; i-- > 0;)
        lane_pool_abandon(job->jobs->parts.lane_pool, job->calls->pdata[i]);
    g_ptr_array_set_size(job->calls, 0);
}

static void
effect_finished(void *userdata, OperationResult result, const Error *error, bool forced)
{
    Job *job = userdata;
    Jobs *jobs = job->jobs;
    g_autoptr(Error) too_late = result == RESULT_CANCELED ? NULL : too_late_error(job);

    job->ended = true;
    job_progress_stop(job->job_progress);
    abandon_calls(job);
    log_end(job, result, error, forced);
    release_domain(job);
    cache_flush(jobs->parts.cache);
    jobs->parts.listener->removed(jobs->parts.userdata, job, result, error);
    g_ptr_array_add(jobs->ended, job_ref(job));
    deferred_schedule(jobs->release_ended);
    g_hash_table_remove(jobs->by_number, &job->number);
    answer(&job->waiters, error);
    answer(&job->cancel_waiters, too_late);
}

static const OperationEffects effects = {
    .call = effect_call,
    .refresh = effect_refresh,
    .probe = effect_probe,
    .abort = effect_abort,
    .arm = effect_arm,
    .finished = effect_finished,
};

/* --- what an operation sees --------------------------------------------------------------- */

/* By the clock of operations; 0: not known. */
static uint64_t
booted_at(const Domain *domain)
{
    uint64_t age = clock_realtime_usec() - domain->started_at;
    uint64_t now = clock_now_usec();
    bool is_known = domain->started_at > 0 && age < now;

    return MAX(domain->booted_at, is_known ? now - age : 0);
}

static Observation
observe(const Domain *domain)
{
    if (!domain)
        return (Observation){.state = DOMAIN_SHUTOFF, .id = -1, .gone = true};

    LifecycleAction on_poweroff = domain->config.on_poweroff;
    LifecycleAction on_reboot = domain->config.on_reboot;
    return (Observation){
        .state = domain->state,
        .reason = domain->reason,
        .id = domain->id,
        .persistent = domain->persistent,
        .starting_up = domain->state == DOMAIN_PAUSED && g_str_equal(domain->reason, "starting-up"),
        /* libvirt restores by an incoming migration, and keeps that as the reason. */
        .restored = domain->state == DOMAIN_PAUSED && g_str_equal(domain->reason, "migration"),
        .agent_connected = domain->config.agent_connected,
        .restarts_on_poweroff =
            on_poweroff == LIFECYCLE_RESTART || on_poweroff == LIFECYCLE_RENAME_RESTART,
        .ends_on_reboot = on_reboot == LIFECYCLE_DESTROY || on_reboot == LIFECYCLE_PRESERVE,
        .booted_at = booted_at(domain),
    };
}

/* --- beginning ---------------------------------------------------------------------------- */

/* Cancel calls that are still queued; they could otherwise run after ForceStop. */
static void
withdraw_calls(Job *job)
{
    job_ref(job);
    for (unsigned i = job->calls->len; i-- > 0 && !job->ended;) {
        StepCall *step = job->calls->pdata[i];
        unsigned serial = step->serial;

        if (!lane_pool_withdraw(job->jobs->parts.lane_pool, &step->call))
            continue;
        g_ptr_array_remove_index_fast(job->calls, i);
        operation_call_done(job->operation, clock_now_usec(), serial, OUTCOME_UNSENT, NULL);
    }
    job_unref(job);
}

static Error *
busy_error(const Job *job, const OperationSpec *spec)
{
    return error_new(ERROR_BUSY, "%s is not possible: %s of \"%s\" is under way",
                     operation_name(spec->kind), job_operation_name(job), job->domain->name);
}

Job *
job_begin(Jobs *jobs, Domain *domain, const OperationSpec *spec, const JobCaller *caller,
          Error **error)
{
    Job *running = jobs_find(jobs, domain->uuid);
    Observation seen = observe(domain);

    if (running && operation_is_same(running->operation, spec))
        return running;
    if (running && spec->kind != OPERATION_FORCE_STOP) {
        *error = busy_error(running, spec);
        return NULL;
    }
    *error = operation_check(spec, seen.state, seen.persistent, domain->name);
    if (*error && !running)
        return NULL;
    if (*error) {
        /* The overtaken operation may have got further than is known here: libvirt decides. */
        g_clear_pointer(error, error_free);
        seen.state = DOMAIN_NOSTATE;
    }

    Job *job = job_new(jobs, domain, spec, caller);
    domain_set_job(domain, job->number);
    cache_changed(jobs->parts.cache, domain);
    jobs->parts.listener->added(jobs->parts.userdata, job);
    cache_flush(jobs->parts.cache);
    if (running) {
        operation_overtake(running->operation, clock_now_usec());
        withdraw_calls(running);
    }
    operation_begin(job->operation, clock_now_usec(), &seen);
    return job;
}

/* --- finding, waiting, cancelling --------------------------------------------------------- */

Job *
jobs_find(const Jobs *jobs, const char *uuid)
{
    return g_hash_table_lookup(jobs->by_domain, uuid);
}

Job *
jobs_find_by_number(const Jobs *jobs, uint64_t number)
{
    return g_hash_table_lookup(jobs->by_number, &number);
}

GPtrArray *
jobs_all(const Jobs *jobs)
{
    GPtrArray *all = g_ptr_array_new_with_free_func(release_job);
    GHashTableIter iter;
    gpointer job;

    g_hash_table_iter_init(&iter, jobs->by_number);
    while (g_hash_table_iter_next(&iter, NULL, &job))
        g_ptr_array_add(all, job_ref(job));
    return all;
}

void
job_wait(Job *job, Pending *pending, WaiterDone done, void *userdata)
{
    waiters_add(job->waiters, pending, done, userdata);
}

void
job_cancel(Job *job, Pending *pending, WaiterDone done, void *userdata)
{
    g_autoptr(Error) error = operation_cancel(job->operation, clock_now_usec());

    waiters_add(job->cancel_waiters, pending, done, userdata);
    if (error || job->ended)
        answer(&job->cancel_waiters, error);
}

/* --- news --------------------------------------------------------------------------------- */

void
jobs_domain_changed(Jobs *jobs, const char *uuid)
{
    g_autoptr(GPtrArray) all = NULL;
    Observation seen;

    if (g_hash_table_size(jobs->by_number) == 0)
        return;
    seen = observe(cache_find(jobs->parts.cache, uuid));
    seen.fresh = refresher_is_fresh(jobs->parts.refresher, uuid);
    all = jobs_all(jobs);
    for (unsigned i = 0; i < all->len; i++) {
        Job *job = all->pdata[i];

        if (g_str_equal(job->domain->uuid, uuid))
            operation_observe(job->operation, clock_now_usec(), &seen);
    }
}

void
jobs_domain_rebooted(Jobs *jobs, const char *uuid)
{
    Domain *domain = cache_find(jobs->parts.cache, uuid);
    Job *job = jobs_find(jobs, uuid);

    if (domain)
        domain->booted_at = clock_now_usec();
    if (job)
        operation_event(job->operation, clock_now_usec(), OPERATION_EVENT_REBOOTED);
}

void
jobs_connection(Jobs *jobs, bool connected)
{
    g_autoptr(GPtrArray) all = jobs_all(jobs);

    for (unsigned i = 0; i < all->len; i++)
        operation_connection(((Job *)all->pdata[i])->operation, clock_now_usec(), connected);
}

void
jobs_stop(Jobs *jobs)
{
    g_autoptr(GPtrArray) all = jobs_all(jobs);

    for (unsigned i = 0; i < all->len; i++)
        operation_abort(((Job *)all->pdata[i])->operation, "the service is stopping");
}
