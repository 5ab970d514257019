/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The laws of the jobs of disks: one for each disk; each ends, and as what the disk shows; nothing
 * that may have been carried out is asked for again; a job that others have begun is ended for a
 * client alone.
 */

#include "core.h"
#include "disks.h"

void disk_checks_begin(const Core *core);

/* As JobListener; false: it is no job of a disk. */
bool disk_checks_job_added(const JobObject *job);
bool disk_checks_job_removed(const JobObject *job, OperationResult result, const Error *error);
void disk_checks_progress(const JobObject *job);
/* A client asks for it with these arguments, and has begun or joined it. */
void disk_checks_asked(const JobObject *job, const DiskOperationSpec *spec);
/* A client tries to cancel it, before and after; false: it is no job of a disk. */
bool disk_checks_cancel(uint64_t number);
bool disk_checks_canceled(uint64_t number, bool agreed);

/* The core makes a call; it is told how that ended; nobody works on it any more. */
void disk_checks_call_submitted(const Call *call);
void disk_checks_call_told(const Call *call, CallOutcome outcome);
void disk_checks_call_gone(const Call *call);

/* libvirt carries out a call that begins something: the number of the job whose call it is. */
uint64_t disk_checks_started(const Call *call);
/* libvirt ends QEMU's job of this number, 0 for one of others; `completes`: all was copied. */
void disk_checks_ends(const Call *call, uint64_t number, bool completes);
/* Whether the call's own job has ended: its connection was lost, and libvirt went on with it. */
bool disk_checks_is_late(const Call *call);
void disk_checks_ended_by_others(uint64_t number);
/* QEMU's job is over. */
void disk_checks_effect(uint64_t number, DiskEffect effect);
/* Whether it has not ended yet. */
bool disk_checks_is_under_way(uint64_t number);

/* Whether a client's job of this disk has not ended yet. */
bool disk_checks_is_occupied(const SimDomain *guest);

/* Once nothing goes on any more. */
void disk_checks_at_rest(void);
