/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A libvirtd and a QEMU that hang hold nobody up: reads go on at full speed, calls are answered in
 * time, and all is well again when they go on. */

#include "libvirtd.h"

#include <string.h>

#define FROZEN         18
#define PAUSED         10
#define SAVED          6
#define AT_ONCE        16 /* calls other than reads that may be under way */
#define READS          1000
#define LISTS          50
#define ANSWER_MS      20000
/* A busy machine is allowed for; a read that waits for a frozen libvirtd takes 9 s and more. */
#define READ_BOUND_MS  5000
#define SILENT_MS      6000
#define PROPERTIES     "org.freedesktop.DBus.Properties"
#define OBJECT_MANAGER "org.freedesktop.DBus.ObjectManager"

static bool
manager_is(Service *s, const char *property, const char *value)
{
    return g_strcmp0(mirror_get(s->mirror, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, property),
                     value) == 0;
}

/* A number of reads, one by one: all are answered, and none waits for who hangs. */
static void
read_for_a_while(Service *s, const char *path)
{
    gint64 slowest_ms = 0;

    for (guint i = 0; i < READS; i++) {
        g_autoptr(Call) get =
            client_call(s->client, path, PROPERTIES, "Get", "ss", VMS_DOMAIN_INTERFACE, "State");
        assert_ok(get);
        slowest_ms = MAX(slowest_ms, call_duration_ms(get));
    }
    for (guint i = 0; i < LISTS; i++) {
        g_autoptr(Call) list =
            client_call(s->client, VMS_ROOT_PATH, OBJECT_MANAGER, "GetManagedObjects", NULL);
        assert_ok(list);
        slowest_ms = MAX(slowest_ms, call_duration_ms(list));
    }
    g_test_message("the slowest read took %" G_GINT64_FORMAT " ms", slowest_ms);
    g_assert_cmpint(slowest_ms, <, READ_BOUND_MS);
}

static void
assert_answered(Call *call)
{
    call_wait(call);
    g_test_message("%s after %" G_GINT64_FORMAT " ms: %s", call->what, call_duration_ms(call),
                   call->error_name ? call->error_message : "done");
    /* The service answers a second before that. */
    g_assert_cmpint(call_duration_ms(call), <=, ANSWER_MS + 3000);
}

/* A refusal that says "not available" means that nothing was done, also later. */
static void
assert_done_or_not(Service *s, const char *path, const Call *call, const char *before,
                   const char *after)
{
    if (!call->error_name || g_str_equal(call->error_name, VMS_ERROR_PREFIX "StillRunning"))
        wait_for(s->world, mirror_is(s->mirror, path, "State", after));
    else if (g_str_equal(call->error_name, VMS_ERROR_PREFIX "NotAvailable"))
        g_assert_true(mirror_is(s->mirror, path, "State", before));
}

static void
test_libvirtd(void)
{
    libvirtd_clean();
    g_autoptr(Service) s = service_new("--uri=qemu:///system", "--stop-timeout=2", NULL);
    World *w = s->world;
    gint64 since;
    guint64 mark;

    guest_define(w, "", "a", "bare");
    guest_define(w, "", "b", "bare");
    guest_start(w, "a");
    g_autofree char *a = guest_path(w, "a");
    g_autofree char *b = guest_path(w, "b");
    wait_for(w, mirror_is(s->mirror, a, "State", "running"));
    read_for_a_while(s, a);

    libvirtd(w, "freeze");
    since = g_get_monotonic_time();
    mark = mirror_mark(s->mirror);
    /* Before the loss is noticed, and with calls under way that hang. */
    g_autoptr(Call) list = manager_send(s, "ListDomains", NULL);
    g_autoptr(Call) stop = domain_send(s, a, "Stop", NULL);
    g_autoptr(Call) start = domain_send(s, b, "Start", NULL);
    read_for_a_while(s, a);
    wait_for_ms(w, ANSWER_MS, manager_is(s, "Available", "false"));
    g_test_message("noticed after %" G_GINT64_FORMAT " ms",
                   (g_get_monotonic_time() - since) / 1000);
    wait_for(w, mirror_is(s->mirror, a, "Available", "false"));
    g_assert_true(mirror_is(s->mirror, a, "State", "running"));

    /* And when it is known. */
    g_autoptr(Call) again = manager_send(s, "ListDomains", NULL);
    g_autoptr(Call) pause = domain_send(s, a, "Pause", NULL);
    read_for_a_while(s, a);
    assert_answered(list);
    assert_answered(stop);
    assert_answered(start);
    assert_answered(again);
    g_assert_nonnull(again->error_name);
    assert_answered(pause);
    g_assert_nonnull(pause->error_name);

    libvirtd(w, "thaw");
    wait_for(w, manager_is(s, "Available", "true"));
    g_autofree char *history = mirror_history(s->mirror, mark, VMS_ROOT_PATH, "Available");
    g_assert_cmpstr(history, ==, "false true");
    wait_for(w, mirror_is(s->mirror, a, "Job", "/") && mirror_is(s->mirror, b, "Job", "/"));
    read_for_a_while(s, a);
    assert_equals_virsh(s);
    assert_done_or_not(s, a, stop, "running", "shutoff");
    assert_done_or_not(s, b, start, "shutoff", "running");
}

