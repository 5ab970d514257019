/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How soon one call may follow another. Pure: the caller brings the time.
 *
 * libvirtd begins with five workers and adds one when a call arrives while none is free. But a
 * call that arrives while another one still waits for its new worker adds none: the queue's length
 * is subtracted from the number of free workers as an unsigned number (virThreadPoolSendJob() in
 * virthreadpool.c). Where all workers hang, that call then waits until one of them returns, and so
 * does every later call of every client, however far max_workers is. So two calls that may each
 * need a new worker are not begun together. A call for which another one has just returned needs
 * none: it begins at once.
 */

#include "call.h"

/* Time enough for libvirtd to make a thread, on a busy machine, too. */
#define CALL_PACE_USEC      UINT64_C(30000)
/* The worker of a call that has returned counts as free for so long. After that, calls of other
 * clients may have taken it. */
#define CALL_PACE_FREE_USEC UINT64_C(5000)

typedef struct {
    const void *needing;  /* the last call that may need a new worker; NULL: it has returned */
    uint64_t needed_at;   /* when that was begun, clock_now_usec() */
    uint64_t returned_at; /* the last call that returned */
    unsigned n_free;      /* the workers of calls that returned then, less those used since */
} CallPace;

/* This call has been begun, or has returned; only its address is used. */
void call_pace_begin(CallPace *pace, const void *call, uint64_t now);
void call_pace_return(CallPace *pace, const void *call, uint64_t now);
/* This call has returned, but the next one may not count on its worker, which may be one of those
 * for calls of high priority alone, such as virConnectOpen() and virDomainDestroy(). */
void call_pace_return_of_priority(CallPace *pace, const void *call);

/* The time from which on a call of this group may be begun while `n_running` calls are under way;
 * `now` if it may be begun at once. */
uint64_t call_pace_next(const CallPace *pace, CallGroup group, unsigned n_running, uint64_t now);
