/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job.h"

#include "hypervisor-domain.h"
#include "hypervisor-job.h"
#include "job-progress.h"
#include "log.h"
#include "manager.h"
#include "names.h"
#include "object-path.h"
#include "operation-plan.h"

#include <time.h>

struct Jobs {
    Manager *manager;
    uint64_t last_number;
    GHashTable *by_number; /* number (of the job) -> Job, with a reference */
    GHashTable *by_domain; /* uuid (of the domain) -> Job */
    GPtrArray *ended;      /* to be released when nobody stands inside them */
    sd_event_source *reaper;
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
    sd_event_source_disable_unref(job->timer);
    job_progress_free(job->watch);
    operation_free(job->operation);
    domain_unref(job->domain);
    g_ptr_array_unref(job->calls);
    g_ptr_array_unref(job->requests);
    g_ptr_array_unref(job->cancels);
    g_free(job->path);
    g_free(job->sender);
    g_free(job);
}

static void
release_job(gpointer job)
{
    job_unref(job);
}

static int
on_reap(sd_event_source *source, void *userdata)
{
    Jobs *jobs = userdata;

    g_ptr_array_set_size(jobs->ended, 0);
    return 0;
}

Jobs *
jobs_new(Manager *m)
{
    Jobs *jobs = g_new0(Jobs, 1);

    jobs->manager = m;
    jobs->by_number = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, release_job);
    jobs->by_domain = g_hash_table_new(g_str_hash, g_str_equal);
    jobs->ended = g_ptr_array_new_with_free_func(release_job);
    if (sd_event_add_defer(m->event, &jobs->reaper, on_reap, jobs) < 0 ||
        sd_event_source_set_enabled(jobs->reaper, SD_EVENT_OFF) < 0) {
        jobs_free(jobs);
        return NULL;
    }
    return jobs;
}

void
jobs_free(Jobs *jobs)
{
    if (!jobs)
        return;
    sd_event_source_disable_unref(jobs->reaper);
    g_hash_table_unref(jobs->by_domain);
    g_hash_table_unref(jobs->by_number);
    g_ptr_array_unref(jobs->ended);
    g_free(jobs);
}

static uint64_t
realtime_now(void)
{
    return (uint64_t)g_get_real_time();
}

static Job *
job_new(Manager *m, Domain *domain, const OperationSpec *spec, const Request *request)
{
    Jobs *jobs = m->jobs;
    Job *job = g_new0(Job, 1);

    job->n_ref = 1;
    job->manager = m;
    job->number = ++jobs->last_number;
    job->path = g_strdup(object_path_of_job(job->number).text);
    job->domain = domain_ref(domain);
    job->operation_name = operation_name(spec->kind);
    job->operation = operation_new(spec, domain->name, &effects, job);
    job->started_at = realtime_now();
    job->progress = -1;
    job->actions = request->actions;
    job->calls = g_ptr_array_new();
    job->requests = g_ptr_array_new();
    job->cancels = g_ptr_array_new();
    job->uid = request->uid;
    job->sender = g_strdup(request->caller.sender);
    g_hash_table_insert(jobs->by_number, &job->number, job);
    g_hash_table_replace(jobs->by_domain, job->domain->uuid, job);
    return job;
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
    operation_call_done(job->operation, manager_now(job->manager), step->serial, outcome, error);
}

static void
free_step(Call *call)
{
    StepCall *step = (StepCall *)call;

    operation_payload_unref(step->payload);
    job_unref(step->job);
    g_free(step);
}

static CallClass
class_of(DomainVerb verb)
{
    if (verb == VERB_DESTROY)
        return CALL_FORCE;
    return verb >= VERB_SAVE ? CALL_LONG : CALL_OPERATION;
}

