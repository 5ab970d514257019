/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A copy of all objects that the service publishes, read at once and then updated from its signals.
 * Only inventory_load() makes a call. What the functions return belongs to the inventory, until its
 * next change.
 */
#pragma once

#include "client.h"

typedef struct Inventory Inventory;

Inventory *inventory_new(void);
void inventory_free(Inventory *inventory);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Inventory, inventory_free)

/* Replaces the contents with the reply of GetManagedObjects. */
bool inventory_load(Inventory *inventory, Client *client, GError **error);
/* The same from the reply's body. */
void inventory_replace(Inventory *inventory, GVariant *managed_objects);

/* One interface of an object, from its PROPERTIES (a{sv}). */
void inventory_add(Inventory *inventory, const char *path, const char *interface,
                   GVariant *properties);

/* Bodies of the signals of the same names. */
void inventory_interfaces_added(Inventory *inventory, GVariant *body);
void inventory_interfaces_removed(Inventory *inventory, GVariant *body);
void inventory_properties_changed(Inventory *inventory, const char *path, GVariant *body);

/* Paths below PREFIX, the VMs ordered by the bytes of their names, all others by path. */
GPtrArray *inventory_paths(const Inventory *inventory, const char *prefix);

bool inventory_has(const Inventory *inventory, const char *path, const char *interface);

/* NULL, false or 0 where there is no such property, or one of another type. */
GVariant *inventory_get(const Inventory *inventory, const char *path, const char *interface,
                        const char *property);
const char *inventory_string(const Inventory *inventory, const char *path, const char *interface,
                             const char *property);
bool inventory_bool(const Inventory *inventory, const char *path, const char *interface,
                    const char *property);
guint64 inventory_u64(const Inventory *inventory, const char *path, const char *interface,
                      const char *property);

/* The object as {"Path": …, "Domain": {…}, …}: its properties by the last word of the interface. */
GVariant *inventory_describe(const Inventory *inventory, const char *path);
/* An array of them, in the order of PATHS. */
GVariant *inventory_describe_all(const Inventory *inventory, const GPtrArray *paths);

/* The name of the VM at PATH, or the path where it is not known. */
const char *inventory_vm_name(const Inventory *inventory, const char *path);
/* The hypervisor's id of the VM at PATH; -1 while it is not active, or where it is not known. */
int inventory_vm_id(const Inventory *inventory, const char *path);
