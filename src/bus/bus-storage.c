/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "interfaces.h"

#include "context.h"
#include "device-edit.h"
#include "hypervisor-device.h"
#include "method-options.h"
#include "names.h"
#include "operation-call.h"

/* --- ChangeMedia -------------------------------------------------------------------------- */

static int
parse_change_media(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    int r = method_read_text(message, &args->device);

    if (r >= 0)
        r = method_read_text(message, &args->medium);
    return r < 0 ? r : method_parse_affect_and_force(message, args, error);
}

/* root opens the medium; there is none to open when a drive is emptied. */
static uint64_t
change_media_actions(const Request *request)
{
    return ACTION_BIT(*request->args->medium ? ACTION_CONFIGURE : ACTION_ADJUST);
}

static bool
work_change_media(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
                  Error **error)
{
    return hypervisor_change_media(h, uuid, args->device, args->medium, args->force != 0,
                                   args->affect, error);
}

/* --- the jobs of disks -------------------------------------------------------------------- */

static int
parse_resize(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    DiskOperationSpec spec = {.kind = DISK_RESIZE};
    int r = method_read_text(message, &args->device);

    if (r >= 0)
        r = sd_bus_message_read(message, "t", &spec.bytes);
    if (r >= 0)
        r = method_parse_no_options(message, error);
    if (r >= 0)
        args->disk_operation = disk_operation_spec_new(&spec);
    return r;
}

/* A text that is given is not empty. */
static int
read_options(sd_bus_message *message, const MethodOption *options, DiskOperationSpec *spec,
             sd_bus_error *error)
{
    int r = method_options_read(message, options, spec, NULL, error);

    for (; r >= 0 && options->name; options++) {
        const char *text = options->type == SD_BUS_TYPE_STRING
                               ? *(char *const *)((const char *)spec + options->offset)
                               : NULL;
        if (text && !*text)
            return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "The option '%s' is empty",
                                     options->name);
    }
    return r;
}

static int
parse_commit(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    static const MethodOption options[] = {
        {"base", SD_BUS_TYPE_STRING, offsetof(DiskOperationSpec, base)},
        {"top", SD_BUS_TYPE_STRING, offsetof(DiskOperationSpec, top)},
        {"delete", SD_BUS_TYPE_BOOLEAN, offsetof(DiskOperationSpec, delete_merged)},
        {"bandwidth", SD_BUS_TYPE_UINT64, offsetof(DiskOperationSpec, bandwidth)},
        {NULL},
    };
    DiskOperationSpec spec = {.kind = DISK_COMMIT};
    int r = method_read_text(message, &args->device);

    if (r >= 0)
        r = read_options(message, options, &spec, error);
    if (r >= 0)
        args->disk_operation = disk_operation_spec_new(&spec);
    return r;
}

static int
parse_pull(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    static const MethodOption options[] = {
        {"base", SD_BUS_TYPE_STRING, offsetof(DiskOperationSpec, base)},
        {"bandwidth", SD_BUS_TYPE_UINT64, offsetof(DiskOperationSpec, bandwidth)},
        {NULL},
    };
    DiskOperationSpec spec = {.kind = DISK_PULL};
    int r = method_read_text(message, &args->device);

    if (r >= 0)
        r = read_options(message, options, &spec, error);
    if (r >= 0)
        args->disk_operation = disk_operation_spec_new(&spec);
    return r;
}

/* root writes to the destination: it has to be the path that it looks like. */
static int
check_destination(const DiskOperationSpec *spec, sd_bus_error *error)
{
    g_autoptr(Error) refusal = NULL;
    g_autofree char *xml =
        device_edit_copy(spec->destination, spec->format ? spec->format : "", &refusal);

    return xml ? 0 : sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS, refusal->message);
}

static int
parse_copy(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    static const MethodOption options[] = {
        {"format", SD_BUS_TYPE_STRING, offsetof(DiskOperationSpec, format)},
        {"pivot", SD_BUS_TYPE_BOOLEAN, offsetof(DiskOperationSpec, pivot)},
        {"bandwidth", SD_BUS_TYPE_UINT64, offsetof(DiskOperationSpec, bandwidth)},
        {NULL},
    };
    DiskOperationSpec spec = {.kind = DISK_COPY};
    int r = method_read_text(message, &args->device);

    if (r >= 0)
        r = sd_bus_message_read(message, "s", &spec.destination);
    if (r >= 0)
        r = read_options(message, options, &spec, error);
    if (r >= 0)
        r = check_destination(&spec, error);
    if (r >= 0)
        args->disk_operation = disk_operation_spec_new(&spec);
    return r;
}

static void
begin_job(Request *request)
{
    StorageJobs *jobs = request->service->core->storage_jobs;
    Domain *domain = request_domain(request);
    g_autoptr(Error) error = NULL;

    if (!domain || request_authorize_again(request))
        return;
    const char *target = request->args->device;
    if (!storage_jobs_has_disk(domain, target)) {
        error = error_new(ERROR_OPERATION_FAILED, "The domain has no disk \"%s\"", target);
        request_fail(request, error);
        return;
    }
    const JobCaller caller = {.uid = request->uid, .name = request->caller.sender};
    const JobObject *job =
        storage_job_begin(jobs, domain, target, request->args->disk_operation, &caller, &error);
    if (job)
        request_reply_path(request, object_path_of_job(job->number).text);
    else
        operation_call_fail(request, error, storage_jobs_find(jobs, domain->uuid, target));
}

/* A disk that is not known may have been attached just now. */
static void
find_disk(Request *request)
{
    const Domain *domain = request_domain(request);

    if (!domain)
        return;
    if (storage_jobs_has_disk(domain, request->args->device))
        begin_job(request);
    else
        request_refresh(request, request->domain_uuid, begin_job);
}

static void
run_job(Request *request)
{
    request_connect(request, find_disk);
}

/* --- the tables --------------------------------------------------------------------------- */

#define STORAGE_JOB(parse_)                                                                        \
    .out = "o", .kind = METHOD_OPERATION, .actions = ACTION_BIT(ACTION_CONFIGURE),                 \
    .parse = (parse_), .run = run_job

static const Method methods[] = {
    {
        .name = "ChangeMedia",
        .call = "virDomainUpdateDeviceFlags",
        .in = "ssa{sv}",
        .out = "",
        .names = "target\0source\0options\0",
        .kind = METHOD_CHANGE,
        .class = CALL_CHANGE,
        .more_actions = change_media_actions,
        .parse = parse_change_media,
        .work = work_change_media,
    },
    {
        .name = "Resize",
        .in = "sta{sv}",
        .names = "target\0bytes\0options\0job\0",
        STORAGE_JOB(parse_resize),
    },
    {
        .name = "Commit",
        .in = "sa{sv}",
        .names = "target\0options\0job\0",
        STORAGE_JOB(parse_commit),
    },
    {
        .name = "Pull",
        .in = "sa{sv}",
        .names = "target\0options\0job\0",
        STORAGE_JOB(parse_pull),
    },
    {
        .name = "Copy",
        .in = "ssa{sv}",
        .names = "target\0destination\0options\0job\0",
        STORAGE_JOB(parse_copy),
    },
    {NULL},
};

const Interface bus_storage_interface = {
    .name = VMS_STORAGE_INTERFACE,
    .methods = methods,
};
