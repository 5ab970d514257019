/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "usage.h"

#include "clock.h"
#include "timer.h"
#include "units.h"
#include "usage-reading.h"

#define ACCURACY_USEC (10 * MSEC)
/* Series whose ticks are so near share the answer. */
#define SHARE_USEC    (50 * MSEC)
/* An answer that takes longer waits for a domain that hangs. */
#define HANGS_USEC    SEC
/* So many calls about many domains may hang; after that the domains are asked one by one. */
#define HANGING_MAX   2

#define USAGE_GROUPS (STATS_CPU | STATS_BALLOON | STATS_INTERFACE)

struct UsageSeries {
    Usage *usage;
    uint64_t interval;
    uint64_t due;       /* TIMER_NEVER: not before there is a connection */
    bool in_round;      /* the round under way is its tick */
    bool needs_first;   /* there is nothing yet that the next tick can be compared with */
    GHashTable *before; /* the last answer, or NULL */
    UsageFunc func;     /* NULL: it was freed while ticks were told */
    void *userdata;
};

struct Usage {
    LanePool *lane_pool;
    Cache *cache;
    const DiskSizes *disk_sizes;
    Timer *tick_timer;
    Timer *hang_timer;
    GPtrArray *series; /* UsageSeries */
    bool connected;
    GHashTable *answer; /* uuid -> UsageReading, of the round under way; NULL: there is none */
    GPtrArray *calls;   /* UsageCall, of the round under way */
    bool one_by_one;    /* the round under way has begun to ask so */
    unsigned n_hanging; /* calls about many domains that nobody waits for any more */
    bool telling;
};

typedef enum {
    ASK_ALL,   /* all figures */
    ASK_BASIC, /* those that concern no disk */
    ASK_DISKS, /* what one domain's disks have read and written */
} AskWhat;

typedef struct {
    Call call;
    Usage *usage;
    AskWhat what;
    GStrv uuids;
    GStrv disks; /* disks_of(), with ASK_DISKS */
    bool abandoned;
    uint64_t at; /* the middle of the call */
    GPtrArray *records;
    uint64_t read;
    uint64_t written;
} UsageCall;

/* --- the ticks of the series -------------------------------------------------------------- */

static void begin_round(Usage *usage);

static void
arm(Usage *usage)
{
    uint64_t when = TIMER_NEVER;

    for (unsigned i = 0; i < usage->series->len; i++) {
        const UsageSeries *series = usage->series->pdata[i];

        when = MIN(when, series->needs_first ? clock_now_usec() : series->due);
    }
    timer_arm(usage->tick_timer, usage->connected && !usage->answer ? when : TIMER_NEVER);
}

/* The multiple of the interval that is nearest to one interval from now. */
static uint64_t
next_due(const UsageSeries *series, uint64_t now)
{
    uint64_t next = (now / series->interval + 1) * series->interval;

    return next - now < series->interval / 2 ? next + series->interval : next;
}

static void
on_tick_timer(void *userdata)
{
    Usage *usage = userdata;
    uint64_t now = clock_now_usec();

    for (unsigned i = 0; i < usage->series->len; i++) {
        UsageSeries *series = usage->series->pdata[i];

        series->in_round = !series->needs_first && series->due <= now + SHARE_USEC;
        if (series->in_round)
            series->due = next_due(series, now);
    }
    begin_round(usage);
}

static UsageRow
row_of(const UsageSeries *series, const Domain *domain)
{
    UsageRow row = {.stale = true};
    const UsageReading *now = g_hash_table_lookup(series->usage->answer, domain->uuid);
    const UsageReading *before =
        series->before ? g_hash_table_lookup(series->before, domain->uuid) : NULL;

    g_strlcpy(row.uuid, domain->uuid, sizeof row.uuid);
    if (!now || !now->has_figures || now->run != domain->id)
        return row;
    row.stale = false;
    usage_reading_rates(before, now, &row.rates);
    row.memory =
        (now->has_used ? USAGE_HAS_MEMORY_USED : 0U) | (now->has_rss ? USAGE_HAS_MEMORY_RSS : 0U);
    row.memory_used = now->memory_used;
    row.memory_rss = now->memory_rss;
    return row;
}

