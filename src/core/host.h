/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The host that the domains run on: what is published of it, and its devices for those who ask.
 *
 * It is read when the connection has come and once a minute, the model of its processors once a
 * connection. Nothing waits for it. Those who ask for devices of a kind at the same time share one
 * question, so that a daemon of host devices that hangs holds no more than one call a kind. Belongs
 * to the loop.
 */

#include "connection.h"
#include "hypervisor-host.h"
#include "waiters.h"

/* The published properties, on the same object as those of the connection. */
enum {
    HOST_PROPERTY_CPU_COUNT = _CONNECTION_PROPERTY_MAX,
    HOST_PROPERTY_CPU_MODEL,
    HOST_PROPERTY_MEMORY_BYTES,
    HOST_PROPERTY_CPU_TOPOLOGY,
};

/* One bit a property. */
typedef uint64_t HostChanges;

#define HOST_CHANGED(symbol) (UINT64_C(1) << HOST_PROPERTY_##symbol)

typedef struct Host Host;

typedef void (*HostChanged)(void *userdata, HostChanges changes);

Host *host_new(struct sd_event *event, LanePool *lane_pool, HostChanged changed, void *userdata);
/* No call may be left. */
void host_free(Host *host);
void host_set_connected(Host *host, bool connected);

/* The last known; 0 and "" before it was ever read. */
const HostInfo *host_info(const Host *host);

/* Answers with the array of hypervisor_list_host_devices(). The hypervisor has to be there. */
void host_list_devices(Host *host, HostDeviceKind kind, Pending *pending, WaiterDone done,
                       void *userdata);