static void
test_qemu(void)
{
    libvirtd_clean();
    g_autoptr(Service) s = service_new("--uri=qemu:///system", "--stop-timeout=2", NULL);
    World *w = s->world;

    guest_define(w, "", "stuck", "bare");
    guest_define(w, "", "well", "bare");
    guest_start(w, "stuck");
    guest_start(w, "well");
    g_autofree char *stuck = guest_path(w, "stuck");
    g_autofree char *well = guest_path(w, "well");
    wait_for(w, mirror_is(s->mirror, well, "State", "running"));

    run(w, "kill -STOP $(libvirtd-ctl qemu-pid stuck)");
    g_autoptr(Call) pause = domain_send(s, stuck, "Pause", NULL);
    /* The calls about the other domain are not slower. */
    g_autoptr(Call) stop = domain_call(s, well, "Stop", NULL);
    assert_ok(stop);
    g_assert_cmpint(call_duration_ms(stop), <, 9000);
    g_autoptr(Call) start = domain_call(s, well, "Start", NULL);
    assert_ok(start);
    g_assert_cmpint(call_duration_ms(start), <, 9000);
    g_autoptr(Call) list = manager_call(s, "ListDomains", NULL);
    assert_ok(list);
    g_assert_cmpint(call_duration_ms(list), <, 6000);
    read_for_a_while(s, stuck);

    g_autoptr(Call) force = domain_send(s, stuck, "ForceStop", NULL);
    assert_answered(force);
    assert_ok(force);
    g_assert_true(mirror_is(s->mirror, stuck, "State", "shutoff"));
    assert_answered(pause);
    g_assert_nonnull(pause->error_name);
    g_assert_true(manager_is(s, "Available", "true"));
    assert_equals_virsh(s);
}

/*
 * QEMU is asked something by the service itself, its balloon after the reconnect, and does not
 * answer. In libvirt 11 that keeps waiting who asks for the domain's XML, too.
 */
static char *
silent_guest(Service *s)
{
    World *w = s->world;

    guest_define(w, "", "silent", "bare");
    guest_start(w, "silent");
    char *silent = guest_path(w, "silent");
    wait_for(w, mirror_is(s->mirror, silent, "State", "running"));
    run(w, "kill -STOP $(libvirtd-ctl qemu-pid silent)");
    g_autoptr(Call) reconnect = manager_call(s, "Reconnect", NULL);
    assert_ok(reconnect);
    wait_for(w, mirror_is(s->mirror, silent, "Available", "true"));
    run(w, "until timeout 5 virsh -q domcontrol silent | grep occupied; do sleep 0.1; done");
    return silent;
}

