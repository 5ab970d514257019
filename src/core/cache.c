/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager.h"

#include "job.h"
#include "log.h"
#include "names.h"
#include "object-path.h"

#include <malloc.h>
#include <string.h>

/* Domains read. */
#define TRIM_AFTER 100

Domain *
manager_find_domain(Manager *m, const char *uuid)
{
    return g_hash_table_lookup(m->domains, uuid);
}

Domain *
manager_find_domain_by_name(Manager *m, const char *name)
{
    GHashTableIter iter;
    gpointer domain;

    g_hash_table_iter_init(&iter, m->domains);
    while (g_hash_table_iter_next(&iter, NULL, &domain))
        if (g_str_equal(((Domain *)domain)->name, name))
            return domain;
    return NULL;
}

static int
compare_names(const void *a, const void *b)
{
    const Domain *left = *(Domain *const *)a;
    const Domain *right = *(Domain *const *)b;

    return strcmp(left->name, right->name);
}

GPtrArray *
manager_sorted_domains(Manager *m)
{
    GPtrArray *sorted = g_ptr_array_new_full(g_hash_table_size(m->domains),
                                             (GDestroyNotify)(void (*)(void))domain_unref);
    GHashTableIter iter;
    gpointer domain;

    g_hash_table_iter_init(&iter, m->domains);
    while (g_hash_table_iter_next(&iter, NULL, &domain))
        g_ptr_array_add(sorted, domain_ref(domain));
    g_ptr_array_sort(sorted, compare_names);
    return sorted;
}

/* --- signals ------------------------------------------------------------------------------ */

void
manager_domain_changed(Manager *m, Domain *domain)
{
    if (domain->queued || domain->unsignaled == 0)
        return;
    domain->queued = true;
    g_ptr_array_add(m->dirty, domain_ref(domain));
}

static void
emit_manager_changed(Manager *m)
{
    static const char *const names[] = {
#define X(symbol, name) name,
        MANAGER_PROPERTIES(X)
#undef X
    };
    const char *changed[_MANAGER_PROPERTY_MAX + 1] = {NULL};
    unsigned n = 0;

    for (unsigned i = 0; i < _MANAGER_PROPERTY_MAX; i++)
        if (m->unsignaled & (1U << i))
            changed[n++] = names[i];
    m->unsignaled = 0;
    if (n == 0)
        return;
    int r = sd_bus_emit_properties_changed_strv(m->bus, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE,
                                                (char **)changed);
    if (r < 0)
        log_message(LOG_ERR, "Signalling a change of the manager failed: %s", g_strerror(-r));
}

static void
emit_domain_changed(Manager *m, Domain *domain)
{
    DomainChanges changed = domain->unsignaled;

    domain->queued = false;
    domain->unsignaled = 0;
    /* What left the cache has been told as removed. */
    if (manager_find_domain(m, domain->uuid) != domain)
        return;
    int r = domain_bus_emit_changed(m, domain, changed);
    if (r < 0)
        log_message(LOG_ERR, "Signalling a change of %s failed: %s", domain->uuid, g_strerror(-r));
}

void
manager_flush(Manager *m)
{
    for (unsigned i = 0; i < m->dirty->len; i++)
        emit_domain_changed(m, m->dirty->pdata[i]);
    g_ptr_array_set_size(m->dirty, 0);
    /* Last: who hears that libvirt is available has heard what its domains are. */
    emit_manager_changed(m);
}

void
manager_set_domains_available(Manager *m, bool available)
{
    GHashTableIter iter;
    gpointer domain;

    g_hash_table_iter_init(&iter, m->domains);
    while (g_hash_table_iter_next(&iter, NULL, &domain)) {
        domain_set_available(domain, available);
        manager_domain_changed(m, domain);
    }
}

/* --- domains come, change and go ---------------------------------------------------------- */

static void
log_presence(const Manager *m, LogEvent event, const Domain *domain, const char *what)
{
    /* What the first list finds has not come now: the connection's own entry counts it. */
    if (m->adopting_first)
        return;

    g_autofree char *message = g_strdup_printf("\"%s\" %s", domain->name, what);

    log_event(event, message, LOG_FIELD_VM_UUID, domain->uuid, LOG_FIELD_VM_NAME, domain->name,
              LOG_FIELD_VM_STATE, domain->state_name, NULL);
    /* While a connection comes up its domains are counted at the end. */
    if (m->available)
        manager_tell_systemd(m);
}

