/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Finds the block jobs that are under way, whoever began them: libvirt sends no event when one
 * begins. Only domains that run and have a disk with layers, or one that is being copied, are
 * asked. Belongs to the loop.
 */

#include "cache.h"
#include "hypervisor-block-job.h"
#include "lane-pool.h"

typedef struct BlockJobFinder BlockJobFinder;

/* `found` is called for each job, possibly again for one that it was called for before; it may move
 * out of the job what it keeps. */
BlockJobFinder *block_job_finder_new(LanePool *lane_pool, Cache *cache,
                                     void (*found)(void *userdata, Domain *domain,
                                                   FoundBlockJob *job),
                                     void *userdata);
/* No call may be left. */
void block_job_finder_free(BlockJobFinder *finder);

/* The XML of this domain was read. */
void block_job_finder_search(BlockJobFinder *finder, const Domain *domain);
/* A job of this domain has ended: an answer that is under way is out of date, and the question is
 * repeated. */
void block_job_finder_outdate(BlockJobFinder *finder, const char *uuid);
