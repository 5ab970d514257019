/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * An operation on a domain: the state machine that walks through a plan (operation-plan.h), step by
 * step, across slow guests, lost connections and what other people do to the domain.
 *
 * Pure: calls to the hypervisor, refreshing the domain and the timer are effects; their results,
 * the domain's changes and the time (monotonic, µs) go in. An Operation belongs to the loop.
 *
 * A call that may have reached the hypervisor is never repeated: the domain is refreshed on the
 * next connection, and the operation decides by what it is then.
 */

#include "error.h"
#include "observation.h"
#include "operation-spec.h"
#include "verb.h"

typedef enum {
    RESULT_DONE,
    RESULT_FAILED,
    RESULT_TIMEOUT,
    RESULT_CANCELED,
    _RESULT_MAX,
} OperationResult;

typedef enum {
    /* The guest restarted, and its id stays (VIR_DOMAIN_EVENT_ID_REBOOT). */
    OPERATION_EVENT_REBOOTED,
    /* The guest goes on elsewhere (VIR_DOMAIN_EVENT_STOPPED_MIGRATED). */
    OPERATION_EVENT_MIGRATED,
} OperationEvent;

typedef struct {
    /*
     * Make this call; ends in operation_call_done() with the same serial. A request to the guest
     * may come while an earlier one hangs, and must not wait for that. A call that is refused
     * before it reaches the hypervisor (a full queue) is OUTCOME_UNSENT.
     */
    void (*call)(void *userdata, DomainVerb verb, unsigned serial);
    /* Read what the domain is now, on the next connection if there is none. */
    void (*refresh)(void *userdata);
    /* Find out the outcome of the long call; ends in operation_probed() with the same serial. */
    void (*probe)(void *userdata, unsigned serial);
    /*
     * Have the hypervisor give up the long call, and tell operation_aborted() when it has agreed.
     * True where the call was never sent and will not be: then it is over.
     */
    bool (*abort)(void *userdata);
    /* Call operation_elapsed() at `when`; UINT64_MAX disarms. */
    void (*arm)(void *userdata, uint64_t when);
    /*
     * It is over; told once, and the last effect. The error is NULL for RESULT_DONE. `forced`: a
     * Stop cut the power of a guest that did not shut down. The operation must not be freed in
     * here.
     */
    void (*finished)(void *userdata, OperationResult result, const Error *error, bool forced);
} OperationEffects;

typedef struct Operation Operation;

const char *operation_result_name(OperationResult result);

Operation *operation_new(const OperationSpec *spec, const char *domain_name,
                         const OperationEffects *effects, void *userdata);
void operation_free(Operation *op);

const OperationSpec *operation_spec(const Operation *op);
/* Whether a second request joins this one: the same operation with the same arguments. */
bool operation_is_same(const Operation *op, const OperationSpec *spec);

/* Start it in the state that operation_check() accepted. */
void operation_begin(Operation *op, uint64_t now, const Observation *seen);
/*
 * In place of operation_begin(): the hypervisor carries out the long call already, which an earlier
 * process or somebody else has made.
 */
void operation_follow(Operation *op, uint64_t now, const Observation *seen);
void operation_call_done(Operation *op, uint64_t now, unsigned serial, CallOutcome outcome,
                         const Error *error);
void operation_observe(Operation *op, uint64_t now, const Observation *seen);
void operation_event(Operation *op, uint64_t now, OperationEvent event);
void operation_probed(Operation *op, uint64_t now, unsigned serial, ProbeAnswer answer);
void operation_aborted(Operation *op);
void operation_elapsed(Operation *op, uint64_t now);
/* The connection was lost or made; without one nothing is called. */
void operation_connection(Operation *op, uint64_t now, bool connected);

/*
 * NULL if it is, or will be, canceled; else why it cannot be any more. A long call is asked to end,
 * and may still be faster.
 */
Error *operation_cancel(Operation *op, uint64_t now);
/* End it at once as canceled, whatever is under way; `why` says that it had to be. */
void operation_abort(Operation *op, const char *why);
/* ForceStop takes over: ends as canceled, or as failed with libvirt's words for a call under way.
 */
void operation_overtake(Operation *op, uint64_t now);
