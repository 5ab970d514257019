/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The capacities of disks: asked for in the background, one domain after the other, whenever the
 * XML of one that runs was read. Nobody waits for them. A QEMU that does not answer keeps one of
 * two places until it does, or the connection ends: one holds up no other, two hold up the
 * capacities of all. What is shut off is left alone: libvirt would open its images, and disks spin
 * up.
 *
 * It is also how we notice the end of a guest to which a libvirtd that was just started has not got
 * through yet: libvirt sends no event for it, but its answer comes then.
 *
 * Belongs to the loop.
 */

typedef struct Manager Manager;
typedef struct Domain Domain;
typedef struct DiskSizes DiskSizes;

DiskSizes *disk_sizes_new(Manager *m);
/* No call may be left. */
void disk_sizes_free(DiskSizes *capacities);

/* The XML of this domain was read. */
void disk_sizes_want(DiskSizes *capacities, const Domain *domain);
