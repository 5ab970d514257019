/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Keeps what is known of each domain up to date: what is marked stale is read again, many domains
 * in one round trip where libvirt can do that, and one read at a time for each domain.
 *
 * A domain whose read hangs (on its own lock, in libvirtd) delays no other: after a second each
 * domain of its batch is read alone. A suspect domain is read alone from the beginning. The domain
 * that hangs is read again when its read has returned.
 *
 * With TRAIT_XML_WAITS the XML of a domain that may hang is read last, by a call of its own. If
 * that has no answer after a second, the domain counts as fresh without it, and its other facts go
 * on being read. Belongs to the loop.
 */

#include "lane-pool.h"
#include "waiters.h"

struct sd_event;

typedef struct {
    /* Whether the domain is published; one that is not is applied once all of it is known. */
    bool (*is_known)(void *userdata, const char *uuid);
    /* A read of the domain is likely to hang. */
    bool (*is_suspect)(void *userdata, const char *uuid);
    /* News of a domain. NULL: there is no such domain any more. */
    void (*apply)(void *userdata, const char *uuid, DomainUpdate *update);
    /* Nothing of the domain is stale any more; its waiters are answered after this. */
    void (*refreshed)(void *userdata, const char *uuid);
} RefreshCallbacks;

typedef struct Refresher Refresher;

Refresher *refresher_new(struct sd_event *event, LanePool *lane_pool,
                         const RefreshCallbacks *callbacks, void *userdata);
void refresher_free(Refresher *refresher);

/* These facts have to be read (again). Without a connection: on the next one. */
void refresher_mark(Refresher *refresher, const char *uuid, DomainFacts facts);
/* Of how many domains something is stale. */
unsigned refresher_backlog(const Refresher *refresher);
/* Nothing of any domain is stale. */
bool refresher_is_idle(const Refresher *refresher);
bool refresher_is_fresh(const Refresher *refresher, const char *uuid);

/*
 * Answers with OUTCOME_OK and no value when none of these domains is stale any more, except for
 * those that are suspect; at once where none is. Takes the set of UUIDs.
 */
void refresher_wait(Refresher *refresher, GHashTable *uuids, Pending *pending, WaiterDone done,
                    void *userdata);
/* The domain has become suspect: nobody in refresher_wait() waits for it any longer. */
void refresher_suspect(Refresher *refresher, const char *uuid);
/* Mark all of the domain, and wait for it, though it may be suspect. */
void refresher_refresh(Refresher *refresher, const char *uuid, Pending *pending, WaiterDone done,
                       void *userdata);

/* The connection was made, and what it listed was applied; or it was lost. */
void refresher_set_connected(Refresher *refresher, bool connected);
