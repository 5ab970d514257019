/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How soon one call may follow another. Pure: the caller brings the time.
 *
 * libvirtd begins with five workers and adds one when a call arrives while none is free. But a
 * call that arrives while another one still waits for its new worker adds none: the queue's length
 * is subtracted from the number of free workers as an unsigned number (virThreadPoolSendJob() in
 * virthreadpool.c). Where all workers hang, that call then waits until one of them returns, and so
 * does every later call of every client, however far max_workers is. So two calls are not
 * begun together: the second one waits until any call returns, or for a while.
 */

#include "call.h"

/* Time enough for libvirtd to make a thread, on a busy machine, too. */
#define CALL_PACE_USEC      UINT64_C(30000)
/* And on one that is not. So soon a read may follow while nothing hangs: there are many of them. */
#define CALL_PACE_READ_USEC UINT64_C(2000)

typedef struct {
    uint64_t begun_at; /* the last call, clock_now_usec() */
    bool waits;        /* since then no call has returned, whose worker would take what waits */
} CallPace;

/* A call has been begun; any call has returned. */
void call_pace_begin(CallPace *pace, uint64_t now);
void call_pace_return(CallPace *pace);

/*
 * When a call of this group may be begun beside so many, of which so many hang: in the past where
 * it may at once.
 */
uint64_t call_pace_next(const CallPace *pace, CallGroup group, unsigned n_running,
                        unsigned n_hanging);
