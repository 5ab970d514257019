/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A job as clients see it: an operation of a domain (job.h) or a storage job of a disk
 * (storage-job.h), each of which has this as its first member. The table numbers them, keeps each
 * until it has ended, and tells its end to the journal, the listener and those who wait for it.
 *
 * Belongs to the loop. Whoever works for a job holds a reference.
 */

#include "domain.h"
#include "log.h"
#include "operation.h"
#include "waiters.h"

#include <sys/types.h>

struct sd_event;

typedef struct JobObject JobObject;
typedef struct JobObjects JobObjects;

typedef struct {
    /* NULL if the job is, or will be, canceled; else why it cannot be. */
    Error *(*cancel)(JobObject *job);
    /* Frees the whole; job_object_clear() frees what the object has. */
    void (*free)(JobObject *job);
} JobClass;

/* The caller who asked for it, for the log. */
typedef struct {
    uid_t uid;        /* (uid_t)-1: not known */
    const char *name; /* NULL: nobody did */
} JobCaller;

/* Changes of a job while it is there. */
typedef enum {
    JOB_CHANGE_PROGRESS,
    JOB_CHANGE_FORCED,
} JobChange;

struct JobObject {
    unsigned n_ref;
    JobObjects *objects;
    const JobClass *class;
    uint64_t number;
    Domain *domain;        /* a reference: it may leave the cache before the job ends */
    const char *operation; /* its name on the bus and in messages, static */
    char *disk;            /* the target, or "" */
    uint64_t started_at;   /* µs since the epoch */
    double progress;       /* 0 to 1, -1: unknown */
    int forced;            /* a boolean: a Stop has cut the guest's power */
    bool ended;

    uid_t uid; /* of the first caller */
    char *caller;
    Waiters *waiters;        /* for the end */
    Waiters *cancel_waiters; /* for the answer to Cancel */
};

typedef struct {
    void (*added)(void *userdata, JobObject *job);
    /* It can still be found until this returns. */
    void (*removed)(void *userdata, JobObject *job, OperationResult result, const Error *error);
    void (*changed)(void *userdata, JobObject *job, JobChange change);
} JobListener;

JobObjects *job_objects_new(struct sd_event *event, const JobListener *listener, void *userdata);
void job_objects_free(JobObjects *objects);

JobObject *job_objects_find(const JobObjects *objects, uint64_t number);
/* Those of the class, or all for NULL; the array owns references. */
GPtrArray *job_objects_all(const JobObjects *objects, const JobClass *class);

/* --- for those who wait */

/* Answers when the job has ended, with the error that it ended with. */
void job_object_wait(JobObject *job, Pending *pending, WaiterDone done, void *userdata);
/* Answers when the job has been canceled, or cannot be. */
void job_object_cancel(JobObject *job, Pending *pending, WaiterDone done, void *userdata);

/* --- for the job itself */

typedef struct {
    const JobClass *class;
    Domain *domain;
    const char *operation;
    const char *disk;
    const JobCaller *caller;
} JobObjectSpec;

/* Fill it, and add it to the table, which takes over the reference. The listener is not told. */
void job_object_init(JobObjects *objects, JobObject *job, const JobObjectSpec *spec);
void job_object_clear(JobObject *job);
JobObject *job_object_ref(JobObject *job);
void job_object_unref(JobObject *job);

/* Tell the listener that it is there. */
void job_object_announce(JobObject *job);
void job_object_set_progress(JobObject *job, double progress);
/* Cancel was refused after all; the job goes on. */
void job_object_refuse_cancel(JobObject *job, const Error *error);
/*
 * It is over: it leaves the table, and everybody is told. `forced`: a Stop cut the power. The last
 * reference goes at the end of the turn, since the caller is the job itself.
 */
void job_object_end(JobObject *job, OperationResult result, const Error *error, bool forced);
/* "Stop of "web"", "Copy of vda of "web"". */
char *job_object_describe(const JobObject *job);
