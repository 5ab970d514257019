/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The state of a client that asked once, GetManagedObjects (and GetAll of the root object's
 * interfaces), and then follows InterfacesAdded, InterfacesRemoved and PropertiesChanged. It keeps
 * all signals of the service in their order, and takes note of any that breaks the protocol: one
 * about an object that is not there, one that adds or removes twice, or one that says nothing new.
 */

#include "client.h"

typedef struct Signal {
    guint64 sequence; /* comparable with Call.sequence of the same client */
    gint64 usec;
    char *path;
    char *interface;
    char *member;
    char *body; /* canonical */
} Signal;

/* One property that took a value, out of a PropertiesChanged. */
typedef struct Change {
    guint64 sequence;
    char *path;
    char *interface;
    char *property;
    char *value; /* canonical */
} Change;

typedef struct Mirror {
    Client *client;
    GPtrArray *signals; /* of Signal */
    GPtrArray *changes; /* of Change */
    GPtrArray *faults;  /* of char: signals that break the protocol */
    /* private */
    GHashTable *values; /* "path interface property" or "path interface" to value */
    char *sender;
    sd_bus_slot *slot;
    bool objects_known;
} Mirror;

/* The service must own its name; availability does not matter. */
Mirror *mirror_new(Client *c);
void mirror_free(Mirror *m);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Mirror, mirror_free)

/* NULL where there is no such object or interface. */
const char *mirror_get(Mirror *m, const char *path, const char *interface, const char *property);
/* mirror_get() of the domain interface equals the value. */
bool mirror_is(Mirror *m, const char *path, const char *property, const char *value);
/* Whether the object carries the interface. */
bool mirror_has(Mirror *m, const char *path, const char *interface);

/*
 * Asks the service again, compares at the moment of the answer, and aborts with the differences and
 * with the faults of signals, if there are any.
 */
void mirror_check(Mirror *m);
/* The same as text, one line each; empty if all is well. */
char *mirror_difference(Mirror *m);

/* A place in the history, to look at what comes after it. */
guint64 mirror_mark(const Mirror *m);

/* The values that a property took after the mark, "running shutoff", in order; "" for none. */
char *mirror_history(const Mirror *m, guint64 mark, const char *path, const char *property);
/*
 * How many signals came after the mark; path and member may be NULL for any. Where both are, those
 * of the host's facts do not count: they are read by a call of their own after each connection is
 * made.
 */
guint mirror_count(const Mirror *m, guint64 mark, const char *path, const char *member);
/* The first such signal, or NULL. */
const Signal *mirror_find(const Mirror *m, guint64 mark, const char *path, const char *member);
/* The JobRemoved of a job, or NULL. Its body is: job domain operation result message. */
const Signal *mirror_job_removed(const Mirror *m, const char *job);
