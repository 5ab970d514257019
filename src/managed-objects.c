/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "managed-objects.h"

#include "manager.h"
#include "names.h"

#define OBJECT_MANAGER_INTERFACE "org.freedesktop.DBus.ObjectManager"
#define PROPERTIES_INTERFACE     "org.freedesktop.DBus.Properties"

/* sd-bus gives these to every object, and so says its InterfacesAdded. */
static const char *const standard_interfaces[] = {
    "org.freedesktop.DBus.Peer",
    "org.freedesktop.DBus.Introspectable",
    "org.freedesktop.DBus.Properties",
};

/* Types that sd-bus, too, reads at an offset where a property has no getter. */
static int
append_member(sd_bus_message *reply, char type, const void *member)
{
    switch (type) {
    case SD_BUS_TYPE_STRING:
    case SD_BUS_TYPE_OBJECT_PATH:
        return sd_bus_message_append_basic(reply, type, *(const char *const *)member);
    default:
        return sd_bus_message_append_basic(reply, type, member);
    }
}

const sd_bus_vtable *
managed_interface_property(const ManagedInterface *interface, const char *name)
{
    const sd_bus_vtable *entry = interface->vtable;

    for (; entry->type != _SD_BUS_VTABLE_END; entry++)
        if (entry->type == _SD_BUS_VTABLE_PROPERTY && g_str_equal(entry->x.property.member, name))
            return entry;
    return NULL;
}

/* The property's value: a variant. */
static int
append_value(sd_bus *bus, sd_bus_message *reply, const char *path, const char *interface,
             const sd_bus_vtable *entry, void *object)
{
    const char *signature = entry->x.property.signature;
    void *member = (uint8_t *)object + entry->x.property.offset;
    sd_bus_error error = SD_BUS_ERROR_NULL;
    int r = sd_bus_message_open_container(reply, 'v', signature);

    if (r >= 0)
        r = entry->x.property.get
                ? entry->x.property.get(bus, path, interface, entry->x.property.member, reply,
                                        member, &error)
                : append_member(reply, signature[0], member);
    if (r >= 0)
        r = sd_bus_message_close_container(reply);
    sd_bus_error_free(&error);
    return r;
}

