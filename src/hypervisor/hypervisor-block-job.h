/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Jobs of a disk, which QEMU carries out by itself while the guest runs. They are named by the
 * disk's target. On a lane, like all of hypervisor.h.
 */

#include "hypervisor.h"

#include <stdint.h>

typedef enum {
    BLOCK_JOB_NONE,
    BLOCK_JOB_COMMIT,        /* of a layer below the top: it ends by itself */
    BLOCK_JOB_ACTIVE_COMMIT, /* of the top layer: ready at some time, then somebody has to pivot */
    BLOCK_JOB_PULL,
    BLOCK_JOB_COPY, /* ready at some time, then somebody has to end it */
    BLOCK_JOB_OTHER,
} BlockJobType;

typedef enum {
    BLOCK_JOB_COMPLETED,
    BLOCK_JOB_FAILED,
    BLOCK_JOB_CANCELED,
    BLOCK_JOB_READY,
} BlockJobEvent;
