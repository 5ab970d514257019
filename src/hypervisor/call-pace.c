/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call-pace.h"

static unsigned
free_workers(const CallPace *pace, uint64_t now)
{
    return now <= pace->returned_at + CALL_PACE_FREE_USEC ? pace->n_free : 0;
}

void
call_pace_begin(CallPace *pace, const void *call, uint64_t now)
{
    if (free_workers(pace, now) > 0) {
        pace->n_free--;
        return;
    }
    pace->needing = call;
    pace->needed_at = now;
}

void
call_pace_return_of_priority(CallPace *pace, const void *call)
{
    if (pace->needing == call)
        pace->needing = NULL;
}

void
call_pace_return(CallPace *pace, const void *call, uint64_t now)
{
    call_pace_return_of_priority(pace, call);
    pace->n_free = free_workers(pace, now) + 1;
    pace->returned_at = now;
}

uint64_t
call_pace_next(const CallPace *pace, CallGroup group, unsigned n_running, uint64_t now)
{
    bool at_once = !pace->needing || n_running == 0 || group == CALL_GROUP_URGENT ||
                   free_workers(pace, now) > 0;

    return at_once ? now : pace->needed_at + CALL_PACE_USEC;
}
