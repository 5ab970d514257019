/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The stand-in for the lane pool (lane-pool.h): carries the core's calls to the simulated daemon,
 * with every delay, loss and hang that the world has in store. The order in which they are sent is
 * that of the shipped call-schedule.c.
 */

#include <stdint.h>

/* The connection in use, and since when; 0: none. */
unsigned lanes_generation(void);
uint64_t lanes_connected_since(void);

/* Since when a read of this domain has been under way that hangs; NEVER: none does. */
uint64_t lanes_read_hangs_since(const char *uuid);

/* Something has changed for what waits in the daemon: try again. */
void lanes_retry(void);
