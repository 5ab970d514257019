/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The block figures of running domains for which libvirt's question about many domains would open
 * an image: they are asked for one domain at a time, by calls that open none.
 *
 * Those who ask at the same time share the calls. A domain that hangs is left out after a second;
 * one whose call had to wait for a lane meanwhile has another second. Belongs to the loop.
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
/* The other domains that run: the set of their UUIDs. */
GHashTable *disk_stats_others(const DiskStats *stats);
