/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "interfaces.h"

#include "context.h"
#include "names.h"
#include "operation-call.h"

static void
run_cancel(Request *request)
{
    Job *job = jobs_find_by_number(request->service->core->jobs, request->job_number);

    if (job) {
        request->phase = PHASE_JOB;
        job_cancel(job, &request->pending, request_end, request);
        return;
    }
    g_autoptr(Error) error = error_new(ERROR_UNKNOWN_OBJECT, "The job has ended");
    request_fail(request, error);
}

static uint64_t
cancel_actions(const Request *request)
{
    const Job *job = jobs_find_by_number(request->service->core->jobs, request->job_number);

    return operation_call_actions_of(request->service, job->domain, operation_spec(job->operation));
}

static void
write_operation(Wire *wire, const void *object)
{
    wire_put_string(wire, job_operation_name(object));
}

static void
write_domain(Wire *wire, const void *object)
{
    wire_put_string(wire, object_path_of_domain(((const Job *)object)->domain->uuid).text);
}

static const Property properties[] = {
    {"Operation", "s", PROPERTY_CONST, write_operation, 0},
    {"Domain", "o", PROPERTY_CONST, write_domain, 0},
    {"StartedAt", "t", PROPERTY_CONST, NULL, offsetof(Job, started_at)},
    {"Progress", "d", 0, NULL, offsetof(Job, progress)},
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
