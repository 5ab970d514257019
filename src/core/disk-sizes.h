/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The capacities of disks: read in the background, one domain after the other, whenever the XML of
 * one that runs was read. Nobody waits for them. A QEMU that does not answer keeps one of two
 * places until it does, or the connection ends: one delays no other, two delay the capacities of
 * all. A domain that is off is left alone: libvirt would open its images, and disks would spin up.
 *
 * The read also tells the end of a guest that a restarted libvirtd has not reached again yet, for
 * which libvirt sends no event. Belongs to the loop.
 */

#include "cache.h"
#include "refresher.h"

typedef struct DiskSizes DiskSizes;

DiskSizes *disk_sizes_new(LanePool *lane_pool, Cache *cache, Refresher *refresher);
/* No call may be left. */
void disk_sizes_free(DiskSizes *sizes);

/* The XML of this domain was read. */
void disk_sizes_want(DiskSizes *sizes, const Domain *domain);
