/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The list of all domains, asked of the hypervisor: one list at a time, shared by all who ask for
 * it, and the minute's reconciliation of what libvirt sends no event for. Belongs to the loop.
 */

#include "cache.h"
#include "refresher.h"

struct sd_event;

typedef struct Lister Lister;

/* The parts of the core that it works on; they outlive it. */
typedef struct {
    struct sd_event *event;
    LanePool *lane_pool;
    Cache *cache;
    Refresher *refresher;
    /* The list takes so long that the daemon cannot be working. */
    void (*stuck)(void *userdata);
    void *userdata;
} ListerParts;

Lister *lister_new(const ListerParts *parts);
void lister_free(Lister *lister);

/*
 * Answers once the domains were listed, and each difference to what was published has been read and
 * applied. The hypervisor has to be there.
 */
void lister_list(Lister *lister, Pending *pending, WaiterDone done, void *userdata);

/* Reconcile every minute, while there is a connection. */
void lister_set_connected(Lister *lister, bool connected);
