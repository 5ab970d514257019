/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "object-server.h"

#include "held-reads.h"
#include "names.h"

#include <errno.h>

#define OBJECT_MANAGER_INTERFACE "org.freedesktop.DBus.ObjectManager"
#define PROPERTIES_INTERFACE     "org.freedesktop.DBus.Properties"

/* sd-bus gives these to every object, so InterfacesAdded names them, too. */
static const char *const standard_interfaces[] = {
    "org.freedesktop.DBus.Peer",
    "org.freedesktop.DBus.Introspectable",
    "org.freedesktop.DBus.Properties",
};

struct ObjectServer {
    ObjectServerParts parts;
    HeldReads *reads; /* of properties: all replies to them */
    GPtrArray *kinds; /* ObjectKind; the first one is the root */
    GPtrArray *slots; /* sd_bus_slot */
};

/* An interface of a kind, as it is registered. */
typedef struct {
    ObjectKind *kind;
    const Interface *interface;
    GArray *vtable; /* sd_bus_vtable */
    Wire head;      /* the name, as "{sa{sv}}" begins with it */
    PropertyTable properties;
} Registration;

struct ObjectKind {
    ObjectServer *server;
    const ObjectKindSpec *spec;
    void *userdata;
    GPtrArray *registrations;
};

/* --- writing ------------------------------------------------------------------------------ */

/* "{sa{sv}}" */
static void
write_interface(Wire *wire, const Registration *registration, const void *object)
{
    wire_align(wire, 8);
    wire_put_bytes(wire, registration->head.data, registration->head.size);
    size_t properties = wire_begin_array(wire, 8);
    property_table_write(wire, &registration->properties, object);
    wire_end_array(wire, properties, 8);
}

/* "oa{sa{sv}}": the body of InterfacesAdded, and an entry of GetManagedObjects. */
static void
write_object(Wire *wire, const ObjectKind *kind, const char *path, const void *object)
{
    wire_put_string(wire, path);
    size_t array = wire_begin_array(wire, 8);
    for (unsigned i = 0; i < G_N_ELEMENTS(standard_interfaces); i++) {
        wire_align(wire, 8);
        wire_put_string(wire, standard_interfaces[i]);
        wire_put_rows(wire, NULL, 0);
    }
    for (unsigned i = 0; i < kind->registrations->len; i++)
        write_interface(wire, kind->registrations->pdata[i], object);
    wire_end_array(wire, array, 8);
}

/* "a{oa{sa{sv}}}" */
static void
write_all(Wire *wire, const ObjectServer *server)
{
    size_t objects = wire_begin_array(wire, 8);

    for (unsigned k = 0; k < server->kinds->len; k++) {
        const ObjectKind *kind = server->kinds->pdata[k];

        if (!kind->spec->is_node)
            continue; /* the manager itself is not among the managed objects */
        g_autoptr(GArray) entries = kind->spec->list(kind->userdata);
        for (unsigned i = 0; i < entries->len; i++) {
            const ObjectEntry *entry = &g_array_index(entries, ObjectEntry, i);

            wire_align(wire, 8);
            write_object(wire, kind, entry->path.text, entry->object);
        }
    }
    wire_end_array(wire, objects, 8);
}

/* --- reading properties ------------------------------------------------------------------- */

static const ObjectKind *
find_object(const ObjectServer *server, const char *path, void **ret)
{
    for (unsigned i = 0; path && i < server->kinds->len; i++) {
        const ObjectKind *kind = server->kinds->pdata[i];

        *ret = kind->spec->find(kind->userdata, path);
        if (*ret)
            return kind;
    }
    return NULL;
}

/* "" names every interface, as the specification says. */
static bool
is_named(const Registration *registration, const char *interface)
{
    return *interface == '\0' || g_str_equal(registration->interface->name, interface);
}

static const Property *
find_property(const ObjectKind *kind, const char *interface, const char *name)
{
    for (unsigned i = 0; i < kind->registrations->len; i++) {
        const Registration *registration = kind->registrations->pdata[i];
        const Property *property = is_named(registration, interface)
                                       ? property_table_find(&registration->properties, name)
                                       : NULL;

        if (property)
            return property;
    }
    return NULL;
}

/* An object, interface or property that is not ours is left to sd-bus, which has the error for it.
 */
