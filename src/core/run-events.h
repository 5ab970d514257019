/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The facts of a domain's run that libvirt's events tell: when it began, and what has gone wrong
 * with it since. Belongs to the loop.
 */

#include "cache.h"
#include "hypervisor-events.h"
#include "lane-pool.h"

typedef struct RunEvents RunEvents;

RunEvents *run_events_new(LanePool *lane_pool, Cache *cache);
/* No call may be left. */
void run_events_free(RunEvents *run);

/* Before the domain is refreshed. */
void run_events_take(RunEvents *run, const HypervisorEvent *event);
/* Complete an update that is to be applied: the start of a run is what its event told, else what
 * the update knows, and does not change after that. */
void run_events_complete(RunEvents *run, DomainUpdate *update);
/* After an update: a problem that began when nobody listened is looked up, as far as libvirt still
 * tells of it. */
void run_events_search(RunEvents *run, const Domain *domain);
/* The domain is gone. */
void run_events_forget(RunEvents *run, const char *uuid);
/* Events are missed from now on. */
void run_events_connection_lost(RunEvents *run);
