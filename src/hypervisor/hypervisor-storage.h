/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A domain's disks. On a lane, like all of hypervisor.h.
 */

#include "disk-capacities.h"
#include "hypervisor.h"

/*
 * The call waits while something else is done with the domain (a disk is attached, say), and for a
 * QEMU that does not answer. `allocated_before` is the set `allocated` of an earlier answer, or
 * NULL; libvirt opens no image if it has all disks of the domain.
 */
DiskCapacities *hypervisor_disk_capacities(Hypervisor *h, const char *uuid,
                                           GHashTable *allocated_before, Error **error);

/*
 * The target of the running domain's disk with this alias, as events name it; NULL, and no error,
 * where there is none.
 */
bool hypervisor_find_disk(Hypervisor *h, const char *uuid, const char *alias, char **ret_target,
                          Error **error);

/* An error of a disk for which the guest has been paused. */
typedef struct {
    char *target;
    bool no_space;
} DiskError;

/* virDomainGetDiskErrors(): DiskError; none where the driver does not know. A QEMU is asked. */
GPtrArray *hypervisor_disk_errors(Hypervisor *h, const char *uuid, Error **error);

/* The capacity of one disk. libvirt may open its image. */
bool hypervisor_get_capacity(Hypervisor *h, const char *uuid, const char *target, uint64_t *ret,
                             Error **error);

/* Changes. */

/*
 * Make a disk larger. ERROR_INVALID_ARGS where it is larger already. Of a domain that is off only a
 * disk that is a volume of an active pool. `is_active`: the domain, as far as is known.
 * `*ret_capacity` is what the disk has then, or 0.
 */
bool hypervisor_resize_disk(Hypervisor *h, const char *uuid, const char *target, uint64_t bytes,
                            bool is_active, uint64_t *ret_capacity, Error **error);
