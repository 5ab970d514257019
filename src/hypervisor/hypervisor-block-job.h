/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Jobs of a disk, which QEMU carries out by itself while the guest runs. A disk is named by its
 * target. On a lane, like all of hypervisor.h.
 */

#include "hypervisor.h"

#include <stdint.h>

typedef enum {
    BLOCK_JOB_NONE,
    BLOCK_JOB_COMMIT,        /* of a layer below the top: it ends by itself */
    BLOCK_JOB_ACTIVE_COMMIT, /* of the top layer: ready at some time, then somebody has to pivot */
    BLOCK_JOB_PULL,
    BLOCK_JOB_COPY, /* ready at some time, then somebody has to end it or to pivot */
    BLOCK_JOB_OTHER,
} BlockJobType;

/* The news in an event about a job. */
typedef enum {
    BLOCK_JOB_COMPLETED,
    BLOCK_JOB_FAILED,
    BLOCK_JOB_CANCELED,
    BLOCK_JOB_READY,
} BlockJobEvent;

typedef struct {
    BlockJobType type;
    double progress; /* 0 to 1; -1 where libvirt does not know yet */
    bool ready;      /* all is copied, and what is written goes to both places */
} BlockJobInfo;

/* The job that is under way; BLOCK_JOB_NONE where there is none. Opens no image. */
bool hypervisor_get_block_job(Hypervisor *h, const char *uuid, const char *target,
                              BlockJobInfo *ret, Error **error);

/*
 * The files of a disk that runs, from the one that is written to to the last backing file, as
 * libvirt names them; NULL-terminated, for g_strfreev(). It tells afterwards the outcome of a job
 * whose end nobody saw.
 */
char **hypervisor_read_disk_chain(Hypervisor *h, const char *uuid, const char *target,
                                  Error **error);

/* Changes. */

typedef struct {
    const char *base;        /* NULL: Commit merges one layer, Pull merges all */
    const char *top;         /* Commit; NULL: the layer that is written to */
    bool delete_merged;      /* Commit: the layers that are not needed any more */
    const char *destination; /* Copy: a path */
    const char *format;      /* Copy; NULL: as the disk's */
    uint64_t bandwidth;      /* bytes/s; 0: as fast as it goes */
} BlockJobArgs;

/* Begin a job: BLOCK_JOB_COMMIT (of whichever layer), BLOCK_JOB_PULL or BLOCK_JOB_COPY. */
bool hypervisor_start_block_job(Hypervisor *h, const char *uuid, const char *target,
                                BlockJobType type, const BlockJobArgs *args, Error **error);

/*
 * End a job: give it up, or, if it is ready, keep the copy as it is now; the event that it is over
 * is BLOCK_JOB_CANCELED in both cases. With `pivot`, which needs a job that is ready, the guest
 * goes over to the copy or to what was committed to, and the event is BLOCK_JOB_COMPLETED. This
 * only asks for it.
 */
bool hypervisor_end_block_job(Hypervisor *h, const char *uuid, const char *target, bool pivot,
                              Error **error);
