/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The usage of the domains that run, at the intervals of those who want it.
 *
 * Each series has a tick of its own: its first one comes an interval after it was made, later ones
 * at multiples of the interval, so that series share the round trip to libvirt. A domain that is
 * known to hang is not asked; if an answer does not come in time, the domains that it was about are
 * asked one by one. Figures of a run that has ended meanwhile are dropped. Without a series nothing
 * is asked and no timer runs, once the question that is under way has ended. Belongs to the loop.
 */

#include "cache.h"
#include "disk-sizes.h"
#include "lane-pool.h"
#include "usage-rates.h"

struct sd_event;

/* Optional figures of a row. */
enum {
    USAGE_HAS_MEMORY_USED = 1 << 0,
    USAGE_HAS_MEMORY_RSS = 1 << 1,
};

typedef struct {
    char uuid[UUID_LENGTH + 1];
    bool stale; /* it could not be read: the rest says nothing */
    UsageRates rates;
    unsigned memory; /* USAGE_HAS_* */
    uint64_t memory_used;
    uint64_t memory_rss;
} UsageRow;

/* A tick: `timestamp` is µs since the epoch. The rows, UsageRow, are of every domain that runs. */
typedef void (*UsageFunc)(void *userdata, uint64_t timestamp, const GArray *rows);

typedef struct Usage Usage;
typedef struct UsageSeries UsageSeries;

Usage *usage_new(struct sd_event *event, LanePool *lane_pool, Cache *cache,
                 const DiskSizes *disk_sizes);
/* No series and no call may be left. */
void usage_free(Usage *usage);
/* No tick comes without a connection; after it is back, the first one comes an interval later. */
void usage_set_connected(Usage *usage, bool connected);

/* The function may free any series. */
UsageSeries *usage_series_new(Usage *usage, uint64_t interval_usec, UsageFunc func, void *userdata);
/* NULL is fine. */
void usage_series_free(UsageSeries *series);
