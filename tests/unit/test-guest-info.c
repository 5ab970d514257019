/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* When each guest is read and asked for which facts, and that one whose agent comes and goes
 * disturbs no other. */

#include "clock.h"
#include "fake-loop.h"
#include "guest-info.h"
#include "hypervisor-guest.h"
#include "silent-cache.h"

#define SEC      UINT64_C(1000000)
#define STEADY   "00000000-0000-4000-8000-000000000001"
#define FLAPPING "00000000-0000-4000-8000-000000000002"

typedef struct {
    Cache *cache;
    GuestInfo *info;
} World;

static GPtrArray *calls;  /* Call: under way */
static unsigned n_steady; /* how often the steady guest's agent was asked */
static unsigned n_os;     /* how often an agent was asked for its OS */
static unsigned n_leases; /* how often libvirt was */
static GuestFacts told;   /* by an agent that answers */

/* --- what the module calls ---------------------------------------------------------------- */

void
lane_pool_submit(LanePool *pool, Call *call)
{
    n_steady += g_str_equal(call->key, STEADY);
    g_ptr_array_add(calls, call);
}

bool
hypervisor_guest_read(Hypervisor *h, const char *uuid, GuestFacts wanted, GuestUpdate *ret,
                      Error **error)
{
    n_os += (wanted & GUEST_OS_INFO) != 0;
    *ret = (GuestUpdate){.known = told & wanted};
    if (ret->known & GUEST_ADDRESSES)
        ret->guest.addresses = g_bytes_new(NULL, 0);
    return true;
}

bool
hypervisor_read_leases(Hypervisor *h, GBytes **ret, Error **error)
{
    n_leases++;
    *ret = g_bytes_new(NULL, 0);
    return true;
}

static void
answer(Call *call, CallOutcome outcome)
{
    g_ptr_array_remove_fast(calls, call);
    if (outcome == OUTCOME_OK)
        g_assert_true(call->work(call, NULL, NULL));
    call->done(call, outcome, NULL);
    call->free(call);
}

/* All but the agent of this domain. */
static void
answer_others(const char *uuid)
{
    for (unsigned i = calls->len; i-- > 0;)
        if (!g_str_equal(((Call *)calls->pdata[i])->key, uuid))
            answer(calls->pdata[i], OUTCOME_OK);
}

static void
answer_flapping(CallOutcome outcome)
{
    for (unsigned i = 0; i < calls->len; i++) {
        if (g_str_equal(((Call *)calls->pdata[i])->key, FLAPPING)) {
            answer(calls->pdata[i], outcome);
            return;
        }
    }
    g_assert_not_reached();
}

static unsigned
count_calls(const char *uuid)
{
    unsigned n = 0;

    for (unsigned i = 0; i < calls->len; i++)
        n += g_str_equal(((Call *)calls->pdata[i])->key, uuid);
    return n;
}

/* --- the world ---------------------------------------------------------------------------- */

static void
set_agent(World *w, const char *uuid, bool connected)
{
    Domain *domain = cache_find(w->cache, uuid);

    domain->config.agent_connected = connected;
    guest_info_refreshed(w->info, domain);
}

static World *
world_new(void)
{
    World *w = g_new0(World, 1);

    fake_loop_reset();
    calls = g_ptr_array_new();
    n_steady = n_os = n_leases = 0;
    told = GUEST_HOSTNAME | GUEST_ADDRESSES | GUEST_OS_INFO;
    w->cache = silent_cache_new();
    w->info = guest_info_new(NULL, NULL, w->cache);
    silent_cache_set(w->cache, STEADY, 1);
    silent_cache_set(w->cache, FLAPPING, 1);
    guest_info_set_connected(w->info, true);
    return w;
}

