/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mirror.h"

#include "loop.h"
#include "value.h"

#define REOPEN_USEC G_USEC_PER_SEC

static GVariant *
read_body(sd_bus_message *message)
{
    int r = 0;
    GVariant *body = value_read_body(message, &r);

    return body ? g_variant_ref_sink(body) : NULL;
}

/* Reports an error reply; true if there is something to read. */
static bool
check(Mirror *mirror, sd_bus_message *reply, const char *method)
{
    g_autoptr(GError) error = NULL;

    if (!sd_bus_message_is_method_error(reply, NULL))
        return true;
    failure_from_bus(&error, sd_bus_message_get_error(reply), 0, VMS_MANAGER_INTERFACE, method);
    mirror->events->failed(error, mirror->data);
    return false;
}

static int
on_objects(sd_bus_message *reply, void *data, sd_bus_error *unused)
{
    Mirror *mirror = data;

    if (!check(mirror, reply, "GetManagedObjects"))
        return 0;
    g_autoptr(GVariant) body = read_body(reply);
    if (!body || !g_variant_is_of_type(body, G_VARIANT_TYPE("(a{oa{sa{sv}}})")))
        return 0;
    inventory_replace(mirror->inventory, body);
    mirror->has_objects = true;
    return 0;
}

/* GetManagedObjects does not contain the root object itself, so a second call reads it. */
static int
on_manager(sd_bus_message *reply, void *data, sd_bus_error *unused)
{
    Mirror *mirror = data;

    if (!mirror->has_objects || !check(mirror, reply, "GetAll"))
        return 0;
    g_autoptr(GVariant) body = read_body(reply);
    if (!body || !g_variant_is_of_type(body, G_VARIANT_TYPE("(a{sv})")))
        return 0;
    g_autoptr(GVariant) properties = g_variant_get_child_value(body, 0);
    inventory_add(mirror->inventory, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, properties);
    mirror->is_loaded = true;
    mirror->events->loaded(mirror->data);
    return 0;
}

static int
load(Mirror *mirror)
{
    sd_bus *bus = mirror->client->bus;
    const char *service = mirror->client->service;
    int r;

    mirror->has_objects = mirror->is_loaded = false;
    r = sd_bus_call_method_async(bus, NULL, service, VMS_ROOT_PATH,
                                 "org.freedesktop.DBus.ObjectManager", "GetManagedObjects",
                                 on_objects, mirror, NULL);
    if (r < 0)
        return r;
    return sd_bus_call_method_async(bus, NULL, service, VMS_ROOT_PATH,
                                    "org.freedesktop.DBus.Properties", "GetAll", on_manager, mirror,
                                    "s", VMS_MANAGER_INTERFACE);
}

static void
tell_changed(Mirror *mirror, const char *path)
{
    if (mirror->is_loaded)
        mirror->events->changed(path, mirror->data);
}

/* The object that a signal of the object manager is about. */
static char *
subject(GVariant *body)
{
    g_autoptr(GVariant) path =
        g_variant_n_children(body) > 0 ? g_variant_get_child_value(body, 0) : NULL;

    if (!path || !g_variant_is_of_type(path, G_VARIANT_TYPE_OBJECT_PATH))
        return NULL;
    return g_variant_dup_string(path, NULL);
}

static int
on_signal(sd_bus_message *message, void *data, sd_bus_error *unused)
{
    Mirror *mirror = data;
    const char *member = sd_bus_message_get_member(message);

    /* The reply under way contains the change of a signal that comes before it. */
    if (!mirror->has_objects)
        return 0;

    g_autoptr(GVariant) body = read_body(message);
    if (!body)
        return 0;
    g_autofree char *path = subject(body);

    if (g_str_equal(member, "PropertiesChanged")) {
        inventory_properties_changed(mirror->inventory, sd_bus_message_get_path(message), body);
        tell_changed(mirror, sd_bus_message_get_path(message));
    } else if (g_str_equal(member, "InterfacesAdded") && path) {
        inventory_interfaces_added(mirror->inventory, body);
        tell_changed(mirror, path);
    } else if (g_str_equal(member, "InterfacesRemoved") && path) {
        inventory_interfaces_removed(mirror->inventory, body);
        tell_changed(mirror, path);
    } else if (mirror->is_loaded &&
               g_strcmp0(sd_bus_message_get_interface(message), VMS_MANAGER_INTERFACE) == 0) {
        mirror->events->signalled(member, body, mirror->data);
    }
    return 0;
}

static void
leave(Mirror *mirror)
{
    bool was_loaded = mirror->is_loaded;

    mirror->has_objects = mirror->is_loaded = false;
    if (was_loaded)
        mirror->events->left(mirror->data);
}

static int
on_owner(sd_bus_message *message, void *data, sd_bus_error *unused)
{
    Mirror *mirror = data;
    const char *name, *old_owner, *new_owner;
    int r = sd_bus_message_read(message, "sss", &name, &old_owner, &new_owner);

    if (r < 0)
        return r;
    if (*old_owner)
        leave(mirror);
    return *new_owner ? load(mirror) : 0;
}

/* The connection is not closed in the middle of its own message. */
static int
on_lost(sd_bus_message *message, void *data, sd_bus_error *unused)
{
    Mirror *mirror = data;

    leave(mirror);
    return sd_event_source_set_enabled(mirror->reopen, SD_EVENT_ONESHOT);
}

static bool
connect(Mirror *mirror, GError **error)
{
    int r;

    if (!loop_attach(mirror->loop, mirror->client, on_lost, mirror, error) ||
        !client_subscribe(mirror->client, on_signal, on_owner, mirror, error))
        return false;
    r = load(mirror);
    if (r < 0)
        failure_set(error, EXIT_NOT_AVAILABLE, "Cannot ask the service: %s", g_strerror(-r));
    return r >= 0;
}

static int
on_reopen(sd_event_source *source, uint64_t usec, void *data)
{
    Mirror *mirror = data;

    if (client_reopen(mirror->client, NULL) && connect(mirror, NULL))
        return 0;
    (void)sd_event_source_set_time_relative(source, REOPEN_USEC);
    return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

bool
mirror_open(Mirror *mirror, Client *client, sd_event *loop, const MirrorEvents *events, void *data,
            GError **error)
{
    int r;

    *mirror = (Mirror){.client = client,
                       .loop = loop,
                       .events = events,
                       .data = data,
                       .inventory = inventory_new()};
    r = sd_event_add_time_relative(loop, &mirror->reopen, CLOCK_MONOTONIC, 0, 0, on_reopen, mirror);
    if (r >= 0)
        r = sd_event_source_set_enabled(mirror->reopen, SD_EVENT_OFF);
    if (r < 0) {
        failure_set(error, EXIT_FAILED, "Cannot make a timer: %s", g_strerror(-r));
        return false;
    }
    return connect(mirror, error);
}

void
mirror_close(Mirror *mirror)
{
    mirror->reopen = sd_event_source_unref(mirror->reopen);
    g_clear_pointer(&mirror->inventory, inventory_free);
}
