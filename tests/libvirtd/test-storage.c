/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Jobs of disks with real guests, beside operations of the domain, people who use virsh, and a
 * libvirtd or a service that ends in the middle. */

#include "libvirtd.h"

#include <string.h>

#define INVALID_STATE    VMS_ERROR_PREFIX "InvalidState"
#define BUSY             VMS_ERROR_PREFIX "Busy"
#define OPERATION_FAILED VMS_ERROR_PREFIX "OperationFailed"

#define DIR "/run/vms/disks"
#define MIB (G_GUINT64_CONSTANT(1024) * 1024)

#define storage_call(s, path, ...)                                                                 \
    client_call((s)->client, path, VMS_STORAGE_INTERFACE, __VA_ARGS__)

/* QEMU copies up to 16 MiB at once, whatever the bandwidth is. */
#define MORE_DATA "qemu-io -c 'write -P 4 16M 40M' top.qcow2 >/dev/null"

/* A guest without a system, that runs, with three layers of which each has 4 MiB of its own. */
static void
start_guest(World *w, const char *more_data)
{
    libvirtd_clean();
    run(w,
        "rm -rf " DIR "; mkdir -p " DIR "; cd " DIR "\n"
        "qemu-img create -qf qcow2 base.qcow2 64M\n"
        "qemu-img create -qf qcow2 -b $PWD/base.qcow2 -F qcow2 middle.qcow2\n"
        "qemu-img create -qf qcow2 -b $PWD/middle.qcow2 -F qcow2 top.qcow2\n"
        "qemu-io -c 'write -P 1 0 4M' base.qcow2 >/dev/null\n"
        "qemu-io -c 'write -P 2 4M 4M' middle.qcow2 >/dev/null\n"
        "qemu-io -c 'write -P 3 8M 4M' top.qcow2 >/dev/null\n"
        "%s\n"
        "qemu-img convert top.qcow2 expected.raw\n"
        "cat >web.xml <<'XML'\n"
        "<domain type='qemu'><name>web</name>"
        "<uuid>5b5b0f6e-0a35-4c5c-9a7c-000000000015</uuid>"
        "<memory unit='MiB'>16</memory><os><type arch='x86_64'>hvm</type></os><devices>"
        "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>"
        "<source file='" DIR "/top.qcow2'/><target dev='vda' bus='virtio'/></disk>"
        "</devices></domain>\n"
        "XML\n"
        "virsh -q define web.xml; virsh -q start web",
        more_data);
}

#define PATH "/org/unraid/Vms/domain/5b5b0f6e_0a35_4c5c_9a7c_000000000015"

static Service *
service_with_data(const char *more_data)
{
    Service *s;

    start_guest(NULL, more_data);
    s = service_new("--uri=qemu:///system", NULL);
    wait_for(s->world, mirror_is(s->mirror, PATH, "State", "running"));
    return s;
}

static Service *
service_with_guest(void)
{
    return service_with_data("true");
}

static const char *
disks(Service *s)
{
    return mirror_get(s->mirror, PATH, VMS_CONFIG_INTERFACE, "Disks");
}

static bool
disks_say(Service *s, const char *text)
{
    const char *now = disks(s);

    return now && strstr(now, text);
}

static const char *
job_property(Service *s, const char *job, const char *name)
{
    return mirror_get(s->mirror, job, VMS_JOB_INTERFACE, name);
}

/* The job that the disk tells; NULL: none. */
static char *
job_of_disk(Service *s)
{
    const char *found = strstr(disks(s), VMS_JOB_PREFIX "/");

    return found ? g_strndup(found, strspn(found, "/abcdefghijklmnopqrstuvwxyzV0123456789"
                                                  "ABCDEFGHIJKLMNOPQRSTUWXYZ"))
                 : NULL;
}

static double
progress_of(Service *s, const char *job)
{
    return g_ascii_strtod(job_property(s, job, "Progress") ?: "-1", NULL);
}

static void
wait_progress(Service *s, const char *job)
{
    wait_for(s->world, progress_of(s, job) > 0);
}

/* The end of a job that no call has returned. */
static void
assert_ends(Service *s, const char *job, const char *words)
{
    wait_for_ms(s->world, 60000, mirror_job_removed(s->mirror, job));
    const char *body = mirror_job_removed(s->mirror, job)->body;

    if (!strstr(body, words))
        g_error("%s, and not %s", body, words);
}

