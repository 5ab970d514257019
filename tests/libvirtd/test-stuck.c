/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Domains whose lock is held inside libvirt: the others are as fast as before, in the same run, and
 * nothing but the domains that hang becomes unavailable.
 */

#include "libvirtd.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define OWN          12 /* that the service starts */
#define ROUNDS       7
#define ANSWER_MS    20000
#define NOTICE_MS    15000
#define AT_MOST      2     /* times what it takes alone */
#define SLACK_USEC   10000 /* a busy machine's */
#define ATTEMPTS     10
/* Less than the 19 s of a call that waits for what hangs. */
#define LISTED_MS    12000
#define UNKILLABLE   8
#define MANAGER_PATH VMS_ROOT_PATH

static void
let_go(World *w)
{
    run(w, "rm -f /run/vms/hang");
}

typedef struct {
    Service *service;
    char *neighbour;
    char **slow;  /* paths */
    guint64 mark; /* before anything hung */
    gint64 pause_alone, xml_alone;
} Stuck;

/* --- how fast ----------------------------------------------------------------------------- */

static int
compare_times(const void *a, const void *b)
{
    gint64 x = *(const gint64 *)a, y = *(const gint64 *)b;

    return x < y ? -1 : x > y;
}

static gint64
median(gint64 *times)
{
    qsort(times, ROUNDS, sizeof *times, compare_times);
    return times[ROUNDS / 2];
}

static gint64
time_pause(const Stuck *stuck)
{
    gint64 times[ROUNDS];

    for (guint i = 0; i < ROUNDS; i++) {
        g_autoptr(Call) pause = domain_call(stuck->service, stuck->neighbour, "Pause", NULL);
        g_autoptr(Call) resume = domain_call(stuck->service, stuck->neighbour, "Resume", NULL);

        assert_ok(pause);
        assert_ok(resume);
        times[i] = pause->done_usec - pause->sent_usec;
    }
    return median(times);
}

static gint64
time_xml(const Stuck *stuck)
{
    gint64 times[ROUNDS];

    for (guint i = 0; i < ROUNDS; i++) {
        g_autoptr(Call) xml = domain_call(stuck->service, stuck->neighbour, "GetXml", "a{sv}", 0);

        assert_ok(xml);
        times[i] = xml->done_usec - xml->sent_usec;
    }
    return median(times);
}

/* A machine that does something else for a moment is measured again. */
static void
assert_as_fast(const Stuck *stuck, const char *what, gint64 alone,
               gint64 (*measure)(const Stuck *stuck))
{
    for (guint i = 0; i < ATTEMPTS; i++) {
        gint64 now = measure(stuck);

        g_test_message("%s takes %" G_GINT64_FORMAT " us alone, %" G_GINT64_FORMAT
                       " us beside domains that hang",
                       what, alone, now);
        if (now <= AT_MOST * alone + SLACK_USEC)
            return;
        run(stuck->service->world, "sleep 1");
    }
    g_error("%s is slow", what);
}

/* --- the world ---------------------------------------------------------------------------- */

static bool
manager_is_available(const Service *s)
{
    return g_strcmp0(mirror_get(s->mirror, MANAGER_PATH, VMS_MANAGER_INTERFACE, "Available"),
                     "true") == 0;
}

static Stuck *
begin(guint n)
{
    Stuck *stuck = g_new0(Stuck, 1);

    libvirtd_clean();
    libvirtd_slow_starts();
    stuck->service = service_new("--uri=qemu:///system", "--stop-timeout=2", NULL);
    World *w = stuck->service->world;

    stuck->slow = g_new0(char *, n + 1);
    for (guint i = 0; i < n; i++) {
        g_autofree char *name = g_strdup_printf("slow-%u", i);

        guest_define(w, "", name, "bare");
        stuck->slow[i] = guest_path(w, name);
        wait_for(w, mirror_is(stuck->service->mirror, stuck->slow[i], "State", "shutoff"));
    }
    guest_define(w, "", "neighbour", "bare");
    guest_start(w, "neighbour");
    stuck->neighbour = guest_path(w, "neighbour");
    wait_for(w, mirror_is(stuck->service->mirror, stuck->neighbour, "State", "running"));
    stuck->pause_alone = time_pause(stuck);
    stuck->xml_alone = time_xml(stuck);
    stuck->mark = mirror_mark(stuck->service->mirror);
    return stuck;
}