static void
look_at_capacities(Manager *m, const Domain *domain, const DomainUpdate *snapshot)
{
    if (snapshot->known & FACT_XML)
        disk_sizes_want(m->capacities, domain);
}

static void
add_domain(Manager *m, DomainUpdate *snapshot)
{
    Domain *domain = domain_new(snapshot->uuid);

    domain_apply(domain, snapshot);
    domain_set_available(domain, true);
    /* One of the same UUID was there before, and something still goes on. */
    const Job *job = jobs_find(m->jobs, domain->uuid);
    if (job)
        domain_set_job(domain, job->number);
    domain->unsignaled = 0;
    g_hash_table_insert(m->domains, domain->uuid, domain);
    int r = domain_bus_emit_added(m, domain);
    if (r < 0)
        log_message(LOG_ERR, "Announcing %s failed: %s", domain->uuid, g_strerror(-r));
    log_presence(m, LOG_EVENT_DOMAIN_ADDED, domain, "is there");
    look_at_capacities(m, domain, snapshot);
}

static void
remove_domain(Manager *m, Domain *domain)
{
    g_autoptr(Domain) keep = domain_ref(domain);
    /* The bus looks the object up while its removal is told. */
    int r = sd_bus_emit_object_removed(m->bus, object_path_of_domain(domain->uuid).text);

    if (r < 0)
        log_message(LOG_ERR, "Announcing the end of %s failed: %s", domain->uuid, g_strerror(-r));
    g_hash_table_remove(m->domains, domain->uuid);
    log_presence(m, LOG_EVENT_DOMAIN_REMOVED, keep, "is gone");
}

static void
log_transition(const Domain *domain)
{
    g_autofree char *message =
        g_strdup_printf("\"%s\" is %s (%s)", domain->name, domain->state_name, domain->reason);

    log_event(LOG_EVENT_STATE_CHANGED, message, LOG_FIELD_VM_UUID, domain->uuid, LOG_FIELD_VM_NAME,
              domain->name, LOG_FIELD_VM_STATE, domain->state_name, LOG_FIELD_VM_STATE_REASON,
              domain->reason, NULL);
}

/* Whether it changes again what has changed, and has not been signalled yet. */
static bool
changes_again(const Domain *domain, const DomainUpdate *snapshot)
{
    static const struct {
        DomainFacts facts;
        DomainChanges properties;
    } groups[] = {
        {FACT_STATE, DOMAIN_CHANGED(NAME) | DOMAIN_CHANGED(STATE) | DOMAIN_CHANGED(STATE_REASON) |
                         DOMAIN_CHANGED(ID) | DOMAIN_CHANGED(STARTED_AT) |
                         DOMAIN_CHANGED(PROBLEMS) | DOMAIN_CHANGED(NEXT) |
                         DOMAIN_CHANGED(HOSTNAME) | DOMAIN_CHANGED(OS_INFO) |
                         DOMAIN_CHANGED(ADDRESSES)},
        {FACT_PERSISTENT, DOMAIN_CHANGED(PERSISTENT)},
        {FACT_AUTOSTART, DOMAIN_CHANGED(AUTOSTART)},
        {FACT_MANAGED_SAVE, DOMAIN_CHANGED(HAS_MANAGED_SAVE)},
        {FACT_SNAPSHOTS, DOMAIN_CHANGED(SNAPSHOT_COUNT)},
    };
    DomainFacts differ = domain_compare(domain, snapshot);

    for (unsigned i = 0; i < G_N_ELEMENTS(groups); i++)
        if ((differ & groups[i].facts) && (domain->unsignaled & groups[i].properties))
            return true;
    return false;
}

static void
apply_snapshot(Manager *m, DomainUpdate *snapshot)
{
    Domain *domain = manager_find_domain(m, snapshot->uuid);

    if (!domain) {
        add_domain(m, snapshot);
        return;
    }
    /* A value that comes back would be told as a change to what it was. */
    if (changes_again(domain, snapshot))
        manager_flush(m);
    if (domain_apply(domain, snapshot) & DOMAIN_CHANGED(STATE))
        log_transition(domain);
    manager_domain_changed(m, domain);
    look_at_capacities(m, domain, snapshot);
}

