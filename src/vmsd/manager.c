/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager.h"

#include "bus-error.h"
#include "config.h"
#include "log.h"
#include "message-size.h"
#include "names.h"

#include <errno.h>
#include <signal.h>
#include <systemd/sd-daemon.h>
#include <time.h>

/* libvirt is given this long to close when the service ends. */
#define STOP_LIMIT_USEC (5 * UINT64_C(1000000))

uint64_t
manager_now(Manager *m)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* --- stopping ----------------------------------------------------------------------------- */

static int
on_stop_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    Manager *m = userdata;

    log_message(LOG_WARNING, "libvirt does not answer; leaving its connections unclosed");
    return sd_event_exit(m->event, 0);
}

/* Answer everybody, then close libvirt; the loop ends when that is done, or takes too long. */
static void
stop(Manager *m)
{
    if (m->stopping)
        return;
    m->stopping = true;
    (void)sd_notify(0, "STOPPING=1\nSTATUS=Stopping");
    /* Calls from now on are for whoever has the name next. */
    (void)sd_bus_release_name_async(m->bus, NULL, m->bus_name, NULL, NULL);
    jobs_stop(m->jobs);
    requests_stop(m->requests);
    consoles_stop(m->consoles);
    availability_stop(m->availability, manager_now(m), "the service is stopping");
    manager_flush(m);
    (void)sd_event_add_time_relative(m->event, &m->stop_timer, CLOCK_MONOTONIC, STOP_LIMIT_USEC, 0,
                                     on_stop_timer, m);
    lane_pool_stop(m->lane_pool);
}

static int
on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    stop(userdata);
    return 0;
}

static int
on_bus_closed(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Manager *m = userdata;

    if (!m->stopping)
        log_message(LOG_ERR, "The bus closed the connection");
    return sd_event_exit(m->event, m->stopping ? 0 : -ECONNRESET);
}

/*
 * Every message comes through here first. A real domain's XML has some ten thousand bytes; what is
 * larger than this would cost libvirt and us much to read, and is nothing that anybody needs.
 */
#define MESSAGE_MAX ((size_t)1024 * 1024)

static int
on_message(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Manager *m = userdata;

    if (!sd_bus_message_is_method_call(message, NULL, NULL))
        return 0;
    m->incoming_bytes = message_size(message, MESSAGE_MAX);
    if (m->incoming_bytes <= MESSAGE_MAX)
        return 0;
    (void)sd_bus_reply_method_errorf(message, bus_error_name(ERROR_LIMITS_EXCEEDED),
                                     "The arguments take more than %zu bytes", MESSAGE_MAX);
    return 1;
}

/* --- starting ----------------------------------------------------------------------------- */

static int
open_bus(const ManagerConfig *config, sd_bus **ret)
{
    if (!config->address)
        return config->session ? sd_bus_open_user_with_description(ret, "vms")
                               : sd_bus_open_system_with_description(ret, "vms");

    sd_bus *bus = NULL;
    int r = sd_bus_new(&bus);

    if (r >= 0)
        r = sd_bus_set_address(bus, config->address);
    if (r >= 0)
        r = sd_bus_set_bus_client(bus, true);
    if (r >= 0)
        r = sd_bus_negotiate_fds(bus, true);
    if (r >= 0)
        r = sd_bus_start(bus);
    if (r < 0) {
        sd_bus_unref(bus);
        return r;
    }
    *ret = bus;
    return 0;
}

static const char *
bus_description(const ManagerConfig *config)
{
    if (config->address)
        return config->address;
    return config->session ? "session" : "system";
}

static Error *
start_bus(Manager *m, const ManagerConfig *config)
{
    int r = open_bus(config, &m->bus);
    const char *unique;

    if (r >= 0)
        r = sd_bus_get_unique_name(m->bus, &unique); /* waits until we are let in */
    if (r < 0)
        return error_new(ERROR_OPERATION_FAILED, "Connecting to the bus (%s) failed: %s",
                         bus_description(config), g_strerror(-r));
    r = sd_bus_attach_event(m->bus, m->event, SD_EVENT_PRIORITY_NORMAL);
    if (r >= 0)
        r = sd_bus_match_signal(m->bus, NULL, "org.freedesktop.DBus.Local", NULL,
                                "org.freedesktop.DBus.Local", "Disconnected", on_bus_closed, m);
    if (r >= 0)
        r = raw_message_new(&m->raw_messenger);
    if (r >= 0)
        r = sd_bus_add_filter(m->bus, NULL, on_message, m);
    if (r >= 0)
        r = manager_bus_register(m);
    if (r >= 0)
        r = domain_bus_register(m);
    if (r >= 0)
        r = display_bus_register(m);
    if (r >= 0)
        r = saved_bus_register(m);
    if (r >= 0)
        r = snapshots_bus_register(m);
    if (r >= 0)
        r = migration_bus_register(m);
    if (r >= 0)
        r = config_bus_register(m);
    if (r >= 0)
        r = guest_bus_register(m);
    if (r >= 0)
        r = job_bus_register(m);
    if (r < 0)
        return error_new(ERROR_OPERATION_FAILED, "Publishing the objects failed: %s",
                         g_strerror(-r));
    return NULL;
}

static Error *
own_name(Manager *m)
{
    int r = sd_bus_request_name(m->bus, m->bus_name, 0);

    if (r == -EEXIST || r == -EALREADY)
        return error_new(ERROR_OPERATION_FAILED, "The name %s is taken", m->bus_name);
    if (r < 0)
        return error_new(ERROR_OPERATION_FAILED, "Owning the name %s failed: %s", m->bus_name,
                         g_strerror(-r));
    return NULL;
}

