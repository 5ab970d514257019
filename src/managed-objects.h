/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * GetManagedObjects, written straight from the vtables.
 *
 * It says exactly what sd-bus would answer, but spares the look-up of every object by its path and
 * of every vtable for each object. Belongs to the loop.
 */

#include <systemd/sd-bus.h>

typedef struct Manager Manager;

/* An interface that all objects of a kind have. The name and the vtable are static. */
typedef struct {
    const char *name;
    const sd_bus_vtable *vtable;
} ManagedInterface;

/* Answer for the root object; to be registered before its object manager is. */
int managed_objects_register(Manager *m);