/* How often the progress was told, which is at most five times in each second. */
static guint
count_progress(Service *s, const char *job)
{
    gint64 last[5] = {0};
    guint n = 0;

    for (guint i = 0; i < s->mirror->signals->len; i++) {
        const Signal *signal = s->mirror->signals->pdata[i];

        if (!g_str_equal(signal->path, job) || !g_str_equal(signal->member, "PropertiesChanged"))
            continue;
        if (n >= G_N_ELEMENTS(last))
            g_assert_cmpint(signal->usec - last[n % G_N_ELEMENTS(last)], >, 990 * 1000);
        last[n++ % G_N_ELEMENTS(last)] = signal->usec;
    }
    return n;
}

/* The guest sees the same as before. QEMU keeps some of it in memory until it ends. */
static void
assert_contents(Service *s, const char *image)
{
    run(NULL, "virsh -q destroy web 2>/dev/null || true");
    wait_for(s->world, mirror_is(s->mirror, PATH, "State", "shutoff"));
    run(NULL, "qemu-img compare -qU " DIR "/%s " DIR "/expected.raw", image);
}

/* `bandwidth` in bytes a second. */
static Call *
begin_slow_pull(Service *s, guint64 bandwidth)
{
    Call *pull = storage_call(s, PATH, "Pull", "sa{sv}", "vda", 1, "bandwidth", "t", bandwidth);

    assert_ok(pull);
    wait_progress(s, call_path(pull));
    return pull;
}

/* --- each of them ------------------------------------------------------------------------- */

static void
test_resize(void)
{
    g_autoptr(Service) s = service_with_guest();

    g_autoptr(Call) grow = storage_call(s, PATH, "Resize", "sta{sv}", "vda", 96 * MIB, 0);
    assert_job_ends(s, grow, "Resize done ");
    g_assert_true(disks_say(s, "100663296"));
    run(s->world, "qemu-img info -U " DIR "/top.qcow2 | grep -q '96 MiB'");
    g_autoptr(Call) shrink = storage_call(s, PATH, "Resize", "sta{sv}", "vda", 8 * MIB, 0);
    assert_error_says(shrink, SD_BUS_ERROR_INVALID_ARGS, "smaller");
    g_autoptr(Call) none = storage_call(s, PATH, "Resize", "sta{sv}", "vdx", 128 * MIB, 0);
    assert_error_says(none, OPERATION_FAILED, "vdx");

    g_autoptr(Call) off = domain_call(s, PATH, "ForceStop", NULL);
    assert_ok(off);
    g_autoptr(Call) lone = storage_call(s, PATH, "Resize", "sta{sv}", "vda", 128 * MIB, 0);
    g_autofree char *end = service_job_end(s, lone);
    g_assert_nonnull(strstr(end, "no volume of an active pool"));
    run(s->world, "virsh -q pool-create-as images dir --target " DIR);
    g_autoptr(Call) volume = storage_call(s, PATH, "Resize", "sta{sv}", "vda", 128 * MIB, 0);
    assert_job_ends(s, volume, "Resize done ");
    g_assert_true(disks_say(s, "134217728"));
    run(s->world,
        "qemu-img info " DIR "/top.qcow2 | grep -q '128 MiB'; virsh -q pool-destroy images");
    g_autoptr(Call) commit = storage_call(s, PATH, "Commit", "sa{sv}", "vda", 0);
    assert_error_says(commit, INVALID_STATE, "shutoff");
    assert_equals_virsh(s);
}

static void
test_commit(void)
{
    g_autoptr(Service) s = service_with_guest();

    g_autoptr(Call) below =
        storage_call(s, PATH, "Commit", "sa{sv}", "vda", 1, "top", "s", DIR "/middle.qcow2");
    assert_job_ends(s, below, "Commit done ");
    g_assert_true(disks_say(s, DIR "/top.qcow2"));
    g_autoptr(Call) top = storage_call(s, PATH, "Commit", "sa{sv}", "vda", 0);
    assert_job_ends(s, top, "Commit done ");
    /* Where the disk is has been signalled before the end. */
    g_assert_true(disks_say(s, DIR "/base.qcow2"));
    g_autofree char *job = job_of_disk(s);
    g_assert_null(job);
    assert_contents(s, "base.qcow2");
    run(s->world, "test -e " DIR "/middle.qcow2 -a -e " DIR "/top.qcow2");
    assert_equals_virsh(s);
}

