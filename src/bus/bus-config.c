/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "interfaces.h"

#include "config-properties.h"
#include "context.h"
#include "device-request.h"
#include "hypervisor-device.h"
#include "method-options.h"
#include "names.h"
#include "request.h"

/* --- memory: the guest gives it back, or takes it, in its own time ------------------------ */

static int
parse_memory(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    int r = sd_bus_message_read(message, "t", &args->memory_bytes);

    return r < 0 ? r : method_parse_affect(message, args, error);
}

/* Up to the configured maximum it is an adjustment. */
static uint64_t
actions_up_to(uint64_t number, uint64_t maximum)
{
    return ACTION_BIT(number <= maximum ? ACTION_ADJUST : ACTION_CONFIGURE);
}

static const DomainConfig *
config_of(const Request *request)
{
    return &cache_find(request->service->core->cache, request->domain_uuid)->config;
}

static uint64_t
set_memory_actions(const Request *request)
{
    return actions_up_to(request->args->memory_bytes, config_of(request)->max_memory_bytes);
}

static bool
work_set_memory(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
                Error **error)
{
    return hypervisor_set_memory(h, uuid, args->memory_bytes, args->affect, error);
}

static void
check_memory(Request *request)
{
    const Domain *domain = request_domain(request);

    if (domain && (domain->id < 0 ||
                   domain_memory_is_same(domain->config.memory_bytes, request->args->memory_bytes)))
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

/* --- vCPUs, boot, names and texts ---------------------------------------------------------------
 */

static int
parse_vcpus(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    int r = sd_bus_message_read(message, "u", &args->vcpus);

    return r < 0 ? r : method_parse_affect(message, args, error);
}

static uint64_t
set_vcpus_actions(const Request *request)
{
    return actions_up_to(request->args->vcpus, config_of(request)->max_vcpus);
}

static bool
work_set_vcpus(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
               Error **error)
{
    return hypervisor_set_vcpus(h, uuid, args->vcpus, args->affect, error);
}

static void
clear_pin(gpointer pin)
{
    g_free(((CpuPin *)pin)->cpus);
}

static int
parse_pins(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    CpuPin pin;
    const char *cpus;
    int r = sd_bus_message_enter_container(message, 'a', "(us)");

    args->pins = g_array_new(FALSE, FALSE, sizeof(CpuPin));
    g_array_set_clear_func(args->pins, clear_pin);
    while (r >= 0 && (r = sd_bus_message_read(message, "(us)", &pin.vcpu, &cpus)) > 0) {
        pin.cpus = g_strdup(cpus);
        g_array_append_val(args->pins, pin);
    }
    if (r >= 0)
        r = sd_bus_message_exit_container(message);
    return r < 0 ? r : method_parse_affect(message, args, error);
}

static bool
work_set_cpu_pins(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
                  Error **error)
{
    return hypervisor_set_cpu_pins(h, uuid, (const CpuPin *)(const void *)args->pins->data,
                                   args->pins->len, args->affect, error);
}

static int
parse_boot_order(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    int r = method_read_texts(message, &args->boot_order);

    if (r >= 0)
        r = method_parse_affect(message, args, error);
    if (r >= 0 && args->affect & AFFECT_LIVE)
        return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                "The boot order of a domain that runs cannot be changed");
    return r;
}

static bool
work_set_boot_order(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
                    Error **error)
{
    return hypervisor_set_boot_order(h, uuid, (const char *const *)args->boot_order, error);
}

static int
parse_stop_timeout(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    return sd_bus_message_read(message, "t", &args->stop_timeout_usec);
}

static bool
work_set_stop_timeout(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
                      Error **error)
{
    return hypervisor_set_stop_timeout(h, uuid, args->stop_timeout_usec, error);
}

