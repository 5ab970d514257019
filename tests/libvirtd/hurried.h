/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Included before a shipped source whose timer has a long period, so that a test need not wait for
 * a minute: periods of two seconds and more are 100 times as short, and kept exactly.
 */

#include "timer.h"

#define HURRIED_FROM_USEC 2000000
#define HURRIED_TIMES     100

#define timer_new(event, accuracy_usec, func, userdata)                                            \
    timer_new(event, (accuracy_usec) / HURRIED_TIMES, func, userdata)
#define timer_arm_relative(timer, usec)                                                            \
    timer_arm_relative(timer, (usec) / ((usec) < HURRIED_FROM_USEC ? 1 : HURRIED_TIMES))