void
manager_apply_list(Manager *m, GPtrArray *snapshots)
{
    g_autoptr(GHashTable) listed = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) known = manager_sorted_domains(m);

    m->adopting_first = known->len == 0;
    for (unsigned i = 0; i < snapshots->len; i++)
        g_hash_table_add(listed, ((DomainUpdate *)snapshots->pdata[i])->uuid);
    for (unsigned i = 0; i < known->len; i++)
        if (!g_hash_table_contains(listed, ((Domain *)known->pdata[i])->uuid))
            remove_domain(m, known->pdata[i]);
    for (unsigned i = 0; i < snapshots->len; i++) {
        DomainUpdate *snapshot = snapshots->pdata[i];

        apply_snapshot(m, snapshot);
        refresher_mark(m->refresher, snapshot->uuid,
                       snapshot->has_snapshots ? FACT_XML | FACT_SNAPSHOTS : FACT_XML);
    }
    m->adopting_first = false;
}

/* --- comparing ---------------------------------------------------------------------------- */

/* Round trips that one reconciliation may spend on numbers that come one by one. */
#define COUNTS_MAX 16

static void
mark_different(Manager *m, GHashTable *different, const char *uuid, DomainFacts facts)
{
    if (!facts)
        return;
    refresher_mark(m->refresher, uuid, facts);
    g_hash_table_add(different, g_strdup(uuid));
}

/*
 * Which of those that have snapshots are to be counted: COUNTS_MAX from where the last
 * reconciliation ended.
 */
static void
mark_uncounted(Manager *m, GHashTable *different, const GPtrArray *snapshots, bool count_all)
{
    unsigned budget = count_all ? snapshots->len : COUNTS_MAX;

    for (unsigned i = 0; i < snapshots->len && budget > 0; i++) {
        unsigned place = (m->count_next + i) % snapshots->len;
        const DomainUpdate *snapshot = snapshots->pdata[place];

        if (!snapshot->has_snapshots)
            continue;
        mark_different(m, different, snapshot->uuid, FACT_SNAPSHOTS);
        if (--budget == 0 && !count_all)
            m->count_next = place + 1;
    }
}

GHashTable *
manager_compare_list(Manager *m, GPtrArray *snapshots, bool count_all)
{
    GHashTable *different = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) listed = g_hash_table_new(g_str_hash, g_str_equal);
    GHashTableIter iter;
    gpointer uuid;

    for (unsigned i = 0; i < snapshots->len; i++) {
        const DomainUpdate *snapshot = snapshots->pdata[i];
        const Domain *domain = manager_find_domain(m, snapshot->uuid);

        g_hash_table_add(listed, (gpointer)snapshot->uuid);
        mark_different(m, different, snapshot->uuid,
                       domain ? domain_compare(domain, snapshot) : FACT_ALL);
    }
    mark_uncounted(m, different, snapshots, count_all);
    g_hash_table_iter_init(&iter, m->domains);
    while (g_hash_table_iter_next(&iter, &uuid, NULL))
        if (!g_hash_table_contains(listed, uuid))
            mark_different(m, different, uuid, FACT_ALL);
    return different;
}

/* --- what the refresher finds ------------------------------------------------------------- */

static bool
on_is_known(void *userdata, const char *uuid)
{
    return manager_find_domain(userdata, uuid) != NULL;
}

static void
on_apply(void *userdata, const char *uuid, DomainUpdate *snapshot)
{
    Manager *m = userdata;

    if (snapshot) {
        apply_snapshot(m, snapshot);
    } else {
        Domain *domain = manager_find_domain(m, uuid);

        if (domain)
            remove_domain(m, domain);
    }
    jobs_domain_changed(m->jobs, uuid, !snapshot);
}

/* Reading many domains at once leaves holes behind, which are more than all that is kept of them.
 */
static void
give_back_memory(Manager *m)
{
    m->read_since_trim++;
    if (m->read_since_trim < TRIM_AFTER || !refresher_is_idle(m->refresher))
        return;
    m->read_since_trim = 0;
    (void)malloc_trim(0);
}

static void
on_settled(void *userdata, const char *uuid)
{
    Manager *m = userdata;

    give_back_memory(m);
    jobs_domain_changed(m->jobs, uuid, !manager_find_domain(m, uuid));
    requests_domain_refreshed(m->requests, uuid);
}

const RefreshCallbacks manager_refresh_callbacks = {
    .is_known = on_is_known,
    .apply = on_apply,
    .settled = on_settled,
};
