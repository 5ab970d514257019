/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* libvirtd stopped, killed with its PID file left behind, restarted and frozen, while nothing is
 * going on and in the middle of stops and a reboot, with several clients that call all the while.
 */

#include "callers.h"
#include "libvirtd.h"

#include <string.h>

#define STILL_RUNNING VMS_ERROR_PREFIX "StillRunning"
#define CLIENTS       8
#define LOSS_BOUND_MS 20000

typedef enum Fault { STOPPED, KILLED, RESTARTED, FROZEN } Fault;

static bool
manager_is(Service *s, const char *property, const char *value)
{
    return g_strcmp0(mirror_get(s->mirror, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, property),
                     value) == 0;
}

static void
wait_lost(Service *s, const char *status)
{
    wait_for_ms(s->world, LOSS_BOUND_MS, manager_is(s, "Available", "false"));
    wait_for(s->world, manager_is(s, "Status", status));
}

static bool
has_been_lost(Service *s, guint64 mark)
{
    g_autofree char *history = mirror_history(s->mirror, mark, VMS_ROOT_PATH, "Available");

    return g_str_has_prefix(history, "false");
}

/* meanwhile is a script that returns when libvirtd has been away for long enough. */
static void
cause(Service *s, Fault fault, const char *meanwhile)
{
    guint64 mark = mirror_mark(s->mirror);

    switch (fault) {
    case STOPPED:
    case KILLED:
        libvirtd(s->world, fault == STOPPED ? "stop" : "kill");
        wait_lost(s, "stopped");
        run(s->world, "%s", meanwhile);
        libvirtd(s->world, "start");
        break;
    case RESTARTED:
        libvirtd(s->world, "restart");
        wait_for(s->world, has_been_lost(s, mark));
        break;
    case FROZEN:
        libvirtd(s->world, "freeze");
        wait_lost(s, "unreachable");
        run(s->world, "%s", meanwhile);
        libvirtd(s->world, "thaw");
        break;
    }
    wait_for(s->world, manager_is(s, "Available", "true"));
}

/* One loss is one "false" and one "true", on every object. */
static void
assert_lost_once(Service *s, guint64 mark, const char *path)
{
    g_autofree char *history = mirror_history(s->mirror, mark, path, "Available");

    g_assert_cmpstr(history, ==, "false true");
}

static void
assert_undisturbed(Service *s, guint64 mark, const char *path)
{
    g_autofree char *states = mirror_history(s->mirror, mark, path, "State");
    g_autofree char *ids = mirror_history(s->mirror, mark, path, "Id");

    /* After a slow list a domain is told when it answers, later than that libvirt does. */
    wait_for(s->world, mirror_is(s->mirror, path, "Available", "true"));
    assert_lost_once(s, mark, path);
    g_assert_cmpstr(states, ==, "");
    g_assert_cmpstr(ids, ==, "");
    g_assert_cmpuint(mirror_count(s->mirror, mark, path, "InterfacesRemoved"), ==, 0);
}

/* An idle guest of each kind: running, transient, and off. */
typedef struct Idlers {
    char *running, *transient, *off;
} Idlers;

static void
idlers_start(Idlers *i, Service *s)
{
    guest_define(s->world, "", "idle", "bare");
    guest_define(s->world, "", "off", "bare");
    guest_start(s->world, "idle");
    guest_create(s->world, "", "passing", "bare");
    i->running = guest_path(s->world, "idle");
    i->off = guest_path(s->world, "off");
    i->transient = guest_path(s->world, "passing");
    wait_for(s->world, mirror_is(s->mirror, i->transient, "State", "running"));
}

static void
idlers_check(Idlers *i, Service *s, guint64 mark)
{
    assert_undisturbed(s, mark, i->running);
    assert_undisturbed(s, mark, i->transient);
    assert_undisturbed(s, mark, i->off);
    assert_lost_once(s, mark, VMS_ROOT_PATH);
}

static void
idlers_clear(Idlers *i)
{
    g_free(i->running);
    g_free(i->transient);
    g_free(i->off);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Idlers, idlers_clear)

static void
test_idle(gconstpointer data)
{
    libvirtd_clean();
    g_autoptr(Service) s = service_new("--uri=qemu:///system", "--stop-timeout=2", NULL);
    g_auto(Idlers) idlers = {0};
    guint64 mark;

    idlers_start(&idlers, s);
    Callers *callers = callers_start(s->world, CLIENTS, idlers.running, "idle");
    mark = mirror_mark(s->mirror);
    cause(s, (Fault)GPOINTER_TO_INT(data), "true");
    callers_stop(callers);
    idlers_check(&idlers, s, mark);

    /* It works as before. */
    g_autoptr(Call) stop = domain_call(s, idlers.running, "Stop", NULL);
    assert_ok(stop);
    g_autoptr(Call) start = domain_call(s, idlers.off, "Start", NULL);
    assert_ok(start);
    assert_equals_virsh(s);
}

