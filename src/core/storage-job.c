/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage-job.h"

#include "block-job-finder.h"
#include "clock.h"
#include "hypervisor-block-job.h"
#include "hypervisor-storage.h"
#include "timer.h"
#include "units.h"

#define TIMER_ACCURACY_USEC MSEC

struct StorageJobs {
    StorageJobParts parts;
    BlockJobFinder *finder;
};

typedef struct DiskCall DiskCall;

typedef struct {
    JobObject object; /* first: it is one */
    StorageJobs *jobs;
    DiskOperation *operation;
    Timer *timer;
    DiskCall *call; /* under way; NULL: none */

    /* Told once the domain has been read again. */
    Pending refresh;
    OperationResult result;
    Error *error;
} StorageJob;

/* A call of the operation. It keeps its job. */
struct DiskCall {
    Call call;
    StorageJob *job;
    DiskCallKind kind;
    BlockJobType type;
    char *target;
    DiskOperationSpec *spec;
    bool is_active; /* the domain, when the call was made */
    DiskAnswer answer;
};

static const JobClass storage_job_class;

/* --- calls -------------------------------------------------------------------------------- */

static const struct {
    CallClass class;
    const char *name;
} call_kinds[] = {
    [DISK_CALL_READ_CHAIN] = {CALL_XML, "virDomainGetXMLDesc"},
    [DISK_CALL_READ_CAPACITY] = {CALL_CHANGE, "virDomainGetBlockInfo"},
    [DISK_CALL_RESIZE] = {CALL_CHANGE, "virDomainBlockResize"},
    [DISK_CALL_START] = {CALL_CHANGE, NULL},
    [DISK_CALL_POLL] = {CALL_PROGRESS, "virDomainGetBlockJobInfo"},
    [DISK_CALL_KEEP] = {CALL_JOB_CONTROL, "virDomainBlockJobAbort"},
    [DISK_CALL_PIVOT] = {CALL_JOB_CONTROL, "virDomainBlockJobAbort"},
    [DISK_CALL_GIVE_UP] = {CALL_JOB_CONTROL, "virDomainBlockJobAbort"},
};

static const char *
name_of_start(BlockJobType type)
{
    switch (type) {
    case BLOCK_JOB_PULL:
        return "virDomainBlockRebase";
    case BLOCK_JOB_COPY:
        return "virDomainBlockCopy";
    default:
        return "virDomainBlockCommit";
    }
}

static bool
work_call(Call *call, Hypervisor *h, Error **error)
{
    DiskCall *disk_call = (DiskCall *)call;
    DiskAnswer *answer = &disk_call->answer;
    const char *uuid = call->key;
    const char *target = disk_call->target;

    switch (disk_call->kind) {
    case DISK_CALL_READ_CHAIN:
        return hypervisor_read_disk_chain(h, uuid, target, &answer->chain, error);
    case DISK_CALL_READ_CAPACITY:
        return hypervisor_get_capacity(h, uuid, target, &answer->capacity, error);
    case DISK_CALL_RESIZE:
        return hypervisor_resize_disk(h, uuid, target, disk_call->spec->bytes, disk_call->is_active,
                                      &answer->capacity, error);
    case DISK_CALL_START:
        return hypervisor_start_block_job(h, uuid, target, disk_call->type, disk_call->spec, error);
    case DISK_CALL_POLL:
        return hypervisor_get_block_job(h, uuid, target, &answer->info, error);
    default:
        return hypervisor_end_block_job(h, uuid, target, disk_call->kind == DISK_CALL_PIVOT, error);
    }
}

static void
free_call(Call *call)
{
    DiskCall *disk_call = (DiskCall *)call;

    disk_chain_clear(&disk_call->answer.chain);
    disk_operation_spec_unref(disk_call->spec);
    g_free(disk_call->target);
    job_object_unref(&disk_call->job->object);
    g_free(disk_call);
}

/* Publish the capacity after a Resize, since libvirt has no event for that. */
static void
note_capacity(const StorageJob *job, uint64_t capacity)
{
    Cache *cache = job->jobs->parts.cache;
    Domain *domain = cache_find(cache, job->object.domain->uuid);
    g_autoptr(GHashTable) capacities = g_hash_table_new(g_str_hash, g_str_equal);

    if (!domain || capacity == 0)
        return;
    disk_sizes_outdate(job->jobs->parts.disk_sizes, domain->uuid);
    g_hash_table_insert(capacities, job->object.disk, &capacity);
    cache_before_change(cache, domain, DOMAIN_CHANGED(DISKS));
    domain_set_capacities(domain, capacities);
    cache_changed(cache, domain);
}

