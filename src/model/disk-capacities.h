/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The disks of a domain that QEMU has open, by their targets. */

#include "domain.h"

typedef struct {
    DomainState state; /* of the same moment */
    GHashTable *bytes; /* uint64_t *: the capacity */
    /*
     * The disks for which QEMU tells how much of the image is allocated; the value is not NULL
     * where that is all of it. As long as such a disk is of the type "file", libvirt answers for
     * its figures without opening the image.
     */
    GHashTable *allocated;
} DiskCapacities;

DiskCapacities *disk_capacities_new(DomainState state);
void disk_capacities_free(DiskCapacities *capacities);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DiskCapacities, disk_capacities_free)
