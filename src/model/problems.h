/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The problems that a domain has now: at most one problem of a kind and device, oldest first. Pure;
 * belongs to whoever owns the domain.
 */

#include "rows.h"

typedef enum {
    PROBLEM_IO_ERROR,
    PROBLEM_NO_SPACE,
    PROBLEM_WATCHDOG,
    PROBLEM_PANICKED,
    PROBLEM_MEMORY_FAILURE,
    PROBLEM_CONTROL_ERROR, /* libvirt cannot control the hypervisor's process */
    PROBLEM_UNRESPONSIVE,  /* libvirt does not answer for this domain */
    _PROBLEM_KIND_MAX,
} ProblemKind;

/* The occasions on which problems go. */
typedef enum {
    PROBLEMS_END_RESUMED, /* the guest runs on; errors that it was told of stay */
    PROBLEMS_END_RESET,   /* the guest starts afresh */
    PROBLEMS_END_OFF,     /* there is no guest any more */
} ProblemsEnd;

typedef struct {
    ProblemKind kind;
    bool reported; /* the guest was told of it and runs on: resuming the guest does not end it */
    const char *device;  /* the disk's target, or "" */
    const char *message; /* fit for D-Bus */
    uint64_t since;      /* µs since the epoch */
} Problem;

/* A list is a GPtrArray, and NULL while it is empty. */
/* Copies the texts. False, and nothing changes, where there is one of its kind and device. */
bool problems_add(GPtrArray **problems, const Problem *problem);
/* A problem of the kind: that of the device, or every one if it is NULL. False if there was none.
 */
bool problems_remove(GPtrArray **problems, ProblemKind kind, const char *device);
bool problems_end(GPtrArray **problems, ProblemsEnd end);
/* Remove those of devices that are none of these rows' targets. */
bool problems_keep_devices(GPtrArray **problems, Rows disks);

/* Rows: kind, device, message, since. */
void problems_write(const GPtrArray *problems, RowBuilder *rows);
