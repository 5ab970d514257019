/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Saved, Snapshots and Migration with real QEMU guests: progress, cancelling, lost connections, and
 * a second host to move to. */

#include "libvirtd.h"

#include <string.h>

#define INVALID_STATE VMS_ERROR_PREFIX "InvalidState"
#define BUSY          VMS_ERROR_PREFIX "Busy"

#define PEER_TCP  "qemu+tcp://192.0.2.2/system"
#define PEER_UNIX "qemu+unix:///system?socket=/mnt/vms-peer/libvirt-sock"

static bool
has_count(Service *s, const char *path, const char *count)
{
    return g_strcmp0(mirror_get(s->mirror, path, VMS_SNAPSHOTS_INTERFACE, "Count"), count) == 0;
}

/* The service and a guest, "web", that is up. */
static Service *
service_with_guest(const char *uri, const char *options)
{
    Service *s;

    libvirtd_clean();
    s = service_new(uri, "--stop-timeout=20", NULL);
    guest_define(s->world, options, "web", "obey");
    guest_start(s->world, "web");
    guest_wait(s->world, "web", "VMS-GUEST-READY");
    g_autofree char *path = guest_path(s->world, "web");
    wait_for(s->world, mirror_is(s->mirror, path, "State", "running"));
    return s;
}

/* Waits until the job's progress is known, and not at its end. */
static void
wait_progress(Service *s, const char *job)
{
#define progress_()                                                                                \
    g_ascii_strtod(mirror_get(s->mirror, job, VMS_JOB_INTERFACE, "Progress") ?: "-1", NULL)
    wait_for(s->world, progress_() > 0);
    g_assert_cmpfloat(progress_(), <, 1);
#undef progress_
}

/* In the middle of it when this returns. */
static Call *
begin_save(Service *s, const char *path)
{
    Call *save = saved_call(s, path, "Save", "a{sv}", 0);

    assert_ok(save);
    wait_progress(s, call_path(save));
    return save;
}

/*
 * Its progress was told now and then, and no more than five times a second: on the average, since
 * one signal may reach us late, and the next in time.
 */
static void
check_progress_signals(Service *s, guint64 mark, const char *job)
{
    gint64 first = 0, last = 0;
    guint n = 0;

    for (guint i = 0; i < s->mirror->signals->len; i++) {
        const Signal *signal = s->mirror->signals->pdata[i];

        if (signal->sequence <= mark || !g_str_equal(signal->path, job) ||
            !g_str_equal(signal->member, "PropertiesChanged"))
            continue;
        if (n++ == 0)
            first = signal->usec;
        last = signal->usec;
    }
    g_assert_cmpuint(n, >=, 1);
    g_assert_cmpint((n - 1) * 200000, <=, last - first + 400000);
}

/* A guest that goes on still obeys. */
static void
stop_obeyed(Service *s, const char *path)
{
    g_autoptr(Call) stop = domain_call(s, path, "Stop", NULL);
    assert_ok(stop);
    g_assert_true(mirror_is(s->mirror, path, "StateReason", "shut-down"));
}

/* --- Saved -------------------------------------------------------------------------------- */

static void
test_save_and_start(void)
{
    g_autoptr(Service) s = service_with_guest("--uri=qemu:///system", "");
    g_autofree char *path = guest_path(s->world, "web");
    guint64 mark = mirror_mark(s->mirror);

    g_autoptr(Call) save = saved_call(s, path, "Save", "a{sv}", 0);
    assert_job_ends(s, save, "Save done ");
    g_assert_true(service_is_saved(s, path, true));
    g_assert_true(mirror_is(s->mirror, path, "State", "shutoff"));
    g_assert_true(mirror_is(s->mirror, path, "StateReason", "saved"));
    assert_equals_virsh(s);

    g_autoptr(Call) start = domain_call(s, path, "Start", NULL);
    assert_ok(start);
    g_assert_true(service_is_saved(s, path, false));
    g_assert_true(mirror_is(s->mirror, path, "State", "running"));
    g_autofree char *history = mirror_history(s->mirror, mark, path, "StateReason");
    g_assert_nonnull(strstr(history, "restored"));
    /* It went on where it was: it did not boot, and its button works. */
    stop_obeyed(s, path);
    g_autofree char *said = shell(s->world, "cat /run/vms/web.console");
    g_assert_null(strstr(said, "VMS-GUEST-READY"));
    assert_equals_virsh(s);
}

