/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager.h"

#include "hypervisor-traits.h"
#include "libvirt-uri.h"
#include "log.h"

#include <systemd/sd-daemon.h>
#include <time.h>

/* What libvirt sends no event for is looked for this often. */
#define RECONCILE_USEC          (60 * UINT64_C(1000000))
#define RECONCILE_ACCURACY_USEC (5 * UINT64_C(1000000))

/* --- the availability engine's effects ---------------------------------------------------- */

static void
effect_connect(void *userdata, unsigned attempt)
{
    Manager *m = userdata;

    /* Events of a connection may come before the connection itself is reported. */
    g_hash_table_insert(m->early, GUINT_TO_POINTER(attempt),
                        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL));
    lane_pool_connect(m->lane_pool, attempt);
}

static void
forget_early_events(Manager *m, unsigned attempt)
{
    g_hash_table_remove(m->early, GUINT_TO_POINTER(attempt));
}

static void
set_identity(Manager *m, HypervisorIdentity *identity)
{
    static const struct {
        size_t offset;
        unsigned bit;
    } fields[] = {
        {offsetof(HypervisorIdentity, hostname), MANAGER_CHANGED(HOSTNAME)},
        {offsetof(HypervisorIdentity, type), MANAGER_CHANGED(HYPERVISOR_TYPE)},
        {offsetof(HypervisorIdentity, version), MANAGER_CHANGED(HYPERVISOR_VERSION)},
        {offsetof(HypervisorIdentity, libvirt_version), MANAGER_CHANGED(LIBVIRT_VERSION)},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(fields); i++) {
        char **mine = G_STRUCT_MEMBER_P(&m->identity, fields[i].offset);
        char **news = G_STRUCT_MEMBER_P(identity, fields[i].offset);

        if (g_strcmp0(*mine, *news) == 0)
            continue;
        g_free(*mine);
        *mine = g_steal_pointer(news);
        m->unsignaled |= fields[i].bit;
    }
}

static void
mark_early_events(Manager *m, unsigned attempt)
{
    GHashTable *events = g_hash_table_lookup(m->early, GUINT_TO_POINTER(attempt));
    GHashTableIter iter;
    gpointer uuid;

    g_hash_table_iter_init(&iter, events);
    while (g_hash_table_iter_next(&iter, &uuid, NULL))
        refresher_mark(m->refresher, uuid, FACT_ALL);
    forget_early_events(m, attempt);
}

static void
observe_all(Manager *m)
{
    g_autoptr(GPtrArray) domains = manager_sorted_domains(m);

    for (unsigned i = 0; i < domains->len; i++)
        jobs_domain_changed(m->jobs, ((Domain *)domains->pdata[i])->uuid, false);
}

static void
effect_adopt(void *userdata, unsigned attempt)
{
    Manager *m = userdata;
    ConnectResult *attempted = m->attempted;

    lane_pool_adopt(m->lane_pool, attempt);
    set_identity(m, &attempted->identity);
    manager_set_domains_available(m, true);
    manager_apply_list(m, attempted->snapshots);
    mark_early_events(m, attempt);
    observe_all(m);
    refresher_set_connected(m->refresher, true);
    jobs_connection(m->jobs, true);
    (void)sd_event_source_set_time_relative(m->reconcile_timer, RECONCILE_USEC);
    (void)sd_event_source_set_enabled(m->reconcile_timer, SD_EVENT_ONESHOT);
}

static void
effect_leave(void *userdata, unsigned attempt)
{
    Manager *m = userdata;

    lane_pool_leave(m->lane_pool, attempt);
}

static void
effect_probe(void *userdata)
{
    Manager *m = userdata;
    g_auto(GStrv) sockets = libvirt_uri_sockets(m->uri, g_get_user_runtime_dir());

    lane_pool_probe(m->lane_pool, (const char *const *)sockets);
}

static void
effect_discard(void *userdata, unsigned attempt)
{
    Manager *m = userdata;

    forget_early_events(m, attempt);
    lane_pool_discard(m->lane_pool, attempt);
}

