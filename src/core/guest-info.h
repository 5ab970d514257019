/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Host name, OS and addresses of the guests that run, read once a minute.
 *
 * A guest whose agent is connected is asked by one call; its OS is read once for each connection of
 * the agent. An agent that does not answer is asked less often, and one that comes and goes is
 * asked no more often than others, so that no guest disturbs another one. For guests without an
 * agent the leases of libvirt's networks are read, in a round trip for each network. Belongs to the
 * loop.
 */

#include "cache.h"
#include "lane-pool.h"

struct sd_event;

typedef struct GuestInfo GuestInfo;

GuestInfo *guest_info_new(struct sd_event *event, LanePool *lane_pool, Cache *cache);
/* No call may be left. */
void guest_info_free(GuestInfo *info);

/* The functions below take NULL, too: then no guest is asked. */
void guest_info_set_connected(GuestInfo *info, bool connected);
/* The domain was refreshed: it may have started, or its agent may have connected. */
void guest_info_refreshed(GuestInfo *info, const Domain *domain);
/* The domain is gone. */
void guest_info_forget(GuestInfo *info, const Domain *domain);
