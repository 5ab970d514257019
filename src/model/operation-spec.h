/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * An operation as a client asks for it: its kind and its arguments. Pure; for any thread.
 */

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

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

typedef enum {
    PAYLOAD_BYPASS_CACHE = 1 << 0,        /* Save */
    PAYLOAD_PAUSED = 1 << 1,              /* Save, Revert */
    PAYLOAD_RUNNING = 1 << 2,             /* Revert */
    PAYLOAD_DISK_ONLY = 1 << 3,           /* Create */
    PAYLOAD_CHILDREN = 1 << 4,            /* Delete */
    PAYLOAD_METADATA_ONLY = 1 << 5,       /* Delete */
    PAYLOAD_LIVE = 1 << 6,                /* Migrate, as the next three */
    PAYLOAD_PERSIST_DESTINATION = 1 << 7, /* needed while the domain is off */
    PAYLOAD_UNDEFINE_SOURCE = 1 << 8,
    PAYLOAD_COPY_STORAGE = 1 << 9,
    PAYLOAD_QUIESCE = 1 << 10, /* Create */
    PAYLOAD_FORCE = 1 << 11,   /* Revert */
} PayloadFlags;

/*
 * The arguments of a long call. It does not change once it is made, and is shared by its reference
 * count, also between threads.
 */
typedef struct {
    char *name;     /* of the snapshot; or the URI of the destination */
    bool generated; /* we chose the name: all who leave the choice to us mean the same snapshot */
    char *description;
    char *memory_file; /* of an external snapshot with the memory in it; NULL: none */
    char **disks;      /* the targets that a snapshot is of; NULL: all */
    PayloadFlags flags;
    uint64_t bandwidth; /* MiB/s; 0: as the hypervisor sees fit */
} OperationPayload;

/* A copy of `from`. NULL passes through ref and unref. */
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

/* Whether one joins the other: the same operation with the same arguments. */
bool operation_spec_is_same(const OperationSpec *a, const OperationSpec *b);

/* The name of the operation on the bus and in messages ("force-stop" is "ForceStop"). */
const char *operation_name(OperationKind kind);
