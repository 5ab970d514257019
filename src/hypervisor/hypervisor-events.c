/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisor-events.h"

#include "clock.h"
#include "hypervisor-private.h"

#include <string.h>

struct HypervisorWatch {
    gint n_ref; /* atomic: the event thread drops its own */
    const HypervisorWatcher *watcher;
    void *userdata;
    unsigned generation;
    gint closed; /* atomic: on_close() has run; it is not called again */
};

static struct {
    GThread *thread;
    int wakeup_timer;
    gint quit;
    GAsyncQueue *orphans; /* HypervisorWatch: libvirt would not let go of its callback */
} library;

static void watch_unref(void *userdata);

/* --- the library and its event thread ----------------------------------------------------- */

static void
ignore_error(void *userdata, virErrorPtr error)
{
}

static void
wake_up(int timer, void *userdata)
{
    virEventUpdateTimeout(timer, -1);
}

static gpointer
run_events(gpointer userdata)
{
    while (!g_atomic_int_get(&library.quit))
        if (virEventRunDefaultImpl() < 0)
            g_usleep(G_USEC_PER_SEC / 10); /* poll itself failed: do not spin */
    return NULL;
}

bool
hypervisor_library_start(Error **error)
{
    if (virInitialize() < 0 || virEventRegisterDefaultImpl() < 0)
        return hypervisor_fail(error);
    virSetErrorFunc(NULL, ignore_error);
    library.wakeup_timer = virEventAddTimeout(-1, wake_up, NULL, NULL);
    if (library.wakeup_timer < 0)
        return hypervisor_fail(error);
    library.orphans = g_async_queue_new_full(watch_unref);
    library.thread = g_thread_new("libvirt-events", run_events, NULL);
    return true;
}

void
hypervisor_library_stop(void)
{
    if (!library.thread)
        return;
    g_atomic_int_set(&library.quit, 1);
    virEventUpdateTimeout(library.wakeup_timer, 0);
    g_thread_join(g_steal_pointer(&library.thread));
    /* The queue stays: a lane that hung may still push into it. */
    for (void *watch; (watch = g_async_queue_try_pop(library.orphans));)
        watch_unref(watch);
}

/* --- watching a connection ---------------------------------------------------------------- */

static void
watch_unref(void *userdata)
{
    HypervisorWatch *watch = userdata;

    if (g_atomic_int_dec_and_test(&watch->n_ref))
        g_free(watch);
}

/* With the fields that every event has; `device` may be NULL. */
static HypervisorEvent *
event_new(HypervisorWatch *watch, virDomainPtr dom, HypervisorEventKind kind, const char *device)
{
    size_t length = device ? strlen(device) : 0;
    HypervisorEvent *event = g_malloc0(sizeof *event + length + 1);

    event->userdata = watch->userdata;
    event->generation = watch->generation;
    event->kind = kind;
    event->time = clock_realtime_usec();
    hypervisor_uuid(dom, event->uuid);
    if (device)
        memcpy(event->device, device, length);
    return event;
}

static void
report(HypervisorWatch *watch, virDomainPtr dom, HypervisorEventKind kind, const char *device)
{
    watch->watcher->event(event_new(watch, dom, kind, device));
}

/* --- what happened to the domain ---------------------------------------------------------- */

static HypervisorEventKind
lifecycle_kind(int event, int detail)
{
    switch (event) {
    case VIR_DOMAIN_EVENT_STARTED:
        /* A guest that wakes up has the process with which it went to sleep. */
        return detail == VIR_DOMAIN_EVENT_STARTED_WAKEUP ? EVENT_CHANGED : EVENT_STARTED;
    case VIR_DOMAIN_EVENT_RESUMED:
        return EVENT_RESUMED;
    case VIR_DOMAIN_EVENT_STOPPED:
        return detail == VIR_DOMAIN_EVENT_STOPPED_MIGRATED ? EVENT_MIGRATED : EVENT_STOPPED;
    case VIR_DOMAIN_EVENT_CRASHED:
        return EVENT_PANICKED;
    default:
        return EVENT_CHANGED;
    }
}

static int
on_lifecycle(virConnectPtr conn, virDomainPtr dom, int event, int detail, void *userdata)
{
    report(userdata, dom, lifecycle_kind(event, detail), NULL);
    return 0;
}