static void
test_commit_to_base(void)
{
    g_autoptr(Service) s = service_with_guest();

    g_autoptr(Call) commit = storage_call(s, PATH, "Commit", "sa{sv}", "vda", 2, "base", "s",
                                          DIR "/base.qcow2", "delete", "b", true);
    assert_job_ends(s, commit, "Commit done ");
    g_assert_true(disks_say(s, DIR "/base.qcow2"));
    g_autoptr(Call) more = storage_call(s, PATH, "Commit", "sa{sv}", "vda", 0);
    g_autofree char *end = service_job_end(s, more);
    g_assert_true(g_str_has_prefix(end, "Commit failed "));
    assert_contents(s, "base.qcow2");
    run(s->world, "! test -e " DIR "/middle.qcow2 -o -e " DIR "/top.qcow2");
}

static void
test_copy(void)
{
    g_autoptr(Service) s = service_with_guest();

    g_autoptr(Call) copy =
        storage_call(s, PATH, "Copy", "ssa{sv}", "vda", DIR "/copy.raw", 1, "format", "s", "raw");
    assert_job_ends(s, copy, "Copy done ");
    g_assert_true(disks_say(s, DIR "/top.qcow2"));
    g_autoptr(Call) over = storage_call(s, PATH, "Copy", "ssa{sv}", "vda", DIR "/copy.raw", 0);
    g_autofree char *end = service_job_end(s, over);
    g_assert_nonnull(strstr(end, "already exists"));

    g_autoptr(Call) pivot =
        storage_call(s, PATH, "Copy", "ssa{sv}", "vda", DIR "/new.qcow2", 1, "pivot", "b", true);
    assert_job_ends(s, pivot, "Copy done ");
    g_assert_true(disks_say(s, DIR "/new.qcow2"));
    assert_equals_virsh(s);
    assert_contents(s, "copy.raw");
    assert_contents(s, "new.qcow2");
}

static void
test_progress(void)
{
    g_autoptr(Service) s = service_with_guest();
    g_autoptr(Call) pull =
        storage_call(s, PATH, "Pull", "sa{sv}", "vda", 1, "bandwidth", "t", MIB / 2);

    assert_ok(pull);
    wait_for_ms(s->world, 60000, count_progress(s, call_path(pull)) > 6);
    g_autoptr(Call) cancel =
        client_call(s->client, call_path(pull), VMS_JOB_INTERFACE, "Cancel", NULL);
    assert_ok(cancel);
    assert_job_ends(s, pull, "Pull canceled Pull of vda of \"web\" was canceled: as was asked for");
}

/* --- beside others ------------------------------------------------------------------------ */

