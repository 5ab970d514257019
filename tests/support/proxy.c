/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "proxy.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CHUNK 65536

typedef struct Link Link;

/* One end of a connection. */
typedef struct Side {
    Link *link;
    int fd;
    sd_event_source *source;
    GByteArray *pending; /* to be written to it */
    bool ended;          /* no more is read from it */
    bool truncated;      /* no more is written to it */
} Side;

/* sides[d] is where what goes in direction d is written to. */
struct Link {
    Proxy *proxy;
    Side sides[_DIRECTION_MAX];
    bool paused[_DIRECTION_MAX];
    bool broken; /* the stream has lost its meaning */
    bool closing;
};

struct Proxy {
    World *world;
    char *path, *upstream;
    int fd;
    sd_event_source *source, *timer;
    GPtrArray *links;
    Fault fault;
    guint64 seen;
    guint left; /* bytes still to be swallowed or garbled */
    bool fired, frozen;
};

static const char *const names[_FAULT_MAX] = {
    [FAULT_NONE] = "none",       [FAULT_CUT] = "cut",       [FAULT_TRUNCATE] = "truncate",
    [FAULT_SWALLOW] = "swallow", [FAULT_GARBLE] = "garble", [FAULT_DELAY] = "delay",
    [FAULT_FREEZE] = "freeze",
};

const char *
fault_name(FaultKind kind)
{
    return names[kind];
}

static Side *
other(Side *side)
{
    return &side->link->sides[side == &side->link->sides[0] ? 1 : 0];
}

/* Of what is read from the side. */
static Direction
direction_from(const Side *side)
{
    return side == &side->link->sides[TO_LIBVIRT] ? TO_SERVICE : TO_LIBVIRT;
}

static void
link_free(void *data)
{
    Link *l = data;

    for (guint i = 0; i < _DIRECTION_MAX; i++) {
        sd_event_source_disable_unref(l->sides[i].source);
        close(l->sides[i].fd);
        g_byte_array_unref(l->sides[i].pending);
    }
    g_free(l);
}

static bool
is_paused(const Side *side)
{
    const Link *l = side->link;

    return l->proxy->frozen || l->paused[side == &l->sides[TO_LIBVIRT] ? TO_LIBVIRT : TO_SERVICE];
}

static void
watch(Side *side)
{
    uint32_t events = 0;

    if (!side->ended && !is_paused(other(side)))
        events |= EPOLLIN;
    if (side->pending->len && !is_paused(side))
        events |= EPOLLOUT;
    /* A hang-up would be told again and again. */
    g_assert_cmpint(sd_event_source_set_enabled(side->source, events ? SD_EVENT_ON : SD_EVENT_OFF),
                    >=, 0);
    if (events)
        g_assert_cmpint(sd_event_source_set_io_events(side->source, events), >=, 0);
}

static void
flush(Side *side)
{
    while (side->pending->len && !side->link->closing) {
        ssize_t n =
            send(side->fd, side->pending->data, side->pending->len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && errno == EAGAIN)
            break;
        if (n < 0)
            side->link->closing = true;
        else
            g_byte_array_remove_range(side->pending, 0, (guint)n);
    }
    if (side->pending->len == 0 && (side->truncated || other(side)->ended))
        (void)shutdown(side->fd, SHUT_WR);
}

static int
on_delay_over(sd_event_source *timer, uint64_t usec, void *userdata)
{
    Proxy *p = userdata;

    for (guint i = 0; i < p->links->len; i++) {
        Link *l = p->links->pdata[i];

        memset(l->paused, 0, sizeof l->paused);
        for (guint s = 0; s < _DIRECTION_MAX; s++) {
            flush(&l->sides[s]);
            watch(&l->sides[s]);
        }
    }
    return 0;
}

static void
delay(Link *l, Direction direction, guint ms)
{
    Proxy *p = l->proxy;

    l->paused[direction] = true;
    p->timer = sd_event_source_disable_unref(p->timer);
    g_assert_cmpint(sd_event_add_time_relative(world_event(p->world), &p->timer, CLOCK_MONOTONIC,
                                               ms * UINT64_C(1000), 1, on_delay_over, p),
                    >=, 0);
}

static void
fire(Side *to, Direction direction)
{
    Proxy *p = to->link->proxy;

    p->fired = true;
    switch (p->fault.kind) {
    case FAULT_CUT:
        to->link->closing = true;
        break;
    case FAULT_TRUNCATE:
        to->truncated = to->link->broken = true;
        break;
    case FAULT_SWALLOW:
    case FAULT_GARBLE:
        p->left = p->fault.amount;
        to->link->broken = true;
        break;
    case FAULT_DELAY:
        delay(to->link, direction, p->fault.amount);
        break;
    case FAULT_FREEZE:
        p->frozen = true;
        break;
    case FAULT_NONE:
    case _FAULT_MAX:
        break;
    }
}

