/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The running operations: each walks through its steps with calls on lanes, a timer, and refreshes
 * of its domain, and answers those who wait for it. One at a time for each domain, except for one
 * that ForceStop has overtaken.
 *
 * Belongs to the loop. The table keeps a job until it has ended; a call under way holds a reference
 * of its own.
 */

#include "cache.h"
#include "operation.h"
#include "refresher.h"
#include "timer.h"

struct sd_event;

typedef struct Job Job;
typedef struct Jobs Jobs;
typedef struct JobProgress JobProgress;

/* The caller who asked for it, for the log. */
typedef struct {
    uid_t uid; /* (uid_t)-1: not known */
    const char *name;
} JobCaller;

struct Job {
    unsigned n_ref;
    Jobs *jobs;
    uint64_t number;
    Domain *domain; /* a reference: it may leave the cache before the job ends */
    Operation *operation;
    uint64_t started_at; /* µs since the epoch */
    double progress;     /* 0 to 1, -1: unknown */
    bool ended;

    uid_t uid; /* of the first caller */
    char *caller;
    Timer *timer;
    GPtrArray *calls;          /* under way */
    Waiters *waiters;          /* for the end */
    Waiters *cancel_waiters;   /* for the answer to Cancel */
    JobProgress *job_progress; /* of a long operation, else NULL */
};

typedef struct {
    void (*added)(void *userdata, Job *job);
    /* It can still be found until this returns. */
    void (*removed)(void *userdata, Job *job, OperationResult result, const Error *error);
    void (*progress)(void *userdata, Job *job);
} JobListener;

/* The parts of the core that jobs work on; they outlive them. */
typedef struct {
    struct sd_event *event;
    LanePool *lane_pool;
    Cache *cache;
    Refresher *refresher;
    const JobListener *listener;
    void *userdata; /* of the listener */
} JobParts;

Jobs *jobs_new(const JobParts *parts);
void jobs_free(Jobs *jobs);

/* Begin the operation, or join the same one. NULL: the error is InvalidState or Busy. */
Job *job_begin(Jobs *jobs, Domain *domain, const OperationSpec *spec, const JobCaller *caller,
               Error **error);
/* The job that occupies the domain, or NULL. */
Job *jobs_find(const Jobs *jobs, const char *uuid);
Job *jobs_find_by_number(const Jobs *jobs, uint64_t number);
/* All jobs; the array owns references. */
GPtrArray *jobs_all(const Jobs *jobs);

/* "Stop": the operation's name on the bus and in messages. */
const char *job_operation_name(const Job *job);
/* Answers when the job has ended, with the error that it ended with. */
void job_wait(Job *job, Pending *pending, WaiterDone done, void *userdata);
/* Answers when the job has been canceled, or cannot be. */
void job_cancel(Job *job, Pending *pending, WaiterDone done, void *userdata);

Job *job_ref(Job *job);
void job_unref(Job *job);

/* News for the operations. */
void jobs_domain_changed(Jobs *jobs, const char *uuid);
void jobs_domain_rebooted(Jobs *jobs, const char *uuid);
void jobs_connection(Jobs *jobs, bool connected);
/* End all: the service stops. */
void jobs_stop(Jobs *jobs);
