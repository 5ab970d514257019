/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inventory.h"

#include <string.h>

/* path → interface → property → GVariant */
struct Inventory {
    GHashTable *objects;
};

static void
table_unref(void *data)
{
    g_hash_table_unref(data);
}

static GHashTable *
table_of_tables(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, table_unref);
}

Inventory *
inventory_new(void)
{
    Inventory *inventory = g_new0(Inventory, 1);

    inventory->objects = table_of_tables();
    return inventory;
}

void
inventory_free(Inventory *inventory)
{
    if (!inventory)
        return;
    g_hash_table_unref(inventory->objects);
    g_free(inventory);
}

static GHashTable *
ensure(GHashTable *tables, const char *key, GHashTable *(*make)(void))
{
    GHashTable *found = g_hash_table_lookup(tables, key);

    if (!found) {
        found = make();
        g_hash_table_insert(tables, g_strdup(key), found);
    }
    return found;
}

static GHashTable *
table_of_values(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_variant_unref);
}

static void
set_properties(GHashTable *properties, GVariant *changed)
{
    GVariantIter iter;
    const char *name;
    GVariant *value;

    g_variant_iter_init(&iter, changed);
    while (g_variant_iter_next(&iter, "{&sv}", &name, &value))
        g_hash_table_insert(properties, g_strdup(name), value);
}

static void
add_object(Inventory *inventory, const char *path, GVariant *interfaces)
{
    GHashTable *object = ensure(inventory->objects, path, table_of_tables);
    GVariantIter iter;
    const char *interface;
    GVariant *properties;

    g_variant_iter_init(&iter, interfaces);
    while (g_variant_iter_next(&iter, "{&s@a{sv}}", &interface, &properties)) {
        set_properties(ensure(object, interface, table_of_values), properties);
        g_variant_unref(properties);
    }
}

void
inventory_replace(Inventory *inventory, GVariant *managed_objects)
{
    g_autoptr(GVariant) objects = g_variant_get_child_value(managed_objects, 0);
    GVariantIter iter;
    const char *path;
    GVariant *interfaces;

    g_hash_table_remove_all(inventory->objects);
    g_variant_iter_init(&iter, objects);
    while (g_variant_iter_next(&iter, "{&o@a{sa{sv}}}", &path, &interfaces)) {
        add_object(inventory, path, interfaces);
        g_variant_unref(interfaces);
    }
}

bool
inventory_load(Inventory *inventory, Client *client, GError **error)
{
    g_autoptr(GVariant) reply =
        client_read(client, VMS_ROOT_PATH, "org.freedesktop.DBus.ObjectManager",
                    "GetManagedObjects", NULL, error);

    if (!reply)
        return false;
    if (!g_variant_is_of_type(reply, G_VARIANT_TYPE("(a{oa{sa{sv}}})"))) {
        failure_set(error, EXIT_FAILED, "The reply has an unknown format");
        return false;
    }
    inventory_replace(inventory, reply);
    return true;
}

void
inventory_add(Inventory *inventory, const char *path, const char *interface, GVariant *properties)
{
    GHashTable *object = ensure(inventory->objects, path, table_of_tables);

    set_properties(ensure(object, interface, table_of_values), properties);
}

void
inventory_interfaces_added(Inventory *inventory, GVariant *body)
{
    g_autoptr(GVariant) interfaces = NULL;
    const char *path;

    if (!g_variant_is_of_type(body, G_VARIANT_TYPE("(oa{sa{sv}})")))
        return;
    g_variant_get(body, "(&o@a{sa{sv}})", &path, &interfaces);
    add_object(inventory, path, interfaces);
}

void
inventory_interfaces_removed(Inventory *inventory, GVariant *body)
{
    g_autoptr(GVariantIter) interfaces = NULL;
    const char *path, *interface;

    if (!g_variant_is_of_type(body, G_VARIANT_TYPE("(oas)")))
        return;
    g_variant_get(body, "(&oas)", &path, &interfaces);

    GHashTable *object = g_hash_table_lookup(inventory->objects, path);
    if (!object)
        return;
    while (g_variant_iter_next(interfaces, "&s", &interface))
        g_hash_table_remove(object, interface);

    /* Whether the standard interfaces are listed is up to the service: an object without an
     * interface of the service's own is gone. */
    GHashTableIter left;
    void *key;
    g_hash_table_iter_init(&left, object);
    while (g_hash_table_iter_next(&left, &key, NULL))
        if (g_str_has_prefix(key, VMS_BUS_NAME))
            return;
    g_hash_table_remove(inventory->objects, path);
}

void
inventory_properties_changed(Inventory *inventory, const char *path, GVariant *body)
{
    g_autoptr(GVariant) changed = NULL;
    g_autoptr(GVariantIter) invalidated = NULL;
    const char *interface, *name;

    if (!g_variant_is_of_type(body, G_VARIANT_TYPE("(sa{sv}as)")))
        return;
    g_variant_get(body, "(&s@a{sv}as)", &interface, &changed, &invalidated);

    GHashTable *object = g_hash_table_lookup(inventory->objects, path);
    if (!object)
        return;
    GHashTable *properties = ensure(object, interface, table_of_values);
    set_properties(properties, changed);
    while (g_variant_iter_next(invalidated, "&s", &name))
        g_hash_table_remove(properties, name);
}

