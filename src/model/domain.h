/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The model of one libvirt domain: what we last knew of it, and what a newer snapshot changes.
 *
 * Pure: no D-Bus, no libvirt, no I/O. Domains belong to the loop; snapshots are made by a worker
 * and handed over to the loop. A Domain is reference counted (not atomically), because an operation
 * may outlive the domain's place in the cache.
 */

#include "hardware.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define UUID_LENGTH 36

/* The numbers are libvirt's virDomainState, which are part of its ABI. */
typedef enum {
    DOMAIN_NOSTATE,
    DOMAIN_RUNNING,
    DOMAIN_IDLE,
    DOMAIN_PAUSED,
    DOMAIN_SHUTDOWN,
    DOMAIN_SHUTOFF,
    DOMAIN_CRASHED,
    DOMAIN_PMSUSPENDED,
    _DOMAIN_STATE_MAX,
} DomainState;

/* Groups of facts that are asked for, and become stale, together. */
typedef enum {
    FACT_STATE = 1 << 0, /* name, state, reason, id */
    FACT_PERSISTENT = 1 << 1,
    FACT_AUTOSTART = 1 << 2,
    FACT_XML = 1 << 3, /* title, description and what else the XML says */
    FACT_MANAGED_SAVE = 1 << 4,
    FACT_SNAPSHOTS = 1 << 5, /* their number */
    FACT_FLAGS = FACT_PERSISTENT | FACT_AUTOSTART | FACT_MANAGED_SAVE | FACT_SNAPSHOTS,
    FACT_ALL = FACT_STATE | FACT_FLAGS | FACT_XML,
} DomainFacts;

/* What a client can see change: a bit each in DomainChanges. */
#define DOMAIN_PROPERTIES(X)                                                                       \
    X(NAME)                                                                                        \
    X(TITLE)                                                                                       \
    X(DESCRIPTION)                                                                                 \
    X(STATE)                                                                                       \
    X(STATE_REASON)                                                                                \
    X(ID)                                                                                          \
    X(PERSISTENT)                                                                                  \
    X(AUTOSTART)                                                                                   \
    X(AVAILABLE)                                                                                   \
    X(JOB)                                                                                         \
    X(GRAPHICS)                                                                                    \
    X(HAS_MANAGED_SAVE)                                                                            \
    X(SNAPSHOT_COUNT)                                                                              \
    X(VCPUS)                                                                                       \
    X(MAX_VCPUS)                                                                                   \
    X(MEMORY_BYTES)                                                                                \
    X(MAX_MEMORY_BYTES)                                                                            \
    X(OS_TYPE)                                                                                     \
    X(TEMPLATE)                                                                                    \
    X(DISKS)                                                                                       \
    X(NICS)                                                                                        \
    X(AGENT_CONNECTED)

enum {
#define X(symbol) DOMAIN_PROPERTY_##symbol,
    DOMAIN_PROPERTIES(X)
#undef X
        _DOMAIN_PROPERTY_MAX,
};

#define DOMAIN_CHANGED(symbol) (UINT64_C(1) << DOMAIN_PROPERTY_##symbol)

/* What was found out about a domain at one moment. Only the groups in `known` mean anything. */
typedef struct {
    char uuid[UUID_LENGTH + 1];
    DomainFacts known;

    /* FACT_STATE */
    char *name;
    DomainState state;
    const char *reason; /* static */
    int id;

    bool persistent; /* FACT_PERSISTENT */
    bool autostart;  /* FACT_AUTOSTART */

    bool has_managed_save;   /* FACT_MANAGED_SAVE */
    uint32_t snapshot_count; /* FACT_SNAPSHOTS */
    bool has_snapshots;      /* there are some, but nobody has counted them: no group */

    /* FACT_XML */
    char *title;
    char *description;
    DomainConfig config;
} DomainUpdate;

DomainUpdate *domain_update_new(const char *uuid);
void domain_update_free(DomainUpdate *snapshot);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DomainUpdate, domain_update_free)

/* Move what `from` knows of the XML into `to`. */
void domain_update_take_xml(DomainUpdate *to, DomainUpdate *from);

/* The types are those that sd-bus reads at an offset: strings, and int for a D-Bus boolean. */
typedef struct Domain {
    unsigned n_ref;
    char *uuid;

    char *name;
    char *title;
    char *description;
    const char *state_name;
    const char *reason;
    int id;
    int persistent;
    int autostart;
    int available;
    uint64_t job; /* the number of the operation that runs; 0: none */
    int has_managed_save;
    uint32_t snapshot_count;
    DomainConfig config;

    DomainState state;
    DomainFacts known;   /* what has ever been learnt */
    uint64_t unsignaled; /* changes that no signal has told yet */
    bool queued;         /* to be signalled at the end of this turn of the loop */
} Domain;

/* A domain of which nothing but its identity is known yet. */
Domain *domain_new(const char *uuid);
Domain *domain_ref(Domain *domain);
void domain_unref(Domain *domain);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Domain, domain_unref)

/*
 * Take over what the snapshot knows (its strings are moved out of it) and return the mask of what
 * that changed, which is also added to `unsignaled`.
 */
uint64_t domain_apply(Domain *domain, DomainUpdate *snapshot);
/*
 * Which facts of the snapshot's FACT_STATE and FACT_FLAGS differ from what is known, or have to be
 * looked at because they must.
 */
DomainFacts domain_compare(const Domain *domain, const DomainUpdate *snapshot);
void domain_set_available(Domain *domain, bool available);
void domain_set_job(Domain *domain, uint64_t number);

const char *domain_state_name(DomainState state);
bool domain_state_is_down(DomainState state);

/*
 * Canonical lower case with dashes, from any spelling that libvirt accepts: in capitals, with
 * blanks around it, with dashes anywhere or nowhere. False where `text` is no UUID.
 */
bool domain_uuid_parse(const char *text, char uuid[static UUID_LENGTH + 1]);
