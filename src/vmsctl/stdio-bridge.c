/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stdio-bridge.h"

#include <stdbool.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#define DEFAULT_ADDRESS "unix:path=/run/dbus/system_bus_socket"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(sd_bus, sd_bus_flush_close_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(sd_event, sd_event_unref)

/* Each message goes on as it is. "Disconnected" is sd-bus's own, and ends the loop. */
static int
pass(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    sd_bus *other = userdata;

    if (sd_bus_message_is_signal(message, "org.freedesktop.DBus.Local", NULL) > 0)
        return 0;
    int r = sd_bus_send(other, message, NULL);
    return r < 0 ? sd_event_exit(sd_bus_get_event(other), r) : 1;
}

/* Not as a client: the Hello that the bus is told is that of the other end. */
static int
start_bus(sd_bus *bus, sd_id128_t *id)
{
    const char *address = g_getenv("DBUS_SYSTEM_BUS_ADDRESS");
    int r = sd_bus_set_address(bus, address ? address : DEFAULT_ADDRESS);

    if (r >= 0)
        r = sd_bus_negotiate_fds(bus, false);
    if (r >= 0)
        r = sd_bus_start(bus);
    return r < 0 ? r : sd_bus_get_bus_id(bus, id);
}

/* The user was authenticated on the way here; the bus sees the user of this process. */
static int
start_client(sd_bus *client, sd_id128_t id)
{
    int r = sd_bus_set_fd(client, STDIN_FILENO, STDOUT_FILENO);

    if (r >= 0)
        r = sd_bus_set_server(client, true, id);
    if (r >= 0)
        r = sd_bus_negotiate_fds(client, false);
    if (r >= 0)
        r = sd_bus_set_anonymous(client, true);
    return r < 0 ? r : sd_bus_start(client);
}

static int
join(sd_bus *from, sd_bus *to, sd_event *event)
{
    int r = sd_bus_add_filter(from, NULL, pass, to);

    if (r >= 0)
        r = sd_bus_set_exit_on_disconnect(from, true);
    return r < 0 ? r : sd_bus_attach_event(from, event, SD_EVENT_PRIORITY_NORMAL);
}

static int
bridge(void)
{
    g_autoptr(sd_event) event = NULL;
    g_autoptr(sd_bus) bus = NULL;
    g_autoptr(sd_bus) client = NULL;
    sd_id128_t id;
    int r = sd_event_new(&event);

    if (r >= 0)
        r = sd_bus_new(&bus);
    if (r >= 0)
        r = sd_bus_new(&client);
    if (r >= 0)
        r = start_bus(bus, &id);
    if (r >= 0)
        r = start_client(client, id);
    if (r >= 0)
        r = join(bus, client, event);
    if (r >= 0)
        r = join(client, bus, event);
    return r < 0 ? r : sd_event_loop(event);
}

ExitStatus
stdio_bridge_run(void)
{
    g_autoptr(GError) error = NULL;
    int r = bridge();

    if (r >= 0)
        return EXIT_OK;
    failure_set(&error, EXIT_NOT_AVAILABLE, "The bus cannot be passed on: %s", g_strerror(-r));
    return failure_report(NULL, error);
}
