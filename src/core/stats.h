/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Every domain's figures, for whoever asks: those who ask for the same groups at the same time
 * share one question.
 *
 * libvirt waits for no domain that somebody else is busy with, but the first call that asks a guest
 * whose process is stuck hangs on it. So a question that takes longer than a second is asked again:
 * by then the first one is busy with that domain. No image is opened: see disk-stats.h. Belongs to
 * the loop.
 */

#include "disk-stats.h"
#include "hypervisor-stats.h"
#include "waiters.h"

struct sd_event;

typedef struct Stats Stats;

Stats *stats_new(struct sd_event *event, LanePool *lane_pool, Cache *cache,
                 const DiskSizes *disk_sizes);
/* No call may be left. */
void stats_free(Stats *stats);

/* Answers with a GPtrArray of StatsRecord. The hypervisor has to be there. */
void stats_ask(Stats *stats, StatsGroups groups, Pending *pending, WaiterDone done, void *userdata);