static void
on_reboot(virConnectPtr conn, virDomainPtr dom, void *userdata)
{
    report(userdata, dom, EVENT_REBOOTED, NULL);
}

static void
on_power_management(virConnectPtr conn, virDomainPtr dom, int reason, void *userdata)
{
    report(userdata, dom, EVENT_CHANGED, NULL);
}

static void
on_agent_lifecycle(virConnectPtr conn, virDomainPtr dom, int state, int reason, void *userdata)
{
    report(userdata, dom, EVENT_CHANGED, NULL);
}

/* --- what went wrong ---------------------------------------------------------------------- */

static void
on_io_error(virConnectPtr conn, virDomainPtr dom, const char *source, const char *device,
            int action, const char *reason, void *userdata)
{
    HypervisorWatch *watch = userdata;
    bool full = g_strcmp0(reason, "enospc") == 0;
    HypervisorEvent *event = event_new(watch, dom, full ? EVENT_NO_SPACE : EVENT_IO_ERROR, device);

    event->reported = action == VIR_DOMAIN_EVENT_IO_ERROR_REPORT;
    watch->watcher->event(event);
}

static void
on_watchdog(virConnectPtr conn, virDomainPtr dom, int action, void *userdata)
{
    bool left_alone =
        action == VIR_DOMAIN_EVENT_WATCHDOG_NONE || action == VIR_DOMAIN_EVENT_WATCHDOG_DEBUG;

    report(userdata, dom, left_alone ? EVENT_WATCHDOG : EVENT_CHANGED, NULL);
}

static void
on_memory_failure(virConnectPtr conn, virDomainPtr dom, int recipient, int action, unsigned flags,
                  void *userdata)
{
    report(userdata, dom, EVENT_MEMORY_FAILURE, NULL);
}

static void
on_control_error(virConnectPtr conn, virDomainPtr dom, void *userdata)
{
    report(userdata, dom, EVENT_CONTROL_ERROR, NULL);
}

/* --- devices ------------------------------------------------------------------------------ */

static void
on_device_added(virConnectPtr conn, virDomainPtr dom, const char *device, void *userdata)
{
    report(userdata, dom, EVENT_CHANGED, device);
}

static void
on_device_removed(virConnectPtr conn, virDomainPtr dom, const char *device, void *userdata)
{
    report(userdata, dom, EVENT_DEVICE_REMOVED, device);
}

static void
on_device_removal_failed(virConnectPtr conn, virDomainPtr dom, const char *device, void *userdata)
{
    report(userdata, dom, EVENT_DEVICE_KEPT, device);
}

static void
on_tray_change(virConnectPtr conn, virDomainPtr dom, const char *device, int reason, void *userdata)
{
    report(userdata, dom, EVENT_CHANGED, device);
}

static void
on_disk_change(virConnectPtr conn, virDomainPtr dom, const char *old_source, const char *new_source,
               const char *device, int reason, void *userdata)
{
    report(userdata, dom, EVENT_CHANGED, device);
}

#if LIBVIR_CHECK_VERSION(7, 9, 0)
static void
on_memory_device_size(virConnectPtr conn, virDomainPtr dom, const char *device,
                      unsigned long long size, void *userdata)
{
    report(userdata, dom, EVENT_CHANGED, device);
}
#endif

#if LIBVIR_CHECK_VERSION(11, 2, 0)
static void
on_nic_mac_change(virConnectPtr conn, virDomainPtr dom, const char *device, const char *old_mac,
                  const char *new_mac, void *userdata)
{
    report(userdata, dom, EVENT_CHANGED, device);
}
#endif

#if LIBVIR_CHECK_VERSION(12, 4, 0)
static void
on_vcpu_removed(virConnectPtr conn, virDomainPtr dom, unsigned vcpu, void *userdata)
{
    report(userdata, dom, EVENT_CHANGED, NULL);
}
#endif

/* --- settings and jobs -------------------------------------------------------------------- */

static void
on_metadata_change(virConnectPtr conn, virDomainPtr dom, int type, const char *nsuri,
                   void *userdata)
{
    report(userdata, dom, EVENT_CHANGED, NULL);
}

