/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The serial consoles of real guests, through the descriptors that OpenConsole gives. */

#include "libvirtd.h"
#include "stream.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BUSY             VMS_ERROR_PREFIX "Busy"
#define NO_SUCH_DOMAIN   VMS_ERROR_PREFIX "NoSuchDomain"
#define INVALID_STATE    VMS_ERROR_PREFIX "InvalidState"
#define OPERATION_FAILED VMS_ERROR_PREFIX "OperationFailed"

static Service *
service_with_guest(const char *name)
{
    Service *s;

    libvirtd_clean();
    s = service_new("--uri=qemu:///system", "--stop-timeout=2", NULL);
    guest_define(s->world, "", name, "obey");
    guest_start(s->world, name);
    guest_wait(s->world, name, "VMS-GUEST-READY");
    return s;
}

static Call *
send_open(Service *s, const char *path, const char *device)
{
    return client_send(s->client, path, VMS_DISPLAY_INTERFACE, "OpenConsole", "sa{sv}", device, 0);
}

static Stream *
open_console(Service *s, const char *path, const char *device)
{
    g_autoptr(Call) call = send_open(s, path, device);

    return stream_new(s->world, call_descriptor(call));
}

static void
log_in(Stream *c)
{
    stream_write(c, "\n");
    stream_wait(c, "login: ");
    stream_write(c, "root\n");
    stream_wait(c, "# ");
}

/* The expected answer is no part of the command, which the terminal echoes. */
static void
assert_shell(Stream *c, int number)
{
    g_autofree char *question = g_strdup_printf("echo vms-$((%d + 1))\n", number);
    g_autofree char *answer = g_strdup_printf("vms-%d", number + 1);

    stream_write(c, question);
    stream_wait(c, answer);
}

static unsigned
count_processes(Service *s)
{
    g_autofree char *text =
        shell(s->world, "ps -o args= --ppid %d | grep -c -e '--console ' || true",
              (int)process_pid(world_service(s->world)));

    return (unsigned)atoi(text);
}

static void
wait_processes(Service *s, unsigned n)
{
    gint64 deadline = g_get_monotonic_time() + BOUND_MS * G_GINT64_CONSTANT(1000);

    while (count_processes(s) != n)
        g_assert_cmpint(g_get_monotonic_time(), <, deadline);
}

static void
test_login(void)
{
    g_autoptr(Service) s = service_with_guest("web");
    g_autofree char *path = guest_path(s->world, "web");

    {
        g_autoptr(Stream) c = open_console(s, path, "");

        log_in(c);
        assert_shell(c, 41);
        /* A second client gets Busy, by whatever name it asks for the console; the first one goes
         * on. */
        g_autoptr(Call) again = send_open(s, path, "");
        assert_error_says(again, BUSY, "ctive console session exists");
        g_autoptr(Call) named = send_open(s, path, "serial0");
        assert_error(named, BUSY);
        assert_shell(c, 42);
    }
    /* A console that was closed can be opened again at once, and has the same shell in it. */
    {
        g_autoptr(Stream) c = open_console(s, path, "serial0");

        assert_shell(c, 43);
    }
    wait_processes(s, 0);

    g_autoptr(Call) missing = send_open(s, path, "serial7");
    assert_error_says(missing, OPERATION_FAILED, "serial7");
}

static void
test_written_before_closing(void)
{
    g_autoptr(Service) s = service_with_guest("web");
    g_autofree char *path = guest_path(s->world, "web");

    {
        g_autoptr(Stream) c = open_console(s, path, "");

        log_in(c);
        stream_write(c, "echo last-$((6 * 7)) >/dev/console\n");
    }
    guest_wait(s->world, "web", "last-42");
}

static void
test_many(void)
{
    g_autoptr(Service) s = service_with_guest("web");
    g_autofree char *path = guest_path(s->world, "web");

    guest_define(s->world, "", "mail", "obey");
    guest_start(s->world, "mail");
    guest_wait(s->world, "mail", "VMS-GUEST-READY");
    g_autofree char *other_path = guest_path(s->world, "mail");

    g_autoptr(Call) first = send_open(s, path, "");
    g_autoptr(Call) second = send_open(s, other_path, "");
    g_autoptr(Stream) c = stream_new(s->world, call_descriptor(first));
    g_autoptr(Stream) d = stream_new(s->world, call_descriptor(second));

    log_in(c);
    log_in(d);
    assert_shell(c, 1);
    assert_shell(d, 2);
    assert_shell(c, 3);

    /* The end of a guest closes its own console and no other. */
    g_autoptr(Call) stop = domain_call(s, path, "ForceStop", NULL);
    assert_ok(stop);
    stream_wait_end(c);
    assert_shell(d, 4);
    wait_processes(s, 1);
    g_autoptr(Call) off = send_open(s, path, "");
    assert_error_says(off, INVALID_STATE, "not running");
    g_autoptr(Call) start = domain_call(s, path, "Start", NULL);
    assert_ok(start);
    g_autoptr(Stream) e = open_console(s, path, "");
    log_in(e);
}

