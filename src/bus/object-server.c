/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "object-server.h"

#include "bus-error.h"
#include "manager.h"
#include "names.h"
#include "object-path.h"

#include <errno.h>

#define OBJECT_MANAGER_INTERFACE "org.freedesktop.DBus.ObjectManager"
#define PROPERTIES_INTERFACE     "org.freedesktop.DBus.Properties"

/* sd-bus gives these to every object, and so says its InterfacesAdded. */
static const char *const standard_interfaces[] = {
    "org.freedesktop.DBus.Peer",
    "org.freedesktop.DBus.Introspectable",
    "org.freedesktop.DBus.Properties",
};

/* --- interfaces --------------------------------------------------------------------------- */

static WirePut
find_put(const PropertyWriter *values, const char *name)
{
    for (; values && values->name; values++)
        if (g_str_equal(values->name, name))
            return values->put;
    return NULL;
}

static void
clear_property(gpointer data)
{
    wire_clear(&((ObjectProperty *)data)->head);
}

static void
add_property(ObjectInterface *interface, const sd_bus_vtable *entry, WirePut put)
{
    ObjectProperty property = {
        .interface = interface->name,
        .name = entry->x.property.member,
        .signature = entry->x.property.signature,
        .offset = entry->x.property.offset,
        .put = put,
    };

    wire_put_string(&property.head, property.name);
    wire_put_signature(&property.head, property.signature);
    g_array_append_val(interface->properties, property);
}

const ObjectInterface *
object_interface_add(GPtrArray *interfaces, const char *name, const sd_bus_vtable *vtable,
                     const PropertyWriter *values)
{
    ObjectInterface *interface = g_new0(ObjectInterface, 1);

    interface->name = name;
    wire_put_string(&interface->head, name);
    interface->properties = g_array_new(FALSE, FALSE, sizeof(ObjectProperty));
    g_array_set_clear_func(interface->properties, clear_property);
    for (; vtable->type != _SD_BUS_VTABLE_END; vtable++)
        if (vtable->type == _SD_BUS_VTABLE_PROPERTY)
            add_property(interface, vtable, find_put(values, vtable->x.property.member));
    g_ptr_array_add(interfaces, interface);
    return interface;
}

void
object_interface_free(gpointer data)
{
    ObjectInterface *interface = data;

    g_array_unref(interface->properties);
    wire_clear(&interface->head);
    g_free(interface);
}

const ObjectProperty *
object_interface_property(const ObjectInterface *interface, const char *name)
{
    for (unsigned i = 0; i < interface->properties->len; i++) {
        const ObjectProperty *property = &g_array_index(interface->properties, ObjectProperty, i);

        if (g_str_equal(property->name, name))
            return property;
    }
    return NULL;
}

static const ObjectProperty *
find_property(const GPtrArray *interfaces, const char *interface, const char *name)
{
    for (unsigned i = 0; i < interfaces->len; i++) {
        const ObjectInterface *managed = interfaces->pdata[i];

        if (g_str_equal(managed->name, interface))
            return object_interface_property(managed, name);
    }
    return NULL;
}

/* --- writing ------------------------------------------------------------------------------ */

/* Types that sd-bus, too, reads at an offset where a property has no getter. */
static void
put_member(Wire *wire, char type, const void *member)
{
    switch (type) {
    case SD_BUS_TYPE_STRING:
    case SD_BUS_TYPE_OBJECT_PATH:
        wire_put_string(wire, *(const char *const *)member);
        break;
    case SD_BUS_TYPE_BOOLEAN:
        wire_put_u32(wire, *(const int *)member != 0);
        break;
    case SD_BUS_TYPE_INT32:
    case SD_BUS_TYPE_UINT32:
        wire_put_u32(wire, *(const uint32_t *)member);
        break;
    case SD_BUS_TYPE_UINT64:
    case SD_BUS_TYPE_DOUBLE:
        wire_put_u64(wire, *(const uint64_t *)member);
        break;
    default:
        g_assert_not_reached();
    }
}

static void
put_value(Wire *wire, const ObjectProperty *property, const void *object)
{
    if (property->put)
        property->put(wire, object);
    else
        put_member(wire, property->signature[0], (const uint8_t *)object + property->offset);
}

/* "{sv}" */
static void
put_property(Wire *wire, const ObjectProperty *property, const void *object)
{
    wire_align(wire, 8);
    wire_put_bytes(wire, property->head.data, property->head.size);
    put_value(wire, property, object);
}

/* "{sa{sv}}" */
static void
put_interface(Wire *wire, const ObjectInterface *interface, const void *object)
{
    wire_align(wire, 8);
    wire_put_bytes(wire, interface->head.data, interface->head.size);
    size_t properties = wire_begin_array(wire, 8);
    for (unsigned i = 0; i < interface->properties->len; i++)
        put_property(wire, &g_array_index(interface->properties, ObjectProperty, i), object);
    wire_end_array(wire, properties, 8);
}

