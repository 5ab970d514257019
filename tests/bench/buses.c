/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The service on dbus-broker, in turns with that on dbus-daemon. Its launcher wants a journal to
 * log to and a system bus to find systemd on: it gets a socket and the bus of the bench.
 */

#include "bench.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define JOURNAL    "/run/systemd/journal/socket"
#define SYSTEM_BUS "/run/dbus/system_bus_socket"

static gpointer
swallow(gpointer userdata)
{
    char entry[4096];

    while (recv(GPOINTER_TO_INT(userdata), entry, sizeof entry, 0) >= 0)
        continue;
    return NULL;
}

static void
make_journal(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = JOURNAL};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint(g_mkdir_with_parents("/run/systemd/journal", 0755), ==, 0);
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) < 0)
        g_error("%s: %s", JOURNAL, g_strerror(errno));
    g_thread_unref(g_thread_new("journal", swallow, GINT_TO_POINTER(fd)));
}

static void
make_system_bus(const Bench *b)
{
    g_autofree char *socket = g_build_filename(world_directory(b->world), "bus", NULL);

    g_assert_cmpint(g_mkdir_with_parents("/run/dbus", 0755), ==, 0);
    if (symlink(socket, SYSTEM_BUS) < 0)
        g_error("%s: %s", SYSTEM_BUS, g_strerror(errno));
}

static double
time_objects(sd_bus *bus)
{
    return bus_time(bus, OURS, "/org/unraid/Vms", "org.freedesktop.DBus.ObjectManager",
                    "GetManagedObjects", NULL);
}

void
bench_buses(Bench *b)
{
    g_autofree char *uri_option = g_strconcat("--uri=", b->uri, NULL);

    if (!g_file_test(JOURNAL, G_FILE_TEST_EXISTS)) {
        make_journal();
        make_system_bus(b);
    }
    g_autoptr(World) world = world_new_on_broker("");
    g_autoptr(Watch) watch = watch_new(world_address(world));
    sd_bus *bus = bus_connect(world_address(world));

    world_start(world, uri_option, NULL);
    watch_until(watch, watch->titles.n >= b->n);
    for (unsigned i = 0; i < (b->is_short ? 3 : 20); i++) {
        bench_add(b, "objects-broker", "ms", time_objects(bus));
        bench_add(b, "objects-daemon", "ms", time_objects(b->bus));
    }
    sd_bus_flush_close_unref(bus);
}
