/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Is the hypervisor there? The state machine that connects, notices losses, and tries again.
 *
 * Pure: triggers and the time (monotonic, µs) go in, effects come out, nothing is waited for. It
 * belongs to the loop. One connection attempt is under way at a time and everybody joins it.
 *
 * An attempt cannot be ended. After its deadline its waiters are answered and it is left behind; if
 * it comes back late and good it is still used. Another one is started beside it 30 s after it was
 * started, or at once on a sign of another daemon. With AVAILABILITY_LEFT_BEHIND_MAX left behind, a
 * probe has to show that the daemon answers before one more is started; after that none is, until
 * one of them ends.
 *
 * Where systemd holds the socket, an attempt starts a daemon that somebody has just stopped. So
 * none follows HINT_STOPPED by itself: a caller or another hint makes the next one.
 *
 * The number of the attempt that made a connection is the connection's generation; 0 is none.
 */

#include "error.h"
#include "status.h"

#include <stdbool.h>
#include <stdint.h>

#define AVAILABILITY_LEFT_BEHIND_MAX 4
#define AVAILABILITY_NEVER           UINT64_MAX

typedef enum {
    HINT_PROBE,      /* something changed: look now */
    HINT_NEW_DAEMON, /* another process, or a new socket: an attempt that hangs is on the old one */
    HINT_STOPPED,    /* the daemon ended in order, and a socket is left that would start it again */
} Hint;

typedef struct {
    /* Start attempt number `attempt`; ends in availability_succeeded() or availability_failed(). */
    void (*connect)(void *userdata, unsigned attempt);
    /* Nobody waits for the attempt any longer: end the processes that it has started, if possible;
     * true if there were any. The attempt still ends in one of the two functions. */
    bool (*leave)(void *userdata, unsigned attempt);
    /* Find out whether the daemon answers at all, without a thread that could hang: ends in
     * availability_probed(). */
    void (*probe)(void *userdata);
    /* The attempt's connection is the one to use, from now on; publish what it listed. */
    void (*adopt)(void *userdata, unsigned attempt);
    /* The attempt's connection came too late: close it. */
    void (*discard)(void *userdata, unsigned attempt);
    /* The connection is gone: forget it, before anyone is told and before it is closed. */
    void (*clear)(void *userdata, unsigned generation);
    /* Close what was cleared. */
    void (*close)(void *userdata, unsigned generation);
    /* Status or its message changed; told once a change. */
    void (*status)(void *userdata, Status status, const char *message);
    /* Answer one waiter: error is NULL where the hypervisor is there. */
    void (*answer)(void *userdata, void *waiter, const Error *error);
    /* Whether the daemon's process runs, as far as its PID file tells. */
    bool (*daemon_lives)(void *userdata);
    /* Call availability_elapsed() at `when`; AVAILABILITY_NEVER disarms. */
    void (*arm)(void *userdata, uint64_t when);
} AvailabilityEffects;

typedef struct Availability Availability;

/* `seed` feeds the jitter. Nothing happens before availability_start(). */
Availability *availability_new(const AvailabilityEffects *effects, void *userdata, uint32_t seed);
void availability_free(Availability *availability);

/* Triggers. */
void availability_start(Availability *a, uint64_t now);
void availability_hint(Availability *a, uint64_t now, Hint hint);
void availability_elapsed(Availability *a, uint64_t now);
void availability_succeeded(Availability *a, uint64_t now, unsigned attempt);
/* `why` tells STATUS_STOPPED, _UNREACHABLE, _DENIED or _FAILED. */
void availability_failed(Availability *a, uint64_t now, unsigned attempt, Status why,
                         const char *message);
void availability_probed(Availability *a, uint64_t now, bool answered);
/* `may_be_stopped`: HINT_STOPPED may follow in a moment, if it has not come yet. */
void availability_lost(Availability *a, uint64_t now, unsigned generation, bool may_be_stopped,
                       const char *message);

/*
 * Join the attempt under way, or start one. Attempts that callers start keep a minimum distance:
 * the waiter waits until the next one may be started. It is answered exactly once, maybe before
 * this returns, unless it is forgotten first.
 */
void availability_want(Availability *a, uint64_t now, void *waiter);
/* Drop the connection, if there is one, and make another; the waiter is answered likewise. */
void availability_reconnect(Availability *a, uint64_t now, void *waiter);
void availability_forget(Availability *a, void *waiter);

/* Start nothing any more; answer all waiters and close the connection. */
void availability_stop(Availability *a, uint64_t now, const char *message);

Status availability_status(const Availability *a);
/* The generation in use, 0 while the hypervisor is unavailable. */
unsigned availability_generation(const Availability *a);
