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
/* Complete an update that is about to be applied: the time at which the run began is that of its
 * event, or else the one in the update. Once it is known, it does not change for this run. */
void run_events_complete(RunEvents *run, DomainUpdate *update);
/* After an update was applied: ask for problems that began while there was no connection, as far as
 * libvirt still tells of them. */
void run_events_search(RunEvents *run, const Domain *domain);
/* The domain is gone. */
void run_events_forget(RunEvents *run, const char *uuid);
/* Events are missed from now on. */
void run_events_connection_lost(RunEvents *run);