/* Somebody else's managed save, and its end. */
static void
test_saved_by_others(void)
{
    g_autoptr(Service) s = service_with_guest("--uri=qemu:///system", "");
    g_autofree char *path = guest_path(s->world, "web");

    run(s->world, "virsh -q managedsave web --paused");
    wait_for(s->world, service_is_saved(s, path, true));
    g_autoptr(Call) start = domain_call(s, path, "Start", NULL);
    assert_ok(start);
    g_assert_true(mirror_is(s->mirror, path, "State", "paused"));
    g_assert_true(service_is_saved(s, path, false));

    g_autoptr(Call) save = saved_call(s, path, "Save", "a{sv}", 0);
    assert_job_ends(s, save, "Save done ");
    /* Of this libvirt sends no event. */
    run(s->world, "virsh -q managedsave-remove web");
    g_autoptr(Call) list = manager_call(s, "ListDomains", NULL);
    assert_ok(list);
    g_assert_true(service_is_saved(s, path, false));
    assert_equals_virsh(s);
}

/* Damage to the file that holds the memory: $save. */
static const struct {
    const char *command;
    bool by_qemu; /* QEMU notices it, and ends: libvirt tells of the one or of the other */
} damages[] = {
    {": >$save"},
    {"truncate -s 50 $save"},
    {"printf rubbish | dd of=$save conv=notrunc status=none"},
    {"printf '</rubbish>' | dd of=$save bs=1 seek=120 conv=notrunc status=none"},
    {"truncate -s $(($(stat -c %s $save) / 2)) $save", .by_qemu = true},
};

/* libvirt says why it does not go on with it, and whether it is still there; or it boots anew. */
static void
check_damaged(Service *s, const char *path, bool by_qemu)
{
    g_autoptr(Call) start = domain_call(s, path, "Start", NULL);
    g_autofree char *flag =
        shell(s->world, "virsh dominfo web | awk '$1 == \"Managed\" { print $3 }'");

    g_test_message("%s; managed save: %s", start->error_message, flag);
    g_assert_true(service_is_saved(s, path, g_str_equal(flag, "yes")));
    if (!start->error_name) {
        g_assert_true(mirror_is(s->mirror, path, "StateReason", "booted"));
        return;
    }
    assert_error(start, VMS_ERROR_PREFIX "OperationFailed");
    g_assert_true(mirror_is(s->mirror, path, "State", "shutoff"));
    g_autofree char *said = shell(s->world, "! virsh -q start web 2>&1");
    if (!by_qemu && !strstr(said, start->error_message))
        g_error("libvirt says \"%s\", the service \"%s\"", said, start->error_message);
}

static void
test_save_damaged(void)
{
    libvirtd_clean();
    g_autoptr(Service) s = service_new("--uri=qemu:///system", NULL);
    g_autofree char *path = guest_path(s->world, "web");

    guest_define(s->world, "", "web", "bare");
    wait_for(s->world, mirror_is(s->mirror, path, "State", "shutoff"));
    for (guint i = 0; i < G_N_ELEMENTS(damages); i++) {
        g_test_message("%s", damages[i].command);
        g_autoptr(Call) boot = domain_call(s, path, "Start", NULL);
        assert_ok(boot);
        g_autoptr(Call) save = saved_call(s, path, "Save", "a{sv}", 0);
        assert_job_ends(s, save, "Save done ");
        run(s->world, "save=/var/lib/libvirt/qemu/save/web.save; %s", damages[i].command);
        check_damaged(s, path, damages[i].by_qemu);
        if (mirror_is(s->mirror, path, "State", "running")) {
            g_autoptr(Call) force = domain_call(s, path, "ForceStop", NULL);
            assert_ok(force);
        }
        if (service_is_saved(s, path, true)) {
            g_autoptr(Call) discard = saved_call(s, path, "Discard", NULL);
            assert_ok(discard);
        }
        g_assert_true(service_is_saved(s, path, false));
        assert_equals_virsh(s);
    }
}

