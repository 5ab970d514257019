/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "block-job-finder.h"

struct BlockJobFinder {
    LanePool *lane_pool;
    Cache *cache;
    void (*found)(void *userdata, Domain *domain, FoundBlockJob *job);
    void *userdata;
    GHashTable *under_way; /* UUID -> FindCall */
};

typedef struct {
    Call call;
    BlockJobFinder *finder;
    GPtrArray *found; /* FoundBlockJob */
    bool again;       /* what is found is out of date */
} FindCall;

static void
free_find(Call *call)
{
    FindCall *find = (FindCall *)call;

    g_clear_pointer(&find->found, g_ptr_array_unref);
    g_free(find);
}

static bool
work_find(Call *call, Hypervisor *h, Error **error)
{
    FindCall *find = (FindCall *)call;

    find->found = hypervisor_find_block_jobs(h, call->key, error);
    return find->found != NULL;
}

/* A call fails if its domain has just ended. The domain's XML is then read again, and that asks for
 * block jobs again. */
static void
on_found(Call *call, CallOutcome outcome, const Error *error)
{
    FindCall *find = (FindCall *)call;
    BlockJobFinder *finder = find->finder;
    Domain *domain = cache_find(finder->cache, call->key);

    g_hash_table_remove(finder->under_way, call->key);
    if (outcome != OUTCOME_OK || !domain)
        return;
    if (find->again)
        block_job_finder_search(finder, domain);
    for (unsigned i = 0; i < find->found->len && !find->again; i++)
        finder->found(finder->userdata, domain, find->found->pdata[i]);
}

void
block_job_finder_search(BlockJobFinder *finder, const Domain *domain)
{
    FindCall *find = g_hash_table_lookup(finder->under_way, domain->uuid);

    if (find)
        find->again = true;
    if (find || domain->id < 0 || !domain->config.has_layered_disks)
        return;
    find = g_new0(FindCall, 1);
    find->call.class = CALL_PROGRESS;
    find->call.name = "virDomainGetBlockJobInfo";
    g_strlcpy(find->call.key, domain->uuid, sizeof find->call.key);
    find->call.work = work_find;
    find->call.done = on_found;
    find->call.free = free_find;
    find->finder = finder;
    g_hash_table_insert(finder->under_way, find->call.key, find);
    lane_pool_submit(finder->lane_pool, &find->call);
}

void
block_job_finder_outdate(BlockJobFinder *finder, const char *uuid)
{
    FindCall *find = g_hash_table_lookup(finder->under_way, uuid);

    if (find)
        find->again = true;
}

BlockJobFinder *
block_job_finder_new(LanePool *lane_pool, Cache *cache,
                     void (*found)(void *userdata, Domain *domain, FoundBlockJob *job),
                     void *userdata)
{
    BlockJobFinder *finder = g_new0(BlockJobFinder, 1);

    finder->lane_pool = lane_pool;
    finder->cache = cache;
    finder->found = found;
    finder->userdata = userdata;
    finder->under_way = g_hash_table_new(g_str_hash, g_str_equal);
    return finder;
}

void
block_job_finder_free(BlockJobFinder *finder)
{
    if (!finder)
        return;
    g_hash_table_unref(finder->under_way);
    g_free(finder);
}
