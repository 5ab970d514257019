/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Snapshots of domains, as they are read. On a lane, like all of hypervisor.h. Creating, reverting
 * and deleting are long calls: hypervisor-job.h.
 */

#include "hypervisor.h"

#include <stdint.h>

typedef struct {
    char *name;
    int64_t created; /* s since the epoch */
    char *state;     /* the domain's, in it */
    bool current;
} SnapshotInfo;

/* SnapshotInfo, oldest first. */
GPtrArray *hypervisor_list_snapshots(Hypervisor *h, const char *uuid, Error **error);
/* Without secrets. */
char *hypervisor_get_snapshot_xml(Hypervisor *h, const char *uuid, const char *name, Error **error);
