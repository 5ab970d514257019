/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One question at a time, shared by all who ask it.
 *
 * Those who come while the question is under way share the next one: its answer must not be older
 * than their call. Belongs to the loop.
 */

#include "waiters.h"

typedef struct SingleFlight SingleFlight;

/* `start` sends the question; it ends in single_flight_finish(). */
SingleFlight *single_flight_new(void (*start)(void *userdata), void *userdata);
void single_flight_free(SingleFlight *flight);

/* Wait for the next question, which is sent now where none is under way. */
void single_flight_join(SingleFlight *flight, Pending *pending, WaiterDone done, void *userdata);
/* Send the question now, though nobody waits for it, unless one is under way. */
void single_flight_start(SingleFlight *flight);
bool single_flight_is_under_way(const SingleFlight *flight);
/* How many wait for the question that is under way. */
unsigned single_flight_count(const SingleFlight *flight);
/* The question has been answered: those who wait for the answer, which the caller answers. */
Waiters *single_flight_finish(SingleFlight *flight);
/* Send the next question if somebody waits for it; after those of the last one were answered. */
void single_flight_start_next(SingleFlight *flight);
