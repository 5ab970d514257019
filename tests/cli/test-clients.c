/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * test-clients PROGRAM [ARGUMENT...]: one of examples/, a stranger to the service, lists the VMs
 * and follows them, live, through a restart of libvirtd. Needs tests/support/libvirtd-env; see
 * test-client.sh.
 */

#include "libvirtd.h"
#include "run.h"

static char **command;

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

    g_autoptr(Process) client = spawn_client(w, command, NULL);
    wait_printed(w, client, "VMs are available\n");
    wait_printed(w, client, "web running\n");
    wait_printed(w, client, "web has been up since 20");
    wait_printed(w, client, "mail shutoff\n");
    g_autoptr(Process) counting = spawn_client(w, command, "--usage");
    wait_printed_times(w, counting, "web uses ", 2);
    wait_printed(w, counting, " % of a processor, ");
    wait_printed(w, counting, " MiB of memory");
    g_assert_cmpuint(count_printed(counting, "mail uses "), ==, 0);

    run(w, "virsh -q destroy web >/dev/null");
    wait_printed(w, client, "web shutoff\n");
    wait_printed(w, client, "web is not up any more\n");

    libvirtd(w, "stop");
    wait_printed(w, client, "VMs are not available\n");
    libvirtd(w, "start");
    wait_printed_times(w, client, "VMs are available\n", 2);

    /* The same client goes on, and has printed nothing that did not change. */
    run(w, "virsh -q start mail >/dev/null");
    wait_printed(w, client, "mail running\n");
    g_assert_cmpuint(count_printed(client, "web shutoff\n"), ==, 1);
    g_assert_cmpuint(count_printed(client, "web running\n"), ==, 1);
    g_assert_cmpuint(count_printed(client, "web has been up since "), ==, 1);
    run(w, "virsh -q undefine web >/dev/null");
    wait_printed(w, client, "web is gone\n");
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
    g_autoptr(Process) client = spawn_client(w, command, NULL);
    wait_printed(w, client, "mail shutoff\n");
    wait_printed(w, client, "web shutoff\n");

    end(w, killed);
    run(w, "virsh -q undefine web >/dev/null; virsh -q start mail >/dev/null");
    world_start(w, "--uri=qemu:///system", NULL);
    wait_printed(w, client, "web is gone\n");
    wait_printed(w, client, "mail running\n");
    g_assert_cmpuint(count_printed(client, "web shutoff\n"), ==, 1);
    run(w, "virsh -q destroy mail >/dev/null");
    wait_printed_times(w, client, "mail shutoff\n", 2);
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
