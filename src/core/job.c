/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job.h"

#include "clock.h"
#include "hypervisor-domain.h"
#include "hypervisor-job.h"
#include "job-finder.h"
#include "job-progress.h"
#include "operation-plan.h"
#include "units.h"

#define TIMER_ACCURACY_USEC MSEC

struct Jobs {
    JobParts parts;
    JobFinder *finder;
    GHashTable *by_domain; /* uuid (of the domain) -> Job */
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
static const JobClass job_class;

/* --- life --------------------------------------------------------------------------------- */

static void
free_job(JobObject *object)
{
    Job *job = (Job *)object;

    timer_free(job->timer);
    job_progress_free(job->job_progress);
    operation_free(job->operation);
    g_ptr_array_unref(job->calls);
    job_object_clear(object);
    g_free(job);
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
    const JobObjectSpec object = {
        .class = &job_class,
        .domain = domain,
        .operation = operation_name(spec->kind),
        .disk = "",
        .caller = caller,
    };

    job_object_init(jobs->parts.objects, &job->object, &object);
    job->jobs = jobs;
    job->operation = operation_new(spec, domain->name, &effects, job);
    job->timer = timer_new(jobs->parts.event, TIMER_ACCURACY_USEC, on_timer, job);
    job->calls = g_ptr_array_new();
    g_hash_table_replace(jobs->by_domain, domain->uuid, job);
    job_finder_outdate(jobs->finder, domain->uuid);
    return job;
}

Job *
job_of_object(JobObject *object)
{
    return object && object->class == &job_class ? (Job *)object : NULL;
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
    job_object_unref(&step->job->object);
    g_free(step);
}

/* A request to the guest that is made while another one hangs in its agent has a class of its own,
 * so that it does not wait for that one. */
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
    job_object_set_progress(&((Job *)userdata)->object, fraction);
}

static void
on_aborted(void *userdata)
{
    operation_aborted(((Job *)userdata)->operation);
}

