/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The one way to connect to a bus, for the service and for vmsctl. The connection belongs to the
 * caller and to the calling thread. sd-bus negotiates the passing of descriptors wherever the
 * transport can carry them; ssh cannot.
 */

#include <stdbool.h>
#include <systemd/sd-bus.h>

/* At most one of the three is set; without any it is the system bus. */
typedef struct BusTarget {
    bool session;
    const char *address; /* a D-Bus address */
    const char *host;    /* the system bus of another host, see host-address.h */
} BusTarget;

/* DESCRIPTION names the connection in sd-bus's log and in the bus's monitors. Returns a negative
 * errno on failure. */
int bus_open(const BusTarget *target, const char *description, sd_bus **ret);