/* Output that nobody reads waits in the guest: no buffer grows, and nothing is lost. */
static void
test_slow_reader(void)
{
    enum { LINES = 120000 }; /* more than the buffers on the way can hold */
    g_autoptr(Service) s = service_with_guest("web");
    g_autofree char *path = guest_path(s->world, "web");
    g_autoptr(Stream) c = open_console(s, path, "");

    log_in(c);
    stream_write(c, "stty -echo; echo silent\n");
    stream_wait(c, "silent\r\n");
    stream_hold(c, true);
    g_autofree char *flood = g_strdup_printf("seq %d; echo vms-$((6 * 7))\n", LINES);
    stream_write(c, flood);

    /* Others are served meanwhile. It comes to a halt before all is written, with little kept. */
    run(s->world,
        "pid=$(pgrep -P %d -f -- '--console ')\n"
        "log=/run/vms/web.console\n"
        "written() { stat -c %%s $log; }\n"
        "now=$(written)\n"
        "while before=$now; sleep 2; now=$(written); ((now > before)); do :; done\n"
        "! grep -q vms-42 $log\n"
        "(($(awk '/^RssAnon/ { print $2 }' /proc/$pid/status) < 50000))",
        (int)process_pid(world_service(s->world)));
    g_autoptr(Call) call = manager_call(s, "ListDomains", NULL);
    assert_ok(call);
    g_assert_cmpint(call_duration_ms(call), <, 5000);

    stream_hold(c, false);
    wait_for_ms(s->world, 120000, strstr(c->text->str, "vms-42"));
    g_auto(GStrv) lines = g_strsplit(strstr(c->text->str, "1\r\n"), "\r\n", LINES + 1);
    g_assert_cmpuint(g_strv_length(lines), ==, LINES + 1);
    for (int i = 0; i < LINES; i++)
        g_assert_cmpint(atoi(lines[i]), ==, i + 1);
}

static void
test_libvirtd_ends(void)
{
    g_autoptr(Service) s = service_with_guest("web");
    g_autofree char *path = guest_path(s->world, "web");
    g_autoptr(Stream) c = open_console(s, path, "");

    log_in(c);
    libvirtd(s->world, "kill");
    stream_wait_end(c);
    wait_processes(s, 0);
    client_wait_available(s->client, false);
    libvirtd(s->world, "start");
    client_wait_available(s->client, true);
    g_autoptr(Stream) d = open_console(s, path, "");
    assert_shell(d, 5);
}

/* A console that opens while libvirtd hangs is answered in time, and leaves nothing behind. */
static void
test_libvirtd_hangs(void)
{
    g_autoptr(Service) s = service_with_guest("web");
    g_autofree char *path = guest_path(s->world, "web");
    g_autoptr(Stream) c = open_console(s, path, "");

    log_in(c);
    libvirtd(s->world, "freeze");
    g_autoptr(Call) call = send_open(s, path, "");
    call_wait(call);
    g_assert_nonnull(call->error_name);
    g_assert_cmpint(call_duration_ms(call), <, 21000);
    wait_processes(s, 1);
    libvirtd(s->world, "thaw");
    assert_shell(c, 6);
    client_wait_available(s->client, true);
}

static void
test_service_ends(void)
{
    libvirtd_clean();
    guest_define(NULL, "", "web", "obey");
    guest_start(NULL, "web");
    guest_wait(NULL, "web", "VMS-GUEST-READY");
    g_autofree char *path = guest_path(NULL, "web");
    g_autoptr(World) w = world_new();

    world_start(w, "--uri=qemu:///system", NULL);
    g_autoptr(Client) client = client_new(w);
    client_wait_available(client, true);
    g_autoptr(Call) first =
        client_call(client, path, VMS_DISPLAY_INTERFACE, "OpenConsole", "sa{sv}", "", 0);
    g_autoptr(Stream) c = stream_new(w, call_descriptor(first));
    log_in(c);
    /* The data of a console does not pass through the service. */
    process_signal(world_service(w), SIGSTOP);
    assert_shell(c, 7);
    process_signal(world_service(w), SIGCONT);
    world_stop(w);
    stream_wait_end(c);

    world_start(w, "--uri=qemu:///system", NULL);
    client_wait_available(client, true);
    g_autoptr(Call) second =
        client_call(client, path, VMS_DISPLAY_INTERFACE, "OpenConsole", "sa{sv}", "", 0);
    g_autoptr(Stream) d = stream_new(w, call_descriptor(second));
    assert_shell(d, 8);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    libvirtd_need();
    libvirtd_add_func("/libvirtd/console/login", test_login);
    libvirtd_add_func("/libvirtd/console/written-before-closing", test_written_before_closing);
    libvirtd_add_func("/libvirtd/console/many", test_many);
    libvirtd_add_func("/libvirtd/console/slow-reader", test_slow_reader);
    libvirtd_add_func("/libvirtd/console/libvirtd-ends", test_libvirtd_ends);
    libvirtd_add_func("/libvirtd/console/libvirtd-hangs", test_libvirtd_hangs);
    libvirtd_add_func("/libvirtd/console/service-ends", test_service_ends);
    return g_test_run();
}