static void
on_abort_refused(void *userdata, const Error *error)
{
    job_object_refuse_cancel(&((Job *)userdata)->object, error);
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
        .uuid = job->object.domain->uuid,
        .was_active = job->object.domain->id >= 0,
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
    g_strlcpy(step->call.key, job->object.domain->uuid, sizeof step->call.key);
    step->call.work = work_step;
    step->call.done = on_step_done;
    step->call.free = free_step;
    job_object_ref(&job->object);
    step->job = job;
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

    refresher_mark(job->jobs->parts.refresher, job->object.domain->uuid, FACT_ALL);
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

static void
release_domain(Job *job)
{
    Jobs *jobs = job->jobs;
    Domain *domain = cache_find(jobs->parts.cache, job->object.domain->uuid);

    /* A job that ForceStop has overtaken does not occupy its domain any more. */
    if (jobs_find(jobs, job->object.domain->uuid) != job)
        return;
    g_hash_table_remove(jobs->by_domain, job->object.domain->uuid);
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

    job_progress_stop(job->job_progress);
    abandon_calls(job);
    release_domain(job);
    cache_flush(job->jobs->parts.cache);
    job_object_end(&job->object, result, error, forced);
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
    job_object_ref(&job->object);
    for (unsigned i = job->calls->len; i-- > 0 && !job->object.ended;) {
        StepCall *step = job->calls->pdata[i];
        unsigned serial = step->serial;

        if (!lane_pool_withdraw(job->jobs->parts.lane_pool, &step->call))
            continue;
        g_ptr_array_remove_index_fast(job->calls, i);
        operation_call_done(job->operation, clock_now_usec(), serial, OUTCOME_UNSENT, NULL);
    }
    job_object_unref(&job->object);
}

static void
announce(Job *job, Domain *domain)
{
    Cache *cache = job->jobs->parts.cache;

    domain_set_job(domain, job->object.number);
    cache_changed(cache, domain);
    job_object_announce(&job->object);
    cache_flush(cache);
}

static Error *
busy_error(const Job *job, const OperationSpec *spec)
{
    return error_new(ERROR_BUSY, "%s is not possible: %s of \"%s\" is under way",
                     operation_name(spec->kind), job->object.operation, job->object.domain->name);
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
    announce(job, domain);
    if (running) {
        operation_overtake(running->operation, clock_now_usec());
        withdraw_calls(running);
    }
    operation_begin(job->operation, clock_now_usec(), &seen);
    return job;
}

/* libvirt goes on with what an earlier process, or somebody else, has asked it for. */
static void
on_found(void *userdata, Domain *domain, const FoundJob *found)
{
    Jobs *jobs = userdata;
    g_autoptr(OperationPayload) payload =
        operation_payload_new(&(OperationPayload){.name = found->name});
    const OperationSpec spec = {
        .kind = found->kind, .timeout = OPERATION_NO_TIMEOUT, .payload = payload};
    const JobCaller nobody = {.uid = (uid_t)-1};
    Observation seen = observe(domain);
    const Plan *plan = operation_plan(found->kind, &seen);

    if (jobs_find(jobs, domain->uuid) || !plan->allowed)
        return;
    Job *job = job_new(jobs, domain, &spec, &nobody);
    job->object.progress = found->progress;
    announce(job, domain);
    watch_long_call(job, operation_steps[plan->steps[0]].verb, payload);
    operation_follow(job->operation, clock_now_usec(), &seen);
}

/* --- finding, cancelling ------------------------------------------------------------------ */

Job *
jobs_find(const Jobs *jobs, const char *uuid)
{
    return g_hash_table_lookup(jobs->by_domain, uuid);
}

static Error *
cancel_job(JobObject *object)
{
    return operation_cancel(((Job *)object)->operation, clock_now_usec());
}

static const JobClass job_class = {
    .cancel = cancel_job,
    .free = free_job,
};

static GPtrArray *
all_jobs(const Jobs *jobs)
{
    return job_objects_all(jobs->parts.objects, &job_class);
}

/* --- news --------------------------------------------------------------------------------- */

void
jobs_domain_changed(Jobs *jobs, const char *uuid)
{
    g_autoptr(GPtrArray) all = all_jobs(jobs);
    Observation seen;

    if (all->len == 0)
        return;
    seen = observe(cache_find(jobs->parts.cache, uuid));
    seen.fresh = refresher_is_fresh(jobs->parts.refresher, uuid);
    for (unsigned i = 0; i < all->len; i++) {
        Job *job = all->pdata[i];

        if (g_str_equal(job->object.domain->uuid, uuid))
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
jobs_domain_migrated(Jobs *jobs, const char *uuid)
{
    Job *job = jobs_find(jobs, uuid);

    if (job)
        operation_event(job->operation, clock_now_usec(), OPERATION_EVENT_MIGRATED);
}

static void
look_for_more(Jobs *jobs)
{
    GHashTableIter iter;
    gpointer uuid, domain;

    cache_iter_init(&iter, jobs->parts.cache);
    while (g_hash_table_iter_next(&iter, &uuid, &domain))
        if (!jobs_find(jobs, uuid))
            job_finder_search(jobs->finder, domain);
}

void
jobs_connection(Jobs *jobs, bool connected)
{
    g_autoptr(GPtrArray) all = all_jobs(jobs);

    if (connected)
        look_for_more(jobs);
    for (unsigned i = 0; i < all->len; i++)
        operation_connection(((Job *)all->pdata[i])->operation, clock_now_usec(), connected);
}

void
jobs_stop(Jobs *jobs)
{
    g_autoptr(GPtrArray) all = all_jobs(jobs);

    for (unsigned i = 0; i < all->len; i++)
        operation_abort(((Job *)all->pdata[i])->operation, "the service is stopping");
}

/* --- life of the whole -------------------------------------------------------------------- */

Jobs *
jobs_new(const JobParts *parts)
{
    Jobs *jobs = g_new0(Jobs, 1);

    jobs->parts = *parts;
    jobs->finder = job_finder_new(parts->lane_pool, parts->cache, on_found, jobs);
    jobs->by_domain = g_hash_table_new(g_str_hash, g_str_equal);
    return jobs;
}

void
jobs_free(Jobs *jobs)
{
    if (!jobs)
        return;
    job_finder_free(jobs->finder);
    g_hash_table_unref(jobs->by_domain);
    g_free(jobs);
}