/* "oa{sa{sv}}": the body of InterfacesAdded, and an entry of GetManagedObjects. */
static void
put_object(Wire *wire, const char *path, const GPtrArray *interfaces, const void *object)
{
    wire_put_string(wire, path);
    size_t array = wire_begin_array(wire, 8);
    for (unsigned i = 0; i < G_N_ELEMENTS(standard_interfaces); i++) {
        wire_align(wire, 8);
        wire_put_string(wire, standard_interfaces[i]);
        wire_put_rows(wire, NULL, 0);
    }
    for (unsigned i = 0; i < interfaces->len; i++)
        put_interface(wire, interfaces->pdata[i], object);
    wire_end_array(wire, array, 8);
}

/* "a{oa{sa{sv}}}" */
static void
put_all(Wire *wire, Manager *m)
{
    g_autoptr(GPtrArray) jobs = jobs_all(m->jobs);
    GHashTableIter iter;
    gpointer uuid;
    gpointer domain;
    size_t objects = wire_begin_array(wire, 8);

    g_hash_table_iter_init(&iter, m->domains);
    while (g_hash_table_iter_next(&iter, &uuid, &domain)) {
        wire_align(wire, 8);
        put_object(wire, object_path_of_domain(uuid).text, m->domain_interfaces, domain);
    }
    for (unsigned i = 0; i < jobs->len; i++) {
        wire_align(wire, 8);
        put_object(wire, ((const Job *)jobs->pdata[i])->path, m->job_interfaces, jobs->pdata[i]);
    }
    wire_end_array(wire, objects, 8);
}

/* --- answers ------------------------------------------------------------------------------ */

static int
on_managed_objects(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Manager *m = userdata;
    g_auto(Wire) body = {NULL};

    if (!sd_bus_message_is_method_call(message, OBJECT_MANAGER_INTERFACE, "GetManagedObjects") ||
        !sd_bus_message_has_signature(message, ""))
        return 0;
    put_all(&body, m);
    int r = raw_message_reply(m->raw_messenger, message, "a{oa{sa{sv}}}", &body);
    if (r == -EMSGSIZE)
        return sd_bus_error_setf(error, bus_error_name(ERROR_LIMITS_EXCEEDED),
                                 "All objects together are too long for a message");
    return r < 0 ? r : 1;
}

static Domain *
find_domain(Manager *m, const char *path)
{
    char uuid[UUID_LENGTH + 1];

    return path && object_path_to_domain(path, uuid) ? manager_find_domain(m, uuid) : NULL;
}

/* What there is not is left to sd-bus, which knows the error for it. */
static int
on_get(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Manager *m = userdata;
    g_auto(Wire) body = {NULL};
    const char *interface;
    const char *name;

    if (!sd_bus_message_is_method_call(message, PROPERTIES_INTERFACE, "Get") ||
        !sd_bus_message_has_signature(message, "ss"))
        return 0;
    const Domain *domain = find_domain(m, sd_bus_message_get_path(message));
    if (!domain)
        return 0;
    int r = sd_bus_message_read(message, "ss", &interface, &name);
    if (r < 0)
        return r;
    const ObjectProperty *property = find_property(m->domain_interfaces, interface, name);
    if (!property)
        return 0;
    wire_put_signature(&body, property->signature);
    put_value(&body, property, domain);
    r = raw_message_reply(m->raw_messenger, message, "v", &body);
    return r < 0 ? r : 1;
}

int
object_server_get(sd_bus *bus, const char *path, const char *interface, const char *name,
                  sd_bus_message *reply, void *object, sd_bus_error *error)
{
    Manager *m = sd_bus_slot_get_userdata(sd_bus_get_current_slot(bus));
    g_auto(Wire) value = {NULL};
    const ObjectProperty *property = find_property(m->domain_interfaces, interface, name);

    if (!property)
        property = find_property(m->job_interfaces, interface, name);
    if (!property)
        return -ENOENT;
    property->put(&value, object);
    return raw_message_append(m->raw_messenger, reply, property->signature, &value);
}

int
object_server_register(Manager *m)
{
    sd_bus_slot *slot;
    int r = sd_bus_add_object(m->bus, &slot, VMS_ROOT_PATH, on_managed_objects, m);

    if (r < 0)
        return r;
    g_ptr_array_add(m->slots, slot);
    r = sd_bus_add_filter(m->bus, &slot, on_get, m);
    if (r >= 0)
        g_ptr_array_add(m->slots, slot);
    return r;
}

/* --- signals ------------------------------------------------------------------------------ */

int
object_server_emit_added(Manager *m, const char *path, const GPtrArray *interfaces,
                         const void *object)
{
    g_auto(Wire) body = {NULL};

    put_object(&body, path, interfaces, object);
    return raw_message_signal(m->raw_messenger, m->bus, VMS_ROOT_PATH, OBJECT_MANAGER_INTERFACE,
                              "InterfacesAdded", "oa{sa{sv}}", &body);
}

int
object_server_emit_changed(Manager *m, const char *path, const ObjectProperty *const *properties,
                           const void *object)
{
    g_auto(Wire) body = {NULL};

    wire_put_string(&body, properties[0]->interface);
    size_t changed = wire_begin_array(&body, 8);
    for (; *properties; properties++)
        put_property(&body, *properties, object);
    wire_end_array(&body, changed, 8);
    wire_end_array(&body, wire_begin_array(&body, 4), 4); /* of what is invalid now */
    return raw_message_signal(m->raw_messenger, m->bus, path, PROPERTIES_INTERFACE,
                              "PropertiesChanged", "sa{sv}as", &body);
}
