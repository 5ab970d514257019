/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The list of all domains, asked of the hypervisor: one list at a time, shared by all who ask for
 * it, and the minute's reconciliation of what libvirt sends no event for.
 *
 * One domain whose lock is held keeps libvirt from listing any, so a list that does not come in
 * time, or that cannot, is made up of the domains that are known: each that answers is read, and
 * the others keep their last row. Belongs to the loop.
 */

#include "cache.h"
#include "refresher.h"
#include "unresponsive.h"

struct sd_event;

typedef struct Lister Lister;

/* The parts of the core that it works on; they outlive it. */
typedef struct {
    struct sd_event *event;
    LanePool *lane_pool;
    Cache *cache;
    Refresher *refresher;
    Unresponsive *unresponsive;
} ListerParts;

Lister *lister_new(const ListerParts *parts);
void lister_free(Lister *lister);

/*
 * Answers once the domains were listed, and each difference to what was published has been read and
 * applied. The hypervisor has to be there.
 */
void lister_list(Lister *lister, Pending *pending, WaiterDone done, void *userdata);

/* There may be domains that are not known: list all of them once none hangs any more. */
void lister_list_later(Lister *lister);
/* A domain answers again: if none hangs any more, make up for a list that did not come. */
void lister_go_on(Lister *lister);
/* Reconcile every minute, while there is a connection. */
void lister_set_connected(Lister *lister, bool connected);
