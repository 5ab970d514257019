/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* When each domain is read again, though nothing tells that it has changed. */

#include "clock.h"
#include "fake-loop.h"
#include "rereader.h"
#include "silent-cache.h"

#define SEC           UINT64_C(1000000)
#define READ          (4 * SEC) /* that a read may take */
#define LIMIT_RUNNING (60 * SEC - READ)
#define LIMIT_OFF     (600 * SEC - READ)
#define DOMAINS       1000 /* of each kind */
#define AT_ONCE_MAX   100

typedef struct {
    Cache *cache;
    Rereader *rereader;
    GHashTable *last; /* UUID -> uint64_t *: when it was read, or the connection was made */
    uint64_t now;
    unsigned at_once;
    unsigned count;
} World;

static uint64_t *
last_read(World *w, const char *uuid)
{
    return g_hash_table_lookup(w->last, uuid);
}

static void
on_reread(void *userdata, const Domain *domain)
{
    World *w = userdata;
    uint64_t *last = last_read(w, domain->uuid);
    uint64_t now = clock_now_usec();

    g_assert_cmpuint(now - *last, <=, domain->id >= 0 ? LIMIT_RUNNING : LIMIT_OFF);
    *last = now;
    w->count++;
    w->at_once = now == w->now ? w->at_once + 1 : 1;
    w->now = now;
    g_assert_cmpuint(w->at_once, <=, AT_ONCE_MAX);
}

static void
set_domain(World *w, unsigned number, bool running)
{
    g_autofree char *uuid = g_strdup_printf("%08x-0000-4000-8000-%012x", number * 7919, number);
    uint64_t now = clock_now_usec();

    silent_cache_set(w->cache, uuid, running ? (int)number + 1 : -1);
    g_hash_table_replace(w->last, g_strdup(uuid), g_memdup2(&now, sizeof now));
}

static World *
world_new(void)
{
    World *w = g_new0(World, 1);

    fake_loop_reset();
    w->cache = silent_cache_new();
    w->rereader = rereader_new(NULL, w->cache, on_reread, w);
    w->last = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return w;
}

static void
world_free(World *w)
{
    rereader_free(w->rereader);
    cache_free(w->cache);
    g_hash_table_unref(w->last);
    g_free(w);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(World, world_free)

/* Nobody was left out: what was not read for too long would have been found with its next read. */
static void
assert_all_read(World *w)
{
    GHashTableIter iter;
    gpointer value;

    cache_iter_init(&iter, w->cache);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Domain *domain = value;

        g_assert_cmpuint(clock_now_usec() - *last_read(w, domain->uuid), <=,
                         domain->id >= 0 ? LIMIT_RUNNING : LIMIT_OFF);
    }
}

/* Running domains within a minute, others within ten, and never many at once. */
static void
test_periods(void)
{
    g_autoptr(World) w = world_new();

    for (unsigned i = 0; i < 2 * DOMAINS; i++)
        set_domain(w, i, i % 2);
    rereader_set_connected(w->rereader, true);
    for (unsigned minute = 0; minute < 30; minute++) {
        fake_loop_advance(60 * SEC);
        assert_all_read(w);
    }
    /* Not more often than needed: every 50 s, every 9 minutes. */
    g_assert_cmpuint(w->count, <, DOMAINS * (30 * 60 / 45 + 30 / 8));
}

/* It has been off and runs now; the time is that of what runs. */
static void
test_started(void)
{
    g_autoptr(World) w = world_new();

    set_domain(w, 1, false);
    rereader_set_connected(w->rereader, true);
    fake_loop_advance(100 * SEC);
    set_domain(w, 1, true);
    fake_loop_advance(60 * SEC);
    assert_all_read(w);
}

static void
test_connection(void)
{
    g_autoptr(World) w = world_new();

    set_domain(w, 1, true);
    fake_loop_advance(3600 * SEC);
    g_assert_cmpuint(w->count, ==, 0);

    set_domain(w, 1, true);
    rereader_set_connected(w->rereader, true);
    fake_loop_advance(60 * SEC);
    g_assert_cmpuint(w->count, ==, 1);
    rereader_set_connected(w->rereader, false);
    fake_loop_advance(3600 * SEC);
    g_assert_cmpuint(w->count, ==, 1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rereader/periods", test_periods);
    g_test_add_func("/rereader/started", test_started);
    g_test_add_func("/rereader/connection", test_connection);
    return g_test_run();
}
