/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which domains are asked for the figures of their disks, and how long for. */

#include "disk-stats.h"
#include "fake-loop.h"
#include "hypervisor-stats.h"
#include "silent-cache.h"

#define SEC   UINT64_C(1000000)
#define FIRST "00000000-0000-4000-8000-000000000001"
#define OTHER "00000000-0000-4000-8000-000000000002"
#define OFF   "00000000-0000-4000-8000-000000000003"

typedef struct {
    Cache *cache;
    DiskStats *stats;
    Pending pending;
    unsigned n_answers;
    unsigned n_records; /* of the last answer */
} World;

static GPtrArray *calls;    /* Call: under way */
static const char *hanging; /* the domain that is known to hang, or NULL */
static const char *open;    /* the one that can be asked with all others, or NULL */

/* --- what the module calls ---------------------------------------------------------------- */

void
lane_pool_submit(LanePool *pool, Call *call)
{
    call->state = CALL_WAITING;
    g_ptr_array_add(calls, call);
}

void
lane_pool_abandon(LanePool *pool, Call *call)
{
    g_assert_true(g_ptr_array_remove_fast(calls, call));
    call->free(call);
}

bool
lane_pool_domain_is_silent(const LanePool *pool, const char *uuid)
{
    return g_strcmp0(hanging, uuid) == 0;
}

bool
disk_sizes_opens_none(const DiskSizes *sizes, const Domain *domain)
{
    return g_strcmp0(open, domain->uuid) == 0;
}

StatsRecord *
hypervisor_block_stats(Hypervisor *h, const char *uuid, const char *const *targets, Error **error)
{
    return g_new0(StatsRecord, 1);
}

void
stats_record_free(StatsRecord *record)
{
    g_free(record);
}

/* --- the world ---------------------------------------------------------------------------- */

static World *
world_new(void)
{
    World *w = g_new0(World, 1);

    fake_loop_reset();
    calls = g_ptr_array_new();
    hanging = open = NULL;
    w->cache = silent_cache_new();
    w->stats = disk_stats_new(NULL, NULL, w->cache, NULL);
    silent_cache_set(w->cache, FIRST, 1);
    silent_cache_set(w->cache, OTHER, 2);
    silent_cache_set(w->cache, OFF, -1);
    return w;
}

static void
world_free(World *w)
{
    g_assert_cmpuint(calls->len, ==, 0);
    disk_stats_free(w->stats);
    cache_free(w->cache);
    g_ptr_array_unref(calls);
    g_free(w);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(World, world_free)

static void
on_answer(void *userdata, CallOutcome outcome, void *answer, const Error *error)
{
    World *w = userdata;

    g_assert_cmpint(outcome, ==, OUTCOME_OK);
    w->n_answers++;
    w->n_records = ((GPtrArray *)answer)->len;
}

static void
ask(World *w)
{
    disk_stats_ask(w->stats, &w->pending, on_answer, w);
}

static Call *
call_of(const char *uuid)
{
    for (unsigned i = 0; i < calls->len; i++)
        if (g_str_equal(((Call *)calls->pdata[i])->key, uuid))
            return calls->pdata[i];
    return NULL;
}

static void
answer(const char *uuid)
{
    Call *call = call_of(uuid);

    g_assert_nonnull(call);
    g_ptr_array_remove_fast(calls, call);
    g_assert_true(call->work(call, NULL, NULL));
    call->done(call, OUTCOME_OK, NULL);
    call->free(call);
}

/* --- cases -------------------------------------------------------------------------------- */

static void
test_which(void)
{
    g_autoptr(World) w = world_new();

    ask(w);
    g_assert_cmpuint(calls->len, ==, 2);
    g_assert_null(call_of(OFF));
    answer(FIRST);
    g_assert_cmpuint(w->n_answers, ==, 0);
    answer(OTHER);
    g_assert_cmpuint(w->n_answers, ==, 1);
    g_assert_cmpuint(w->n_records, ==, 2);
    g_assert_true(fake_loop_is_idle());

    open = OTHER;
    hanging = FIRST;
    ask(w);
    g_assert_cmpuint(calls->len, ==, 0);
    g_assert_cmpuint(w->n_answers, ==, 2);
    g_assert_cmpuint(w->n_records, ==, 0);
    g_autoptr(GHashTable) others = disk_stats_others(w->stats);
    g_assert_cmpuint(g_hash_table_size(others), ==, 1);
    g_assert_true(g_hash_table_contains(others, OTHER));
}

/* Left out after a second, with what the others have told. */
static void
test_hanging(void)
{
    g_autoptr(World) w = world_new();

    ask(w);
    call_of(FIRST)->state = CALL_HANGING;
    answer(OTHER);
    fake_loop_advance(SEC - 1);
    g_assert_cmpuint(w->n_answers, ==, 0);
    fake_loop_advance(SEC / 10);
    g_assert_cmpuint(w->n_answers, ==, 1);
    g_assert_cmpuint(w->n_records, ==, 1);
    g_assert_true(fake_loop_is_idle());
}

/* One that hangs took the lane of the other, which is given its time when the lane is free. */
static void
test_waiting(void)
{
    g_autoptr(World) w = world_new();

    ask(w);
    call_of(FIRST)->state = CALL_HANGING;
    fake_loop_advance(SEC + SEC / 10);
    g_assert_cmpuint(w->n_answers, ==, 0);
    g_assert_null(call_of(FIRST));
    answer(OTHER);
    g_assert_cmpuint(w->n_answers, ==, 1);
    g_assert_cmpuint(w->n_records, ==, 1);

    /* But not for ever, nor is its time the next question's. */
    ask(w);
    fake_loop_advance(SEC + SEC / 10);
    g_assert_cmpuint(w->n_answers, ==, 1);
    fake_loop_advance(SEC);
    g_assert_cmpuint(w->n_answers, ==, 2);
    g_assert_cmpuint(w->n_records, ==, 0);
    ask(w);
    fake_loop_advance(SEC + SEC / 10);
    g_assert_cmpuint(w->n_answers, ==, 2);
    fake_loop_advance(SEC);
    g_assert_cmpuint(w->n_answers, ==, 3);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/disk-stats/which", test_which);
    g_test_add_func("/disk-stats/hanging", test_hanging);
    g_test_add_func("/disk-stats/waiting", test_waiting);
    return g_test_run();
}
