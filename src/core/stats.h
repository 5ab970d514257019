/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Asking for every domain's figures: whoever asks for the same at the same time shares a question.
 *
 * libvirt waits for no domain that somebody is busy with, but the first to ask a guest whose
 * process is stuck hangs on it. So a question that takes longer than a second is asked again: by
 * then it is the first one that is busy with that domain. Belongs to the loop.
 */

#include "hypervisor-stats.h"
#include "request.h"

typedef struct Stats Stats;

/* Answer the request with these StatsRecords, which stay the caller's. */
typedef void (*StatsAnswer)(Request *request, GPtrArray *records);

Stats *stats_new(Manager *m);
/* No request and no call may be left. */
void stats_free(Stats *stats);

/* For request_set_args(), with stats_ask() as what is to be run. */
void *stats_args_new(StatsGroups groups, StatsAnswer answer);
void stats_args_free(void *args);
void stats_ask(Request *request);
