/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A call to libvirt, as the lane pool carries it, and the rules of each class of calls.
 *
 * A call that has not returned after CALL_HANGS_AFTER hangs: it goes on, but is no longer counted
 * against its class, so that hanging domains cannot take all places of a class from the others.
 */

#include "domain.h"
#include "hypervisor.h"
#include "verb.h"

#include <sys/types.h>

/* In the order in which they are sent. */
typedef enum {
    CALL_FORCE,       /* waits for no other call, and a lane is kept for it */
    CALL_ACPI,        /* presses the power button while a request to the guest's agent hangs */
    CALL_QUICK,       /* the service's own, quick, and wanted at once */
    CALL_JOB_CONTROL, /* about a long call that is under way: to end it, and to learn its outcome */
    CALL_OPERATION,   /* a step of an operation: never refused */
    CALL_CHANGE,      /* any other change of a domain */
    CALL_LONG,        /* takes as long as it takes to move or to save a guest's memory */
    CALL_READ,        /* a client's */
    CALL_XML,      /* a domain's XML, with TRAIT_XML_WAITS; else the schedule makes it CALL_READ */
    CALL_GUEST,    /* as slow as the agent in a guest: nothing else of its domain waits for it */
    CALL_DISPLAY,  /* asks the guest's process for what it shows: likewise */
    CALL_PROGRESS, /* how far a long call is: nobody waits for it */
    CALL_STATS,    /* of many domains at once */
    CALL_HOST,     /* about the host: of no domain */
    CALL_SIZES,    /* nobody waits for it */
    _CALL_CLASS_MAX,
} CallClass;

/* Of one domain there is at most one call of a track under way. */
typedef enum {
    TRACK_NONE, /* as many as come */
    TRACK_READ, /* needs the domain's lock and nothing else: if it hangs, somebody holds the lock */
    TRACK_XML,  /* waits for other jobs of the domain after the lock, too: TRAIT_XML_WAITS */
    TRACK_CHANGE,
    TRACK_LONG,
    TRACK_GUEST,
    TRACK_DISPLAY,
    TRACK_PROGRESS,
    TRACK_SIZES,
    _TRACK_MAX,
} CallTrack;

/* Classes that share places. */
typedef enum {
    CALL_GROUP_URGENT,
    CALL_GROUP_CHANGE,
    CALL_GROUP_READ,
    CALL_GROUP_GUEST, /* what depends on a guest's agent or process, or on the host's disks and
                         devices */
    _CALL_GROUP_MAX,
} CallGroup;

typedef struct {
    unsigned max;       /* calls of the group under way, those that hang included */
    unsigned total_max; /* none is begun with so many calls of all groups under way */
    /* None is begun either with `others_max` calls under way outside of the group `kept_for`, which
     * so has the other places for itself. */
    CallGroup kept_for;
    unsigned others_max;
} CallGroupRules;

typedef struct {
    const char *name;
    CallGroup group;
    CallTrack track;
    unsigned limit;    /* calls under way, without those that hang */
    unsigned per_user; /* so many may wait for each user; 0: any number */
    bool is_slow;      /* it takes long by nature, and hangs only where its domain does */
} CallRules;

extern const CallGroupRules call_group_rules[_CALL_GROUP_MAX];
extern const CallRules call_rules[_CALL_CLASS_MAX];

/* libvirt's function for this verb: a Call's `name`. */
const char *call_name_of_verb(DomainVerb verb);

#define CALL_HANGS_AFTER UINT64_C(300000)

typedef struct Call Call;

/* On a lane: make the call; false with `error` set where it failed. */
typedef bool (*CallWork)(Call *call, Hypervisor *h, Error **error);

typedef enum {
    CALL_NEW,
    CALL_WAITING,
    CALL_RUNNING,
    CALL_HANGING,
} CallState;

/* Embed it as the first member of what the call needs and returns. Filled with zeros except for: */
struct Call {
    CallClass class;
    const char *name;          /* libvirt's function that may take long; static */
    char key[UUID_LENGTH + 1]; /* the domain, or "" */
    uid_t uid;                 /* for whom; the service's own calls are root's */
    bool with_xml;             /* it reads XML, among others or of many domains */
    bool stops_others;         /* while it waits for the domain's lock, libvirt serves nobody */
    CallWork work;
    /*
     * On the loop, exactly once. For OUTCOME_LOST and OUTCOME_UNSENT the lane may still be busy
     * with the call: nothing but what the loop itself put in may be read.
     */
    void (*done)(Call *call, CallOutcome outcome, const Error *error);
    /* On the loop, when nobody uses it any more. NULL: g_free(). */
    void (*free)(Call *call);
    /* Its place among those that wait: 0, or the `order` of the call that this one repeats. */
    uint64_t order;

    /* The lane pool's. */
    gint gate;     /* atomic: a Gate */
    gint had_lock; /* atomic; CALL_XML: the domain's lock could be taken */
    bool told;
    bool succeeded;
    bool connection_died;
    Error *error;
    void *slot;

    /* The schedule's. */
    CallState state;
    bool was_likely_to_hang;   /* when it was begun, by what was under way about its domain */
    bool waits_for_process;    /* CALL_XML: it hangs after it got the domain's lock */
    struct CallDomain *domain; /* of `key`, while it waits or is under way */
    struct CallUser *user;     /* while it waits */
};

/* The track whose calls wait while this call hangs. A read of XML that has not got the domain's
 * lock hangs as any other read does: TRACK_READ. */
CallTrack call_track_of_hang(const Call *call);
