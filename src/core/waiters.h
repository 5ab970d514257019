/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Those who wait for one answer, in the order in which they came. Belongs to the loop.
 */

#include "error.h"
#include "pending.h"
#include "verb.h"

/*
 * `error` is NULL for OUTCOME_OK, and may be NULL for OUTCOME_LOST and OUTCOME_UNSENT. `answer` is
 * what the function that was asked documents; it stays the caller's.
 */
typedef void (*WaiterDone)(void *userdata, CallOutcome outcome, void *answer, const Error *error);

typedef struct Waiters Waiters;

Waiters *waiters_new(void);
void waiters_add(Waiters *waiters, Pending *pending, WaiterDone done, void *userdata);
unsigned waiters_count(const Waiters *waiters);
/* Calls each of them, also those that are added meanwhile, then frees the group. */
void waiters_answer(Waiters *waiters, CallOutcome outcome, void *answer, const Error *error);
/* Frees the group without an answer. */
void waiters_free(Waiters *waiters);
