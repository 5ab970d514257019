/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * libvirt's XML of a snapshot, read and written. Pure; any thread.
 */

#include "rows.h"

/* The parameters of a new snapshot; NULL where nothing is asked for. */
typedef struct {
    const char *name;
    const char *description;
    const char *memory_file;          /* the memory goes there, outside the disks */
    const char *const *skipped_disks; /* targets of those that are not part of it */
} SnapshotSpec;

/* The XML of a new snapshot, which is the caller's. */
char *snapshot_xml_new(const SnapshotSpec *spec);

/*
 * When it was taken, in µs since the epoch, and, into `row`, "parent", "description", "state",
 * "created", "external" and "memory". False, and nothing is added, where `xml` is no snapshot.
 */
bool snapshot_xml_read(const char *xml, uint64_t *ret_created, RowBuilder *row);