static void
end(Stuck *stuck)
{
    service_free(stuck->service);
    g_strfreev(stuck->slow);
    g_free(stuck->neighbour);
    g_free(stuck);
    run(NULL, "rm -f /etc/libvirt/hooks/qemu");
}

static bool
are_all(const Stuck *stuck, const char *property, const char *value)
{
    for (char **path = stuck->slow; *path; path++)
        if (!mirror_is(stuck->service->mirror, *path, property, value))
            return false;
    return true;
}

/* --- while they hang ---------------------------------------------------------------------- */

static void
assert_listed(const Stuck *stuck, gint64 within_ms)
{
    g_autoptr(Call) list = manager_call(stuck->service, "ListDomains", NULL);

    assert_ok(list);
    g_test_message("ListDomains answers after %" G_GINT64_FORMAT " ms", call_duration_ms(list));
    g_assert_cmpint(call_duration_ms(list), <, within_ms);
    g_assert_nonnull(strstr(list->body, "neighbour"));
    g_assert_nonnull(strstr(list->body, "slow-0"));
}

static void
assert_unresponsive(const Stuck *stuck, const char *path)
{
    const char *problems =
        mirror_get(stuck->service->mirror, path, VMS_DOMAIN_INTERFACE, "Problems");

    g_assert_nonnull(problems);
    g_assert_nonnull(strstr(problems, "unresponsive"));
}

/* Changes by others are seen meanwhile, though no list can be made. */
static void
assert_fresh(const Stuck *stuck)
{
    World *w = stuck->service->world;

    run(w, "virsh -q suspend neighbour");
    wait_for(w, mirror_is(stuck->service->mirror, stuck->neighbour, "State", "paused"));
    run(w, "virsh -q resume neighbour");
    wait_for(w, mirror_is(stuck->service->mirror, stuck->neighbour, "State", "running"));
    run(w, "virsh -q autostart neighbour");
    assert_listed(stuck, 1000);
    /* Where it is slow the list does not wait for it. */
    wait_for(w, mirror_is(stuck->service->mirror, stuck->neighbour, "Autostart", "true"));
}

/* The output of --debug names the call that each lane hangs in. */
static void
assert_debug_names_calls(const Stuck *stuck)
{
    g_autoptr(Call) state =
        client_call(stuck->service->client, VMS_ROOT_PATH, VMS_DEBUG_INTERFACE, "GetState", NULL);

    assert_ok(state);
    g_assert_nonnull(strstr(state->body, "hanging"));
    g_assert_nonnull(strstr(state->body, "virDomainListGetStats"));
    g_assert_nonnull(strstr(state->body, stuck->slow[0]));
}

/* The journal's entry has these words and the call that hung. */
static void
assert_logged(const Stuck *stuck, const char *words)
{
    g_autofree char *log = process_stderr(world_service(stuck->service->world));
    const char *entry = strstr(log, words);

    g_assert_nonnull(entry);
    g_autofree char *line = g_strndup(entry, strcspn(entry, "\n"));
    g_assert_nonnull(strstr(line, "LIBVIRT_CALL=vir"));
}

static void
assert_others_unharmed(const Stuck *stuck)
{
    Service *s = stuck->service;
    g_autofree char *manager = mirror_history(s->mirror, stuck->mark, MANAGER_PATH, "Available");
    g_autofree char *domain = mirror_history(s->mirror, stuck->mark, stuck->neighbour, "Available");

    g_assert_cmpstr(manager, ==, "");
    g_assert_cmpstr(domain, ==, "");
    g_assert_true(manager_is_available(s));
}

/* A read of each of them. */
static GPtrArray *
read_all(const Stuck *stuck)
{
    GPtrArray *reads = g_ptr_array_new_with_free_func((GDestroyNotify)(void (*)(void))call_free);

    for (char **path = stuck->slow; *path; path++)
        g_ptr_array_add(reads, domain_send(stuck->service, *path, "GetXml", "a{sv}", 0));
    return reads;
}

