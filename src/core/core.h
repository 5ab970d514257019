/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The core: the parts that keep the published state true and carry operations out, and the order in
 * which they follow one another. It knows neither D-Bus nor the process that it runs in.
 *
 * core.c tells what happens when the connection comes and goes, when an event arrives, and when a
 * domain has been refreshed. Belongs to the loop.
 */

#include "connection.h"
#include "consoles.h"
#include "domain-watch.h"
#include "host.h"
#include "job.h"
#include "lister.h"
#include "stats.h"
#include "storage-job.h"
#include "unresponsive.h"
#include "usage.h"

struct sd_event;

/* Each change is told once, and before the reply to the call that caused it. */
typedef struct {
    CacheListener domains;
    JobListener jobs;
    /* The status of the connection, or what it is connected to; core_describe() may differ, too. */
    void (*connection_changed)(void *userdata, ConnectionChanges changes);
    HostChanged host_changed;
    /* All connections are closed after core_stop(). */
    void (*stopped)(void *userdata);
} CoreListener;

typedef struct Core {
    char *uri;
    Connection *connection;
    LanePool *lane_pool; /* the connection's */
    Cache *cache;
    Unresponsive *unresponsive;
    Refresher *refresher;
    Lister *lister;
    JobObjects *job_objects;
    Jobs *jobs;
    StorageJobs *storage_jobs;
    Stats *stats;
    Usage *usage;
    Host *host;
    Consoles *consoles;
    DomainWatches *watches;
    struct CorePrivate *private;
} Core;

/*
 * Starts libvirt's library. NULL with an error where that fails. With `guest_info` the guests are
 * asked for what the properties of Guest tell.
 */
Core *core_new(struct sd_event *event, const char *uri, bool guest_info,
               const CoreListener *listener, void *userdata, Error **error);
/* Begin to connect; `pid_files` as for connection_start(). A negative errno. */
int core_start(Core *core, const char *const *pid_files);
/* End all jobs, so that those who wait for them hear from them. */
void core_stop_jobs(Core *core);
/* End the consoles and connections; the listener's stopped() tells the end. core_stop_jobs() comes
 * first. */
void core_stop(Core *core);
bool core_is_stopped(const Core *core);
/* After core_is_stopped(), or before core_start(). */
void core_free(Core *core);

/* One line for "systemctl status": connected to which hypervisor, or why not. */
char *core_describe(const Core *core);
