/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A domain's usage at one moment, from the figures that libvirt gives. Pure, any thread.
 */

#include "hypervisor-stats.h"
#include "usage-rates.h"

typedef struct {
    UsageSample *counters;
    bool has_figures; /* a record was added */
    bool has_used;
    bool has_rss;
    uint64_t memory_used;
    uint64_t memory_rss;
} UsageReading;

UsageReading *usage_reading_new(int run);
void usage_reading_free(UsageReading *reading);

/* Take the figures of STATS_CPU, _BALLOON, _INTERFACE and _BLOCK, which were read at this time. */
void usage_reading_add(UsageReading *reading, const StatsRecord *record, uint64_t at_usec);
