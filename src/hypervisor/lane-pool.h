/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The lanes of one connection to the hypervisor, and the calls that wait for one.
 *
 * The primary lane is made by a connection attempt; it receives the events and carries quick reads.
 * Others are opened on demand for what may block, bounded by class, and closed when they stay idle.
 * All of them come and go with one generation. Where every connection may be a world of its own
 * (the test driver) the primary lane is the only one.
 *
 * Of one domain there is at most one change and one read under way; forcing waits for neither.
 * Belongs to the loop; a call's `work` runs on a lane.
 */

#include "hypervisor-events.h"
#include "hypervisor.h"
#include "loop-queue.h"
#include "operation-spec.h"
#include "verb.h"

typedef enum {
    CALL_QUICK,       /* quick, and wanted at once: the primary lane where it is free */
    CALL_READ,        /* may be held up by its domain */
    CALL_CHANGE,      /* may take long */
    CALL_LONG,        /* takes as long as it takes to move or to save a guest's memory */
    CALL_JOB_CONTROL, /* about a long one that is under way: to end it, and what became of it */
    CALL_PROGRESS,    /* how far a long one is: nobody waits for it */
    CALL_FORCE,       /* waits for no other call */
    CALL_GUEST,       /* as slow as the agent in a guest: nothing else of its domain waits for it */
    CALL_DISPLAY,     /* asks the guest's process for what it shows: likewise */
    CALL_SIZES,       /* nobody waits for it */
    CALL_STATS,       /* of all domains at once: may be held up by any */
    _CALL_CLASS_MAX,
} CallClass;

typedef struct Call Call;

/* On a lane: make the call; false with `error` set where it failed. */
typedef bool (*CallWork)(Call *call, Hypervisor *h, Error **error);

/* Embed it as the first member of what the call needs and returns. Filled with zeros but for: */
struct Call {
    CallClass class;
    char key[UUID_LENGTH + 1]; /* the domain, or "" */
    CallWork work;
    /*
     * On the loop, exactly once. For OUTCOME_LOST and OUTCOME_UNSENT the lane may still be busy
     * with the call: nothing but what the loop itself put in may be read.
     */
    void (*done)(Call *call, CallOutcome outcome, const Error *error);
    /* On the loop, when nobody uses it any more. NULL: g_free(). */
    void (*free)(Call *call);
    /* Its place among those that wait: 0, or that of the call which this one is made again for. */
    uint64_t order;

    /* Private. */
    gint gate;
    bool told;
    bool succeeded;
    bool connection_died;
    Error *error;
    void *slot;
};

/* What a connection attempt has found. */
typedef struct {
    unsigned attempt;
    bool succeeded;
    GPtrArray *snapshots; /* DomainUpdate: the receiver may take it */
    HypervisorIdentity identity;
    Status why; /* where it failed */
    Error *error;
} ConnectResult;

typedef struct {
    void (*attempted)(void *userdata, ConnectResult *result);
    void (*event)(void *userdata, const HypervisorEvent *event);
    void (*lost)(void *userdata, unsigned generation, const char *message);
    /* No lane is left after lane_pool_stop(). */
    void (*stopped)(void *userdata);
} LanePoolCallbacks;

typedef struct LanePool LanePool;

LanePool *lane_pool_new(struct sd_event *event, LoopQueue *loop_queue, const char *uri,
                        const LanePoolCallbacks *callbacks, void *userdata);
/* No thread may be left. */
void lane_pool_free(LanePool *pool);

/* The effects of the availability engine: see there. */
void lane_pool_connect(LanePool *pool, unsigned attempt);
void lane_pool_adopt(LanePool *pool, unsigned attempt);
void lane_pool_discard(LanePool *pool, unsigned attempt);
/* From now on there is no connection: calls that wait are OUTCOME_UNSENT, those under way _LOST. */
void lane_pool_clear(LanePool *pool);
/* Let the lanes that were cleared finish their call and close. */
void lane_pool_close_cleared(LanePool *pool);

/*
 * Queue a call; `done` is called later, never from in here. Without a connection it is
 * OUTCOME_UNSENT. For calls whose number is bounded by who makes them, such as those of operations:
 * one that is refused here would look like one that libvirt refuses.
 */
void lane_pool_submit(LanePool *pool, Call *call);
/*
 * The same for a call of which clients can have any number. False, and the call is freed, where too
 * many calls wait already.
 */
bool lane_pool_submit_limited(LanePool *pool, Call *call);
/* Nobody wants the answer any more: `done` is not called, and what was not sent will not be. */
void lane_pool_abandon(LanePool *pool, Call *call);
/* The same for a call that was not sent yet; false, and it goes on, where it may have been. */
bool lane_pool_withdraw(LanePool *pool, Call *call);

/* Close everything; LanePoolCallbacks.stopped tells when it is done. */
void lane_pool_stop(LanePool *pool);
