/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The running operations: each walks through its steps with calls on lanes, a timer, and refreshes
 * of its domain. A domain has one at a time, besides one that ForceStop has overtaken. A long call
 * that libvirt carries out already when the connection is made is followed as an operation, too.
 *
 * Belongs to the loop.
 */

#include "cache.h"
#include "job-object.h"
#include "refresher.h"
#include "timer.h"

struct sd_event;

typedef struct Job Job;
typedef struct Jobs Jobs;
typedef struct JobProgress JobProgress;

struct Job {
    JobObject object; /* first: a Job is one */
    Jobs *jobs;
    Operation *operation;
    Timer *timer;
    GPtrArray *calls;          /* under way */
    JobProgress *job_progress; /* of a long operation, else NULL */
};

/* The parts of the core that jobs work on; they outlive them. */
typedef struct {
    struct sd_event *event;
    LanePool *lane_pool;
    Cache *cache;
    Refresher *refresher;
    JobObjects *objects;
} JobParts;

Jobs *jobs_new(const JobParts *parts);
void jobs_free(Jobs *jobs);

/* Begin the operation, or join the same one. NULL: the error is InvalidState or Busy. */
Job *job_begin(Jobs *jobs, Domain *domain, const OperationSpec *spec, const JobCaller *caller,
               Error **error);
/* The job that occupies the domain, or NULL. */
Job *jobs_find(const Jobs *jobs, const char *uuid);
/* The operation behind an object, or NULL where it is no operation. */
Job *job_of_object(JobObject *object);

/* News for the operations. */
void jobs_domain_changed(Jobs *jobs, const char *uuid);
void jobs_domain_rebooted(Jobs *jobs, const char *uuid);
void jobs_domain_migrated(Jobs *jobs, const char *uuid);
void jobs_connection(Jobs *jobs, bool connected);
/* End all: the service stops. */
void jobs_stop(Jobs *jobs);
