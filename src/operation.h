/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What is done to a domain, step by step: the table of operations by state, and the machine that
 * walks through it across slow guests, lost connections and other people's doings.
 *
 * Pure: calls to the hypervisor, looks at the domain and the timer are effects; their results, the
 * domain's changes and the time (monotonic, µs) go in. An Operation belongs to the loop.
 *
 * A call that may have reached the hypervisor is never repeated: the operation looks at the domain
 * on the next connection and decides by what it sees.
 */

#include "domain.h"
#include "errors.h"

#define OPERATION_NO_TIMEOUT UINT64_MAX

typedef enum {
    OPERATION_START,
    OPERATION_STOP,
    OPERATION_PAUSE,
    OPERATION_RESUME,
    OPERATION_FORCE_STOP,
    OPERATION_REBOOT,
    OPERATION_RESET,
    _OPERATION_LIFECYCLE_MAX,
    /* One long call each, with progress. */
    OPERATION_SAVE = _OPERATION_LIFECYCLE_MAX,
    OPERATION_CREATE_SNAPSHOT,
    OPERATION_REVERT_SNAPSHOT,
    OPERATION_DELETE_SNAPSHOT,
    OPERATION_MIGRATE,
    _OPERATION_MAX,
} OperationKind;

/* One call to the hypervisor. */
typedef enum {
    VERB_CREATE,
    VERB_CREATE_PAUSED,
    VERB_RESUME,
    VERB_WAKEUP,
    VERB_SUSPEND,
    VERB_SHUTDOWN, /* asks the guest */
    VERB_DESTROY,
    VERB_REBOOT, /* asks the guest; the hypervisor starts it again in place */
    VERB_RESET,
    VERB_SAVE, /* this one and what follows: as the payload says */
    VERB_CREATE_SNAPSHOT,
    VERB_REVERT_SNAPSHOT,
    VERB_DELETE_SNAPSHOT,
    VERB_MIGRATE,
    _VERB_MAX,
} DomainVerb;

typedef enum {
    PAYLOAD_BYPASS_CACHE = 1 << 0,        /* Save */
    PAYLOAD_PAUSED = 1 << 1,              /* Save, Revert */
    PAYLOAD_RUNNING = 1 << 2,             /* Revert */
    PAYLOAD_DISK_ONLY = 1 << 3,           /* Create */
    PAYLOAD_CHILDREN = 1 << 4,            /* Delete */
    PAYLOAD_METADATA_ONLY = 1 << 5,       /* Delete */
    PAYLOAD_LIVE = 1 << 6,                /* Migrate, and what follows */
    PAYLOAD_PERSIST_DESTINATION = 1 << 7, /* also what makes it possible while the domain is off */
    PAYLOAD_UNDEFINE_SOURCE = 1 << 8,
} PayloadFlags;

/*
 * The arguments of a long call. It does not change once it is made, and is shared by its reference
 * count, also between threads.
 */
typedef struct {
    char *name;   /* of the snapshot; or the URI of the destination */
    bool made_up; /* the name, by us: whoever asks for any means this one, too */
    char *description;
    PayloadFlags flags;
    uint64_t bandwidth; /* MiB/s; 0: as the hypervisor sees fit */
} OperationPayload;

/* A copy of `from`. */
OperationPayload *operation_payload_new(const OperationPayload *from);
OperationPayload *operation_payload_ref(const OperationPayload *payload);
void operation_payload_unref(OperationPayload *payload);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OperationPayload, operation_payload_unref)

typedef struct {
    OperationKind kind;
    uint64_t timeout;                /* µs from the start; OPERATION_NO_TIMEOUT waits for ever */
    bool timeout_given;              /* by the caller: then it bounds the whole operation */
    bool force;                      /* Stop: force when time is up */
    bool paused;                     /* Start: leave it paused */
    bool reboot_in_call;             /* the driver's reboot is over when the call returns */
    const OperationPayload *payload; /* of a long call; else NULL */
} OperationSpec;

typedef enum {
    RESULT_DONE,
    RESULT_FAILED,
    RESULT_TIMEOUT,
    RESULT_CANCELED,
    _RESULT_MAX,
} OperationResult;

typedef enum {
    OUTCOME_OK,
    OUTCOME_FAILED, /* the hypervisor said no */
    OUTCOME_LOST,   /* the connection went while it was under way: nobody knows */
    OUTCOME_UNSENT, /* it cannot have reached the hypervisor */
} CallOutcome;

/* What became of a long call whose connection went. */
typedef enum {
    PROBE_CARRIED_OUT,
    PROBE_NOT_CARRIED_OUT, /* or nobody can tell */
    PROBE_UNDER_WAY,
    PROBE_UNANSWERED,
} ProbeAnswer;

/* The domain as it is seen now. */
typedef struct {
    DomainState state;
    int id;
    bool gone;        /* no such domain any more */
    bool starting_up; /* half way: a hypervisor that was killed there may leave it so for good */
    bool settled;     /* nothing of it is stale: all that was asked for by look() is in */
} Observation;

typedef enum {
    OPERATION_EVENT_REBOOTED,
} OperationEvent;

typedef struct {
    /* Make this call; ends in operation_call_done() with the same serial. */
    void (*call)(void *userdata, DomainVerb verb, unsigned serial);
    /* See what the domain is now, on the next connection if there is none. */
    void (*look)(void *userdata);
    /* See what became of the long call; ends in operation_probed() with the same serial. */
    void (*probe)(void *userdata, unsigned serial);
    /*
     * Have the hypervisor give up the long call, and tell operation_aborted() when it has agreed.
     * True where the call was never sent and will not be: then it is over.
     */
    bool (*abort)(void *userdata);
    /* Call operation_elapsed() at `when`; UINT64_MAX disarms. */
    void (*arm)(void *userdata, uint64_t when);
    /*
     * It is over; told once, and the last effect. The error is NULL for RESULT_DONE. The operation
     * must not be freed in here.
     */
    void (*finished)(void *userdata, OperationResult result, const Error *error);
} OperationEffects;

typedef struct Operation Operation;

/* The name of the operation on the bus and in messages ("force-stop" is "ForceStop"). */
const char *operation_name(OperationKind kind);
const char *operation_result_name(OperationResult result);

/* NULL, or why `spec` cannot be done to a domain in this state (InvalidState). */
Error *operation_check(const OperationSpec *spec, DomainState state, bool persistent,
                       const char *domain_name);

Operation *operation_new(const OperationSpec *spec, const char *domain_name,
                         const OperationEffects *effects, void *userdata);
void operation_free(Operation *op);

const OperationSpec *operation_spec(const Operation *op);
/* Whether a second request joins this one: the same operation with the same arguments. */
bool operation_is_same(const Operation *op, const OperationSpec *spec);

/* Start it in the state that operation_check() accepted. */
void operation_begin(Operation *op, uint64_t now, DomainState state, int id, bool persistent);
void operation_call_done(Operation *op, uint64_t now, unsigned serial, CallOutcome outcome,
                         const Error *error);
void operation_observe(Operation *op, uint64_t now, const Observation *seen);
void operation_event(Operation *op, uint64_t now, OperationEvent event);
void operation_probed(Operation *op, uint64_t now, unsigned serial, ProbeAnswer answer);
void operation_aborted(Operation *op);
void operation_elapsed(Operation *op, uint64_t now);
/* The connection went or came; while it is away nothing is called. */
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
