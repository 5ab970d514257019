/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "console-child-loop.h"

#include <glib.h>
#include <libvirt/libvirt.h>
#include <string.h>

typedef struct {
    int id;
    int fd;
    int events; /* VIR_EVENT_HANDLE_* */
    virEventHandleCallback callback;
    void *userdata;
    virFreeCallback free;
    bool removed;
} Handle;

typedef struct {
    int id;
    int interval; /* ms; -1: off */
    gint64 due;
    virEventTimeoutCallback callback;
    void *userdata;
    virFreeCallback free;
    bool removed;
} Timer;

/* libvirt's interface has no place for a pointer to this. */
static struct {
    GPtrArray *handles;
    GPtrArray *timers;
    int last_id;
} loop;

/* --- what libvirt calls ------------------------------------------------------------------- */

static Handle *
find_handle(int id)
{
    for (unsigned i = 0; i < loop.handles->len; i++) {
        Handle *handle = loop.handles->pdata[i];

        if (handle->id == id && !handle->removed)
            return handle;
    }
    return NULL;
}

static int
add_handle(int fd, int events, virEventHandleCallback callback, void *userdata,
           virFreeCallback free_func)
{
    Handle *handle = g_new0(Handle, 1);

    handle->id = ++loop.last_id;
    handle->fd = fd;
    handle->events = events;
    handle->callback = callback;
    handle->userdata = userdata;
    handle->free = free_func;
    g_ptr_array_add(loop.handles, handle);
    return handle->id;
}

static void
update_handle(int id, int events)
{
    Handle *handle = find_handle(id);

    if (handle)
        handle->events = events;
}

/* Freed at the end of the turn, because the caller may hold locks that freeing takes. */
static int
remove_handle(int id)
{
    Handle *handle = find_handle(id);

    if (!handle)
        return -1;
    handle->removed = true;
    return 0;
}

static Timer *
find_timer(int id)
{
    for (unsigned i = 0; i < loop.timers->len; i++) {
        Timer *timer = loop.timers->pdata[i];

        if (timer->id == id && !timer->removed)
            return timer;
    }
    return NULL;
}

static void
set_interval(Timer *timer, int interval)
{
    timer->interval = interval;
    timer->due = g_get_monotonic_time() + interval * G_GINT64_CONSTANT(1000);
}

static int
add_timer(int interval, virEventTimeoutCallback callback, void *userdata, virFreeCallback free_func)
{
    Timer *timer = g_new0(Timer, 1);

    timer->id = ++loop.last_id;
    timer->callback = callback;
    timer->userdata = userdata;
    timer->free = free_func;
    set_interval(timer, interval);
    g_ptr_array_add(loop.timers, timer);
    return timer->id;
}

static void
update_timer(int id, int interval)
{
    Timer *timer = find_timer(id);

    if (timer)
        set_interval(timer, interval);
}

static int
remove_timer(int id)
{
    Timer *timer = find_timer(id);

    if (!timer)
        return -1;
    timer->removed = true;
    return 0;
}

static void
free_handle(gpointer data)
{
    Handle *handle = data;

    if (handle->free)
        handle->free(handle->userdata);
    g_free(handle);
}

static void
free_timer(gpointer data)
{
    Timer *timer = data;

    if (timer->free)
        timer->free(timer->userdata);
    g_free(timer);
}

void
console_loop_register(void)
{
    loop.handles = g_ptr_array_new();
    loop.timers = g_ptr_array_new();
    virEventRegisterImpl(add_handle, update_handle, remove_handle, add_timer, update_timer,
                         remove_timer);
}

/* --- a turn ------------------------------------------------------------------------------- */

static short
poll_events(const Handle *handle, bool may_read, bool write_wanted)
{
    short events = 0;

    if (may_read && handle->events & VIR_EVENT_HANDLE_READABLE)
        events |= POLLIN;
    if (write_wanted || handle->events & VIR_EVENT_HANDLE_WRITABLE)
        events |= POLLOUT;
    return events;
}

