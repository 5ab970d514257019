/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* When libvirt is asked for figures, and for whom; what an outage leaves of them. */

#include "clock.h"
#include "usage-world.h"

#include <glib.h>

/* --- ticks and round trips ---------------------------------------------------------------- */

static void
test_without_series_nothing_is_asked_and_no_timer_runs(void)
{
    g_autoptr(World) w = world_new();

    guest_add(w);
    fake_loop_run();
    g_assert_true(fake_loop_is_idle());
    Watch *watch = watch_new(w, SEC);
    fake_loop_advance(5 * SEC);
    g_assert_cmpuint(watch->n, ==, 5);
    watch_free(watch);
    unsigned asked = count_asked(w);
    g_assert_true(fake_loop_is_idle());
    fake_loop_advance(3600 * SEC);
    g_assert_cmpuint(count_asked(w), ==, asked);
    g_assert_true(fake_loop_is_idle());
}

static void
test_first_tick_comes_after_an_interval_and_has_rates(void)
{
    g_autoptr(World) w = world_new();
    TestGuest *guest = guest_add(w);

    fake_loop_advance(300 * MSEC);
    g_autoptr(Watch) watch = watch_new(w, 5 * SEC);
    uint64_t begun = clock_now_usec();
    fake_loop_advance(5 * SEC - 1);
    g_assert_cmpuint(watch->n, ==, 0);
    fake_loop_advance(1);
    g_assert_cmpuint(watch->n, ==, 1);
    g_assert_cmpuint(watch->at, ==, begun + 5 * SEC);
    g_assert_cmpuint(watch->timestamp, ==, clock_realtime_usec());
    g_assert_cmpuint(watch->rows->len, ==, 1);
    expect_rates(watch, guest);
}

/* Later ticks come at multiples of the interval, which is where series meet. */
static void
test_series_of_one_interval_cost_one_round_trip_a_tick(void)
{
    g_autoptr(World) w = world_new();
    TestGuest *guest = guest_add(w);
    Watch *watches[3];

    for (unsigned i = 0; i < G_N_ELEMENTS(watches); i++) {
        fake_loop_advance(110 * MSEC);
        watches[i] = watch_new(w, SEC);
    }
    fake_loop_advance(2 * SEC);
    unsigned asked = count_asked(w);
    unsigned n = watches[0]->n;
    fake_loop_advance(100 * SEC);
    g_assert_cmpuint(count_asked(w), ==, asked + 100);
    g_assert_cmpuint(watches[0]->n, ==, n + 100);
    uint64_t at = watches[0]->at;
    for (unsigned i = 0; i < G_N_ELEMENTS(watches); i++) {
        g_assert_cmpuint(watches[i]->at, ==, at);
        expect_rates(watches[i], guest);
        watch_free(watches[i]);
    }
}

static void
test_series_of_several_intervals_share_their_round_trips(void)
{
    static const unsigned seconds[] = {2, 3, 6, 12};
    g_autoptr(World) w = world_new();
    TestGuest *guest = guest_add(w);
    Watch *watches[G_N_ELEMENTS(seconds)];
    unsigned before[G_N_ELEMENTS(seconds)];

    for (unsigned i = 0; i < G_N_ELEMENTS(seconds); i++) {
        fake_loop_advance(130 * MSEC);
        watches[i] = watch_new(w, seconds[i] * SEC);
    }
    fake_loop_advance(36 * SEC);
    unsigned asked = count_asked(w);
    for (unsigned i = 0; i < G_N_ELEMENTS(seconds); i++)
        before[i] = watches[i]->n;
    fake_loop_advance(600 * SEC);
    /* Of six seconds there are ticks at 0, 2, 3 and 4. */
    g_assert_cmpuint(count_asked(w), ==, asked + 400);
    for (unsigned i = 0; i < G_N_ELEMENTS(seconds); i++) {
        g_assert_cmpuint(watches[i]->n, ==, before[i] + 600 / seconds[i]);
        expect_rates(watches[i], guest);
        watch_free(watches[i]);
    }
}

