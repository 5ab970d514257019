/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * libvirt goes on with a long call while the service stops, or is killed, and comes again: the next
 * process has it as a job, with progress and an end, that can be joined and cancelled.
 */

#include "libvirtd.h"

#include <string.h>

#define PEER "qemu+tcp://192.0.2.2/system"

static Service *
service_with_guest(const char *options)
{
    libvirtd_slow_saves();
    libvirtd_clean();
    Service *s = service_new("--uri=qemu:///system", NULL);

    guest_define(s->world, options, "web", "obey");
    guest_start(s->world, "web");
    guest_wait(s->world, "web", "VMS-GUEST-READY");
    return s;
}

/* Once libvirt has begun, and long before it is done; the job that the next process has. */
static char *
restart(Service *s, bool killed, Call *call, const char *operation)
{
    g_autofree char *path = guest_path(s->world, "web");

    assert_ok(call);
    run(s->world, "until virsh domjobinfo web | grep -q 'Memory processed'; do sleep 0.05; done");
    g_clear_pointer(&s->mirror, mirror_free);
    if (killed)
        world_kill(s->world);
    else
        world_stop(s->world);
    world_start(s->world, "--uri=qemu:///system", NULL);
    client_wait_available(s->client, true);
    s->mirror = mirror_new(s->client);

    wait_for(s->world, !mirror_is(s->mirror, path, "Job", "/"));
    char *job = g_strdup(mirror_get(s->mirror, path, VMS_DOMAIN_INTERFACE, "Job"));
    g_assert_cmpstr(job, !=, call_path(call));
    g_assert_cmpstr(mirror_get(s->mirror, job, VMS_JOB_INTERFACE, "Operation"), ==, operation);
    wait_for(s->world,
             g_ascii_strtod(mirror_get(s->mirror, job, VMS_JOB_INTERFACE, "Progress"), NULL) > 0);
    g_autoptr(Call) pause = domain_call(s, path, "Pause", NULL);
    assert_error_says(pause, VMS_ERROR_PREFIX "Busy", operation);
    return job;
}

static void
assert_ends(Service *s, const char *job, const char *end)
{
    wait_for_ms(s->world, 120000, mirror_job_removed(s->mirror, job));
    const char *told = strstr(mirror_job_removed(s->mirror, job)->body, end);

    g_assert_cmpstr(told, ==, end);
}

static void
test_save(void)
{
    g_autoptr(Service) s = service_with_guest("");
    g_autofree char *path = guest_path(s->world, "web");
    g_autoptr(Call) save = saved_call(s, path, "Save", "a{sv}", 0);
    g_autofree char *job = restart(s, false, save, "Save");
    g_autoptr(Call) same = saved_call(s, path, "Save", "a{sv}", 0);

    assert_ok(same);
    g_assert_cmpstr(call_path(same), ==, job);
    libvirtd_fast_saves();
    assert_ends(s, job, "Save done ");
    g_assert_true(mirror_is(s->mirror, path, "State", "shutoff"));
    g_assert_true(mirror_is(s->mirror, path, "Job", "/"));
    g_assert_true(service_is_saved(s, path, true));
    assert_equals_virsh(s);
}

static void
test_cancel(void)
{
    g_autoptr(Service) s = service_with_guest("");
    g_autofree char *path = guest_path(s->world, "web");
    g_autoptr(Call) save = saved_call(s, path, "Save", "a{sv}", 0);
    g_autofree char *job = restart(s, true, save, "Save");
    g_autoptr(Call) cancel = client_call(s->client, job, VMS_JOB_INTERFACE, "Cancel", NULL);

    assert_ok(cancel);
    assert_ends(s, job, "Save canceled Save of \"web\" was canceled: as was asked for");
    g_assert_true(mirror_is(s->mirror, path, "State", "running"));
    g_assert_true(service_is_saved(s, path, false));
    assert_equals_virsh(s);
}

/* The domain is gone with it. */
static void
test_migrate(gconstpointer killed)
{
    g_autoptr(Service) s = service_with_guest("");
    g_autofree char *path = guest_path(s->world, "web");

    run(s->world, "libvirtd-peer start");
    g_autoptr(Call) move =
        migrate_call(s, path, "sa{sv}", PEER, 4, "live", "b", true, "persist_destination", "b",
                     true, "undefine_source", "b", true, "bandwidth", "t", G_GUINT64_CONSTANT(1));
    g_autofree char *job = restart(s, killed != NULL, move, "Migrate");
    run(s->world, "virsh -q migrate-setspeed web 1000");
    assert_ends(s, job, "Migrate done ");
    /* libvirt tells of the end, and undefines it after one more word with the other host. */
    wait_for(s->world, !mirror_has(s->mirror, path, VMS_DOMAIN_INTERFACE));
    g_autofree char *there = shell(s->world, "virsh -c " PEER " list --name --persistent");
    g_assert_cmpstr(there, ==, "web");
    assert_equals_virsh(s);
    run(s->world, "libvirtd-peer stop");
}

static void
test_snapshot(void)
{
    run(NULL, "qemu-img create -q -f qcow2 /run/vms/web.qcow2 16M");
    g_autoptr(Service) s = service_with_guest("--disk /run/vms/web.qcow2");
    g_autofree char *path = guest_path(s->world, "web");
    g_autoptr(Call) create = snapshots_call(s, path, "Create", "sa{sv}", "one", 1, "memory_file",
                                            "s", "/run/vms/web.memory");
    g_autofree char *job = restart(s, true, create, "CreateSnapshot");

    libvirtd_fast_saves();
    assert_ends(s, job, "CreateSnapshot done ");
    g_assert_true(mirror_is(s->mirror, path, "State", "running"));
    run(s->world, "virsh -q snapshot-delete --metadata web one");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    libvirtd_need();
    libvirtd_add_func("/libvirtd/followed/save", test_save);
    libvirtd_add_func("/libvirtd/followed/cancel", test_cancel);
    libvirtd_add_data_func("/libvirtd/followed/migrate-stopped", NULL, test_migrate);
    libvirtd_add_data_func("/libvirtd/followed/migrate-killed", "killed", test_migrate);
    libvirtd_add_func("/libvirtd/followed/snapshot", test_snapshot);
    return g_test_run();
}