static int
on_get(ObjectServer *server, sd_bus_message *message, sd_bus_error *error)
{
    void *object = NULL;
    const ObjectKind *kind = find_object(server, sd_bus_message_get_path(message), &object);
    g_auto(Wire) body = {NULL};
    const char *interface;
    const char *name;

    if (!kind)
        return 0;
    int r = sd_bus_message_read(message, "ss", &interface, &name);
    if (r < 0)
        return r;
    const Property *property = find_property(kind, interface, name);
    if (!property)
        return sd_bus_message_rewind(message, true) < 0 ? -EIO : 0;
    wire_put_signature(&body, property->signature);
    property_write_value(&body, property, object);
    return held_reads_reply(server->reads, message, "v", &body, error);
}

static int
on_get_all(ObjectServer *server, sd_bus_message *message, sd_bus_error *error)
{
    void *object = NULL;
    const ObjectKind *kind = find_object(server, sd_bus_message_get_path(message), &object);
    g_auto(Wire) body = {NULL};
    const char *interface;
    bool found = false;

    if (!kind)
        return 0;
    int r = sd_bus_message_read(message, "s", &interface);
    if (r < 0)
        return r;
    size_t properties = wire_begin_array(&body, 8);
    for (unsigned i = 0; i < kind->registrations->len; i++) {
        const Registration *registration = kind->registrations->pdata[i];

        if (!is_named(registration, interface))
            continue;
        found = true;
        property_table_write(&body, &registration->properties, object);
    }
    wire_end_array(&body, properties, 8);
    if (!found)
        return sd_bus_message_rewind(message, true) < 0 ? -EIO : 0;
    return held_reads_reply(server->reads, message, "a{sv}", &body, error);
}

static int
on_message(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    ObjectServer *server = userdata;

    server->parts.flush(server->parts.userdata);
    if (sd_bus_message_is_method_call(message, PROPERTIES_INTERFACE, "Get") &&
        sd_bus_message_has_signature(message, "ss"))
        return on_get(server, message, error);
    if (sd_bus_message_is_method_call(message, PROPERTIES_INTERFACE, "GetAll") &&
        sd_bus_message_has_signature(message, "s"))
        return on_get_all(server, message, error);
    return 0;
}

static int
on_managed_objects(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    ObjectServer *server = userdata;
    g_auto(Wire) body = {NULL};

    if (!sd_bus_message_is_method_call(message, OBJECT_MANAGER_INTERFACE, "GetManagedObjects") ||
        !sd_bus_message_has_signature(message, ""))
        return 0;
    write_all(&body, server);
    return held_reads_reply(server->reads, message, "a{oa{sa{sv}}}", &body, error);
}

static int
on_read_again(void *userdata, sd_bus_message *message, sd_bus_error *error)
{
    int r = on_message(message, userdata, error);

    return r == 0 ? on_managed_objects(message, userdata, error) : r;
}

/* --- writing properties ------------------------------------------------------------------- */

/* A property that nobody may write is left to sd-bus, as above. */
static int
on_set(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    const ObjectKind *kind = userdata;
    const ObjectServerParts *parts = &kind->server->parts;
    const char *interface, *name;

    if (!sd_bus_message_is_method_call(message, PROPERTIES_INTERFACE, "Set") ||
        !sd_bus_message_has_signature(message, "ssv"))
        return 0;
    int r = sd_bus_message_read(message, "ss", &interface, &name);
    if (r < 0)
        return r;
    const Property *property = find_property(kind, interface, name);
    if (property && property->set)
        return parts->handle(parts->userdata, property->set, message, kind->userdata, error);
    return sd_bus_message_rewind(message, true) < 0 ? -EIO : 0;
}

/* --- vtables ------------------------------------------------------------------------------ */

/* sd-bus wants them for some types, though on_message() and on_set() answer before it would call
 * any. */
static int
unused_accessor(sd_bus *bus, const char *path, const char *interface, const char *name,
                sd_bus_message *message, void *object, sd_bus_error *error)
{
    return -EOPNOTSUPP;
}

static sd_bus_vtable
vtable_of_property(const Property *p)
{
    sd_bus_vtable entry = SD_BUS_PROPERTY(p->name, p->signature, unused_accessor, 0, 0);

    if (p->set)
        entry = (sd_bus_vtable)SD_BUS_WRITABLE_PROPERTY(p->name, p->signature, unused_accessor,
                                                        unused_accessor, 0, 0);
    if (p->change == PROPERTY_CONST)
        entry.flags = SD_BUS_VTABLE_PROPERTY_CONST;
    else if (p->change != PROPERTY_SILENT)
        entry.flags = SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE;
    return entry;
}

