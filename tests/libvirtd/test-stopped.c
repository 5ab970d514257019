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
    const char *snapshot; /* that the method is for; the domain has it before, unless it makes it */
    const char *after;
    const char *count; /* of its snapshots afterwards */
    bool same_run;     /* neither forced nor booted */
} Row;

static const Row rows[] = {
    {"slow-start", "shutoff", false, "Start", NULL, "running", "0", false},
    {"stop", "running", false, "Stop", NULL, "running", "0", true},
    {"held-force-stop", "running", false, "ForceStop", NULL, "shutoff", "0", false},
    {"reboot", "running", false, "Reboot", NULL, "running", "0", true},
    {"slow-reset", "running", false, "Reset", NULL, "running", "0", false},
    {"pause", "running", true, "Pause", NULL, "paused", "0", true},
    {"resume", "paused", true, "Resume", NULL, "running", "0", true},
    {"slow-revert", "running", false, "Revert", "one", "running", "1", false},
    {"create", "running", true, "Create", "one", "running", "1", true},
    {"delete", "running", true, "Delete", "one", "running", "0", true},
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

/* A call that returned the job is followed by its end, any other is answered by it. */
static void
check_answer(const Upgrade *u, Mirror *mirror, guint i)
{
    if (!rows[i].snapshot) {
        call_wait(u->calls[i]);
        /* On a slow machine the others were begun for longer than a call may take. */
        if (g_strcmp0(u->calls[i]->error_name, VMS_ERROR_PREFIX "StillRunning") != 0)
            assert_error_says(u->calls[i], VMS_ERROR_PREFIX "Canceled", "the service is stopping");
        return;
    }
    wait_for(u->world, mirror_job_removed(mirror, call_path(u->calls[i])));
    g_assert_nonnull(
        strstr(mirror_job_removed(mirror, call_path(u->calls[i]))->body, " canceled "));
}

static void
stop_service(Upgrade *u, bool killed)
{
    g_autoptr(Mirror) mirror = g_steal_pointer(&u->mirror);

    if (killed) {
        world_kill(u->world);
        return;
    }
    g_autofree char *log = world_stop_log(u->world);
    for (guint i = 0; i < N_ROWS; i++) {
        g_autofree char *line =
            g_strdup_printf("%s%s of \"%s\" was canceled: the service is stopping", rows[i].method,
                            rows[i].snapshot ? "Snapshot" : "", rows[i].name);

        if (!strstr(log, line))
            g_error("%s\nlacks: %s", log, line);
        check_answer(u, mirror, i);
    }
    g_assert_null(strstr(log, "power was cut"));
}

static void
begin_guest(World *w, const Row *row)
{
    g_autofree char *disk =
        row->snapshot ? g_strdup_printf("--disk /run/vms/%s.qcow2", row->name) : g_strdup("");

    if (row->snapshot)
        run(w, "qemu-img create -q -f qcow2 /run/vms/%s.qcow2 16M", row->name);
    guest_define(w, disk, row->name, "bare");
    if (!g_str_equal(row->before, "shutoff"))
        guest_start(w, row->name);
    if (g_str_equal(row->before, "paused"))
        run(w, "virsh -q suspend %s", row->name);
    if (row->snapshot && !g_str_equal(row->method, "Create"))
        run(w, "virsh -q snapshot-create-as %s %s", row->name, row->snapshot);
}

static Upgrade *
begin(void)
{
    Upgrade *u = g_new0(Upgrade, 1);

    libvirtd_clean();
    libvirtd_slow_starts();
    libvirtd_make_workers();
    run(NULL, "rm /run/vms/hang");
    u->world = world_new();
    for (guint i = 0; i < N_ROWS; i++) {
        begin_guest(u->world, &rows[i]);
        u->paths[i] = guest_path(u->world, rows[i].name);
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

static Call *
call_method(const Upgrade *u, guint i)
{
    const Row *row = &rows[i];

    return row->snapshot
               ? client_send(u->client, u->paths[i], VMS_SNAPSHOTS_INTERFACE, row->method, "sa{sv}",
                             row->snapshot, 0)
               : client_send(u->client, u->paths[i], VMS_DOMAIN_INTERFACE, row->method, NULL);
}

/* Each operation is as far as libvirt, or the guest, lets it come. */
static void
begin_operations(Upgrade *u)
{
    static const char *const sent[] = {
        "virDomainSuspend",
        "virDomainResume",
        "virDomainSnapshotCreateXML",
        "virDomainSnapshotDelete",
    };

    for (guint i = 0; i < N_ROWS; i++) {
        if (rows[i].frozen)
            run(u->world, "kill -STOP $(libvirtd-ctl qemu-pid %s)", rows[i].name);
        u->calls[i] = call_method(u, i);
    }
    for (guint i = 0; i < N_ROWS; i++) {
        wait_for(u->world, job_of(u, i) > 0);
        u->last_job = MAX(u->last_job, job_of(u, i));
    }
    run(u->world, "for name in slow-start held-force-stop slow-reset slow-revert; do\n"
                  "    until [[ -e /run/vms/hung.$name ]]; do sleep 0.05; done\n"
                  "done");
    for (guint i = 0; i < G_N_ELEMENTS(sent); i++)
        while (!client_call_lasts(u->client, sent[i]))
            run(u->world, "sleep 0.05");
}

static const char *
count_snapshots(const Upgrade *u, guint i)
{
    return mirror_get(u->mirror, u->paths[i], VMS_SNAPSHOTS_INTERFACE, "Count");
}

/* libvirt can go on; the next process has none of the jobs, but for what libvirt still does, and
 * shows how they end. */
static void
check_after(Upgrade *u)
{
    run(u->world, "rm /run/vms/hang");
    for (guint i = 0; i < N_ROWS; i++)
        if (rows[i].frozen)
            run(u->world, "kill -CONT $(libvirtd-ctl qemu-pid %s)", rows[i].name);
    run(u->world, "until [[ -z $(virsh snapshot-list --name delete) ]] &&\n"
                  "    [[ -n $(virsh snapshot-list --name create) ]]; do sleep 0.05; done");
    start_service(u);
    for (guint i = 0; i < N_ROWS; i++) {
        g_test_message("%s of %s", rows[i].method, rows[i].name);
        if (job_of(u, i) > 0) {
            g_assert_nonnull(rows[i].snapshot);
            g_assert_cmpuint(job_of(u, i), >, u->last_job);
            wait_for(u->world, job_of(u, i) == 0);
        }
        wait_for(u->world, g_strcmp0(get(u, i, "State"), rows[i].after) == 0);
        g_assert_true(g_str_equal(get(u, i, "Id"), u->ids[i]) == rows[i].same_run);
        call_wait(u->calls[i]);
        g_assert_true(!u->calls[i]->error_name == (rows[i].snapshot != NULL));
        wait_for(u->world, g_strcmp0(count_snapshots(u, i), rows[i].count) == 0);
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