static int
append_property(sd_bus *bus, sd_bus_message *reply, const char *path, const char *interface,
                const sd_bus_vtable *entry, void *object)
{
    int r = sd_bus_message_open_container(reply, 'e', "sv");

    if (r >= 0)
        r = sd_bus_message_append_basic(reply, 's', entry->x.property.member);
    if (r >= 0)
        r = append_value(bus, reply, path, interface, entry, object);
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int
append_interface(sd_bus *bus, sd_bus_message *reply, const char *path,
                 const ManagedInterface *interface, void *object)
{
    int r = sd_bus_message_open_container(reply, 'e', "sa{sv}");

    if (r >= 0)
        r = sd_bus_message_append_basic(reply, 's', interface->name);
    if (r >= 0)
        r = sd_bus_message_open_container(reply, 'a', "{sv}");
    for (const sd_bus_vtable *entry = interface->vtable;
         r >= 0 && entry->type != _SD_BUS_VTABLE_END; entry++)
        if (entry->type == _SD_BUS_VTABLE_PROPERTY)
            r = append_property(bus, reply, path, interface->name, entry, object);
    if (r >= 0)
        r = sd_bus_message_close_container(reply);
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* "oa{sa{sv}}": the body of InterfacesAdded, and an entry of GetManagedObjects. */
static int
append_object(sd_bus *bus, sd_bus_message *message, const char *path, const GArray *interfaces,
              void *object)
{
    int r = sd_bus_message_append_basic(message, 'o', path);

    if (r >= 0)
        r = sd_bus_message_open_container(message, 'a', "{sa{sv}}");
    for (unsigned i = 0; r >= 0 && i < G_N_ELEMENTS(standard_interfaces); i++)
        r = sd_bus_message_append(message, "{sa{sv}}", standard_interfaces[i], 0);
    for (unsigned i = 0; r >= 0 && i < interfaces->len; i++)
        r = append_interface(bus, message, path, &g_array_index(interfaces, ManagedInterface, i),
                             object);
    return r < 0 ? r : sd_bus_message_close_container(message);
}

static int
append_entry(sd_bus *bus, sd_bus_message *reply, const char *path, const GArray *interfaces,
             void *object)
{
    int r = sd_bus_message_open_container(reply, 'e', "oa{sa{sv}}");

    if (r >= 0)
        r = append_object(bus, reply, path, interfaces, object);
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int
append_all(Manager *m, sd_bus_message *reply)
{
    g_autoptr(GPtrArray) jobs = jobs_all(m->jobs);
    GHashTableIter iter;
    gpointer value;
    int r = sd_bus_message_open_container(reply, 'a', "{oa{sa{sv}}}");

    g_hash_table_iter_init(&iter, m->domains);
    while (r >= 0 && g_hash_table_iter_next(&iter, NULL, &value))
        r = append_entry(m->bus, reply, ((Domain *)value)->path, m->domain_interfaces, value);
    for (unsigned i = 0; r >= 0 && i < jobs->len; i++)
        r = append_entry(m->bus, reply, ((Job *)jobs->pdata[i])->path, m->job_interfaces,
                         jobs->pdata[i]);
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int
on_message(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Manager *m = userdata;
    sd_bus_message *reply = NULL;

    if (!sd_bus_message_is_method_call(message, OBJECT_MANAGER_INTERFACE, "GetManagedObjects") ||
        !sd_bus_message_has_signature(message, ""))
        return 0;

    int r = sd_bus_message_new_method_return(message, &reply);
    if (r >= 0)
        r = append_all(m, reply);
    if (r >= 0)
        r = sd_bus_send(m->bus, reply, NULL);
    sd_bus_message_unref(reply);
    return r < 0 ? r : 1;
}

/* --- one property ------------------------------------------------------------------------- */

static const sd_bus_vtable *
find_property(const Manager *m, const char *interface, const char *name)
{
    for (unsigned i = 0; i < m->domain_interfaces->len; i++) {
        const ManagedInterface *managed = &g_array_index(m->domain_interfaces, ManagedInterface, i);

        if (g_str_equal(managed->name, interface))
            return managed_interface_property(managed, name);
    }
    return NULL;
}

static Domain *
find_domain(Manager *m, const char *path)
{
    char uuid[UUID_LENGTH + 1];

    return path && domain_uuid_from_path(path, uuid) ? manager_find_domain(m, uuid) : NULL;
}

static int
reply_property(sd_bus_message *call, const char *interface, const sd_bus_vtable *entry,
               Domain *domain)
{
    sd_bus *bus = sd_bus_message_get_bus(call);
    sd_bus_message *reply = NULL;
    int r = sd_bus_message_new_method_return(call, &reply);

    if (r >= 0)
        r = append_value(bus, reply, domain->path, interface, entry, domain);
    if (r >= 0)
        r = sd_bus_send(bus, reply, NULL);
    sd_bus_message_unref(reply);
    return r < 0 ? r : 1;
}

/* What there is not is left to sd-bus, which knows the error for it. */
static int
on_get(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    const char *interface;
    const char *name;

    if (!sd_bus_message_is_method_call(message, PROPERTIES_INTERFACE, "Get") ||
        !sd_bus_message_has_signature(message, "ss"))
        return 0;
    Domain *domain = find_domain(userdata, sd_bus_message_get_path(message));
    if (!domain)
        return 0;
    int r = sd_bus_message_read(message, "ss", &interface, &name);
    if (r < 0)
        return r;
    const sd_bus_vtable *entry = find_property(userdata, interface, name);
    return entry ? reply_property(message, interface, entry, domain) : 0;
}

int
managed_objects_register(Manager *m)
{
    sd_bus_slot *slot;
    int r = sd_bus_add_object(m->bus, &slot, VMS_ROOT_PATH, on_message, m);

    if (r < 0)
        return r;
    g_ptr_array_add(m->slots, slot);
    r = sd_bus_add_filter(m->bus, &slot, on_get, m);
    if (r >= 0)
        g_ptr_array_add(m->slots, slot);
    return r;
}

/* --- signals ------------------------------------------------------------------------------ */

/* Takes over the message and what came of making it. */
static int
send_signal(sd_bus *bus, sd_bus_message *signal, int r)
{
    if (r >= 0)
        r = sd_bus_send(bus, signal, NULL);
    sd_bus_message_unref(signal);
    return r;
}

int
managed_objects_emit_added(sd_bus *bus, const char *path, const GArray *interfaces, void *object)
{
    sd_bus_message *signal = NULL;
    int r = sd_bus_message_new_signal(bus, &signal, VMS_ROOT_PATH, OBJECT_MANAGER_INTERFACE,
                                      "InterfacesAdded");

    if (r >= 0)
        r = append_object(bus, signal, path, interfaces, object);
    return send_signal(bus, signal, r);
}

static int
append_changed(sd_bus *bus, sd_bus_message *signal, const char *path, const char *interface,
               const sd_bus_vtable *const *entries, void *object)
{
    int r = sd_bus_message_append_basic(signal, 's', interface);

    if (r >= 0)
        r = sd_bus_message_open_container(signal, 'a', "{sv}");
    for (; r >= 0 && *entries; entries++)
        r = append_property(bus, signal, path, interface, *entries, object);
    if (r >= 0)
        r = sd_bus_message_close_container(signal);
    return r < 0 ? r : sd_bus_message_append(signal, "as", 0);
}

int
managed_objects_emit_changed(sd_bus *bus, const char *path, const char *interface,
                             const sd_bus_vtable *const *entries, void *object)
{
    sd_bus_message *signal = NULL;
    int r =
        sd_bus_message_new_signal(bus, &signal, path, PROPERTIES_INTERFACE, "PropertiesChanged");

    if (r >= 0)
        r = append_changed(bus, signal, path, interface, entries, object);
    return send_signal(bus, signal, r);
}
