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
call_pace_next(const CallPace *pace, CallGroup group, unsigned n_running)
{
    bool at_once = !pace->waits || n_running == 0 || group == CALL_GROUP_URGENT;

    return at_once ? 0 : pace->begun_at + CALL_PACE_USEC;
}
