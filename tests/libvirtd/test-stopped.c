/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The service stops, or is killed, in the middle of each operation, and another one comes: nothing
 * is forced or repeated, libvirt ends what it was asked for, and the next process shows that.
 */

#include "libvirtd.h"

#include <string.h>

typedef struct {
    const char *name;
    const char *before; /* its state; "frozen" QEMUs answer nothing until the service has gone */
    bool frozen;
    const char *method;
    const char *after;
    bool same_run; /* neither forced nor booted */
} Row;

static const Row rows[] = {
    {"slow-start", "shutoff", false, "Start", "running", false},
    {"stop", "running", false, "Stop", "running", true},
    {"reboot", "running", false, "Reboot", "running", true},
    {"slow-reset", "running", false, "Reset", "running", false},
    {"pause", "running", true, "Pause", "paused", true},
    {"resume", "paused", true, "Resume", "running", true},
};
#define N_ROWS G_N_ELEMENTS(rows)

typedef struct {
    World *world;
    Client *client;
    Mirror *mirror;
    char *paths[N_ROWS];
    char *ids[N_ROWS];
    Call *calls[N_ROWS];
    guint64 last_job;
} Upgrade;

static const char *
get(const Upgrade *u, guint i, const char *property)
{
    return mirror_get(u->mirror, u->paths[i], VMS_DOMAIN_INTERFACE, property);
}

static void
start_service(Upgrade *u)
{
    world_start(u->world, "--uri=qemu:///system", "--stop-timeout=600", NULL);
    if (!u->client)
        u->client = client_new(u->world);
    client_wait_available(u->client, true);
    u->mirror = mirror_new(u->client);
    for (guint i = 0; i < N_ROWS; i++)
        wait_for(u->world, mirror_has(u->mirror, u->paths[i], VMS_DOMAIN_INTERFACE));
}

static void
stop_service(Upgrade *u, bool killed)
{
    g_clear_pointer(&u->mirror, mirror_free);
    if (killed) {
        world_kill(u->world);
        return;
    }
    g_autofree char *log = world_stop_log(u->world);
    for (guint i = 0; i < N_ROWS; i++) {
        g_autofree char *line = g_strdup_printf(
            "%s of \"%s\" was canceled: the service is stopping", rows[i].method, rows[i].name);

        if (!strstr(log, line))
            g_error("%s\nlacks: %s", log, line);
    }
    g_assert_null(strstr(log, "power was cut"));
}

static Upgrade *
begin(void)
{
    Upgrade *u = g_new0(Upgrade, 1);

    libvirtd_clean();
    libvirtd_slow_starts();
    run(NULL, "rm /run/vms/hang");
    u->world = world_new();
    for (guint i = 0; i < N_ROWS; i++) {
        guest_define(u->world, "", rows[i].name, "bare");
        u->paths[i] = guest_path(u->world, rows[i].name);
        if (!g_str_equal(rows[i].before, "shutoff"))
            guest_start(u->world, rows[i].name);
        if (g_str_equal(rows[i].before, "paused"))
            run(u->world, "virsh -q suspend %s", rows[i].name);
    }
    start_service(u);
    for (guint i = 0; i < N_ROWS; i++) {
        wait_for(u->world, g_strcmp0(get(u, i, "State"), rows[i].before) == 0);
        u->ids[i] = g_strdup(get(u, i, "Id"));
    }
    run(u->world, "touch /run/vms/hang; rm -f /run/vms/hung.*");
    return u;
}

/* The number of its job; 0: it has none. */
static guint64
job_of(const Upgrade *u, guint i)
{
    const char *job = get(u, i, "Job");

    return g_str_equal(job, "/") ? 0 : g_ascii_strtoull(strrchr(job, '/') + 1, NULL, 10);
}

/* Each operation is as far as libvirt, or the guest, lets it come. */
static void
begin_operations(Upgrade *u)
{
    for (guint i = 0; i < N_ROWS; i++) {
        if (rows[i].frozen)
            run(u->world, "kill -STOP $(libvirtd-ctl qemu-pid %s)", rows[i].name);
        u->calls[i] =
            client_send(u->client, u->paths[i], VMS_DOMAIN_INTERFACE, rows[i].method, NULL);
    }
    for (guint i = 0; i < N_ROWS; i++) {
        wait_for(u->world, job_of(u, i) > 0);
        u->last_job = MAX(u->last_job, job_of(u, i));
    }
    run(u->world, "for name in slow-start slow-reset; do\n"
                  "    until [[ -e /run/vms/hung.$name ]]; do sleep 0.05; done\n"
                  "done");
}

/* libvirt can go on; the next process has none of the jobs, and shows how they end. */
static void
check_after(Upgrade *u)
{
    run(u->world, "rm /run/vms/hang");
    for (guint i = 0; i < N_ROWS; i++)
        if (rows[i].frozen)
            run(u->world, "kill -CONT $(libvirtd-ctl qemu-pid %s)", rows[i].name);
    start_service(u);
    for (guint i = 0; i < N_ROWS; i++) {
        g_test_message("%s of %s", rows[i].method, rows[i].name);
        g_assert_cmpuint(job_of(u, i), ==, 0);
        wait_for(u->world, g_strcmp0(get(u, i, "State"), rows[i].after) == 0);
        g_assert_true(g_str_equal(get(u, i, "Id"), u->ids[i]) == rows[i].same_run);
        call_wait(u->calls[i]);
        g_assert_nonnull(u->calls[i]->error_name);
    }
    mirror_check(u->mirror);
}

/* A later job has a path that no earlier process has used. */
static void
check_path(Upgrade *u)
{
    g_autoptr(Call) stop =
        client_call(u->client, u->paths[1], VMS_DOMAIN_INTERFACE, "StopWithOptions", "a{sv}", 0);

    assert_ok(stop);
    wait_for(u->world, job_of(u, 1) > 0);
    g_assert_cmpuint(job_of(u, 1), >, u->last_job);
}

static void
test_stopped(gconstpointer killed)
{
    Upgrade *u = begin();

    begin_operations(u);
    stop_service(u, killed != NULL);
    check_after(u);
    check_path(u);

    for (guint i = 0; i < N_ROWS; i++) {
        call_free(u->calls[i]);
        g_free(u->paths[i]);
        g_free(u->ids[i]);
    }
    mirror_free(u->mirror);
    client_free(u->client);
    world_free(u->world);
    g_free(u);
    run(NULL, "rm -f /etc/libvirt/hooks/qemu");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    libvirtd_need();
    libvirtd_add_data_func("/libvirtd/stopped/stopped", NULL, test_stopped);
    libvirtd_add_data_func("/libvirtd/stopped/killed", "killed", test_stopped);
    return g_test_run();
}