/* The operation under way when the fault comes. */
typedef struct Work {
    char *slow, *cycle, *deaf;
    char *cycle_id;
    Client *other;
    Call *stop, *joined, *reboot, *force;
} Work;

static void
work_start(Work *work, Service *s)
{
    World *w = s->world;

    /* Long enough that the fault comes before they obey. */
    guest_define(w, "--delay 10", "slow", "obey");
    guest_define(w, "--delay 10", "cycle", "obey");
    guest_define(w, "", "deaf", "bare");
    run(w, "for name in slow cycle deaf; do virsh -q start $name; done");
    guest_wait(w, "slow", "VMS-GUEST-READY");
    guest_wait(w, "cycle", "VMS-GUEST-READY");
    work->slow = guest_path(w, "slow");
    work->cycle = guest_path(w, "cycle");
    work->deaf = guest_path(w, "deaf");
    work->cycle_id = g_strdup(mirror_get(s->mirror, work->cycle, VMS_DOMAIN_INTERFACE, "Id"));
    work->other = client_new(w);
}

static void
work_begin(Work *work, Service *s, Fault fault)
{
    /* A frozen libvirtd is forced once the loss is known, so that the call is not lost in its
     * socket. */
    guint64 forced_after = (fault == FROZEN ? 15 : 6) * G_USEC_PER_SEC;

    work->stop = domain_send(s, work->slow, "Stop", NULL);
    work->joined = client_send(work->other, work->slow, VMS_DOMAIN_INTERFACE, "Stop", NULL);
    work->reboot = domain_send(s, work->cycle, "Reboot", NULL);
    /* The guests have been asked, and are about to obey. */
    guest_wait(s->world, "slow", "VMS-GUEST-BUTTON");
    guest_wait(s->world, "cycle", "VMS-GUEST-BUTTON");
    work->force =
        domain_send(s, work->deaf, "StopWithOptions", "a{sv}", 1, "timeout", "t", forced_after);
    assert_ok(work->force);
}

/* Done, or still under way when the bound for an answer was reached. */
static void
assert_answer(Call *call)
{
    call_wait(call);
    g_assert_cmpint(call_duration_ms(call), <=, 21000);
    if (!call->error_name)
        return;
    g_test_message("%s: %s: %s", call->what, call->error_name, call->error_message);
    g_assert_cmpstr(call->error_name, ==, STILL_RUNNING);
    g_assert_cmpint(call_duration_ms(call), >=, 18000);
}

static void
assert_off_once(Service *s, guint64 mark, const char *path)
{
    g_autofree char *history = mirror_history(s->mirror, mark, path, "State");

    g_assert_true(g_str_equal(history, "shutoff") || g_str_equal(history, "shutdown shutoff"));
}

/*
 * It went off so, if only for a while: a new libvirtd does not know why it is off. Or it went off
 * where libvirtd was away, or had not found its process again: then that says so.
 */
static void
assert_reason(Service *s, guint64 mark, const char *path, const char *reason, const char *unseen,
              const char *not_reason)
{
    g_autofree char *history = mirror_history(s->mirror, mark, path, "StateReason");

    g_assert_true(strstr(history, reason) || strstr(history, unseen));
    g_assert_null(strstr(history, not_reason));
}

static void
work_check(Work *work, Service *s, guint64 mark)
{
    assert_answer(work->stop);
    assert_answer(work->joined);
    assert_answer(work->reboot);
    wait_for(s->world, mirror_count(s->mirror, mark, NULL, "JobRemoved") >= 3);
    g_assert_cmpuint(mirror_count(s->mirror, mark, NULL, "JobRemoved"), ==, 3);
    for (guint i = 0; i < s->mirror->signals->len; i++) {
        const Signal *signal = s->mirror->signals->pdata[i];
        if (g_str_equal(signal->member, "JobRemoved")) {
            g_test_message("%s", signal->body);
            g_assert_nonnull(strstr(signal->body, " done "));
        }
    }
    assert_off_once(s, mark, work->slow);
    assert_off_once(s, mark, work->deaf);
    assert_reason(s, mark, work->slow, "shut-down", "crashed", "destroyed");
    assert_reason(s, mark, work->deaf, "destroyed", "daemon", "shut-down");
    g_assert_true(mirror_is(s->mirror, work->cycle, "State", "running"));
    g_assert_false(mirror_is(s->mirror, work->cycle, "Id", work->cycle_id));
}