static void
tell(UsageSeries *series)
{
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(UsageRow));
    GHashTableIter iter;
    gpointer value;

    cache_iter_init(&iter, series->usage->cache);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Domain *domain = value;

        if (domain->id < 0)
            continue;
        const UsageRow row = row_of(series, domain);
        g_array_append_val(rows, row);
    }
    series->func(series->userdata, clock_realtime_usec(), rows);
}

static void
take_answer(UsageSeries *series)
{
    if (!series->in_round && !series->needs_first)
        return;
    g_clear_pointer(&series->before, g_hash_table_unref);
    series->before = g_hash_table_ref(series->usage->answer);
    series->in_round = false;
    series->needs_first = false;
}

static void
drop_freed(Usage *usage)
{
    for (unsigned i = usage->series->len; i-- > 0;)
        if (!((UsageSeries *)usage->series->pdata[i])->func)
            g_ptr_array_remove_index_fast(usage->series, i);
}

static void
end_round(Usage *usage)
{
    unsigned n = usage->series->len; /* those that come meanwhile have no tick yet */

    timer_disarm(usage->hang_timer);
    usage->telling = true;
    for (unsigned i = 0; i < n; i++) {
        UsageSeries *series = usage->series->pdata[i];

        if (series->func && series->in_round)
            tell(series);
        take_answer(series);
    }
    usage->telling = false;
    drop_freed(usage);
    g_clear_pointer(&usage->answer, g_hash_table_unref);
    arm(usage);
}

/* --- calls -------------------------------------------------------------------------------- */

static void
free_call(Call *call)
{
    UsageCall *asked = (UsageCall *)call;

    if (asked->abandoned)
        asked->usage->n_hanging--;
    g_strfreev(asked->uuids);
    g_strfreev(asked->disks);
    if (asked->records)
        g_ptr_array_unref(asked->records);
    g_free(asked);
}

static bool
work(Call *call, Hypervisor *h, Error **error)
{
    UsageCall *asked = (UsageCall *)call;
    const char *const *uuids = (const char *const *)asked->uuids;
    uint64_t begun = clock_now_usec();
    bool answered;

    if (asked->what == ASK_DISKS) {
        answered = hypervisor_block_totals(h, *uuids, &asked->read, &asked->written, error);
    } else {
        asked->records = hypervisor_stats(
            h, uuids, USAGE_GROUPS | (asked->what == ASK_ALL ? STATS_BLOCK : 0U), error);
        answered = asked->records != NULL;
    }
    asked->at = begun + (clock_now_usec() - begun) / 2;
    return answered;
}

/* A text for each disk, which changes with its medium. */
static GStrv
disks_of(const Domain *domain)
{
    GPtrArray *texts = g_ptr_array_new();
    Row disk;

    for (Rows disks = domain_config_rows(&domain->config, HARDWARE_DISKS);
         rows_take(&disks, &disk);)
        g_ptr_array_add(texts, g_strdup_printf("%s\n%s", row_text(disk, ROW_TARGET),
                                               row_text(disk, ROW_SOURCE)));
    g_ptr_array_add(texts, NULL);
    return (GStrv)g_ptr_array_free(texts, FALSE);
}

/* The reading of this run of the domain; an empty one is made where there is none. */
static UsageReading *
get_reading(Usage *usage, const Domain *domain)
{
    UsageReading *reading = g_hash_table_lookup(usage->answer, domain->uuid);

    if (!reading || reading->run != domain->id) {
        reading = usage_reading_new(domain->id);
        g_hash_table_insert(usage->answer, g_strdup(domain->uuid), reading);
    }
    return reading;
}

/* The reading of the domain, or NULL where it is one of an earlier run. */
static UsageReading *
find_reading(const Usage *usage, const char *uuid)
{
    UsageReading *reading = g_hash_table_lookup(usage->answer, uuid);
    const Domain *domain = cache_find(usage->cache, uuid);

    return reading && domain && domain->id == reading->run ? reading : NULL;
}

