/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Keeps what we know of each domain up to date: what is marked stale is asked for, many domains in
 * one round trip where libvirt can do that, and one question at a time for each domain.
 *
 * A domain whose question hangs (its own lock, in libvirtd) holds up no other: after a second the
 * rest of its batch is asked for one by one. Belongs to the loop.
 */

#include "lane-pool.h"

#include <systemd/sd-event.h>

typedef struct {
    /* Whether the domain is published; one that is not is applied once all of it is known. */
    bool (*is_known)(void *userdata, const char *uuid);
    /* News of a domain. NULL: there is no such domain any more. */
    void (*apply)(void *userdata, const char *uuid, DomainUpdate *snapshot);
    /* Nothing of the domain is stale any more. */
    void (*settled)(void *userdata, const char *uuid);
} RefreshCallbacks;

typedef struct Refresher Refresher;

Refresher *refresher_new(sd_event *event, LanePool *pool, const RefreshCallbacks *callbacks,
                         void *userdata);
void refresher_free(Refresher *refresher);

/* These facts are to be asked for (again). Without a connection: on the next one. */
void refresher_mark(Refresher *refresher, const char *uuid, DomainFacts facts);
/* Nothing is stale any more, of any domain. */
bool refresher_is_idle(const Refresher *refresher);
bool refresher_is_fresh(const Refresher *refresher, const char *uuid);

/* The connection came, and what it listed was applied; or it went. */
void refresher_set_connected(Refresher *refresher, bool connected);
