/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How many entries a log takes that does not bound them by itself. */

#include <glib.h>
#include <stdbool.h>

/* The defaults of journald: RateLimitIntervalSec= and RateLimitBurst=. */
#define LOG_RATE_INTERVAL_USEC (30 * (gint64)G_USEC_PER_SEC)
#define LOG_RATE_BURST         10000

/* Zeroed at first; the caller's, who keeps threads apart. */
typedef struct {
    gint64 since; /* when the interval began; 0: none has */
    guint sent, dropped;
} LogRate;

/*
 * May an entry be made at NOW, of the monotonic clock? With the first entry of an interval, DROPPED
 * becomes the number of entries that were not allowed in the last one, and 0 otherwise.
 */
bool log_rate_allows(LogRate *rate, gint64 now, guint *dropped);
