/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core.h"

#include "disk-sizes.h"
#include "guest-info.h"
#include "heap.h"
#include "log.h"
#include "rereader.h"
#include "run-events.h"

/* Memory is given back after so many domains were read. */
#define TRIM_AFTER 100

typedef struct CorePrivate {
    const CoreListener *listener;
    void *userdata;
    LoopQueue *loop_queue;
    DiskSizes *disk_sizes;
    RunEvents *run_events;
    Rereader *rereader;
    GuestInfo *guest_info; /* NULL: guests are not asked */
    unsigned read_since_trim;
    bool stopping;
    bool stopped;
} CorePrivate;

/* --- domains come and go ------------------------------------------------------------------ */

static void
log_presence(LogEvent event, const Domain *domain, const char *what)
{
    g_autofree char *message = g_strdup_printf("\"%s\" %s", domain->name, what);

    log_event(event, message, LOG_FIELD_VM_UUID, domain->uuid, LOG_FIELD_VM_NAME, domain->name,
              LOG_FIELD_VM_STATE, domain->state_name, NULL);
}

static void
on_domain_added(void *userdata, Domain *domain)
{
    Core *core = userdata;
    const Job *job = jobs_find(core->jobs, domain->uuid);

    /* A domain of this UUID was undefined while an operation on it goes on. */
    domain_set_job(domain, job ? job->object.number : 0);
    storage_jobs_mark_disks(core->storage_jobs, domain);
    domain->unsignaled = 0;
    core->private->listener->domains.added(core->private->userdata, domain);
}

static void
on_domain_removed(void *userdata, Domain *domain)
{
    Core *core = userdata;

    guest_info_forget(core->private->guest_info, domain);
    core->private->listener->domains.removed(core->private->userdata, domain);
}

static void
on_domain_changed(void *userdata, Domain *domain)
{
    Core *core = userdata;

    core->private->listener->domains.changed(core->private->userdata, domain);
}

static void
on_flush(void *userdata)
{
    Core *core = userdata;

    core->private->listener->domains.flush(core->private->userdata);
}

static const CacheListener cache_listener = {
    .added = on_domain_added,
    .removed = on_domain_removed,
    .changed = on_domain_changed,
    .flush = on_flush,
};

static void
presence_changed(Core *core, LogEvent event, const Domain *domain, const char *what)
{
    log_presence(event, domain, what);
    /* The number of domains is part of the description. */
    if (connection_is_available(core->connection))
        core->private->listener->connection_changed(core->private->userdata, 0);
}

static void
remove_domain(Core *core, Domain *domain)
{
    g_autoptr(Domain) keep = domain_ref(domain);

    disk_sizes_forget(core->private->disk_sizes, domain->uuid);
    run_events_forget(core->private->run_events, domain->uuid);
    cache_remove(core->cache, domain);
    jobs_domain_changed(core->jobs, keep->uuid);
    storage_jobs_domain_changed(core->storage_jobs, keep->uuid);
    presence_changed(core, LOG_EVENT_DOMAIN_REMOVED, keep, "is gone");
}

static void
xml_read(Core *core, Domain *domain)
{
    disk_sizes_want(core->private->disk_sizes, domain);
    storage_jobs_mark_disks(core->storage_jobs, domain);
    if (domain->unsignaled)
        cache_changed(core->cache, domain);
    storage_jobs_search(core->storage_jobs, domain);
}

static void
apply_update(Core *core, DomainUpdate *update, bool log_added)
{
    bool has_xml = update->known & FACT_XML;

    run_events_complete(core->private->run_events, update);
    bool added = cache_apply(core->cache, update);
    Domain *domain = cache_find(core->cache, update->uuid);

    if (added && log_added)
        presence_changed(core, LOG_EVENT_DOMAIN_ADDED, domain, "is there");
    run_events_search(core->private->run_events, domain);
    if (has_xml)
        xml_read(core, domain);
}

/* --- the connection comes and goes -------------------------------------------------------- */

static void
apply_list(Core *core, GPtrArray *updates)
{
    g_autoptr(GHashTable) listed = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) known = cache_sorted(core->cache);

    for (unsigned i = 0; i < updates->len; i++)
        g_hash_table_add(listed, ((DomainUpdate *)updates->pdata[i])->uuid);
    for (unsigned i = 0; i < known->len; i++)
        if (!g_hash_table_contains(listed, ((Domain *)known->pdata[i])->uuid))
            remove_domain(core, known->pdata[i]);
    for (unsigned i = 0; i < updates->len; i++) {
        DomainUpdate *update = updates->pdata[i];

        /* The domains of the first list are not new; one entry tells their number. */
        apply_update(core, update, known->len > 0);
        refresher_mark(core->refresher, update->uuid,
                       update->has_snapshots ? FACT_XML | FACT_SNAPSHOTS : FACT_XML);
    }
}