static void
test_beside(void)
{
    g_autoptr(Service) s = service_with_guest();
    guint64 mark = mirror_mark(s->mirror);

    g_autoptr(Call) pull = begin_slow_pull(s, MIB / 16);
    const char *job = call_path(pull);
    g_assert_cmpstr(job_property(s, job, "Operation"), ==, "Pull");
    g_assert_cmpstr(job_property(s, job, "Disk"), ==, "vda");
    g_assert_true(disks_say(s, job));
    g_assert_true(mirror_is(s->mirror, PATH, "Job", "/"));
    g_autoptr(Call) same =
        storage_call(s, PATH, "Pull", "sa{sv}", "vda", 1, "bandwidth", "t", MIB / 16);
    g_assert_cmpstr(call_path(same), ==, job);
    g_autoptr(Call) other = storage_call(s, PATH, "Commit", "sa{sv}", "vda", 0);
    assert_error_says(other, BUSY, job);
    g_autoptr(Call) resize = storage_call(s, PATH, "Resize", "sta{sv}", "vda", 128 * MIB, 0);
    assert_error_says(resize, BUSY, "Pull of vda of \"web\"");
    g_autoptr(Call) pause = domain_call(s, PATH, "Pause", NULL);
    assert_ok(pause);
    g_autoptr(Call) resume = domain_call(s, PATH, "Resume", NULL);
    assert_ok(resume);

    g_autoptr(Call) cancel = client_call(s->client, job, VMS_JOB_INTERFACE, "Cancel", NULL);
    assert_ok(cancel);
    assert_job_ends(s, pull, "Pull canceled Pull of vda of \"web\" was canceled: as was asked for");
    g_assert_false(disks_say(s, job));
    run(s->world, "! virsh -q blockjob web vda 2>&1 | grep -q .");
    g_autofree char *history = mirror_history(s->mirror, mark, PATH, "Job");
    g_assert_nonnull(strstr(history, VMS_JOB_PREFIX)); /* those of Pause and Resume */
    g_assert_null(strstr(history, job));

    /* The end of the domain decides about its result. */
    g_autoptr(Call) again = begin_slow_pull(s, MIB / 16);
    g_autoptr(Call) stop = domain_call(s, PATH, "StopWithOptions", "a{sv}", 1, "timeout", "t",
                                       G_GUINT64_CONSTANT(100000));
    assert_ok(stop);
    g_autofree char *end = service_job_end(s, again);
    g_assert_true(g_str_has_prefix(end, "Pull failed ") || g_str_has_prefix(end, "Pull canceled "));
    wait_for(s->world, mirror_is(s->mirror, PATH, "State", "shutoff"));
    assert_equals_virsh(s);
}

static void
test_of_others(void)
{
    g_autoptr(Service) s = service_with_guest();

    run(s->world, "virsh -q blockcopy web vda " DIR "/copy.qcow2 --transient-job --bandwidth 1\n"
                  "virsh -q desc web --live --title news");
    wait_for(s->world, strstr(disks(s), VMS_JOB_PREFIX "/"));
    g_autofree char *job = job_of_disk(s);
    wait_for(s->world, g_strcmp0(job_property(s, job, "Operation"), "Copy") == 0);
    g_autoptr(Call) busy = storage_call(s, PATH, "Pull", "sa{sv}", "vda", 0);
    assert_error_says(busy, BUSY, "Copy");
    run(s->world, "virsh -q blockjob web vda --bandwidth 0");
    wait_for(s->world, progress_of(s, job) == 1);
    /* It is all copied, and left to whoever began it. */
    run(s->world, "virsh -q desc web --live --title older");
    wait_for(s->world, mirror_is(s->mirror, PATH, "Title", "older"));
    run(s->world,
        "virsh -q blockjob web vda 2>&1 | grep -q Copy; virsh -q blockjob web vda --pivot");
    assert_ends(s, job, "done");
    g_assert_true(disks_say(s, DIR "/copy.qcow2"));
    assert_equals_virsh(s);
}

/* libvirt tells nobody that it begins: the disk is asked, unless the service has just looked. */
static void
test_unseen_of_others(void)
{
    g_autoptr(Service) s = service_with_guest();

    run(s->world, "virsh -q blockpull web vda --bytes --bandwidth 65536");
    g_autoptr(Call) pull = storage_call(s, PATH, "Pull", "sa{sv}", "vda", 0);
    call_wait(pull);
    if (pull->error_name) {
        assert_error_says(pull, BUSY, "Pull");
    } else {
        g_autofree char *end = service_job_end(s, pull);
        g_assert_nonnull(strstr(end, "somebody else's job of this disk is under way"));
    }
    run(s->world,
        "virsh -q blockjob web vda 2>&1 | grep -q Pull; virsh -q blockjob web vda --abort");
    wait_for(s->world, !strstr(disks(s), VMS_JOB_PREFIX "/"));
    g_autoptr(Call) again = storage_call(s, PATH, "Pull", "sa{sv}", "vda", 0);
    assert_job_ends(s, again, "Pull done ");
}

/* --- in the middle ------------------------------------------------------------------------ */

