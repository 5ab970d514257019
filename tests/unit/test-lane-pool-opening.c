/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lanes: what is kept for ForceStop, how they open and close, and those that do not open. */

#include "lane-world.h"

static bool
nothing_is_left_behind(void *userdata)
{
    return count_left_behind(userdata) == 0;
}

static bool
one_lane_is_idle(void *userdata)
{
    return count_lanes(userdata, "idle") == 1;
}

static bool
two_lanes_are_idle(void *userdata)
{
    return count_lanes(userdata, "idle") == 2;
}

/* --- forcing --------------------------------------------------------------------------------- */

static void
test_force_always_has_a_lane(void)
{
    World w;

    world_init(&w);
    for (unsigned i = 0; i < 12; i++) {
        (void)submit_nth(&w, CALL_OPERATION, i);
        (void)submit_nth(&w, CALL_READ, i);
    }
    pass(&w, SEC);
    /* Of processes that cannot be killed. */
    for (unsigned i = 0; i < 20; i++)
        g_assert_true(is_under_way(submit_nth(&w, CALL_FORCE, i)));
    world_clear(&w);
}

/* libvirtd has too many clients: it takes no further connection, and does not say so. */
static void
test_force_where_no_lane_opens(void)
{
    World w;
    TestCall *change, *first, *second, *third;

    world_init(&w);
    fake_hypervisor_hold_opens(true);
    change = submit_for(&w, CALL_CHANGE, ROOT, "d");
    fake_loop_run();
    /* The lane that is kept is not for it. */
    g_assert_false(is_under_way(change));
    first = submit_for(&w, CALL_FORCE, ROOT, "d");
    second = submit_for(&w, CALL_FORCE, ROOT, "e");
    third = submit_for(&w, CALL_FORCE, ROOT, "f");
    fake_loop_run();
    g_assert_true(is_under_way(first));
    g_assert_true(is_under_way(second));
    g_assert_false(is_under_way(third));
    finish_alone(first);
    fake_loop_run();
    g_assert_true(is_under_way(third));
    world_clear(&w);
}

/* Others wait after a failure; forcing has one more opened at once. */
static void
test_force_waits_for_no_pause(void)
{
    World w;

    world_init(&w);
    fake_hypervisor_fail_opens(true);
    g_assert_true(is_under_way(submit(&w, CALL_READ, "d")));
    fake_hypervisor_fail_opens(false);
    g_assert_false(is_under_way(submit(&w, CALL_READ, "e")));
    for (unsigned i = 0; i < 3; i++)
        g_assert_true(is_under_way(submit_nth(&w, CALL_FORCE, i)));
    world_clear(&w);
}

/* --- opening --------------------------------------------------------------------------------- */

static void
test_lane_that_does_not_open_is_left_behind(void)
{
    World w;
    TestCall *change, *read;

    world_init(&w);
    fake_hypervisor_hold_opens(true);
    change = submit_for(&w, CALL_CHANGE, ROOT, "d");
    fake_loop_advance(2900 * MSEC);
    g_assert_false(is_under_way(change));
    g_assert_cmpuint(count_left_behind(&w), ==, 0);
    fake_loop_advance(200 * MSEC);
    /* No other lane can be had: it goes on the primary one. */
    g_assert_cmpuint(count_left_behind(&w), ==, 1);
    g_assert_true(is_under_way(change));

    read = submit_for(&w, CALL_READ, ROOT, "d");
    fake_loop_advance(3600 * SEC);
    g_assert_false(is_under_way(read));
    g_assert_cmpuint(count_left_behind(&w), ==, 4);
    expect_log(&w, "hangs:d:change ");
    fake_hypervisor_hold_opens(false);
    fake_loop_wait(nothing_is_left_behind, &w);
    for (unsigned i = 0; i < 20; i++)
        pass(&w, SEC);
    g_assert_true(is_under_way(read));
    world_clear(&w);
}

static void
test_failed_opening_is_tried_again(void)
{
    World w;
    TestCall *first, *second;

    world_init(&w);
    fake_hypervisor_fail_opens(true);
    first = submit(&w, CALL_READ, "d");
    second = submit(&w, CALL_READ, "e");
    g_assert_true(is_under_way(first));
    g_assert_false(is_under_way(second));
    g_assert_cmpuint(count_lanes(&w, "idle"), ==, 1);
    fake_hypervisor_fail_opens(false);
    pass(&w, 1100 * MSEC);
    g_assert_true(is_under_way(second));
    /* The primary one is for others again. */
    finish(&w, first);
    finish(&w, second);
    g_assert_true(is_under_way(submit(&w, CALL_QUICK, "")));
    world_clear(&w);
}

