/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The availability engine, bare: the test is the clock, the daemon and the waiters, and every
 * effect is a word in a log that is compared with what it should be.
 */

#include "availability.h"

#define MSEC UINT64_C(1000)
#define SEC  (1000 * MSEC)

typedef struct {
    Availability *engine;
    uint64_t now;
    uint64_t armed;
    GString *log;
    char *message;       /* of the status, as it was told last */
    bool may_be_stopped; /* what a loss says of it */
    bool daemon_lives;
    bool ends;    /* leaving an attempt ends it */
    bool shared;  /* what an adopted connection published is there */
    void *forget; /* a waiter to forget from within the next answer */
    bool again;   /* wait again from within the next answer */
    bool drop;    /* ask for a new connection from within the next answer */
} World;

World *world_new(void);
/* Connected, and long enough ago. */
World *connected_world(void);
void world_free(World *w);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(World, world_free)

/* Everything since the last time. */
void expect(World *w, const char *log);

void want(World *w, const char *waiter);
void succeed(World *w, unsigned attempt);
void fail(World *w, unsigned attempt, Status why);
void lose(World *w, unsigned generation);
void hint(World *w, Hint what);
/* Let the time pass, with the timer as the engine armed it. */
void pass(World *w, uint64_t usec);
