/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The jobs of disks: the operations on a disk that clients ask for, and the block jobs that others
 * have begun, or an earlier process of the service. Each occupies its disk and not the domain:
 * operations of the domain go on beside it. What it is doing is decided by a DiskOperation.
 *
 * Belongs to the loop.
 */

#include "cache.h"
#include "disk-operation.h"
#include "disk-sizes.h"
#include "hypervisor-events.h"
#include "job-object.h"
#include "refresher.h"

struct sd_event;

typedef struct StorageJobs StorageJobs;

/* The parts of the core that they work on, which outlive them. */
typedef struct {
    struct sd_event *event;
    LanePool *lane_pool;
    Cache *cache;
    Refresher *refresher;
    DiskSizes *disk_sizes;
    JobObjects *objects;
} StorageJobParts;

StorageJobs *storage_jobs_new(const StorageJobParts *parts);
/* No call may be left. */
void storage_jobs_free(StorageJobs *jobs);

/* Whether the domain has a disk with this target, as far as is known. */
bool storage_jobs_has_disk(const Domain *domain, const char *target);
/*
 * Begin an operation on a disk, which storage_jobs_has_disk(), or join the same one. NULL: the
 * error is InvalidState, Busy or, of a Resize, InvalidArgs.
 */
JobObject *storage_job_begin(StorageJobs *jobs, Domain *domain, const char *target,
                             const DiskOperationSpec *spec, const JobCaller *caller, Error **error);
/* The job that occupies the disk, or NULL. */
JobObject *storage_jobs_find(const StorageJobs *jobs, const char *uuid, const char *target);

/* The domain has just been added, or its XML was read: its disks tell their jobs. */
void storage_jobs_mark_disks(StorageJobs *jobs, Domain *domain);
/* The XML of the domain was read: find the jobs of others. */
void storage_jobs_search(StorageJobs *jobs, const Domain *domain);
/* News of a domain was applied, or it is gone. */
void storage_jobs_domain_changed(StorageJobs *jobs, const char *uuid);
/* EVENT_BLOCK_JOB. */
void storage_jobs_event(StorageJobs *jobs, const HypervisorEvent *event);
void storage_jobs_connection(StorageJobs *jobs, bool connected);
/* End all: the service stops. What QEMU is doing goes on. */
void storage_jobs_stop(StorageJobs *jobs);