/* libvirtd is back while the job goes on. */
static void
test_daemon_restarted(void)
{
    g_autoptr(Service) s = service_with_data(MORE_DATA);

    g_autoptr(Call) copy = storage_call(s, PATH, "Copy", "ssa{sv}", "vda", DIR "/new.qcow2", 2,
                                        "pivot", "b", true, "bandwidth", "t", 8 * MIB);
    assert_ok(copy);
    wait_progress(s, call_path(copy));
    libvirtd(s->world, "kill");
    client_wait_available(s->client, false);
    g_assert_true(disks_say(s, call_path(copy)));
    libvirtd(s->world, "start");
    assert_job_ends(s, copy, "Copy done ");
    g_assert_true(disks_say(s, DIR "/new.qcow2"));
    (void)count_progress(s, call_path(copy));
    assert_contents(s, "new.qcow2");
    assert_equals_virsh(s);
}

/* It ends while nobody is connected: the disk tells. */
static void
test_daemon_away(void)
{
    g_autoptr(Service) s = service_with_guest();

    g_autoptr(Call) pull = begin_slow_pull(s, MIB);
    run(s->world,
        "libvirtd-ctl kill\n"
        "until ! qemu-img info -U --backing-chain " DIR "/top.qcow2 | grep -q middle.qcow2\n"
        "do sleep 0.2; done; libvirtd-ctl start");
    assert_job_ends(s, pull, "Pull done ");
    assert_contents(s, "top.qcow2");

    /* And one that did not. */
    run(s->world, "cd " DIR "; " MORE_DATA "; virsh -q start web");
    wait_for(s->world, mirror_is(s->mirror, PATH, "State", "running"));
    g_autoptr(Call) copy = storage_call(s, PATH, "Copy", "ssa{sv}", "vda", DIR "/copy.qcow2", 1,
                                        "bandwidth", "t", MIB);
    assert_ok(copy);
    run(s->world, "qemu=$(libvirtd-ctl qemu-pid web); libvirtd-ctl kill; kill -KILL $qemu\n"
                  "libvirtd-ctl start");
    g_autofree char *end = service_job_end(s, copy);
    g_assert_true(g_str_has_prefix(end, "Copy failed "));
    wait_for(s->world, mirror_is(s->mirror, PATH, "State", "shutoff"));
    assert_equals_virsh(s);
}

/* The jobs that go on without the service, and how they end then. */
typedef struct {
    const char *operation;
    bool killed;
    const char *finish; /* by others */
    const char *image;
} Left;

static Call *
begin_left(Client *c, const Left *left)
{
    guint64 slow = MIB / 16;

    if (g_str_equal(left->operation, "Pull"))
        return client_call(c, PATH, VMS_STORAGE_INTERFACE, "Pull", "sa{sv}", "vda", 1, "bandwidth",
                           "t", slow);
    if (g_str_equal(left->operation, "Commit"))
        return client_call(c, PATH, VMS_STORAGE_INTERFACE, "Commit", "sa{sv}", "vda", 2, "top", "s",
                           DIR "/middle.qcow2", "bandwidth", "t", slow);
    return client_call(c, PATH, VMS_STORAGE_INTERFACE, "Copy", "ssa{sv}", "vda", DIR "/new.qcow2",
                       2, "pivot", "b", true, "bandwidth", "t", slow);
}

/* The next process finds what the last one has begun. */
static void
test_service_restarted(gconstpointer data)
{
    const Left *left = data;

    start_guest(NULL, MORE_DATA);
    g_autoptr(World) w = world_new();
    world_start(w, "--uri=qemu:///system", NULL);
    g_autoptr(Client) c = client_new(w);
    client_wait_available(c, true);
    g_autoptr(Call) begun = begin_left(c, left);
    assert_ok(begun);
    run(w, "until virsh blockjob web vda 2>&1 | grep -q %s; do sleep 0.1; done", left->operation);
    if (left->killed)
        world_kill(w);
    else
        world_stop(w);

    world_start(w, "--uri=qemu:///system", NULL);
    client_wait_available(c, true);
    g_autoptr(Mirror) mirror = mirror_new(c);
    Service s = {w, c, mirror};
    wait_for(w, disks(&s) && strstr(disks(&s), VMS_JOB_PREFIX "/"));
    g_autofree char *job = job_of_disk(&s);
    g_assert_cmpstr(job, !=, call_path(begun));
    g_assert_cmpstr(job_property(&s, job, "Operation"), ==, left->operation);
    run(w, "%s", left->finish);
    assert_ends(&s, job, "done");
    assert_contents(&s, left->image);
    mirror_check(mirror);
}