static void
work_clear(Work *work)
{
    call_free(work->stop);
    call_free(work->joined);
    call_free(work->reboot);
    call_free(work->force);
    client_free(work->other);
    g_free(work->slow);
    g_free(work->cycle);
    g_free(work->deaf);
    g_free(work->cycle_id);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Work, work_clear)

static void
test_busy(gconstpointer data)
{
    libvirtd_clean();
    g_autoptr(Service) s = service_new("--uri=qemu:///system", "--stop-timeout=60", NULL);
    g_auto(Idlers) idlers = {0};
    g_auto(Work) work = {0};
    guint64 mark;

    idlers_start(&idlers, s);
    work_start(&work, s);
    Callers *callers = callers_start(s->world, CLIENTS, idlers.running, "idle");
    mark = mirror_mark(s->mirror);
    work_begin(&work, s, (Fault)GPOINTER_TO_INT(data));
    /* The guests go down while nobody looks. */
    cause(s, (Fault)GPOINTER_TO_INT(data),
          "libvirtd-ctl wait-console slow 'Power down'; libvirtd-ctl wait-console cycle 'Power "
          "down'");
    work_check(&work, s, mark);
    callers_stop(callers);
    idlers_check(&idlers, s, mark);
    assert_equals_virsh(s);
}

/* Turns the loop for a while, to kill libvirtd at another place in the call each time. */
static void
turn_for_usec(World *w, gint64 usec)
{
    gint64 deadline = g_get_monotonic_time() + usec;

    while (world_turn(w, deadline))
        ;
}

/* It was carried out, and undone by the next libvirtd; that state is named. */
static bool
is_undone(Service *s, const Call *call, const char *path)
{
    g_autofree char *state = g_strdup(mirror_get(s->mirror, path, VMS_DOMAIN_INTERFACE, "State"));
    g_autofree char *words =
        g_strdup_printf(" was carried out, but now it is %s ", state ? state : "gone");

    return strstr(call->error_message, words) != NULL;
}

/* Success has done it, "not available" has not, and anything else says that it cannot tell. */
static void
assert_truth(Service *s, Call *call, const char *path, const char *before, const char *after)
{
    g_autofree char *words = g_strdup(call->error_message ? call->error_message : "done");

    g_test_message("%s after %" G_GINT64_FORMAT " ms: %s", call->what, call_duration_ms(call),
                   words);
    g_assert_cmpint(call_duration_ms(call), <=, 21000);
    if (!call->error_name)
        g_assert_true(mirror_is(s->mirror, path, "State", after));
    else if (g_str_equal(call->error_name, VMS_ERROR_PREFIX "NotAvailable"))
        g_assert_true(mirror_is(s->mirror, path, "State", before));
    else if (!is_undone(s, call, path))
        assert_error_says(call, VMS_ERROR_PREFIX "OperationFailed", "may have been carried out");
}

/* Killed while a change is on its way, at many moments of it. */
static void
test_in_flight(void)
{
    static const struct {
        const char *member, *before, *after;
    } changes[] = {
        {"Start", "shutoff", "running"},
        {"Pause", "running", "paused"},
        {"Resume", "paused", "running"},
        {"ForceStop", "running", "shutoff"},
    };

    libvirtd_clean();
    g_autoptr(Service) s = service_new("--uri=qemu:///system", "--stop-timeout=2", NULL);
    World *w = s->world;

    for (guint round = 0; round < 24; round++) {
        guint i = round % G_N_ELEMENTS(changes);
        /* Another one each time: libvirt may hold the last one locked for good. */
        g_autofree char *name = g_strdup_printf("guest%u", round);
        guest_define(w, "", name, "bare");
        g_autofree char *path = guest_path(w, name);
        if (!g_str_equal(changes[i].before, "shutoff"))
            guest_start(w, name);
        if (g_str_equal(changes[i].before, "paused"))
            run(w, "virsh -q suspend %s", name);
        wait_for(w, mirror_is(s->mirror, path, "State", changes[i].before));
        g_autoptr(Call) call = domain_send(s, path, changes[i].member, NULL);
        turn_for_usec(w, round * 8000);
        libvirtd(w, "kill");
        libvirtd(w, "start");
        call_wait(call);
        wait_for(w, manager_is(s, "Available", "true") && mirror_is(s->mirror, path, "Job", "/"));
        assert_truth(s, call, path, changes[i].before, changes[i].after);
    }
    assert_equals_virsh(s);
}

