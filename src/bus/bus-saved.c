/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager.h"

#include "hypervisor-saved.h"
#include "method-options.h"
#include "names.h"

/* --- Save --------------------------------------------------------------------------------- */

typedef struct {
    int bypass_cache;
    int paused;
} SaveOptions;

static int
method_save(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    static const MethodOption options[] = {
        {"bypass_cache", SD_BUS_TYPE_BOOLEAN, offsetof(SaveOptions, bypass_cache)},
        {"paused", SD_BUS_TYPE_BOOLEAN, offsetof(SaveOptions, paused)},
        {NULL},
    };
    SaveOptions given = {0};
    int r = method_options_read(message, options, &given, NULL, error);

    if (r < 0)
        return r;
    const OperationPayload payload = {
        .flags =
            (given.bypass_cache ? PAYLOAD_BYPASS_CACHE : 0) | (given.paused ? PAYLOAD_PAUSED : 0),
    };
    return domain_bus_long_operation(message, userdata, OPERATION_SAVE, &payload, error);
}

/* --- Discard and Suspend ------------------------------------------------------------------ */

/* The change is made: what it did is signalled before the reply. */
static void
refresh_and_reply(Request *request, Call *call)
{
    request_refresh(request, request->vm_uuid, request_reply);
}

static bool
work_discard(Call *call, Hypervisor *h, Error **error)
{
    return hypervisor_discard_managed_save(h, call->key, error);
}

static Call *
make_discard(Request *request)
{
    return request_call_new(request, sizeof(RequestCall), CALL_CHANGE, work_discard);
}

static void
run_discard(Request *request)
{
    request_call(request, make_discard, refresh_and_reply);
}

static int
method_discard(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    const DomainRequest request = {
        .kind = REQUEST_CHANGE,
        .verb = "Discard",
        .actions = ACTION_BIT(ACTION_SAVE),
        .run = run_discard,
    };

    return domain_bus_request(message, userdata, &request, error);
}

typedef struct {
    RequestCall base;
    SuspendTarget target;
} SuspendCall;

static bool
work_suspend(Call *call, Hypervisor *h, Error **error)
{
    return hypervisor_suspend(h, call->key, ((SuspendCall *)call)->target, error);
}

static Call *
make_suspend(Request *request)
{
    SuspendCall *suspend = request_call_new(request, sizeof *suspend, CALL_CHANGE, work_suspend);

    suspend->target = GPOINTER_TO_UINT(request->args);
    return &suspend->base.call;
}

/* libvirt takes an agent that is gone for success, although the guest may be awake. */
static void
look_for_sleep(Request *request)
{
    const Domain *domain = manager_find_domain(request->manager, request->vm_uuid);
    bool off = !domain || domain->id < 0;
    bool to_disk = GPOINTER_TO_INT(request->args) == SUSPEND_DISK;

    if (to_disk ? off : !off && domain->state == DOMAIN_PMSUSPENDED) {
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
    request_await(request, look_for_sleep);
}

static void
on_suspended(Request *request, Call *call)
{
    request_refresh(request, request->vm_uuid, await_sleep);
}

static void
run_suspend(Request *request)
{
    request_call(request, make_suspend, on_suspended);
}

static int
find_target(const char *name)
{
    static const char *const names[] = {
        [SUSPEND_MEMORY] = "memory",
        [SUSPEND_DISK] = "disk",
        [SUSPEND_HYBRID] = "hybrid",
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_str_equal(names[i], name))
            return (int)i;
    return -1;
}

static int
method_suspend(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    const char *name;
    int r = sd_bus_message_read(message, "s", &name);

    if (r < 0)
        return r;
    int target = find_target(name);
    if (target < 0)
        return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                "The target has to be memory, disk or hybrid");
    const DomainRequest request = {
        .kind = REQUEST_CHANGE,
        .verb = "Suspend",
        .actions = ACTION_BIT(ACTION_SAVE),
        .run = run_suspend,
        .args = GINT_TO_POINTER(target),
    };
    return domain_bus_request(message, userdata, &request, error);
}

/* --- the vtable --------------------------------------------------------------------------- */

static const sd_bus_vtable saved_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("HasManagedSave", "b", NULL, offsetof(Domain, has_managed_save),
                    SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_METHOD_WITH_ARGS("Save", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("o", job),
                            method_save, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Discard", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_discard,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Suspend", SD_BUS_ARGS("s", target), SD_BUS_NO_RESULT, method_suspend,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

int
saved_bus_register(Manager *m)
{
    return domain_bus_add_interface(m, VMS_SAVED_INTERFACE, saved_vtable, NULL);
}
