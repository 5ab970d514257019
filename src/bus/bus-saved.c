/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "interfaces.h"

#include "context.h"
#include "hypervisor-saved.h"
#include "method-options.h"
#include "names.h"
#include "operation-call.h"

static int
parse_save(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    static const MethodFlag flags[] = {
        {"bypass_cache", PAYLOAD_BYPASS_CACHE},
        {"paused", PAYLOAD_PAUSED},
        {NULL},
    };
    OperationPayload payload = {0};
    int r = method_options_read_flags(message, flags, &payload.flags, error);

    if (r >= 0)
        operation_call_set_long(args, OPERATION_SAVE, &payload);
    return r;
}

static bool
work_discard(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
             Error **error)
{
    return hypervisor_discard_managed_save(h, uuid, error);
}

/* --- Suspend ------------------------------------------------------------------------------ */

static int
parse_target(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    static const char *const targets[] = {
        [SUSPEND_MEMORY] = "memory",
        [SUSPEND_DISK] = "disk",
        [SUSPEND_HYBRID] = "hybrid",
        NULL,
    };
    int r = method_parse_word(message, targets, "target", error);

    if (r >= 0)
        args->suspend_target = (SuspendTarget)r;
    return r;
}

static bool
work_suspend(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
             Error **error)
{
    return hypervisor_suspend(h, uuid, args->suspend_target, error);
}

/* A guest whose memory is on its disk ends by itself; of a transient domain nothing is left. */
static bool
is_asleep(const Domain *domain, SuspendTarget target)
{
    bool off = !domain || domain->id < 0;

    if (target == SUSPEND_DISK)
        return !domain || (off && g_strcmp0(domain->reason, "shut-down") == 0);
    return !off && domain->state == DOMAIN_PMSUSPENDED;
}

/* libvirt reports success when it loses the agent, although the guest may be awake. */
static void
check_sleep(Request *request)
{
    const Domain *domain = cache_find(request->service->core->cache, request->domain_uuid);
    bool off = !domain || domain->id < 0;

    if (is_asleep(domain, request->args->suspend_target)) {
        request_reply(request);
    } else if (off) {
        g_autoptr(Error) error =
            error_new(ERROR_OPERATION_FAILED, "The domain was turned off before it slept");

        request_fail(request, error);
    }
}

static void
await_sleep(Request *request)
{
    request_await(request, check_sleep);
}

static void
on_suspended(Request *request, const MethodResult *result)
{
    request_refresh(request, request->domain_uuid, await_sleep);
}

/* --- the tables --------------------------------------------------------------------------- */

static const Property properties[] = {
    {"HasManagedSave", "b", DOMAIN_PROPERTY_HAS_MANAGED_SAVE, NULL,
     offsetof(Domain, has_managed_save)},
    {NULL},
};

static const Method methods[] = {
    {
        .name = "Save",
        .in = "a{sv}",
        .out = "o",
        .names = "options\0job\0",
        .kind = METHOD_OPERATION,
        .more_actions = operation_call_actions,
        .parse = parse_save,
        .run = operation_call_run,
    },
    {
        .name = "Discard",
        .call = "virDomainManagedSaveRemove",
        .in = "",
        .out = "",
        .names = "",
        .kind = METHOD_CHANGE,
        .class = CALL_CHANGE,
        .actions = ACTION_BIT(ACTION_SAVE),
        .work = work_discard,
    },
    {
        .name = "Suspend",
        .call = "virDomainPMSuspendForDuration",
        .in = "s",
        .out = "",
        .names = "target\0",
        .kind = METHOD_CHANGE,
        .class = CALL_CHANGE,
        .actions = ACTION_BIT(ACTION_SAVE),
        .parse = parse_target,
        .work = work_suspend,
        .then = on_suspended,
    },
    {NULL},
};

const Interface bus_saved_interface = {
    .name = VMS_SAVED_INTERFACE,
    .properties = properties,
    .methods = methods,
};
