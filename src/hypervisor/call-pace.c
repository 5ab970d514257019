/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call-pace.h"

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
    bool at_once = !pace->waits || n_running == 0 || group == CALL_GROUP_URGENT;
    bool returns_soon = group == CALL_GROUP_READ && n_hanging == 0;

    if (at_once)
        return 0;
    return pace->begun_at + (returns_soon ? CALL_PACE_READ_USEC : CALL_PACE_USEC);
}