static void
on_balloon_change(virConnectPtr conn, virDomainPtr dom, unsigned long long actual, void *userdata)
{
    report(userdata, dom, EVENT_CHANGED, NULL);
}

/* Pins of vCPUs are among these. */
static void
on_tunable(virConnectPtr conn, virDomainPtr dom, virTypedParameterPtr params, int n_params,
           void *userdata)
{
    report(userdata, dom, EVENT_CHANGED, NULL);
}

static void
on_job_completed(virConnectPtr conn, virDomainPtr dom, virTypedParameterPtr params, int n_params,
                 void *userdata)
{
    report(userdata, dom, EVENT_CHANGED, NULL);
}

static void
on_block_job(virConnectPtr conn, virDomainPtr dom, const char *disk, int type, int status,
             void *userdata)
{
    static const BlockJobEvent abouts[] = {
        [VIR_DOMAIN_BLOCK_JOB_COMPLETED] = BLOCK_JOB_COMPLETED,
        [VIR_DOMAIN_BLOCK_JOB_FAILED] = BLOCK_JOB_FAILED,
        [VIR_DOMAIN_BLOCK_JOB_CANCELED] = BLOCK_JOB_CANCELED,
        [VIR_DOMAIN_BLOCK_JOB_READY] = BLOCK_JOB_READY,
    };
    HypervisorWatch *watch = userdata;
    bool known = status >= 0 && status < (int)G_N_ELEMENTS(abouts);
    HypervisorEvent *event = event_new(watch, dom, known ? EVENT_BLOCK_JOB : EVENT_CHANGED, disk);

    event->job = hypervisor_block_job_type(type);
    event->about = known ? abouts[status] : BLOCK_JOB_COMPLETED;
    watch->watcher->event(event);
}

/* --- registration ------------------------------------------------------------------------- */

/*
 * libvirt takes callbacks of all types as one type. The conditional checks the type that the event
 * has; the cast through void (*)(void) tells compilers that the other one is meant.
 */
