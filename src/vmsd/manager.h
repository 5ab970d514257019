/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The whole: the loop, the bus, the cache of domains, and what keeps it true.
 *
 * Everything in here belongs to the loop's thread. The cache is changed by manager-cache.c alone;
 * whatever changes is signalled at the end of the loop's turn, or before the next reply.
 */

#include "authorize.h"
#include "availability.h"
#include "consoles.h"
#include "daemon-watch.h"
#include "disk-sizes.h"
#include "job.h"
#include "lane-pool.h"
#include "object-server.h"
#include "refresher.h"
#include "request.h"
#include "stats.h"

#include <systemd/sd-bus.h>

#define MANAGER_PROPERTIES(X)                                                                      \
    X(AVAILABLE, "Available")                                                                      \
    X(STATUS, "Status")                                                                            \
    X(STATUS_MESSAGE, "StatusMessage")                                                             \
    X(STATUS_SINCE, "StatusSince")                                                                 \
    X(HOSTNAME, "Hostname")                                                                        \
    X(HYPERVISOR_TYPE, "HypervisorType")                                                           \
    X(HYPERVISOR_VERSION, "HypervisorVersion")                                                     \
    X(LIBVIRT_VERSION, "LibvirtVersion")

enum {
#define X(symbol, name) MANAGER_PROPERTY_##symbol,
    MANAGER_PROPERTIES(X)
#undef X
        _MANAGER_PROPERTY_MAX,
};

#define MANAGER_CHANGED(symbol) (1U << MANAGER_PROPERTY_##symbol)

typedef struct {
    const char *address;  /* NULL: */
    bool session;         /* the session bus, else the system bus */
    const char *bus_name; /* "org.unraid.Vms" and what --name makes of it */
    const char *instance; /* NULL for the main one */
    const char *uri;
    char **pid_files; /* NULL: libvirt's usual ones */
    uint64_t stop_timeout_usec;
} ManagerConfig;

/* The types are those that sd-bus reads at an offset. */
struct Manager {
    sd_event *event;
    sd_bus *bus;
    GPtrArray *slots; /* sd_bus_slot: the objects on the bus */
    RawMessenger *raw_messenger;
    GPtrArray *domain_interfaces; /* ObjectInterface of every domain */
    GPtrArray *job_interfaces;
    const ObjectProperty *domain_properties[_DOMAIN_PROPERTY_MAX]; /* of those interfaces */

    const char *version;
    char *bus_name;
    char *uri;
    char *instance;
    uint64_t stop_timeout_usec;
    int available;
    const char *status_name;
    char *status_message;
    uint64_t status_since;
    HypervisorIdentity identity;
    unsigned unsignaled;

    LoopQueue *loop_queue;
    LanePool *lane_pool;
    Availability *availability;
    sd_event_source *availability_timer;
    sd_event_source *reconcile_timer;
    sd_event_source *flush_source;
    DaemonWatch *pidfiles;
    Refresher *refresher;
    DiskSizes *capacities;
    Authorizer *authorizer;
    Jobs *jobs;
    Requests *requests;
    Stats *stats;
    Consoles *consoles;

    GHashTable *domains; /* uuid (of the domain) -> Domain */
    bool adopting_first; /* the list that fills an empty cache is being applied */
    unsigned read_since_trim;
    GPtrArray *dirty;         /* domains with something to signal */
    ConnectResult *attempted; /* the attempt that is being adopted, else NULL */
    /* Events of connections that are not adopted yet: attempt -> the UUIDs. */
    GHashTable *early;

    Call *listing;           /* the list of all domains that is under way */
    GPtrArray *list_waiters; /* requests that it answers */
    GPtrArray *list_next;    /* requests that came after it was sent */
    unsigned count_next;     /* whose snapshots the next reconciliation counts */
    sd_event_source *list_timer;
    bool stopping;
    size_t incoming_bytes; /* of the message that is handled now */
    bool lane_pool_stopped;
    sd_event_source *stop_timer;
};

