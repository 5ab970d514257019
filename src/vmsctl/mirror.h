/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An inventory that follows the service: read in the order of the bus, so that no signal is applied
 * to something newer than itself, and read anew whenever the service comes back.
 */
#pragma once

#include "inventory.h"

#include <systemd/sd-event.h>

typedef struct MirrorEvents {
    /* All was read (again). */
    void (*loaded)(void *data);
    /* The object at PATH came, changed or went. */
    void (*changed)(const char *path, void *data);
    void (*job_removed)(GVariant *body, void *data);
    /* The service left the bus; what is known stays. */
    void (*left)(void *data);
    /* It could not be read: the mirror waits for the service to come back. */
    void (*failed)(const GError *error, void *data);
} MirrorEvents;

typedef struct Mirror {
    Client *client;
    Inventory *inventory;
    const MirrorEvents *events;
    void *data;
    bool has_objects; /* signals are applied */
    bool is_loaded;   /* and told */
} Mirror;

/* Events come from the client's loop. Starts the service if it is not running. */
bool mirror_open(Mirror *mirror, Client *client, const MirrorEvents *events, void *data,
                 GError **error);
void mirror_close(Mirror *mirror);