/* --- hostile arguments -------------------------------------------------------------------- */

static void
test_hostile(void)
{
    g_autoptr(Service) s = service_with_guest();
    g_autofree char *long_path = g_strnfill(5000, 'x');
    *long_path = '/';
    static const char *const bad[] = {
        "copy.raw", "", "../copy.raw", "gopher://host/x", "/run/vms/disks/\x07", "POOL/VOLUME"};
    const char *const no_layers[] = {"../base.qcow2", "gopher://host/x", DIR "/\nbase.qcow2",
                                     long_path};

    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(Call) copy = storage_call(s, PATH, "Copy", "ssa{sv}", "vda", bad[i], 0);
        assert_error(copy, SD_BUS_ERROR_INVALID_ARGS);
    }
    g_autoptr(Call) empty = storage_call(s, PATH, "Commit", "sa{sv}", "vda", 1, "base", "s", "");
    assert_error_says(empty, SD_BUS_ERROR_INVALID_ARGS, "base");
    for (guint i = 0; i < G_N_ELEMENTS(no_layers); i++) {
        g_autoptr(Call) commit =
            storage_call(s, PATH, "Commit", "sa{sv}", "vda", 1, "base", "s", no_layers[i]);
        g_autofree char *end = service_job_end(s, commit);
        g_assert_true(g_str_has_prefix(end, "Commit failed "));
        g_autoptr(Call) pull =
            storage_call(s, PATH, "Pull", "sa{sv}", "vda", 1, "base", "s", no_layers[i]);
        g_autofree char *end_of_pull = service_job_end(s, pull);
        g_assert_true(g_str_has_prefix(end_of_pull, "Pull failed "));
    }
    g_autoptr(Call) copy = storage_call(s, PATH, "Copy", "ssa{sv}", "vda", long_path, 0);
    g_autofree char *end = service_job_end(s, copy);
    g_assert_true(g_str_has_prefix(end, "Copy failed "));
    g_autoptr(Call) fast =
        storage_call(s, PATH, "Pull", "sa{sv}", "vda", 1, "bandwidth", "t", G_MAXUINT64);
    g_autofree char *end_of_fast = service_job_end(s, fast);
    g_assert_nonnull(strstr(end_of_fast, "bandwidth"));
    run(s->world, "test $(ls " DIR " | wc -l) = 5");
}

#define HURRY "virsh -q blockjob web vda --bandwidth 0"
#define PIVOT HURRY "; until virsh -q blockjob web vda --pivot 2>/dev/null; do sleep 0.1; done"

static const Left left[] = {
    {"Pull", false, HURRY, "top.qcow2"},  {"Pull", true, HURRY, "top.qcow2"},
    {"Commit", true, HURRY, "top.qcow2"}, {"Copy", false, PIVOT, "new.qcow2"},
    {"Copy", true, PIVOT, "new.qcow2"},
};

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    libvirtd_need();
    libvirtd_add_func("/libvirtd/storage/resize", test_resize);
    libvirtd_add_func("/libvirtd/storage/commit", test_commit);
    libvirtd_add_func("/libvirtd/storage/commit-to-base", test_commit_to_base);
    libvirtd_add_func("/libvirtd/storage/copy", test_copy);
    libvirtd_add_func("/libvirtd/storage/progress", test_progress);
    libvirtd_add_func("/libvirtd/storage/beside", test_beside);
    libvirtd_add_func("/libvirtd/storage/of-others", test_of_others);
    libvirtd_add_func("/libvirtd/storage/unseen-of-others", test_unseen_of_others);
    libvirtd_add_func("/libvirtd/storage/daemon-restarted", test_daemon_restarted);
    libvirtd_add_func("/libvirtd/storage/daemon-away", test_daemon_away);
    for (guint i = 0; i < G_N_ELEMENTS(left); i++) {
        g_autofree char *name =
            g_strdup_printf("/libvirtd/storage/service-%s/%s",
                            left[i].killed ? "killed" : "restarted", left[i].operation);
        libvirtd_add_data_func(name, &left[i], test_service_restarted);
    }
    libvirtd_add_func("/libvirtd/storage/hostile", test_hostile);
    return g_test_run();
}
