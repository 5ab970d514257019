/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A domain's disks. On a lane, like all of hypervisor.h.
 */

#include "domain.h"
#include "hypervisor.h"

/*
 * What QEMU says of the disks that it has open: target -> uint64_t *, in bytes. It waits for those
 * who are busy with the domain (whoever attaches a disk is), and for a QEMU that does not answer;
 * no storage is touched. The state is that of the same moment, after the wait.
 */
GHashTable *hypervisor_disk_capacities(Hypervisor *h, const char *uuid, DomainState *ret_state,
                                       Error **error);
