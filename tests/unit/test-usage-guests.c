/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The figures of guests that come, go and hang, and whose disks do: which are told, and that no
 * rate is a wrong one. */

#include "clock.h"
#include "usage-world.h"

#include <glib.h>

/* --- guests that come, go and hang -------------------------------------------------------- */

static void
test_row_is_of_each_guest_that_runs(void)
{
    g_autoptr(World) w = world_new();
    TestGuest *ends = guest_add(w);
    TestGuest *begins = guest_add(w);

    guest_stop(begins);
    guest_learn(w, begins);
    g_autoptr(Watch) watch = watch_new(w, SEC);
    fake_loop_advance(SEC);
    expect_rates(watch, ends);
    g_assert_null(row_of(watch, begins));
    guest_stop(ends);
    guest_learn(w, ends);
    guest_start(w, begins);
    guest_learn(w, begins);
    fake_loop_advance(SEC);
    g_assert_null(row_of(watch, ends));
    expect_no_rates(watch, begins);
    fake_loop_advance(SEC);
    expect_rates(watch, begins);
}

static void
test_guest_that_begins_while_libvirt_is_asked_is_stale(void)
{
    g_autoptr(World) w = world_new();
    TestGuest *guest = guest_add(w);
    TestGuest *begins = guest_add(w);

    guest_stop(begins);
    guest_learn(w, begins);
    g_autoptr(Watch) watch = watch_new(w, SEC);
    fake_loop_advance(SEC - 1);
    w->latency = 200 * MSEC;
    fake_loop_advance(100 * MSEC);
    guest_start(w, begins);
    guest_learn(w, begins);
    fake_loop_advance(101 * MSEC);
    g_assert_cmpuint(watch->n, ==, 1);
    expect_rates(watch, guest);
    expect_stale(watch, begins);
}

/* Its counters are higher than the earlier run's at the last tick, and yet no rate is made of both.
 */
static void
test_guest_that_restarts_between_ticks_has_no_rates(void)
{
    g_autoptr(World) w = world_new();
    TestGuest *guest = guest_add(w);
    TestGuest *other = guest_add(w);
    g_autoptr(Watch) watch = watch_new(w, SEC);

    fake_loop_advance(SEC);
    guest_start(w, guest);
    meter_set_rate(&guest->cpu, 40000000000);
    meter_set_rate(&guest->rx, 40000000);
    guest_learn(w, guest);
    fake_loop_advance(SEC);
    expect_no_rates(watch, guest);
    expect_rates(watch, other);
    fake_loop_advance(SEC);
    expect_rates(watch, guest);
}

/* The figures are of the run that has ended. */
static void
test_guest_that_restarts_while_libvirt_is_asked_has_no_wrong_rates(void)
{
    for (unsigned opens = 0; opens < 2; opens++) {
        g_autoptr(World) w = world_new();
        TestGuest *guest = guest_add(w);

        guest->opens = opens;
        g_autoptr(Watch) watch = watch_new(w, SEC);
        fake_loop_advance(SEC - 1);
        w->latency = 200 * MSEC;
        fake_loop_advance(100 * MSEC);
        guest_start(w, guest);
        meter_set_rate(&guest->cpu, 40000000000);
        meter_set_rate(&guest->rx, 40000000);
        meter_set_rate(&guest_disk(guest, "vda")->read, 40000000);
        guest_learn(w, guest);
        fake_loop_advance(101 * MSEC);
        g_assert_cmpuint(watch->n, ==, 1);
        expect_stale(watch, guest);
        fake_loop_advance(SEC);
        g_assert_cmpuint(watch->n, ==, 2);
        expect_no_rates(watch, guest);
        fake_loop_advance(SEC);
        expect_rates(watch, guest);
    }
}

static void
test_guest_that_hangs_is_stale_and_the_others_are_not(void)
{
    g_autoptr(World) w = world_new();
    TestGuest *guests[20];
    TestGuest *stuck = guest_add(w);

    for (unsigned i = 0; i < G_N_ELEMENTS(guests); i++)
        guests[i] = guest_add(w);
    g_autoptr(Watch) watch = watch_new(w, 5 * SEC);
    fake_loop_advance(5 * SEC);
    guest_set_hangs(w, stuck, HANGS_IN_ALL);
    fake_loop_advance(5 * SEC + 2 * HANGS_AFTER);
    g_assert_cmpuint(watch->n, ==, 2);
    for (unsigned i = 0; i < G_N_ELEMENTS(guests); i++)
        expect_rates(watch, guests[i]);
    expect_stale(watch, stuck);
}

/* It is asked for again by itself, as everybody is that once, and then left out until it returns.
 */
