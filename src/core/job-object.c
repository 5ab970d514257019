/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job-object.h"

#include "clock.h"
#include "deferred.h"

struct JobObjects {
    const JobListener *listener;
    void *userdata;
    uint64_t last_number;
    GHashTable *by_number; /* number (of the job) -> JobObject, with a reference */
    GPtrArray *ended;      /* released at the end of the turn: they are on the stack */
    Deferred *release_ended;
};

/* --- the table ---------------------------------------------------------------------------- */

static void
release(gpointer job)
{
    job_object_unref(job);
}

static void
on_release_ended(void *userdata)
{
    g_ptr_array_set_size(((JobObjects *)userdata)->ended, 0);
}

JobObjects *
job_objects_new(struct sd_event *event, const JobListener *listener, void *userdata)
{
    JobObjects *objects = g_new0(JobObjects, 1);

    objects->listener = listener;
    objects->userdata = userdata;
    /* The time in ms: a later process begins with a higher number than any that was used. */
    objects->last_number = clock_realtime_usec() / 1000;
    objects->by_number = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, release);
    objects->ended = g_ptr_array_new_with_free_func(release);
    objects->release_ended = deferred_new(event, DEFERRED_IN_TURN, on_release_ended, objects);
    return objects;
}

void
job_objects_free(JobObjects *objects)
{
    if (!objects)
        return;
    deferred_free(objects->release_ended);
    g_hash_table_unref(objects->by_number);
    g_ptr_array_unref(objects->ended);
    g_free(objects);
}

JobObject *
job_objects_find(const JobObjects *objects, uint64_t number)
{
    return g_hash_table_lookup(objects->by_number, &number);
}

GPtrArray *
job_objects_all(const JobObjects *objects, const JobClass *class)
{
    GPtrArray *all = g_ptr_array_new_with_free_func(release);
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, objects->by_number);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        JobObject *job = value;

        if (!class || job->class == class)
            g_ptr_array_add(all, job_object_ref(job));
    }
    return all;
}

/* --- life --------------------------------------------------------------------------------- */

JobObject *
job_object_ref(JobObject *job)
{
    job->n_ref++;
    return job;
}

void
job_object_unref(JobObject *job)
{
    if (--job->n_ref == 0)
        job->class->free(job);
}

void
job_object_init(JobObjects *objects, JobObject *job, const JobObjectSpec *spec)
{
    job->n_ref = 1;
    job->objects = objects;
    job->class = spec->class;
    job->number = ++objects->last_number;
    job->domain = domain_ref(spec->domain);
    job->operation = spec->operation;
    job->disk = g_strdup(spec->disk);
    job->started_at = clock_realtime_usec();
    job->progress = -1;
    job->waiters = waiters_new();
    job->cancel_waiters = waiters_new();
    job->uid = spec->caller->uid;
    job->caller = g_strdup(spec->caller->name);
    g_hash_table_insert(objects->by_number, &job->number, job);
}

void
job_object_clear(JobObject *job)
{
    domain_unref(job->domain);
    waiters_free(job->waiters);
    waiters_free(job->cancel_waiters);
    g_free(job->disk);
    g_free(job->caller);
}

void
job_object_announce(JobObject *job)
{
    job->objects->listener->added(job->objects->userdata, job);
}

void
job_object_set_progress(JobObject *job, double progress)
{
    if (ABS(job->progress - progress) < 1e-6)
        return;
    job->progress = progress;
    job->objects->listener->changed(job->objects->userdata, job, JOB_CHANGE_PROGRESS);
}

/* --- waiting ------------------------------------------------------------------------------ */

static void
answer(Waiters **waiters, const Error *error)
{
    Waiters *answered = *waiters;

    *waiters = waiters_new();
    waiters_answer(answered, error ? OUTCOME_FAILED : OUTCOME_OK, NULL, error);
}

void
job_object_wait(JobObject *job, Pending *pending, WaiterDone done, void *userdata)
{
    waiters_add(job->waiters, pending, done, userdata);
}

void
job_object_cancel(JobObject *job, Pending *pending, WaiterDone done, void *userdata)
{
    job_object_ref(job);
    g_autoptr(Error) error = job->class->cancel(job);

    waiters_add(job->cancel_waiters, pending, done, userdata);
    if (error || job->ended)
        answer(&job->cancel_waiters, error);
    job_object_unref(job);
}

void
job_object_refuse_cancel(JobObject *job, const Error *error)
{
    g_autoptr(Error) refusal = error_copy(error);

    refusal->kind = ERROR_INVALID_STATE;
    answer(&job->cancel_waiters, refusal);
}

/* --- the end ------------------------------------------------------------------------------ */

char *
job_object_describe(const JobObject *job)
{
    return g_strdup_printf("%s of %s%s\"%s\"", job->operation, job->disk, *job->disk ? " of " : "",
                           job->domain->name);
}

static char *
end_message(const JobObject *job, OperationResult result, const Error *error)
{
    g_autofree char *what = job_object_describe(job);

    if (error)
        return g_strdup_printf("%s ended as %s: %s", what, operation_result_name(result),
                               error->message);
    return g_strdup_printf("%s is done%s", what,
                           job->forced
                               ? ": the guest did not power off within its time, and its power "
                                 "was cut"
                               : "");
}

static void
log_end(const JobObject *job, OperationResult result, const Error *error)
{
    static const LogEvent events[_RESULT_MAX] = {
        [RESULT_DONE] = LOG_EVENT_OPERATION_DONE,
        [RESULT_FAILED] = LOG_EVENT_OPERATION_FAILED,
        [RESULT_TIMEOUT] = LOG_EVENT_OPERATION_FAILED,
        [RESULT_CANCELED] = LOG_EVENT_OPERATION_CANCELED,
    };
    char uid[LOG_NUMBER_SIZE];
    char code[LOG_NUMBER_SIZE];
    LogEvent event = result == RESULT_DONE && job->forced ? LOG_EVENT_POWER_CUT : events[result];
    g_autofree char *message = end_message(job, result, error);

    log_event(event, message, LOG_FIELD_VM_UUID, job->domain->uuid, LOG_FIELD_VM_NAME,
              job->domain->name, LOG_FIELD_VM_OPERATION, job->operation, LOG_FIELD_VM_RESULT,
              operation_result_name(result), LOG_FIELD_LIBVIRT_ERROR_CODE,
              error && error->libvirt_code ? log_number(code, error->libvirt_code) : NULL,
              LOG_FIELD_CALLER_UID, job->uid != (uid_t)-1 ? log_number(uid, job->uid) : NULL,
              LOG_FIELD_CALLER_BUS_NAME, job->caller, NULL);
}

static Error *
too_late_error(const JobObject *job)
{
    g_autofree char *what = job_object_describe(job);

    return error_new(ERROR_INVALID_STATE, "%s can no longer be canceled: it has ended", what);
}

void
job_object_end(JobObject *job, OperationResult result, const Error *error, bool forced)
{
    JobObjects *objects = job->objects;
    g_autoptr(Error) too_late = result == RESULT_CANCELED ? NULL : too_late_error(job);

    job->ended = true;
    job->forced = forced;
    log_end(job, result, error);
    if (forced)
        objects->listener->changed(objects->userdata, job, JOB_CHANGE_FORCED);
    objects->listener->removed(objects->userdata, job, result, error);
    g_ptr_array_add(objects->ended, job_object_ref(job));
    deferred_schedule(objects->release_ended);
    g_hash_table_remove(objects->by_number, &job->number);
    answer(&job->waiters, error);
    answer(&job->cancel_waiters, too_late);
}
