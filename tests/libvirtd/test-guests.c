/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The operations on real QEMU guests: one that obeys, one that ignores ACPI, one that is paused,
 * one that sleeps, a transient one. */

#include "libvirtd-guest.h"

#include <string.h>

#define TIMEOUT VMS_ERROR_PREFIX "Timeout"

static Guest *
guest_that_runs(Service *s, const char *name)
{
    Guest *g = guest_new(s, guest_path(s->world, name));

    guest_wait_state(g, "running");
    return g;
}

/* One that has been started behind the service's back. */
static Guest *
begin(const char *option, const char *options, const char *name, const char *mode)
{
    libvirtd_clean();
    Service *s = service_new("--uri=qemu:///system", option, NULL);

    guest_define(s->world, options, name, mode);
    guest_start(s->world, name);
    return guest_that_runs(s, name);
}

static void
test_obeys(void)
{
    g_autoptr(Guest) g = begin("--stop-timeout=20", "", "web", "obey");
    Service *s = g->service;
    guint64 mark;

    guest_wait(s->world, "web", "VMS-GUEST-READY");
    mark = mirror_mark(s->mirror);
    g_autoptr(Call) stop = guest_operate(g, "Stop");
    assert_ok(stop);
    g_autofree char *history = mirror_history(s->mirror, mark, g->path, "State");
    g_assert_true(g_str_equal(history, "shutdown shutoff") || g_str_equal(history, "shutoff"));
    assert_domain(g, "StateReason", "shut-down");
    assert_domain(g, "Id", "-1");
    g_assert_cmpint(call_duration_ms(stop), <, 19000);

    g_autoptr(Call) start = guest_operate(g, "Start");
    assert_ok(start);
    assert_domain(g, "State", "running");
    g_autoptr(Call) force = guest_operate(g, "ForceStop");
    assert_ok(force);
    assert_domain(g, "StateReason", "destroyed");
    assert_domain(g, "Job", "/");
}

static void
test_ignores(void)
{
    g_autoptr(Guest) g = begin("--stop-timeout=2", "", "deaf", "bare");
    Service *s = g->service;

    g_autoptr(Call) reboot = guest_operate(g, "Reboot");
    assert_error_says(reboot, TIMEOUT, "");
    g_assert_cmpint(call_duration_ms(reboot), >=, 2000);
    assert_domain(g, "State", "running");

    g_autoptr(Call) patient = domain_call(s, g->path, "StopWithOptions", "a{sv}", 2, "force", "b",
                                          0, "timeout", "t", G_GUINT64_CONSTANT(500000));
    assert_ok(patient);
    wait_for(s->world, mirror_job_removed(s->mirror, call_path(patient)));
    g_assert_nonnull(strstr(mirror_job_removed(s->mirror, call_path(patient))->body, " timeout "));
    assert_domain(g, "State", "running");

    g_autoptr(Call) stop = guest_operate(g, "Stop");
    assert_ok(stop);
    g_assert_cmpint(call_duration_ms(stop), >=, 2000);
    assert_domain(g, "State", "shutoff");
    assert_domain(g, "StateReason", "destroyed");
    assert_domain(g, "Job", "/");
}

static void
test_paused(void)
{
    g_autoptr(Guest) g = begin("--stop-timeout=20", "", "web", "obey");
    Service *s = g->service;

    guest_wait(s->world, "web", "VMS-GUEST-READY");
    g_autoptr(Call) pause = guest_operate(g, "Pause");
    assert_ok(pause);
    assert_domain(g, "State", "paused");
    g_autoptr(Call) start = guest_operate(g, "Start");
    assert_ok(start);
    assert_domain(g, "State", "running");
    run(s->world, "virsh -q suspend web");
    guest_wait_state(g, "paused");
    g_autoptr(Call) stop = guest_operate(g, "Stop");
    assert_ok(stop);
    assert_domain(g, "StateReason", "shut-down");
    assert_domain(g, "Job", "/");
}

static void
test_asleep(const char *operation, const char *state)
{
    g_autoptr(Guest) g = begin("--stop-timeout=15", "", "nap", "sleep");
    Service *s = g->service;

    guest_wait_state(g, "pmsuspended");
    g_autoptr(Call) wake = guest_operate(g, operation);
    assert_ok(wake);
    assert_domain(g, "State", state);
    guest_wait(s->world, "nap", "VMS-GUEST-AWAKE");
    assert_domain(g, "Job", "/");
}

static void
test_asleep_start(void)
{
    test_asleep("Start", "running");
}

static void
test_asleep_resume(void)
{
    test_asleep("Resume", "running");
}

static void
test_asleep_stop(void)
{
    test_asleep("Stop", "shutoff");
}