/* None could be listed: each is available again when it has answered. */
static void
refresh_known(Core *core)
{
    GHashTableIter iter;
    gpointer uuid;

    cache_iter_init(&iter, core->cache);
    while (g_hash_table_iter_next(&iter, &uuid, NULL))
        refresher_mark(core->refresher, uuid, FACT_ALL);
    lister_list_later(core->lister);
}

static void
mark_early_events(Core *core, GHashTable *early_events)
{
    GHashTableIter iter;
    gpointer uuid;

    g_hash_table_iter_init(&iter, early_events);
    while (g_hash_table_iter_next(&iter, &uuid, NULL))
        refresher_mark(core->refresher, uuid, FACT_ALL);
}

static void
tell_jobs_of_all(Core *core)
{
    g_autoptr(GPtrArray) domains = cache_sorted(core->cache);

    for (unsigned i = 0; i < domains->len; i++)
        jobs_domain_changed(core->jobs, ((Domain *)domains->pdata[i])->uuid);
}

static void
on_connected(void *userdata, GPtrArray *updates, GHashTable *early_events)
{
    Core *core = userdata;

    if (updates) {
        cache_set_available(core->cache, true);
        apply_list(core, updates);
    } else {
        refresh_known(core);
    }
    mark_early_events(core, early_events);
    tell_jobs_of_all(core);
    refresher_set_connected(core->refresher, true);
    jobs_connection(core->jobs, true);
    storage_jobs_connection(core->storage_jobs, true);
    lister_set_connected(core->lister, true);
    rereader_set_connected(core->private->rereader, true);
    usage_set_connected(core->usage, true);
    host_set_connected(core->host, true);
    guest_info_set_connected(core->private->guest_info, true);
}

static bool
on_has_domains(void *userdata)
{
    return cache_size(((Core *)userdata)->cache) > 0;
}

static void
on_lost(void *userdata)
{
    Core *core = userdata;

    usage_set_connected(core->usage, false);
    host_set_connected(core->host, false);
    unresponsive_connection_lost(core->unresponsive);
    run_events_connection_lost(core->private->run_events);
    disk_sizes_connection_lost(core->private->disk_sizes);
    rereader_set_connected(core->private->rereader, false);
    guest_info_set_connected(core->private->guest_info, false);
    lister_set_connected(core->lister, false);
    refresher_set_connected(core->refresher, false);
    cache_set_available(core->cache, false);
    jobs_connection(core->jobs, false);
    storage_jobs_connection(core->storage_jobs, false);
    domain_watches_connection_lost(core->watches);
}

static void
on_hanging(void *userdata, const Call *call, uint64_t since)
{
    Core *core = userdata;

    if (!unresponsive_hanging(core->unresponsive, call, since))
        return;
    refresher_suspect(core->refresher, call->key);
    /* A read tells whether the domain hangs, or only the call takes its time. */
    refresher_mark(core->refresher, call->key, FACT_STATE);
}

static void
on_returned(void *userdata, const Call *call, bool answered)
{
    Core *core = userdata;

    unresponsive_returned(core->unresponsive, call, answered);
    if (!answered)
        refresher_mark(core->refresher, call->key, FACT_STATE);
    lister_go_on(core->lister);
}

static void
on_event(void *userdata, const HypervisorEvent *event)
{
    Core *core = userdata;

    switch (event->kind) {
    case EVENT_REBOOTED:
        jobs_domain_rebooted(core->jobs, event->uuid);
        break;
    case EVENT_MIGRATED:
        jobs_domain_migrated(core->jobs, event->uuid);
        break;
    case EVENT_DEVICE_REMOVED:
    case EVENT_DEVICE_KEPT:
        domain_watches_device(core->watches, event);
        break;
    case EVENT_BLOCK_JOB:
        storage_jobs_event(core->storage_jobs, event);
        break;
    default:
        break;
    }
    run_events_take(core->private->run_events, event);
    refresher_mark(core->refresher, event->uuid, FACT_ALL);
}