static void
world_free(World *w)
{
    while (calls->len > 0)
        answer(calls->pdata[0], OUTCOME_UNSENT);
    guest_info_free(w->info);
    cache_free(w->cache);
    g_ptr_array_unref(calls);
    g_free(w);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(World, world_free)

/* --- cases -------------------------------------------------------------------------------- */

static void
test_periods(void)
{
    g_autoptr(World) w = world_new();

    set_agent(w, STEADY, true);
    fake_loop_advance(2 * SEC);
    g_assert_cmpuint(n_steady, ==, 1);
    for (unsigned i = 0; i < 600; i++) {
        answer_others(FLAPPING);
        fake_loop_advance(SEC);
    }
    g_assert_cmpuint(n_steady, ==, 11);
}

/* Its agent answers nothing, either. */
static void
test_flapping(void)
{
    g_autoptr(World) w = world_new();

    set_agent(w, STEADY, true);
    for (unsigned i = 0; i < 1200; i++) {
        set_agent(w, FLAPPING, i % 2);
        fake_loop_advance(SEC / 2);
        answer_others(FLAPPING);
        g_assert_cmpuint(count_calls(FLAPPING), <=, 1);
    }
    g_assert_cmpuint(n_steady, >=, 10);
    g_assert_cmpuint(n_steady, <=, 11);
}

static void
run_rounds(World *w, unsigned n)
{
    for (unsigned i = 0; i < 60 * n; i++) {
        fake_loop_advance(SEC);
        answer_others(FLAPPING);
    }
}

static void
test_os_once(void)
{
    g_autoptr(World) w = world_new();

    set_agent(w, STEADY, true);
    run_rounds(w, 5);
    g_assert_cmpuint(n_os, ==, 1);
    /* Another agent may know another one. */
    set_agent(w, STEADY, false);
    set_agent(w, STEADY, true);
    run_rounds(w, 5);
    g_assert_cmpuint(n_os, ==, 2);
    /* This one did not say that it knows none. */
    told = GUEST_HOSTNAME;
    set_agent(w, STEADY, false);
    set_agent(w, STEADY, true);
    run_rounds(w, 5);
    g_assert_cmpuint(n_os, >=, 6);
}

/* The rounds between two questions to an agent that fails, until it was asked so often. */
static void
gaps_of_failing(World *w, unsigned gaps[], unsigned n)
{
    unsigned rounds = 1;

    for (unsigned i = 0; i < n; rounds++) {
        for (unsigned second = 0; second < 60; second++) {
            fake_loop_advance(SEC);
            answer_others(FLAPPING);
        }
        if (count_calls(FLAPPING) == 0)
            continue;
        answer_flapping(OUTCOME_FAILED);
        gaps[i++] = rounds;
        rounds = 0;
    }
}

/* One that fails is asked less often, and the steady one as often as ever. */
static void
test_back_off(void)
{
    static const unsigned expected[] = {1, 2, 3, 5, 9, 17, 17};
    unsigned gaps[G_N_ELEMENTS(expected)];
    g_autoptr(World) w = world_new();

    set_agent(w, STEADY, true);
    set_agent(w, FLAPPING, true);
    run_rounds(w, 1);
    answer_flapping(OUTCOME_FAILED);
    unsigned before = n_steady;
    gaps_of_failing(w, gaps, G_N_ELEMENTS(gaps));
    g_assert_cmpmem(gaps, sizeof gaps, expected, sizeof expected);
    unsigned rounds = 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(expected); i++)
        rounds += expected[i];
    g_assert_cmpuint(n_steady - before, ==, rounds);

    /* Another agent is asked at once, and one that answers is forgiven. */
    set_agent(w, FLAPPING, false);
    set_agent(w, FLAPPING, true);
    run_rounds(w, 1);
    answer_flapping(OUTCOME_OK);
    gaps_of_failing(w, gaps, 4);
    g_assert_cmpuint(gaps[0], ==, 1);
    g_assert_cmpmem(gaps + 1, 3 * sizeof *gaps, expected, 3 * sizeof *gaps);
}

/* The networks' leases stand in for addresses that no agent tells. */
static void
test_leases(void)
{
    g_autoptr(World) w = world_new();

    silent_cache_set(w->cache, FLAPPING, -1);
    guest_info_refreshed(w->info, cache_find(w->cache, FLAPPING));
    set_agent(w, STEADY, true);
    run_rounds(w, 2);
    unsigned before = n_leases;

    run_rounds(w, 5);
    g_assert_cmpuint(n_leases, ==, before);
    told = GUEST_HOSTNAME;
    run_rounds(w, 5);
    g_assert_cmpuint(n_leases, >=, before + 4);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/guest-info/periods", test_periods);
    g_test_add_func("/guest-info/flapping", test_flapping);
    g_test_add_func("/guest-info/os-once", test_os_once);
    g_test_add_func("/guest-info/back-off", test_back_off);
    g_test_add_func("/guest-info/leases", test_leases);
    return g_test_run();
}