static void
test_ticks_that_are_near_share_a_round_trip(void)
{
    g_autoptr(World) w = world_new();

    guest_add(w);
    g_autoptr(Watch) first = watch_new(w, 10 * SEC);
    fake_loop_advance(50 * MSEC);
    g_autoptr(Watch) near = watch_new(w, 10 * SEC);
    fake_loop_advance(SEC);
    g_autoptr(Watch) far = watch_new(w, 10 * SEC);
    fake_loop_run();
    unsigned asked = count_asked(w);
    fake_loop_advance(9 * SEC);
    g_assert_cmpuint(near->at, ==, first->at);
    g_assert_cmpuint(far->n, ==, 0);
    g_assert_cmpuint(count_asked(w), ==, asked + 1);
    fake_loop_advance(SEC);
    g_assert_cmpuint(far->n, ==, 1);
    g_assert_cmpuint(count_asked(w), ==, asked + 2);
}

/* The disks of a guest whose image libvirt would open are asked for on their own, once. */
static void
test_disks_that_would_be_opened_are_asked_for_once_a_tick(void)
{
    g_autoptr(World) w = world_new();
    TestGuest *closed = guest_add(w);
    TestGuest *opened = guest_add(w);

    opened->opens = true;
    guest_plug(opened, "vdb", 500000);
    guest_learn(w, opened);
    g_autoptr(Watch) watch = watch_new(w, SEC);
    g_autoptr(Watch) other = watch_new(w, SEC);
    fake_loop_run();
    unsigned many = w->asked_many;
    unsigned disks = w->asked_disks;
    fake_loop_advance(10 * SEC);
    g_assert_cmpuint(w->asked_many, ==, many + 20);
    g_assert_cmpuint(w->asked_disks, ==, disks + 10);
    g_assert_cmpuint(w->asked_one, ==, 0);
    expect_rates(watch, closed);
    expect_rates(watch, opened);
    expect_rates(other, opened);
}

/* --- series that come and go -------------------------------------------------------------- */

static void
test_figures_are_dropped_with_the_last_series(void)
{
    g_autoptr(World) w = world_new();
    TestGuest *guest = guest_add(w);
    Watch *watch = watch_new(w, SEC);

    fake_loop_advance(3 * SEC);
    watch_free(watch);
    unsigned asked = count_asked(w);
    meter_set_rate(&guest->cpu, 0);
    fake_loop_advance(10 * SEC);
    meter_set_rate(&guest->cpu, 4000000000);
    g_autoptr(Watch) again = watch_new(w, SEC);
    fake_loop_run();
    g_assert_cmpuint(count_asked(w), ==, asked + 1);
    fake_loop_advance(SEC);
    g_assert_cmpuint(again->n, ==, 1);
    expect_rates(again, guest);
}

/* The answer that comes late is nobody's. */
static void
test_last_series_leaves_while_libvirt_is_asked(void)
{
    g_autoptr(World) w = world_new();

    guest_add(w);
    w->latency = 200 * MSEC;
    Watch *watch = watch_new(w, SEC);
    fake_loop_advance(100 * MSEC);
    watch_free(watch);
    fake_loop_advance(3600 * SEC);
    g_assert_cmpuint(count_asked(w), ==, 1);
    g_assert_true(fake_loop_is_idle());
}

/* Nobody waits for the others' figures, so they are not asked for one by one. */
static void
test_last_series_leaves_while_a_guest_hangs(void)
{
    g_autoptr(World) w = world_new();
    TestGuest *stuck = guest_add(w);

    guest_add(w);
    guest_set_hangs(w, stuck, HANGS_IN_ALL);
    Watch *watch = watch_new(w, SEC);
    fake_loop_advance(HANGS_AFTER / 2);
    watch_free(watch);
    fake_loop_advance(3600 * SEC);
    g_assert_cmpuint(count_asked(w), ==, 1);
    g_assert_true(fake_loop_is_idle());
}

