/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon.h"

#include "attempts.h"
#include "lanes.h"
#include "parts.h"
#include "world.h"

#define KEEPALIVE (5 * SEC)

static struct {
    DaemonState state;
    unsigned number;
    uint64_t since;
    bool stopped; /* the last hint is HINT_STOPPED */
} process;

void
daemon_begin(void)
{
    process.state = percent(80) ? DAEMON_UP : DAEMON_STOPPED;
    process.number = 1;
    process.since = 0;
    process.stopped = false;
}

DaemonState
daemon_state(void)
{
    return process.state;
}

unsigned
daemon_number(void)
{
    return process.number;
}

uint64_t
daemon_since(void)
{
    return process.since;
}

bool
daemon_is(unsigned number)
{
    return process.number == number && process.state != DAEMON_STOPPED;
}

static void
give_hint(void *data, unsigned hint)
{
    static const char *const names[] = {
        [HINT_PROBE] = "probe",
        [HINT_NEW_DAEMON] = "another daemon",
        [HINT_STOPPED] = "stopped",
    };

    /* Hints come in the order of what they are of. */
    if (hint == HINT_STOPPED && process.state != DAEMON_STOPPED)
        return;
    process.stopped = hint == HINT_STOPPED;
    say("hint: %s", names[hint]);
    if (hint == HINT_NEW_DAEMON)
        attempts_note_new_daemon();
    parts_hint((Hint)hint);
}

static void
stop(void)
{
    if (process.state == DAEMON_STOPPED)
        return;
    say("daemon %u ends", process.number);
    process.state = DAEMON_STOPPED;
    guests_daemon_died();
    attempts_lose(0, 20 * MSEC);
    lanes_retry();
    if (percent(50))
        world_after(between(0, 50 * MSEC), give_hint, NULL,
                    percent(50) ? HINT_STOPPED : HINT_PROBE);
}

static void
start(void *data, unsigned unused)
{
    if (process.state != DAEMON_STOPPED)
        return;
    process.number++;
    process.since = world_now();
    process.state = DAEMON_UP;
    say("daemon %u starts", process.number);
    /* One that removes its PID file also writes one. */
    if (process.stopped || percent(80))
        world_after(between(0, 50 * MSEC), give_hint, NULL, HINT_NEW_DAEMON);
}

static void
replace(void *data, unsigned unused)
{
    if (!world_is_healed())
        stop();
    start(NULL, 0);
}

static void
freeze(void)
{
    if (process.state != DAEMON_UP)
        return;
    say("daemon %u is frozen", process.number);
    process.state = DAEMON_FROZEN;
    attempts_lose(KEEPALIVE, KEEPALIVE + SEC);
}

static void
thaw(void *data, unsigned number)
{
    if (process.state != DAEMON_FROZEN || process.number != number)
        return;
    say("daemon %u thaws", process.number);
    process.state = DAEMON_UP;
    lanes_retry();
}

void
daemon_trouble(void)
{
    switch (below(5)) {
    case 0:
        stop();
        world_after(between(0, 20 * SEC), start, NULL, 0);
        break;
    case 1: /* a restart */
        stop();
        world_after(between(0, 500 * MSEC), start, NULL, 0);
        break;
    case 2:
        freeze();
        world_after(between(100 * MSEC, 30 * SEC), thaw, NULL, process.number);
        break;
    case 3: /* frozen, then killed and replaced */
        freeze();
        world_after(between(100 * MSEC, 15 * SEC), replace, NULL, 0);
        break;
    default:
        give_hint(NULL, percent(50) ? HINT_NEW_DAEMON : HINT_PROBE);
    }
}

void
daemon_heal(void)
{
    thaw(NULL, process.number);
    start(NULL, 0);
    lanes_retry();
}