#define CALLBACK(type, function)                                                                   \
    ((virConnectDomainEventGenericCallback)(void (*)(void))(                                       \
        true ? (function) : (virConnectDomainEvent##type)NULL))

static const struct {
    int id;
    virConnectDomainEventGenericCallback callback;
} events[] = {
    {VIR_DOMAIN_EVENT_ID_LIFECYCLE, CALLBACK(Callback, on_lifecycle)},
    {VIR_DOMAIN_EVENT_ID_REBOOT, CALLBACK(GenericCallback, on_reboot)},
    {VIR_DOMAIN_EVENT_ID_PMWAKEUP, CALLBACK(PMWakeupCallback, on_power_management)},
    {VIR_DOMAIN_EVENT_ID_PMSUSPEND, CALLBACK(PMSuspendCallback, on_power_management)},
    {VIR_DOMAIN_EVENT_ID_PMSUSPEND_DISK, CALLBACK(PMSuspendDiskCallback, on_power_management)},
    {VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE, CALLBACK(AgentLifecycleCallback, on_agent_lifecycle)},

    {VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON, CALLBACK(IOErrorReasonCallback, on_io_error)},
    {VIR_DOMAIN_EVENT_ID_WATCHDOG, CALLBACK(WatchdogCallback, on_watchdog)},
    {VIR_DOMAIN_EVENT_ID_MEMORY_FAILURE, CALLBACK(MemoryFailureCallback, on_memory_failure)},
    {VIR_DOMAIN_EVENT_ID_CONTROL_ERROR, CALLBACK(GenericCallback, on_control_error)},

    {VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, CALLBACK(DeviceAddedCallback, on_device_added)},
    {VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, CALLBACK(DeviceRemovedCallback, on_device_removed)},
    {VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED,
     CALLBACK(DeviceRemovalFailedCallback, on_device_removal_failed)},
    {VIR_DOMAIN_EVENT_ID_TRAY_CHANGE, CALLBACK(TrayChangeCallback, on_tray_change)},
    {VIR_DOMAIN_EVENT_ID_DISK_CHANGE, CALLBACK(DiskChangeCallback, on_disk_change)},
#if LIBVIR_CHECK_VERSION(7, 9, 0)
    {VIR_DOMAIN_EVENT_ID_MEMORY_DEVICE_SIZE_CHANGE,
     CALLBACK(MemoryDeviceSizeChangeCallback, on_memory_device_size)},
#endif
#if LIBVIR_CHECK_VERSION(11, 2, 0)
    {VIR_DOMAIN_EVENT_ID_NIC_MAC_CHANGE, CALLBACK(NICMACChangeCallback, on_nic_mac_change)},
#endif
#if LIBVIR_CHECK_VERSION(12, 4, 0)
    {VIR_DOMAIN_EVENT_ID_VCPU_REMOVED, CALLBACK(VcpuRemovedCallback, on_vcpu_removed)},
#endif

    {VIR_DOMAIN_EVENT_ID_METADATA_CHANGE, CALLBACK(MetadataChangeCallback, on_metadata_change)},
    {VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE, CALLBACK(BalloonChangeCallback, on_balloon_change)},
    {VIR_DOMAIN_EVENT_ID_TUNABLE, CALLBACK(TunableCallback, on_tunable)},
    {VIR_DOMAIN_EVENT_ID_JOB_COMPLETED, CALLBACK(JobCompletedCallback, on_job_completed)},
    {VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2, CALLBACK(BlockJobCallback, on_block_job)},
};

static void
on_close(virConnectPtr conn, int reason, void *userdata)
{
    HypervisorWatch *watch = userdata;
    HypervisorLoss *loss = g_new0(HypervisorLoss, 1);

    loss->userdata = watch->userdata;
    loss->generation = watch->generation;
    switch (reason) {
    case VIR_CONNECT_CLOSE_REASON_EOF:
        loss->message = "libvirt closed the connection";
        break;
    case VIR_CONNECT_CLOSE_REASON_KEEPALIVE:
        loss->message = "libvirt does not answer: the connection's keepalive timed out";
        break;
    default:
        loss->message = "The connection to libvirt broke";
        break;
    }
    watch->watcher->lost(loss);
    g_atomic_int_set(&watch->closed, 1);
}

static bool
watch_events(Hypervisor *h, Error **error)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(events); i++) {
        g_atomic_int_inc(&h->watch->n_ref);
        int id = virConnectDomainEventRegisterAny(h->conn, NULL, events[i].id, events[i].callback,
                                                  h->watch, watch_unref);
        if (id >= 0) {
            g_array_append_val(h->callbacks, id);
            continue;
        }
        hypervisor_fail(error);
        watch_unref(h->watch);
        /* A driver that lacks an event is reconciled instead; a dead connection is an error. */
        if (!hypervisor_is_alive(h))
            return false;
        g_clear_pointer(error, error_free);
    }
    return true;
}

bool
hypervisor_watch(Hypervisor *h, const HypervisorWatcher *watcher, void *userdata,
                 unsigned generation, Error **error)
{
    h->watch = g_new0(HypervisorWatch, 1);
    h->callbacks = g_array_new(FALSE, FALSE, sizeof(int));
    h->watch->n_ref = 1;
    h->watch->watcher = watcher;
    h->watch->userdata = userdata;
    h->watch->generation = generation;

    /*
     * It borrows our own reference: it is called under a lock that unregistering waits for, and a
     * driver in our own process takes it, never calls it and never frees what it was given.
     */
    h->has_close_callback = virConnectRegisterCloseCallback(h->conn, on_close, h->watch, NULL) == 0;
    return watch_events(h, error);
}

void
hypervisor_unwatch(Hypervisor *h)
{
    if (!h || !h->watch)
        return;
    for (unsigned i = 0; i < h->callbacks->len; i++)
        virConnectDomainEventDeregisterAny(h->conn, g_array_index(h->callbacks, int, i));
    g_array_unref(h->callbacks);
    /* libvirt asks the daemon about it first, and keeps the callback if that fails. It also fails
     * once the callback was called, which libvirt does only once. */
    if (h->has_close_callback && virConnectUnregisterCloseCallback(h->conn, on_close) < 0 &&
        !g_atomic_int_get(&h->watch->closed))
        g_async_queue_push(library.orphans, h->watch);
    else
        watch_unref(h->watch);
}
