/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The connection to the hypervisor: carries out what the availability engine decides, with the
 * lanes, a timer, and the watch on PID files and sockets; and keeps what is published of it.
 * Belongs to the loop.
 */

#include "availability.h"
#include "lane-pool.h"
#include "pending.h"

struct sd_event;

typedef struct Connection Connection;

/* The published properties of the connection. */
enum {
    CONNECTION_PROPERTY_AVAILABLE,
    CONNECTION_PROPERTY_STATUS,
    CONNECTION_PROPERTY_STATUS_MESSAGE,
    CONNECTION_PROPERTY_STATUS_SINCE,
    CONNECTION_PROPERTY_HOSTNAME,
    CONNECTION_PROPERTY_TYPE,
    CONNECTION_PROPERTY_VERSION,
    CONNECTION_PROPERTY_LIBVIRT_VERSION,
    _CONNECTION_PROPERTY_MAX,
};

/* One bit a property. */
typedef uint64_t ConnectionChanges;

#define CONNECTION_CHANGED(symbol) (UINT64_C(1) << CONNECTION_PROPERTY_##symbol)

typedef struct {
    Status status;
    char *status_message;        /* libvirt's own words for the last failure; "" while available */
    uint64_t status_since;       /* µs since the epoch */
    HypervisorIdentity identity; /* the last known */
} ConnectionState;

typedef struct {
    /*
     * There is a connection. `updates` are all its domains, which the receiver may change; NULL
     * where domains are known already and no list came in time, because one of them hangs;
     * `early_events` the set of UUIDs of domains that had an event since they were listed.
     */
    void (*connected)(void *userdata, GPtrArray *updates, GHashTable *early_events);
    /* Whether domains are known: then a connection is made without a list if need be. */
    bool (*has_domains)(void *userdata);
    /* The connection is gone: nothing can be called on it, and events are missed. */
    void (*lost)(void *userdata);
    void (*event)(void *userdata, const HypervisorEvent *event);
    /* Told after connected() and lost(); `before` is the status before the change. */
    void (*changed)(void *userdata, ConnectionChanges changes, Status before);
    /* LanePoolCallbacks. */
    void (*hanging)(void *userdata, const Call *call, uint64_t since);
    void (*returned)(void *userdata, const Call *call, bool answered);
    /* No thread is left after connection_stop(). */
    void (*stopped)(void *userdata);
} ConnectionListener;

/* `error` is NULL where the hypervisor is there. */
typedef void (*ConnectionDone)(void *userdata, const Error *error);

Connection *connection_new(struct sd_event *event, LoopQueue *loop_queue, const char *uri,
                           const ConnectionListener *listener, void *userdata);
/*
 * Begin to connect; a negative errno where the PID files cannot be watched. `pid_files`:
 * NULL-terminated, or NULL for those of libvirt's daemons.
 */
int connection_start(Connection *connection, const char *const *pid_files);
/* Answer all who wait, and close; the listener's stopped() tells the end. */
void connection_stop(Connection *connection);
/* No thread may be left. */
void connection_free(Connection *connection);

/* The lanes; they live as long as the connection. */
LanePool *connection_lane_pool(const Connection *connection);
const ConnectionState *connection_state(const Connection *connection);
/* The number of the attempt that made the connection; 0: there is none. */
unsigned connection_generation(const Connection *connection);
/* How many attempts are under way. */
unsigned connection_attempts(const Connection *connection);
bool connection_is_available(const Connection *connection);

/* Join the attempt under way, or start one; may answer before it returns. */
void connection_wait(Connection *connection, Pending *pending, ConnectionDone done, void *userdata);
/* Drop the connection and make a new one. */
void connection_reconnect(Connection *connection, Pending *pending, ConnectionDone done,
                          void *userdata);