static void
test_save_cancel(void)
{
    libvirtd_slow_saves();
    g_autoptr(Service) s = service_with_guest("--uri=qemu:///system", "");
    g_autofree char *path = guest_path(s->world, "web");
    guint64 mark = mirror_mark(s->mirror);

    g_autoptr(Call) save = saved_call(s, path, "Save", "a{sv}", 0);
    assert_ok(save);
    const char *job = call_path(save);
    wait_progress(s, job);

    g_autoptr(Call) same = saved_call(s, path, "Save", "a{sv}", 0);
    assert_ok(same);
    g_assert_cmpstr(call_path(same), ==, job);
    g_autoptr(Call) other = saved_call(s, path, "Save", "a{sv}", 1, "paused", "b", true);
    assert_error_says(other, BUSY, "Save");
    static const char *const members[] = {"Start", "Stop", "Pause", "Resume", "Reboot", "Reset"};
    for (guint i = 0; i < G_N_ELEMENTS(members); i++) {
        g_autoptr(Call) call = domain_call(s, path, members[i], NULL);
        assert_error_says(call, BUSY, "Save");
    }
    g_autoptr(Call) list = snapshots_call(s, path, "List", NULL);
    assert_ok(list);
    g_autoptr(Call) domains = manager_call(s, "ListDomains", NULL);
    assert_ok(domains);

    g_autoptr(Call) cancel = client_call(s->client, job, VMS_JOB_INTERFACE, "Cancel", NULL);
    assert_ok(cancel);
    assert_job_ends(s, save, "Save canceled Save of \"web\" was canceled: as was asked for");
    check_progress_signals(s, mark, job);
    g_assert_true(mirror_is(s->mirror, path, "State", "running"));
    g_assert_true(service_is_saved(s, path, false));
    g_assert_true(mirror_is(s->mirror, path, "Job", "/"));
    assert_equals_virsh(s);
    stop_obeyed(s, path);
}

static void
test_save_overtaken(void)
{
    libvirtd_slow_saves();
    g_autoptr(Service) s = service_with_guest("--uri=qemu:///system", "");
    g_autofree char *path = guest_path(s->world, "web");

    g_autoptr(Call) save = begin_save(s, path);
    g_autoptr(Call) force = domain_call(s, path, "ForceStop", NULL);
    assert_ok(force);
    g_assert_cmpint(call_duration_ms(force), <, 10000);
    g_assert_true(mirror_is(s->mirror, path, "State", "shutoff"));
    g_autofree char *end = service_job_end(s, save);
    g_assert_true(g_str_has_prefix(end, "Save failed ") || g_str_has_prefix(end, "Save canceled "));
    assert_equals_virsh(s);
}

/* --- lost connections --------------------------------------------------------------------- */

/* libvirtd dies in the middle: what comes back is a guest that was not saved. */
static void
test_save_daemon_killed(void)
{
    libvirtd_slow_saves();
    g_autoptr(Service) s = service_with_guest("--uri=qemu:///system", "");
    g_autofree char *path = guest_path(s->world, "web");

    g_autoptr(Call) save = begin_save(s, path);
    libvirtd(s->world, "kill");
    client_wait_available(s->client, false);
    g_assert_true(mirror_is(s->mirror, path, "Job", call_path(save)));
    libvirtd(s->world, "start");
    g_autofree char *end = service_job_end(s, save);
    g_assert_true(g_str_has_prefix(end, "Save failed "));
    g_assert_true(g_str_has_suffix(end, "; it may have been carried out"));
    g_assert_true(mirror_is(s->mirror, path, "State", "running"));
    assert_equals_virsh(s);
    stop_obeyed(s, path);
}

/* The guest dies with it: what there is of its memory is no saved state, although it is there. */
static void
test_save_cut_short(void)
{
    libvirtd_slow_saves();
    g_autoptr(Service) s = service_with_guest("--uri=qemu:///system", "");
    g_autofree char *path = guest_path(s->world, "web");

    g_autoptr(Call) save = begin_save(s, path);
    run(s->world, "qemu=$(libvirtd-ctl qemu-pid web); libvirtd-ctl kill; kill -KILL $qemu");
    libvirtd(s->world, "start");
    g_autofree char *end = service_job_end(s, save);
    g_assert_true(g_str_has_prefix(end, "Save failed "));
    g_assert_true(mirror_is(s->mirror, path, "State", "shutoff"));
    assert_equals_virsh(s);
    /* libvirt boots it anew. */
    g_autoptr(Call) start = domain_call(s, path, "Start", NULL);
    assert_ok(start);
    g_assert_true(mirror_is(s->mirror, path, "StateReason", "booted"));
    g_assert_true(service_is_saved(s, path, false));
}