/* SIGTERM and SIGINT have to be blocked. NULL with an error to show where it cannot start. */
Manager *manager_new(const ManagerConfig *config, Error **error);
/* Until SIGTERM or SIGINT; a negative errno where the bus or the loop broke. */
int manager_run(Manager *m);
void manager_free(Manager *m);
void manager_abandon(Manager *m);

uint64_t manager_now(Manager *m);

/* --- manager-cache.c: the domains, and what they signal */

Domain *manager_find_domain(Manager *m, const char *uuid);
Domain *manager_find_domain_by_name(Manager *m, const char *name);
/* Ordered by the bytes of the name; the array owns references. */
GPtrArray *manager_sorted_domains(Manager *m);
/* Say what changed of the domain at the end of this turn. */
void manager_domain_changed(Manager *m, Domain *domain);
/* Say now what changed of anything; before every reply. */
void manager_flush(Manager *m);
void manager_set_domains_available(Manager *m, bool available);
/* What "systemctl status" says: connected to what, with how many domains, or why not. */
void manager_tell_systemd(const Manager *m);
/* Take over a complete list, made on a connection that nothing else was asked on yet. */
void manager_apply_list(Manager *m, GPtrArray *snapshots);
/*
 * Mark what differs from the list as stale; the UUIDs of what did. That includes domains whose
 * snapshots have to be counted, one by one: all, or as many as a reconciliation may, in turns.
 */
GHashTable *manager_compare_list(Manager *m, GPtrArray *snapshots, bool count_all);
extern const RefreshCallbacks manager_refresh_callbacks;

/* --- manager-connection.c: the availability engine's effects */

int manager_start_connection(Manager *m, const ManagerConfig *config);
extern const LanePoolCallbacks manager_lane_pool_callbacks;

/* --- manager-list.c: the list of all domains, shared by everybody who asks at the same time */

int manager_list_init(Manager *m);
void manager_list_done(Manager *m);
/* A RequestStep: answer with the list of all domains. */
void manager_list(Request *request);
void manager_list_forget(Manager *m, Request *request);
void manager_reconcile(Manager *m);

/* --- the faces on the bus */

/* For handlers: whose object the message is handled for. */
Manager *manager_of(sd_bus_message *message);
int manager_bus_register(Manager *m);
/* One more interface on every domain; the vtable's userdata is the Domain. */
int domain_bus_add_interface(Manager *m, const char *interface, const sd_bus_vtable *vtable,
                             const PropertyWriter *values);
int domain_bus_register(Manager *m);
int display_bus_register(Manager *m);
int config_bus_register(Manager *m);
int guest_bus_register(Manager *m);
/* The handler of the Manager's GetStats. */
int stats_bus_get(sd_bus_message *message, void *userdata, sd_bus_error *error);
int job_bus_register(Manager *m);
int saved_bus_register(Manager *m);
int snapshots_bus_register(Manager *m);
int migration_bus_register(Manager *m);

/* A method of a domain, as its handler has parsed it. */
typedef struct {
    RequestKind kind;
    const char *verb;
    uint64_t actions; /* ACTION_BIT()s; 0: a read */
    RequestStep run;
    void *args;
    GDestroyNotify free_args;
} DomainRequest;

/* Returns what the vtable's handler has to; takes over the arguments. */
int domain_bus_request(sd_bus_message *message, const Domain *domain, const DomainRequest *what,
                       sd_bus_error *error);
/* The same for an operation that is one long call; replies with its job. Copies the payload. */
int domain_bus_long_operation(sd_bus_message *message, const Domain *domain, OperationKind kind,
                              const OperationPayload *payload, sd_bus_error *error);
/* Emit InterfacesAdded, and PropertiesChanged for what the mask names; 0 or a negative errno. */
int domain_bus_emit_added(Manager *m, Domain *domain);
int domain_bus_emit_changed(Manager *m, Domain *domain, DomainChanges changed);
