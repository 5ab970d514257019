/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-loop.h"

#include "clock.h"
#include "deferred.h"
#include "loop-queue.h"
#include "timer.h"
#include "tsan.h"

#include <glib.h>

#define PATIENCE_USEC (10 * G_USEC_PER_SEC)

struct Timer {
    uint64_t when;
    TimerFunc func;
    void *userdata;
};

struct Deferred {
    DeferredPlace place;
    bool scheduled;
    DeferredFunc func;
    void *userdata;
};

typedef struct {
    LoopFunc func;
    void *data;
} Post;

struct LoopQueue {
    GAsyncQueue *posts;
};

static struct {
    gint64 now; /* read by the threads, too */
    GPtrArray *timers;
    GPtrArray *deferred; /* scheduled ones, in that order */
    LoopQueue *queue;
} loop;

/* --- the library's interface -------------------------------------------------------------- */

uint64_t
clock_now_usec(void)
{
    return (uint64_t)__atomic_load_n(&loop.now, __ATOMIC_SEQ_CST);
}

uint64_t
clock_realtime_usec(void)
{
    return clock_now_usec() + UINT64_C(1700000000000000);
}

Timer *
timer_new(struct sd_event *event, uint64_t accuracy_usec, TimerFunc func, void *userdata)
{
    Timer *timer = g_new0(Timer, 1);

    timer->when = TIMER_NEVER;
    timer->func = func;
    timer->userdata = userdata;
    g_ptr_array_add(loop.timers, timer);
    return timer;
}

void
timer_free(Timer *timer)
{
    if (timer)
        g_ptr_array_remove(loop.timers, timer);
    g_free(timer);
}

void
timer_arm(Timer *timer, uint64_t when_usec)
{
    timer->when = when_usec;
}

void
timer_arm_relative(Timer *timer, uint64_t usec)
{
    timer->when = clock_now_usec() + usec;
}

void
timer_disarm(Timer *timer)
{
    if (timer)
        timer->when = TIMER_NEVER;
}

Deferred *
deferred_new(struct sd_event *event, DeferredPlace place, DeferredFunc func, void *userdata)
{
    Deferred *deferred = g_new0(Deferred, 1);

    deferred->place = place;
    deferred->func = func;
    deferred->userdata = userdata;
    return deferred;
}

void
deferred_free(Deferred *deferred)
{
    if (deferred && deferred->scheduled)
        g_ptr_array_remove(loop.deferred, deferred);
    g_free(deferred);
}

void
deferred_schedule(Deferred *deferred)
{
    if (!deferred->scheduled)
        g_ptr_array_add(loop.deferred, deferred);
    deferred->scheduled = true;
}

int
loop_queue_new(struct sd_event *event, LoopQueue **ret)
{
    loop.queue = g_new0(LoopQueue, 1);
    loop.queue->posts = g_async_queue_new();
    *ret = loop.queue;
    return 0;
}

void
loop_queue_free(LoopQueue *loop_queue)
{
    Post *post;

    if (!loop_queue)
        return;
    while ((post = g_async_queue_try_pop(loop_queue->posts))) {
        post->func(post->data);
        g_free(post);
    }
    g_async_queue_unref(loop_queue->posts);
    g_free(loop_queue);
    loop.queue = NULL;
}

void
loop_queue_post(LoopQueue *loop_queue, LoopFunc func, void *data)
{
    Post *post = g_new(Post, 1);

    post->func = func;
    post->data = data;
    happens_before(loop_queue->posts);
    g_async_queue_push(loop_queue->posts, post);
}

/* --- the test's --------------------------------------------------------------------------- */

void
fake_loop_reset(void)
{
    g_assert_true(!loop.timers || loop.timers->len == 0);
    g_assert_null(loop.queue);
    g_clear_pointer(&loop.timers, g_ptr_array_unref);
    g_clear_pointer(&loop.deferred, g_ptr_array_unref);
    loop.timers = g_ptr_array_new();
    loop.deferred = g_ptr_array_new();
    loop.now = G_GINT64_CONSTANT(1000000000);
}

static bool
run_deferred(DeferredPlace place)
{
    for (unsigned i = 0; i < loop.deferred->len; i++) {
        Deferred *deferred = loop.deferred->pdata[i];

        if (deferred->place != place)
            continue;
        g_ptr_array_remove_index(loop.deferred, i);
        deferred->scheduled = false;
        deferred->func(deferred->userdata);
        return true;
    }
    return false;
}

static void
run_post(Post *post)
{
    happens_after(loop.queue->posts);
    post->func(post->data);
    g_free(post);
}

static bool
run_queue(void)
{
    Post *post = loop.queue ? g_async_queue_try_pop(loop.queue->posts) : NULL;

    if (post)
        run_post(post);
    return post != NULL;
}

static Timer *
next_timer(void)
{
    Timer *next = NULL;

    for (unsigned i = 0; i < loop.timers->len; i++) {
        Timer *timer = loop.timers->pdata[i];

        if (timer->when != TIMER_NEVER && (!next || timer->when < next->when))
            next = timer;
    }
    return next;
}

static bool
run_timer(void)
{
    Timer *timer = next_timer();

    if (!timer || timer->when > clock_now_usec())
        return false;
    timer->when = TIMER_NEVER;
    timer->func(timer->userdata);
    return true;
}

void
fake_loop_run(void)
{
    while (run_deferred(DEFERRED_TURN_END) || run_queue() || run_deferred(DEFERRED_IN_TURN) ||
           run_timer())
        continue;
}

void
fake_loop_advance(uint64_t usec)
{
    uint64_t until = clock_now_usec() + usec;
    const Timer *timer;

    fake_loop_run();
    while ((timer = next_timer()) && timer->when <= until) {
        __atomic_store_n(&loop.now, (gint64)timer->when, __ATOMIC_SEQ_CST);
        fake_loop_run();
    }
    __atomic_store_n(&loop.now, (gint64)until, __ATOMIC_SEQ_CST);
}

bool
fake_loop_is_idle(void)
{
    return loop.deferred->len == 0 && !next_timer();
}

void
fake_loop_wait(bool (*holds)(void *userdata), void *userdata)
{
    fake_loop_run();
    while (!holds(userdata)) {
        Post *post = g_async_queue_timeout_pop(loop.queue->posts, PATIENCE_USEC);

        if (!post)
            g_error("What the test waits for did not come");
        run_post(post);
        fake_loop_run();
    }
}