/* A proxy in front of libvirtd; SIGUSR1 cuts all that goes through it. */
static void
start_proxy(World *w)
{
    run(w, "cat >/run/vms/proxy.py <<'PYTHON'\n"
           "import selectors, signal, socket\n"
           "peers = {}\n"
           "selector = selectors.DefaultSelector()\n"
           "def drop(end):\n"
           "    for one in (end, peers[end]):\n"
           "        selector.unregister(one)\n"
           "        del peers[one]\n"
           "        one.close()\n"
           "def cut(*_):\n"
           "    while peers:\n"
           "        drop(next(iter(peers)))\n"
           "listener = socket.socket(socket.AF_UNIX)\n"
           "listener.bind('/run/vms/proxy')\n"
           "listener.listen(64)\n"
           "selector.register(listener, selectors.EVENT_READ)\n"
           "wake, waker = socket.socketpair()\n"
           "waker.setblocking(False)\n"
           "signal.set_wakeup_fd(waker.fileno())\n"
           "signal.signal(signal.SIGUSR1, lambda *_: None)\n"
           "selector.register(wake, selectors.EVENT_READ)\n"
           "while True:\n"
           "    for key, _ in selector.select():\n"
           "        if key.fileobj is wake:\n"
           "            wake.recv(64)\n"
           "            cut()\n"
           "            break\n"
           "        elif key.fileobj is listener:\n"
           "            near, far = listener.accept()[0], socket.socket(socket.AF_UNIX)\n"
           "            far.connect('/run/libvirt/libvirt-sock')\n"
           "            peers[near], peers[far] = far, near\n"
           "            selector.register(near, selectors.EVENT_READ)\n"
           "            selector.register(far, selectors.EVENT_READ)\n"
           "        elif key.fileobj in peers:\n"
           "            try:\n"
           "                data = key.fileobj.recv(65536)\n"
           "                peers[key.fileobj].sendall(data) if data else drop(key.fileobj)\n"
           "            except OSError:\n"
           "                drop(key.fileobj)\n"
           "PYTHON\n"
           "rm -f /run/vms/proxy\n"
           "python3 /run/vms/proxy.py </dev/null >/run/vms/proxy.log 2>&1 &\n"
           "echo $! >/run/vms/proxy.pid\n"
           "until [[ -S /run/vms/proxy ]]; do sleep 0.02; done");
}

static bool
manager_was_lost(Service *s, guint64 mark)
{
    g_autofree char *history = mirror_history(s->mirror, mark, VMS_ROOT_PATH, "Available");

    return g_str_has_prefix(history, "false");
}

static void
cut_connection(Service *s)
{
    guint64 mark = mirror_mark(s->mirror);

    run(s->world, "kill -USR1 $(</run/vms/proxy.pid)");
    wait_for(s->world, manager_was_lost(s, mark));
    client_wait_available(s->client, true);
}

/* The connection breaks and libvirtd goes on: so does the job, to its end. */
static void
test_save_connection_cut(void)
{
    libvirtd_slow_saves();
    libvirtd_clean();
    start_proxy(NULL);
    g_autoptr(Service) s =
        service_with_guest("--uri=qemu+unix:///system?socket=/run/vms/proxy", "");
    g_autofree char *path = guest_path(s->world, "web");
    g_autoptr(Call) save = begin_save(s, path);

    cut_connection(s);
    guint64 cut = mirror_mark(s->mirror);
    g_assert_true(mirror_is(s->mirror, path, "Job", call_path(save)));
    libvirtd_fast_saves();
    assert_job_ends(s, save, "Save done ");
    check_progress_signals(s, cut, call_path(save));
    g_assert_true(service_is_saved(s, path, true));
    g_assert_true(mirror_is(s->mirror, path, "State", "shutoff"));
    assert_equals_virsh(s);

    /* The same, and cancelled on the new connection. */
    g_autoptr(Call) start = domain_call(s, path, "Start", NULL);
    assert_ok(start);
    libvirtd_slow_saves();
    g_autoptr(Call) again = saved_call(s, path, "Save", "a{sv}", 0);
    assert_ok(again);
    wait_progress(s, call_path(again));
    cut_connection(s);
    g_autoptr(Call) cancel =
        client_call(s->client, call_path(again), VMS_JOB_INTERFACE, "Cancel", NULL);
    assert_ok(cancel);
    assert_job_ends(s, again, "Save canceled Save of \"web\" was canceled: as was asked for");
    g_assert_true(mirror_is(s->mirror, path, "State", "running"));
    assert_equals_virsh(s);
    run(s->world, "kill $(</run/vms/proxy.pid)");
}

