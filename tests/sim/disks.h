/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The disk that a guest has in some schedules, and QEMU, which works on it: this file defines the
 * hypervisor_*() functions of the jobs of disks. QEMU's job goes on without a daemon, and people
 * who use virsh begin and end jobs, too.
 */

#include "block-job.h"
#include "domain.h"
#include "guests.h"

#define DISK_TARGET "vda"

/* How a job of QEMU's ended. */
typedef enum {
    DISK_EFFECT_NONE,     /* it did not end, or never began */
    DISK_EFFECT_DONE,     /* the disk is what the job makes of it */
    DISK_EFFECT_KEPT,     /* all was copied, and the disk is as before */
    DISK_EFFECT_GIVEN_UP, /* by someone who asked for it */
    DISK_EFFECT_FAILED,   /* by itself, or with the guest */
} DiskEffect;

void disks_begin(bool there);

bool disk_exists(const SimDomain *guest);
/* The image that the guest writes to; static until the next call. */
const char *disk_source(const SimDomain *guest);
/* The image at this depth; NULL: there is none. */
const char *disk_layer(const SimDomain *guest, unsigned depth);
uint64_t disk_capacity(const SimDomain *guest);
/* The disk as the domain's XML has it. */
void disk_describe(const SimDomain *guest, DomainConfig *config);

/* Its process is gone. */
void disk_guest_ended(SimDomain *guest);
/* Somebody uses virsh. */
void disk_meddle(SimDomain *guest);
/* From now on each job ends that the service does not end. */
void disks_heal(void);
