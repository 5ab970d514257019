/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The lanes of one connection to the hypervisor, and the calls that wait for one.
 *
 * The primary lane is made by a connection attempt; it receives the events and carries the
 * service's own quick reads. Others are opened on demand and closed when they stay idle; one idle
 * lane is always kept for ForceStop, whatever hangs. All lanes come and go with one generation.
 * Where every connection may have a state of its own (the test driver) the primary lane is the only
 * one.
 *
 * Which call is sent when is the schedule's (call-schedule.h). A call that hangs keeps its lane
 * until it returns, and is no sign of a dead daemon: a connection is lost only when it says so
 * itself (keepalive, its close callback, virConnectIsAlive()). A lane that does not open in time is
 * left behind; their number is bounded, and calls use the lanes there are meanwhile.
 *
 * Belongs to the loop; a call's `work` runs on a lane.
 */

#include "call.h"
#include "hypervisor-events.h"
#include "hypervisor-traits.h"
#include "loop-queue.h"

/* The result of a connection attempt. */
typedef struct {
    unsigned attempt;
    bool succeeded;
    GPtrArray *updates; /* DomainUpdate: the receiver may take it; NULL: no list came in time */
    HypervisorIdentity identity; /* its version may follow */
    Status why;                  /* where it failed */
    Error *error;
} ConnectResult;

typedef struct {
    void (*connect_result)(void *userdata, ConnectResult *result);
    /* The version that was missing in the result of this attempt. */
    void (*version)(void *userdata, unsigned attempt, const char *version);
    /* lane_pool_probe() has ended. */
    void (*probed)(void *userdata, bool answered);
    void (*event)(void *userdata, const HypervisorEvent *event);
    void (*lost)(void *userdata, unsigned generation, const char *message);
    /*
     * hanging(): this call about a domain, under way since `since`, hangs. If
     * call_track_of_hang() is TRACK_READ, its domain hangs; any other call may only take its time.
     *
     * returned(): the same call has returned, or has got the domain's lock since; or, without
     * `answered`, its connection is gone.
     *
     * Either function may be NULL.
     */
    void (*hanging)(void *userdata, const Call *call, uint64_t since);
    void (*returned)(void *userdata, const Call *call, bool answered);
    /* No lane is left after lane_pool_stop(). */
    void (*stopped)(void *userdata);
} LanePoolCallbacks;

typedef struct LanePool LanePool;

LanePool *lane_pool_new(struct sd_event *event, LoopQueue *loop_queue, const char *uri,
                        const LanePoolCallbacks *callbacks, void *userdata);
/* No thread may be left. */
void lane_pool_free(LanePool *pool);

/* The following carry out the effects of the availability engine: see AvailabilityEffects. */
/*
 * `must_list`: succeed with a list of all domains and the version only, however long they take.
 * Else neither a list that hangs on one domain nor a version for which libvirt has to run QEMU
 * keeps a connection from being made.
 */
void lane_pool_connect(LanePool *pool, unsigned attempt, bool must_list);
bool lane_pool_leave(LanePool *pool, unsigned attempt);
void lane_pool_probe(LanePool *pool, const char *const *sockets);
void lane_pool_adopt(LanePool *pool, unsigned attempt);
/* Set the traits of the daemon, before the connection to it is adopted. */
void lane_pool_set_traits(LanePool *pool, HypervisorTraits traits);
void lane_pool_discard(LanePool *pool, unsigned attempt);
/* From now on there is no connection: calls that wait are OUTCOME_UNSENT, those under way _LOST. */
void lane_pool_clear(LanePool *pool);
/* Let the lanes that were cleared finish their call and close. */
void lane_pool_close_cleared(LanePool *pool);

/*
 * Queue a call; `done` is called later, never from in here. Without a connection it is
 * OUTCOME_UNSENT. For calls whose number is bounded by the code that makes them, such as those of
 * operations: a refusal of our own must not look like one of libvirt's.
 */
void lane_pool_submit(LanePool *pool, Call *call);
/*
 * The same for a call of which clients can have any number. False, and the call is freed, where too
 * many of its class wait for its user.
 */
bool lane_pool_submit_limited(LanePool *pool, Call *call);
/* Nobody wants the answer any more: `done` is not called, and a call that waits is not sent. */
void lane_pool_abandon(LanePool *pool, Call *call);
/* Abandon the call if it was not sent yet. Otherwise false, and the call goes on. */
bool lane_pool_withdraw(LanePool *pool, Call *call);

/* Whether a question to the domain's process is likely to hang: a read of the domain hangs; or,
 * with TRAIT_XML_WAITS, any other call about it but one to the guest's agent. */
bool lane_pool_domain_is_silent(const LanePool *pool, const char *uuid);
/* Whether a read of the domain's XML may have to wait for another call about the domain, which
 * hangs or is a long one. */
bool lane_pool_domain_is_busy(const LanePool *pool, const char *uuid);
/* Whether a read of any domain's XML may have to wait for other calls (TRAIT_XML_WAITS); then it
 * has to be a CALL_XML. */
bool lane_pool_xml_waits(const LanePool *pool);

/* For people: what every lane does now, and what waits. */
typedef struct {
    const char *state; /* "connecting", "opening", "idle", "running", "hanging", "closing" */
    bool primary;
    uint64_t since;    /* of the state; clock_now_usec() */
    const char *class; /* and what follows: of its call, else NULL or "" */
    const char *call;
    char domain[UUID_LENGTH + 1];
} LaneDescription;

typedef struct {
    const char *class;
    uid_t uid;
    unsigned waiting;
} QueueDescription;

typedef struct {
    GArray *lanes;  /* LaneDescription */
    GArray *queues; /* QueueDescription */
    unsigned threads;
    unsigned left_behind; /* lanes that did not open in time and have not ended yet */
} LanePoolDescription;

void lane_pool_describe(const LanePool *pool, LanePoolDescription *ret);
void lane_pool_description_clear(LanePoolDescription *description);

/* Close everything; LanePoolCallbacks.stopped tells when it is done. */
void lane_pool_stop(LanePool *pool);