static void
effect_clear(void *userdata, unsigned generation)
{
    Manager *m = userdata;

    (void)sd_event_source_set_enabled(m->reconcile_timer, SD_EVENT_OFF);
    refresher_set_connected(m->refresher, false);
    manager_set_domains_available(m, false);
    jobs_connection(m->jobs, false);
    requests_connection_lost(m->requests);
}

static void
effect_close(void *userdata, unsigned generation)
{
    Manager *m = userdata;

    /* Whoever is told that his call was lost finds the new state already. */
    lane_pool_clear(m->lane_pool);
    lane_pool_close_cleared(m->lane_pool);
}

static char *
describe_status(const Manager *m)
{
    if (m->available)
        return g_strdup_printf("Connected to %s: %u domains", m->uri,
                               g_hash_table_size(m->domains));
    return g_strdup_printf("%s is not available (%s): %s", m->uri, m->status_name,
                           m->status_message);
}

void
manager_tell_systemd(const Manager *m)
{
    g_autofree char *text = describe_status(m);

    if (!m->stopping)
        (void)sd_notifyf(0, "STATUS=%s", text);
}

/* One entry when libvirt goes away and one when it is back, whatever is tried meanwhile; that we
 * leave it is none. */
static void
log_status(const Manager *m, bool was_available, bool first)
{
    g_autofree char *text = describe_status(m);

    if (m->available)
        log_event(LOG_EVENT_AVAILABLE, text, LOG_FIELD_LIBVIRT_URI, m->uri, LOG_FIELD_VMS_STATUS,
                  m->status_name, NULL);
    else if ((was_available || first) && !m->stopping)
        log_event(LOG_EVENT_UNAVAILABLE, text, LOG_FIELD_LIBVIRT_URI, m->uri, LOG_FIELD_VMS_STATUS,
                  m->status_name, NULL);
    else
        log_message(LOG_DEBUG, "%s", text);
}

static void
effect_status(void *userdata, Status status, const char *message)
{
    Manager *m = userdata;
    bool was_available = m->available;
    bool first = m->status_name == status_name(STATUS_STARTING);

    if (m->status_name != status_name(status)) {
        m->status_name = status_name(status);
        m->status_since = (uint64_t)g_get_real_time();
        m->unsignaled |= MANAGER_CHANGED(STATUS) | MANAGER_CHANGED(STATUS_SINCE);
    }
    if (!g_str_equal(m->status_message, message)) {
        g_free(m->status_message);
        m->status_message = g_strdup(message);
        m->unsignaled |= MANAGER_CHANGED(STATUS_MESSAGE);
    }
    if (m->available != (status == STATUS_AVAILABLE)) {
        m->available = status == STATUS_AVAILABLE;
        m->unsignaled |= MANAGER_CHANGED(AVAILABLE);
    }
    manager_tell_systemd(m);
    log_status(m, was_available, first);
    manager_flush(m);
}

static void
effect_answer(void *userdata, void *waiter, const Error *error)
{
    request_available(waiter, error);
}

static void
effect_arm(void *userdata, uint64_t when)
{
    Manager *m = userdata;

    if (when == AVAILABILITY_NEVER) {
        (void)sd_event_source_set_enabled(m->availability_timer, SD_EVENT_OFF);
        return;
    }
    (void)sd_event_source_set_time(m->availability_timer, when);
    (void)sd_event_source_set_enabled(m->availability_timer, SD_EVENT_ONESHOT);
}

static const AvailabilityEffects effects = {
    .connect = effect_connect,
    .leave = effect_leave,
    .probe = effect_probe,
    .adopt = effect_adopt,
    .discard = effect_discard,
    .clear = effect_clear,
    .close = effect_close,
    .status = effect_status,
    .answer = effect_answer,
    .arm = effect_arm,
};

/* --- its triggers ------------------------------------------------------------------------- */

