/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "interfaces.h"

#include "config-properties.h"
#include "context.h"
#include "device-request.h"
#include "method-options.h"
#include "names.h"
#include "request.h"

/* QEMU's balloon counts in pages. */
#define BALLOON_PAGE 4096

/* --- memory: the guest gives it back, or takes it, in its own time ------------------------ */

static int
parse_memory(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    int r = sd_bus_message_read(message, "t", &args->number);

    return r < 0 ? r : method_parse_affect(message, &args->affect, error);
}

static bool
work_set_memory(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
                Error **error)
{
    return hypervisor_set_memory(h, uuid, args->number, args->affect, error);
}

static bool
has_memory(const Domain *domain, uint64_t bytes)
{
    uint64_t now = domain->config.memory_bytes;

    return (now > bytes ? now - bytes : bytes - now) < BALLOON_PAGE;
}

static void
check_memory(Request *request)
{
    const Domain *domain = request_domain(request);

    if (domain && (domain->id < 0 || has_memory(domain, request->args->number)))
        request_reply(request);
}

static void
await_memory(Request *request)
{
    if (request->args->affect == AFFECT_CONFIG)
        request_reply(request); /* the memory of the running domain does not change */
    else
        request_await(request, check_memory);
}

static void
on_memory_set(Request *request, const MethodResult *result)
{
    request_refresh(request, request->domain_uuid, await_memory);
}

/* --- vCPUs, names and texts --------------------------------------------------------------- */

static int
parse_vcpus(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    int r = method_parse_number(message, args, error);

    return r < 0 ? r : method_parse_affect(message, &args->affect, error);
}

static bool
work_set_vcpus(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
               Error **error)
{
    return hypervisor_set_vcpus(h, uuid, (uint32_t)args->number, args->affect, error);
}

static bool
work_rename(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
            Error **error)
{
    return hypervisor_rename(h, uuid, args->text, error);
}

static bool
work_set_title(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
               Error **error)
{
    return hypervisor_set_title(h, uuid, args->text, error);
}

static bool
work_set_description(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
                     Error **error)
{
    return hypervisor_set_description(h, uuid, args->text, error);
}

/* --- the tables --------------------------------------------------------------------------- */

#define CHANGE                                                                                     \
    .out = "", .kind = METHOD_CHANGE, .class = CALL_CHANGE, .actions = ACTION_BIT(ACTION_CONFIGURE)
#define TEXT_METHOD(method_name, argument, function)                                               \
    {                                                                                              \
        .name = method_name, .in = "s", .names = argument "\0", CHANGE,                            \
        .parse = method_parse_text, .work = function,                                              \
    }

static const Method methods[] = {
    {
        .name = "SetMemory",
        .call = "virDomainSetMemoryFlags",
        .in = "ta{sv}",
        .names = "bytes\0options\0",
        CHANGE,
        .parse = parse_memory,
        .work = work_set_memory,
        .then = on_memory_set,
    },
    {
        .name = "SetVCpus",
        .call = "virDomainSetVcpusFlags",
        .in = "ua{sv}",
        .names = "count\0options\0",
        CHANGE,
        .parse = parse_vcpus,
        .work = work_set_vcpus,
    },
    TEXT_METHOD("Rename", "name", work_rename),
    TEXT_METHOD("SetTitle", "title", work_set_title),
    TEXT_METHOD("SetDescription", "description", work_set_description),
    {
        .name = "AttachDevice",
        .call = "virDomainAttachDeviceFlags",
        .in = "sa{sv}",
        .names = "xml\0options\0",
        CHANGE,
        .parse = device_request_parse,
        .work = device_request_attach,
    },
    {
        .name = "DetachDevice",
        .call = "virDomainDetachDeviceFlags",
        .in = "sa{sv}",
        .names = "xml\0options\0",
        CHANGE,
        .parse = device_request_parse,
        .run = device_request_run_detach,
        .work = device_request_detach,
        .then = device_request_on_detached,
    },
    {
        .name = "UpdateDevice",
        .call = "virDomainUpdateDeviceFlags",
        .in = "sa{sv}",
        .names = "xml\0options\0",
        CHANGE,
        .parse = device_request_parse,
        .work = device_request_update,
    },
    {NULL},
};

const Interface bus_config_interface = {
    .name = VMS_CONFIG_INTERFACE,
    .properties = config_properties,
    .methods = methods,
};
