/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lane.h"

#include "hypervisor-events.h"
#include "tsan.h"

#include <signal.h>
#include <unistd.h>

struct Lane {
    LoopQueue *loop_queue;
    LoopFunc exited;
    void *userdata;
    GThread *thread;
    gint tid; /* atomic; of the thread; 0 until it runs */
    GAsyncQueue *tasks;
    Hypervisor *hypervisor; /* the thread's own */
};

typedef struct {
    LaneWork work; /* NULL: quit */
    void *data;
} Task;

static gpointer
run_lane(gpointer data)
{
    Lane *lane = data;

    g_atomic_int_set(&lane->tid, gettid());
    for (;;) {
        g_autofree Task *task = g_async_queue_pop(lane->tasks);

        happens_after(lane->tasks);
        if (!task->work)
            break;
        task->work(lane, task->data);
    }
    hypervisor_unwatch(lane->hypervisor);
    hypervisor_close(g_steal_pointer(&lane->hypervisor));
    loop_queue_post(lane->loop_queue, lane->exited, lane);
    return NULL;
}

static void
push(Lane *lane, LaneWork work, void *data)
{
    Task *task = g_new(Task, 1);

    task->work = work;
    task->data = data;
    happens_before(lane->tasks);
    g_async_queue_push(lane->tasks, task);
}

Lane *
lane_new(LoopQueue *loop_queue, LoopFunc exited, void *userdata)
{
    Lane *lane = g_new0(Lane, 1);

    lane->loop_queue = loop_queue;
    lane->exited = exited;
    lane->userdata = userdata;
    lane->tasks = g_async_queue_new();
    lane->thread = g_thread_new("lane", run_lane, lane);
    return lane;
}

void
lane_do(Lane *lane, LaneWork work, void *data)
{
    push(lane, work, data);
}

void
lane_quit(Lane *lane)
{
    push(lane, NULL, NULL);
}

bool
lane_end_children(const Lane *lane)
{
    g_autofree char *path =
        g_strdup_printf("/proc/self/task/%d/children", g_atomic_int_get(&lane->tid));
    g_autofree char *pids = NULL;
    g_auto(GStrv) words = NULL;
    bool any = false;

    if (!g_file_get_contents(path, &pids, NULL, NULL))
        return false;
    words = g_strsplit(pids, " ", -1);
    for (char **word = words; *word; word++) {
        gint64 pid = g_ascii_strtoll(*word, NULL, 10);

        /* It stays ours until the lane, which is busy, reaps it. */
        if (pid > 1 && kill((pid_t)pid, SIGTERM) == 0)
            any = true;
    }
    return any;
}

void
lane_join(Lane *lane)
{
    g_thread_join(lane->thread);
    g_async_queue_unref(lane->tasks);
    g_free(lane);
}

void *
lane_userdata(const Lane *lane)
{
    return lane->userdata;
}

Hypervisor *
lane_hypervisor(const Lane *lane)
{
    return lane->hypervisor;
}

void
lane_set_hypervisor(Lane *lane, Hypervisor *h)
{
    lane->hypervisor = h;
}

void
lane_post(Lane *lane, LoopFunc func, void *data)
{
    loop_queue_post(lane->loop_queue, func, data);
}
