/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Jobs of a disk, which QEMU carries out by itself while the guest runs. A disk is named by its
 * target. On a lane, like all of hypervisor.h.
 */

#include "block-job.h"
#include "disk-chain.h"
#include "disk-operation-spec.h"
#include "hypervisor.h"

/* The job that is under way; BLOCK_JOB_NONE where there is none. Opens no image. */
bool hypervisor_get_block_job(Hypervisor *h, const char *uuid, const char *target,
                              BlockJobInfo *ret, Error **error);

/*
 * The layers that a disk has now, and whether a job works on it. They tell afterwards the outcome
 * of a job whose end nobody saw.
 */
bool hypervisor_read_disk_chain(Hypervisor *h, const char *uuid, const char *target, DiskChain *ret,
                                Error **error);

/* A job that is under way, whoever began it. */
typedef struct {
    char *target;
    BlockJobInfo info;
    DiskChain chain;
} FoundBlockJob;

void found_block_job_free(FoundBlockJob *found);

/* The jobs of all disks of a domain: FoundBlockJob. NULL with an error. Opens no image. */
GPtrArray *hypervisor_find_block_jobs(Hypervisor *h, const char *uuid, Error **error);

/* Changes. */

/*
 * Begin a job for a Commit (BLOCK_JOB_COMMIT or BLOCK_JOB_ACTIVE_COMMIT, by the layer that is
 * `top`), a Pull or a Copy.
 */
bool hypervisor_start_block_job(Hypervisor *h, const char *uuid, const char *target,
                                BlockJobType type, const DiskOperationSpec *spec, Error **error);

/*
 * End a job: give it up, or, if it is ready, keep the copy as it is now; the event that it is over
 * is BLOCK_JOB_CANCELED in both cases. With `pivot`, which needs a job that is ready, the guest
 * goes over to the copy or to what was committed to, and the event is BLOCK_JOB_COMPLETED. This
 * only asks for it.
 */
bool hypervisor_end_block_job(Hypervisor *h, const char *uuid, const char *target, bool pivot,
                              Error **error);