static void
on_call_done(Call *call, CallOutcome outcome, const Error *error)
{
    DiskCall *disk_call = (DiskCall *)call;
    StorageJob *job = disk_call->job;

    job->call = NULL;
    if (outcome == OUTCOME_OK)
        note_capacity(job, disk_call->answer.capacity);
    disk_operation_call_done(job->operation, clock_now_usec(), outcome, &disk_call->answer, error);
}

static void
effect_call(void *userdata, DiskCallKind kind, BlockJobType type)
{
    StorageJob *job = userdata;
    const JobObject *object = &job->object;
    const Domain *domain = cache_find(job->jobs->parts.cache, object->domain->uuid);
    DiskCall *disk_call = g_new0(DiskCall, 1);

    disk_call->call.class = call_kinds[kind].class;
    disk_call->call.name = kind == DISK_CALL_START ? name_of_start(type) : call_kinds[kind].name;
    disk_call->call.uid = object->uid == (uid_t)-1 ? 0 : object->uid;
    g_strlcpy(disk_call->call.key, object->domain->uuid, sizeof disk_call->call.key);
    disk_call->call.work = work_call;
    disk_call->call.done = on_call_done;
    disk_call->call.free = free_call;
    job_object_ref(&job->object);
    disk_call->job = job;
    disk_call->kind = kind;
    disk_call->type = type;
    disk_call->target = g_strdup(object->disk);
    disk_call->spec = disk_operation_spec_ref(disk_operation_spec(job->operation));
    disk_call->is_active = domain && domain->id >= 0;
    job->call = disk_call;
    lane_pool_submit(job->jobs->parts.lane_pool, &disk_call->call);
}

/* --- the operation's other effects -------------------------------------------------------- */

static bool
effect_withdraw(void *userdata)
{
    StorageJob *job = userdata;

    if (!lane_pool_withdraw(job->jobs->parts.lane_pool, &job->call->call))
        return false;
    job->call = NULL;
    return true;
}

static void
effect_arm(void *userdata, uint64_t when)
{
    timer_arm(((StorageJob *)userdata)->timer, when);
}

static void
effect_progressed(void *userdata, double progress)
{
    job_object_set_progress(&((StorageJob *)userdata)->object, progress);
}

static void
effect_refused(void *userdata, const Error *error)
{
    job_object_refuse_cancel(&((StorageJob *)userdata)->object, error);
}

static void
set_disk_job(Cache *cache, Domain *domain, const char *target, uint64_t number)
{
    cache_before_change(cache, domain, DOMAIN_CHANGED(DISKS));
    domain_set_disk_job(domain, target, number);
    cache_changed(cache, domain);
}

static void
end(StorageJob *job)
{
    Cache *cache = job->jobs->parts.cache;
    JobObject *object = &job->object;
    Domain *domain = cache_find(cache, object->domain->uuid);

    object->ended = true; /* it occupies the disk no more */
    if (domain)
        set_disk_job(cache, domain, object->disk, 0);
    cache_flush(cache);
    job_object_end(object, job->result, job->error, false);
}

static void
on_refreshed(void *userdata, CallOutcome outcome, void *answer, const Error *error)
{
    end(userdata);
}

static void
effect_finished(void *userdata, OperationResult result, const Error *error)
{
    StorageJob *job = userdata;
    const StorageJobParts *parts = &job->jobs->parts;
    const DiskOperationSpec *spec = disk_operation_spec(job->operation);
    const char *uuid = job->object.domain->uuid;

    if (job->call)
        lane_pool_abandon(parts->lane_pool, &job->call->call);
    job->call = NULL;
    job->result = result;
    job->error = error_copy(error);
    block_job_finder_outdate(job->jobs->finder, uuid);
    /* The job may have given the disk another file: that is signalled before the job's end. */
    if (result == RESULT_DONE && !(spec && spec->kind == DISK_RESIZE))
        refresher_refresh(parts->refresher, uuid, &job->refresh, on_refreshed, job);
    else
        end(job);
}

static const DiskOperationEffects effects = {
    .call = effect_call,
    .withdraw = effect_withdraw,
    .arm = effect_arm,
    .progressed = effect_progressed,
    .refused = effect_refused,
    .finished = effect_finished,
};

