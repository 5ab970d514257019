/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A stand-in for the library src/loop/: the same functions, but the test is the clock. Time stands
 * still until fake_loop_advance(); threads may post as they may to the real queue. Link it instead
 * of the library, and pass NULL for the sd_event.
 */

#include <stdbool.h>
#include <stdint.h>

/* Forget everything; the time is any time. Everything that was made must have been freed. */
void fake_loop_reset(void);
/* Run what is due: posts, deferred calls and timers, until nothing is. */
void fake_loop_run(void);
/* Let this time pass, with everything that falls due in it at its own time. */
void fake_loop_advance(uint64_t usec);
/* Nothing is due and no timer is armed: only a thread's post would wake the loop up. */
bool fake_loop_is_idle(void);
/* Run until this holds, waiting for the threads' posts; the test fails after 10 s of real time. */
void fake_loop_wait(bool (*holds)(void *userdata), void *userdata);