static int
on_flush(sd_event_source *source, void *userdata)
{
    manager_flush(userdata);
    return 0;
}

static int
start_loop(Manager *m)
{
    int r = sd_event_default(&m->event);

    if (r >= 0)
        r = sd_event_add_signal(m->event, NULL, SIGTERM, on_signal, m);
    if (r >= 0)
        r = sd_event_add_signal(m->event, NULL, SIGINT, on_signal, m);
    if (r >= 0)
        r = sd_event_add_post(m->event, &m->flush_source, on_flush, m);
    /* A change is told before anything else is begun. */
    if (r >= 0)
        r = sd_event_source_set_priority(m->flush_source, SD_EVENT_PRIORITY_NORMAL - 1);
    if (r >= 0)
        r = loop_queue_new(m->event, &m->loop_queue);
    if (r >= 0)
        r = manager_list_init(m);
    if (r < 0)
        return r;
    m->lane_pool = lane_pool_new(m->event, m->loop_queue, m->uri, &manager_lane_pool_callbacks, m);
    m->refresher = refresher_new(m->event, m->lane_pool, &manager_refresh_callbacks, m);
    m->capacities = disk_sizes_new(m);
    m->jobs = jobs_new(m);
    m->requests = requests_new(m);
    m->stats = stats_new(m);
    m->consoles = consoles_new(m);
    return m->refresher && m->jobs ? 0 : -ENOMEM;
}

static Error *
start(Manager *m, const ManagerConfig *config)
{
    int r = start_loop(m);
    Error *error = NULL;

    if (r < 0)
        return error_new(ERROR_OPERATION_FAILED, "Starting the event loop failed: %s",
                         g_strerror(-r));
    error = start_bus(m, config);
    if (error)
        return error;
    m->authorizer = authorizer_new(m->bus, m->instance);
    if (!hypervisor_library_start(&error))
        return error;
    r = manager_start_connection(m, config);
    if (r < 0)
        return error_new(ERROR_OPERATION_FAILED, "Watching for libvirt failed: %s", g_strerror(-r));
    /* Last, so that nobody finds a service without its objects. */
    return own_name(m);
}

Manager *
manager_new(const ManagerConfig *config, Error **error)
{
    Manager *m = g_new0(Manager, 1);

    m->version = PROJECT_VERSION;
    m->bus_name = g_strdup(config->bus_name);
    m->uri = g_strdup(config->uri);
    m->instance = g_strdup(config->instance);
    m->stop_timeout_usec = config->stop_timeout_usec;
    m->status_name = status_name(STATUS_STARTING);
    m->status_message = g_strdup("");
    m->status_since = (uint64_t)g_get_real_time();
    m->identity = (HypervisorIdentity){g_strdup(""), g_strdup(""), g_strdup(""), g_strdup("")};
    m->slots = g_ptr_array_new_with_free_func((GDestroyNotify)(void (*)(void))sd_bus_slot_unref);
    m->domain_interfaces = g_ptr_array_new_with_free_func(object_interface_free);
    m->job_interfaces = g_ptr_array_new_with_free_func(object_interface_free);
    m->domains = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
                                       (GDestroyNotify)(void (*)(void))domain_unref);
    m->dirty = g_ptr_array_new_with_free_func((GDestroyNotify)(void (*)(void))domain_unref);
    m->early = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_hash_table_unref);
    *error = start(m, config);
    if (*error) {
        manager_abandon(m);
        return NULL;
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

/* A failed start: let what it began end. */
void
manager_abandon(Manager *m)
{
    if (m->availability) {
        stop(m);
        (void)sd_event_loop(m->event);
    }
    manager_free(m);
}

void
manager_free(Manager *m)
{
    if (!m)
        return;
    /* A thread that still waits for libvirt uses what it was given: the process ends anyway. */
    if (m->availability && !m->lane_pool_stopped)
        return;
    hypervisor_library_stop();
    /* What is still in it finds all that it is about. */
    loop_queue_free(m->loop_queue);
    daemon_watch_free(m->pidfiles);
    authorizer_free(m->authorizer);
    requests_free(m->requests);
    jobs_free(m->jobs);
    refresher_free(m->refresher);
    disk_sizes_free(m->capacities);
    availability_free(m->availability);
    sd_event_source_disable_unref(m->availability_timer);
    sd_event_source_disable_unref(m->reconcile_timer);
    sd_event_source_disable_unref(m->stop_timer);
    sd_event_source_disable_unref(m->flush_source);
    manager_list_done(m);
    lane_pool_free(m->lane_pool);
    stats_free(m->stats);
    consoles_free(m->consoles);
    g_ptr_array_unref(m->slots);
    g_ptr_array_unref(m->domain_interfaces);
    g_ptr_array_unref(m->job_interfaces);
    g_ptr_array_unref(m->dirty);
    g_hash_table_unref(m->early);
    g_hash_table_unref(m->domains);
    hypervisor_identity_clear(&m->identity);
    sd_bus_flush_close_unref(m->bus);
    raw_message_free(m->raw_messenger);
    sd_event_unref(m->event);
    g_free(m->bus_name);
    g_free(m->uri);
    g_free(m->instance);
    g_free(m->status_message);
    g_free(m);
}