static void
test_reboot(void)
{
    g_autoptr(Guest) g = begin("--stop-timeout=20", "", "web", "obey");
    Service *s = g->service;

    guest_wait(s->world, "web", "VMS-GUEST-READY");
    g_autofree char *id = g_strdup(guest_get(g, VMS_DOMAIN_INTERFACE, "Id"));
    /* A change of the configuration takes effect with the next power cycle. */
    guest_define(s->world, "--title pending", "web", "obey");
    g_autoptr(Call) reboot = guest_operate(g, "Reboot");
    assert_ok(reboot);
    assert_domain(g, "State", "running");
    g_assert_cmpstr(guest_get(g, VMS_DOMAIN_INTERFACE, "Id"), !=, id);
    guest_wait(s->world, "web", "VMS-GUEST-READY");
    wait_for(s->world, mirror_is(s->mirror, g->path, "Title", "pending"));
    g_autofree char *title = shell(s->world, "virsh desc --title web");
    g_assert_cmpstr(title, ==, "pending");

    g_free(id);
    id = g_strdup(guest_get(g, VMS_DOMAIN_INTERFACE, "Id"));
    g_autoptr(Call) reset = guest_operate(g, "Reset");
    assert_ok(reset);
    assert_domain(g, "State", "running");
    g_assert_cmpstr(guest_get(g, VMS_DOMAIN_INTERFACE, "Id"), !=, id);
    assert_domain(g, "Job", "/");
}

/* It would vanish with a power cycle: reboot and reset happen in place, and a stop removes it. */
static void
test_transient(void)
{
    libvirtd_clean();
    Service *s = service_new("--uri=qemu:///system", "--stop-timeout=20", NULL);

    guest_create(s->world, "", "guest", "obey");
    g_autoptr(Guest) g = guest_that_runs(s, "guest");
    guest_wait(s->world, "guest", "VMS-GUEST-READY");
    g_autofree char *id = g_strdup(guest_get(g, VMS_DOMAIN_INTERFACE, "Id"));
    assert_domain(g, "Persistent", "false");
    g_autoptr(Call) reset = guest_operate(g, "Reset");
    assert_ok(reset);
    assert_domain(g, "Id", id);
    run(s->world, "until [[ $(grep -c VMS-GUEST-READY /run/vms/guest.console) == 2 ]]; do\n"
                  "    sleep 0.1\n"
                  "done");
    g_autoptr(Call) reboot = guest_operate(g, "Reboot");
    assert_ok(reboot);
    assert_domain(g, "State", "running");
    assert_domain(g, "Id", id);
    run(s->world, "until [[ $(grep -c VMS-GUEST-READY /run/vms/guest.console) == 3 ]]; do\n"
                  "    sleep 0.1\n"
                  "done");
    g_autoptr(Call) stop = guest_operate(g, "Stop");
    assert_ok(stop);
    g_assert_false(mirror_has(s->mirror, g->path, VMS_DOMAIN_INTERFACE));
}

static gint64
cpu_ms(const Service *s)
{
    g_autofree char *ms = shell(
        s->world,
        "awk -v hz=$(getconf CLK_TCK) '{ printf \"%%d\", ($14 + $15) * 1000 / hz }' /proc/%d/stat",
        (int)process_pid(world_service(s->world)));

    return g_ascii_strtoll(ms, NULL, 10);
}

/* One that boots again and again changes nothing that is shown, and costs next to nothing. */
static void
test_boot_loop(void)
{
    run(NULL, "boot-disk reboot /run/vms/loop.img");
    g_autoptr(Guest) g =
        begin("--stop-timeout=2", "--disk /run/vms/loop.img --memory 32", "loop", "boot");
    Service *s = g->service;

    wait_for(s->world, strstr(guest_get(g, VMS_CONFIG_INTERFACE, "Disks"), "capacity"));
    guint64 mark = mirror_mark(s->mirror);
    gint64 cpu = cpu_ms(s);
    gint64 since = g_get_monotonic_time();
    run(s->world, "for i in 1 2 3; do virsh -q event loop reboot --timeout 60; done");
    g_assert_cmpuint(mirror_count(s->mirror, mark, g->path, NULL), ==, 0);
    g_assert_cmpint(cpu_ms(s) - cpu, <, (g_get_monotonic_time() - since) / 1000 / 2);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    libvirtd_need();
    libvirtd_add_func("/libvirtd/guests/obeys", test_obeys);
    libvirtd_add_func("/libvirtd/guests/ignores", test_ignores);
    libvirtd_add_func("/libvirtd/guests/paused", test_paused);
    libvirtd_add_func("/libvirtd/guests/asleep/start", test_asleep_start);
    libvirtd_add_func("/libvirtd/guests/asleep/resume", test_asleep_resume);
    libvirtd_add_func("/libvirtd/guests/asleep/stop", test_asleep_stop);
    libvirtd_add_func("/libvirtd/guests/reboot", test_reboot);
    libvirtd_add_func("/libvirtd/guests/transient", test_transient);
    libvirtd_add_func("/libvirtd/guests/boot-loop", test_boot_loop);
    return g_test_run();
}
