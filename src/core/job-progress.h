/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What goes on beside a job's long call: its progress is asked for twice a second, it is given up
 * when somebody cancels it, and where its connection was lost, what became of it is found out. All
 * of that on other lanes than the one that the call blocks. Belongs to the loop.
 */

#include "job.h"

JobProgress *job_progress_new(Job *job, DomainVerb verb, const OperationPayload *payload);
/* Ask no more; the job has ended. `watch` may be NULL, in here and below. */
void job_progress_stop(JobProgress *watch);
void job_progress_free(JobProgress *watch);

/* Ends in operation_probed(). */
void job_progress_probe(JobProgress *watch, unsigned serial);
/* Until libvirt has agreed, which operation_aborted() is told, or refused for good. */
void job_progress_abort(JobProgress *watch);
