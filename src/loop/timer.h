/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A one-shot timer of the loop. Its owner keeps it, arms it as often as needed, and frees it; it
 * never fires by itself again. Arming replaces the earlier time. Loop's thread only; the function
 * may arm, disarm or free its own timer.
 *
 * Making one does not fail: without memory the process ends, as with every allocation. Arming does
 * not fail either, except once the loop has ended, where no timer fires any more.
 */

#include <stdint.h>

#define TIMER_NEVER UINT64_MAX

struct sd_event;

typedef struct Timer Timer;
typedef void (*TimerFunc)(void *userdata);

/* `accuracy_usec`: how much later than asked for it may fire, so that wake-ups can be shared. */
Timer *timer_new(struct sd_event *event, uint64_t accuracy_usec, TimerFunc func, void *userdata);
/* NULL is fine, here and in timer_disarm(). */
void timer_free(Timer *timer);

/* At this time of clock_now_usec(), at the loop's next turn if that is past; TIMER_NEVER disarms.
 */
void timer_arm(Timer *timer, uint64_t when_usec);
void timer_arm_relative(Timer *timer, uint64_t usec);
void timer_disarm(Timer *timer);
