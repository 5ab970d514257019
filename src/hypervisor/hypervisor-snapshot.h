/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Snapshots of domains, as they are read. On a lane, like all of hypervisor.h. Creating, reverting
 * and deleting are long calls: hypervisor-job.h.
 */

#include "hypervisor.h"
#include "rows.h"

/*
 * Rows, oldest first: "name", "parent", "description", "state" (the domain's, in it), "created",
 * "current", "external" and "memory". NULL where there are none.
 */
bool hypervisor_list_snapshots(Hypervisor *h, const char *uuid, GBytes **ret, Error **error);
/* Without secrets. */
char *hypervisor_get_snapshot_xml(Hypervisor *h, const char *uuid, const char *name, Error **error);