static void
effect_call(void *userdata, DomainVerb verb, unsigned serial)
{
    Job *job = userdata;
    StepCall *step = g_new0(StepCall, 1);

    step->call.class = class_of(verb);
    step->call.name = call_name_of_verb(verb);
    g_strlcpy(step->call.key, job->domain->uuid, sizeof step->call.key);
    step->call.work = work_step;
    step->call.done = on_step_done;
    step->call.free = free_step;
    step->job = job_ref(job);
    step->verb = verb;
    step->payload = operation_payload_ref(operation_spec(job->operation)->payload);
    step->serial = serial;
    if (step->payload && !job->watch)
        job->watch = job_progress_new(job, verb, step->payload);
    g_ptr_array_add(job->calls, step);
    lane_pool_submit(job->manager->lane_pool, &step->call);
}

static void
effect_refresh(void *userdata)
{
    Job *job = userdata;

    refresher_mark(job->manager->refresher, job->domain->uuid, FACT_ALL);
}

static void
effect_probe(void *userdata, unsigned serial)
{
    job_progress_probe(((Job *)userdata)->watch, serial);
}

static bool
effect_abort(void *userdata)
{
    Job *job = userdata;

    /* A long operation has no other call. */
    if (job->calls->len > 0 && lane_pool_withdraw(job->manager->lane_pool, job->calls->pdata[0])) {
        g_ptr_array_set_size(job->calls, 0);
        return true;
    }
    job_progress_abort(job->watch);
    return false;
}

static int
on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    Job *job = userdata;

    operation_elapsed(job->operation, manager_now(job->manager));
    return 0;
}

static void
effect_arm(void *userdata, uint64_t when)
{
    Job *job = userdata;

    if (when == UINT64_MAX) {
        if (job->timer)
            (void)sd_event_source_set_enabled(job->timer, SD_EVENT_OFF);
        return;
    }
    int r = job->timer ? sd_event_source_set_time(job->timer, when)
                       : sd_event_add_time(job->manager->event, &job->timer, CLOCK_MONOTONIC, when,
                                           1000, on_timer, job);
    if (r >= 0)
        r = sd_event_source_set_enabled(job->timer, SD_EVENT_ONESHOT);
    if (r < 0)
        log_message(LOG_ERR, "Arming a timer for %s failed: %s", job->path, g_strerror(-r));
}

static void
log_end(const Job *job, OperationResult result, const Error *error)
{
    static const LogEvent events[_RESULT_MAX] = {
        [RESULT_DONE] = LOG_EVENT_OPERATION_DONE,
        [RESULT_FAILED] = LOG_EVENT_OPERATION_FAILED,
        [RESULT_TIMEOUT] = LOG_EVENT_OPERATION_FAILED,
        [RESULT_CANCELED] = LOG_EVENT_OPERATION_CANCELED,
    };
    char uid[LOG_NUMBER_SIZE];
    char code[LOG_NUMBER_SIZE];
    g_autofree char *message =
        error ? g_strdup_printf("%s of \"%s\" ended as %s: %s", job->operation_name,
                                job->domain->name, operation_result_name(result), error->message)
              : g_strdup_printf("%s of \"%s\" is done", job->operation_name, job->domain->name);

    log_event(events[result], message, LOG_FIELD_VM_UUID, job->domain->uuid, LOG_FIELD_VM_NAME,
              job->domain->name, LOG_FIELD_VM_OPERATION, job->operation_name, LOG_FIELD_VM_RESULT,
              operation_result_name(result), LOG_FIELD_LIBVIRT_ERROR_CODE,
              error && error->libvirt_code ? log_number(code, error->libvirt_code) : NULL,
              LOG_FIELD_CALLER_UID,
              job->uid != AUTHORIZE_UID_UNKNOWN ? log_number(uid, job->uid) : NULL,
              LOG_FIELD_CALLER_BUS_NAME, job->sender, NULL);
}

static void
emit_removed(Job *job, OperationResult result, const Error *error)
{
    Manager *m = job->manager;
    int r = sd_bus_emit_object_removed(m->bus, job->path);

    if (r >= 0)
        r = sd_bus_emit_signal(m->bus, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "JobRemoved", "oosss",
                               job->path, object_path_of_domain(job->domain->uuid).text,
                               job->operation_name, operation_result_name(result),
                               error ? error->message : "");
    if (r < 0)
        log_message(LOG_ERR, "Signalling the end of %s failed: %s", job->path, g_strerror(-r));
}

