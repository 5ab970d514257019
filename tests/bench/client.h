/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The client that waits: calls on the bus, made as plainly as can be, and a watch that stamps the
 * signals of the service and of libvirt-dbus as they arrive. Both abort where something fails.
 */

#include <glib.h>
#include <stdbool.h>
#include <systemd/sd-bus.h>

#define OURS                 "org.unraid.Vms"
#define PEER                 "org.libvirt"
#define PEER_PATH            "/org/libvirt/QEMU"
#define PEER_INTERFACE       "org.libvirt.Connect"
#define PROPERTIES_INTERFACE "org.freedesktop.DBus.Properties"

sd_bus *bus_connect(const char *address);
void bus_wait_owned(sd_bus *bus, const char *name);

/* The reply; types as sd_bus_message_append() takes them, or NULL. */
sd_bus_message *bus_call(sd_bus *bus, const char *name, const char *path, const char *interface,
                         const char *member, const char *types, ...);
/* The same without looking at the reply: how long it took, in milliseconds. */
double bus_time(sd_bus *bus, const char *name, const char *path, const char *interface,
                const char *member, const char *types, ...);

/* libvirt-dbus: the paths of all domains. */
GPtrArray *peer_list(sd_bus *bus);
/* GetAll on each of them, so many at a time. */
void peer_get_all(sd_bus *bus, GPtrArray *paths, unsigned in_flight);

/* How many there were of a kind, and when the last of them came (0: none yet). */
typedef struct {
    unsigned n;
    double at;
} Seen;

typedef struct {
    sd_bus *bus;
    Seen added;               /* InterfacesAdded */
    Seen titles;              /* domains whose Title changed */
    Seen lost, back;          /* domains whose Available turned false, true */
    Seen manager_lost, ready; /* and the Manager's */
    Seen state;               /* domains whose State changed */
    Seen peer_event;          /* libvirt-dbus's DomainEvent */
} Watch;

Watch *watch_new(const char *address);
void watch_free(Watch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Watch, watch_free)
/* Forgets what was seen, and what has arrived unseen. */
void watch_reset(Watch *watch);
/* One turn of its loop; waits a moment where nothing is there. Aborts when it is after `end`. */
void watch_turn(Watch *watch, double end, const char *what);

#define WATCH_BOUND_MS 120e3
#define watch_until(watch, condition)                                                              \
    G_STMT_START                                                                                   \
    {                                                                                              \
        double end_ = now_ms() + WATCH_BOUND_MS;                                                   \
        while (!(condition))                                                                       \
            watch_turn((watch), end_, #condition);                                                 \
    }                                                                                              \
    G_STMT_END
