/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Finds the long calls that libvirt carries out for domains and that no job of this process has
 * made: those of a service that was restarted meanwhile, and of others. libvirt sends no event when
 * one begins; so each connection begins with a question for each domain that runs.
 *
 * Belongs to the loop.
 */

#include "cache.h"
#include "hypervisor-job.h"
#include "lane-pool.h"

typedef struct JobFinder JobFinder;

/* `found` is called for each of them, possibly again for one that it was called for before. */
JobFinder *job_finder_new(LanePool *lane_pool, Cache *cache,
                          void (*found)(void *userdata, Domain *domain, const FoundJob *job),
                          void *userdata);
/* No call may be left. */
void job_finder_free(JobFinder *finder);

void job_finder_search(JobFinder *finder, const Domain *domain);
/* The answer about this domain is out of date: this process works on it. */
void job_finder_outdate(JobFinder *finder, const char *uuid);
