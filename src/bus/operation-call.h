/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The stages that all methods share whose work is a job: their rows in the tables of methods name
 * these functions. Belongs to the loop.
 */

#include "request.h"

/* For Method.run: begin the job or join it; the reply is its end, or its path where the method
 * returns one. */
void operation_call_run(Request *request);
/* For Method.more_actions: a Stop that forces sooner than the domain's own time-out. */
uint64_t operation_call_actions(const Request *request);

/* The actions that allow to start an operation, and so to cancel it. */
uint64_t operation_call_actions_of(const Service *service, const Domain *domain,
                                   const OperationSpec *spec);

/* Refuse to begin a job; Busy names the one that runs. */
void operation_call_fail(Request *request, const Error *error, const JobObject *running);

/* Fill the operation of a long call, which has no time-out; copies the payload. */
void operation_call_set_long(MethodArgs *args, OperationKind kind, const OperationPayload *payload);
