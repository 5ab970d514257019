/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stats.h"

#include "manager.h"
#include "retry.h"

#include <time.h>

#define HANGS_AFTER_USEC    UINT64_C(1000000)
#define HANGS_ACCURACY_USEC UINT64_C(50000)
/* So many questions may hang on a guest each; the next ones ask only what no guest is needed for.
 */
#define HANGING_MAX         6

/* Those that want the same groups. */
typedef struct {
    Stats *stats;
    StatsGroups groups;
    GPtrArray *waiters; /* requests that the question under way answers */
    GPtrArray *next;    /* that came after it was sent */
    GPtrArray *calls;   /* the same question, asked again */
    sd_event_source *timer;
} Round;

struct Stats {
    Manager *manager;
    GHashTable *rounds; /* groups -> Round */
    unsigned n_calls;   /* that libvirt has not finished yet and that may hang */
};

typedef struct {
    StatsGroups groups;
    StatsAnswer answer;
    Round *round; /* that will answer it */
    Request *request;
} StatsArgs;

typedef struct {
    Call call;
    Stats *stats;
    Round *round; /* NULL when nobody waits for this one any more */
    StatsGroups groups;
    bool counted;
    GPtrArray *records;
} StatsCall;

static void start_round(Round *round);

/* --- requests ----------------------------------------------------------------------------- */

void *
stats_args_new(StatsGroups groups, StatsAnswer answer)
{
    StatsArgs *args = g_new0(StatsArgs, 1);

    args->groups = groups;
    args->answer = answer;
    return args;
}

void
stats_args_free(void *data)
{
    StatsArgs *args = data;

    if (args->round) {
        g_ptr_array_remove(args->round->waiters, args->request);
        g_ptr_array_remove(args->round->next, args->request);
    }
    g_free(args);
}

/* --- rounds ------------------------------------------------------------------------------- */

static void
abandon_calls(Round *round)
{
    g_autoptr(GPtrArray) calls = g_steal_pointer(&round->calls);

    round->calls = g_ptr_array_new();
    for (unsigned i = 0; i < calls->len; i++)
        lane_pool_abandon(round->stats->manager->lane_pool, calls->pdata[i]);
}

static void
round_free(gpointer data)
{
    Round *round = data;

    sd_event_source_disable_unref(round->timer);
    g_ptr_array_unref(round->waiters);
    g_ptr_array_unref(round->next);
    g_ptr_array_unref(round->calls);
    g_free(round);
}

static void
answer_request(Request *request, CallOutcome outcome, GPtrArray *records, const Error *error)
{
    StatsArgs *args = request->args;
    g_autoptr(Error) failure = NULL;

    args->round = NULL;
    switch (retry_decide(true, outcome, request->retries)) {
    case RETRY_DONE:
        args->answer(request, records);
        return;
    case RETRY_AGAIN:
        request->retries++;
        stats_ask(request);
        return;
    case RETRY_MAY_HAVE: /* of changes */
    case RETRY_FAIL:
        break;
    }
    failure = retry_failure(outcome, error);
    request_fail(request, failure);
}

static void
on_answer(Call *call, CallOutcome outcome, const Error *error)
{
    StatsCall *asked = (StatsCall *)call;
    Round *round = asked->round;
    g_autoptr(GPtrArray) waiters = g_steal_pointer(&round->waiters);

    round->waiters = g_ptr_array_new();
    g_ptr_array_remove_fast(round->calls, call);
    abandon_calls(round);
    (void)sd_event_source_set_enabled(round->timer, SD_EVENT_OFF);
    for (unsigned i = 0; i < waiters->len; i++)
        answer_request(waiters->pdata[i], outcome, asked->records, error);
    /* One of them may have begun the next question already. */
    if (round->calls->len > 0)
        return;
    if (round->next->len > 0)
        start_round(round);
    else
        g_hash_table_remove(round->stats->rounds, GUINT_TO_POINTER(round->groups));
}

/* --- calls -------------------------------------------------------------------------------- */

static bool
work_stats(Call *call, Hypervisor *h, Error **error)
{
    StatsCall *asked = (StatsCall *)call;

    asked->records = hypervisor_stats(h, asked->groups, error);
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
    if (may_hang && stats->n_calls >= HANGING_MAX)
        asked->groups &= STATS_UNASKED;
    else if (may_hang)
        asked->counted = true;
    /* None is left where only guests can answer: list them all the same, with next to nothing. */
    if (asked->groups == 0)
        asked->groups = STATS_PERF;
    stats->n_calls += asked->counted;
    asked->call.class = CALL_STATS;
    asked->call.name = "virConnectGetAllDomainStats";
    asked->call.work = work_stats;
    asked->call.done = on_answer;
    asked->call.free = free_stats;
    g_ptr_array_add(round->calls, asked);
    /* Rounds are few: this is never refused. */
    lane_pool_submit(stats->manager->lane_pool, &asked->call);
    (void)sd_event_source_set_time_relative(round->timer, HANGS_AFTER_USEC);
    (void)sd_event_source_set_enabled(round->timer, SD_EVENT_ONESHOT);
}

static int
on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    Round *round = userdata;

    if (round->waiters->len > 0 && round->calls->len <= HANGING_MAX)
        ask(round);
    return 0;
}

static void
start_round(Round *round)
{
    GPtrArray *next = round->waiters;

    /* Who came before now gets what is asked from now on. */
    round->waiters = round->next;
    round->next = next;
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
    round->waiters = g_ptr_array_new();
    round->next = g_ptr_array_new();
    round->calls = g_ptr_array_new();
    if (sd_event_add_time(stats->manager->event, &round->timer, CLOCK_MONOTONIC, 0,
                          HANGS_ACCURACY_USEC, on_timer, round) >= 0)
        (void)sd_event_source_set_enabled(round->timer, SD_EVENT_OFF);
    g_hash_table_insert(stats->rounds, GUINT_TO_POINTER(groups), round);
    return round;
}

static void
join_round(Request *request)
{
    StatsArgs *args = request->args;
    Round *round = round_get(request->manager->stats, args->groups);

    args->request = request;
    args->round = round;
    g_ptr_array_add(round->next, request);
    if (round->calls->len == 0)
        start_round(round);
}

void
stats_ask(Request *request)
{
    request_when_available(request, join_round);
}

/* --- life --------------------------------------------------------------------------------- */

Stats *
stats_new(Manager *m)
{
    Stats *stats = g_new0(Stats, 1);

    stats->manager = m;
    stats->rounds = g_hash_table_new_full(NULL, NULL, NULL, round_free);
    return stats;
}

void
stats_free(Stats *stats)
{
    if (!stats)
        return;
    g_hash_table_unref(stats->rounds);
    g_free(stats);
}
