/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "device-request.h"

#include "context.h"
#include "hypervisor-device.h"
#include "method-options.h"
#include "xml.h"

int
device_request_parse(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    int r = method_read_text(message, &args->xml);

    return r < 0 ? r : method_parse_affect(message, args, error);
}

int
device_request_parse_update(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    int r = method_read_text(message, &args->xml);

    return r < 0 ? r : method_parse_affect_and_force(message, args, error);
}

/* --- the calls ---------------------------------------------------------------------------- */

static bool
change(Hypervisor *h, const char *uuid, const MethodArgs *args, DeviceChange how,
       MethodResult *result, Error **error)
{
    if (xml_has_doctype(args->xml)) {
        *error = error_new(ERROR_INVALID_ARGS, "The XML of a device cannot have a DOCTYPE");
        return false;
    }
    return hypervisor_change_device(h, uuid, how, args->xml, args->affect, &result->in_flight,
                                    error);
}

bool
device_request_attach(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
                      Error **error)
{
    return change(h, uuid, args, DEVICE_ATTACH, result, error);
}

bool
device_request_detach(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
                      Error **error)
{
    return change(h, uuid, args, DEVICE_DETACH, result, error);
}

bool
device_request_update(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
                      Error **error)
{
    DeviceChange how = args->force ? DEVICE_UPDATE_FORCE : DEVICE_UPDATE;

    return change(h, uuid, args, how, result, error);
}

/* --- waiting for the guest ---------------------------------------------------------------- */

/* The events of the domain's devices since before the call was made. */
typedef struct {
    Request *request;
    DomainWatch *watch;
    GHashTable *events; /* alias -> HypervisorEventKind */
    char **in_flight;
} Detaching;

static void
free_detaching(gpointer data)
{
    Detaching *detaching = data;

    domain_watch_free(detaching->watch);
    g_hash_table_unref(detaching->events);
    g_strfreev(detaching->in_flight);
    g_free(detaching);
}

static bool
has_event(const Detaching *detaching, HypervisorEventKind kind)
{
    for (char **alias = detaching->in_flight; *alias; alias++)
        if (GPOINTER_TO_UINT(g_hash_table_lookup(detaching->events, *alias)) == kind)
            return true;
    return false;
}

static void
check_device(Request *request)
{
    const Detaching *detaching = request->state;
    const Domain *domain = request_domain(request);

    if (!domain)
        return;
    if (domain->id < 0 || has_event(detaching, EVENT_DEVICE_REMOVED)) {
        pending_cancel(&request->pending);
        request_refresh(request, request->domain_uuid, request_reply);
    } else if (has_event(detaching, EVENT_DEVICE_KEPT)) {
        g_autoptr(Error) error =
            error_new(ERROR_OPERATION_FAILED, "The guest refused to let go of the device");

        request_fail(request, error);
    }
}

static void
on_device(void *userdata, const char *alias, HypervisorEventKind kind)
{
    Detaching *detaching = userdata;

    g_hash_table_replace(detaching->events, g_strdup(alias), GUINT_TO_POINTER(kind));
    if (detaching->request->phase == PHASE_AWAITING)
        check_device(detaching->request);
}

static void
await_device(Request *request)
{
    request_await(request, check_device);
}

void
device_request_on_detached(Request *request, const MethodResult *result)
{
    Detaching *detaching = request->state;

    detaching->in_flight = g_strdupv(result->in_flight);
    request_refresh(request, request->domain_uuid,
                    result->in_flight ? await_device : request_reply);
}

void
device_request_run_detach(Request *request)
{
    static const DomainWatchFuncs funcs = {.device = on_device};
    Detaching *detaching = g_new0(Detaching, 1);

    detaching->request = request;
    detaching->events = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    detaching->watch =
        domain_watch_new(request->service->core->watches, request->domain_uuid, &funcs, detaching);
    request->state = detaching;
    request->free_state = free_detaching;
    request_call(request);
}