/* --- Snapshots ---------------------------------------------------------------------------- */

static Service *
service_with_disk(void)
{
    libvirtd_clean();
    run(NULL, "qemu-img create -q -f qcow2 /run/vms/web.qcow2 16M");
    return service_with_guest("--uri=qemu:///system", "--disk /run/vms/web.qcow2");
}

static void
remove_snapshots(World *w)
{
    run(w, "virsh snapshot-list --name web | while read -r name; do\n"
           "    [[ -z $name ]] || virsh -q snapshot-delete web \"$name\"\n"
           "done");
}

static void
test_snapshots(void)
{
    g_autoptr(Service) s = service_with_disk();
    g_autofree char *path = guest_path(s->world, "web");

    g_autoptr(Call) one =
        snapshots_call(s, path, "Create", "sa{sv}", "one", 1, "description", "s", "the first");
    assert_job_ends(s, one, "CreateSnapshot done ");
    g_assert_true(has_count(s, path, "1"));
    g_assert_true(mirror_is(s->mirror, path, "State", "running"));
    g_autofree char *virsh =
        shell(s->world, "virsh snapshot-info web one | awk '$1 == \"State:\" { print $2 }'");
    g_assert_cmpstr(virsh, ==, "running");
    g_autofree char *image = shell(s->world, "qemu-img snapshot -U -l /run/vms/web.qcow2");
    g_assert_nonnull(strstr(image, "one"));
    g_autoptr(Call) xml = snapshots_call(s, path, "GetXml", "s", "one");
    assert_ok(xml);
    g_assert_nonnull(strstr(xml->body, "the first"));

    /* Back from off to running, in the very state that it was in. */
    g_autoptr(Call) force = domain_call(s, path, "ForceStop", NULL);
    assert_ok(force);
    g_autoptr(Call) off = snapshots_call(s, path, "Create", "sa{sv}", "off", 0);
    assert_job_ends(s, off, "CreateSnapshot done ");
    g_assert_true(has_count(s, path, "2"));
    g_autoptr(Call) revert = snapshots_call(s, path, "Revert", "sa{sv}", "one", 0);
    assert_job_ends(s, revert, "RevertSnapshot done ");
    g_assert_true(mirror_is(s->mirror, path, "State", "running"));
    g_assert_true(mirror_is(s->mirror, path, "StateReason", "from-snapshot"));
    assert_equals_virsh(s);
    stop_obeyed(s, path);
    g_autofree char *said = shell(s->world, "cat /run/vms/web.console");
    g_assert_null(strstr(said, "VMS-GUEST-READY"));

    g_autoptr(Call) paused =
        snapshots_call(s, path, "Revert", "sa{sv}", "one", 1, "paused", "b", true);
    assert_job_ends(s, paused, "RevertSnapshot done ");
    g_assert_true(mirror_is(s->mirror, path, "State", "paused"));

    g_autoptr(Call) delete = snapshots_call(s, path, "Delete", "sa{sv}", "off", 0);
    assert_job_ends(s, delete, "DeleteSnapshot done ");
    g_autoptr(Call) last = snapshots_call(s, path, "Delete", "sa{sv}", "one", 0);
    assert_job_ends(s, last, "DeleteSnapshot done ");
    g_assert_true(has_count(s, path, "0"));
    g_autofree char *left = shell(s->world, "virsh snapshot-list --name web");
    g_assert_cmpstr(left, ==, "");
    assert_equals_virsh(s);
}