static void
on_reread(void *userdata, const Domain *domain)
{
    Core *core = userdata;

    refresher_mark(core->refresher, domain->uuid, FACT_XML);
    disk_sizes_reread(core->private->disk_sizes, domain);
}

/* --- a domain is refreshed ---------------------------------------------------------------- */

static bool
on_is_known(void *userdata, const char *uuid)
{
    return cache_find(((Core *)userdata)->cache, uuid) != NULL;
}

static bool
on_is_suspect(void *userdata, const char *uuid)
{
    return unresponsive_is_suspect(((Core *)userdata)->unresponsive, uuid);
}

static void
on_apply(void *userdata, const char *uuid, DomainUpdate *update)
{
    Core *core = userdata;
    Domain *domain = cache_find(core->cache, uuid);

    if (domain && update && (update->known & FACT_STATE)) {
        cache_before_change(core->cache, domain, DOMAIN_CHANGED(AVAILABLE));
        domain_set_available(domain, true);
    }
    if (domain && !update)
        remove_domain(core, domain);
    if (!update || (update->known & FACT_STATE))
        unresponsive_read(core->unresponsive, uuid);
    if (update) {
        apply_update(core, update, true);
        jobs_domain_changed(core->jobs, uuid);
        storage_jobs_domain_changed(core->storage_jobs, uuid);
    }
}

/* Reading many domains at once fragments the heap by more than all that is kept of them. */
static void
give_back_memory(Core *core)
{
    CorePrivate *private = core->private;

    if (++private->read_since_trim < TRIM_AFTER || !refresher_is_idle(core->refresher))
        return;
    private->read_since_trim = 0;
    heap_give_back();
}

static void
on_refreshed(void *userdata, const char *uuid)
{
    Core *core = userdata;
    const Domain *domain = cache_find(core->cache, uuid);

    give_back_memory(core);
    if (domain)
        guest_info_refreshed(core->private->guest_info, domain);
    jobs_domain_changed(core->jobs, uuid);
    domain_watches_refreshed(core->watches, uuid);
}

static const RefreshCallbacks refresh_callbacks = {
    .is_known = on_is_known,
    .is_suspect = on_is_suspect,
    .apply = on_apply,
    .refreshed = on_refreshed,
};

/* --- the status --------------------------------------------------------------------------- */

char *
core_describe(const Core *core)
{
    const ConnectionState *state = connection_state(core->connection);

    if (state->status == STATUS_AVAILABLE)
        return g_strdup_printf("Connected to %s: %u domains", core->uri, cache_size(core->cache));
    return g_strdup_printf("%s is not available (%s): %s", core->uri, status_name(state->status),
                           state->status_message);
}

/* One entry when libvirt goes away and one when it is back, whatever is tried meanwhile; none for
 * the service's own leaving. */
static void
log_status(const Core *core, Status before)
{
    Status status = connection_state(core->connection)->status;
    g_autofree char *text = core_describe(core);
    bool is_news = before == STATUS_AVAILABLE || before == STATUS_STARTING;

    if (status == STATUS_AVAILABLE)
        log_event(LOG_EVENT_AVAILABLE, text, LOG_FIELD_LIBVIRT_URI, core->uri, LOG_FIELD_VMS_STATUS,
                  status_name(status), NULL);
    else if (is_news && !core->private->stopping)
        log_event(LOG_EVENT_UNAVAILABLE, text, LOG_FIELD_LIBVIRT_URI, core->uri,
                  LOG_FIELD_VMS_STATUS, status_name(status), NULL);
    else
        log_message(LOG_DEBUG, "%s", text);
}

static void
on_connection_changed(void *userdata, ConnectionChanges changes, Status before)
{
    Core *core = userdata;

    if (changes & (CONNECTION_CHANGED(STATUS) | CONNECTION_CHANGED(STATUS_MESSAGE)))
        log_status(core, before);
    core->private->listener->connection_changed(core->private->userdata, changes);
}

static void
on_host_changed(void *userdata, HostChanges changes)
{
    Core *core = userdata;

    core->private->listener->host_changed(core->private->userdata, changes);
}

static void
on_stopped(void *userdata)
{
    Core *core = userdata;

    core->private->stopped = true;
    core->private->listener->stopped(core->private->userdata);
}

