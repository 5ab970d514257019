/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * test-clients PROGRAM [ARGUMENT...]: one of examples/, a stranger to the service, lists the VMs
 * and follows them, live, through a restart of libvirtd. Needs tests/support/libvirtd-env; see
 * test-client.sh.
 */

#include "libvirtd.h"
#include "run.h"

#include <stdlib.h>
#include <string.h>

static char **command;

static unsigned
count(Process *p, const char *line)
{
    g_autofree char *out = process_stdout(p);
    unsigned found = 0;

    for (const char *at = out; (at = strstr(at, line)); at += strlen(line))
        found++;
    return found;
}

static void
expect(World *w, Process *client, const char *line, unsigned times)
{
    gint64 deadline = g_get_monotonic_time() + BOUND_MS * G_GINT64_CONSTANT(1000);

    while (count(client, line) < times) {
        g_autofree char *out = process_stdout(client);
        g_autofree char *err = process_stderr(client);
        gint64 now = g_get_monotonic_time();

        if (now > deadline || !process_is_alive(client))
            g_error("\"%s\" was not said %u times; there was: %s%s", line, times, out, err);
        (void)world_turn(w, MIN(now + 20000, deadline + 1));
    }
}

static void
test_follow(void)
{
    libvirtd_clean();
    g_autoptr(Service) s = service_new("--uri=qemu:///system", "--stop-timeout=2", NULL);
    World *w = s->world;

    guest_define(w, "", "web", "bare");
    guest_define(w, "", "mail", "bare");
    guest_start(w, "web");
    g_autofree char *web = guest_path(w, "web");
    wait_for(w, mirror_is(s->mirror, web, "State", "running"));

    g_setenv("DBUS_SYSTEM_BUS_ADDRESS", world_address(w), TRUE);
    g_autoptr(Process) client = process_spawn((const char *const *)command, -1);
    expect(w, client, "VMs are available\n", 1);
    expect(w, client, "web running\n", 1);
    expect(w, client, "mail shutoff\n", 1);

    run(w, "virsh -q destroy web >/dev/null");
    expect(w, client, "web shutoff\n", 1);

    libvirtd(w, "stop");
    expect(w, client, "VMs are not available\n", 1);
    libvirtd(w, "start");
    expect(w, client, "VMs are available\n", 2);

    /* The same client goes on, and has printed nothing that did not change. */
    run(w, "virsh -q start mail >/dev/null");
    expect(w, client, "mail running\n", 1);
    g_assert_cmpuint(count(client, "web shutoff\n"), ==, 1);
    g_assert_cmpuint(count(client, "web running\n"), ==, 1);
    run(w, "virsh -q undefine web >/dev/null");
    expect(w, client, "web is gone\n", 1);
    g_assert_true(process_is_alive(client));
    g_autofree char *err = process_stderr(client);
    g_assert_cmpstr(err, ==, "");
    run(w, "virsh -q destroy mail >/dev/null; virsh -q undefine mail >/dev/null");
}

static void
end(World *w, gconstpointer killed)
{
    if (killed)
        world_kill(w);
    else
        world_stop(w);
}

/* The service restarts, and a domain was removed meanwhile, which no signal can report. */
static void
test_service_restarted(gconstpointer killed)
{
    libvirtd_clean();
    g_autoptr(World) w = world_new();

    guest_define(w, "", "web", "bare");
    guest_define(w, "", "mail", "bare");
    world_start(w, "--uri=qemu:///system", NULL);
    g_setenv("DBUS_SYSTEM_BUS_ADDRESS", world_address(w), TRUE);
    g_autoptr(Process) client = process_spawn((const char *const *)command, -1);
    expect(w, client, "mail shutoff\n", 1);
    expect(w, client, "web shutoff\n", 1);

    end(w, killed);
    run(w, "virsh -q undefine web >/dev/null; virsh -q start mail >/dev/null");
    world_start(w, "--uri=qemu:///system", NULL);
    expect(w, client, "web is gone\n", 1);
    expect(w, client, "mail running\n", 1);
    g_assert_cmpuint(count(client, "web shutoff\n"), ==, 1);
    run(w, "virsh -q destroy mail >/dev/null");
    expect(w, client, "mail shutoff\n", 2);
    g_assert_true(process_is_alive(client));
    run(w, "virsh -q undefine mail >/dev/null");
}

int
main(int argc, char **argv)
{
    libvirtd_need();
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(argc, >, 1);
    command = argv + 1;
    g_test_add_func("/clients/follow", test_follow);
    g_test_add_data_func("/clients/service-restarted", NULL, test_service_restarted);
    g_test_add_data_func("/clients/service-killed", "killed", test_service_restarted);
    return g_test_run();
}
