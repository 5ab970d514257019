/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "interfaces.h"

#include "context.h"
#include "names.h"
#include "operation-call.h"

static void
run_cancel(Request *request)
{
    JobObject *job = job_objects_find(request->service->core->job_objects, request->job_number);

    if (job) {
        request->phase = PHASE_JOB;
        job_object_cancel(job, &request->pending, request_end, request);
        return;
    }
    g_autoptr(Error) error = error_new(ERROR_UNKNOWN_OBJECT, "The job has ended");
    request_fail(request, error);
}

static uint64_t
cancel_actions(const Request *request)
{
    JobObject *object = job_objects_find(request->service->core->job_objects, request->job_number);
    const Job *job = job_of_object(object);

    if (!job)
        return ACTION_BIT(ACTION_CONFIGURE);
    return operation_call_actions_of(request->service, object->domain,
                                     operation_spec(job->operation));
}

static void
write_domain(Wire *wire, const void *object)
{
    wire_put_string(wire, object_path_of_domain(((const JobObject *)object)->domain->uuid).text);
}

static const Property properties[] = {
    {"Operation", "s", PROPERTY_CONST, NULL, offsetof(JobObject, operation)},
    {"Domain", "o", PROPERTY_CONST, write_domain, 0},
    {"Disk", "s", PROPERTY_CONST, NULL, offsetof(JobObject, disk)},
    {"StartedAt", "t", PROPERTY_CONST, NULL, offsetof(JobObject, started_at)},
    {"Progress", "d", JOB_CHANGE_PROGRESS, NULL, offsetof(JobObject, progress)},
    {"Forced", "b", JOB_CHANGE_FORCED, NULL, offsetof(JobObject, forced)},
    {NULL},
};

static const Method methods[] = {
    {
        .name = "Cancel",
        .in = "",
        .out = "",
        .names = "",
        .kind = METHOD_CHANGE,
        .more_actions = cancel_actions,
        .run = run_cancel,
    },
    {NULL},
};

const Interface bus_job_interface = {
    .name = VMS_JOB_INTERFACE,
    .properties = properties,
    .methods = methods,
};
