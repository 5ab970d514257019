/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A job of a disk as the hypervisor tells of it. QEMU carries it out by itself while the guest
 * runs; there is at most one for each disk.
 */

#include <stdbool.h>

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