static void
check_while_hanging(const Stuck *stuck)
{
    Service *s = stuck->service;

    /* Before it is known which domains hang, and afterwards. */
    assert_listed(stuck, LISTED_MS);
    wait_for_ms(s->world, NOTICE_MS, are_all(stuck, "Available", "false"));
    assert_unresponsive(stuck, stuck->slow[0]);
    assert_listed(stuck, 1000);
    g_autoptr(GPtrArray) reads = read_all(stuck);
    g_autoptr(Call) stop = domain_send(s, stuck->slow[0], "Stop", NULL);
    g_autoptr(Call) start = domain_send(s, stuck->slow[1], "Start", NULL);
    assert_as_fast(stuck, "Pause", stuck->pause_alone, time_pause);
    assert_as_fast(stuck, "GetXml", stuck->xml_alone, time_xml);
    assert_fresh(stuck);
    assert_debug_names_calls(stuck);
    assert_logged(stuck, "libvirt does not answer for \"slow-0\"");

    for (guint i = 0; i < reads->len; i++) {
        assert_error(reads->pdata[i], VMS_ERROR_PREFIX "Timeout");
        g_assert_cmpint(call_duration_ms(reads->pdata[i]), <=, ANSWER_MS + 3000);
    }
    /* A job begins by what was known last, if that allows it; nothing is refused for it. VMs are
     * available: it is these that libvirt says nothing of. */
    assert_error_says(start, VMS_ERROR_PREFIX "StillRunning", VMS_JOB_PREFIX);
    g_assert_cmpint(call_duration_ms(start), <=, ANSWER_MS + 3000);
    assert_error_says(stop, VMS_ERROR_PREFIX "Timeout",
                      "Stop was not begun: libvirt does not answer for \"slow-0\"");
    g_assert_cmpint(call_duration_ms(stop), <=, ANSWER_MS + 3000);
    assert_others_unharmed(stuck);
}

/* Nobody calls the service for so long. */
static void
check_in_peace(const Stuck *stuck, guint seconds)
{
    run(stuck->service->world, "sleep %u", seconds);
    assert_others_unharmed(stuck);
    assert_listed(stuck, 1000);
    assert_fresh(stuck);
}

static void
check_when_over(const Stuck *stuck)
{
    Service *s = stuck->service;

    let_go(s->world);
    wait_for(s->world, are_all(stuck, "State", "running"));
    wait_for(s->world, are_all(stuck, "Available", "true"));
    wait_for(s->world, are_all(stuck, "Problems", "[]"));
    wait_for(s->world, are_all(stuck, "Job", "/"));
    assert_others_unharmed(stuck);
    assert_equals_virsh(s);
}

/* Until all hooks run. */
static void
wait_until_hanging(const Stuck *stuck)
{
    run(stuck->service->world,
        "until [[ $(ls /run/vms/hung.* 2>/dev/null | wc -l) == %u ]]; do sleep 0.1; done",
        g_strv_length(stuck->slow));
}

/* Not together: libvirtd would not make a worker for each (see call-pace.h). */
static void
start_by_others(const Stuck *stuck)
{
    run(stuck->service->world,
        "for i in $(seq 0 %u); do\n"
        "    setsid virsh -q start slow-$i </dev/null >/dev/null 2>&1 &\n"
        "    until [[ -e /run/vms/hung.slow-$i ]]; do sleep 0.05; done\n"
        "done",
        g_strv_length(stuck->slow) - 1);
}

/* --- the cases ---------------------------------------------------------------------------- */

/* Each start that virsh makes holds a worker of libvirtd's, and so does the read by which the
 * service learns that the domain hangs: of the 20 that there are by default, eight domains leave
 * four. */
static void
test_others_start(gconstpointer n_workers)
{
    guint n = n_workers ? 12 : 8;

    if (n_workers)
        run(NULL, "echo 'max_workers = %s' >>/etc/libvirt/libvirtd.conf", (const char *)n_workers);
    Stuck *stuck = begin(n);

    start_by_others(stuck);
    check_while_hanging(stuck);
    /* The minute passes after which the service makes a list by itself. */
    if (!n_workers)
        check_in_peace(stuck, 85);
    check_when_over(stuck);
    assert_logged(stuck, "libvirt answers for \"slow-0\" again");
    end(stuck);
    run(NULL, "sed -i /^max_workers/d /etc/libvirt/libvirtd.conf");
}

