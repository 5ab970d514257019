/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * libvirt, as plain C: the only module that knows its headers.
 *
 * A Hypervisor is one connection. It carries one call at a time and belongs to the lane (thread)
 * that opened it: every function that takes one is called on that thread only, may block for as
 * long as libvirt does, and reports failures with libvirt's own words. Events arrive on libvirt's
 * event thread, which does nothing but hand them on.
 */

#include "availability.h"
#include "domain.h"
#include "error.h"
#include "operation-spec.h"
#include "verb.h"

typedef struct Hypervisor Hypervisor;

/* What the connected hypervisor is. */
typedef struct {
    char *hostname;
    char *type;
    char *version;
    char *libvirt_version;
} HypervisorIdentity;

void hypervisor_identity_clear(HypervisorIdentity *identity);

/* What became of a device that a guest was asked to let go. */
typedef enum {
    DEVICE_NONE, /* the event is about no device */
    DEVICE_REMOVED,
    DEVICE_KEPT, /* the guest said no */
} DeviceEvent;

/*
 * Something happened to a domain. libvirt has no event for some of what changes beside, so all that
 * is known of it is stale. The event is the receiver's to g_free().
 */
typedef struct {
    void *userdata;
    unsigned generation;
    char uuid[UUID_LENGTH + 1];
    bool rebooted;
    DeviceEvent device_news;
    char device[]; /* its alias */
} HypervisorEvent;

/* The connection has closed by itself; `message` says how. Free it with g_free(). */
typedef struct {
    void *userdata;
    unsigned generation;
    const char *message; /* static */
} HypervisorLoss;

/* Both are called on any thread, under libvirt's locks: they may only post. */
typedef struct {
    void (*event)(HypervisorEvent *event);
    void (*lost)(HypervisorLoss *loss);
} HypervisorWatcher;

/* Start libvirt and its event thread; stop it when all connections are closed. Main thread. */
bool hypervisor_library_start(Error **error);
void hypervisor_library_stop(void);

/* Whether the driver is libvirt's embedded test driver, where every connection may be a world. */
bool hypervisor_uri_is_test(const char *uri);

/* virConnectOpen() and keepalive. On failure `*why` says which Status that makes. */
Hypervisor *hypervisor_open(const char *uri, Status *why, Error **error);
/* Report events and the loss of this connection as `generation`, until it is closed. */
bool hypervisor_watch(Hypervisor *h, const HypervisorWatcher *watcher, void *userdata,
                      unsigned generation, Error **error);
void hypervisor_close(Hypervisor *h);
/* Free what the calls so far have left behind: once their result has been handed over. */
void hypervisor_free_deferred(Hypervisor *h);
/* Never from an error's text: virConnectIsAlive(). */
bool hypervisor_is_alive(Hypervisor *h);

/*
 * A change goes through this gate right before it is sent: a gate that was closed from outside
 * keeps it from being sent, one that it went through tells that it may have been carried out.
 */
typedef enum {
    GATE_OPEN,
    GATE_PASSED,
    GATE_CLOSED,
} Gate;

void hypervisor_set_gate(Hypervisor *h, gint *gate);

/* Reads. Arrays own their elements; strings are the caller's. */
bool hypervisor_identify(Hypervisor *h, HypervisorIdentity *ret, Error **error);
/*
 * Every domain's FACT_STATE and FACT_FLAGS, in a constant number of round trips; but FACT_SNAPSHOTS
 * only of those that have none: the others' `has_snapshots` is true.
 */
GPtrArray *hypervisor_list(Hypervisor *h, Error **error);
/* FACT_STATE of those of the NULL-terminated `uuids` that exist, in one round trip. */
GPtrArray *hypervisor_read_states(Hypervisor *h, const char *const *uuids, Error **error);
/* More facts about one domain, a round trip each, added to `snapshot`. */
bool hypervisor_read_facts(Hypervisor *h, DomainFacts facts, DomainUpdate *snapshot, Error **error);
/* The UUID of the domain with this UUID, or else this name. */
char *hypervisor_find(Hypervisor *h, const char *name_or_uuid, Error **error);

typedef enum {
    XML_INACTIVE = 1 << 0,
    XML_SECURE = 1 << 1,
} XmlFlags;

char *hypervisor_get_xml(Hypervisor *h, const char *uuid, XmlFlags flags, Error **error);

typedef struct {
    char *name;
    int64_t created; /* s since the epoch */
    char *state;     /* the domain's, in it */
    bool current;
} SnapshotInfo;

/* The snapshots, oldest first. */
GPtrArray *hypervisor_list_snapshots(Hypervisor *h, const char *uuid, Error **error);
char *hypervisor_get_snapshot_xml(Hypervisor *h, const char *uuid, const char *name, Error **error);

/*
 * How far the long call that is under way for the domain has come, 0 to 1; -1 where there is none,
 * or libvirt does not say. False where it cannot be asked.
 */
bool hypervisor_get_progress(Hypervisor *h, const char *uuid, double *ret, Error **error);
/* What became of a long call whose connection was lost; the domain was active or off before it. */
bool hypervisor_probe(Hypervisor *h, const char *uuid, DomainVerb verb,
                      const OperationPayload *payload, bool was_active, ProbeAnswer *ret,
                      Error **error);

/* Changes. */
typedef enum {
    UNDEFINE_MANAGED_SAVE = 1 << 0,
    UNDEFINE_SNAPSHOTS_METADATA = 1 << 1,
    UNDEFINE_NVRAM = 1 << 2,
    UNDEFINE_KEEP_NVRAM = 1 << 3,
} UndefineFlags;

bool hypervisor_do(Hypervisor *h, const char *uuid, DomainVerb verb, Error **error);
/* The long calls: VERB_SAVE to VERB_MIGRATE. */
bool hypervisor_do_long(Hypervisor *h, const char *uuid, DomainVerb verb,
                        const OperationPayload *payload, Error **error);
/* Have libvirt give up the long call; InvalidState: it finds none, for it has not begun or is over.
 */
bool hypervisor_abort(Hypervisor *h, const char *uuid, Error **error);
bool hypervisor_discard_managed_save(Hypervisor *h, const char *uuid, Error **error);

typedef enum {
    SUSPEND_MEMORY,
    SUSPEND_DISK,
    SUSPEND_HYBRID,
} SuspendTarget;

/* Have the guest put itself to sleep. */
bool hypervisor_suspend(Hypervisor *h, const char *uuid, SuspendTarget target, Error **error);
bool hypervisor_set_autostart(Hypervisor *h, const char *uuid, bool autostart, Error **error);
bool hypervisor_undefine(Hypervisor *h, const char *uuid, UndefineFlags flags, Error **error);
/* Returns the UUID of what was defined. */
char *hypervisor_define(Hypervisor *h, const char *xml, Error **error);
