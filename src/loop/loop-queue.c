/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop-queue.h"

#include "tsan.h"

#include <errno.h>
#include <glib.h>
#include <sys/eventfd.h>
#include <systemd/sd-event.h>
#include <unistd.h>

typedef struct {
    LoopFunc func;
    void *data;
} Post;

struct LoopQueue {
    GAsyncQueue *queue;
    int fd;
    sd_event_source *source;
};

/* Only what is queued now: a thread that posts without a pause must not hold up the loop. */
static void
drain(LoopQueue *loop_queue)
{
    for (int n = g_async_queue_length(loop_queue->queue); n > 0; n--) {
        Post *post = g_async_queue_try_pop(loop_queue->queue);

        happens_after(loop_queue->queue);
        post->func(post->data);
        g_free(post);
    }
}

static int
on_posted(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    uint64_t count;

    if (read(fd, &count, sizeof count) < 0 && errno != EAGAIN)
        return -errno;
    drain(userdata);
    return 0;
}

int
loop_queue_new(struct sd_event *event, LoopQueue **ret)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (fd < 0)
        return -errno;

    LoopQueue *loop_queue = g_new0(LoopQueue, 1);
    loop_queue->fd = fd;
    loop_queue->queue = g_async_queue_new();
    int r = sd_event_add_io(event, &loop_queue->source, fd, EPOLLIN, on_posted, loop_queue);
    if (r < 0) {
        loop_queue_free(loop_queue);
        return r;
    }
    (void)sd_event_source_set_description(loop_queue->source, "loop-queue");
    *ret = loop_queue;
    return 0;
}

void
loop_queue_free(LoopQueue *loop_queue)
{
    if (!loop_queue)
        return;
    while (g_async_queue_length(loop_queue->queue) > 0)
        drain(loop_queue);
    sd_event_source_unref(loop_queue->source);
    g_async_queue_unref(loop_queue->queue);
    close(loop_queue->fd);
    g_free(loop_queue);
}

void
loop_queue_post(LoopQueue *loop_queue, LoopFunc func, void *data)
{
    Post *post = g_new(Post, 1);
    uint64_t one = 1;

    post->func = func;
    post->data = data;
    happens_before(loop_queue->queue);
    g_async_queue_push(loop_queue->queue, post);
    /* A full counter (EAGAIN) wakes the loop as well. */
    (void)!write(loop_queue->fd, &one, sizeof one);
}
