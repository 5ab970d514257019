/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The laws of operations: what each may call and when, how it may end, and that it does end. A
 * record of each job is kept from what the core tells its listener, from its calls on the lanes,
 * and from the world as it really is.
 */

#include "core.h"

void checks_begin(const Core *core);

/* As JobListener. */
void checks_job_added(const Job *job);
void checks_job_removed(const Job *job, OperationResult result, const Error *error);
/* Somebody tries to cancel it, before and after. */
bool checks_may_cancel(const Job *job);
void checks_canceled(uint64_t number, bool agreed);

/* The core makes a call; it is told how that ended. */
void checks_call_submitted(const Call *call);
void checks_call_told(const Call *call, CallOutcome outcome);
/* libvirt carries it out now, maybe after the core was told that it is lost. */
void checks_call_carried_out(const Call *call, DomainVerb verb);
/* It is about to be freed, whether it was told or not. */
void checks_call_gone(const Call *call);
/* An event is about to be told to the core. */
void checks_event(const HypervisorEvent *event);

/* Laws that hold after every turn of the loop. */
void checks_always(void);
/* Laws that hold once nothing goes on any more; `listed`: all domains were listed then, which finds
 * the changes that libvirt sends no event for. */
void checks_at_rest(bool listed);
