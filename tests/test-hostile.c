/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A local user without any right who means harm: nothing that such a user sends ends the service,
 * and nobody else notices.
 */

#include "service.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <gio/gunixfdlist.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define NOFILE               1024 /* what systemd gives a service that asks for nothing */
#define DESCRIPTORS_PER_CALL 16   /* what the system bus lets pass */
#define CALLS                300

/* --- descriptors -------------------------------------------------------------------------- */

/* A hypervisor to which one can connect, and which never says anything. */
static int
listen_mutely(World *w, char **ret_path)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *ret_path = g_build_filename(world_directory(w), "mute", NULL);
    g_strlcpy(sa.sun_path, *ret_path, sizeof sa.sun_path);
    g_assert_cmpint(bind(fd, (struct sockaddr *)&sa, sizeof sa), ==, 0);
    g_assert_cmpint(listen(fd, 100), ==, 0);
    return fd;
}

/* sd-bus attaches no descriptors that the arguments do not mention. */
static GDBusConnection *
connect_with_gio(World *w)
{
    g_autoptr(GError) error = NULL;
    GDBusConnection *bus =
        g_dbus_connection_new_for_address_sync(world_address(w),
                                               G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                                   G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                               NULL, NULL, &error);

    g_assert_no_error(error);
    return bus;
}

static void
send_with_descriptors(GDBusConnection *bus, const char *name, GUnixFDList *descriptors)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GDBusMessage) message =
        g_dbus_message_new_method_call(name, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "ListDomains");

    g_dbus_message_set_unix_fd_list(message, descriptors);
    g_dbus_connection_send_message(bus, message, G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL, &error);
    g_assert_no_error(error);
}

static guint
count_descriptors(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/fd", (int)pid);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    guint n = 0;

    g_assert_nonnull(dir);
    while (g_dir_read_name(dir))
        n++;
    return n;
}

/* Calls that wait for a hypervisor that is mute do not keep what is attached to them. */
static void
test_descriptors(void)
{
    const struct rlimit limit = {NOFILE, NOFILE};
    g_autoptr(World) w = world_new();
    g_autofree char *path = NULL;
    int mute = listen_mutely(w, &path);
    g_autofree char *uri = g_strdup_printf("--uri=test+unix:///default?socket=%s", path);
    g_autoptr(GUnixFDList) descriptors = g_unix_fd_list_new();
    g_autoptr(GError) error = NULL;
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    world_start(w, uri, NULL);
    pid_t pid = process_pid(world_service(w));
    g_assert_cmpint(prlimit(pid, RLIMIT_NOFILE, &limit, NULL), ==, 0);
    guint before = count_descriptors(pid);
    g_autoptr(GDBusConnection) bus = connect_with_gio(w);
    for (guint i = 0; i < DESCRIPTORS_PER_CALL; i++)
        g_assert_cmpint(g_unix_fd_list_append(descriptors, null, NULL), >=, 0);
    for (guint i = 0; i < CALLS; i++)
        send_with_descriptors(bus, world_name(w), descriptors);

    /* The bus keeps the order: when this is answered, those have been taken. */
    g_autoptr(GVariant) pong = g_dbus_connection_call_sync(
        bus, world_name(w), VMS_ROOT_PATH, "org.freedesktop.DBus.Peer", "Ping", NULL, NULL,
        G_DBUS_CALL_FLAGS_NONE, BOUND_MS, NULL, &error);
    g_assert_no_error(error);
    guint after = count_descriptors(pid);
    g_test_message("%u descriptors before, %u after", before, after);
    g_assert_cmpuint(after, <, before + 2 * DESCRIPTORS_PER_CALL);
    g_assert_true(g_dbus_connection_close_sync(bus, NULL, NULL));
    close(mute);
    close(null);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hostile/descriptors", test_descriptors);
    return g_test_run();
}