/* Of other people's snapshots libvirt sends no event. */
static void
test_snapshots_of_others(void)
{
    g_autoptr(Service) s = service_with_disk();
    g_autofree char *path = guest_path(s->world, "web");

    g_autoptr(Call) force = domain_call(s, path, "ForceStop", NULL);
    assert_ok(force);
    for (guint i = 1; i <= 3; i++) {
        g_autofree char *count = g_strdup_printf("%u", i);

        run(s->world, "virsh -q snapshot-create-as web other%u", i);
        g_autoptr(Call) list = manager_call(s, "ListDomains", NULL);
        assert_ok(list);
        g_assert_true(has_count(s, path, count));
    }
    /* At the domain's next event, too, and by a new connection. */
    run(s->world, "virsh -q snapshot-delete web other2");
    run(s->world, "virsh -q start web");
    wait_for(s->world, has_count(s, path, "2"));
    g_autoptr(Call) down = domain_call(s, path, "ForceStop", NULL);
    assert_ok(down);
    run(s->world, "virsh -q snapshot-delete web other1");
    g_autoptr(Call) reconnect = manager_call(s, "Reconnect", NULL);
    assert_ok(reconnect);
    wait_for(s->world, has_count(s, path, "1"));
    remove_snapshots(s->world);
    g_autoptr(Call) last = manager_call(s, "ListDomains", NULL);
    assert_ok(last);
    g_assert_true(has_count(s, path, "0"));
    assert_equals_virsh(s);
}

/* The disk alone: the guest goes on, into a new file. */
static void
test_snapshot_disk_only(void)
{
    g_autoptr(Service) s = service_with_disk();
    g_autofree char *path = guest_path(s->world, "web");
    guint64 mark = mirror_mark(s->mirror);

    g_autoptr(Call) create =
        snapshots_call(s, path, "Create", "sa{sv}", "disk", 1, "disk_only", "b", true);
    assert_job_ends(s, create, "CreateSnapshot done ");
    g_assert_true(has_count(s, path, "1"));
    g_autofree char *history = mirror_history(s->mirror, mark, path, "Id");
    g_assert_cmpstr(history, ==, "");
    g_autofree char *disk =
        shell(s->world, "virsh domblklist web | awk '$1 == \"vda\" { print $2 }'");
    g_assert_cmpstr(disk, ==, "/run/vms/web.disk");
    g_autoptr(Call) delete =
        snapshots_call(s, path, "Delete", "sa{sv}", "disk", 1, "metadata_only", "b", true);
    assert_job_ends(s, delete, "DeleteSnapshot done ");
    g_assert_true(has_count(s, path, "0"));
    run(s->world, "ls /run/vms/web.qcow2 && rm /run/vms/web.disk");
    stop_obeyed(s, path);
}

/* --- Migration ---------------------------------------------------------------------------- */

static Service *
service_with_peer(void)
{
    Service *s = service_with_guest("--uri=qemu:///system", "");

    run(s->world, "libvirtd-peer start");
    return s;
}

static void
test_migrate(const char *uri)
{
    g_autoptr(Service) s = service_with_peer();
    g_autofree char *path = guest_path(s->world, "web");

    g_autoptr(Call) move =
        migrate_call(s, path, "sa{sv}", uri, 3, "live", "b", true, "persist_destination", "b", true,
                     "undefine_source", "b", true);
    assert_job_ends(s, move, "Migrate done ");
    g_assert_false(mirror_has(s->mirror, path, VMS_DOMAIN_INTERFACE));
    g_autofree char *there = shell(s->world, "virsh -c " PEER_TCP " list --name --persistent");
    g_assert_cmpstr(there, ==, "web");
    assert_equals_virsh(s);
    run(s->world, "libvirtd-peer stop");
}

static void
test_migrate_tcp(void)
{
    test_migrate(PEER_TCP);
}

static void
test_migrate_unix(void)
{
    test_migrate(PEER_UNIX);
}

