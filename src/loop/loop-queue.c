/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop-queue.h"

#include "tsan.h"

#include <errno.h>
#include <glib.h>
#include <sys/eventfd.h>
#include <unistd.h>

typedef struct {
    CompletionFunc func;
    void *data;
} Post;

struct Completion {
    GAsyncQueue *queue;
    int fd;
    sd_event_source *source;
};

static void
drain(Completion *completion)
{
    Post *post;

    while ((post = g_async_queue_try_pop(completion->queue))) {
        happens_after(completion->queue);
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
completion_new(sd_event *event, Completion **ret)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (fd < 0)
        return -errno;

    Completion *completion = g_new0(Completion, 1);
    completion->fd = fd;
    completion->queue = g_async_queue_new();
    int r = sd_event_add_io(event, &completion->source, fd, EPOLLIN, on_posted, completion);
    if (r < 0) {
        completion_free(completion);
        return r;
    }
    (void)sd_event_source_set_description(completion->source, "completion");
    *ret = completion;
    return 0;
}

void
completion_free(Completion *completion)
{
    if (!completion)
        return;
    drain(completion);
    sd_event_source_unref(completion->source);
    g_async_queue_unref(completion->queue);
    close(completion->fd);
    g_free(completion);
}

void
completion_post(Completion *completion, CompletionFunc func, void *data)
{
    Post *post = g_new(Post, 1);
    uint64_t one = 1;

    post->func = func;
    post->data = data;
    happens_before(completion->queue);
    g_async_queue_push(completion->queue, post);
    /* A full counter (EAGAIN) wakes the loop as well. */
    (void)!write(completion->fd, &one, sizeof one);
}
