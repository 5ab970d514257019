/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop.h"

#include "clock.h"
#include "deferred.h"
#include "loop-queue.h"
#include "timer.h"
#include "world.h"

#define EPOCH_USEC UINT64_C(1700000000000000)
/* The loop takes in one turn all that threads post within this time. */
#define TURN_USEC  (MSEC / 2)

struct Timer {
    uint64_t when;
    uint64_t accuracy;
    TimerFunc func;
    void *userdata;
};

struct Deferred {
    DeferredPlace place;
    bool scheduled;
    DeferredFunc func;
    void *userdata;
};

struct LoopQueue {
    char unused;
};

static GPtrArray *timers;   /* Timer: those that are armed */
static GPtrArray *turn_end; /* Deferred: those that are scheduled */

/* --- clock -------------------------------------------------------------------------------- */

uint64_t
clock_now_usec(void)
{
    return world_now();
}

uint64_t
clock_realtime_usec(void)
{
    return world_now() + EPOCH_USEC;
}

/* --- timers ------------------------------------------------------------------------------- */

Timer *
timer_new(struct sd_event *event, uint64_t accuracy_usec, TimerFunc func, void *userdata)
{
    Timer *timer = g_new0(Timer, 1);

    timer->when = TIMER_NEVER;
    timer->accuracy = accuracy_usec;
    timer->func = func;
    timer->userdata = userdata;
    return timer;
}

void
timer_free(Timer *timer)
{
    timer_disarm(timer);
    g_free(timer);
}

void
timer_arm(Timer *timer, uint64_t when_usec)
{
    timer_disarm(timer);
    if (when_usec == TIMER_NEVER)
        return;
    if (!timers)
        timers = g_ptr_array_new();
    timer->when = MAX(when_usec, world_now()) + between(0, timer->accuracy);
    g_ptr_array_add(timers, timer);
}

void
timer_arm_relative(Timer *timer, uint64_t usec)
{
    timer_arm(timer, world_now() + usec);
}

void
timer_disarm(Timer *timer)
{
    if (!timer || timer->when == TIMER_NEVER)
        return;
    g_ptr_array_remove(timers, timer);
    timer->when = TIMER_NEVER;
}

static Timer *
next_timer(void)
{
    Timer *next = NULL;

    for (unsigned i = 0; timers && i < timers->len; i++) {
        Timer *timer = timers->pdata[i];

        if (!next || timer->when < next->when)
            next = timer;
    }
    return next;
}

static void
fire(Timer *timer)
{
    world_advance(timer->when);
    timer_disarm(timer);
    timer->func(timer->userdata);
}

/* --- deferred functions ------------------------------------------------------------------- */

Deferred *
deferred_new(struct sd_event *event, DeferredPlace place, DeferredFunc func, void *userdata)
{
    Deferred *deferred = g_new0(Deferred, 1);

    deferred->place = place;
    deferred->func = func;
    deferred->userdata = userdata;
    return deferred;
}

static void
cancel(Deferred *deferred)
{
    if (!deferred->scheduled)
        return;
    if (deferred->place == DEFERRED_TURN_END)
        g_ptr_array_remove(turn_end, deferred);
    else
        world_forget(deferred);
}

void
deferred_free(Deferred *deferred)
{
    if (!deferred)
        return;
    cancel(deferred);
    g_free(deferred);
}

static void
run(void *data, unsigned number)
{
    Deferred *deferred = data;

    deferred->scheduled = false;
    deferred->func(deferred->userdata);
}

void
deferred_schedule(Deferred *deferred)
{
    if (deferred->scheduled)
        return;
    deferred->scheduled = true;
    if (deferred->place == DEFERRED_IN_TURN) {
        world_after(0, run, deferred, 0);
        return;
    }
    if (!turn_end)
        turn_end = g_ptr_array_new();
    g_ptr_array_add(turn_end, deferred);
}

/* --- the queue from the threads, of which there are none ---------------------------------- */

int
loop_queue_new(struct sd_event *event, LoopQueue **ret)
{
    *ret = g_new0(LoopQueue, 1);
    return 0;
}

void
loop_queue_free(LoopQueue *loop_queue)
{
    g_free(loop_queue);
}

/* --- turns -------------------------------------------------------------------------------- */

static bool
follows(uint64_t until)
{
    const Timer *timer = next_timer();
    uint64_t event = world_next_time();

    return world_next_is_post() && event <= until && !(timer && timer->when < event);
}

static void
run_event(void)
{
    uint64_t until = world_next_time() + TURN_USEC;
    bool is_post = world_next_is_post();

    world_run_next();
    while (is_post && follows(until))
        world_run_next();
}

bool
loop_turn(void)
{
    Timer *timer = next_timer();
    uint64_t event = world_next_time();

    if (timer && timer->when < event)
        fire(timer);
    else if (event != NEVER)
        run_event();
    else
        return false;
    while (turn_end && turn_end->len > 0)
        run(g_ptr_array_steal_index(turn_end, 0), 0);
    return true;
}

void
loop_end(void)
{
    g_clear_pointer(&timers, g_ptr_array_unref);
    g_clear_pointer(&turn_end, g_ptr_array_unref);
}
