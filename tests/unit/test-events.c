/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Each of libvirt's events, with the arguments that it has, becomes the event that the service
 * knows. Neither the test driver nor a short test of QEMU makes them all, so libvirt's functions
 * that register callbacks are replaced here by some that keep them.
 */

#include "error.h"
#include "hypervisor-events.h"

#include <glib.h>
#include <libvirt/libvirt.h>
#include <string.h>

#define URI        "test:///default"
#define NAME       "test"
#define GENERATION 7
#define CALLBACKS  64 /* more than there are events */

typedef struct {
    int id;
    virConnectDomainEventGenericCallback call;
    void *userdata;
    virFreeCallback free_userdata;
} Callback;

static Callback callbacks[CALLBACKS];
static unsigned n_callbacks;
static int refused; /* an event that the driver lacks */
static virConnectCloseFunc close_call;
static void *close_userdata;
static GPtrArray *seen; /* HypervisorEvent */
static HypervisorLoss *loss;

/* --- in the place of libvirt's ---------------------------------------------------------------- */

int
virConnectDomainEventRegisterAny(virConnectPtr conn, virDomainPtr dom, int id,
                                 virConnectDomainEventGenericCallback call, void *userdata,
                                 virFreeCallback free_userdata)
{
    g_assert_nonnull(conn);
    g_assert_null(dom);
    g_assert_cmpuint(n_callbacks, <, CALLBACKS);
    if (id == refused)
        return -1;
    callbacks[n_callbacks] = (Callback){id, call, userdata, free_userdata};
    return (int)n_callbacks++;
}

int
virConnectDomainEventDeregisterAny(virConnectPtr conn, int callback)
{
    g_assert_nonnull(conn);
    g_assert_cmpint(callback, <, (int)n_callbacks);
    g_assert_nonnull(callbacks[callback].call);
    callbacks[callback].free_userdata(callbacks[callback].userdata);
    callbacks[callback].call = NULL;
    return 0;
}

int
virConnectRegisterCloseCallback(virConnectPtr conn, virConnectCloseFunc call, void *userdata,
                                virFreeCallback free_userdata)
{
    g_assert_nonnull(conn);
    g_assert_null(free_userdata);
    close_call = call;
    close_userdata = userdata;
    return 0;
}

int
virConnectUnregisterCloseCallback(virConnectPtr conn, virConnectCloseFunc call)
{
    g_assert_nonnull(conn);
    g_assert_true(call == close_call);
    close_call = NULL;
    return 0;
}

/* --- a connection that is watched ------------------------------------------------------------- */

static void
take_event(HypervisorEvent *event)
{
    g_ptr_array_add(seen, event);
}

static void
take_loss(HypervisorLoss *lost)
{
    g_assert_null(loss);
    loss = lost;
}

static const HypervisorWatcher watcher = {.event = take_event, .lost = take_loss};

typedef struct {
    Hypervisor *hypervisor;
    virConnectPtr conn; /* another one, for the domain that the callbacks are given */
    virDomainPtr dom;
    char uuid[VIR_UUID_STRING_BUFLEN];
} Watched;

static void
watch(Watched *watched)
{
    Status why = STATUS_AVAILABLE;
    g_autoptr(Error) error = NULL;

    n_callbacks = 0;
    seen = g_ptr_array_new_with_free_func(g_free);
    watched->hypervisor = hypervisor_open(URI, &why, &error);
    watched->conn = virConnectOpen(URI);
    g_assert_nonnull(watched->hypervisor);
    g_assert_nonnull(watched->conn);
    watched->dom = virDomainLookupByName(watched->conn, NAME);
    g_assert_nonnull(watched->dom);
    g_assert_cmpint(virDomainGetUUIDString(watched->dom, watched->uuid), ==, 0);
    g_assert_true(hypervisor_watch(watched->hypervisor, &watcher, &refused, GENERATION, &error));
    g_assert_null(error);
}

static void
unwatch(Watched *watched)
{
    hypervisor_unwatch(watched->hypervisor);
    for (unsigned i = 0; i < n_callbacks; i++)
        g_assert_null(callbacks[i].call);
    g_assert_null(close_call);
    hypervisor_close(watched->hypervisor);
    virDomainFree(watched->dom);
    virConnectClose(watched->conn);
    g_clear_pointer(&seen, g_ptr_array_unref);
}

static const Callback *
find_callback(int id)
{
    for (unsigned i = 0; i < n_callbacks; i++)
        if (callbacks[i].id == id)
            return &callbacks[i];
    return NULL;
}

/* --- the calls that libvirt makes ------------------------------------------------------------- */

#define NO_DEVICE ""
#define ALIAS     "device0"