static void
test_series_that_comes_while_libvirt_is_asked_shares_the_answer(void)
{
    g_autoptr(World) w = world_new();
    TestGuest *guest = guest_add(w);

    w->latency = 200 * MSEC;
    g_autoptr(Watch) first G_GNUC_UNUSED = watch_new(w, SEC);
    fake_loop_advance(100 * MSEC);
    g_autoptr(Watch) second = watch_new(w, 5 * SEC);
    fake_loop_advance(500 * MSEC);
    g_assert_cmpuint(count_asked(w), ==, 1);
    fake_loop_advance(5 * SEC);
    g_assert_cmpuint(second->n, ==, 1);
    expect_rates(second, guest);
}

typedef struct {
    World *world;
    Watch *leaves; /* with the tick */
    Watch *comes;
} Change;

static void
change_series(void *userdata)
{
    Change *change = userdata;

    usage_series_free(g_steal_pointer(&change->leaves->series));
    if (!change->comes)
        change->comes = watch_new(change->world, SEC);
}

/* Its own, and another one that the same tick is for. */
static void
test_tick_may_end_any_series_and_begin_one(void)
{
    for (unsigned i = 0; i < 4; i++) {
        g_autoptr(World) w = world_new();
        TestGuest *guest = guest_add(w);
        g_autoptr(Watch) first = watch_new(w, SEC);
        g_autoptr(Watch) second = watch_new(w, SEC);
        Change change = {w, i & 1 ? first : second, NULL};
        Watch *changes = i & 2 ? first : second;

        changes->on_tick = change_series;
        changes->userdata = &change;
        fake_loop_advance(SEC);
        changes->on_tick = NULL;
        g_assert_cmpuint(changes->n, ==, 1);
        g_assert_cmpuint(change.comes->n, ==, 0);
        fake_loop_advance(SEC);
        expect_rates(change.comes, guest);
        g_assert_cmpuint(change.leaves->n, <=, 1);
        g_assert_cmpuint(first->n + second->n, ==, change.leaves->n + 2);
        watch_free(change.comes);
    }
}

/* --- the connection ----------------------------------------------------------------------- */

static void
test_outage_has_no_ticks_and_no_rate_spans_it(void)
{
    g_autoptr(World) w = world_new();
    TestGuest *guest = guest_add(w);
    g_autoptr(Watch) watch = watch_new(w, 2 * SEC);

    fake_loop_advance(4 * SEC);
    unsigned n = watch->n;
    unsigned asked = count_asked(w);
    fake_loop_advance(500 * MSEC);
    world_set_connected(w, false);
    g_assert_true(fake_loop_is_idle());
    meter_set_rate(&guest->cpu, 0);
    fake_loop_advance(600 * SEC);
    g_assert_cmpuint(count_asked(w), ==, asked);
    meter_set_rate(&guest->cpu, 4000000000);
    world_set_connected(w, true);
    uint64_t begun = clock_now_usec();
    fake_loop_advance(2 * SEC - 1);
    g_assert_cmpuint(watch->n, ==, n);
    fake_loop_advance(1);
    g_assert_cmpuint(watch->n, ==, n + 1);
    g_assert_cmpuint(watch->at, ==, begun + 2 * SEC);
    expect_rates(watch, guest);
}

