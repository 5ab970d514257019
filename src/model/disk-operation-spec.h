/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * An operation on a disk as a client asks for it: its kind and its arguments. Pure; for any thread.
 */

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum {
    DISK_RESIZE,
    DISK_COMMIT,
    DISK_PULL,
    DISK_COPY,
    _DISK_OPERATION_MAX,
} DiskOperationKind;

/* It does not change once it is made, and is shared by its reference count, also between threads.
 */
typedef struct {
    DiskOperationKind kind;
    uint64_t bytes;     /* Resize */
    char *base;         /* NULL: Commit merges one layer, Pull merges all */
    char *top;          /* Commit; NULL: the layer that is written to */
    int delete_merged;  /* a boolean, Commit: the layers that are not needed any more */
    char *destination;  /* Copy: a path */
    char *format;       /* Copy; NULL: as the disk's */
    int pivot;          /* a boolean, Copy: the guest goes over to it */
    uint64_t bandwidth; /* bytes/s; 0: as fast as it goes */
} DiskOperationSpec;

/* A copy of `from`. */
DiskOperationSpec *disk_operation_spec_new(const DiskOperationSpec *from);
/* NULL passes through both. */
DiskOperationSpec *disk_operation_spec_ref(const DiskOperationSpec *spec);
void disk_operation_spec_unref(DiskOperationSpec *spec);

/* Whether one joins the other: the same operation with the same arguments. */
bool disk_operation_spec_is_same(const DiskOperationSpec *a, const DiskOperationSpec *b);

/* The name of the operation on the bus and in messages. */
const char *disk_operation_name(DiskOperationKind kind);