/* `first` and `second` are the numbers of the event, and `reason` its text. */
typedef struct {
    void (*send)(const Callback *callback, const Watched *watched, int first, int second,
                 const char *reason);
    const char *reason;
    const char *device;
    int id;
    int first;
    int second;
    HypervisorEventKind kind;
    BlockJobType job;
    BlockJobEvent about;
    bool reported;
} Case;

/* SENDER(TYPE, ARGUMENTS...): send_TYPE() calls a virConnectDomainEventTYPE. */
#define SENDER(type, ...)                                                                          \
    static void send_##type(const Callback *callback, const Watched *watched, int first,           \
                            int second, const char *reason)                                        \
    {                                                                                              \
        (void)first;                                                                               \
        (void)second;                                                                              \
        (void)reason;                                                                              \
        ((virConnectDomainEvent##type)(void (*)(void))callback->call)(watched->conn, watched->dom, \
                                                                      __VA_ARGS__);                \
    }

static virTypedParameter figure = {.field = "figure", .type = VIR_TYPED_PARAM_ULLONG};

SENDER(Callback, first, second, callback->userdata)
SENDER(GenericCallback, callback->userdata)
SENDER(PMWakeupCallback, first, callback->userdata)
SENDER(PMSuspendCallback, first, callback->userdata)
SENDER(PMSuspendDiskCallback, first, callback->userdata)
SENDER(AgentLifecycleCallback, first, second, callback->userdata)
SENDER(IOErrorReasonCallback, "/source", ALIAS, first, reason, callback->userdata)
SENDER(WatchdogCallback, first, callback->userdata)
SENDER(MemoryFailureCallback, first, second, VIR_DOMAIN_MEMORY_FAILURE_RECURSIVE,
       callback->userdata)
SENDER(DeviceAddedCallback, ALIAS, callback->userdata)
SENDER(DeviceRemovedCallback, ALIAS, callback->userdata)
SENDER(DeviceRemovalFailedCallback, ALIAS, callback->userdata)
SENDER(TrayChangeCallback, ALIAS, first, callback->userdata)
SENDER(DiskChangeCallback, "/old", NULL, ALIAS, first, callback->userdata)
#if LIBVIR_CHECK_VERSION(7, 9, 0)
SENDER(MemoryDeviceSizeChangeCallback, ALIAS, 1ULL << 20, callback->userdata)
#endif
#if LIBVIR_CHECK_VERSION(11, 2, 0)
SENDER(NICMACChangeCallback, ALIAS, "52:54:00:00:00:01", "52:54:00:00:00:02", callback->userdata)
#endif
#if LIBVIR_CHECK_VERSION(12, 4, 0)
SENDER(VcpuRemovedCallback, (unsigned)first, callback->userdata)
#endif
SENDER(MetadataChangeCallback, first, NULL, callback->userdata)
SENDER(BalloonChangeCallback, 1ULL << 20, callback->userdata)
SENDER(TunableCallback, &figure, 1, callback->userdata)
SENDER(JobCompletedCallback, &figure, 1, callback->userdata)
SENDER(BlockJobCallback, "vda", first, second, callback->userdata)

#define LIFECYCLE(event, detail, becomes)                                                          \
    {                                                                                              \
        .id = VIR_DOMAIN_EVENT_ID_LIFECYCLE, .send = send_Callback,                                \
        .first = VIR_DOMAIN_EVENT_##event, .second = VIR_DOMAIN_EVENT_##detail, .kind = becomes,   \
        .device = NO_DEVICE                                                                        \
    }
#define EVENT(name, type, number, becomes, about_device)                                           \
    {                                                                                              \
        .id = VIR_DOMAIN_EVENT_ID_##name, .send = send_##type, .first = number, .kind = becomes,   \
        .device = about_device                                                                     \
    }
#define IO_ERROR(action, words, becomes, told)                                                     \
    {                                                                                              \
        .id = VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON, .send = send_IOErrorReasonCallback,             \
        .first = VIR_DOMAIN_EVENT_IO_ERROR_##action, .reason = words, .kind = becomes,             \
        .device = ALIAS, .reported = told                                                          \
    }
#define BLOCK_JOB(type, status, becomes, which)                                                    \
    {                                                                                              \
        .id = VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2, .send = send_BlockJobCallback,                      \
        .first = VIR_DOMAIN_BLOCK_JOB_TYPE_##type, .second = status, .kind = EVENT_BLOCK_JOB,      \
        .device = "vda", .job = becomes, .about = which                                            \
    }

static const Case cases[] = {
    LIFECYCLE(DEFINED, DEFINED_UPDATED, EVENT_CHANGED),
    LIFECYCLE(STARTED, STARTED_BOOTED, EVENT_STARTED),
    LIFECYCLE(STARTED, STARTED_WAKEUP, EVENT_CHANGED),
    LIFECYCLE(RESUMED, RESUMED_UNPAUSED, EVENT_RESUMED),
    LIFECYCLE(STOPPED, STOPPED_SHUTDOWN, EVENT_STOPPED),
    LIFECYCLE(STOPPED, STOPPED_MIGRATED, EVENT_MIGRATED),
    LIFECYCLE(CRASHED, CRASHED_PANICKED, EVENT_PANICKED),
    EVENT(REBOOT, GenericCallback, 0, EVENT_REBOOTED, NO_DEVICE),
    EVENT(PMWAKEUP, PMWakeupCallback, 0, EVENT_CHANGED, NO_DEVICE),
    EVENT(PMSUSPEND, PMSuspendCallback, 0, EVENT_CHANGED, NO_DEVICE),
    EVENT(PMSUSPEND_DISK, PMSuspendDiskCallback, 0, EVENT_CHANGED, NO_DEVICE),
    EVENT(AGENT_LIFECYCLE, AgentLifecycleCallback,
          VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED, EVENT_CHANGED, NO_DEVICE),
    EVENT(AGENT_LIFECYCLE, AgentLifecycleCallback,
          VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_DISCONNECTED, EVENT_CHANGED, NO_DEVICE),

    IO_ERROR(PAUSE, "enospc", EVENT_NO_SPACE, false),
    IO_ERROR(REPORT, "enospc", EVENT_NO_SPACE, true),
    IO_ERROR(PAUSE, "eother", EVENT_IO_ERROR, false),
    IO_ERROR(REPORT, NULL, EVENT_IO_ERROR, true),
    EVENT(WATCHDOG, WatchdogCallback, VIR_DOMAIN_EVENT_WATCHDOG_NONE, EVENT_WATCHDOG, NO_DEVICE),
    EVENT(WATCHDOG, WatchdogCallback, VIR_DOMAIN_EVENT_WATCHDOG_DEBUG, EVENT_WATCHDOG, NO_DEVICE),
    EVENT(WATCHDOG, WatchdogCallback, VIR_DOMAIN_EVENT_WATCHDOG_RESET, EVENT_CHANGED, NO_DEVICE),
    EVENT(MEMORY_FAILURE, MemoryFailureCallback, VIR_DOMAIN_EVENT_MEMORY_FAILURE_RECIPIENT_GUEST,
          EVENT_MEMORY_FAILURE, NO_DEVICE),
    EVENT(CONTROL_ERROR, GenericCallback, 0, EVENT_CONTROL_ERROR, NO_DEVICE),

    EVENT(DEVICE_ADDED, DeviceAddedCallback, 0, EVENT_CHANGED, ALIAS),
    EVENT(DEVICE_REMOVED, DeviceRemovedCallback, 0, EVENT_DEVICE_REMOVED, ALIAS),
    EVENT(DEVICE_REMOVAL_FAILED, DeviceRemovalFailedCallback, 0, EVENT_DEVICE_KEPT, ALIAS),
    EVENT(TRAY_CHANGE, TrayChangeCallback, VIR_DOMAIN_EVENT_TRAY_CHANGE_OPEN, EVENT_CHANGED, ALIAS),
    EVENT(DISK_CHANGE, DiskChangeCallback, VIR_DOMAIN_EVENT_DISK_DROP_MISSING_ON_START,
          EVENT_CHANGED, ALIAS),
#if LIBVIR_CHECK_VERSION(7, 9, 0)
    EVENT(MEMORY_DEVICE_SIZE_CHANGE, MemoryDeviceSizeChangeCallback, 0, EVENT_CHANGED, ALIAS),
#endif
#if LIBVIR_CHECK_VERSION(11, 2, 0)
    EVENT(NIC_MAC_CHANGE, NICMACChangeCallback, 0, EVENT_CHANGED, ALIAS),
#endif
#if LIBVIR_CHECK_VERSION(12, 4, 0)
    EVENT(VCPU_REMOVED, VcpuRemovedCallback, 3, EVENT_CHANGED, NO_DEVICE),
#endif

    EVENT(METADATA_CHANGE, MetadataChangeCallback, VIR_DOMAIN_METADATA_TITLE, EVENT_CHANGED,
          NO_DEVICE),
    EVENT(BALLOON_CHANGE, BalloonChangeCallback, 0, EVENT_CHANGED, NO_DEVICE),
    EVENT(TUNABLE, TunableCallback, 0, EVENT_CHANGED, NO_DEVICE),
    EVENT(JOB_COMPLETED, JobCompletedCallback, 0, EVENT_CHANGED, NO_DEVICE),

    BLOCK_JOB(COPY, VIR_DOMAIN_BLOCK_JOB_READY, BLOCK_JOB_COPY, BLOCK_JOB_READY),
    BLOCK_JOB(PULL, VIR_DOMAIN_BLOCK_JOB_COMPLETED, BLOCK_JOB_PULL, BLOCK_JOB_COMPLETED),
    BLOCK_JOB(COMMIT, VIR_DOMAIN_BLOCK_JOB_FAILED, BLOCK_JOB_COMMIT, BLOCK_JOB_FAILED),
    BLOCK_JOB(ACTIVE_COMMIT, VIR_DOMAIN_BLOCK_JOB_READY, BLOCK_JOB_ACTIVE_COMMIT, BLOCK_JOB_READY),
    BLOCK_JOB(BACKUP, VIR_DOMAIN_BLOCK_JOB_CANCELED, BLOCK_JOB_OTHER, BLOCK_JOB_CANCELED),
};

/* --- the cases -------------------------------------------------------------------------------- */

static void
check_case(const Case *c, const Watched *watched)
{
    const Callback *callback = find_callback(c->id);

    g_test_message("event %d: %d, %d", c->id, c->first, c->second);
    g_assert_nonnull(callback);
    c->send(callback, watched, c->first, c->second, c->reason);
    g_assert_cmpuint(seen->len, ==, 1);

    const HypervisorEvent *event = seen->pdata[0];
    g_assert_true(event->userdata == &refused);
    g_assert_cmpuint(event->generation, ==, GENERATION);
    g_assert_cmpstr(event->uuid, ==, watched->uuid);
    g_assert_cmpuint(event->time, >, 0);
    g_assert_cmpint(event->kind, ==, c->kind);
    g_assert_cmpstr(event->device, ==, c->device);
    g_assert_cmpint(event->reported, ==, c->reported);
    g_assert_cmpint(event->job, ==, c->job);
    g_assert_cmpint(event->about, ==, c->about);
    g_ptr_array_set_size(seen, 0);
}

static void
test_each(void)
{
    Watched watched;

    refused = -1;
    watch(&watched);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
        check_case(&cases[i], &watched);
    unwatch(&watched);
}

/* Each event that is registered is registered once, and has a case above. */
static void
test_all(void)
{
    Watched watched;

    refused = -1;
    watch(&watched);
    for (unsigned i = 0; i < n_callbacks; i++) {
        unsigned n_cases = 0;

        for (unsigned j = 0; j < G_N_ELEMENTS(cases); j++)
            n_cases += cases[j].id == callbacks[i].id;
        if (n_cases == 0)
            g_error("event %d has no case", callbacks[i].id);
        g_assert_true(find_callback(callbacks[i].id) == &callbacks[i]);
    }
    unwatch(&watched);
}

/* A status that only a newer libvirt has is a change, of which nothing else is known. */
static void
test_unknown_status(void)
{
    const Case unknown = {
        .id = VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2,
        .send = send_BlockJobCallback,
        .first = VIR_DOMAIN_BLOCK_JOB_TYPE_PULL,
        .second = 1000,
        .kind = EVENT_CHANGED,
        .device = "vda",
        .job = BLOCK_JOB_PULL,
        .about = BLOCK_JOB_COMPLETED,
    };
    Case negative = unknown;
    Watched watched;

    negative.second = -1;
    refused = -1;
    watch(&watched);
    check_case(&unknown, &watched);
    check_case(&negative, &watched);
    unwatch(&watched);
}

/* An event that the driver lacks is left out; the others are there. */
static void
test_lacking(void)
{
    Watched watched;

    refused = -1;
    watch(&watched);
    unsigned n_all = n_callbacks;
    unwatch(&watched);

    refused = VIR_DOMAIN_EVENT_ID_REBOOT;
    watch(&watched);
    g_assert_cmpuint(n_callbacks, ==, n_all - 1);
    g_assert_null(find_callback(VIR_DOMAIN_EVENT_ID_REBOOT));
    g_assert_nonnull(find_callback(VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2));
    unwatch(&watched);
}

static void
test_loss(void)
{
    static const struct {
        int reason;
        const char *words;
    } losses[] = {
        {VIR_CONNECT_CLOSE_REASON_EOF, "closed"},
        {VIR_CONNECT_CLOSE_REASON_KEEPALIVE, "keepalive"},
        {VIR_CONNECT_CLOSE_REASON_ERROR, "broke"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(losses); i++) {
        Watched watched;

        refused = -1;
        watch(&watched);
        g_assert_nonnull(close_call);
        close_call(watched.conn, losses[i].reason, close_userdata);
        g_assert_nonnull(loss);
        g_assert_true(loss->userdata == &refused);
        g_assert_cmpuint(loss->generation, ==, GENERATION);
        g_assert_nonnull(strstr(loss->message, losses[i].words));
        g_clear_pointer(&loss, g_free);
        unwatch(&watched);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/events/each", test_each);
    g_test_add_func("/events/all", test_all);
    g_test_add_func("/events/unknown-status", test_unknown_status);
    g_test_add_func("/events/lacking", test_lacking);
    g_test_add_func("/events/loss", test_loss);
    return g_test_run();
}