static void
take_sums(const UsageCall *asked, UsageReading *reading, const Domain *domain)
{
    g_auto(GStrv) disks = disks_of(domain);

    /* If the disks have changed since the question, it is not known which ones the sums are of. */
    if (g_strv_equal((const char *const *)asked->disks, (const char *const *)disks))
        usage_reading_add_sums(reading, (const char *const *)disks, asked->read, asked->written,
                               asked->at);
}

static void
take_result(Usage *usage, const UsageCall *asked)
{
    for (unsigned i = 0; asked->records && i < asked->records->len; i++) {
        const StatsRecord *record = asked->records->pdata[i];
        UsageReading *reading = find_reading(usage, record->uuid);

        if (reading)
            usage_reading_add(reading, record, asked->at);
    }
    UsageReading *reading = asked->what == ASK_DISKS ? find_reading(usage, *asked->uuids) : NULL;
    if (reading)
        take_sums(asked, reading, cache_find(usage->cache, *asked->uuids));
}

static void
on_done(Call *call, CallOutcome outcome, const Error *error)
{
    UsageCall *asked = (UsageCall *)call;
    Usage *usage = asked->usage;

    g_ptr_array_remove_fast(usage->calls, asked);
    if (outcome == OUTCOME_OK)
        take_result(usage, asked);
    /* usage_set_connected() ends a round whose connection is gone. */
    if (usage->calls->len == 0 && outcome != OUTCOME_LOST && outcome != OUTCOME_UNSENT)
        end_round(usage);
}

/* Takes the UUIDs and the disks. A call about one domain has its key, so that its hanging is
 * noticed. */
static void
ask(Usage *usage, AskWhat what, GStrv uuids, GStrv disks)
{
    UsageCall *asked = g_new0(UsageCall, 1);
    bool is_one = what == ASK_DISKS || usage->one_by_one;

    asked->usage = usage;
    asked->what = what;
    asked->uuids = uuids;
    asked->disks = disks;
    asked->call.class = is_one ? CALL_QUICK : CALL_STATS;
    asked->call.name = what == ASK_DISKS ? "virDomainBlockStatsFlags" : "virDomainListGetStats";
    if (is_one)
        g_strlcpy(asked->call.key, *uuids, sizeof asked->call.key);
    asked->call.work = work;
    asked->call.done = on_done;
    asked->call.free = free_call;
    g_ptr_array_add(usage->calls, asked);
    lane_pool_submit(usage->lane_pool, &asked->call);
}

static void
ask_one(Usage *usage, AskWhat what, const char *uuid, GStrv disks)
{
    const char *const uuids[] = {uuid, NULL};

    ask(usage, what, g_strdupv((char **)uuids), disks);
}

static void
ask_many(Usage *usage, AskWhat what, GPtrArray *uuids)
{
    if (uuids->len == 0)
        return;
    if (usage->one_by_one) {
        for (unsigned i = 0; i < uuids->len; i++)
            ask_one(usage, what, uuids->pdata[i], NULL);
        return;
    }
    g_ptr_array_add(uuids, NULL);
    ask(usage, what, g_strdupv((char **)uuids->pdata), NULL);
}

static void
abandon_calls(Usage *usage)
{
    g_autoptr(GPtrArray) calls = g_steal_pointer(&usage->calls);

    usage->calls = g_ptr_array_new();
    for (unsigned i = 0; i < calls->len; i++) {
        UsageCall *asked = calls->pdata[i];

        asked->abandoned = asked->call.class == CALL_STATS;
        usage->n_hanging += asked->abandoned;
        lane_pool_abandon(usage->lane_pool, &asked->call);
    }
}

/* Whether it runs, does not hang, and has no figures in this round but those of its disks. */
static bool
needs_asking(Usage *usage, const Domain *domain)
{
    return domain->id >= 0 && !lane_pool_domain_is_silent(usage->lane_pool, domain->uuid) &&
           !get_reading(usage, domain)->has_figures;
}