static void
test_qemu_silent(void)
{
    libvirtd_clean();
    g_autoptr(Service) s = service_new("--uri=qemu:///system", "--stop-timeout=2", NULL);
    World *w = s->world;
    guint64 mark = mirror_mark(s->mirror);
    g_autofree char *silent = silent_guest(s);

    /* An operation that the state decides about is decided at once, and one that waits is named. */
    g_autoptr(Call) resume = domain_call(s, silent, "Resume", NULL);
    assert_error(resume, VMS_ERROR_PREFIX "InvalidState");
    g_assert_cmpint(call_duration_ms(resume), <, SILENT_MS);
    g_autoptr(Call) xml = domain_send(s, silent, "GetXml", "a{sv}", 0);
    g_autoptr(Call) job = domain_call(s, silent, "StopWithOptions", "a{sv}", 0);
    assert_ok(job);
    g_assert_cmpint(call_duration_ms(job), <, SILENT_MS);
    g_autoptr(Call) pause = domain_call(s, silent, "Pause", NULL);
    assert_error_says(pause, VMS_ERROR_PREFIX "Busy", "silent");

    /* It is forced, and that shows though its XML cannot be read. */
    wait_for(w, mirror_is(s->mirror, silent, "State", "shutoff"));
    assert_answered(xml);
    if (g_strcmp0(xml->error_name, VMS_ERROR_PREFIX "Timeout") == 0)
        assert_error_says(xml, VMS_ERROR_PREFIX "Timeout", "GetXml of \"silent\"");
    wait_for(w, mirror_is(s->mirror, silent, "Job", "/"));
    g_assert_true(manager_is(s, "Available", "true"));
    g_autofree char *history = mirror_history(s->mirror, mark, silent, "Problems");
    g_assert_null(strstr(history, "unresponsive"));
    assert_equals_virsh(s);
}

/* The next process of the service knows the domain by its state, and its XML once that is told. */
static void
test_qemu_silent_restart(void)
{
    libvirtd_clean();
    g_autoptr(Service) s = service_new("--uri=qemu:///system", NULL);
    World *w = s->world;
    g_autofree char *silent = silent_guest(s);

    g_clear_pointer(&s->mirror, mirror_free);
    world_stop(w);
    world_start(w, "--uri=qemu:///system", NULL);
    client_wait_available(s->client, true);
    s->mirror = mirror_new(s->client);
    wait_for_ms(w, SILENT_MS, mirror_is(s->mirror, silent, "State", "running"));
    g_autoptr(Call) list = manager_call(s, "ListDomains", NULL);
    assert_ok(list);
    g_assert_cmpint(call_duration_ms(list), <, SILENT_MS);

    run(w, "kill -CONT $(libvirtd-ctl qemu-pid silent)");
    wait_for(
        w, g_strcmp0(mirror_get(s->mirror, silent, VMS_CONFIG_INTERFACE, "MemoryBytes"), "0") != 0);
    assert_equals_virsh(s);
}

/* The calls about the domain of this number: as many changes as may be under way at a time, and
 * some more. */
static Call *
ask_one_of_many(Service *s, const char *path, guint i)
{
    if (i < PAUSED)
        return domain_send(s, path, "Pause", NULL);
    if (i < PAUSED + SAVED)
        return client_send(s->client, path, VMS_SAVED_INTERFACE, "Save", "a{sv}", 0);
    return client_send(s->client, path, VMS_DISPLAY_INTERFACE, "Screenshot", "u", 0);
}

static bool
are_all(Service *s, char **paths, const char *property, const char *value)
{
    for (guint i = 0; i < FROZEN; i++)
        if (!mirror_is(s->mirror, paths[i], property, value))
            return false;
    return true;
}

/* Calls about a domain that are under way and no reads: what waits for a guest's process, too. */
static guint
count_calls_but_reads(Service *s)
{
    static const char *const classes[] = {"operation", "long",     "guest",
                                          "display",   "progress", "sizes"};
    g_autoptr(Call) state =
        client_call(s->client, VMS_ROOT_PATH, VMS_DEBUG_INTERFACE, "GetState", NULL);
    guint n = 0;

    assert_ok(state);
    for (guint i = 0; i < G_N_ELEMENTS(classes); i++) {
        g_autofree char *lane = g_strdup_printf("\"class\": <\"%s\">, \"domain\"", classes[i]);
        g_auto(GStrv) parts = g_strsplit(state->body, lane, -1);

        n += g_strv_length(parts) - 1;
    }
    return n;
}

static void
assert_serves(Service *s, const char *path)
{
    g_autoptr(Call) list = manager_call(s, "ListDomains", NULL);
    g_autoptr(Call) xml = domain_call(s, path, "GetXml", "a{sv}", 0);

    assert_ok(list);
    g_assert_cmpint(call_duration_ms(list), <, 5000);
    assert_ok(xml);
    g_assert_cmpint(call_duration_ms(xml), <, 5000);
    run(s->world, "timeout 10 virsh -q list --all");
}

/* So many guests hang that calls to each would take all of the 20 workers that libvirtd has: it
 * goes on to serve others, and us. */
