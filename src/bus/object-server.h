/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The objects on the bus: which interfaces the objects of a kind have, and how what they say is
 * written.
 *
 * Each kind of object (the root, a domain, a job) is registered once with tables of its properties
 * and methods (property.h, method.h). sd-bus dispatches and introspects by vtables that are made
 * from these tables; reading properties, GetManagedObjects, and the signals are written here, which
 * spares a look-up of every object by its path and of every vtable for each object. Belongs to the
 * loop.
 */

#include "method.h"
#include "object-path.h"
#include "property.h"
#include "raw-message.h"
#include "replies.h"

typedef struct ObjectServer ObjectServer;
typedef struct ObjectKind ObjectKind;

typedef struct {
    const char *name; /* NULL at the end of a table */
    const char *signature;
    const char *names; /* of the arguments, each with a NUL behind it */
} Signal;

/* All of it is static; a table that is NULL has no rows. */
typedef struct {
    const char *name;
    const Property *properties;
    const Method *methods; /* the last row has no name */
    const Signal *signals;
} Interface;

typedef struct {
    ObjectPath path;
    const void *object;
} ObjectEntry;

/* The objects of a kind; the functions get the `userdata` of object_server_add_kind(). */
typedef struct {
    const char *path;                   /* of the one object, or of the node above all of them */
    bool is_node;                       /* the objects are below `path` */
    const Interface *const *interfaces; /* NULL-terminated */
    /* NULL where there is no such object. */
    void *(*find)(void *userdata, const char *path);
    /* ObjectEntry of each object; NULL for a single one. */
    GArray *(*list)(void *userdata);
} ObjectKindSpec;

/* Handle a call of `method`: the vtable's handler. */
typedef int (*MethodHandler)(void *userdata, const Method *method, sd_bus_message *message,
                             void *object, sd_bus_error *error);
/* Signal first what has changed: what is read must have been signalled. */
typedef void (*ObjectFlush)(void *userdata);

/* They stay the caller's. */
typedef struct {
    sd_bus *bus;
    RawMessenger *messenger; /* for signals */
    Replies *replies;
    MethodHandler handle;
    ObjectFlush flush;
    void *userdata; /* of the functions */
} ObjectServerParts;

int object_server_new(const ObjectServerParts *parts, ObjectServer **ret);
void object_server_free(ObjectServer *server);

/*
 * `spec` is static. The kind stays the server's. The root object, which manages the others, is the
 * first one.
 */
int object_server_add_kind(ObjectServer *server, const ObjectKindSpec *spec, void *userdata,
                           ObjectKind **ret);

/* InterfacesAdded and InterfacesRemoved of the root object. `find` has to find the object during
 * both calls. */
int object_server_emit_added(ObjectKind *kind, const char *path, const void *object);
int object_server_emit_removed(ObjectKind *kind, const char *path);
/* InterfacesRemoved, and InterfacesAdded unless the object is gone: corrects clients that may have
 * missed a signal. */
int object_server_emit_again(ObjectKind *kind, const char *path);
/* PropertiesChanged of the properties that the mask names, one signal for each interface. */
int object_server_emit_changed(ObjectKind *kind, const char *path, const void *object,
                               uint64_t changes);
