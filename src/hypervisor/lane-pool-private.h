/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The state that the files of the lane pool share. lane-pool-lanes.c keeps the lanes,
 * lane-pool-attempt.c makes connections, and lane-pool.c brings calls and lanes together; for these
 * three alone.
 */

#include "call-pace.h"
#include "call-schedule.h"
#include "deferred.h"
#include "lane-pool.h"
#include "lane.h"
#include "timer.h"

/* A lane, as the pool sees it: opening, idle, or busy with a call. */
typedef struct {
    LanePool *pool;
    Lane *lane;
    unsigned generation; /* or the attempt it belongs to */
    bool primary;
    bool open;
    bool leaving;     /* it was told to quit */
    bool left_behind; /* it did not open in time */
    uint64_t since;   /* it is opening, idle, or busy */
    Call *call;
} Slot;

struct LanePool {
    struct sd_event *event;
    LoopQueue *loop_queue;
    char *uri;
    bool single; /* the primary lane is the only one */
    const LanePoolCallbacks *callbacks;
    void *userdata;

    GPtrArray *slots;   /* of the connection in use; the primary one is the first */
    GPtrArray *pending; /* of attempts that are under way, or not adopted yet */
    GPtrArray *cleared; /* of a connection that is gone */
    unsigned n_threads;
    unsigned n_left_behind;
    bool stopping;
    uint64_t open_again_at; /* lanes could not be opened: not before; else 0 */
    uint64_t open_pause;

    CallSchedule *schedule;
    CallPace pace;
    Deferred *dispatch; /* to be scheduled when a lane or a place has come free */
    GPtrArray *unsent;  /* calls to be told so at the next turn of the loop */
    Deferred *tell_unsent;
    Timer *timer;
};

/* --- lane-pool-lanes.c */

Slot *slot_new(LanePool *pool, unsigned generation, bool primary);
void slot_quit(Slot *slot);
bool slot_is_in_use(const Slot *slot);
bool slot_is_idle(const Slot *slot);
/* Take the lane out of use, and close it. */
void slot_drop(Slot *slot);

/* The idle lane that a call of this class may have now, or NULL. */
Slot *lanes_find(const LanePool *pool, CallClass class);
/* When another lane may be opened, or a call of this group begun, beside what is under way. */
uint64_t lanes_next_begin(const LanePool *pool, CallGroup group);
/* `wanted` calls found no idle lane: open lanes for them, as far as the limits allow. `urgent`: one
 * lane is opened at once, without the pause that keeps openings apart. */
void lanes_open(LanePool *pool, unsigned wanted, bool urgent);
/* Whether calls of this class may have the lane that is kept for them. */
bool lanes_keep_one_for(CallClass class);
/* Give up openings that take too long, and close lanes that have been idle for long. */
void lanes_elapsed(LanePool *pool, uint64_t now);
/* When lanes_elapsed() or lanes_open() has something to do next; TIMER_NEVER. */
uint64_t lanes_next_event(const LanePool *pool);
