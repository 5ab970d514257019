/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Time, chance and the queue of events of one simulated schedule, its trace, and the first law that
 * it breaks. All of it follows from the seed. The functions that the shipped core calls (the clock,
 * libvirt) carry no context, so there is one world at a time in a process; one thread.
 */

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define MSEC  UINT64_C(1000)
#define SEC   (1000 * MSEC)
#define NEVER UINT64_MAX

typedef void (*WorldFunc)(void *data, unsigned number);

void world_begin(uint64_t seed, bool tracing);
/* NULL, or the law that was broken, for g_free(). */
char *world_end(void);

uint64_t world_now(void);
/* Call `func` after `delay`; of those at the same time, in this order. */
void world_after(uint64_t delay, WorldFunc func, void *data, unsigned number);
/* The same for what a thread of the service posts to its loop. */
void world_post(uint64_t delay, WorldFunc func, void *data, unsigned number);
/* Drop the events with this `data`, which is about to be freed. */
void world_forget(const void *data);
/* When the next event is due; NEVER: there is none. */
uint64_t world_next_time(void);
/* Whether it is a post. */
bool world_next_is_post(void);
/* Let it happen. */
void world_run_next(void);
/* Let time pass up to `when`, at which no event is overdue. */
void world_advance(uint64_t when);

/* From here on nothing goes wrong any more, so that everything has to end. */
void world_heal(void);
bool world_is_healed(void);
uint64_t world_healed_at(void);

unsigned below(unsigned n);
bool percent(unsigned n);
/* Likewise, but never once the world is healed. */
bool trouble(unsigned n);
uint64_t between(uint64_t low, uint64_t high);

/* A line of the trace. */
void say(const char *format, ...) G_GNUC_PRINTF(1, 2);
/* A law is broken; the first one counts. */
void fault(const char *format, ...) G_GNUC_PRINTF(1, 2);
bool world_has_fault(void);

#define REQUIRE(condition, ...)                                                                    \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fault(__VA_ARGS__);                                                                    \
    } while (0)