static void
ask_domains(Usage *usage)
{
    g_autoptr(GPtrArray) closed = g_ptr_array_new();
    g_autoptr(GPtrArray) opened = g_ptr_array_new();
    GHashTableIter iter;
    gpointer value;

    cache_iter_init(&iter, usage->cache);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Domain *domain = value;

        if (!needs_asking(usage, domain))
            continue;
        bool opens = !disk_sizes_opens_none(usage->disk_sizes, domain);
        if (opens && !get_reading(usage, domain)->disks)
            ask_one(usage, ASK_DISKS, domain->uuid, disks_of(domain));
        g_ptr_array_add(opens ? opened : closed, domain->uuid);
    }
    ask_many(usage, ASK_ALL, closed);
    ask_many(usage, ASK_BASIC, opened);
}

static void
on_hang_timer(void *userdata)
{
    Usage *usage = userdata;

    abandon_calls(usage);
    /* Without a series nobody waits for the others. */
    if (!usage->one_by_one && usage->series->len > 0) {
        usage->one_by_one = true;
        ask_domains(usage);
        timer_arm_relative(usage->hang_timer, HANGS_USEC);
    }
    if (usage->calls->len == 0)
        end_round(usage);
}

static void
free_reading(gpointer reading)
{
    usage_reading_free(reading);
}

static void
begin_round(Usage *usage)
{
    usage->answer = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_reading);
    usage->one_by_one = usage->n_hanging >= HANGING_MAX;
    ask_domains(usage);
    timer_arm_relative(usage->hang_timer, HANGS_USEC);
    if (usage->calls->len == 0)
        end_round(usage);
}

/* --- series ------------------------------------------------------------------------------- */

static void
begin_series(UsageSeries *series)
{
    series->needs_first = true;
    series->in_round = false;
    series->due = clock_now_usec() + series->interval;
    g_clear_pointer(&series->before, g_hash_table_unref);
}

static void
free_series(gpointer data)
{
    UsageSeries *series = data;

    g_clear_pointer(&series->before, g_hash_table_unref);
    g_free(series);
}

UsageSeries *
usage_series_new(Usage *usage, uint64_t interval_usec, UsageFunc func, void *userdata)
{
    UsageSeries *series = g_new0(UsageSeries, 1);

    series->usage = usage;
    series->interval = interval_usec;
    series->func = func;
    series->userdata = userdata;
    begin_series(series);
    g_ptr_array_add(usage->series, series);
    arm(usage);
    return series;
}

void
usage_series_free(UsageSeries *series)
{
    if (!series)
        return;
    Usage *usage = series->usage;

    series->func = NULL;
    if (usage->telling)
        return;
    g_ptr_array_remove_fast(usage->series, series);
    arm(usage);
}

void
usage_set_connected(Usage *usage, bool connected)
{
    usage->connected = connected;
    abandon_calls(usage);
    timer_disarm(usage->hang_timer);
    g_clear_pointer(&usage->answer, g_hash_table_unref);
    for (unsigned i = 0; i < usage->series->len; i++)
        begin_series(usage->series->pdata[i]);
    arm(usage);
}

/* --- life --------------------------------------------------------------------------------- */

Usage *
usage_new(struct sd_event *event, LanePool *lane_pool, Cache *cache, const DiskSizes *disk_sizes)
{
    Usage *usage = g_new0(Usage, 1);

    usage->lane_pool = lane_pool;
    usage->cache = cache;
    usage->disk_sizes = disk_sizes;
    usage->tick_timer = timer_new(event, ACCURACY_USEC, on_tick_timer, usage);
    usage->hang_timer = timer_new(event, ACCURACY_USEC, on_hang_timer, usage);
    usage->series = g_ptr_array_new_with_free_func(free_series);
    usage->calls = g_ptr_array_new();
    return usage;
}

void
usage_free(Usage *usage)
{
    if (!usage)
        return;
    timer_free(usage->tick_timer);
    timer_free(usage->hang_timer);
    g_ptr_array_unref(usage->series);
    g_ptr_array_unref(usage->calls);
    g_clear_pointer(&usage->answer, g_hash_table_unref);
    g_free(usage);
}
