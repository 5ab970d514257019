/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "world.h"

#include <stdarg.h>
#include <stdio.h>

#define EVENTS_MAX 4096

typedef struct {
    uint64_t when;
    uint64_t sequence;
    WorldFunc func; /* NULL: dropped */
    void *data;
    unsigned number;
    bool is_post;
} Event;

static struct {
    uint64_t random;
    uint64_t now;
    uint64_t healed_at; /* NEVER: not yet */
    bool tracing;
    char *fault;
    uint64_t sequence;
    unsigned n_events;
    Event events[EVENTS_MAX]; /* a heap */
} world;

void
world_begin(uint64_t seed, bool tracing)
{
    world.random = seed * UINT64_C(0xd1342543de82ef95) + 1;
    world.now = 1000 * SEC;
    world.healed_at = NEVER;
    world.tracing = tracing;
    world.sequence = 0;
    world.n_events = 0;
}

char *
world_end(void)
{
    world.n_events = 0;
    return g_steal_pointer(&world.fault);
}

/* --- chance ------------------------------------------------------------------------------- */

static uint64_t
next_random(void)
{
    uint64_t z = world.random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

unsigned
below(unsigned n)
{
    return (unsigned)(next_random() % n);
}

bool
percent(unsigned n)
{
    return below(100) < n;
}

bool
trouble(unsigned n)
{
    return !world_is_healed() && percent(n);
}

uint64_t
between(uint64_t low, uint64_t high)
{
    return low + next_random() % (high - low + 1);
}

/* GLib's, which feeds the jitter of connection attempts: it has to follow from the seed, too. */
guint32
g_random_int(void)
{
    return (guint32)next_random();
}

/* --- time and events ---------------------------------------------------------------------- */

uint64_t
world_now(void)
{
    return world.now;
}

static bool
is_before(const Event *a, const Event *b)
{
    return a->when != b->when ? a->when < b->when : a->sequence < b->sequence;
}

static void
swap_events(unsigned i, unsigned j)
{
    Event other = world.events[i];

    world.events[i] = world.events[j];
    world.events[j] = other;
}

static void
add_event(const Event *event)
{
    if (world.n_events == EVENTS_MAX) {
        fault("Too many events: something never comes to rest");
        return;
    }
    unsigned i = world.n_events++;

    world.events[i] = *event;
    while (i > 0 && is_before(&world.events[i], &world.events[(i - 1) / 2])) {
        swap_events(i, (i - 1) / 2);
        i = (i - 1) / 2;
    }
}

void
world_after(uint64_t delay, WorldFunc func, void *data, unsigned number)
{
    add_event(&(Event){world.now + delay, ++world.sequence, func, data, number, false});
}

void
world_post(uint64_t delay, WorldFunc func, void *data, unsigned number)
{
    add_event(&(Event){world.now + delay, ++world.sequence, func, data, number, true});
}

void
world_forget(const void *data)
{
    for (unsigned i = 0; i < world.n_events; i++)
        if (world.events[i].data == data)
            world.events[i].func = NULL;
}

uint64_t
world_next_time(void)
{
    return world.n_events > 0 ? world.events[0].when : NEVER;
}

bool
world_next_is_post(void)
{
    return world.n_events > 0 && world.events[0].is_post;
}

static Event
take_event(void)
{
    Event first = world.events[0];
    unsigned i = 0;

    world.events[0] = world.events[--world.n_events];
    for (;;) {
        unsigned least = i;

        for (unsigned child = 2 * i + 1; child <= 2 * i + 2 && child < world.n_events; child++)
            if (is_before(&world.events[child], &world.events[least]))
                least = child;
        if (least == i)
            return first;
        swap_events(i, least);
        i = least;
    }
}

void
world_run_next(void)
{
    Event event = take_event();

    world.now = event.when;
    if (event.func)
        event.func(event.data, event.number);
}

void
world_advance(uint64_t when)
{
    world.now = MAX(world.now, when);
}

void
world_heal(void)
{
    world.healed_at = world.now;
}

bool
world_is_healed(void)
{
    return world.healed_at != NEVER;
}

uint64_t
world_healed_at(void)
{
    return world.healed_at;
}

/* --- trace and fault ---------------------------------------------------------------------- */

void
say(const char *format, ...)
{
    va_list args;

    if (!world.tracing)
        return;
    printf("# %10.6f ", (double)world.now / 1e6);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

void
fault(const char *format, ...)
{
    va_list args;

    if (world.fault)
        return;
    va_start(args, format);
    world.fault = g_strdup_vprintf(format, args);
    va_end(args);
    say("FAULT: %s", world.fault);
}

bool
world_has_fault(void)
{
    return world.fault != NULL;
}
