/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * An operation on a disk: the state machine of a Resize, which is one call, and of a Commit, Pull
 * or Copy, which QEMU carries out as a block job while the guest runs.
 *
 * A block job is started, followed by events and by a poll now and then, and asked to end where it
 * does not end by itself. If its end was missed because nobody was connected, the layers that the
 * disk has afterwards tell what became of it. A job that somebody else has begun is followed in the
 * same way and is not ended, unless a client cancels it.
 *
 * Pure: calls and the timer are effects; their results, events and the time (monotonic, µs) go in.
 * One call is under way at a time. Belongs to the loop.
 */

#include "block-job.h"
#include "disk-chain.h"
#include "disk-operation-spec.h"
#include "operation.h"

typedef enum {
    DISK_CALL_NONE,
    DISK_CALL_READ_CHAIN,
    DISK_CALL_READ_CAPACITY,
    DISK_CALL_RESIZE,
    DISK_CALL_START, /* the block job */
    DISK_CALL_POLL,
    DISK_CALL_KEEP,    /* end the job: the copy stays as it is now */
    DISK_CALL_PIVOT,   /* end the job: the guest goes over to the other image */
    DISK_CALL_GIVE_UP, /* end the job as if it had never begun */
} DiskCallKind;

/* The result of a call, as far as it has one. */
typedef struct {
    DiskChain chain;   /* READ_CHAIN */
    uint64_t capacity; /* READ_CAPACITY */
    BlockJobInfo info; /* POLL */
} DiskAnswer;

typedef struct {
    /* Ends in disk_operation_call_done(), later. `type` is that of the job to START. */
    void (*call)(void *userdata, DiskCallKind kind, BlockJobType type);
    /* True if the call under way was not sent yet, and will not be: then it is over. */
    bool (*withdraw)(void *userdata);
    /* Call disk_operation_elapsed() at `when`; UINT64_MAX disarms. */
    void (*arm)(void *userdata, uint64_t when);
    /* 0 to 1, at most twice a second. */
    void (*progressed)(void *userdata, double progress);
    /* The hypervisor does not give the job up, which goes on. */
    void (*refused)(void *userdata, const Error *error);
    /* It is over; told once, and the last effect. The result of a call under way is not wanted any
     * more. The error is NULL for RESULT_DONE. The operation must not be freed in here. */
    void (*finished)(void *userdata, OperationResult result, const Error *error);
} DiskOperationEffects;

typedef struct DiskOperation DiskOperation;

/* `what` is its name for messages: "Copy of vda of "web"". The spec is NULL for somebody else's. */
DiskOperation *disk_operation_new(const DiskOperationSpec *spec, const char *what,
                                  const DiskOperationEffects *effects, void *userdata);
void disk_operation_free(DiskOperation *op);

/* NULL: somebody else began it. */
const DiskOperationSpec *disk_operation_spec(const DiskOperation *op);

/* Begin. There is a connection. */
void disk_operation_begin(DiskOperation *op, uint64_t now);
/* Follow the job of somebody else from here; the chain is moved out. */
void disk_operation_follow(DiskOperation *op, uint64_t now, const BlockJobInfo *info,
                           DiskChain *chain);

/* `answer` is looked at for OUTCOME_OK only; what is taken is moved out. */
void disk_operation_call_done(DiskOperation *op, uint64_t now, CallOutcome outcome,
                              DiskAnswer *answer, const Error *error);
void disk_operation_event(DiskOperation *op, uint64_t now, BlockJobEvent event);
void disk_operation_elapsed(DiskOperation *op, uint64_t now);
/* The connection went or came; events are missed in between. */
void disk_operation_connection(DiskOperation *op, uint64_t now, bool connected);
/* The domain is off, as was read over the present connection. */
void disk_operation_off(DiskOperation *op, uint64_t now);
/* There is no such domain any more. */
void disk_operation_gone(DiskOperation *op);

/* NULL if it is, or will be, canceled; else why it cannot be any more. */
Error *disk_operation_cancel(DiskOperation *op, uint64_t now);
/* Tell at once that it has ended here, whatever is under way. */
void disk_operation_abort(DiskOperation *op, const char *why);
