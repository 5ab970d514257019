/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The two clocks, in µs. Any thread. */

#include <stdint.h>

/* Monotonic: for deadlines, ages and timers. */
uint64_t clock_now_usec(void);
/* Time of day, since the epoch: for what clients are shown. */
uint64_t clock_realtime_usec(void);
