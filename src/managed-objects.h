/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * GetManagedObjects, InterfacesAdded, PropertiesChanged and Get, written straight from the vtables.
 *
 * They say exactly what sd-bus would, but spare the look-up of every object by its path and of
 * every vtable for each object. Belongs to the loop.
 */

#include <glib.h>
#include <systemd/sd-bus.h>

typedef struct Manager Manager;

/* An interface that all objects of a kind have. The name and the vtable are static. */
typedef struct {
    const char *name;
    const sd_bus_vtable *vtable;
} ManagedInterface;

/* The entry of its vtable, or NULL. */
const sd_bus_vtable *managed_interface_property(const ManagedInterface *interface,
                                                const char *name);

/*
 * Answer for the root object, and Get for every domain; to be registered before the root's object
 * manager is.
 */
int managed_objects_register(Manager *m);

/* InterfacesAdded of the root object, for one that has these ManagedInterfaces. */
int managed_objects_emit_added(sd_bus *bus, const char *path, const GArray *interfaces,
                               void *object);
/* PropertiesChanged of these properties of an interface: entries of its vtable, NULL at the end. */
int managed_objects_emit_changed(sd_bus *bus, const char *path, const char *interface,
                                 const sd_bus_vtable *const *entries, void *object);
