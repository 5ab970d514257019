/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "disk-stats.h"

#include "hypervisor-stats.h"
#include "single-flight.h"
#include "timer.h"
#include "units.h"

#define LIMIT_USEC    SEC
#define ACCURACY_USEC (50 * MSEC)

struct DiskStats {
    LanePool *lane_pool;
    Cache *cache;
    const DiskSizes *disk_sizes;
    SingleFlight *flight;
    Timer *timer;
    GPtrArray *calls;   /* DisksCall, of the question under way */
    bool extended;      /* its time, for calls that others held up */
    GPtrArray *records; /* its answer so far */
};

typedef struct {
    Call call;
    DiskStats *stats;
    GPtrArray *targets; /* of all disks, NULL-terminated */
    StatsRecord *record;
} DisksCall;

static void
free_record(gpointer record)
{
    stats_record_free(record);
}

static void
end(DiskStats *stats)
{
    g_autoptr(GPtrArray) records = g_steal_pointer(&stats->records);

    timer_disarm(stats->timer);
    waiters_answer(single_flight_finish(stats->flight), OUTCOME_OK, records, NULL);
    single_flight_start_next(stats->flight);
}

/* --- calls -------------------------------------------------------------------------------- */

static bool
work(Call *call, Hypervisor *h, Error **error)
{
    DisksCall *asked = (DisksCall *)call;

    asked->record =
        hypervisor_block_stats(h, call->key, (const char *const *)asked->targets->pdata, error);
    return asked->record != NULL;
}

static void
free_call(Call *call)
{
    DisksCall *asked = (DisksCall *)call;

    stats_record_free(asked->record);
    g_ptr_array_unref(asked->targets);
    g_free(asked);
}

static void
on_done(Call *call, CallOutcome outcome, const Error *error)
{
    DisksCall *asked = (DisksCall *)call;
    DiskStats *stats = asked->stats;

    g_ptr_array_remove_fast(stats->calls, asked);
    if (outcome == OUTCOME_OK)
        g_ptr_array_add(stats->records, g_steal_pointer(&asked->record));
    if (stats->calls->len == 0)
        end(stats);
}

static GPtrArray *
targets_of(const Domain *domain)
{
    GPtrArray *targets = g_ptr_array_new_with_free_func(g_free);
    Rows disks = domain_config_rows(&domain->config, HARDWARE_DISKS);
    Row disk;

    while (rows_take(&disks, &disk))
        g_ptr_array_add(targets, g_strdup(row_text(disk, ROW_TARGET)));
    g_ptr_array_add(targets, NULL);
    return targets;
}

static void
ask(DiskStats *stats, const Domain *domain)
{
    DisksCall *asked = g_new0(DisksCall, 1);

    asked->stats = stats;
    asked->targets = targets_of(domain);
    asked->call.class = CALL_QUICK;
    asked->call.name = "virDomainBlockStatsFlags";
    g_strlcpy(asked->call.key, domain->uuid, sizeof asked->call.key);
    asked->call.work = work;
    asked->call.done = on_done;
    asked->call.free = free_call;
    g_ptr_array_add(stats->calls, asked);
    lane_pool_submit(stats->lane_pool, &asked->call);
}

static void
start(void *userdata)
{
    DiskStats *stats = userdata;
    GHashTableIter iter;
    gpointer value;

    stats->records = g_ptr_array_new_with_free_func(free_record);
    stats->extended = false;
    cache_iter_init(&iter, stats->cache);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Domain *domain = value;

        if (domain->id >= 0 && !disk_sizes_opens_none(stats->disk_sizes, domain) &&
            !lane_pool_domain_is_silent(stats->lane_pool, domain->uuid))
            ask(stats, domain);
    }
    if (stats->calls->len > 0)
        timer_arm_relative(stats->timer, LIMIT_USEC);
    else
        end(stats);
}

static void
on_timer(void *userdata)
{
    DiskStats *stats = userdata;

    for (unsigned i = stats->calls->len; i-- > 0;) {
        DisksCall *asked = stats->calls->pdata[i];

        /* Domains that hang have made others wait for a lane. */
        if (!stats->extended && asked->call.state != CALL_HANGING)
            continue;
        g_ptr_array_remove_index_fast(stats->calls, i);
        lane_pool_abandon(stats->lane_pool, &asked->call);
    }
    if (stats->calls->len == 0) {
        end(stats);
        return;
    }
    stats->extended = true;
    timer_arm_relative(stats->timer, LIMIT_USEC);
}

void
disk_stats_ask(DiskStats *stats, Pending *pending, WaiterDone done, void *userdata)
{
    single_flight_join(stats->flight, pending, done, userdata);
}

GHashTable *
disk_stats_others(const DiskStats *stats)
{
    GHashTable *others = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    GHashTableIter iter;
    gpointer value;

    cache_iter_init(&iter, stats->cache);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Domain *domain = value;

        if (domain->id >= 0 && disk_sizes_opens_none(stats->disk_sizes, domain))
            g_hash_table_add(others, g_strdup(domain->uuid));
    }
    return others;
}

/* --- life --------------------------------------------------------------------------------- */

DiskStats *
disk_stats_new(struct sd_event *event, LanePool *lane_pool, Cache *cache,
               const DiskSizes *disk_sizes)
{
    DiskStats *stats = g_new0(DiskStats, 1);

    stats->lane_pool = lane_pool;
    stats->cache = cache;
    stats->disk_sizes = disk_sizes;
    stats->flight = single_flight_new(start, stats);
    stats->timer = timer_new(event, ACCURACY_USEC, on_timer, stats);
    stats->calls = g_ptr_array_new();
    return stats;
}

void
disk_stats_free(DiskStats *stats)
{
    if (!stats)
        return;
    single_flight_free(stats->flight);
    timer_free(stats->timer);
    g_ptr_array_unref(stats->calls);
    g_clear_pointer(&stats->records, g_ptr_array_unref);
    g_free(stats);
}
