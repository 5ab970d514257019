/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "world.h"

#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* How long a turn waits: what a condition depends on may cause no event. */
#define LOOK_AGAIN_USEC UINT64_C(50000)

struct World {
    char *directory;
    char *address;
    char *name;
    sd_event *event;
    Process *bus;
    Process *service;
    sd_event_source *service_watch;
};

static const char bus_config[] =
    "<!DOCTYPE busconfig PUBLIC '-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN'"
    " 'http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd'>\n"
    "<busconfig>\n"
    "  <listen>unix:path=%s/bus</listen>\n"
    "  <auth>EXTERNAL</auth>\n"
    "  <policy context='default'>\n"
    "    <allow user='*'/>\n"
    "    <allow own='*'/>\n"
    "    <allow send_destination='*' eavesdrop='true'/>\n"
    "    <allow eavesdrop='true'/>\n"
    "  </policy>\n"
    "%s"
    "</busconfig>\n";

/* So that the service alone bounds what a test does. */
static const char no_limits[] = "  <limit name='max_incoming_bytes'>1000000000</limit>\n"
                                "  <limit name='max_outgoing_bytes'>1000000000</limit>\n"
                                "  <limit name='max_message_size'>1000000000</limit>\n"
                                "  <limit name='max_completed_connections'>100000</limit>\n"
                                "  <limit name='max_incomplete_connections'>10000</limit>\n"
                                "  <limit name='max_connections_per_user'>100000</limit>\n"
                                "  <limit name='max_names_per_connection'>50000</limit>\n"
                                "  <limit name='max_match_rules_per_connection'>50000</limit>\n"
                                "  <limit name='max_replies_per_connection'>50000</limit>\n";

/* The option that names it. */
static char *
write_bus_config(World *w, const char *more)
{
    g_autofree char *config = g_build_filename(w->directory, "bus.conf", NULL);
    g_autofree char *text = g_strdup_printf(bus_config, w->directory, more);

    g_assert_true(g_file_set_contents(config, text, -1, NULL));
    return g_strconcat("--config-file=", config, NULL);
}

static void
start_daemon(World *w, const char *more)
{
    g_autofree char *config_arg = write_bus_config(w, more);
    int ready[2];
    char byte;

    g_assert_cmpint(pipe2(ready, O_CLOEXEC), ==, 0);
    g_autofree char *print = g_strdup_printf("--print-address=%d", ready[1]);
    const char *argv[] = {"dbus-daemon", "--nofork", "--nopidfile", "--nosyslog",
                          config_arg,    print,      NULL};
    w->bus = process_spawn(argv, ready[1]);
    close(ready[1]);
    struct pollfd pfd = {.fd = ready[0], .events = POLLIN};
    if (poll(&pfd, 1, BOUND_MS) <= 0 || read(ready[0], &byte, 1) != 1)
        g_error("the bus does not start");
    close(ready[0]);
}

/* It is given a socket that listens, as by systemd; calls wait in there until it has started. The
 * machine's own bus leads it to systemd, of which it asks scopes and services. */
static void
start_broker(World *w, const char *more)
{
    g_autofree char *config_arg = write_bus_config(w, more);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_autofree char *number = g_strdup_printf("%d", fd);
    const char *argv[] = {
        "bash", /* other shells duplicate no descriptor above 9 */
        "-c",
        "unset DBUS_SYSTEM_BUS_ADDRESS; "
        "LISTEN_PID=$$ LISTEN_FDS=1 exec dbus-broker-launch --scope=system \"$0\" 3<&\"$1\"",
        config_arg,
        number,
        NULL};

    g_snprintf(address.sun_path, sizeof address.sun_path, "%s/bus", w->directory);
    (void)g_unlink(address.sun_path); /* that of the bus before */
    g_assert_cmpint(bind(fd, (const struct sockaddr *)&address, sizeof address), ==, 0);
    g_assert_cmpint(g_chmod(address.sun_path, 0666), ==, 0);
    g_assert_cmpint(listen(fd, SOMAXCONN), ==, 0);
    w->bus = process_spawn(argv, fd);
    close(fd);
}

bool
world_buses_are_brokers(void)
{
    return g_strcmp0(g_getenv("VMS_BUS"), "dbus-broker") == 0;
}

static void
start_bus(World *w, const char *more)
{
    if (world_buses_are_brokers())
        start_broker(w, more);
    else
        start_daemon(w, more);
}

void
world_restart_bus(World *w)
{
    g_assert_null(w->service);
    process_free(w->bus);
    start_bus(w, no_limits);
}

static World *
world_without_bus(void)
{
    World *w = g_new0(World, 1);

    w->directory = g_dir_make_tmp("unraid-vms-test-XXXXXX", NULL);
    g_assert_nonnull(w->directory);
    w->address = g_strdup_printf("unix:path=%s/bus", w->directory);
    /* An ordinary user has to get at the socket. */
    g_assert_cmpint(g_chmod(w->directory, 0755), ==, 0);
    g_assert_cmpint(sd_event_new(&w->event), >=, 0);
    w->name = g_strdup("org.unraid.Vms");
    return w;
}

