/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cache.h"

#include "clock.h"
#include "log.h"

#include <string.h>

struct Cache {
    const CacheListener *listener;
    void *userdata;
    GHashTable *domains; /* uuid (of the domain) -> Domain */
};

Cache *
cache_new(const CacheListener *listener, void *userdata)
{
    Cache *cache = g_new0(Cache, 1);

    cache->listener = listener;
    cache->userdata = userdata;
    cache->domains = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
                                           (GDestroyNotify)(void (*)(void))domain_unref);
    return cache;
}

void
cache_free(Cache *cache)
{
    if (!cache)
        return;
    g_hash_table_unref(cache->domains);
    g_free(cache);
}

/* --- finding ------------------------------------------------------------------------------ */

unsigned
cache_size(const Cache *cache)
{
    return g_hash_table_size(cache->domains);
}

Domain *
cache_find(const Cache *cache, const char *uuid)
{
    return g_hash_table_lookup(cache->domains, uuid);
}

Domain *
cache_find_by_name(const Cache *cache, const char *name)
{
    GHashTableIter iter;
    gpointer domain;

    g_hash_table_iter_init(&iter, cache->domains);
    while (g_hash_table_iter_next(&iter, NULL, &domain))
        if (g_str_equal(((Domain *)domain)->name, name))
            return domain;
    return NULL;
}

Domain *
cache_find_by_any(const Cache *cache, const char *name_or_uuid)
{
    char uuid[UUID_LENGTH + 1];
    Domain *domain = domain_uuid_parse(name_or_uuid, uuid) ? cache_find(cache, uuid) : NULL;

    return domain ? domain : cache_find_by_name(cache, name_or_uuid);
}

void
cache_iter_init(GHashTableIter *iter, const Cache *cache)
{
    g_hash_table_iter_init(iter, cache->domains);
}

static int
compare_names(const void *a, const void *b)
{
    const Domain *left = *(Domain *const *)a;
    const Domain *right = *(Domain *const *)b;

    return strcmp(left->name, right->name);
}

GPtrArray *
cache_sorted(const Cache *cache)
{
    GPtrArray *sorted = g_ptr_array_new_full(g_hash_table_size(cache->domains),
                                             (GDestroyNotify)(void (*)(void))domain_unref);
    GHashTableIter iter;
    gpointer domain;

    g_hash_table_iter_init(&iter, cache->domains);
    while (g_hash_table_iter_next(&iter, NULL, &domain))
        g_ptr_array_add(sorted, domain_ref(domain));
    g_ptr_array_sort(sorted, compare_names);
    return sorted;
}

/* --- changing ----------------------------------------------------------------------------- */

void
cache_changed(Cache *cache, Domain *domain)
{
    if (domain->unsignaled != 0)
        cache->listener->changed(cache->userdata, domain);
}

void
cache_flush(Cache *cache)
{
    cache->listener->flush(cache->userdata);
}

void
cache_before_change(Cache *cache, const Domain *domain, DomainChanges properties)
{
    if (domain->unsignaled & properties)
        cache_flush(cache);
}

void
cache_set_available(Cache *cache, bool available)
{
    GHashTableIter iter;
    gpointer domain;

    g_hash_table_iter_init(&iter, cache->domains);
    while (g_hash_table_iter_next(&iter, NULL, &domain)) {
        cache_before_change(cache, domain, DOMAIN_CHANGED(AVAILABLE));
        domain_set_available(domain, available);
        cache_changed(cache, domain);
    }
}

static void
add_domain(Cache *cache, DomainUpdate *update)
{
    Domain *domain = domain_new(update->uuid);

    domain_apply(domain, update);
    domain_set_available(domain, true);
    domain->unsignaled = 0;
    g_hash_table_insert(cache->domains, domain->uuid, domain);
    cache->listener->added(cache->userdata, domain);
}

void
cache_remove(Cache *cache, Domain *domain)
{
    cache->listener->removed(cache->userdata, domain);
    g_hash_table_remove(cache->domains, domain->uuid);
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

/* Whether the update changes a value again that changed before and was not signalled yet. */
static bool
changes_again(const Domain *domain, const DomainUpdate *update)
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
    DomainFacts differ = domain_compare(domain, update);

    for (unsigned i = 0; i < G_N_ELEMENTS(groups); i++)
        if ((differ & groups[i].facts) && (domain->unsignaled & groups[i].properties))
            return true;
    /* The problems of a disk go with it. */
    return (update->known & FACT_XML) && (domain->unsignaled & DOMAIN_CHANGED(PROBLEMS));
}

bool
cache_apply(Cache *cache, DomainUpdate *update)
{
    Domain *domain = cache_find(cache, update->uuid);

    if (!domain) {
        add_domain(cache, update);
        return true;
    }
    /* A value that returns to what it was would be signalled as a change to the same value. */
    if (changes_again(domain, update))
        cache_flush(cache);

    DomainChanges changed = domain_apply(domain, update);
    if (changed & DOMAIN_CHANGED(STATE))
        log_transition(domain);
    if (changed & DOMAIN_CHANGED(ID))
        domain->booted_at = domain->id >= 0 ? clock_now_usec() : 0;
    cache_changed(cache, domain);
    return false;
}

/* --- comparing ---------------------------------------------------------------------------- */

static void
add_difference(GHashTable *different, const char *uuid, DomainFacts facts)
{
    if (facts)
        g_hash_table_insert(different, g_strdup(uuid), GUINT_TO_POINTER(facts));
}

GHashTable *
cache_compare(const Cache *cache, const GPtrArray *updates)
{
    GHashTable *different = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) listed = g_hash_table_new(g_str_hash, g_str_equal);
    GHashTableIter iter;
    gpointer uuid;

    for (unsigned i = 0; i < updates->len; i++) {
        DomainUpdate *update = updates->pdata[i];
        const Domain *domain = cache_find(cache, update->uuid);

        g_hash_table_add(listed, update->uuid);
        add_difference(different, update->uuid, domain ? domain_compare(domain, update) : FACT_ALL);
    }
    g_hash_table_iter_init(&iter, cache->domains);
    while (g_hash_table_iter_next(&iter, &uuid, NULL))
        if (!g_hash_table_contains(listed, uuid))
            add_difference(different, uuid, FACT_ALL);
    return different;
}