static void
pass_byte(Side *to, Direction direction, guint8 byte)
{
    Proxy *p = to->link->proxy;
    bool counts = p->fault.kind != FAULT_NONE && direction == p->fault.direction;

    if (counts && !p->fired && p->seen == p->fault.at) {
        flush(to);
        fire(to, direction);
    }
    p->seen += counts;
    if (to->link->closing || to->truncated)
        return;
    if (counts && p->left) {
        p->left--;
        to->link->broken = true;
        if (p->fault.kind == FAULT_SWALLOW)
            return;
        byte ^= p->fault.pattern;
    }
    g_byte_array_append(to->pending, &byte, 1);
}

static void
pass(Side *from)
{
    static guint8 bytes[CHUNK];
    Side *to = other(from);
    ssize_t n = recv(from->fd, bytes, sizeof bytes, MSG_DONTWAIT);

    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0)
        from->ended = true;
    for (ssize_t i = 0; i < n; i++)
        pass_byte(to, direction_from(from), bytes[i]);
    if (!is_paused(to))
        flush(to);
}

static int
on_io(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    Side *side = userdata;
    Link *l = side->link;

    if (!side->ended && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && !is_paused(other(side)))
        pass(side);
    if (!is_paused(side))
        flush(side);
    if (events & EPOLLERR)
        l->closing = true;
    if (l->sides[0].ended && l->sides[1].ended)
        l->closing = true;
    /* A side that has ended must not be polled again. */
    if ((events & EPOLLHUP) && side->ended)
        l->closing = true;
    if (l->closing) {
        g_ptr_array_remove(l->proxy->links, l);
        return 0;
    }
    watch(&l->sides[0]);
    watch(&l->sides[1]);
    return 0;
}

static int
dial(const char *path)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpuint(g_strlcpy(sa.sun_path, path, sizeof sa.sun_path), <, sizeof sa.sun_path);
    if (connect(fd, (struct sockaddr *)&sa, sizeof sa) == 0)
        return fd;
    close(fd);
    return -1;
}

static int
on_connection(sd_event_source *source, int listening, uint32_t events, void *userdata)
{
    Proxy *p = userdata;
    int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
    int upstream = fd < 0 ? -1 : dial(p->upstream);
    Link *l;

    if (upstream < 0) {
        if (fd >= 0)
            close(fd);
        return 0;
    }
    l = g_new0(Link, 1);
    l->proxy = p;
    l->sides[TO_LIBVIRT].fd = upstream;
    l->sides[TO_SERVICE].fd = fd;
    for (guint i = 0; i < _DIRECTION_MAX; i++) {
        Side *side = &l->sides[i];

        side->link = l;
        side->pending = g_byte_array_new();
        g_assert_cmpint(
            sd_event_add_io(world_event(p->world), &side->source, side->fd, EPOLLIN, on_io, side),
            >=, 0);
    }
    g_ptr_array_add(p->links, l);
    watch(&l->sides[0]);
    watch(&l->sides[1]);
    return 0;
}

Proxy *
proxy_new(World *w, const char *upstream)
{
    Proxy *p = g_new0(Proxy, 1);
    struct sockaddr_un sa = {.sun_family = AF_UNIX};

    p->world = w;
    p->upstream = g_strdup(upstream);
    p->path = g_build_filename(world_directory(w), "proxy", NULL);
    p->links = g_ptr_array_new_with_free_func(link_free);
    p->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpuint(g_strlcpy(sa.sun_path, p->path, sizeof sa.sun_path), <, sizeof sa.sun_path);
    g_assert_cmpint(bind(p->fd, (struct sockaddr *)&sa, sizeof sa), ==, 0);
    g_assert_cmpint(listen(p->fd, 64), ==, 0);
    g_assert_cmpint(sd_event_add_io(world_event(w), &p->source, p->fd, EPOLLIN, on_connection, p),
                    >=, 0);
    return p;
}

void
proxy_free(Proxy *p)
{
    if (!p)
        return;
    sd_event_source_disable_unref(p->source);
    sd_event_source_disable_unref(p->timer);
    g_ptr_array_unref(p->links);
    close(p->fd);
    g_free(p->path);
    g_free(p->upstream);
    g_free(p);
}

const char *
proxy_path(const Proxy *p)
{
    return p->path;
}

void
proxy_arm(Proxy *p, const Fault *fault)
{
    p->fault = *fault;
    p->seen = 0;
    p->left = 0;
    p->fired = false;
}

bool
proxy_fired(const Proxy *p)
{
    return p->fired;
}

void
proxy_heal(Proxy *p)
{
    p->fault.kind = FAULT_NONE;
    p->left = 0;
    p->frozen = false;
    p->timer = sd_event_source_disable_unref(p->timer);
    for (guint i = p->links->len; i-- > 0;)
        if (((Link *)p->links->pdata[i])->broken)
            g_ptr_array_remove_index(p->links, i);
    (void)on_delay_over(NULL, 0, p);
}