/* libvirt cannot take a start back: Cancel says so at once, and the job goes on. */
static void
assert_not_cancelable(const Stuck *stuck, const Call *start)
{
    Service *s = stuck->service;
    const char *job = strstr(start->error_message, VMS_JOB_PREFIX);

    g_assert_nonnull(job);
    g_autoptr(Call) cancel = client_call(s->client, job, VMS_JOB_INTERFACE, "Cancel", NULL);
    assert_error(cancel, VMS_ERROR_PREFIX "InvalidState");
    g_assert_cmpint(call_duration_ms(cancel), <, 1000);
    g_assert_true(mirror_is(s->mirror, stuck->slow[0], "Job", job));
    assert_property(s->client, job, VMS_JOB_INTERFACE, "Operation", "Start");
    g_assert_null(mirror_job_removed(s->mirror, job));
}

static void
test_own_start(void)
{
    Stuck *stuck = begin(OWN);
    g_autoptr(GPtrArray) starts = g_ptr_array_new_with_free_func((GDestroyNotify)call_free);

    for (guint i = 0; i < OWN; i++)
        g_ptr_array_add(starts, domain_send(stuck->service, stuck->slow[i], "Start", NULL));
    wait_until_hanging(stuck);
    assert_listed(stuck, LISTED_MS);
    assert_as_fast(stuck, "Pause", stuck->pause_alone, time_pause);
    assert_as_fast(stuck, "GetXml", stuck->xml_alone, time_xml);
    assert_fresh(stuck);
    for (guint i = 0; i < OWN; i++)
        assert_error(starts->pdata[i], VMS_ERROR_PREFIX "StillRunning");
    assert_not_cancelable(stuck, starts->pdata[0]);
    /* Longer than a keepalive waits for an answer. */
    check_in_peace(stuck, 30);
    check_when_over(stuck);
    end(stuck);
}

static void
assert_all_ok(const GPtrArray *calls)
{
    for (guint i = 0; i < calls->len; i++)
        assert_ok(calls->pdata[i]);
}

/* With as few workers as libvirtd begins with. */
static void
hold_starts_again(World *w)
{
    run(w, "for i in $(seq 0 7); do virsh -q destroy slow-$i; done\n"
           "rm /run/vms/hung.* && touch /run/vms/hang\n"
           "pool='virt-admin -q -c libvirtd:///system srv-threadpool-set libvirtd'\n"
           "$pool --max-workers 5 && $pool --max-workers 20\n");
}

/* Reads that come together, when connections are open for them: libvirtd makes its workers one by
 * one, and goes on to serve others. */
static void
test_together(void)
{
    Stuck *stuck = begin(8);
    World *w = stuck->service->world;

    start_by_others(stuck);
    g_autoptr(GPtrArray) before = read_all(stuck);
    wait_for(w, are_all(stuck, "Available", "false"));
    let_go(w);
    assert_all_ok(before);
    wait_for(w, are_all(stuck, "State", "running"));
    hold_starts_again(w);
    wait_for(w, are_all(stuck, "State", "shutoff"));

    start_by_others(stuck);
    g_autoptr(GPtrArray) reads = read_all(stuck);
    wait_for_ms(w, NOTICE_MS, are_all(stuck, "Available", "false"));
    run(w, "timeout 60 virsh -q dumpxml neighbour >/dev/null");
    assert_as_fast(stuck, "GetXml", stuck->xml_alone, time_xml);
    check_when_over(stuck);
    assert_all_ok(reads);
    end(stuck);
}

/* A connection is made though no list comes, and the domains that answer are available on it. */
static void
test_reconnect(void)
{
    Stuck *stuck = begin(2);
    Service *s = stuck->service;
    World *w = s->world;

    start_by_others(stuck);
    g_autoptr(Call) reconnect = manager_call(s, "Reconnect", NULL);
    assert_ok(reconnect);
    g_assert_cmpint(call_duration_ms(reconnect), <, 5000);
    wait_for(w, mirror_is(s->mirror, stuck->neighbour, "Available", "true"));
    g_assert_true(are_all(stuck, "Available", "false"));
    assert_as_fast(stuck, "Pause", stuck->pause_alone, time_pause);
    wait_for(w, !mirror_is(s->mirror, stuck->slow[0], "Problems", "[]"));
    let_go(w);
    wait_for(w, are_all(stuck, "State", "running"));
    wait_for(w, are_all(stuck, "Available", "true"));
    assert_equals_virsh(s);
    end(stuck);
}