static int
parse_text(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    return method_read_text(message, &args->text);
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

/* --- devices by address ------------------------------------------------------------------- */

static int
parse_link(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    int r = method_read_text(message, &args->device);

    if (r >= 0)
        r = sd_bus_message_read(message, "b", &args->link_up);
    return r < 0 ? r : method_parse_affect(message, args, error);
}

static bool
work_set_link(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
              Error **error)
{
    return hypervisor_set_link(h, uuid, args->device, args->link_up != 0, args->affect, error);
}

static int
parse_host_device(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    int r = method_read_text(message, &args->device);

    return r < 0 ? r : method_parse_affect(message, args, error);
}

static bool
work_attach_host_device(Hypervisor *h, const char *uuid, const MethodArgs *args,
                        MethodResult *result, Error **error)
{
    return hypervisor_attach_host_device(h, uuid, args->device, args->affect, error);
}

static bool
work_detach_host_device(Hypervisor *h, const char *uuid, const MethodArgs *args,
                        MethodResult *result, Error **error)
{
    return hypervisor_detach_host_device(h, uuid, args->device, args->affect, &result->in_flight,
                                         error);
}

/* --- the tables --------------------------------------------------------------------------- */

#define CHANGE_BY(right) .out = "", .kind = METHOD_CHANGE, .class = CALL_CHANGE, right
#define CHANGE           CHANGE_BY(.actions = ACTION_BIT(ACTION_CONFIGURE))
#define ADJUSTMENT       CHANGE_BY(.actions = ACTION_BIT(ACTION_ADJUST))
#define TEXT_METHOD(method_name, libvirt_function, argument, function, change)                     \
    {                                                                                              \
        .name = method_name, .call = libvirt_function, .in = "s", .names = argument "\0", change,  \
        .parse = parse_text, .work = function,                                                     \
    }

static const Method methods[] = {
    {
        .name = "SetMemory",
        .call = "virDomainSetMemoryFlags",
        .in = "ta{sv}",
        .names = "bytes\0options\0",
        CHANGE_BY(.more_actions = set_memory_actions),
        .parse = parse_memory,
        .work = work_set_memory,
        .then = on_memory_set,
    },
    {
        .name = "SetVCpus",
        .call = "virDomainSetVcpusFlags",
        .in = "ua{sv}",
        .names = "count\0options\0",
        CHANGE_BY(.more_actions = set_vcpus_actions),
        .parse = parse_vcpus,
        .work = work_set_vcpus,
    },
    TEXT_METHOD("Rename", "virDomainRename", "name", work_rename, CHANGE),
    TEXT_METHOD("SetTitle", "virDomainSetMetadata", "title", work_set_title, ADJUSTMENT),
    TEXT_METHOD("SetDescription", "virDomainSetMetadata", "description", work_set_description,
                ADJUSTMENT),
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
        .parse = device_request_parse_update,
        .work = device_request_update,
    },
    {
        .name = "SetCpuPins",
        .call = "virDomainPinVcpuFlags",
        .in = "a(us)a{sv}",
        .names = "pins\0options\0",
        ADJUSTMENT,
        .parse = parse_pins,
        .work = work_set_cpu_pins,
    },
    {
        .name = "SetBootOrder",
        .call = "virDomainDefineXMLFlags",
        .in = "asa{sv}",
        .names = "order\0options\0",
        ADJUSTMENT,
        .stops_others = true,
        .parse = parse_boot_order,
        .work = work_set_boot_order,
    },
    {
        .name = "SetStopTimeout",
        .call = "virDomainSetMetadata",
        .in = "t",
        .names = "timeout_usec\0",
        ADJUSTMENT,
        .parse = parse_stop_timeout,
        .work = work_set_stop_timeout,
    },
    {
        .name = "SetLink",
        .call = "virDomainUpdateDeviceFlags",
        .in = "sba{sv}",
        .names = "mac\0up\0options\0",
        ADJUSTMENT,
        .parse = parse_link,
        .work = work_set_link,
    },
    {
        .name = "AttachHostDevice",
        .call = "virDomainAttachDeviceFlags",
        .in = "sa{sv}",
        .names = "address\0options\0",
        CHANGE,
        .parse = parse_host_device,
        .work = work_attach_host_device,
    },
    {
        .name = "DetachHostDevice",
        .call = "virDomainDetachDeviceFlags",
        .in = "sa{sv}",
        .names = "address\0options\0",
        CHANGE,
        .parse = parse_host_device,
        .run = device_request_run_detach,
        .work = work_detach_host_device,
        .then = device_request_on_detached,
    },
    {NULL},
};

const Interface bus_config_interface = {
    .name = VMS_CONFIG_INTERFACE,
    .properties = config_properties,
    .methods = methods,
};
