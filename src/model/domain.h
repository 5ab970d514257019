/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The model of one libvirt domain: what we last knew of it, and what an update changes.
 *
 * Pure: no D-Bus, no libvirt, no I/O. Domains belong to the loop; updates are made by a lane and
 * handed over to the loop. A Domain is reference counted (not atomically), because an operation may
 * outlive the domain's place in the cache.
 */

#include "guest.h"
#include "hardware.h"
#include "problems.h"

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
    FACT_XML = 1 << 3, /* title, description and configuration, also that of the next start */
    FACT_MANAGED_SAVE = 1 << 4,
    FACT_SNAPSHOTS = 1 << 5, /* their number */
    FACT_FLAGS = FACT_PERSISTENT | FACT_AUTOSTART | FACT_MANAGED_SAVE | FACT_SNAPSHOTS,
    FACT_ALL = FACT_STATE | FACT_FLAGS | FACT_XML,
} DomainFacts;

/* The facts about a domain at one moment. Only the groups in `known` mean anything. */
typedef struct {
    char uuid[UUID_LENGTH + 1];
    DomainFacts known;

    /* FACT_STATE */
    char *name;
    DomainState state;
    const char *reason; /* static */
    int id;
    uint64_t started_at; /* 0: nothing new is known */

    bool persistent; /* FACT_PERSISTENT */
    bool autostart;  /* FACT_AUTOSTART */

    bool has_managed_save;   /* FACT_MANAGED_SAVE */
    uint32_t snapshot_count; /* FACT_SNAPSHOTS */
    bool has_snapshots;      /* there are some, not counted yet: belongs to no group */

    /* FACT_XML */
    char *title;
    char *description;
    DomainConfig config;
    bool is_active;
    bool has_next; /* the configuration of an active domain was read, too */
    DomainConfig next;
} DomainUpdate;

DomainUpdate *domain_update_new(const char *uuid);
void domain_update_free(DomainUpdate *update);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DomainUpdate, domain_update_free)

/* Move what `from` knows of the XML into `to`. */
void domain_update_take_xml(DomainUpdate *to, DomainUpdate *from);

/* The difference that the next start will make. */
typedef struct {
    DomainChanges properties; /* of the configuration; never 0 */
    DomainConfig config;
} DomainNext;

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
    uint64_t started_at; /* µs since the epoch; 0: it is off, or that is not known */
    GPtrArray *problems; /* problems.h */
    DomainConfig config;
    DomainNext *next; /* NULL: nothing */
    Guest guest;

    DomainState state;
    uint64_t booted_at; /* monotonic, µs: when a boot of this run was seen to begin; 0: never */
    uint64_t begun_memory_bytes; /* what the configuration said when this run began; 0: unknown */
    DomainFacts known;           /* what has ever been learnt */
    DomainChanges unsignaled;    /* changes that no signal has told yet */
} Domain;

/* A domain of which nothing but its identity is known yet. */
Domain *domain_new(const char *uuid);
Domain *domain_ref(Domain *domain);
void domain_unref(Domain *domain);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Domain, domain_unref)

/*
 * Take over what the update knows (its strings are moved out of it) and return what that changed,
 * which is also added to `unsignaled`, as by all functions below.
 *
 * A domain that goes off loses what only one that runs has: its start, its problems, the properties
 * of the guest and what is pending. One that runs on after a pause loses its problems, too.
 */
DomainChanges domain_apply(Domain *domain, DomainUpdate *update);
/*
 * Which facts of the update's FACT_STATE and FACT_FLAGS differ from what is known, or have to be
 * read again in any case.
 */
DomainFacts domain_compare(const Domain *domain, const DomainUpdate *update);
void domain_set_available(Domain *domain, bool available);
void domain_set_job(Domain *domain, uint64_t number);
/* target -> uint64_t * */
void domain_set_capacities(Domain *domain, GHashTable *capacities);
/* The storage job of a disk; 0: none. */
void domain_set_disk_job(Domain *domain, const char *target, uint64_t number);

/* One row a kind and device: a problem that is there already changes nothing. */
void domain_add_problem(Domain *domain, const Problem *problem);
/* The device may be NULL: of any. */
void domain_remove_problem(Domain *domain, ProblemKind kind, const char *device);
void domain_end_problems(Domain *domain, ProblemsEnd end);

/* Facts from the guest or the networks, moved out of `update`. Ignored while the domain is off. */
void domain_apply_guest(Domain *domain, GuestUpdate *update);

const char *domain_state_name(DomainState state);
bool domain_state_is_down(DomainState state);

/*
 * Canonical lower case with dashes, from any spelling that libvirt accepts: in capitals, with
 * blanks around it, with dashes anywhere or nowhere. False where `text` is no UUID.
 */
bool domain_uuid_parse(const char *text, char uuid[static UUID_LENGTH + 1]);