static int
libvirt_events(const Handle *handle, short revents)
{
    int events = 0;

    if (revents & POLLIN)
        events |= VIR_EVENT_HANDLE_READABLE;
    if (revents & POLLOUT)
        events |= VIR_EVENT_HANDLE_WRITABLE;
    if (revents & (POLLERR | POLLNVAL))
        events |= VIR_EVENT_HANDLE_ERROR;
    if (revents & POLLHUP)
        events |= VIR_EVENT_HANDLE_HANGUP;
    return events & (handle->events | VIR_EVENT_HANDLE_ERROR | VIR_EVENT_HANDLE_HANGUP);
}

/* In ms, rounded up, so that the loop does not spin until a timer is due. */
static int
next_timeout(int timeout)
{
    gint64 now = g_get_monotonic_time();

    for (unsigned i = 0; i < loop.timers->len; i++) {
        const Timer *timer = loop.timers->pdata[i];

        if (timer->removed || timer->interval < 0)
            continue;
        gint64 left = CLAMP((timer->due - now + 999) / 1000, 0, G_MAXINT);
        if (timeout < 0 || left < timeout)
            timeout = (int)left;
    }
    return timeout;
}

static void
run_timers(void)
{
    gint64 now = g_get_monotonic_time();

    for (unsigned i = 0; i < loop.timers->len; i++) {
        Timer *timer = loop.timers->pdata[i];

        if (timer->removed || timer->interval < 0 || timer->due > now)
            continue;
        timer->due = now + timer->interval * G_GINT64_CONSTANT(1000);
        timer->callback(timer->id, timer->userdata);
    }
}

/* A callback may add and remove handles; those added after the poll have no revents. */
static void
run_handles(const struct pollfd *fds, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        const Handle *handle = loop.handles->pdata[i];
        int events = libvirt_events(handle, fds[i].revents);

        if (events && !handle->removed && handle->fd == fds[i].fd)
            handle->callback(handle->id, handle->fd, events, handle->userdata);
    }
}

static void
sweep(void)
{
    for (unsigned i = loop.handles->len; i-- > 0;)
        if (((Handle *)loop.handles->pdata[i])->removed)
            free_handle(g_ptr_array_remove_index(loop.handles, i));
    for (unsigned i = loop.timers->len; i-- > 0;)
        if (((Timer *)loop.timers->pdata[i])->removed)
            free_timer(g_ptr_array_remove_index(loop.timers, i));
}

void
console_loop_turn(struct pollfd *own, unsigned n_own, int timeout, bool may_read, bool *write_ready)
{
    sweep();

    unsigned n = loop.handles->len;
    g_autofree struct pollfd *fds = g_new0(struct pollfd, n + n_own);

    for (unsigned i = 0; i < n; i++) {
        const Handle *handle = loop.handles->pdata[i];

        fds[i].fd = handle->fd;
        fds[i].events = poll_events(handle, may_read, write_ready != NULL);
    }
    memcpy(&fds[n], own, n_own * sizeof *own);
    if (poll(fds, n + n_own, next_timeout(timeout)) < 0)
        for (unsigned i = 0; i < n + n_own; i++)
            fds[i].revents = 0;
    memcpy(own, &fds[n], n_own * sizeof *own);
    if (write_ready) {
        *write_ready = false;
        for (unsigned i = 0; i < n; i++)
            *write_ready |= (fds[i].revents & POLLOUT) != 0;
    }
    run_handles(fds, n);
    run_timers();
}

void
console_loop_clear(void)
{
    sweep();
    g_ptr_array_set_free_func(loop.handles, g_free);
    g_ptr_array_set_free_func(loop.timers, g_free);
    g_clear_pointer(&loop.handles, g_ptr_array_unref);
    g_clear_pointer(&loop.timers, g_ptr_array_unref);
}
