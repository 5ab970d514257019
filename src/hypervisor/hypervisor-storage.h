/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A domain's disks. On a lane, like all of hypervisor.h.
 */

#include "domain.h"
#include "hypervisor.h"

/*
 * The capacities of the disks that QEMU has open: target -> uint64_t *, in bytes. The call waits
 * while something else is done with the domain (a disk is attached, say), and for a QEMU that does
 * not answer.
 * The state is that of the same moment, after the wait.
 *
 * libvirt opens an image itself where QEMU does not tell how much of it is allocated.
 * `*ret_allocated` (may be NULL) are the targets for which QEMU tells that: as long as such a disk
 * is of the type "file", libvirt answers for its figures without opening it.
 */
GHashTable *hypervisor_disk_capacities(Hypervisor *h, const char *uuid, DomainState *ret_state,
                                       GHashTable **ret_allocated, Error **error);

/*
 * The target of the running domain's disk with this alias, as events name it; NULL, and no error,
 * where there is none.
 */
bool hypervisor_find_disk(Hypervisor *h, const char *uuid, const char *alias, char **ret_target,
                          Error **error);

/* Changes. */

/*
 * Make a disk larger. ERROR_INVALID_ARGS where it is larger already. Of a domain that is off only a
 * disk that is a volume of an active pool.
 */
bool hypervisor_resize_disk(Hypervisor *h, const char *uuid, const char *target, uint64_t bytes,
                            Error **error);