static const ConnectionListener connection_listener = {
    .connected = on_connected,
    .has_domains = on_has_domains,
    .lost = on_lost,
    .event = on_event,
    .hanging = on_hanging,
    .returned = on_returned,
    .changed = on_connection_changed,
    .stopped = on_stopped,
};

/* --- life --------------------------------------------------------------------------------- */

static void
make_parts(Core *core, struct sd_event *event)
{
    CorePrivate *private = core->private;

    core->connection =
        connection_new(event, private->loop_queue, core->uri, &connection_listener, core);
    core->lane_pool = connection_lane_pool(core->connection);
    core->cache = cache_new(&cache_listener, core);
    core->unresponsive = unresponsive_new(event, core->cache);
    core->refresher = refresher_new(event, core->lane_pool, &refresh_callbacks, core);
    core->lister = lister_new(&(ListerParts){
        .event = event,
        .lane_pool = core->lane_pool,
        .cache = core->cache,
        .refresher = core->refresher,
        .unresponsive = core->unresponsive,
    });
    core->job_objects = job_objects_new(event, &private->listener->jobs, private->userdata);
    core->jobs = jobs_new(&(JobParts){
        .event = event,
        .lane_pool = core->lane_pool,
        .cache = core->cache,
        .refresher = core->refresher,
        .objects = core->job_objects,
    });
    private->disk_sizes = disk_sizes_new(core->lane_pool, core->cache, core->refresher);
    core->storage_jobs = storage_jobs_new(&(StorageJobParts){
        .event = event,
        .lane_pool = core->lane_pool,
        .cache = core->cache,
        .refresher = core->refresher,
        .disk_sizes = private->disk_sizes,
        .objects = core->job_objects,
    });
    core->host = host_new(event, core->lane_pool, on_host_changed, core);
    core->consoles = consoles_new(event, core->uri);
    core->watches = domain_watches_new();
    private->run_events = run_events_new(core->lane_pool, core->cache);
    private->rereader = rereader_new(event, core->cache, on_reread, core);
    core->stats = stats_new(event, core->lane_pool, core->cache, private->disk_sizes);
    core->usage = usage_new(event, core->lane_pool, core->cache, private->disk_sizes);
}

Core *
core_new(struct sd_event *event, const char *uri, bool guest_info, const CoreListener *listener,
         void *userdata, Error **error)
{
    LoopQueue *loop_queue = NULL;
    int r = loop_queue_new(event, &loop_queue);

    if (r < 0) {
        *error =
            error_new(ERROR_OPERATION_FAILED, "Making the loop's queue failed: %s", g_strerror(-r));
        return NULL;
    }
    if (!hypervisor_library_start(error)) {
        loop_queue_free(loop_queue);
        return NULL;
    }

    Core *core = g_new0(Core, 1);
    core->uri = g_strdup(uri);
    core->private = g_new0(CorePrivate, 1);
    core->private->listener = listener;
    core->private->userdata = userdata;
    core->private->loop_queue = loop_queue;
    make_parts(core, event);
    if (guest_info)
        core->private->guest_info = guest_info_new(event, core->lane_pool, core->cache);
    return core;
}

int
core_start(Core *core, const char *const *pid_files)
{
    return connection_start(core->connection, pid_files);
}

void
core_stop_jobs(Core *core)
{
    jobs_stop(core->jobs);
    storage_jobs_stop(core->storage_jobs);
}

void
core_stop(Core *core)
{
    core->private->stopping = true;
    consoles_stop(core->consoles);
    connection_stop(core->connection);
}

bool
core_is_stopped(const Core *core)
{
    return core->private->stopped;
}

void
core_free(Core *core)
{
    if (!core)
        return;
    hypervisor_library_stop();
    /* Results that are still in the queue find everything that they are about. */
    loop_queue_free(core->private->loop_queue);
    job_objects_free(core->job_objects);
    jobs_free(core->jobs);
    storage_jobs_free(core->storage_jobs);
    lister_free(core->lister);
    stats_free(core->stats);
    consoles_free(core->consoles);
    usage_free(core->usage);
    host_free(core->host);
    guest_info_free(core->private->guest_info);
    disk_sizes_free(core->private->disk_sizes);
    run_events_free(core->private->run_events);
    rereader_free(core->private->rereader);
    refresher_free(core->refresher);
    domain_watches_free(core->watches);
    unresponsive_free(core->unresponsive);
    cache_free(core->cache);
    connection_free(core->connection);
    g_free(core->private);
    g_free(core->uri);
    g_free(core);
}
