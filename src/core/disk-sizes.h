/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The capacities of disks: read in the background, once after a domain's start and after each
 * change of its disks, since libvirt may open an image to answer. Where it need not, they are read
 * again from time to time: others may resize a disk. A domain that is off is left alone.
 *
 * A read waits for the domain's process, and so finds out if the guest has ended while libvirtd was
 * restarted, for which libvirt sends no event. For that reason domains whose disks have not changed
 * are asked for their state in the same way after a reconnect. At most two calls are under way at a
 * time, besides those that hang. Belongs to the loop.
 */

#include "cache.h"
#include "refresher.h"

typedef struct DiskSizes DiskSizes;

DiskSizes *disk_sizes_new(LanePool *lane_pool, Cache *cache, Refresher *refresher);
/* No call may be left. */
void disk_sizes_free(DiskSizes *sizes);

/* The XML of this domain was read. */
void disk_sizes_want(DiskSizes *sizes, const Domain *domain);
/*
 * Read the capacities again if libvirt opens no image for that. Of a domain that libvirt has lost
 * control of, read the state alone.
 */
void disk_sizes_reread(DiskSizes *sizes, const Domain *domain);
/* A capacity has changed: an answer to a read that is under way may be from before that. */
void disk_sizes_outdate(DiskSizes *sizes, const char *uuid);
/* The domain is gone. */
void disk_sizes_forget(DiskSizes *sizes, const char *uuid);
void disk_sizes_connection_lost(DiskSizes *sizes);

/*
 * Whether libvirt answers for the figures of all disks of a domain that runs without opening an
 * image. False also where that is not known.
 */
bool disk_sizes_opens_none(const DiskSizes *sizes, const Domain *domain);
