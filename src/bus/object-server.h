/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * GetManagedObjects, InterfacesAdded, PropertiesChanged and Get of the domains, written by hand.
 *
 * They say exactly what sd-bus would by the same vtables, but spare the look-up of every object by
 * its path and of every vtable for each object, and the calls that append a value. Belongs to the
 * loop.
 */

#include "raw-message.h"

#include <glib.h>
#include <systemd/sd-bus.h>

typedef struct Manager Manager;

/* Write what a property of the object is. */
typedef void (*WirePut)(Wire *wire, const void *object);

/* Of a property that is not simply read at an offset; object_server_get() is its getter. */
typedef struct {
    const char *name; /* NULL at the end of a table */
    WirePut put;
} PropertyWriter;

typedef struct {
    const char *interface;
    const char *name;
    const char *signature;
    size_t offset;
    WirePut put; /* NULL: it is at the offset */
    Wire head;   /* what comes before the value in "{sv}" */
} ObjectProperty;

/* An interface that all objects of a kind have; all names are static. */
typedef struct {
    const char *name;
    Wire head;          /* the name in "{sa{sv}}" */
    GArray *properties; /* ObjectProperty, as in the vtable */
} ObjectInterface;

/* `values` may be NULL. The interface is the array's. */
const ObjectInterface *object_interface_add(GPtrArray *interfaces, const char *name,
                                            const sd_bus_vtable *vtable,
                                            const PropertyWriter *values);
void object_interface_free(gpointer interface);
/* NULL if there is none. */
const ObjectProperty *object_interface_property(const ObjectInterface *interface, const char *name);

/* sd_bus_property_get_t, where sd-bus itself asks: userdata of the slot is the Manager. */
int object_server_get(sd_bus *bus, const char *path, const char *interface, const char *name,
                      sd_bus_message *reply, void *object, sd_bus_error *error);

/*
 * Answer for the root object, and Get for every domain; to be registered before the root's object
 * manager is.
 */
int object_server_register(Manager *m);

/* InterfacesAdded of the root object, for one that has these ManagedInterfaces. */
int object_server_emit_added(Manager *m, const char *path, const GPtrArray *interfaces,
                             const void *object);
/* PropertiesChanged of these properties of one interface: at least one, and NULL at the end. */
int object_server_emit_changed(Manager *m, const char *path,
                               const ObjectProperty *const *properties, const void *object);
