/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Watchers of one domain: for changes that libvirt has made and the guest has yet to complete.
 * Belongs to the loop.
 */

#include "hypervisor-events.h"

typedef struct DomainWatches DomainWatches;
typedef struct DomainWatch DomainWatch;

/* Each may end its own watch and others. NULL where it is not interesting. */
typedef struct {
    /* The published state of the domain is up to date again. */
    void (*refreshed)(void *userdata);
    void (*device)(void *userdata, const char *alias, HypervisorEventKind kind);
    /* Events may be missed from now on. */
    void (*connection_lost)(void *userdata);
} DomainWatchFuncs;

DomainWatches *domain_watches_new(void);
/* No watch may be left. */
void domain_watches_free(DomainWatches *watches);

DomainWatch *domain_watch_new(DomainWatches *watches, const char *uuid,
                              const DomainWatchFuncs *funcs, void *userdata);
/* NULL is fine. */
void domain_watch_free(DomainWatch *watch);

void domain_watches_refreshed(DomainWatches *watches, const char *uuid);
void domain_watches_device(DomainWatches *watches, const HypervisorEvent *event);
void domain_watches_connection_lost(DomainWatches *watches);
