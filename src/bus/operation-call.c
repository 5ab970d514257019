/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation-call.h"

#include "context.h"
#include "hypervisor-traits.h"
#include "operation-plan.h"

/* The domain's own stop time-out, or else the service's. */
static uint64_t
stop_timeout(const Service *service, const Domain *domain)
{
    uint64_t own = domain ? domain->config.stop_timeout_usec : 0;

    return own > 0 ? own : service->settings->stop_timeout_usec;
}

/* The requested operation, with its default time-out filled in. */
static OperationSpec
spec_of(const Request *request)
{
    const Service *service = request->service;
    const ConnectionState *state = connection_state(service->core->connection);
    OperationSpec spec = request->args->operation;

    if (request->args->timeout_is_default)
        spec.timeout =
            stop_timeout(service, cache_find(service->core->cache, request->domain_uuid));
    spec.reboot_in_call =
        (hypervisor_traits_of_type(state->identity.type) & TRAIT_REBOOT_IN_CALL) != 0;
    return spec;
}

static void
enter_job(Request *request, Job *job)
{
    if (*request->method->out) {
        request_reply_path(request, object_path_of_job(job->object.number).text);
        return;
    }
    request_wait_for_job(request, job);
    if (request->is_overdue)
        request_leave(request);
}

void
operation_call_fail(Request *request, const Error *error, const JobObject *running)
{
    g_autoptr(Error) busy = NULL;

    /* The last known state may be out of date: it is no reason to refuse. */
    if (request->is_overdue && error->kind != ERROR_BUSY) {
        request_fail_unbegun(request);
        return;
    }
    if (error->kind == ERROR_BUSY && running)
        busy = error_new(ERROR_BUSY, "%s (%s)", error->message,
                         object_path_of_job(running->number).text);
    request_fail(request, busy ? busy : error);
}

static void
begin_job(Request *request)
{
    Jobs *jobs = request->service->core->jobs;
    Domain *domain = request_domain(request);
    g_autoptr(Error) error = NULL;

    if (!domain || request_authorize_again(request))
        return;
    const JobCaller caller = {.uid = request->uid, .name = request->caller.sender};
    const OperationSpec spec = spec_of(request);
    const Job *running = jobs_find(jobs, domain->uuid);
    Job *job = job_begin(jobs, domain, &spec, &caller, &error);
    if (job)
        enter_job(request, job);
    else
        operation_call_fail(request, error, running ? &running->object : NULL);
}

/* Decide by the current state: an event about it may still be in flight. */
static void
refresh_and_begin(Request *request)
{
    request_refresh(request, request->domain_uuid, begin_job);
}

void
operation_call_run(Request *request)
{
    const Domain *domain = request_domain(request);

    if (!domain)
        return;
    const OperationSpec spec = spec_of(request);
    bool force = spec.kind == OPERATION_FORCE_STOP;
    g_autoptr(Error) refusal =
        operation_check(&spec, domain->state, domain->persistent, domain->name);
    const Job *running = jobs_find(request->service->core->jobs, domain->uuid);

    /* A job that runs is joined or named, libvirt or not; nothing that hangs delays ForceStop. */
    if (running && (!force || operation_is_same(running->operation, &spec)))
        begin_job(request);
    else if (running || (force && !refusal))
        request_connect(request, begin_job);
    else
        request_connect(request, refresh_and_begin);
}

uint64_t
operation_call_actions_of(const Service *service, const Domain *domain, const OperationSpec *spec)
{
    static const Action actions[_OPERATION_MAX] = {
        [OPERATION_START] = ACTION_START,
        [OPERATION_STOP] = ACTION_STOP,
        [OPERATION_PAUSE] = ACTION_PAUSE,
        [OPERATION_RESUME] = ACTION_RESUME,
        [OPERATION_REBOOT] = ACTION_REBOOT,
        [OPERATION_FORCE_STOP] = ACTION_FORCE_STOP,
        [OPERATION_RESET] = ACTION_RESET,
        [OPERATION_SAVE] = ACTION_SAVE,
        [OPERATION_CREATE_SNAPSHOT] = ACTION_SNAPSHOT,
        [OPERATION_REVERT_SNAPSHOT] = ACTION_SNAPSHOT,
        [OPERATION_DELETE_SNAPSHOT] = ACTION_SNAPSHOT,
        [OPERATION_MIGRATE] = ACTION_MIGRATE,
    };
    uint64_t mask = ACTION_BIT(actions[spec->kind]);

    if (spec->kind == OPERATION_STOP && spec->force &&
        spec->timeout < stop_timeout(service, domain))
        mask |= ACTION_BIT(ACTION_FORCE_STOP);
    /* root writes the file. */
    if (spec->payload && spec->payload->memory_file)
        mask |= ACTION_BIT(ACTION_CONFIGURE);
    return mask;
}

uint64_t
operation_call_actions(const Request *request)
{
    const Domain *domain = cache_find(request->service->core->cache, request->domain_uuid);
    const OperationSpec spec = spec_of(request);

    return operation_call_actions_of(request->service, domain, &spec);
}

void
operation_call_set_long(MethodArgs *args, OperationKind kind, const OperationPayload *payload)
{
    args->operation = (OperationSpec){
        .kind = kind,
        .timeout = OPERATION_NO_TIMEOUT,
        .payload = operation_payload_new(payload),
    };
}