static void
test_guest_that_is_known_to_hang_delays_no_tick(void)
{
    g_autoptr(World) w = world_new();
    TestGuest *guest = guest_add(w);
    TestGuest *stuck = guest_add(w);
    g_autoptr(Watch) watch = watch_new(w, 5 * SEC);

    guest_set_hangs(w, stuck, HANGS_IN_ALL);
    fake_loop_advance(5 * SEC);
    g_assert_cmpuint(w->asked_one, ==, 2);
    for (unsigned i = 1; i < 10; i++) {
        g_assert_cmpuint(watch->n, ==, i);
        g_assert_cmpuint(watch->at, ==, clock_now_usec());
        g_assert_cmpuint(w->asked_many, ==, i + 1);
        expect_rates(watch, guest);
        expect_stale(watch, stuck);
        fake_loop_advance(5 * SEC);
    }
    g_assert_cmpuint(w->asked_one, ==, 2);
    guest_set_hangs(w, stuck, HANGS_NOT);
    fake_loop_advance(5 * SEC);
    expect_no_rates(watch, stuck);
    fake_loop_advance(5 * SEC);
    expect_rates(watch, stuck);
    expect_rates(watch, guest);
}

/* Each of them keeps one of libvirt's workers. */
static void
test_calls_that_hang_on_many_guests_are_two_at_most(void)
{
    g_autoptr(World) w = world_new();
    TestGuest *guest = guest_add(w);
    TestGuest *stuck[6];
    g_autoptr(Watch) watch = watch_new(w, 5 * SEC);

    for (unsigned i = 0; i < G_N_ELEMENTS(stuck); i++)
        stuck[i] = guest_add(w);
    fake_loop_advance(7 * SEC);
    unsigned many = w->asked_many;
    for (unsigned i = 0; i < G_N_ELEMENTS(stuck); i++) {
        guest_set_hangs(w, stuck[i], HANGS_IN_ALL);
        fake_loop_advance(5 * SEC);
    }
    g_assert_cmpuint(w->asked_many, ==, many + 2);
    g_assert_cmpuint(watch->n, ==, 1 + G_N_ELEMENTS(stuck));
    expect_rates(watch, guest);
    for (unsigned i = 0; i < G_N_ELEMENTS(stuck); i++)
        guest_set_hangs(w, stuck[i], HANGS_NOT);
    unsigned one = w->asked_one;
    fake_loop_advance(10 * SEC);
    g_assert_cmpuint(w->asked_many, ==, many + 4);
    g_assert_cmpuint(w->asked_one, ==, one);
    expect_rates(watch, stuck[0]);
}

/* A storage job occupies it, and libvirt answers at once for all but its disks. */
static void
test_guest_whose_disks_hang_has_its_other_figures(void)
{
    g_autoptr(World) w = world_new();
    TestGuest *guest = guest_add(w);
    TestGuest *other = guest_add(w);

    guest->opens = true;
    g_autoptr(Watch) watch = watch_new(w, 5 * SEC);
    fake_loop_advance(5 * SEC);
    guest_set_hangs(w, guest, HANGS_IN_DISKS);
    fake_loop_advance(5 * SEC + HANGS_AFTER);
    g_assert_cmpuint(watch->n, ==, 2);
    expect_rates(watch, other);
    expect_rate(watch, guest, USAGE_CPU, 2);
    expect_unknown(watch, guest, USAGE_DISK_READ);
    guest_set_hangs(w, guest, HANGS_NOT);
    fake_loop_advance(10 * SEC);
    expect_rates(watch, guest);
}

/* Its disks have answered, but a row without its processor would tell that libvirt has no such
 * figure. */
static void
test_guest_of_which_only_the_disks_answer_is_stale(void)
{
    g_autoptr(World) w = world_new();
    TestGuest *guest = guest_add(w);

    guest->opens = true;
    g_autoptr(Watch) watch = watch_new(w, 5 * SEC);
    fake_loop_advance(5 * SEC);
    guest_set_hangs(w, guest, HANGS_IN_RECORD);
    fake_loop_advance(5 * SEC + 2 * HANGS_AFTER);
    g_assert_cmpuint(watch->n, ==, 2);
    expect_stale(watch, guest);
    guest_set_hangs(w, guest, HANGS_NOT);
    fake_loop_advance(10 * SEC);
    expect_rates(watch, guest);
}

/* --- disks that come and go --------------------------------------------------------------- */

static TestGuest *
add_guest_with_two_disks(World *w, bool opens)
{
    TestGuest *guest = guest_add(w);

    guest->opens = opens;
    guest_plug(guest, "vdb", 100000);
    guest_learn(w, guest);
    return guest;
}

