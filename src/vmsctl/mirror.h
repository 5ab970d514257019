/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An inventory that follows the service. Signals and replies are applied in the order of the bus,
 * so no signal is applied to objects that already contain its change. All is read again whenever
 * the service comes back; the bus, too, is waited for once it was there.
 */
#pragma once

#include "inventory.h"

#include <systemd/sd-event.h>

typedef struct MirrorEvents {
    /* All objects were read, for the first time or again. */
    void (*loaded)(void *data);
    /* The object at PATH was added, changed or removed. */
    void (*changed)(const char *path, void *data);
    /* A signal of the Manager's own: JobRemoved or Usage. */
    void (*signalled)(const char *member, GVariant *body, void *data);
    /* The service, or the bus itself, went away; the inventory stays as it is. */
    void (*left)(void *data);
    /* The objects could not be read; the mirror waits for the service to come back. */
    void (*failed)(const GError *error, void *data);
} MirrorEvents;

typedef struct Mirror {
    Client *client;
    sd_event *loop;
    sd_event_source *reopen; /* the next attempt to connect to a bus that was lost */
    Inventory *inventory;
    const MirrorEvents *events;
    void *data;
    bool has_objects; /* the objects are read: signals are applied */
    bool is_loaded;   /* the manager is read, too: events are called */
} Mirror;

/* Events come from LOOP, which has to outlive the mirror. Starts the service if it is not running.
 */
bool mirror_open(Mirror *mirror, Client *client, sd_event *loop, const MirrorEvents *events,
                 void *data, GError **error);
void mirror_close(Mirror *mirror);