static int
on_availability_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    Manager *m = userdata;

    availability_elapsed(m->availability, manager_now(m));
    return 0;
}

static int
on_reconcile_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    Manager *m = userdata;

    manager_reconcile(m);
    (void)sd_event_source_set_time_relative(source, RECONCILE_USEC);
    (void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
    return 0;
}

static void
on_hint(void *userdata, Hint hint)
{
    Manager *m = userdata;

    availability_hint(m->availability, manager_now(m), hint);
}

static void
on_attempted(void *userdata, ConnectResult *result)
{
    Manager *m = userdata;

    if (result->succeeded) {
        m->attempted = result;
        availability_succeeded(m->availability, manager_now(m), result->attempt);
        m->attempted = NULL;
    } else {
        forget_early_events(m, result->attempt);
        availability_failed(m->availability, manager_now(m), result->attempt, result->why,
                            result->error->message);
    }
}

static void
on_probed(void *userdata, bool answered)
{
    Manager *m = userdata;

    availability_probed(m->availability, manager_now(m), answered);
}

static void
keep_early_event(Manager *m, const HypervisorEvent *event)
{
    GHashTable *events = g_hash_table_lookup(m->early, GUINT_TO_POINTER(event->generation));

    if (events)
        g_hash_table_add(events, g_strdup(event->uuid));
}

static void
on_event(void *userdata, const HypervisorEvent *event)
{
    Manager *m = userdata;

    if (event->generation != availability_generation(m->availability)) {
        keep_early_event(m, event);
        return;
    }
    if (event->kind == EVENT_REBOOTED)
        jobs_domain_rebooted(m->jobs, event->uuid);
    if (event->kind == EVENT_DEVICE_REMOVED || event->kind == EVENT_DEVICE_KEPT)
        requests_device_news(m->requests, event);
    refresher_mark(m->refresher, event->uuid, FACT_ALL);
}

static void
on_lost(void *userdata, unsigned generation, const char *message)
{
    Manager *m = userdata;

    availability_lost(m->availability, manager_now(m), generation, message);
}

static void
on_stopped(void *userdata)
{
    Manager *m = userdata;

    m->lane_pool_stopped = true;
    (void)sd_event_exit(m->event, 0);
}

const LanePoolCallbacks manager_lane_pool_callbacks = {
    .attempted = on_attempted,
    .probed = on_probed,
    .event = on_event,
    .lost = on_lost,
    .stopped = on_stopped,
};

static const char *const default_pid_files[] = {
    "/run/libvirt/libvirtd.pid",
    "/run/libvirtd.pid",
    "/run/virtqemud.pid",
    NULL,
};

int
manager_start_connection(Manager *m, const ManagerConfig *config)
{
    g_auto(GStrv) sockets = libvirt_uri_sockets(m->uri, g_get_user_runtime_dir());
    const char *const *pid_files =
        config->pid_files ? (const char *const *)config->pid_files : default_pid_files;
    int r;

    m->availability = availability_new(&effects, m, g_random_int());
    r = sd_event_add_time(m->event, &m->availability_timer, CLOCK_MONOTONIC, 0, 1000,
                          on_availability_timer, m);
    if (r < 0)
        return r;
    (void)sd_event_source_set_enabled(m->availability_timer, SD_EVENT_OFF);
    r = sd_event_add_time(m->event, &m->reconcile_timer, CLOCK_MONOTONIC, 0,
                          RECONCILE_ACCURACY_USEC, on_reconcile_timer, m);
    if (r < 0)
        return r;
    (void)sd_event_source_set_enabled(m->reconcile_timer, SD_EVENT_OFF);

    if (!(hypervisor_traits_of_uri(m->uri) & TRAIT_SEPARATE_WORLDS) || config->pid_files) {
        r = daemon_watch_new(m->event, pid_files, (const char *const *)sockets, on_hint, m,
                             &m->pidfiles);
        if (r < 0)
            return r;
    }
    availability_start(m->availability, manager_now(m));
    return 0;
}