static int
on_method(sd_bus_message *message, void *object, sd_bus_error *error)
{
    sd_bus_slot *slot = sd_bus_get_current_slot(sd_bus_message_get_bus(message));
    const Registration *registration = sd_bus_slot_get_userdata(slot);
    const ObjectKind *kind = registration->kind;
    const ObjectServer *server = kind->server;
    const char *member = sd_bus_message_get_member(message);

    /* The vtable of a single object has the registration in the place of the object. */
    if (!kind->spec->is_node)
        object = kind->spec->find(kind->userdata, sd_bus_message_get_path(message));

    for (const Method *method = registration->interface->methods; method->name; method++)
        if (g_str_equal(method->name, member))
            return server->parts.handle(server->parts.userdata, method, message, object, error);
    return 0;
}

static void
add_vtable_entry(Registration *registration, sd_bus_vtable entry)
{
    g_array_append_val(registration->vtable, entry);
}

static void
make_vtable(Registration *registration)
{
    const Interface *interface = registration->interface;

    add_vtable_entry(registration, (sd_bus_vtable)SD_BUS_VTABLE_START(0));
    for (const Property *p = interface->properties; p && p->name; p++)
        add_vtable_entry(registration, vtable_of_property(p));
    for (const Method *m = interface->methods; m && m->name; m++)
        add_vtable_entry(registration, (sd_bus_vtable)SD_BUS_METHOD_WITH_NAMES(
                                           m->name, m->in, m->names, m->out, , on_method,
                                           SD_BUS_VTABLE_UNPRIVILEGED |
                                               (m->is_sensitive ? SD_BUS_VTABLE_SENSITIVE : 0)));
    for (const Signal *s = interface->signals; s && s->name; s++)
        add_vtable_entry(registration, (sd_bus_vtable)SD_BUS_SIGNAL_WITH_NAMES(
                                           s->name, s->signature, s->names, 0));
    add_vtable_entry(registration, (sd_bus_vtable)SD_BUS_VTABLE_END);
}

static void
free_registration(gpointer data)
{
    Registration *registration = data;

    property_table_clear(&registration->properties);
    wire_clear(&registration->head);
    g_array_unref(registration->vtable);
    g_free(registration);
}

static int
find_for_vtable(sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret,
                sd_bus_error *error)
{
    const Registration *registration = userdata;
    const ObjectKind *kind = registration->kind;

    *ret = kind->spec->find(kind->userdata, path);
    return *ret != NULL;
}

static int
add_interface(ObjectKind *kind, const Interface *interface)
{
    ObjectServer *server = kind->server;
    Registration *registration = g_new0(Registration, 1);
    sd_bus_slot *slot;
    int r;

    registration->kind = kind;
    registration->interface = interface;
    registration->vtable = g_array_new(FALSE, FALSE, sizeof(sd_bus_vtable));
    make_vtable(registration);
    wire_put_string(&registration->head, interface->name);
    property_table_init(&registration->properties, interface->properties);
    g_ptr_array_add(kind->registrations, registration);

    const sd_bus_vtable *vtable = (const sd_bus_vtable *)(void *)registration->vtable->data;
    if (kind->spec->is_node)
        r = sd_bus_add_fallback_vtable(server->parts.bus, &slot, kind->spec->path, interface->name,
                                       vtable, find_for_vtable, registration);
    else
        r = sd_bus_add_object_vtable(server->parts.bus, &slot, kind->spec->path, interface->name,
                                     vtable, registration);
    if (r >= 0)
        g_ptr_array_add(server->slots, slot);
    return r;
}

static int
enumerate(sd_bus *bus, const char *prefix, void *userdata, char ***ret, sd_bus_error *error)
{
    const ObjectKind *kind = userdata;
    g_autoptr(GArray) entries = kind->spec->list(kind->userdata);
    /* sd-bus frees it with free(), which is what g_free() is. */
    char **paths = g_new0(char *, entries->len + 1);

    for (unsigned i = 0; i < entries->len; i++)
        paths[i] = g_strdup(g_array_index(entries, ObjectEntry, i).path.text);
    *ret = paths;
    return 0;
}

/* --- life --------------------------------------------------------------------------------- */

static void
free_kind(gpointer data)
{
    ObjectKind *kind = data;

    g_ptr_array_unref(kind->registrations);
    g_free(kind);
}

int
object_server_add_kind(ObjectServer *server, const ObjectKindSpec *spec, void *userdata,
                       ObjectKind **ret)
{
    ObjectKind *kind = g_new0(ObjectKind, 1);
    sd_bus_slot *slot;
    int r;

    kind->server = server;
    kind->spec = spec;
    kind->userdata = userdata;
    kind->registrations = g_ptr_array_new_with_free_func(free_registration);
    g_ptr_array_add(server->kinds, kind);
    if (spec->is_node)
        r = sd_bus_add_node_enumerator(server->parts.bus, &slot, spec->path, enumerate, kind);
    else
        r = sd_bus_add_object(server->parts.bus, &slot, spec->path, on_set, kind);
    if (r >= 0)
        g_ptr_array_add(server->slots, slot);
    for (unsigned i = 0; r >= 0 && spec->interfaces[i]; i++)
        r = add_interface(kind, spec->interfaces[i]);
    *ret = kind;
    return r;
}