static void
answer_requests(Job *job, const Error *error)
{
    g_autoptr(GPtrArray) requests = g_steal_pointer(&job->requests);

    job->requests = g_ptr_array_new();
    for (unsigned i = 0; i < requests->len; i++) {
        Request *request = requests->pdata[i];

        request->job = NULL;
        if (error)
            request_fail(request, error);
        else
            request_reply(request);
    }
}

static void
answer_cancels(Job *job, const Error *error)
{
    g_autoptr(GPtrArray) cancels = g_steal_pointer(&job->cancels);

    job->cancels = g_ptr_array_new();
    for (unsigned i = 0; i < cancels->len; i++) {
        Request *request = cancels->pdata[i];

        request->job = NULL;
        if (error)
            request_fail(request, error);
        else
            request_reply(request);
    }
}

static Error *
too_late_error(const Job *job)
{
    return error_new(ERROR_INVALID_STATE, "%s of \"%s\" can no longer be canceled: it has ended",
                     job->operation_name, job->domain->name);
}

static void
effect_finished(void *userdata, OperationResult result, const Error *error)
{
    Job *job = userdata;
    Manager *m = job->manager;
    Jobs *jobs = m->jobs;

    job->ended = true;
    job_progress_stop(job->watch);
    for (unsigned i = job->calls->len; i-- > 0;)
        lane_pool_abandon(m->lane_pool, job->calls->pdata[i]);
    g_ptr_array_set_size(job->calls, 0);

    log_end(job, result, error);
    if (g_hash_table_lookup(jobs->by_domain, job->domain->uuid) == job) {
        Domain *domain = manager_find_domain(m, job->domain->uuid);

        g_hash_table_remove(jobs->by_domain, job->domain->uuid);
        if (domain) {
            domain_set_job(domain, 0);
            manager_domain_changed(m, domain);
        }
    }
    manager_flush(m);
    /* The object is still found while its removal is told. */
    emit_removed(job, result, error);
    job_ref(job);
    g_hash_table_remove(jobs->by_number, &job->number);
    answer_requests(job, error);
    g_autoptr(Error) too_late = result == RESULT_CANCELED ? NULL : too_late_error(job);
    answer_cancels(job, too_late);
    g_ptr_array_add(jobs->ended, job);
    (void)sd_event_source_set_enabled(jobs->reaper, SD_EVENT_ONESHOT);
}

static const OperationEffects effects = {
    .call = effect_call,
    .refresh = effect_refresh,
    .probe = effect_probe,
    .abort = effect_abort,
    .arm = effect_arm,
    .finished = effect_finished,
};

/* --- beginning ---------------------------------------------------------------------------- */

static Error *
busy_error(const Job *job, const OperationSpec *spec)
{
    return error_new(ERROR_BUSY, "%s is not possible: %s of \"%s\" is under way (%s)",
                     operation_name(spec->kind), job->operation_name, job->domain->name, job->path);
}

/* What has not been sent by now would be carried out behind ForceStop's back. */
static void
withdraw_calls(Job *job)
{
    Manager *m = job->manager;

    job_ref(job);
    for (unsigned i = job->calls->len; i-- > 0 && !job->ended;) {
        StepCall *step = job->calls->pdata[i];
        unsigned serial = step->serial;

        if (!lane_pool_withdraw(m->lane_pool, &step->call))
            continue;
        g_ptr_array_remove_index_fast(job->calls, i);
        operation_call_done(job->operation, manager_now(m), serial, OUTCOME_UNSENT, NULL);
    }
    job_unref(job);
}

