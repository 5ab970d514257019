/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Finds the block jobs that are under way, whoever began them: libvirt has no event for their
 * begin. Only a domain that runs and has a disk with layers, or one that is being copied, is asked.
 * Belongs to the loop.
 */

#include "cache.h"
#include "hypervisor-block-job.h"
#include "lane-pool.h"

typedef struct BlockJobFinder BlockJobFinder;

/* `found` is told of a job each time that it is found; what it takes of it is moved out. */
BlockJobFinder *block_job_finder_new(LanePool *lane_pool, Cache *cache,
                                     void (*found)(void *userdata, Domain *domain,
                                                   FoundBlockJob *job),
                                     void *userdata);
/* No call may be left. */
void block_job_finder_free(BlockJobFinder *finder);

/* The XML of this domain was read. */
void block_job_finder_search(BlockJobFinder *finder, const Domain *domain);
/* A job of this domain has ended: what is being found is out of date, and found again. */
void block_job_finder_outdate(BlockJobFinder *finder, const char *uuid);