/* The connection is used while its list hangs, and the lane of the list afterwards. */
static void
test_list_that_fails_late(void)
{
    World w;

    world_init(&w);
    lane_pool_clear(w.pool);
    lane_pool_close_cleared(w.pool);
    fake_hypervisor_hold_lists(true);
    lane_pool_connect(w.pool, 2, false);
    while (w.attempted != 2)
        fake_loop_advance(100 * MSEC);
    fake_loop_wait(one_lane_is_idle, &w);
    fake_hypervisor_hold_lists(false);
    fake_loop_wait(two_lanes_are_idle, &w);
    g_assert_true(is_under_way(submit(&w, CALL_QUICK, "")));
    world_clear(&w);
}

/* libvirtd asks QEMU for it, which takes long: the connection is used meanwhile. */
static void
test_version_that_comes_late(void)
{
    World w;

    world_init(&w);
    g_assert_true(w.has_version);
    fake_hypervisor_hold_versions(true);
    lane_pool_clear(w.pool);
    lane_pool_close_cleared(w.pool);
    lane_pool_connect(w.pool, 2, false);
    while (w.attempted != 2)
        fake_loop_advance(MSEC);
    g_assert_true(w.has_list);
    g_assert_false(w.has_version);
    fake_loop_wait(one_lane_is_idle, &w);
    expect_log(&w, "");
    fake_hypervisor_hold_versions(false);
    fake_loop_wait(two_lanes_are_idle, &w);
    expect_log(&w, "version:2:7.2.0 ");
    world_clear(&w);
}

static void
test_idle_lanes_close_but_for_one(void)
{
    World w;
    TestCall *calls[4];

    world_init(&w);
    g_assert_cmpuint(fake_hypervisor_open_count(), ==, 2);
    for (unsigned i = 0; i < G_N_ELEMENTS(calls); i++)
        calls[i] = submit_at_pace(&w, CALL_READ, i);
    for (unsigned i = 0; i < G_N_ELEMENTS(calls); i++)
        finish(&w, calls[i]);
    g_assert_cmpuint(count_lanes(&w, "idle"), ==, 6);
    unsigned opened = fake_hypervisor_opened_count();
    pass(&w, 29 * SEC);
    g_assert_cmpuint(count_lanes(&w, "idle"), ==, 6);
    pass(&w, 2 * SEC);
    g_assert_cmpuint(count_lanes(&w, "idle"), ==, 2);
    pass(&w, 3600 * SEC);
    g_assert_cmpuint(count_lanes(&w, "idle"), ==, 2);
    g_assert_cmpuint(fake_hypervisor_opened_count(), ==, opened);
    world_clear(&w);
}

/* Every connection to the test driver is a world of its own. */
static void
test_single_lane(void)
{
    World w;
    TestCall *first, *second;

    world_init_with(&w, "test:///default");
    first = submit(&w, CALL_CHANGE, "d");
    second = submit(&w, CALL_FORCE, "d");
    g_assert_true(is_under_way(first));
    g_assert_false(is_under_way(second));
    pass(&w, 3600 * SEC);
    g_assert_cmpuint(fake_hypervisor_open_count(), ==, 1);
    finish(&w, first);
    g_assert_true(is_under_way(second));
    world_clear(&w);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name, function) g_test_add_func("/lane-pool-opening/" name, function)
    TEST("force-always-has-a-lane", test_force_always_has_a_lane);
    TEST("force-where-no-lane-opens", test_force_where_no_lane_opens);
    TEST("force-waits-for-no-pause", test_force_waits_for_no_pause);
    TEST("lane-that-does-not-open-is-left-behind", test_lane_that_does_not_open_is_left_behind);
    TEST("failed-opening-is-tried-again", test_failed_opening_is_tried_again);
    TEST("list-that-fails-late", test_list_that_fails_late);
    TEST("version-that-comes-late", test_version_that_comes_late);
    TEST("idle-lanes-close-but-for-one", test_idle_lanes_close_but_for_one);
    TEST("single-lane", test_single_lane);
#undef TEST
    return g_test_run();
}
