/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The stand-in for the library `loop`: the functions of clock.h, timer.h, deferred.h and
 * loop-queue.h with the world's time instead of sd-event, in an order that follows from the seed.
 */

#include <stdbool.h>

/* One turn: a timer or the world's next event, with what threads post right after it, and what was
 * deferred to the turn's end. False: nothing is left. */
bool loop_turn(void);
/* At the end of a schedule, when all parts were freed. */
void loop_end(void);
