/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The calls beside a job's long call, on other lanes than the one that it blocks: its progress
 * is polled twice a second, it is given up when somebody cancels it, and where its connection was
 * lost, its outcome is found out. Belongs to the loop.
 */

#include "lane-pool.h"
#include "operation-spec.h"

struct sd_event;

typedef struct JobProgress JobProgress;

/* The long call; copied. */
typedef struct {
    const char *uuid; /* of the domain */
    bool was_active;  /* the domain, when the call was made */
    DomainVerb verb;
    const OperationPayload *payload;
} LongCall;

typedef struct {
    /* 0 to 1. */
    void (*progressed)(void *userdata, double progress);
    /* libvirt has agreed to give the call up. */
    void (*aborted)(void *userdata);
    /* It refuses to, for good. */
    void (*refused)(void *userdata, const Error *error);
    void (*probed)(void *userdata, unsigned serial, ProbeAnswer answer);
} JobProgressFuncs;

JobProgress *job_progress_new(struct sd_event *event, LanePool *lane_pool, const LongCall *call,
                              const JobProgressFuncs *funcs, void *userdata);
/* Calls back no more. NULL is fine. */
void job_progress_stop(JobProgress *progress);
/* After job_progress_stop(). NULL is fine. */
void job_progress_free(JobProgress *progress);

/* Ends in probed(). */
void job_progress_probe(JobProgress *progress, unsigned serial);
/* Ends in aborted() or refused(); it is tried again as long as libvirt has not begun the call. */
void job_progress_abort(JobProgress *progress);