static void
test_migrate_cancel(void)
{
    g_autoptr(Service) s = service_with_peer();
    g_autofree char *path = guest_path(s->world, "web");
    guint64 mark = mirror_mark(s->mirror);

    g_autoptr(Call) move = migrate_call(s, path, "sa{sv}", PEER_TCP, 2, "live", "b", true,
                                        "bandwidth", "t", G_GUINT64_CONSTANT(1));
    assert_ok(move);
    wait_progress(s, call_path(move));
    g_assert_true(mirror_is(s->mirror, path, "State", "running"));
    g_autoptr(Call) pause = domain_call(s, path, "Pause", NULL);
    assert_error_says(pause, BUSY, "Migrate");
    g_autoptr(Call) cancel =
        client_call(s->client, call_path(move), VMS_JOB_INTERFACE, "Cancel", NULL);
    assert_ok(cancel);
    g_assert_cmpint(call_duration_ms(cancel), <, 10000);
    assert_job_ends(s, move, "Migrate canceled Migrate of \"web\" was canceled: as was asked for");
    check_progress_signals(s, mark, call_path(move));
    g_assert_true(mirror_is(s->mirror, path, "State", "running"));
    g_autofree char *there = shell(s->world, "virsh -c " PEER_TCP " list --all --name");
    g_assert_cmpstr(there, ==, "");
    assert_equals_virsh(s);

    /* The guest is moved, and its definition stays here, off. */
    g_autoptr(Call) again = migrate_call(s, path, "sa{sv}", PEER_TCP, 0);
    assert_job_ends(s, again, "Migrate done ");
    g_assert_true(mirror_is(s->mirror, path, "State", "shutoff"));
    g_assert_true(mirror_is(s->mirror, path, "StateReason", "migrated"));
    g_autofree char *transient = shell(s->world, "virsh -c " PEER_TCP " list --name --transient");
    g_assert_cmpstr(transient, ==, "web");
    run(s->world, "virsh -q -c " PEER_TCP " destroy web");

    /* A domain that is off moves as a definition. */
    g_autoptr(Call) refused = migrate_call(s, path, "sa{sv}", PEER_TCP, 0);
    assert_error_says(refused, INVALID_STATE, "persist_destination");
    g_autoptr(Call) definition =
        migrate_call(s, path, "sa{sv}", PEER_TCP, 1, "persist_destination", "b", true);
    assert_job_ends(s, definition, "Migrate done ");
    g_autofree char *persistent =
        shell(s->world, "virsh -c " PEER_TCP " list --name --persistent --inactive");
    g_assert_cmpstr(persistent, ==, "web");
    assert_equals_virsh(s);
    run(s->world, "libvirtd-peer stop");
}

/* A destination that is not there: libvirt's words, and the guest runs on. */
static void
test_migrate_nowhere(void)
{
    g_autoptr(Service) s = service_with_guest("--uri=qemu:///system", "");
    g_autofree char *path = guest_path(s->world, "web");

    g_autoptr(Call) move =
        migrate_call(s, path, "sa{sv}", "qemu+tcp://me:secret@127.0.0.1:1/system", 0);
    g_autofree char *end = service_job_end(s, move);
    g_assert_true(g_str_has_prefix(end, "Migrate failed "));
    /* All users can read it. */
    g_assert_null(strstr(end, "secret"));
    g_assert_nonnull(strstr(end, "127.0.0.1:1"));
    g_assert_true(mirror_is(s->mirror, path, "State", "running"));
    assert_equals_virsh(s);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    libvirtd_need();
    libvirtd_add_func("/libvirtd/long/save/start", test_save_and_start);
    libvirtd_add_func("/libvirtd/long/save/others", test_saved_by_others);
    libvirtd_add_func("/libvirtd/long/save/damaged", test_save_damaged);
    libvirtd_add_func("/libvirtd/long/save/cancel", test_save_cancel);
    libvirtd_add_func("/libvirtd/long/save/overtaken", test_save_overtaken);
    libvirtd_add_func("/libvirtd/long/save/daemon-killed", test_save_daemon_killed);
    libvirtd_add_func("/libvirtd/long/save/cut-short", test_save_cut_short);
    libvirtd_add_func("/libvirtd/long/save/connection-cut", test_save_connection_cut);
    libvirtd_add_func("/libvirtd/long/snapshots/all", test_snapshots);
    libvirtd_add_func("/libvirtd/long/snapshots/others", test_snapshots_of_others);
    libvirtd_add_func("/libvirtd/long/snapshots/disk-only", test_snapshot_disk_only);
    libvirtd_add_func("/libvirtd/long/migrate/tcp", test_migrate_tcp);
    libvirtd_add_func("/libvirtd/long/migrate/unix", test_migrate_unix);
    libvirtd_add_func("/libvirtd/long/migrate/cancel", test_migrate_cancel);
    libvirtd_add_func("/libvirtd/long/migrate/nowhere", test_migrate_nowhere);
    return g_test_run();
}