Job *
job_begin(Request *request, Domain *domain, const OperationSpec *spec, Error **error)
{
    Manager *m = request->manager;
    Job *running = jobs_find(m->jobs, domain->uuid);
    DomainState state = domain->state;

    if (running && operation_is_same(running->operation, spec))
        return running;
    if (running && spec->kind != OPERATION_FORCE_STOP) {
        *error = busy_error(running, spec);
        return NULL;
    }
    *error = operation_check(spec, state, domain->persistent, domain->name);
    if (*error && !running)
        return NULL;
    if (*error) {
        /* What it overtakes may have got further than we have heard of: libvirt knows. */
        g_clear_pointer(error, error_free);
        state = DOMAIN_NOSTATE;
    }

    Job *job = job_new(m, domain, spec, request);
    domain_set_job(domain, job->number);
    manager_domain_changed(m, domain);
    int r = sd_bus_emit_object_added(m->bus, job->path);
    if (r < 0)
        log_message(LOG_ERR, "Announcing %s failed: %s", job->path, g_strerror(-r));
    manager_flush(m);
    if (running) {
        running->overtaken = true;
        operation_overtake(running->operation, manager_now(m));
        withdraw_calls(running);
    }
    operation_begin(job->operation, manager_now(m), state, domain->id, domain->persistent);
    return job;
}

Job *
jobs_find(Jobs *jobs, const char *uuid)
{
    return g_hash_table_lookup(jobs->by_domain, uuid);
}

Job *
jobs_find_by_number(Jobs *jobs, uint64_t number)
{
    return g_hash_table_lookup(jobs->by_number, &number);
}

GPtrArray *
jobs_all(Jobs *jobs)
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
job_cancel(Job *job, Request *request)
{
    g_autoptr(Error) error = operation_cancel(job->operation, manager_now(job->manager));

    if (error) {
        request_fail(request, error);
    } else if (job->ended) {
        request_reply(request);
    } else {
        request->job = job;
        g_ptr_array_add(job->cancels, request);
    }
}

void
job_cancel_failed(Job *job, const Error *error)
{
    answer_cancels(job, error);
}

void
job_set_progress(Job *job, double progress)
{
    if (job->ended || ABS(job->progress - progress) < 1e-6)
        return;
    job->progress = progress;
    int r = sd_bus_emit_properties_changed(job->manager->bus, job->path, VMS_JOB_INTERFACE,
                                           "Progress", NULL);
    if (r < 0)
        log_message(LOG_ERR, "Signalling the progress of %s failed: %s", job->path, g_strerror(-r));
}

void
job_forget_request(Job *job, Request *request)
{
    g_ptr_array_remove(job->requests, request);
    g_ptr_array_remove(job->cancels, request);
}

/* --- news --------------------------------------------------------------------------------- */

static bool
is_starting_up(const Domain *domain)
{
    return domain->state == DOMAIN_PAUSED && g_str_equal(domain->reason, "starting-up");
}

void
jobs_domain_changed(Jobs *jobs, const char *uuid, bool gone)
{
    Manager *m = jobs->manager;
    g_autoptr(GPtrArray) all = NULL;

    if (g_hash_table_size(jobs->by_number) == 0)
        return;
    all = jobs_all(jobs);
    for (unsigned i = 0; i < all->len; i++) {
        Job *job = all->pdata[i];
        const Domain *domain = gone ? NULL : manager_find_domain(m, uuid);
        Observation seen = {
            .state = domain ? domain->state : DOMAIN_SHUTOFF,
            .id = domain ? domain->id : -1,
            .gone = !domain,
            .starting_up = domain && is_starting_up(domain),
            .fresh = refresher_is_fresh(m->refresher, uuid),
        };

        if (g_str_equal(job->domain->uuid, uuid))
            operation_observe(job->operation, manager_now(m), &seen);
    }
}

void
jobs_domain_rebooted(Jobs *jobs, const char *uuid)
{
    Job *job = jobs_find(jobs, uuid);

    if (job)
        operation_event(job->operation, manager_now(jobs->manager), OPERATION_EVENT_REBOOTED);
}

void
jobs_connection(Jobs *jobs, bool connected)
{
    g_autoptr(GPtrArray) all = jobs_all(jobs);

    for (unsigned i = 0; i < all->len; i++)
        operation_connection(((Job *)all->pdata[i])->operation, manager_now(jobs->manager),
                             connected);
}

void
jobs_stop(Jobs *jobs)
{
    g_autoptr(GPtrArray) all = jobs_all(jobs);

    for (unsigned i = 0; i < all->len; i++)
        operation_abort(((Job *)all->pdata[i])->operation, "the service is stopping");
}
