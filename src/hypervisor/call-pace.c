/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call-pace.h"

/* While nothing hangs, so many reads are begun at once: they return soon. */
#define READS_AT_ONCE 2

void
call_pace_begin(CallPace *pace, uint64_t now)
{
    pace->begun_at = now;
    pace->waits = true;
}

void
call_pace_return(CallPace *pace)
{
    pace->waits = false;
}

uint64_t
call_pace_next(const CallPace *pace, CallGroup group, unsigned n_running, unsigned n_hanging)
{
    if (!pace->waits || n_running == 0 || group == CALL_GROUP_URGENT ||
        (group == CALL_GROUP_READ && n_hanging == 0 && n_running < READS_AT_ONCE))
        return 0;
    return pace->begun_at + CALL_PACE_USEC;
}
