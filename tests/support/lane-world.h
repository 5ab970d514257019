/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The lane pool with its own threads, but a clock that only the test moves and a libvirt whose
 * calls return when the test says so.
 */

#include "call-pace.h"
#include "clock.h"
#include "fake-hypervisor.h"
#include "fake-loop.h"
#include "lane-pool.h"

#define MSEC  UINT64_C(1000)
#define SEC   (1000 * MSEC)
#define ROOT  0
#define ALICE 1000

typedef struct {
    LoopQueue *queue;
    LanePool *pool;
    GString *log; /* what the pool has told */
    unsigned attempted;
    bool has_version; /* the result of the last attempt */
    bool has_list;
    bool discards; /* connections come too late */
    bool stopped;
    GPtrArray *calls; /* TestCall: those that are not freed yet */
} World;

typedef struct {
    Call call;
    World *world;
    GMutex mutex;
    GCond released;
    bool release;
    bool *freed; /* to be set then */
    CallOutcome outcome;
    bool done;
} TestCall;

/* A pool that is connected. */
void world_init(World *w);
void world_init_with(World *w, const char *uri);
/* Let everything return, and check that nothing is left. */
void world_clear(World *w);
void connect_pool(World *w, unsigned attempt);

/* Everything that was told since the last time. */
void expect_log(World *w, const char *log);
unsigned count_lanes(World *w, const char *state);
unsigned count_left_behind(World *w);

/* Let the pool do what it can now: until no lane is opening. */
void settle(World *w);
/* Let this time pass, then the same. */
void pass(World *w, uint64_t usec);

/* A call that returns when it is released; NULL where it is refused. */
TestCall *submit_for(World *w, CallClass class, uid_t uid, const char *key);
/* The same for root, and settle. */
TestCall *submit(World *w, CallClass class, const char *key);
/* Of the n-th domain of this class. */
TestCall *submit_nth(World *w, CallClass class, unsigned n);
/* And wait until another one may be begun. */
TestCall *submit_at_pace(World *w, CallClass class, unsigned n);
bool is_under_way(const TestCall *call);
void on_done(Call *base, CallOutcome outcome, const Error *error);
/* Let it return, wait until it is freed, and settle, or not. */
void finish(World *w, TestCall *call);
void finish_alone(TestCall *call);
/* A condition for fake_loop_wait(): the bool is true. */
bool is_set(void *flag);
