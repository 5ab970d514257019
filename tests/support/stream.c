/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

int
call_descriptor(Call *call)
{
    int fd;

    assert_ok(call);
    g_assert_cmpint(sd_bus_message_read(call->reply, "h", &fd), >, 0);
    fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(sd_bus_message_rewind(call->reply, true), >=, 0);
    return fd;
}

static int
on_readable(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    Stream *s = userdata;
    char bytes[4096];
    ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);

    if (n < 0 && errno == EAGAIN)
        return 0;
    if (n <= 0) {
        s->ended = true;
        return sd_event_source_set_enabled(source, SD_EVENT_OFF);
    }
    for (ssize_t i = 0; i < n; i++)
        g_string_append_c(s->text, bytes[i] ? bytes[i] : '?');
    return 0;
}

Stream *
stream_new(World *w, int fd)
{
    Stream *s = g_new0(Stream, 1);
    int r = sd_event_add_io(world_event(w), &s->source, fd, EPOLLIN, on_readable, s);

    g_assert_cmpint(r, >=, 0);
    s->world = w;
    s->fd = fd;
    s->text = g_string_new(NULL);
    return s;
}

void
stream_free(Stream *s)
{
    sd_event_source_disable_unref(s->source);
    close(s->fd);
    g_string_free(s->text, TRUE);
    g_free(s);
}

void
stream_hold(Stream *s, bool hold)
{
    int r = sd_event_source_set_enabled(s->source, hold ? SD_EVENT_OFF : SD_EVENT_ON);

    g_assert_cmpint(r, >=, 0);
    s->held = hold;
}

void
stream_write(Stream *s, const char *text)
{
    size_t length = strlen(text);
    ssize_t n = send(s->fd, text, length, MSG_NOSIGNAL);

    g_assert_cmpint(n, ==, (ssize_t)length);
}

static bool
take(Stream *s, const char *text)
{
    const char *found = strstr(s->text->str, text);

    if (!found)
        return false;
    g_string_erase(s->text, 0, found - s->text->str + (gssize)strlen(text));
    return true;
}

void
stream_wait(Stream *s, const char *text)
{
    gint64 deadline = g_get_monotonic_time() + PATIENCE_MS * G_GINT64_CONSTANT(1000);

    while (!take(s, text)) {
        if (s->ended)
            g_error("the stream ended before it said \"%s\": %s", text, s->text->str);
        if (!world_turn(s->world, deadline))
            g_error("the stream did not say \"%s\": %s", text, s->text->str);
    }
}

void
stream_wait_end(Stream *s)
{
    wait_for(s->world, s->ended);
}
