/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stats.h"

#include "single-flight.h"
#include "timer.h"
#include "units.h"

#define HANGS_AFTER_USEC    SEC
#define HANGS_ACCURACY_USEC (50 * MSEC)
/* So many questions may hang on a guest each; further ones leave out what a guest has to answer. */
#define HANGING_MAX         6

/* Those that want the same groups. */
typedef struct {
    Stats *stats;
    StatsGroups groups;
    SingleFlight *flight;
    GPtrArray *calls; /* the same question, asked again */
    Timer *timer;
    GPtrArray *records; /* the answer, which waits for that about the disks */
    Pending disks_pending;
    GPtrArray *disks; /* that answer, which waits for the other one */
} Round;

struct Stats {
    struct sd_event *event;
    LanePool *lane_pool;
    DiskStats *disk_stats;
    GHashTable *rounds; /* groups -> Round */
    unsigned n_calls;   /* that libvirt has not finished yet and that may hang */
};

typedef struct {
    Call call;
    Stats *stats;
    Round *round;
    StatsGroups groups;
    GHashTable *block_of; /* set of the UUIDs of those that are asked for STATS_BLOCK */
    bool counted;
    GPtrArray *records;
} StatsCall;

/* --- rounds ------------------------------------------------------------------------------- */

static void
abandon_calls(Round *round)
{
    g_autoptr(GPtrArray) calls = g_steal_pointer(&round->calls);

    round->calls = g_ptr_array_new();
    for (unsigned i = 0; i < calls->len; i++)
        lane_pool_abandon(round->stats->lane_pool, calls->pdata[i]);
}

static void
round_free(gpointer data)
{
    Round *round = data;

    single_flight_free(round->flight);
    timer_free(round->timer);
    pending_cancel(&round->disks_pending);
    g_ptr_array_unref(round->calls);
    g_clear_pointer(&round->records, g_ptr_array_unref);
    g_clear_pointer(&round->disks, g_ptr_array_unref);
    g_free(round);
}

/* The records of the disks may be shared: they are copied. */
static void
join(GPtrArray *records, const GPtrArray *disks)
{
    g_autoptr(GHashTable) index = g_hash_table_new(g_str_hash, g_str_equal);

    for (unsigned i = 0; i < disks->len; i++)
        g_hash_table_insert(index, ((StatsRecord *)disks->pdata[i])->uuid, disks->pdata[i]);
    for (unsigned i = 0; i < records->len; i++) {
        StatsRecord *record = records->pdata[i];
        const StatsRecord *its_disks = g_hash_table_lookup(index, record->uuid);

        if (its_disks)
            stats_record_copy_fields(record, its_disks);
    }
}

static void
answer(Round *round, CallOutcome outcome, const Error *error)
{
    g_autoptr(GPtrArray) records = g_steal_pointer(&round->records);
    g_autoptr(GPtrArray) disks = g_steal_pointer(&round->disks);

    pending_cancel(&round->disks_pending);
    if (records && disks)
        join(records, disks);
    waiters_answer(single_flight_finish(round->flight), outcome, records, error);
    single_flight_start_next(round->flight);
    if (!single_flight_is_under_way(round->flight))
        g_hash_table_remove(round->stats->rounds, GUINT_TO_POINTER(round->groups));
}

static void
on_answer(Call *call, CallOutcome outcome, const Error *error)
{
    StatsCall *asked = (StatsCall *)call;
    Round *round = asked->round;

    g_ptr_array_remove_fast(round->calls, call);
    abandon_calls(round);
    timer_disarm(round->timer);
    if (outcome == OUTCOME_OK)
        round->records = g_ptr_array_ref(asked->records);
    if (!round->records || !pending_is_set(&round->disks_pending))
        answer(round, outcome, error);
}

static void
on_disks(void *userdata, CallOutcome outcome, void *records, const Error *error)
{
    Round *round = userdata;

    round->disks = g_ptr_array_ref(records);
    if (round->records)
        answer(round, OUTCOME_OK, NULL);
}

/* --- calls -------------------------------------------------------------------------------- */

static bool
work_stats(Call *call, Hypervisor *h, Error **error)
{
    StatsCall *asked = (StatsCall *)call;

    asked->records = hypervisor_all_stats(h, asked->groups, asked->block_of, error);
    return asked->records != NULL;
}

static void
free_stats(Call *call)
{
    StatsCall *asked = (StatsCall *)call;

    if (asked->counted)
        asked->stats->n_calls--;
    if (asked->records)
        g_ptr_array_unref(asked->records);
    g_hash_table_unref(asked->block_of);
    g_free(asked);
}

static void
ask(Round *round)
{
    Stats *stats = round->stats;
    StatsCall *asked = g_new0(StatsCall, 1);
    bool may_hang = (round->groups & ~STATS_UNASKED) != 0;

    asked->stats = stats;
    asked->round = round;
    asked->groups = round->groups;
    asked->block_of = disk_stats_others(stats->disk_stats);
    if (may_hang && stats->n_calls >= HANGING_MAX)
        asked->groups &= STATS_UNASKED;
    else if (may_hang)
        asked->counted = true;
    /* All groups that were asked for need a guest's answer. The domains are listed nevertheless,
     * with the group that costs least. */
    if (asked->groups == 0)
        asked->groups = STATS_PERF;
    stats->n_calls += asked->counted;
    asked->call.class = CALL_STATS;
    asked->call.name = "virConnectGetAllDomainStats";
    asked->call.work = work_stats;
    asked->call.done = on_answer;
    asked->call.free = free_stats;
    g_ptr_array_add(round->calls, asked);
    lane_pool_submit(stats->lane_pool, &asked->call);
    timer_arm_relative(round->timer, HANGS_AFTER_USEC);
}

static void
on_timer(void *userdata)
{
    Round *round = userdata;

    if (single_flight_count(round->flight) > 0 && round->calls->len <= HANGING_MAX)
        ask(round);
}

static void
start_round(void *userdata)
{
    Round *round = userdata;

    if (round->groups & STATS_BLOCK)
        disk_stats_ask(round->stats->disk_stats, &round->disks_pending, on_disks, round);
    ask(round);
}

static Round *
round_get(Stats *stats, StatsGroups groups)
{
    Round *round = g_hash_table_lookup(stats->rounds, GUINT_TO_POINTER(groups));

    if (round)
        return round;
    round = g_new0(Round, 1);
    round->stats = stats;
    round->groups = groups;
    round->flight = single_flight_new(start_round, round);
    round->calls = g_ptr_array_new();
    round->timer = timer_new(stats->event, HANGS_ACCURACY_USEC, on_timer, round);
    g_hash_table_insert(stats->rounds, GUINT_TO_POINTER(groups), round);
    return round;
}

void
stats_ask(Stats *stats, StatsGroups groups, Pending *pending, WaiterDone done, void *userdata)
{
    single_flight_join(round_get(stats, groups)->flight, pending, done, userdata);
}

/* --- life --------------------------------------------------------------------------------- */

Stats *
stats_new(struct sd_event *event, LanePool *lane_pool, Cache *cache, const DiskSizes *disk_sizes)
{
    Stats *stats = g_new0(Stats, 1);

    stats->event = event;
    stats->lane_pool = lane_pool;
    stats->disk_stats = disk_stats_new(event, lane_pool, cache, disk_sizes);
    stats->rounds = g_hash_table_new_full(NULL, NULL, NULL, round_free);
    return stats;
}

void
stats_free(Stats *stats)
{
    if (!stats)
        return;
    g_hash_table_unref(stats->rounds);
    disk_stats_free(stats->disk_stats);
    g_free(stats);
}
