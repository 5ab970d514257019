/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "clock.h"
#include "deferred.h"
#include "loop-queue.h"
#include "timer.h"

#include <glib.h>
#include <systemd/sd-event.h>

#define MSEC UINT64_C(1000)

typedef struct {
    sd_event *event;
    GString *order;
    Timer *timer;
    Deferred *deferred;
    Deferred *turn_end;
    LoopQueue *queue;
    unsigned n;
} World;

static void
world_init(World *world)
{
    *world = (World){.order = g_string_new("")};
    g_assert_cmpint(sd_event_new(&world->event), >=, 0);
}

static void
world_clear(World *world)
{
    timer_free(world->timer);
    deferred_free(world->deferred);
    deferred_free(world->turn_end);
    loop_queue_free(world->queue);
    sd_event_unref(world->event);
    g_string_free(world->order, TRUE);
}

static void
run_until_idle(World *world)
{
    while (sd_event_run(world->event, 0) > 0)
        continue;
}

static void
on_timer(void *userdata)
{
    World *world = userdata;

    g_string_append_c(world->order, 't');
}

/* A time in the past fires at the next turn, and once; a later arming replaces the earlier one. */
static void
test_timer(void)
{
    World world;

    world_init(&world);
    world.timer = timer_new(world.event, 1, on_timer, &world);
    run_until_idle(&world);
    g_assert_cmpstr(world.order->str, ==, "");

    timer_arm(world.timer, clock_now_usec());
    run_until_idle(&world);
    run_until_idle(&world);
    g_assert_cmpstr(world.order->str, ==, "t");

    timer_arm(world.timer, clock_now_usec());
    timer_arm_relative(world.timer, 3600 * 1000 * MSEC);
    run_until_idle(&world);
    g_assert_cmpstr(world.order->str, ==, "t");

    timer_arm(world.timer, clock_now_usec());
    timer_arm(world.timer, TIMER_NEVER);
    timer_disarm(NULL);
    run_until_idle(&world);
    g_assert_cmpstr(world.order->str, ==, "t");

    uint64_t start = clock_now_usec();
    timer_arm_relative(world.timer, 20 * MSEC);
    g_assert_cmpint(sd_event_run(world.event, UINT64_MAX), >, 0);
    g_assert_cmpstr(world.order->str, ==, "tt");
    g_assert_cmpuint(clock_now_usec() - start, >=, 20 * MSEC);
    world_clear(&world);
}

static void
free_own_timer(void *userdata)
{
    World *world = userdata;

    g_clear_pointer(&world->timer, timer_free);
    g_string_append_c(world->order, 'f');
}

static void
arm_own_timer(void *userdata)
{
    World *world = userdata;

    g_string_append_c(world->order, 'a');
    if (++world->n < 3)
        timer_arm_relative(world->timer, 0);
}

static void
test_timer_from_itself(void)
{
    World world;

    world_init(&world);
    world.timer = timer_new(world.event, 1, free_own_timer, &world);
    timer_arm_relative(world.timer, 0);
    g_assert_cmpint(sd_event_run(world.event, UINT64_MAX), >, 0);
    g_assert_null(world.timer);

    world.timer = timer_new(world.event, 1, arm_own_timer, &world);
    timer_arm_relative(world.timer, 0);
    while (world.n < 3)
        g_assert_cmpint(sd_event_run(world.event, UINT64_MAX), >, 0);
    g_assert_cmpstr(world.order->str, ==, "faaa");
    world_clear(&world);
}

static void
on_deferred(void *userdata)
{
    World *world = userdata;

    g_string_append_c(world->order, 'd');
    /* Both calls that follow make one. */
    deferred_schedule(world->turn_end);
    deferred_schedule(world->turn_end);
}

static void
on_turn_end(void *userdata)
{
    World *world = userdata;

    g_string_append_c(world->order, 'e');
}

static void
on_post(void *data)
{
    World *world = data;

    g_string_append_c(world->order, 'p');
    deferred_schedule(world->turn_end);
}

static gpointer
post(gpointer data)
{
    World *world = data;

    loop_queue_post(world->queue, on_post, world);
    loop_queue_post(world->queue, on_post, world);
    return NULL;
}

/* The end of a turn comes before anything that waits; a deferred call takes its place behind. */
static void
test_turns(void)
{
    World world;

    world_init(&world);
    world.deferred = deferred_new(world.event, DEFERRED_IN_TURN, on_deferred, &world);
    world.turn_end = deferred_new(world.event, DEFERRED_TURN_END, on_turn_end, &world);
    g_assert_cmpint(loop_queue_new(world.event, &world.queue), ==, 0);
    run_until_idle(&world);
    g_assert_cmpstr(world.order->str, ==, "");

    g_thread_join(g_thread_new("poster", post, &world));
    g_assert_cmpint(sd_event_run(world.event, UINT64_MAX), >, 0);
    g_assert_cmpstr(world.order->str, ==, "pp");
    deferred_schedule(world.deferred);
    run_until_idle(&world);
    g_assert_cmpstr(world.order->str, ==, "ppede");
    world_clear(&world);
}

static void
post_again(void *data)
{
    World *world = data;

    if (++world->n < 100)
        loop_queue_post(world->queue, post_again, world);
}

/* A turn handles what was queued when it began; freeing the queue handles all. */
static void
test_queue_bounds_a_turn(void)
{
    World world;

    world_init(&world);
    g_assert_cmpint(loop_queue_new(world.event, &world.queue), ==, 0);
    loop_queue_post(world.queue, post_again, &world);
    g_assert_cmpint(sd_event_run(world.event, UINT64_MAX), >, 0);
    g_assert_cmpuint(world.n, ==, 1);
    g_assert_cmpint(sd_event_run(world.event, UINT64_MAX), >, 0);
    g_assert_cmpuint(world.n, ==, 2);
    loop_queue_free(world.queue);
    world.queue = NULL;
    g_assert_cmpuint(world.n, ==, 100);
    world_clear(&world);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/loop/timer", test_timer);
    g_test_add_func("/loop/timer-from-itself", test_timer_from_itself);
    g_test_add_func("/loop/turns", test_turns);
    g_test_add_func("/loop/queue-bounds-a-turn", test_queue_bounds_a_turn);
    return g_test_run();
}