/* --- life --------------------------------------------------------------------------------- */

static void
free_job(JobObject *object)
{
    StorageJob *job = (StorageJob *)object;

    timer_free(job->timer);
    disk_operation_free(job->operation);
    error_free(job->error);
    job_object_clear(object);
    g_free(job);
}

static Error *
cancel_job(JobObject *object)
{
    return disk_operation_cancel(((StorageJob *)object)->operation, clock_now_usec());
}

static const JobClass storage_job_class = {
    .cancel = cancel_job,
    .free = free_job,
};

static void
on_timer(void *userdata)
{
    disk_operation_elapsed(((StorageJob *)userdata)->operation, clock_now_usec());
}

static StorageJob *
job_new(StorageJobs *jobs, const JobObjectSpec *object_spec, const DiskOperationSpec *spec)
{
    StorageJob *job = g_new0(StorageJob, 1);

    job_object_init(jobs->parts.objects, &job->object, object_spec);
    g_autofree char *what = job_object_describe(&job->object);
    job->jobs = jobs;
    job->operation = disk_operation_new(spec, what, &effects, job);
    job->timer = timer_new(jobs->parts.event, TIMER_ACCURACY_USEC, on_timer, job);
    return job;
}

static void
announce(StorageJob *job, Domain *domain)
{
    Cache *cache = job->jobs->parts.cache;

    set_disk_job(cache, domain, job->object.disk, job->object.number);
    job_object_announce(&job->object);
    cache_flush(cache);
}

/* --- finding ------------------------------------------------------------------------------ */

static GPtrArray *
all_jobs(const StorageJobs *jobs)
{
    return job_objects_all(jobs->parts.objects, &storage_job_class);
}

JobObject *
storage_jobs_find(const StorageJobs *jobs, const char *uuid, const char *target)
{
    g_autoptr(GPtrArray) all = all_jobs(jobs);

    for (unsigned i = 0; i < all->len; i++) {
        JobObject *object = all->pdata[i];

        if (!object->ended && g_str_equal(object->domain->uuid, uuid) &&
            g_str_equal(object->disk, target))
            return object;
    }
    return NULL;
}

bool
storage_jobs_has_disk(const Domain *domain, const char *target)
{
    Row disk;

    for (Rows disks = domain_config_rows(&domain->config, HARDWARE_DISKS);
         rows_take(&disks, &disk);)
        if (g_str_equal(row_text(disk, ROW_TARGET), target))
            return true;
    return false;
}

/* --- beginning ---------------------------------------------------------------------------- */

static const char *
name_of_type(BlockJobType type)
{
    switch (type) {
    case BLOCK_JOB_PULL:
        return disk_operation_name(DISK_PULL);
    case BLOCK_JOB_COPY:
        return disk_operation_name(DISK_COPY);
    default:
        return disk_operation_name(DISK_COMMIT);
    }
}

/* Follow a job that somebody else has begun, or an earlier process of the service. */
static void
on_found(void *userdata, Domain *domain, FoundBlockJob *found)
{
    StorageJobs *jobs = userdata;
    const JobCaller nobody = {.uid = (uid_t)-1};
    const JobObjectSpec object_spec = {
        .class = &storage_job_class,
        .domain = domain,
        .operation = name_of_type(found->info.type),
        .disk = found->target,
        .caller = &nobody,
    };

    if (storage_jobs_find(jobs, domain->uuid, found->target))
        return;
    StorageJob *job = job_new(jobs, &object_spec, NULL);
    job->object.progress = found->info.progress;
    announce(job, domain);
    disk_operation_follow(job->operation, clock_now_usec(), &found->info, &found->chain);
}

/* The capacity may be larger than is known, if others have changed it; libvirt is asked, too. */
static Error *
check_growth(const Domain *domain, const char *target, uint64_t bytes)
{
    Row disk;

    for (Rows disks = domain_config_rows(&domain->config, HARDWARE_DISKS);
         rows_take(&disks, &disk);) {
        uint64_t capacity = row_number(disk, ROW_CAPACITY);

        if (g_str_equal(row_text(disk, ROW_TARGET), target) && capacity > bytes)
            return error_new(ERROR_INVALID_ARGS,
                             "The disk \"%s\" has %" G_GUINT64_FORMAT
                             " bytes, and cannot become smaller",
                             target, capacity);
    }
    return NULL;
}

