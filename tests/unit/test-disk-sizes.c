/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* When a domain is asked for the capacities of its disks, and for its state alone. */

#include "disk-capacities.h"
#include "disk-sizes.h"
#include "hypervisor-list.h"
#include "hypervisor-storage.h"
#include "silent-cache.h"

#define UUID "00000000-0000-4000-8000-000000000001"

static Call *call; /* under way, or NULL */
static unsigned n_capacities, n_states;
static bool silent; /* whether a question to the domain's process is likely to hang */

/* --- what the module calls ---------------------------------------------------------------- */

void
lane_pool_submit(LanePool *pool, Call *submitted)
{
    g_assert_null(call);
    call = submitted;
}

bool
lane_pool_domain_is_silent(const LanePool *pool, const char *uuid)
{
    return silent;
}

void
refresher_mark(Refresher *refresher, const char *uuid, DomainFacts facts)
{
}

DiskCapacities *
hypervisor_disk_capacities(Hypervisor *h, const char *uuid, GHashTable *before, Error **error)
{
    n_capacities++;
    return disk_capacities_new(DOMAIN_RUNNING);
}

bool
hypervisor_read_state_in_turn(Hypervisor *h, const char *uuid, DomainState *ret, Error **error)
{
    n_states++;
    *ret = DOMAIN_RUNNING;
    return true;
}

/* --- cases -------------------------------------------------------------------------------- */

static void
answer(void)
{
    Call *answered = g_steal_pointer(&call);

    g_assert_nonnull(answered);
    g_assert_true(answered->work(answered, NULL, NULL));
    answered->done(answered, OUTCOME_OK, NULL);
    answered->free(answered);
}

/* A capacity that has changed meanwhile is read again; and once. */
static void
test_outdated(void)
{
    Cache *cache = silent_cache_new();
    DiskSizes *sizes = disk_sizes_new(NULL, cache, NULL);

    silent_cache_set(cache, UUID, 1);
    disk_sizes_want(sizes, cache_find(cache, UUID));
    disk_sizes_outdate(sizes, UUID);
    answer();
    g_assert_cmpuint(n_capacities, ==, 1);
    answer();
    g_assert_cmpuint(n_capacities, ==, 2);
    g_assert_null(call);

    /* On a new connection its state alone is. */
    disk_sizes_connection_lost(sizes);
    disk_sizes_want(sizes, cache_find(cache, UUID));
    answer();
    g_assert_cmpuint(n_capacities, ==, 2);
    g_assert_cmpuint(n_states, ==, 1);
    g_assert_null(call);
    disk_sizes_free(sizes);
    cache_free(cache);
}

/* A domain whose process is known not to answer is not asked again before it does. */
static void
test_silent(void)
{
    Cache *cache = silent_cache_new();
    DiskSizes *sizes = disk_sizes_new(NULL, cache, NULL);

    silent_cache_set(cache, UUID, 1);
    disk_sizes_want(sizes, cache_find(cache, UUID));
    answer();
    silent = true;
    disk_sizes_reread(sizes, cache_find(cache, UUID));
    g_assert_null(call);
    silent = false;
    disk_sizes_reread(sizes, cache_find(cache, UUID));
    answer();
    disk_sizes_free(sizes);
    cache_free(cache);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/disk-sizes/outdated", test_outdated);
    g_test_add_func("/disk-sizes/silent", test_silent);
    return g_test_run();
}
