/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The block figures of the domains that run and of which libvirt would open an image if they were
 * asked for with those of all domains: one domain at a time, by calls that open nothing.
 *
 * Those who ask at the same time share the calls. A domain that hangs is left out after a second,
 * one that waited beside it after another. Belongs to the loop.
 */

#include "disk-sizes.h"
#include "waiters.h"

typedef struct DiskStats DiskStats;

DiskStats *disk_stats_new(struct sd_event *event, LanePool *lane_pool, Cache *cache,
                          const DiskSizes *disk_sizes);
/* No call may be left. */
void disk_stats_free(DiskStats *stats);

/* Answers with a GPtrArray of StatsRecord, always with OUTCOME_OK, maybe before it returns. */
void disk_stats_ask(DiskStats *stats, Pending *pending, WaiterDone done, void *userdata);
/* The other domains: the set of their UUIDs, which own themselves. */
GHashTable *disk_stats_others(const DiskStats *stats);
