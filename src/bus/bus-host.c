/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "interfaces.h"

#include "context.h"
#include "names.h"
#include "request.h"
#include "wire-rows.h"

/* --- GetDevices --------------------------------------------------------------------------- */

static int
parse_kind(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    static const char *const kinds[] = {
        [HOST_DEVICE_PCI] = "pci",
        [HOST_DEVICE_USB] = "usb",
        NULL,
    };
    int r = method_parse_word(message, kinds, "kind", error);

    if (r >= 0)
        args->host_device_kind = (HostDeviceKind)r;
    return r;
}

/* In its configuration, or in that of its next start. */
static bool
uses(const Domain *domain, HostDeviceKind kind, Row device)
{
    return host_device_is_named(kind, device, &domain->config) ||
           (domain->next && host_device_is_named(kind, device, &domain->next->config));
}

/* The domains that use any device, in their order: only these few are compared with each device. */
static GPtrArray *
users_of_any(const GPtrArray *domains)
{
    GPtrArray *users = g_ptr_array_new();

    for (unsigned i = 0; i < domains->len; i++) {
        const Domain *domain = domains->pdata[i];

        if (host_device_is_any_named(&domain->config) ||
            (domain->next && host_device_is_any_named(&domain->next->config)))
            g_ptr_array_add(users, domains->pdata[i]);
    }
    return users;
}

/* "ao" */
static void
write_users(Wire *body, HostDeviceKind kind, Row device, const GPtrArray *domains)
{
    size_t users = wire_begin_array(body, 4);

    for (unsigned i = 0; i < domains->len; i++) {
        const Domain *domain = domains->pdata[i];

        if (uses(domain, kind, device))
            wire_put_string(body, object_path_of_domain(domain->uuid).text);
    }
    wire_end_array(body, users, 4);
}

static void
write_devices(const Service *service, HostDeviceKind kind, const GPtrArray *devices, Wire *body)
{
    g_autoptr(GPtrArray) domains = cache_sorted(service->core->cache);
    g_autoptr(GPtrArray) users = users_of_any(domains);
    size_t array = wire_begin_array(body, 4);

    for (unsigned i = 0; i < devices->len; i++) {
        Rows rows = rows_of_bytes(devices->pdata[i]);
        Row device;

        (void)rows_take(&rows, &device);
        size_t fields = wire_begin_array(body, 8);
        wire_put_fields(body, device);
        wire_align(body, 8);
        wire_put_string(body, "used_by");
        wire_put_signature(body, "ao");
        write_users(body, kind, device, users);
        wire_end_array(body, fields, 8);
    }
    wire_end_array(body, array, 4);
}

static void
write_pci(const Service *service, const GPtrArray *devices, Wire *body)
{
    write_devices(service, HOST_DEVICE_PCI, devices, body);
}

static void
write_usb(const Service *service, const GPtrArray *devices, Wire *body)
{
    write_devices(service, HOST_DEVICE_USB, devices, body);
}

static void ask_devices(Request *request);

static void
on_devices(void *userdata, CallOutcome outcome, void *devices, const Error *error)
{
    Request *request = userdata;
    BodyWriter write = request->args->host_device_kind == HOST_DEVICE_PCI ? write_pci : write_usb;

    if (request_check(request, outcome, error, ask_devices))
        request_reply_in_turn(request, write, devices);
}

static void
ask_devices(Request *request)
{
    request->phase = PHASE_ASKING;
    host_list_devices(request->service->core->host, request->args->host_device_kind,
                      &request->pending, on_devices, request);
}

static void
run_get_devices(Request *request)
{
    request_connect(request, ask_devices);
}

/* --- properties --------------------------------------------------------------------------- */

static const HostInfo *
info_of(const void *object)
{
    return host_info(((const Service *)object)->core->host);
}

static void
write_cpu_count(Wire *wire, const void *object)
{
    wire_put_u32(wire, info_of(object)->cpus);
}

static void
write_cpu_model(Wire *wire, const void *object)
{
    wire_put_string(wire, info_of(object)->cpu_model);
}

static void
write_memory_bytes(Wire *wire, const void *object)
{
    wire_put_u64(wire, info_of(object)->memory_bytes);
}

/* "{su}" */
static void
put_count(Wire *wire, const char *name, uint32_t count)
{
    wire_align(wire, 8);
    wire_put_string(wire, name);
    wire_put_u32(wire, count);
}

static void
write_cpu_topology(Wire *wire, const void *object)
{
    const HostInfo *info = info_of(object);
    size_t array = wire_begin_array(wire, 8);

    put_count(wire, "cells", info->cells);
    put_count(wire, "sockets", info->sockets);
    put_count(wire, "cores", info->cores);
    put_count(wire, "threads", info->threads);
    wire_end_array(wire, array, 8);
}

/* --- the tables --------------------------------------------------------------------------- */

static const Property properties[] = {
    {"CpuCount", "u", HOST_PROPERTY_CPU_COUNT, write_cpu_count, 0},
    {"CpuModel", "s", HOST_PROPERTY_CPU_MODEL, write_cpu_model, 0},
    {"MemoryBytes", "t", HOST_PROPERTY_MEMORY_BYTES, write_memory_bytes, 0},
    {"CpuTopology", "a{su}", HOST_PROPERTY_CPU_TOPOLOGY, write_cpu_topology, 0},
    {NULL},
};

static const Method methods[] = {
    {
        .name = "GetDevices",
        .in = "s",
        .out = ROWS_SIGNATURE,
        .names = "kind\0devices\0",
        .kind = METHOD_READ,
        .parse = parse_kind,
        .run = run_get_devices,
    },
    {NULL},
};

const Interface bus_host_interface = {
    .name = VMS_HOST_INTERFACE,
    .properties = properties,
    .methods = methods,
};