static void
test_many_qemus(void)
{
    libvirtd_clean();
    libvirtd_make_workers();
    g_autoptr(Service) s = service_new("--uri=qemu:///system", NULL);
    g_autoptr(GPtrArray) calls =
        g_ptr_array_new_with_free_func((GDestroyNotify)(void (*)(void))call_free);
    World *w = s->world;
    char *paths[FROZEN];

    guest_define(w, "", "well", "bare");
    g_autofree char *well = guest_path(w, "well");
    for (guint i = 0; i < FROZEN; i++) {
        g_autofree char *name = g_strdup_printf("m%u", i);

        guest_define(w, "--graphics", name, "bare");
        guest_start(w, name);
        paths[i] = guest_path(w, name);
    }
    wait_for(w, are_all(s, paths, "State", "running"));
    run(w, "kill -STOP $(pidof qemu-system-x86_64)");
    for (guint i = 0; i < FROZEN; i++)
        g_ptr_array_add(calls, ask_one_of_many(s, paths[i], i));

    assert_serves(s, well);

    /* A change that waits for its place is not carried out after a ForceStop. */
    wait_for(w, count_calls_but_reads(s) >= AT_ONCE);
    g_autoptr(Call) job = domain_call(s, well, "StartWithOptions", "a{sv}", 0);
    assert_ok(job);
    g_autoptr(Call) force = domain_call(s, well, "ForceStop", NULL);
    assert_error_says(force, VMS_ERROR_PREFIX "InvalidState", "shutoff");
    g_assert_nonnull(strstr(mirror_job_removed(s->mirror, call_path(job))->body, "canceled"));

    /* One that is being asked something, and one that waits for that. */
    g_autoptr(Call) first = domain_send(s, paths[0], "ForceStop", NULL);
    g_autoptr(Call) last = domain_send(s, paths[FROZEN - 1], "ForceStop", NULL);
    for (guint i = 0; i < FROZEN; i++)
        assert_answered(calls->pdata[i]);
    assert_answered(first);
    assert_ok(first);
    assert_answered(last);
    assert_ok(last);
    assert_serves(s, well);

    run(w, "kill -CONT $(pidof qemu-system-x86_64)");
    wait_for(w, are_all(s, paths, "Job", "/"));
    g_autoptr(Call) start = domain_call(s, well, "Start", NULL);
    assert_ok(start);
    assert_equals_virsh(s);
    for (guint i = 0; i < FROZEN; i++)
        g_free(paths[i]);
}

/* libvirt sends no event for a guest that ends while a new libvirtd is still connecting to it. */
static void
test_qemu_ends_unseen(void)
{
    libvirtd_clean();
    g_autoptr(Service) s = service_new("--uri=qemu:///system", NULL);
    World *w = s->world;

    guest_define(w, "", "stuck", "bare");
    guest_start(w, "stuck");
    guest_create(w, "", "passing", "bare");
    g_autofree char *stuck = guest_path(w, "stuck");
    g_autofree char *passing = guest_path(w, "passing");
    wait_for(w, mirror_is(s->mirror, stuck, "State", "running"));
    wait_for(w, mirror_is(s->mirror, passing, "State", "running"));

    run(w, "echo $(libvirtd-ctl qemu-pid stuck) $(libvirtd-ctl qemu-pid passing) >/run/vms/pids; "
           "libvirtd-ctl kill");
    wait_for(w, manager_is(s, "Available", "false"));
    run(w, "kill -STOP $(cat /run/vms/pids); libvirtd-ctl start");
    wait_for(w, manager_is(s, "Available", "true"));
    g_assert_true(mirror_is(s->mirror, stuck, "State", "running"));
    run(w, "kill -KILL $(cat /run/vms/pids)");
    wait_for(w, mirror_is(s->mirror, stuck, "State", "shutoff"));
    wait_for(w, !mirror_get(s->mirror, passing, VMS_DOMAIN_INTERFACE, "State"));
    assert_equals_virsh(s);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    libvirtd_need();
    libvirtd_add_func("/libvirtd/frozen/libvirtd", test_libvirtd);
    libvirtd_add_func("/libvirtd/frozen/qemu", test_qemu);
    libvirtd_add_func("/libvirtd/frozen/qemu-silent", test_qemu_silent);
    libvirtd_add_func("/libvirtd/frozen/qemu-silent-restart", test_qemu_silent_restart);
    libvirtd_add_func("/libvirtd/frozen/many-qemus", test_many_qemus);
    libvirtd_add_func("/libvirtd/frozen/qemu-ends-unseen", test_qemu_ends_unseen);
    return g_test_run();
}