int
object_server_new(const ObjectServerParts *parts, ObjectServer **ret)
{
    ObjectServer *server = g_new0(ObjectServer, 1);
    sd_bus *bus = sd_bus_ref(parts->bus);
    sd_bus_slot *slot;

    server->parts = *parts;
    server->reads = held_reads_new(parts->replies, on_read_again, server);
    server->kinds = g_ptr_array_new_with_free_func(free_kind);
    server->slots =
        g_ptr_array_new_with_free_func((GDestroyNotify)(void (*)(void))sd_bus_slot_unref);
    *ret = server;

    int r = sd_bus_add_filter(bus, &slot, on_message, server);
    if (r < 0)
        return r;
    g_ptr_array_add(server->slots, slot);
    /* Before the object manager, which would answer GetManagedObjects itself. */
    r = sd_bus_add_object(bus, &slot, VMS_ROOT_PATH, on_managed_objects, server);
    if (r < 0)
        return r;
    g_ptr_array_add(server->slots, slot);
    r = sd_bus_add_object_manager(bus, &slot, VMS_ROOT_PATH);
    if (r >= 0)
        g_ptr_array_add(server->slots, slot);
    return r;
}

void
object_server_free(ObjectServer *server)
{
    if (!server)
        return;
    held_reads_free(server->reads);
    g_ptr_array_unref(server->slots);
    g_ptr_array_unref(server->kinds);
    sd_bus_unref(server->parts.bus);
    g_free(server);
}

/* --- signals ------------------------------------------------------------------------------ */

int
object_server_emit_added(ObjectKind *kind, const char *path, const void *object)
{
    ObjectServer *server = kind->server;
    g_auto(Wire) body = {NULL};

    write_object(&body, kind, path, object);
    return raw_message_signal(server->parts.messenger, server->parts.bus, VMS_ROOT_PATH,
                              OBJECT_MANAGER_INTERFACE, "InterfacesAdded", "oa{sa{sv}}", &body);
}

int
object_server_emit_removed(ObjectKind *kind, const char *path)
{
    ObjectServer *server = kind->server;
    g_auto(Wire) body = {NULL};

    wire_put_string(&body, path);
    size_t array = wire_begin_array(&body, 4);
    for (unsigned i = 0; i < G_N_ELEMENTS(standard_interfaces); i++)
        wire_put_string(&body, standard_interfaces[i]);
    for (unsigned i = 0; i < kind->registrations->len; i++)
        wire_put_string(&body,
                        ((const Registration *)kind->registrations->pdata[i])->interface->name);
    wire_end_array(&body, array, 4);
    return raw_message_signal(server->parts.messenger, server->parts.bus, VMS_ROOT_PATH,
                              OBJECT_MANAGER_INTERFACE, "InterfacesRemoved", "oas", &body);
}

int
object_server_emit_again(ObjectKind *kind, const char *path)
{
    const void *object = kind->spec->find(kind->userdata, path);
    int r = object_server_emit_removed(kind, path);

    return r < 0 || !object ? r : object_server_emit_added(kind, path, object);
}

/* False where none of the interface's properties is in the mask. */
static bool
write_changes(Wire *wire, const Registration *registration, const void *object, uint64_t changes)
{
    wire_put_string(wire, registration->interface->name);
    size_t changed = wire_begin_array(wire, 8);
    bool any = property_table_write_changed(wire, &registration->properties, object, changes);
    wire_end_array(wire, changed, 8);
    wire_end_array(wire, wire_begin_array(wire, 4), 4); /* properties without a value: none */
    return any;
}

int
object_server_emit_changed(ObjectKind *kind, const char *path, const void *object, uint64_t changes)
{
    ObjectServer *server = kind->server;
    int r = 0;

    for (unsigned i = 0; r >= 0 && i < kind->registrations->len; i++) {
        g_auto(Wire) body = {NULL};

        if (write_changes(&body, kind->registrations->pdata[i], object, changes))
            r = raw_message_signal(server->parts.messenger, server->parts.bus, path,
                                   PROPERTIES_INTERFACE, "PropertiesChanged", "sa{sv}as", &body);
    }
    return r;
}