#define DISK_UUID "c0de0001-0000-4000-8000-000000000001"
#define DISK_DOMAIN                                                                                \
    "<domain type='qemu'><name>disk</name><uuid>" DISK_UUID "</uuid><memory>32768</memory>"        \
    "<os><type arch='x86_64' machine='pc'>hvm</type></os><devices>"                                \
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/>"                             \
    "<source file='/run/vms/disk.img'/><target dev='vda' bus='virtio'/></disk>"                    \
    "<controller type='usb' model='none'/><memballoon model='none'/></devices></domain>"

/* An image of which nothing is allocated becomes one that hangs whoever opens it: events do not
 * make the service ask for its size again. */
static void
test_dead_storage(void)
{
    libvirtd_clean();
    run(NULL, "truncate -s 16M /run/vms/disk.img\n"
              "cat >/run/vms/disk.xml <<'XML'\n" DISK_DOMAIN "\nXML\n"
              "virsh -q define /run/vms/disk.xml && virsh -q start disk");
    g_autoptr(Service) s = service_new("--uri=qemu:///system", NULL);
    World *w = s->world;
    g_autofree char *path = domain_path(DISK_UUID);

    wait_for(w, strstr(mirror_get(s->mirror, path, VMS_CONFIG_INTERFACE, "Disks"), "16777216"));
    g_assert_cmpstr(mirror_get(s->mirror, path, VMS_DOMAIN_INTERFACE, "StartedAt"), !=, "0");
    run(w, "mv /run/vms/disk.img /run/vms/moved.img && mkfifo /run/vms/disk.img");
    for (guint i = 0; i < 3; i++) {
        run(w, "virsh -q suspend disk");
        wait_for(w, mirror_is(s->mirror, path, "State", "paused"));
        run(w, "timeout 60 virsh -q list");
        run(w, "virsh -q resume disk");
        wait_for(w, mirror_is(s->mirror, path, "State", "running"));
    }
    run(w, "timeout 60 virsh -q list && virsh -q destroy disk");
    wait_for(w, mirror_is(s->mirror, path, "StartedAt", "0"));
}

/* Of a domain that is off nobody opens, or looks at, an image: whoever opens this one hangs. */
static void
test_off(void)
{
    libvirtd_clean();
    run(NULL,
        "rm -f /run/vms/disk.img && mkfifo /run/vms/disk.img\n"
        "cat >/run/vms/disk.xml <<'XML'\n" DISK_DOMAIN "\nXML\n"
        "virsh -q define /run/vms/disk.xml\n"
        "strace -f -o /run/vms/files -e trace=%%file -p $(libvirtd-ctl pid) 2>/dev/null "
        "</dev/null >/dev/null & echo $! >/run/vms/strace.pid\n"
        "until grep -q TracerPid:.*[1-9] /proc/$(libvirtd-ctl pid)/status; do sleep 0.1; done");
    g_autoptr(Service) s = service_new("--uri=qemu:///system", NULL);
    World *w = s->world;
    g_autofree char *path = domain_path(DISK_UUID);

    wait_for(w, mirror_is(s->mirror, path, "State", "shutoff"));
    for (guint i = 0; i < 2; i++) {
        g_autoptr(Call) stats = manager_call(s, "GetStats", "asa{sv}", 0, 0);
        g_autoptr(Call) list = manager_call(s, "ListDomains", NULL);
        g_autoptr(Call) xml = domain_call(s, path, "GetXml", "a{sv}", 0);

        assert_ok(stats);
        assert_ok(list);
        assert_ok(xml);
        g_assert_nonnull(strstr(stats->body, "state.state"));
        g_assert_cmpint(call_duration_ms(stats), <, 5000);
    }
    run(w, "timeout 60 virsh -q list && kill $(</run/vms/strace.pid)\n"
           "timeout 10 tail --pid=$(</run/vms/strace.pid) -s 0.05 -f /dev/null\n"
           "! grep -a /run/vms/disk.img /run/vms/files");
    g_assert_true(mirror_is(s->mirror, path, "Available", "true"));
}

/* --- QEMUs that cannot be killed ---------------------------------------------------------- */

static void
inherit(int signal)
{
    (void)prctl(PR_SET_CHILD_SUBREAPER, signal == 0);
}

/*
 * libvirt waits until a process that it has killed is gone. This process inherits the QEMUs of the
 * libvirtd that it starts, as init does from others, until SIGUSR1. While it stands still they
 * cannot go: killed, they stay as zombies.
 */
