/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisor-events.h"

#include "hypervisor-private.h"

#include <string.h>

struct HypervisorWatch {
    gint n_ref; /* atomic: the event thread drops its own */
    const HypervisorWatcher *watcher;
    void *userdata;
    unsigned generation;
    gint closed; /* atomic: on_close() is through with it, and is not called again */
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
    /* Nobody is called any more. The queue stays: a lane that hung may still put one in. */
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

static HypervisorEvent *
event_new(HypervisorWatch *watch, virDomainPtr dom, const char *device)
{
    size_t length = device ? strlen(device) : 0;
    HypervisorEvent *event = g_malloc0(sizeof *event + length + 1);

    event->userdata = watch->userdata;
    event->generation = watch->generation;
    hypervisor_uuid(dom, event->uuid);
    if (device)
        memcpy(event->device, device, length);
    return event;
}

static void
report(HypervisorWatch *watch, virDomainPtr dom)
{
    watch->watcher->event(event_new(watch, dom, NULL));
}

static void
report_device(HypervisorWatch *watch, virDomainPtr dom, const char *device, DeviceEvent news)
{
    HypervisorEvent *event = event_new(watch, dom, device);

    event->device_news = news;
    watch->watcher->event(event);
}

static int
on_lifecycle(virConnectPtr conn, virDomainPtr dom, int event, int detail, void *userdata)
{
    report(userdata, dom);
    return 0;
}

static void
on_reboot(virConnectPtr conn, virDomainPtr dom, void *userdata)
{
    HypervisorWatch *watch = userdata;
    HypervisorEvent *event = event_new(watch, dom, NULL);

    event->rebooted = true;
    watch->watcher->event(event);
}

/* --- what the XML says, and an event tells that it says something else */

static void
on_metadata_change(virConnectPtr conn, virDomainPtr dom, int type, const char *nsuri,
                   void *userdata)
{
    report(userdata, dom);
}

static void
on_device_added(virConnectPtr conn, virDomainPtr dom, const char *device, void *userdata)
{
    report(userdata, dom);
}

static void
on_device_removed(virConnectPtr conn, virDomainPtr dom, const char *device, void *userdata)
{
    report_device(userdata, dom, device, DEVICE_REMOVED);
}

static void
on_device_removal_failed(virConnectPtr conn, virDomainPtr dom, const char *device, void *userdata)
{
    report_device(userdata, dom, device, DEVICE_KEPT);
}

static void
on_balloon_change(virConnectPtr conn, virDomainPtr dom, unsigned long long actual, void *userdata)
{
    report(userdata, dom);
}

static void
on_tray_change(virConnectPtr conn, virDomainPtr dom, const char *device, int reason, void *userdata)
{
    report(userdata, dom);
}

static void
on_disk_change(virConnectPtr conn, virDomainPtr dom, const char *old_source, const char *new_source,
               const char *device, int reason, void *userdata)
{
    report(userdata, dom);
}

/* One that ends may leave the disk with another source. */
static void
on_block_job(virConnectPtr conn, virDomainPtr dom, const char *disk, int type, int status,
             void *userdata)
{
    report(userdata, dom);
}

static void
on_agent_lifecycle(virConnectPtr conn, virDomainPtr dom, int state, int reason, void *userdata)
{
    report(userdata, dom);
}

static const struct {
    int id;
    virConnectDomainEventGenericCallback callback;
} events[] = {
    {VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle)},
    {VIR_DOMAIN_EVENT_ID_REBOOT, VIR_DOMAIN_EVENT_CALLBACK(on_reboot)},
    {VIR_DOMAIN_EVENT_ID_METADATA_CHANGE, VIR_DOMAIN_EVENT_CALLBACK(on_metadata_change)},
    {VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, VIR_DOMAIN_EVENT_CALLBACK(on_device_added)},
    {VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, VIR_DOMAIN_EVENT_CALLBACK(on_device_removed)},
    {VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED,
     VIR_DOMAIN_EVENT_CALLBACK(on_device_removal_failed)},
    {VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE, VIR_DOMAIN_EVENT_CALLBACK(on_balloon_change)},
    {VIR_DOMAIN_EVENT_ID_TRAY_CHANGE, VIR_DOMAIN_EVENT_CALLBACK(on_tray_change)},
    {VIR_DOMAIN_EVENT_ID_DISK_CHANGE, VIR_DOMAIN_EVENT_CALLBACK(on_disk_change)},
    {VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2, VIR_DOMAIN_EVENT_CALLBACK(on_block_job)},
    {VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_agent_lifecycle)},
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
    if (!h->watch)
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
