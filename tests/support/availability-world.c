/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "availability-world.h"

#include <string.h>

static void say(World *w, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void
say(World *w, const char *format, ...)
{
    va_list args;

    if (w->log->len > 0)
        g_string_append_c(w->log, ' ');
    va_start(args, format);
    g_string_append_vprintf(w->log, format, args);
    va_end(args);
}

static void
on_connect(void *userdata, unsigned attempt)
{
    say(userdata, "connect:%u", attempt);
}

static void
on_adopt(void *userdata, unsigned attempt)
{
    World *w = userdata;

    g_assert_cmpuint(availability_generation(w->engine), ==, attempt);
    w->shared = true;
    say(w, "adopt:%u", attempt);
}

static bool
on_leave(void *userdata, unsigned attempt)
{
    World *w = userdata;

    say(w, "leave:%u", attempt);
    return w->ends;
}

static void
on_probe(void *userdata)
{
    say(userdata, "probe");
}

static void
on_discard(void *userdata, unsigned attempt)
{
    say(userdata, "discard:%u", attempt);
}

static void
on_clear(void *userdata, unsigned generation)
{
    World *w = userdata;

    g_assert_cmpuint(availability_generation(w->engine), ==, 0);
    w->shared = false;
    say(w, "clear:%u", generation);
}

static void
on_close(void *userdata, unsigned generation)
{
    World *w = userdata;

    g_assert_false(w->shared);
    say(w, "close:%u", generation);
}

static void
on_status(void *userdata, Status status, const char *message)
{
    World *w = userdata;

    g_assert_cmpint(availability_status(w->engine), ==, status);
    g_free(w->message);
    w->message = g_strdup(message);
    say(w, "%s", status_name(status));
}

static void
on_answer(void *userdata, void *waiter, const Error *error)
{
    World *w = userdata;
    void *forget = g_steal_pointer(&w->forget);

    if (error) {
        g_assert_cmpint(error->kind, ==, ERROR_NOT_AVAILABLE);
        g_assert_true(g_str_has_prefix(error->message, "VMs are not available: "));
        g_assert_cmpuint(strlen(error->message), >, strlen("VMs are not available: "));
    }
    say(w, "%s%s", (const char *)waiter, error ? "-" : "+");
    if (forget)
        availability_forget(w->engine, forget);
    if (w->again) {
        w->again = false;
        availability_want(w->engine, w->now, (void *)"again");
    }
    if (w->drop) {
        w->drop = false;
        availability_reconnect(w->engine, w->now, (void *)"drop");
    }
}

static void
on_arm(void *userdata, uint64_t when)
{
    World *w = userdata;

    g_assert_cmpuint(when, !=, w->armed);
    w->armed = when;
}

static bool
on_daemon_lives(void *userdata)
{
    return ((const World *)userdata)->daemon_lives;
}

static const AvailabilityEffects effects = {
    .connect = on_connect,
    .leave = on_leave,
    .probe = on_probe,
    .adopt = on_adopt,
    .discard = on_discard,
    .clear = on_clear,
    .close = on_close,
    .status = on_status,
    .answer = on_answer,
    .daemon_lives = on_daemon_lives,
    .arm = on_arm,
};

World *
world_new(void)
{
    World *w = g_new0(World, 1);

    w->now = 1000 * SEC;
    w->armed = AVAILABILITY_NEVER;
    w->log = g_string_new(NULL);
    w->engine = availability_new(&effects, w, 42);
    return w;
}

void
world_free(World *w)
{
    availability_free(w->engine);
    g_string_free(w->log, TRUE);
    g_free(w->message);
    g_free(w);
}

void
expect(World *w, const char *log)
{
    g_assert_cmpstr(w->log->str, ==, log);
    g_string_truncate(w->log, 0);
}

void
want(World *w, const char *waiter)
{
    availability_want(w->engine, w->now, (void *)waiter);
}

void
succeed(World *w, unsigned attempt)
{
    availability_succeeded(w->engine, w->now, attempt);
}

void
fail(World *w, unsigned attempt, Status why)
{
    availability_failed(w->engine, w->now, attempt, why, "some reason");
}

void
lose(World *w, unsigned generation)
{
    availability_lost(w->engine, w->now, generation, w->may_be_stopped, "End of file");
}

void
hint(World *w, Hint what)
{
    availability_hint(w->engine, w->now, what);
}

void
pass(World *w, uint64_t usec)
{
    uint64_t until = w->now + usec;
    unsigned fired = 0;

    while (w->armed <= until) {
        w->now = MAX(w->now, w->armed);
        w->armed = AVAILABILITY_NEVER;
        availability_elapsed(w->engine, w->now);
        g_assert_cmpuint(++fired, <, 100);
    }
    w->now = until;
}

World *
connected_world(void)
{
    World *w = world_new();

    availability_start(w->engine, w->now);
    succeed(w, 1);
    expect(w, "connect:1 adopt:1 available");
    pass(w, 3600 * SEC);
    expect(w, "");
    return w;
}