static pid_t
start_reaper(World *w)
{
    pid_t reaper = fork();

    g_assert_cmpint(reaper, >=, 0);
    if (reaper == 0) {
        inherit(0);
        (void)signal(SIGUSR1, inherit);
        if (fork() == 0) {
            (void)execlp("sh", "sh", "-c", "libvirtd-ctl restart && touch /run/vms/restarted",
                         NULL);
            _exit(127);
        }
        while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
            ;
        _exit(0);
    }
    run(w, "until [[ -e /run/vms/restarted ]]; do sleep 0.05; done; rm /run/vms/restarted");
    return reaper;
}

static void
start_unkillable(World *w)
{
    run(w,
        "for i in $(seq 0 %d); do\n"
        "    virsh -q start slow-$i\n"
        "    libvirtd-ctl qemu-pid slow-$i >/run/vms/pid.$i\n"
        "done",
        UNKILLABLE - 1);
}

/* All have been killed, and none is gone. */
static void
wait_until_zombies(World *w)
{
    run(w,
        "for i in $(seq 0 %d); do\n"
        "    until grep -q '^State:.Z' /proc/$(cat /run/vms/pid.$i)/status; do sleep 0.1; done\n"
        "done",
        UNKILLABLE - 1);
}

static void
run_neighbour(const Stuck *stuck)
{
    World *w = stuck->service->world;

    if (!mirror_is(stuck->service->mirror, stuck->neighbour, "State", "running"))
        guest_start(w, "neighbour");
    wait_for(w, mirror_is(stuck->service->mirror, stuck->neighbour, "State", "running"));
}

static gint64
time_force_stop(const Stuck *stuck)
{
    run_neighbour(stuck);
    g_autoptr(Call) force = domain_call(stuck->service, stuck->neighbour, "ForceStop", NULL);

    assert_ok(force);
    return force->done_usec - force->sent_usec;
}

/* The ForceStop of so many holds up none of another one. */
static void
test_unkillable(void)
{
    Stuck *stuck = begin(UNKILLABLE);
    World *w = stuck->service->world;
    g_autoptr(GPtrArray) forces =
        g_ptr_array_new_with_free_func((GDestroyNotify)(void (*)(void))call_free);

    let_go(w);
    pid_t reaper = start_reaper(w);
    start_unkillable(w);
    g_assert_cmpint(kill(reaper, SIGUSR1), ==, 0);
    wait_for(w, are_all(stuck, "State", "running"));
    gint64 alone = time_force_stop(stuck);

    run_neighbour(stuck);
    g_assert_cmpint(kill(reaper, SIGSTOP), ==, 0);
    for (guint i = 0; i < UNKILLABLE; i++)
        g_ptr_array_add(forces, domain_send(stuck->service, stuck->slow[i], "ForceStop", NULL));
    wait_until_zombies(w);
    /* Behind the others it would take 15 s, after which libvirt gives up each of theirs. */
    g_assert_cmpint(time_force_stop(stuck), <=, AT_MOST * alone + 3 * G_USEC_PER_SEC);
    for (guint i = 0; i < UNKILLABLE; i++)
        g_assert_false(((const Call *)forces->pdata[i])->done);

    g_assert_cmpint(kill(reaper, SIGCONT), ==, 0);
    for (guint i = 0; i < UNKILLABLE; i++)
        assert_ok(forces->pdata[i]);
    assert_equals_virsh(stuck->service);
    end(stuck);
    g_assert_cmpint(kill(reaper, SIGKILL), ==, 0);
    g_assert_cmpint(waitpid(reaper, NULL, 0), ==, reaper);
}

int
main(int argc, char *argv[])
{
    libvirtd_need();
    g_test_init(&argc, &argv, NULL);
    libvirtd_add_data_func("/stuck/others-start", NULL, test_others_start);
    libvirtd_add_data_func("/stuck/others-start-more", "32", test_others_start);
    libvirtd_add_func("/stuck/own-start", test_own_start);
    libvirtd_add_func("/stuck/together", test_together);
    libvirtd_add_func("/stuck/reconnect", test_reconnect);
    libvirtd_add_func("/stuck/dead-storage", test_dead_storage);
    libvirtd_add_func("/stuck/off", test_off);
    libvirtd_add_func("/stuck/unkillable", test_unkillable);
    return g_test_run();
}