static int
compare_paths(const void *a, const void *b, void *data)
{
    const char *const *left = a, *const *right = b;
    const Inventory *inventory = data;
    int order = strcmp(inventory_vm_name(inventory, *left), inventory_vm_name(inventory, *right));

    return order != 0 ? order : strcmp(*left, *right);
}

GPtrArray *
inventory_paths(const Inventory *inventory, const char *prefix)
{
    GPtrArray *paths = g_ptr_array_new();
    size_t length = strlen(prefix);
    GHashTableIter iter;
    void *key;

    g_hash_table_iter_init(&iter, inventory->objects);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        if (g_str_has_prefix(key, prefix) && ((const char *)key)[length] == '/')
            g_ptr_array_add(paths, key);
    g_ptr_array_sort_with_data(paths, compare_paths, (void *)inventory);
    return paths;
}

bool
inventory_has(const Inventory *inventory, const char *path, const char *interface)
{
    GHashTable *object = g_hash_table_lookup(inventory->objects, path);

    return object && g_hash_table_contains(object, interface);
}

GVariant *
inventory_get(const Inventory *inventory, const char *path, const char *interface,
              const char *property)
{
    GHashTable *object = g_hash_table_lookup(inventory->objects, path);
    GHashTable *properties = object ? g_hash_table_lookup(object, interface) : NULL;

    return properties ? g_hash_table_lookup(properties, property) : NULL;
}

const char *
inventory_string(const Inventory *inventory, const char *path, const char *interface,
                 const char *property)
{
    GVariant *value = inventory_get(inventory, path, interface, property);

    if (!value || (!g_variant_is_of_type(value, G_VARIANT_TYPE_STRING) &&
                   !g_variant_is_of_type(value, G_VARIANT_TYPE_OBJECT_PATH)))
        return NULL;
    return g_variant_get_string(value, NULL);
}

bool
inventory_bool(const Inventory *inventory, const char *path, const char *interface,
               const char *property)
{
    GVariant *value = inventory_get(inventory, path, interface, property);

    return value && g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN) &&
           g_variant_get_boolean(value);
}

guint64
inventory_u64(const Inventory *inventory, const char *path, const char *interface,
              const char *property)
{
    GVariant *value = inventory_get(inventory, path, interface, property);

    if (value && g_variant_is_of_type(value, G_VARIANT_TYPE_UINT64))
        return g_variant_get_uint64(value);
    if (value && g_variant_is_of_type(value, G_VARIANT_TYPE_UINT32))
        return g_variant_get_uint32(value);
    return 0;
}

static int
compare_keys(const void *a, const void *b)
{
    return strcmp(a, b);
}

static GVariant *
describe_properties(GHashTable *properties)
{
    g_autoptr(GList) names = g_list_sort(g_hash_table_get_keys(properties), compare_keys);
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    for (GList *name = names; name; name = name->next)
        g_variant_builder_add(&builder, "{sv}", name->data,
                              (GVariant *)g_hash_table_lookup(properties, name->data));
    return g_variant_builder_end(&builder);
}

GVariant *
inventory_describe(const Inventory *inventory, const char *path)
{
    GHashTable *object = g_hash_table_lookup(inventory->objects, path);
    g_autoptr(GList) interfaces =
        object ? g_list_sort(g_hash_table_get_keys(object), compare_keys) : NULL;
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&builder, "{sv}", "Path", g_variant_new_string(path));
    for (GList *interface = interfaces; interface; interface = interface->next) {
        if (!g_str_has_prefix(interface->data, VMS_BUS_NAME "."))
            continue;
        g_variant_builder_add(&builder, "{sv}", (char *)interface->data + strlen(VMS_BUS_NAME "."),
                              describe_properties(g_hash_table_lookup(object, interface->data)));
    }
    return g_variant_builder_end(&builder);
}

GVariant *
inventory_describe_all(const Inventory *inventory, const GPtrArray *paths)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("aa{sv}"));
    for (unsigned i = 0; i < paths->len; i++)
        g_variant_builder_add_value(&builder, inventory_describe(inventory, paths->pdata[i]));
    return g_variant_builder_end(&builder);
}

const char *
inventory_vm_name(const Inventory *inventory, const char *path)
{
    const char *name = inventory_string(inventory, path, VMS_DOMAIN_INTERFACE, "Name");

    return name ? name : path;
}

int
inventory_vm_id(const Inventory *inventory, const char *path)
{
    GVariant *id = inventory_get(inventory, path, VMS_DOMAIN_INTERFACE, "Id");

    return id && g_variant_is_of_type(id, G_VARIANT_TYPE_INT32) ? g_variant_get_int32(id) : -1;
}
