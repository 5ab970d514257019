/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The domains that are published, and the only place where they come and go.
 *
 * The published state of a domain is read here and never waits for libvirt. Every change is told to
 * the listener, which signals it: a change at the end of the loop's turn or at the next flush, the
 * coming and going at once. Belongs to the loop.
 */

#include "domain.h"

typedef struct Cache Cache;

typedef struct {
    /* It can be found already, and all of it that is known has been applied. */
    void (*added)(void *userdata, Domain *domain);
    /* It can still be found, until this returns. */
    void (*removed)(void *userdata, Domain *domain);
    /* Its `unsignaled` tells what changed; told again only after a flush. */
    void (*changed)(void *userdata, Domain *domain);
    /* Tell now what changed so far. */
    void (*flush)(void *userdata);
} CacheListener;

Cache *cache_new(const CacheListener *listener, void *userdata);
void cache_free(Cache *cache);

unsigned cache_size(const Cache *cache);
/* NULL where there is none; the cache's own. */
Domain *cache_find(const Cache *cache, const char *uuid);
Domain *cache_find_by_name(const Cache *cache, const char *name);
/* A UUID in any form that libvirt takes, or else a name. */
Domain *cache_find_by_any(const Cache *cache, const char *name_or_uuid);
/* For g_hash_table_iter_next(): the value is the Domain. */
void cache_iter_init(GHashTableIter *iter, const Cache *cache);
/* Ordered by the bytes of the name; the array owns references. */
GPtrArray *cache_sorted(const Cache *cache);

/*
 * To be called before a setter of the domain changes these properties. A change of theirs that was
 * not signalled yet is signalled first: otherwise a value that changed and then changes back would
 * be signalled once, as a change to the value that clients have already.
 */
void cache_before_change(Cache *cache, const Domain *domain, DomainChanges properties);
/* To be called after a setter of the domain. */
void cache_changed(Cache *cache, Domain *domain);
void cache_flush(Cache *cache);
/* Set `available` of every domain. */
void cache_set_available(Cache *cache, bool available);

/* Add the domain, or take over what the update knows of it. True where it was added. */
bool cache_apply(Cache *cache, DomainUpdate *update);
void cache_remove(Cache *cache, Domain *domain);

/*
 * The differences of this list of all domains to the published state: UUID -> DomainFacts that have
 * to be refreshed, all of them for a domain that is new or not listed any more.
 */
GHashTable *cache_compare(const Cache *cache, const GPtrArray *updates);