/* The service starts before libvirtd, and is not called when libvirtd starts. */
static void
test_comes_later(void)
{
    libvirtd_clean();
    libvirtd(NULL, "kill");
    g_autoptr(World) w = world_new();
    world_start(w, "--uri=qemu:///system", NULL);
    g_autoptr(Client) c = client_new(w);
    g_autoptr(Mirror) m = mirror_new(c);

    wait_for(w, g_strcmp0(mirror_get(m, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "Status"),
                          "stopped") == 0);
    libvirtd(w, "start");
    wait_for_ms(
        w, 12000,
        g_strcmp0(mirror_get(m, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "Status"), "available") == 0);
    mirror_check(m);
}

static void
add(const char *name, Fault fault)
{
    g_autofree char *idle = g_strconcat("/libvirtd/faults/idle/", name, NULL);
    g_autofree char *busy = g_strconcat("/libvirtd/faults/busy/", name, NULL);

    libvirtd_add_data_func(idle, GINT_TO_POINTER(fault), test_idle);
    libvirtd_add_data_func(busy, GINT_TO_POINTER(fault), test_busy);
}

static Call *
begin_endless_stop(Service *s, const char *path)
{
    return domain_call(s, path, "StopWithOptions", "a{sv}", 2, "timeout", "t", UINT64_MAX, "force",
                       "b", false);
}

/* A job that runs is joined, and named, without libvirt. */
static void
test_join_while_away(void)
{
    libvirtd_clean();
    g_autoptr(Service) s = service_new("--uri=qemu:///system", NULL);
    World *w = s->world;

    guest_define(w, "", "held", "bare");
    g_autofree char *path = guest_path(w, "held");
    guest_start(w, "held");
    wait_for(w, mirror_is(s->mirror, path, "State", "running"));
    g_autoptr(Call) stop = begin_endless_stop(s, path);
    assert_ok(stop);

    libvirtd(w, "stop");
    wait_lost(s, "stopped");
    g_autoptr(Call) same = begin_endless_stop(s, path);
    assert_ok(same);
    g_assert_cmpstr(call_path(same), ==, call_path(stop));
    g_autoptr(Call) other = domain_call(s, path, "Pause", NULL);
    assert_error_says(other, VMS_ERROR_PREFIX "Busy", call_path(stop));
    g_autoptr(Call) force = domain_call(s, path, "ForceStop", NULL);
    assert_error(force, VMS_ERROR_PREFIX "NotAvailable");
    g_assert_true(mirror_is(s->mirror, path, "Job", call_path(stop)));

    libvirtd(w, "start");
    wait_for(w, manager_is(s, "Available", "true"));
    g_autoptr(Call) forced = domain_call(s, path, "ForceStop", NULL);
    assert_ok(forced);
    assert_equals_virsh(s);
}

/* While a new libvirtd is still connecting to a guest, it says that the guest is running, and
 * answers the call that kills the guest with "domain is not running". */
static void
test_force_while_connecting(gconstpointer member)
{
    libvirtd_clean();
    g_autoptr(Service) s = service_new("--uri=qemu:///system", NULL);
    World *w = s->world;

    guest_define(w, "", "stuck", "bare");
    g_autofree char *path = guest_path(w, "stuck");
    guest_start(w, "stuck");
    wait_for(w, mirror_is(s->mirror, path, "State", "running"));
    run(w, "pid=$(libvirtd-ctl qemu-pid stuck); libvirtd-ctl stop; kill -STOP $pid");
    wait_lost(s, "stopped");
    libvirtd(w, "start");
    wait_for(w, manager_is(s, "Available", "true"));
    g_assert_true(mirror_is(s->mirror, path, "State", "running"));

    g_autoptr(Call) call = domain_call(s, path, member, NULL);
    assert_ok(call);
    g_assert_true(
        mirror_is(s->mirror, path, "State", g_str_equal(member, "Reset") ? "running" : "shutoff"));
    assert_equals_virsh(s);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    libvirtd_need();
    libvirtd_add_func("/libvirtd/faults/comes-later", test_comes_later);
    libvirtd_add_func("/libvirtd/faults/in-flight", test_in_flight);
    libvirtd_add_func("/libvirtd/faults/join-while-away", test_join_while_away);
    libvirtd_add_data_func("/libvirtd/faults/while-connecting/force-stop", "ForceStop",
                           test_force_while_connecting);
    libvirtd_add_data_func("/libvirtd/faults/while-connecting/reset", "Reset",
                           test_force_while_connecting);
    add("stopped", STOPPED);
    add("killed", KILLED);
    add("restarted", RESTARTED);
    add("frozen", FROZEN);
    return g_test_run();
}
