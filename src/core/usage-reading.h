/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A domain's usage at one moment, from the figures that libvirt gives. Pure, any thread.
 */

#include "hypervisor-stats.h"
#include "usage-rates.h"

typedef struct {
    int run; /* the domain's id when it was asked */
    UsageSample *counters;
    char **disks;     /* those that the sums are of; NULL: there are no sums */
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
/* Take the sums of these disks; any text that tells one disk from another. */
void usage_reading_add_sums(UsageReading *reading, const char *const *disks, uint64_t read,
                            uint64_t written, uint64_t at_usec);

/*
 * `before` may be NULL. The rates of the disks are not known where a disk of the earlier sum is
 * gone: its share cannot be told from the others'.
 */
void usage_reading_rates(const UsageReading *before, const UsageReading *now, UsageRates *ret);