static Error *
check_begin(const JobObject *running, const Domain *domain, const char *target,
            const DiskOperationSpec *spec)
{
    const char *name = disk_operation_name(spec->kind);
    g_autofree char *what = running ? job_object_describe(running) : NULL;

    if (running)
        return error_new(ERROR_BUSY, "%s is not possible: %s is under way", name, what);
    if (domain->id < 0 && spec->kind != DISK_RESIZE)
        return error_new(ERROR_INVALID_STATE, "%s is not possible: \"%s\" is %s", name,
                         domain->name, domain->state_name);
    return spec->kind == DISK_RESIZE ? check_growth(domain, target, spec->bytes) : NULL;
}

JobObject *
storage_job_begin(StorageJobs *jobs, Domain *domain, const char *target,
                  const DiskOperationSpec *spec, const JobCaller *caller, Error **error)
{
    JobObject *running = storage_jobs_find(jobs, domain->uuid, target);
    const DiskOperationSpec *other =
        running ? disk_operation_spec(((StorageJob *)running)->operation) : NULL;
    const JobObjectSpec object_spec = {
        .class = &storage_job_class,
        .domain = domain,
        .operation = disk_operation_name(spec->kind),
        .disk = target,
        .caller = caller,
    };

    if (other && disk_operation_spec_is_same(other, spec))
        return running;
    *error = check_begin(running, domain, target, spec);
    if (*error)
        return NULL;
    StorageJob *job = job_new(jobs, &object_spec, spec);
    announce(job, domain);
    disk_operation_begin(job->operation, clock_now_usec());
    return &job->object;
}

/* --- news --------------------------------------------------------------------------------- */

void
storage_jobs_search(StorageJobs *jobs, const Domain *domain)
{
    block_job_finder_search(jobs->finder, domain);
}

void
storage_jobs_mark_disks(StorageJobs *jobs, Domain *domain)
{
    g_autoptr(GPtrArray) all = all_jobs(jobs);

    for (unsigned i = 0; i < all->len; i++) {
        const JobObject *object = all->pdata[i];

        if (!object->ended && g_str_equal(object->domain->uuid, domain->uuid))
            domain_set_disk_job(domain, object->disk, object->number);
    }
}

void
storage_jobs_domain_changed(StorageJobs *jobs, const char *uuid)
{
    g_autoptr(GPtrArray) all = all_jobs(jobs);

    for (unsigned i = 0; i < all->len; i++) {
        StorageJob *job = all->pdata[i];
        const Domain *domain = cache_find(jobs->parts.cache, uuid);

        if (!g_str_equal(job->object.domain->uuid, uuid))
            continue;
        if (!domain)
            disk_operation_gone(job->operation);
        else if (domain->id < 0)
            disk_operation_off(job->operation, clock_now_usec());
    }
}

void
storage_jobs_event(StorageJobs *jobs, const HypervisorEvent *event)
{
    JobObject *object = storage_jobs_find(jobs, event->uuid, event->device);

    /* A job may be over before it was found. */
    if (!object)
        block_job_finder_outdate(jobs->finder, event->uuid);
    else
        disk_operation_event(((StorageJob *)object)->operation, clock_now_usec(), event->about);
}

void
storage_jobs_connection(StorageJobs *jobs, bool connected)
{
    g_autoptr(GPtrArray) all = all_jobs(jobs);

    for (unsigned i = 0; i < all->len; i++)
        disk_operation_connection(((StorageJob *)all->pdata[i])->operation, clock_now_usec(),
                                  connected);
}

void
storage_jobs_stop(StorageJobs *jobs)
{
    g_autoptr(GPtrArray) all = all_jobs(jobs);

    for (unsigned i = 0; i < all->len; i++) {
        StorageJob *job = all->pdata[i];

        if (pending_is_set(&job->refresh)) {
            pending_cancel(&job->refresh);
            end(job);
        } else {
            disk_operation_abort(job->operation, "the service is stopping; QEMU goes on with it");
        }
    }
}

StorageJobs *
storage_jobs_new(const StorageJobParts *parts)
{
    StorageJobs *jobs = g_new0(StorageJobs, 1);

    jobs->parts = *parts;
    jobs->finder = block_job_finder_new(parts->lane_pool, parts->cache, on_found, jobs);
    return jobs;
}

void
storage_jobs_free(StorageJobs *jobs)
{
    if (!jobs)
        return;
    block_job_finder_free(jobs->finder);
    g_free(jobs);
}