/* libvirtd is back before the next tick; the old one's answer comes after that. */
static void
test_answer_of_the_connection_before_is_ignored(void)
{
    g_autoptr(World) w = world_new();
    TestGuest *guest = guest_add(w);
    g_autoptr(Watch) watch = watch_new(w, SEC);

    fake_loop_advance(SEC - 1);
    w->latency = 400 * MSEC;
    fake_loop_advance(100 * MSEC);
    g_assert_cmpuint(watch->n, ==, 0);
    world_set_connected(w, false);
    meter_set_rate(&guest->cpu, 0);
    fake_loop_advance(100 * MSEC);
    meter_set_rate(&guest->cpu, 4000000000);
    w->latency = 0;
    world_set_connected(w, true);
    fake_loop_advance(SEC - 1);
    g_assert_cmpuint(watch->n, ==, 0);
    fake_loop_advance(1);
    g_assert_cmpuint(watch->n, ==, 1);
    expect_rates(watch, guest);
}

static void
test_series_that_comes_in_an_outage_begins_after_it(void)
{
    g_autoptr(World) w = world_new();
    TestGuest *guest = guest_add(w);

    world_set_connected(w, false);
    g_autoptr(Watch) watch = watch_new(w, SEC);
    fake_loop_advance(600 * SEC);
    g_assert_cmpuint(count_asked(w), ==, 0);
    g_assert_true(fake_loop_is_idle());
    world_set_connected(w, true);
    fake_loop_advance(SEC);
    g_assert_cmpuint(watch->n, ==, 1);
    expect_rates(watch, guest);
}

/* One lane dies and libvirtd stays: nothing else tells that the answer does not come. */
static void
test_answer_that_is_lost_is_asked_for_again(void)
{
    g_autoptr(World) w = world_new();
    TestGuest *guest = guest_add(w);
    g_autoptr(Watch) watch = watch_new(w, 5 * SEC);

    fake_loop_advance(5 * SEC - 1);
    w->latency = 200 * MSEC;
    fake_loop_advance(100 * MSEC);
    world_lose_lanes(w);
    fake_loop_advance(HANGS_AFTER + 200 * MSEC);
    g_assert_cmpuint(watch->n, ==, 1);
    expect_rates(watch, guest);
}

static void
test_question_that_fails_leaves_its_guests_stale(void)
{
    g_autoptr(World) w = world_new();
    TestGuest *guest = guest_add(w);
    g_autoptr(Watch) watch = watch_new(w, SEC);

    fake_loop_advance(SEC);
    w->fails = true;
    fake_loop_advance(SEC);
    g_assert_cmpuint(watch->n, ==, 2);
    expect_stale(watch, guest);
    w->fails = false;
    fake_loop_advance(2 * SEC);
    g_assert_cmpuint(watch->n, ==, 4);
    expect_rates(watch, guest);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, name) g_test_add_func("/usage/" path, test_##name)
    ADD("nothing-without-series", without_series_nothing_is_asked_and_no_timer_runs);
    ADD("first-tick", first_tick_comes_after_an_interval_and_has_rates);
    ADD("one-interval", series_of_one_interval_cost_one_round_trip_a_tick);
    ADD("several-intervals", series_of_several_intervals_share_their_round_trips);
    ADD("near-ticks", ticks_that_are_near_share_a_round_trip);
    ADD("opened-disks", disks_that_would_be_opened_are_asked_for_once_a_tick);
    ADD("last-leaves", figures_are_dropped_with_the_last_series);
    ADD("last-leaves-asked", last_series_leaves_while_libvirt_is_asked);
    ADD("last-leaves-hanging", last_series_leaves_while_a_guest_hangs);
    ADD("comes-asked", series_that_comes_while_libvirt_is_asked_shares_the_answer);
    ADD("changed-by-tick", tick_may_end_any_series_and_begin_one);
    ADD("outage", outage_has_no_ticks_and_no_rate_spans_it);
    ADD("old-answer", answer_of_the_connection_before_is_ignored);
    ADD("comes-in-outage", series_that_comes_in_an_outage_begins_after_it);
    ADD("lost-answer", answer_that_is_lost_is_asked_for_again);
    ADD("failure", question_that_fails_leaves_its_guests_stale);
#undef ADD
    return g_test_run();
}