World *
world_new_with_policy(const char *policy)
{
    World *w = world_without_bus();

    start_bus(w, policy);
    return w;
}

World *
world_new(void)
{
    return world_new_with_policy(no_limits);
}

World *
world_new_without_stats(void)
{
    return world_new_with_policy("<policy context='default'>"
                                 "<deny send_interface='org.freedesktop.DBus.Debug.Stats'/>"
                                 "</policy>");
}

World *
world_new_with_limits(void)
{
    return world_new_with_policy("");
}

World *
world_new_on_broker(const char *policy)
{
    World *w = world_without_bus();

    start_broker(w, policy);
    return w;
}

World *
world_system(void)
{
    World *w = world_without_bus();

    g_free(w->address);
    w->address = g_strdup("unix:path=/run/dbus/system_bus_socket");
    return w;
}

static void
remove_directory(const char *path)
{
    const char *argv[] = {"rm", "-rf", "--", path, NULL};

    g_assert_cmpint(process_run(argv, NULL, NULL), ==, 0);
}

void
world_free(World *w)
{
    if (!w)
        return;
    if (w->service)
        world_stop(w);
    process_free(w->bus);
    sd_event_unref(w->event);
    remove_directory(w->directory);
    g_free(w->directory);
    g_free(w->address);
    g_free(w->name);
    g_free(w);
}

const char *
world_address(const World *w)
{
    return w->address;
}

const char *
world_directory(const World *w)
{
    return w->directory;
}

const char *
world_name(const World *w)
{
    return w->name;
}

sd_event *
world_event(const World *w)
{
    return w->event;
}

Process *
world_service(const World *w)
{
    return w->service;
}

Process *
world_bus(const World *w)
{
    return w->bus;
}

const char *
world_program(void)
{
    const char *program = g_getenv("UNRAID_VMSD");

    if (!program)
        g_error("UNRAID_VMSD has to name the program of the service");
    return program;
}

static int
on_service_end(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    World *w = userdata;

    g_error("the service has ended with status %d", process_wait(w->service, BOUND_MS));
    return 0;
}

void
world_startv(World *w, const char *const *options)
{
    g_autoptr(Client) c = NULL;
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_autofree char *address = g_strconcat("--address=", w->address, NULL);

    g_assert_null(w->service);
    g_free(w->name);
    w->name = g_strdup("org.unraid.Vms");
    g_ptr_array_add(argv, (char *)world_program());
    g_ptr_array_add(argv, address);
    for (; *options; options++) {
        g_ptr_array_add(argv, (char *)*options);
        if (!g_str_has_prefix(*options, "--name="))
            continue;
        g_free(w->name);
        w->name = g_strdup(*options + strlen("--name="));
    }
    g_ptr_array_add(argv, NULL);

    w->service = process_spawn((const char *const *)argv->pdata, -1);
    g_assert_cmpint(sd_event_add_io(w->event, &w->service_watch, process_pidfd(w->service), EPOLLIN,
                                    on_service_end, w),
                    >=, 0);
    c = client_new(w);
    client_wait_owned(c);
}

void
world_start(World *w, const char *option, ...)
{
    g_autoptr(GPtrArray) options = g_ptr_array_new();
    va_list ap;

    va_start(ap, option);
    for (; option; option = va_arg(ap, const char *))
        g_ptr_array_add(options, (char *)option);
    va_end(ap);
    g_ptr_array_add(options, NULL);
    world_startv(w, (const char *const *)options->pdata);
}

char *
world_stop_log(World *w)
{
    char *log;
    int status;

    g_assert_nonnull(w->service);
    w->service_watch = sd_event_source_disable_unref(w->service_watch);
    process_signal(w->service, SIGTERM);
    status = process_wait(w->service, BOUND_MS);
    if (status != 0)
        g_error("the service ended with status %d", status);
    log = process_stderr(w->service);
    g_clear_pointer(&w->service, process_free);
    return log;
}

void
world_stop(World *w)
{
    g_free(world_stop_log(w));
}

void
world_kill(World *w)
{
    g_assert_nonnull(w->service);
    w->service_watch = sd_event_source_disable_unref(w->service_watch);
    process_signal(w->service, SIGKILL);
    (void)process_wait(w->service, BOUND_MS);
    g_clear_pointer(&w->service, process_free);
}

bool
world_turn(World *w, gint64 deadline)
{
    gint64 left = deadline - g_get_monotonic_time();
    int r;

    if (left <= 0)
        return false;
    r = sd_event_run(w->event, MIN((uint64_t)left, LOOK_AGAIN_USEC));
    if (r < 0 && r != -EINTR)
        g_error("the event loop fails: %s", g_strerror(-r));
    return true;
}
