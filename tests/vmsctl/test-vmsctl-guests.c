/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* vmsctl with a real libvirtd and a real guest. Needs tests/libvirtd-env. */

#include "libvirtd.h"
#include "run.h"

#include <signal.h>
#include <string.h>

static Service *
service_with_guest(const char *options, const char *mode)
{
    libvirtd_clean();
    Service *s = service_new("--uri=qemu:///system", "--stop-timeout=20", NULL);

    guest_define(s->world, options, "web", mode);
    guest_start(s->world, "web");
    g_autofree char *path = guest_path(s->world, "web");
    wait_for(s->world, mirror_is(s->mirror, path, "State", "running"));
    return s;
}

static void
assert_state(Service *s, const char *state)
{
    g_autofree char *path = guest_path(s->world, "web");

    wait_for(s->world, mirror_is(s->mirror, path, "State", state));
}

/* A guest that takes its time is waited for, visibly on a terminal. */
static void
test_stop(void)
{
    g_autoptr(Service) s = service_with_guest("--delay 2", "obey");
    World *w = s->world;

    guest_wait(w, "web", "VMS-GUEST-READY");
    g_autoptr(Terminal) stop = terminal_vmsctl(w, "stop", "web", NULL);
    terminal_expect(stop, "<=>");
    terminal_expect(stop, "Stop web\r\n");
    g_assert_cmpint(terminal_wait(stop), ==, OK);
    assert_state(s, "shutoff");

    assert_prints(w, "", "start", "web");
    assert_state(s, "running");
    assert_prints(w, "", "pause", "web");
    assert_state(s, "paused");
    assert_prints(w, "", "resume", "web");
    assert_vmsctl(w, TIMEOUT, "stop", "--no-force", "--timeout=500ms", "web");
    assert_prints(w, "", "stop", "--timeout=100ms", "web");
    assert_state(s, "shutoff");
}

/* libvirtd goes and comes under it. */
static void
test_restart(void)
{
    g_autoptr(Service) s = service_with_guest("", "bare");
    World *w = s->world;
    g_autoptr(Process) monitor = spawn_vmsctl(w, "monitor", NULL);

    wait_printed(w, monitor, "  VMs are available (qemu:///system)\n");
    wait_printed(w, monitor, "  web: running (booted)\n");
    libvirtd(w, "stop");
    wait_printed(w, monitor, "  VMs are not available: ");
    g_autoptr(Run) service = run_vmsctl(w, "service", NULL);
    run_assert(service, NOT_AVAILABLE, __FILE__, __LINE__);
    g_assert_nonnull(strstr(service->out, "        Next: "));
    /* What is last known can still be seen. */
    assert_prints(w, "web\n", "list", "--cached", "--names", "--state=running");
    g_autoptr(Run) list = run_vmsctl(w, "list", "--names", NULL);
    run_assert(list, NOT_AVAILABLE, __FILE__, __LINE__);
    g_assert_cmpstr(list->out, ==, "web\n");
    g_assert_true(g_str_has_prefix(list->err, "vmsctl: VMs are not available: "));

    libvirtd(w, "start");
    assert_prints(w, "web\n", "list", "--names", "--state=running");
    assert_prints(w, "", "force-stop", "web");
    wait_printed(w, monitor, "  web: running → shutoff (destroyed)\n");
    g_autofree char *out = process_stdout(monitor);
    g_autofree char *state = g_strdup("  web: running (");
    /* It was told once what it is, and nothing of what did not change. */
    g_assert_null(strstr(strstr(out, state) + 1, state));
    process_signal(monitor, SIGINT);
    g_assert_cmpint(process_wait(monitor, BOUND_MS), ==, OK);
}

int
main(int argc, char **argv)
{
    libvirtd_need();
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vmsctl-guests/stop", test_stop);
    g_test_add_func("/vmsctl-guests/restart", test_restart);
    return g_test_run();
}
