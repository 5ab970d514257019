/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host.h"

#include "single-flight.h"
#include "timer.h"
#include "units.h"

#define INTERVAL_USEC (60 * SEC)
#define ACCURACY_USEC (5 * SEC)

typedef struct {
    Host *host;
    HostDeviceKind kind;
    SingleFlight *flight;
} DeviceList;

struct Host {
    LanePool *lane_pool;
    HostChanged changed;
    void *userdata;
    Timer *timer;
    HostInfo info;
    bool wants_model; /* it was not read on this connection */
    DeviceList lists[HOST_DEVICE_USB + 1];
};

typedef struct {
    Call call;
    Host *host;
    bool with_model;
    HostInfo info;
} InfoCall;

typedef struct {
    Call call;
    DeviceList *list;
    GPtrArray *devices;
} DevicesCall;

static void
init_call(Call *call, const char *name)
{
    call->class = CALL_HOST;
    call->name = name;
}

/* --- what is published -------------------------------------------------------------------- */

static HostChanges
take_model(HostInfo *to, HostInfo *from)
{
    if (!from->cpu_model || g_str_equal(to->cpu_model, from->cpu_model))
        return 0;
    g_free(to->cpu_model);
    to->cpu_model = g_steal_pointer(&from->cpu_model);
    return HOST_CHANGED(CPU_MODEL);
}

static HostChanges
take_number(uint32_t *to, uint32_t from, HostChanges change)
{
    if (*to == from)
        return 0;
    *to = from;
    return change;
}

static HostChanges
take_info(HostInfo *to, HostInfo *from)
{
    HostChanges changes = take_model(to, from);

    changes |= take_number(&to->cpus, from->cpus, HOST_CHANGED(CPU_COUNT));
    changes |= take_number(&to->cells, from->cells, HOST_CHANGED(CPU_TOPOLOGY));
    changes |= take_number(&to->sockets, from->sockets, HOST_CHANGED(CPU_TOPOLOGY));
    changes |= take_number(&to->cores, from->cores, HOST_CHANGED(CPU_TOPOLOGY));
    changes |= take_number(&to->threads, from->threads, HOST_CHANGED(CPU_TOPOLOGY));
    if (to->memory_bytes != from->memory_bytes)
        changes |= HOST_CHANGED(MEMORY_BYTES);
    to->memory_bytes = from->memory_bytes;
    return changes;
}

static bool
work_info(Call *call, Hypervisor *h, Error **error)
{
    InfoCall *asked = (InfoCall *)call;

    return hypervisor_read_host(h, asked->with_model, &asked->info, error);
}

static void
free_info_call(Call *call)
{
    InfoCall *asked = (InfoCall *)call;

    host_info_clear(&asked->info);
    g_free(asked);
}

static void
on_info(Call *call, CallOutcome outcome, const Error *error)
{
    InfoCall *asked = (InfoCall *)call;
    Host *host = asked->host;

    /* Without a connection the next one reads it. */
    if (outcome == OUTCOME_LOST || outcome == OUTCOME_UNSENT)
        return;
    timer_arm_relative(host->timer, INTERVAL_USEC);
    if (outcome != OUTCOME_OK)
        return;
    host->wants_model = host->wants_model && !asked->with_model;
    HostChanges changes = take_info(&host->info, &asked->info);
    if (changes)
        host->changed(host->userdata, changes);
}

static void
ask_info(void *userdata)
{
    Host *host = userdata;
    InfoCall *asked = g_new0(InfoCall, 1);

    init_call(&asked->call, "virNodeGetInfo");
    asked->host = host;
    asked->with_model = host->wants_model;
    asked->call.work = work_info;
    asked->call.done = on_info;
    asked->call.free = free_info_call;
    lane_pool_submit(host->lane_pool, &asked->call);
}

void
host_set_connected(Host *host, bool connected)
{
    host->wants_model = true;
    if (connected)
        ask_info(host);
    else
        timer_disarm(host->timer);
}

const HostInfo *
host_info(const Host *host)
{
    return &host->info;
}

/* --- devices ------------------------------------------------------------------------------ */

static bool
work_devices(Call *call, Hypervisor *h, Error **error)
{
    DevicesCall *asked = (DevicesCall *)call;

    asked->devices = hypervisor_list_host_devices(h, asked->list->kind, error);
    return asked->devices != NULL;
}

static void
free_devices_call(Call *call)
{
    DevicesCall *asked = (DevicesCall *)call;

    if (asked->devices)
        g_ptr_array_unref(asked->devices);
    g_free(asked);
}

static void
on_devices(Call *call, CallOutcome outcome, const Error *error)
{
    const DevicesCall *asked = (DevicesCall *)call;
    SingleFlight *flight = asked->list->flight;

    waiters_answer(single_flight_finish(flight), outcome,
                   outcome == OUTCOME_OK ? asked->devices : NULL, error);
    single_flight_start_next(flight);
}

static void
ask_devices(void *userdata)
{
    DeviceList *list = userdata;
    DevicesCall *asked = g_new0(DevicesCall, 1);

    init_call(&asked->call, "virConnectListAllNodeDevices");
    asked->list = list;
    asked->call.work = work_devices;
    asked->call.done = on_devices;
    asked->call.free = free_devices_call;
    lane_pool_submit(list->host->lane_pool, &asked->call);
}

void
host_list_devices(Host *host, HostDeviceKind kind, Pending *pending, WaiterDone done,
                  void *userdata)
{
    single_flight_join(host->lists[kind].flight, pending, done, userdata);
}

/* --- life --------------------------------------------------------------------------------- */

Host *
host_new(struct sd_event *event, LanePool *lane_pool, HostChanged changed, void *userdata)
{
    Host *host = g_new0(Host, 1);

    host->lane_pool = lane_pool;
    host->changed = changed;
    host->userdata = userdata;
    host->timer = timer_new(event, ACCURACY_USEC, ask_info, host);
    host->info.cpu_model = g_strdup("");
    for (HostDeviceKind kind = 0; kind < G_N_ELEMENTS(host->lists); kind++)
        host->lists[kind] =
            (DeviceList){host, kind, single_flight_new(ask_devices, &host->lists[kind])};
    return host;
}

void
host_free(Host *host)
{
    if (!host)
        return;
    for (unsigned i = 0; i < G_N_ELEMENTS(host->lists); i++)
        single_flight_free(host->lists[i].flight);
    timer_free(host->timer);
    host_info_clear(&host->info);
    g_free(host);
}
