/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client.h"

#include "measure.h"

#include <stdarg.h>
#include <string.h>

#define CALL_LIMIT_USEC (60 * G_USEC_PER_SEC)
#define TURN_USEC       200

static void
check(int r, const char *what)
{
    if (r < 0)
        g_error("%s: %s", what, g_strerror(-r));
}

sd_bus *
bus_connect(const char *address)
{
    sd_bus *bus = NULL;
    const char *unique;

    check(sd_bus_new(&bus), "sd_bus_new");
    check(sd_bus_set_address(bus, address), address);
    check(sd_bus_set_bus_client(bus, true), address);
    check(sd_bus_start(bus), address);
    check(sd_bus_get_unique_name(bus, &unique), address);
    return bus;
}

void
bus_wait_owned(sd_bus *bus, const char *name)
{
    double end = now_ms() + 20e3;
    int owned = 0;

    while (!owned) {
        sd_bus_message *reply = bus_call(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                         "org.freedesktop.DBus", "NameHasOwner", "s", name);

        check(sd_bus_message_read(reply, "b", &owned), name);
        sd_bus_message_unref(reply);
        if (now_ms() > end)
            g_error("nobody owns %s", name);
        if (!owned)
            g_usleep(5000);
    }
}

static sd_bus_message *
new_call(sd_bus *bus, const char *name, const char *path, const char *interface, const char *member,
         const char *types, va_list ap)
{
    sd_bus_message *call = NULL;

    check(sd_bus_message_new_method_call(bus, &call, name, path, interface, member), member);
    if (types)
        check(sd_bus_message_appendv(call, types, ap), member);
    return call;
}

static sd_bus_message *
finish_call(sd_bus *bus, sd_bus_message *call)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus_message *reply = NULL;

    if (sd_bus_call(bus, call, CALL_LIMIT_USEC, &error, &reply) < 0)
        g_error("%s %s: %s", sd_bus_message_get_member(call), sd_bus_message_get_path(call),
                error.message);
    sd_bus_message_unref(call);
    return reply;
}

sd_bus_message *
bus_call(sd_bus *bus, const char *name, const char *path, const char *interface, const char *member,
         const char *types, ...)
{
    va_list ap;

    va_start(ap, types);
    sd_bus_message *call = new_call(bus, name, path, interface, member, types, ap);
    va_end(ap);
    return finish_call(bus, call);
}

double
bus_time(sd_bus *bus, const char *name, const char *path, const char *interface, const char *member,
         const char *types, ...)
{
    va_list ap;
    double begin = now_ms();

    va_start(ap, types);
    sd_bus_message *call = new_call(bus, name, path, interface, member, types, ap);
    va_end(ap);
    sd_bus_message_unref(finish_call(bus, call));
    return now_ms() - begin;
}

/* --- libvirt-dbus ------------------------------------------------------------------------- */

GPtrArray *
peer_list(sd_bus *bus)
{
    sd_bus_message *reply =
        bus_call(bus, PEER, PEER_PATH, PEER_INTERFACE, "ListDomains", "u", (uint32_t)0);
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
    const char *path;

    check(sd_bus_message_enter_container(reply, 'a', "o"), "ListDomains");
    while (sd_bus_message_read(reply, "o", &path) > 0)
        g_ptr_array_add(paths, g_strdup(path));
    sd_bus_message_unref(reply);
    return paths;
}

static int
on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    unsigned *pending = userdata;

    if (sd_bus_message_is_method_error(reply, NULL))
        g_error("GetAll: %s", sd_bus_message_get_error(reply)->message);
    --*pending;
    return 0;
}

void
peer_get_all(sd_bus *bus, GPtrArray *paths, unsigned in_flight)
{
    unsigned pending = 0;
    unsigned next = 0;

    while (next < paths->len || pending > 0) {
        for (; next < paths->len && pending < in_flight; next++, pending++)
            check(sd_bus_call_method_async(bus, NULL, PEER, paths->pdata[next],
                                           PROPERTIES_INTERFACE, "GetAll", on_reply, &pending, "s",
                                           "org.libvirt.Domain"),
                  "GetAll");
        int r = sd_bus_process(bus, NULL);
        check(r, "GetAll");
        if (r == 0)
            check(sd_bus_wait(bus, UINT64_MAX), "GetAll");
    }
}

/* --- signals ------------------------------------------------------------------------------ */

static void
see(Seen *seen)
{
    seen->n++;
    seen->at = now_ms();
}

static void
see_available(Watch *watch, sd_bus_message *message, bool is_manager)
{
    int available = 0;

    check(sd_bus_message_read(message, "v", "b", &available), "Available");
    if (is_manager)
        see(available ? &watch->ready : &watch->manager_lost);
    else
        see(available ? &watch->back : &watch->lost);
}

static void
see_changed(Watch *watch, sd_bus_message *message)
{
    bool is_manager = g_str_equal(sd_bus_message_get_path(message), "/org/unraid/Vms");
    const char *interface;
    const char *property;

    check(sd_bus_message_read(message, "s", &interface), "PropertiesChanged");
    check(sd_bus_message_enter_container(message, 'a', "{sv}"), interface);
    while (sd_bus_message_enter_container(message, 'e', "sv") > 0) {
        check(sd_bus_message_read(message, "s", &property), interface);
        if (g_str_equal(property, "Available")) {
            see_available(watch, message, is_manager);
        } else {
            if (g_str_equal(property, "Title"))
                see(&watch->titles);
            else if (g_str_equal(property, "State"))
                see(&watch->state);
            check(sd_bus_message_skip(message, "v"), property);
        }
        check(sd_bus_message_exit_container(message), property);
    }
}

static int
on_signal(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Watch *watch = userdata;

    if (sd_bus_message_is_signal(message, PROPERTIES_INTERFACE, "PropertiesChanged"))
        see_changed(watch, message);
    else if (sd_bus_message_is_signal(message, "org.freedesktop.DBus.ObjectManager",
                                      "InterfacesAdded"))
        see(&watch->added);
    else if (sd_bus_message_is_signal(message, PEER_INTERFACE, "DomainEvent"))
        see(&watch->peer_event);
    return 0;
}

Watch *
watch_new(const char *address)
{
    Watch *watch = g_new0(Watch, 1);

    watch->bus = bus_connect(address);
    check(sd_bus_add_match(watch->bus, NULL, "type='signal'", on_signal, watch), "match");
    return watch;
}

void
watch_free(Watch *watch)
{
    sd_bus_flush_close_unref(watch->bus);
    g_free(watch);
}

void
watch_reset(Watch *watch)
{
    sd_bus *bus = watch->bus;
    int r;

    while ((r = sd_bus_process(bus, NULL)) > 0)
        ;
    check(r, "signals");
    *watch = (Watch){.bus = bus};
}

void
watch_turn(Watch *watch, double end, const char *what)
{
    int r = sd_bus_process(watch->bus, NULL);

    check(r, what);
    /* The caller may wait for something other than the bus: do not sleep for long. */
    if (r == 0)
        check(sd_bus_wait(watch->bus, TURN_USEC), what);
    if (now_ms() > end)
        g_error("not in time: %s", what);
}
