/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "clock.h"

#include <glib.h>

uint64_t
clock_now_usec(void)
{
    return (uint64_t)g_get_monotonic_time();
}

uint64_t
clock_realtime_usec(void)
{
    return (uint64_t)g_get_real_time();
}
