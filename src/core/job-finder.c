/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job-finder.h"

struct JobFinder {
    LanePool *lane_pool;
    Cache *cache;
    void (*found)(void *userdata, Domain *domain, const FoundJob *job);
    void *userdata;
    GHashTable *under_way; /* UUID -> FindCall: those whose answer counts */
};

typedef struct {
    Call call;
    JobFinder *finder;
    FoundJob job;
} FindCall;

static void
free_find(Call *call)
{
    FindCall *find = (FindCall *)call;

    g_free(find->job.name);
    g_free(find);
}

static bool
work_find(Call *call, Hypervisor *h, Error **error)
{
    FindCall *find = (FindCall *)call;

    return hypervisor_find_job(h, call->key, &find->job, error);
}

/* A failure is that of a domain that has just ended, or of a driver that has no such jobs. */
static void
on_found(Call *call, CallOutcome outcome, const Error *error)
{
    FindCall *find = (FindCall *)call;
    JobFinder *finder = find->finder;
    Domain *domain = cache_find(finder->cache, call->key);
    bool counts = g_hash_table_lookup(finder->under_way, call->key) == find;

    if (!counts)
        return;
    g_hash_table_remove(finder->under_way, call->key);
    if (outcome == OUTCOME_OK && domain && find->job.kind != _OPERATION_MAX)
        finder->found(finder->userdata, domain, &find->job);
}

void
job_finder_search(JobFinder *finder, const Domain *domain)
{
    FindCall *find;

    if (domain->id < 0)
        return;
    find = g_new0(FindCall, 1);
    find->call.class = CALL_PROGRESS;
    find->call.name = "virDomainGetJobStats";
    g_strlcpy(find->call.key, domain->uuid, sizeof find->call.key);
    find->call.work = work_find;
    find->call.done = on_found;
    find->call.free = free_find;
    find->finder = finder;
    g_hash_table_replace(finder->under_way, find->call.key, find);
    lane_pool_submit(finder->lane_pool, &find->call);
}

void
job_finder_outdate(JobFinder *finder, const char *uuid)
{
    g_hash_table_remove(finder->under_way, uuid);
}

JobFinder *
job_finder_new(LanePool *lane_pool, Cache *cache,
               void (*found)(void *userdata, Domain *domain, const FoundJob *job), void *userdata)
{
    JobFinder *finder = g_new0(JobFinder, 1);

    finder->lane_pool = lane_pool;
    finder->cache = cache;
    finder->found = found;
    finder->userdata = userdata;
    finder->under_way = g_hash_table_new(g_str_hash, g_str_equal);
    return finder;
}

void
job_finder_free(JobFinder *finder)
{
    if (!finder)
        return;
    g_hash_table_unref(finder->under_way);
    g_free(finder);
}