/* The sum of all disks goes down, or up by too little. */
static void
test_disk_that_is_unplugged_leaves_no_wrong_rate(void)
{
    static const uint64_t rates[] = {50000, 1000000, 40000000};

    for (unsigned i = 0; i < G_N_ELEMENTS(rates); i++) {
        g_autoptr(World) w = world_new();
        TestGuest *guest = add_guest_with_two_disks(w, true);
        g_autoptr(Watch) watch = watch_new(w, SEC);

        fake_loop_advance(2 * SEC);
        meter_set_rate(&guest_disk(guest, "vda")->read, rates[i]);
        guest_unplug(guest, "vdb");
        guest_learn(w, guest);
        fake_loop_advance(SEC);
        expect_unknown(watch, guest, USAGE_DISK_READ);
        expect_unknown(watch, guest, USAGE_DISK_WRITE);
        g_assert_cmpfloat(row_of(watch, guest)->rates.values[USAGE_DISK_READ], ==, 0);
        expect_rate(watch, guest, USAGE_CPU, 2);
        fake_loop_advance(SEC);
        expect_rates(watch, guest);
    }
}

/* The service learns of it while it asks: the sum is of one disk or, where libvirt has told it
 * before, of both. */
static void
test_disk_that_is_unplugged_while_libvirt_is_asked_leaves_no_wrong_rate(void)
{
    for (unsigned later = 0; later < 2; later++) {
        g_autoptr(World) w = world_new();
        TestGuest *guest = add_guest_with_two_disks(w, true);
        g_autoptr(Watch) watch = watch_new(w, SEC);

        fake_loop_advance(2 * SEC);
        meter_set_rate(&guest_disk(guest, "vda")->read, 40000000);
        if (!later)
            guest_unplug(guest, "vdb");
        w->latency = 200 * MSEC;
        fake_loop_advance(SEC + 100 * MSEC);
        if (later)
            guest_unplug(guest, "vdb");
        guest_learn(w, guest);
        for (unsigned n = 3; n < 5; n++) {
            fake_loop_advance(100 * MSEC);
            g_assert_cmpuint(watch->n, ==, n);
            expect_unknown(watch, guest, USAGE_DISK_READ);
            fake_loop_advance(900 * MSEC);
        }
        fake_loop_advance(SEC);
        expect_rates(watch, guest);
    }
}

static void
test_disk_that_is_plugged_in_counts_at_once(void)
{
    g_autoptr(World) w = world_new();
    TestGuest *guest = add_guest_with_two_disks(w, true);
    g_autoptr(Watch) watch = watch_new(w, SEC);

    fake_loop_advance(2 * SEC);
    guest_plug(guest, "vdc", 300000);
    guest_learn(w, guest);
    fake_loop_advance(SEC);
    expect_rates(watch, guest);
}

/* Where each disk has a counter of its own the others' go on. */
static void
test_disk_of_its_own_counter_is_unplugged_alone(void)
{
    g_autoptr(World) w = world_new();
    TestGuest *guest = add_guest_with_two_disks(w, false);
    g_autoptr(Watch) watch = watch_new(w, SEC);

    fake_loop_advance(2 * SEC);
    guest_unplug(guest, "vdb");
    guest_learn(w, guest);
    fake_loop_advance(SEC);
    expect_rates(watch, guest);
}

/* Sums are not compared with counters of single disks. */
static void
test_guest_that_is_asked_in_another_way_has_no_wrong_rate(void)
{
    g_autoptr(World) w = world_new();
    TestGuest *guest = add_guest_with_two_disks(w, false);
    g_autoptr(Watch) watch = watch_new(w, SEC);

    fake_loop_advance(2 * SEC);
    for (unsigned i = 0; i < 2; i++) {
        guest->opens = !guest->opens;
        fake_loop_advance(SEC);
        expect_unknown(watch, guest, USAGE_DISK_READ);
        expect_rate(watch, guest, USAGE_CPU, 2);
        fake_loop_advance(SEC);
        expect_rates(watch, guest);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, name) g_test_add_func("/usage-guests/" path, test_##name)
    ADD("rows", row_is_of_each_guest_that_runs);
    ADD("begins-asked", guest_that_begins_while_libvirt_is_asked_is_stale);
    ADD("restarts", guest_that_restarts_between_ticks_has_no_rates);
    ADD("restarts-asked", guest_that_restarts_while_libvirt_is_asked_has_no_wrong_rates);
    ADD("hangs", guest_that_hangs_is_stale_and_the_others_are_not);
    ADD("known-to-hang", guest_that_is_known_to_hang_delays_no_tick);
    ADD("many-hang", calls_that_hang_on_many_guests_are_two_at_most);
    ADD("disks-hang", guest_whose_disks_hang_has_its_other_figures);
    ADD("only-disks", guest_of_which_only_the_disks_answer_is_stale);
    ADD("unplugged", disk_that_is_unplugged_leaves_no_wrong_rate);
    ADD("unplugged-asked", disk_that_is_unplugged_while_libvirt_is_asked_leaves_no_wrong_rate);
    ADD("plugged-in", disk_that_is_plugged_in_counts_at_once);
    ADD("unplugged-alone", disk_of_its_own_counter_is_unplugged_alone);
    ADD("asked-otherwise", guest_that_is_asked_in_another_way_has_no_wrong_rate);
#undef ADD
    return g_test_run();
}
