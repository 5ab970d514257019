/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager.h"

#include "bus-open.h"
#include "config.h"
#include "log.h"
#include "names.h"
#include "service.h"
#include "timer.h"
#include "units.h"

#include <errno.h>
#include <signal.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

/* libvirt is given this long to close when the service ends. */
#define STOP_LIMIT (5 * SEC)

struct Manager {
    const Options *options;
    sd_event *event;
    sd_bus *bus;
    ServiceSettings settings;
    Service *service;
    Core *core;
    Timer *stop_timer;
    bool stopping;
};

/* --- stopping ----------------------------------------------------------------------------- */

static void
on_stop_timer(void *userdata)
{
    const Manager *m = userdata;

    log_message(LOG_WARNING, "libvirt does not answer; leaving its connections unclosed");
    (void)sd_event_exit(m->event, 0);
}

/* Answer everybody, then close libvirt; the loop ends when that is done, or takes too long. */
static void
stop(Manager *m)
{
    if (m->stopping)
        return;
    m->stopping = true;
    (void)sd_notify(0, "STOPPING=1\nSTATUS=Stopping");
    /* The next owner of the name answers calls from now on. */
    (void)sd_bus_release_name_async(m->bus, NULL, m->options->name, NULL, NULL);
    timer_arm_relative(m->stop_timer, STOP_LIMIT);
    core_stop_jobs(m->core);
    service_stop(m->service);
    core_stop(m->core);
}

static int
on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    stop(userdata);
    return 0;
}

static void
on_core_stopped(void *userdata)
{
    const Manager *m = userdata;

    (void)sd_event_exit(m->event, 0);
}

static int
on_bus_closed(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Manager *m = userdata;

    if (!m->stopping)
        log_message(LOG_ERR, "The bus closed the connection");
    return sd_event_exit(m->event, m->stopping ? 0 : -ECONNRESET);
}

/* --- starting ----------------------------------------------------------------------------- */

/* For "systemctl status". */
static void
on_status_changed(void *userdata)
{
    const Manager *m = userdata;
    g_autofree char *text = core_describe(m->core);

    /* A newline in libvirt's words would begin another assignment. */
    g_strdelimit(text, "\r\n", ' ');
    if (!m->stopping)
        (void)sd_notifyf(0, "STATUS=%s", text);
}

static Error *
failure(const char *what, int r)
{
    return error_new(ERROR_OPERATION_FAILED, "%s failed: %s", what, g_strerror(-r));
}

static Error *
start_loop(Manager *m)
{
    int r = sd_event_default(&m->event);

    if (r >= 0)
        r = sd_event_add_signal(m->event, NULL, SIGTERM, on_signal, m);
    if (r >= 0)
        r = sd_event_add_signal(m->event, NULL, SIGINT, on_signal, m);
    if (r < 0)
        return failure("Starting the event loop", r);
    m->stop_timer = timer_new(m->event, SEC / 10, on_stop_timer, m);
    return NULL;
}

static Error *
start_bus(Manager *m)
{
    const BusTarget target = {.session = m->options->session, .address = m->options->address};
    const char *unique;
    int r = bus_open(&target, "vms", &m->bus);

    if (r >= 0)
        r = sd_bus_get_unique_name(m->bus, &unique); /* waits until the bus lets us in */
    if (r < 0)
        return error_new(ERROR_OPERATION_FAILED, "Connecting to the bus (%s) failed: %s",
                         target.address   ? target.address
                         : target.session ? "session"
                                          : "system",
                         g_strerror(-r));
    r = sd_bus_attach_event(m->bus, m->event, SD_EVENT_PRIORITY_NORMAL);
    if (r >= 0)
        r = sd_bus_match_signal(m->bus, NULL, "org.freedesktop.DBus.Local", NULL,
                                "org.freedesktop.DBus.Local", "Disconnected", on_bus_closed, m);
    if (r >= 0)
        r = service_new(m->bus, &m->settings, &m->service);
    return r < 0 ? failure("Publishing the objects", r) : NULL;
}

static Error *
start_core(Manager *m)
{
    Error *error = NULL;

    m->core = core_new(m->event, m->options->uri, m->options->guest_info, &service_core_listener,
                       m->service, &error);
    if (error)
        return error;
    service_set_core(m->service, m->core);
    int r = core_start(m->core, (const char *const *)m->options->pid_files);
    return r < 0 ? failure("Watching for libvirt", r) : NULL;
}

static Error *
request_name(Manager *m, const char *name, uint64_t flags)
{
    int r = sd_bus_request_name(m->bus, name, flags);

    if (r == -EEXIST || r == -EALREADY)
        return error_new(ERROR_OPERATION_FAILED, "The name %s is taken", name);
    if (r < 0)
        return error_new(ERROR_OPERATION_FAILED, "Owning the name %s failed: %s", name,
                         g_strerror(-r));
    return NULL;
}

/* Last, so that nobody finds a service without its objects, nor an instance that the bus lets
 * nobody call yet. */
static Error *
own_name(Manager *m)
{
    Error *error = NULL;

    if (m->options->instance)
        error = request_name(m, VMS_INSTANCES_NAME, SD_BUS_NAME_QUEUE);
    return error ? error : request_name(m, m->options->name, 0);
}

static Error *
start(Manager *m)
{
    Error *error = start_loop(m);

    if (!error)
        error = start_bus(m);
    if (!error)
        error = start_core(m);
    return error ? error : own_name(m);
}

Manager *
manager_new(const Options *options, Error **error)
{
    Manager *m = g_new0(Manager, 1);

    m->options = options;
    m->settings = (ServiceSettings){
        .version = PROJECT_VERSION,
        .instance = options->instance ? options->instance : "",
        .stop_timeout_usec = options->stop_timeout_usec,
        .status_changed = on_status_changed,
        .stopped = on_core_stopped,
        .userdata = m,
    };
    *error = start(m);
    /* Let what has been started end. */
    if (*error && m->core) {
        stop(m);
        (void)sd_event_loop(m->event);
    }
    return m;
}

int
manager_run(Manager *m)
{
    (void)sd_event_set_watchdog(m->event, true);
    (void)sd_notify(0, "READY=1");
    int r = sd_event_loop(m->event);

    (void)sd_bus_flush(m->bus);
    return r;
}

bool
manager_free(Manager *m)
{
    /* The thread may use these objects. */
    if (m->core && !core_is_stopped(m->core))
        return false;
    core_free(m->core);
    service_free(m->service);
    timer_free(m->stop_timer);
    sd_bus_flush_close_unref(m->bus);
    sd_event_unref(m->event);
    g_free(m);
    return true;
}
