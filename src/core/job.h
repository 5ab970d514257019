/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A running operation that clients can see: its object on the bus, its steps' calls and timer, and
 * who waits for it. One at a time for each domain, but for one that ForceStop has overtaken.
 *
 * Belongs to the loop. Jobs are kept by the Jobs table until they have ended; a call under way
 * holds a reference of its own.
 */

#include "operation.h"
#include "request.h"

typedef struct Jobs Jobs;
typedef struct JobProgress JobProgress;

/* The types are those that sd-bus reads at an offset. */
struct Job {
    unsigned n_ref;
    Manager *manager;
    uint64_t number;
    char *path;
    Domain *domain; /* a reference: it may leave the cache before the job ends */
    const char *operation_name;
    uint64_t started_at; /* µs since the epoch */
    double progress;     /* 0 to 1, -1: unknown */
    Operation *operation;
    uint64_t actions; /* who may start it may cancel it */
    bool overtaken;
    bool ended;
    JobProgress *watch; /* of a long operation, else NULL */

    sd_event_source *timer;
    GPtrArray *calls;    /* under way */
    GPtrArray *requests; /* to be answered at the end */
    GPtrArray *cancels;  /* likewise: those that have it canceled */
    uid_t uid;           /* who asked first */
    char *sender;
};

Jobs *jobs_new(Manager *m);
void jobs_free(Jobs *jobs);

/*
 * Begin the operation, or join the same one; the error is InvalidState, Busy or LimitsExceeded.
 * The request tells who asks and about which domain.
 */
Job *job_begin(Request *request, Domain *domain, const OperationSpec *spec, Error **error);
/* The job that occupies the domain, or NULL. */
Job *jobs_find(Jobs *jobs, const char *uuid);
Job *jobs_find_by_number(Jobs *jobs, uint64_t number);
/* All jobs; the array owns references. */
GPtrArray *jobs_all(Jobs *jobs);
/* Answers the request: at once, or when the job has ended. */
void job_cancel(Job *job, Request *request);
/* It cannot be canceled after all: answer those who wanted that. */
void job_cancel_failed(Job *job, const Error *error);
void job_set_progress(Job *job, double progress);
Job *job_ref(Job *job);
void job_unref(Job *job);
void job_forget_request(Job *job, Request *request);

/* News for the operations. */
void jobs_domain_changed(Jobs *jobs, const char *uuid, bool gone);
void jobs_domain_rebooted(Jobs *jobs, const char *uuid);
void jobs_connection(Jobs *jobs, bool connected);
/* End all: the service ends. */
void jobs_stop(Jobs *jobs);
