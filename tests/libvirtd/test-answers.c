/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Operations on real guests that do something else than what was asked for, or that other people
 * are at work on: the answer is what has become of the domain. */

#include "libvirtd-guest.h"

#include <string.h>

#define FAILED  VMS_ERROR_PREFIX "OperationFailed"
#define TIMEOUT VMS_ERROR_PREFIX "Timeout"

/* --- reset in place -------------------------------------------------------------------------- */

static void
test_reset_paused(void)
{
    g_autoptr(Guest) g = guest_begin("create --paused", "", "bare", "");

    guest_wait_state(g, "paused");
    g_autoptr(Call) reset = guest_operate(g, "Reset");
    assert_ok(reset);
    assert_domain(g, "State", "running");
}

/* A transient guest that does this at its first start, and is reset then. */
static void
check_reset_after(const char *what, const char *state)
{
    run(NULL, "boot-disk %s /run/vms/boot.img", what);
    g_autoptr(Guest) g = guest_begin("create", "--panic --disk /run/vms/boot.img", "boot",
                                     "s/vda. bus=.virtio/hda'\\'' bus='\\''ide/");

    guest_wait_state(g, state);
    g_autoptr(Call) reset = guest_operate(g, "Reset");
    assert_ok(reset);
    assert_domain(g, "State", "running");
    assert_domain(g, "Problems", "[]");
    /* It boots: what was only reset would stay as it was. */
    run(NULL, "timeout 60 bash -c 'until (($(od -An -tu1 -j39 -N1 /run/vms/boot.img) > 1)); do "
              "sleep 0.1; done'");
}

static void
test_reset_asleep(void)
{
    check_reset_after("sleep", "pmsuspended");
}

static void
test_reset_crashed(void)
{
    check_reset_after("panic", "crashed");
}

static void
test_reset_removes(void)
{
    g_autoptr(Guest) g =
        guest_begin("create", "", "bare", "s/<on_reboot>restart/<on_reboot>destroy/");

    guest_wait_state(g, "running");
    g_autoptr(Call) reset = guest_operate(g, "Reset");
    assert_error_says(reset, FAILED, "gone");
}

/* --- on_poweroff -------------------------------------------------------------------------------
 */

static Guest *
guest_that_restarts(void)
{
    Guest *g = guest_begin("define", "", "obey", "s/<on_poweroff>destroy/<on_poweroff>restart/");

    guest_start(g->service->world, "web");
    guest_wait(g->service->world, "web", "VMS-GUEST-READY");
    guest_wait_state(g, "running");
    return g;
}

/* Until it has booted so often, in the same process. */
static void
wait_booted(Guest *g, unsigned times)
{
    run(g->service->world,
        "until [[ $(grep -c VMS-GUEST-READY /run/vms/web.console) == %u ]]; do sleep 0.1; done",
        times);
}

static void
test_restarting(void)
{
    g_autoptr(Guest) g = guest_that_restarts();

    g_autoptr(Call) reboot = guest_operate(g, "Reboot");
    assert_ok(reboot);
    assert_domain(g, "State", "running");

    wait_booted(g, 2);
    g_autoptr(Call) gentle =
        domain_call(g->service, g->path, "StopWithOptions", "a{sv}", 1, "force", "b", 0);
    assert_ok(gentle);
    wait_for(g->service->world, mirror_job_removed(g->service->mirror, call_path(gentle)));
    const char *body = mirror_job_removed(g->service->mirror, call_path(gentle))->body;
    g_assert_nonnull(strstr(body, "timeout"));
    g_assert_nonnull(strstr(body, "on_poweroff"));
    assert_domain(g, "State", "running");

    wait_booted(g, 3);
    g_autoptr(Call) stop = guest_operate(g, "Stop");
    assert_ok(stop);
    assert_domain(g, "State", "shutoff");
    g_assert_cmpint(call_duration_ms(stop), <, 19000);
}

/* --- other people's start, and the guest's own -------------------------------------------------
 */

static void
test_start_while_others_start(void)
{
    run(NULL,
        "cat >/run/vms/slow-qemu <<'SH'\n"
        "#!/bin/sh\n"
        "case \"$*\" in\n"
        "*guest=web*) touch /run/vms/hung; while [ -e /run/vms/hang ]; do sleep 0.1; done ;;\n"
        "esac\n"
        "exec /usr/bin/qemu-system-x86_64 \"$@\"\n"
        "SH\n"
        "chmod 755 /run/vms/slow-qemu\n"
        "rm -f /run/vms/hung; touch /run/vms/hang");
    g_autoptr(Guest) g = guest_begin(
        "define", "", "bare", "s:<devices>:<devices><emulator>/run/vms/slow-qemu</emulator>:");

    run(g->service->world, "virsh -q start web </dev/null >/dev/null 2>&1 &\n"
                           "until [[ -e /run/vms/hung ]]; do sleep 0.05; done");
    g_autoptr(Call) start = domain_send(g->service, g->path, "Start", NULL);
    wait_for(g->service->world, !mirror_is(g->service->mirror, g->path, "Job", "/"));
    run(g->service->world, "rm /run/vms/hang");
    assert_ok(start);
    assert_domain(g, "State", "running");
}

/* Stop follows at once: what is asked of a guest that boots is lost. */
static void
test_stop_after_start(void)
{
    g_autoptr(Guest) g = guest_begin("define", "", "obey", "");

    g_autoptr(Call) start = guest_operate(g, "Start");
    assert_ok(start);
    g_autoptr(Call) stop = domain_call(g->service, g->path, "StopWithOptions", "a{sv}", 2, "force",
                                       "b", 0, "timeout", "t", G_GUINT64_CONSTANT(60000000));
    assert_ok(stop);
    wait_for(g->service->world, mirror_job_removed(g->service->mirror, call_path(stop)));
    g_assert_nonnull(strstr(mirror_job_removed(g->service->mirror, call_path(stop))->body, "done"));
    assert_domain(g, "StateReason", "shut-down");
}

/* --- a guest that ends by itself ---------------------------------------------------------------
 */

/* Its process ends while ForceStop waits for libvirtd, which then does this. */
static void
check_force_stop_ended(const char *how, const char *libvirtd_does)
{
    g_autoptr(Guest) g = guest_begin(how, "", "bare", "");
    World *w = g->service->world;
    bool is_transient = g_str_equal(how, "create");

    if (!is_transient)
        guest_start(w, "web");
    guest_wait_state(g, "running");
    run(w, "libvirtd-ctl qemu-pid web >/run/vms/pid; libvirtd-ctl freeze");
    g_autoptr(Call) stop = domain_send(g->service, g->path, "ForceStop", NULL);
    wait_for(w, !mirror_is(g->service->mirror, g->path, "Job", "/"));
    run(w, "kill -KILL $(</run/vms/pid); %s", libvirtd_does);
    call_wait(stop);
    if (stop->error_name)
        g_assert_cmpstr(stop->error_name, ==, VMS_ERROR_PREFIX "InvalidState");
    if (is_transient)
        wait_for(w, !mirror_has(g->service->mirror, g->path, VMS_DOMAIN_INTERFACE));
    else
        wait_for(w, mirror_is(g->service->mirror, g->path, "State", "shutoff"));
}

static void
test_force_stop_ended(void)
{
    check_force_stop_ended("define", "libvirtd-ctl thaw");
}

static void
test_force_stop_ended_transient(void)
{
    check_force_stop_ended("create", "libvirtd-ctl thaw");
}

static void
test_force_stop_back_without(void)
{
    check_force_stop_ended("define", "libvirtd-ctl kill; libvirtd-ctl start");
}

static void
test_force_stop_back_without_transient(void)
{
    check_force_stop_ended("create", "libvirtd-ctl kill; libvirtd-ctl start");
}

/* --- an agent that hangs, and a disk that is full ----------------------------------------------
 */

static void
test_agent_hangs(void)
{
    run(NULL, "cp \"$VMS_GUEST_DIR/disk.img\" /run/vms/disk.img");
    g_autoptr(Guest) g =
        guest_begin("define", "--memory 192 --disk /run/vms/disk.img --nic", "agent", "");
    World *w = g->service->world;

    guest_start(w, "web");
    guest_wait(w, "web", "VMS-GUEST-READY");
    wait_for(w, g_strcmp0(guest_get(g, VMS_GUEST_INTERFACE, "AgentConnected"), "true") == 0);
    run(w, "virsh -q qemu-agent-command --timeout 5 web '{\"execute\": \"guest-exec\", "
           "\"arguments\": {\n"
           "    \"path\": \"/bin/sh\",\n"
           "    \"arg\": [\"-c\", \"kill -STOP $(pidof qemu-ga); echo VMS-GUEST-MUTE "
           ">/dev/console\"]\n"
           "}}' >/dev/null || true\n"
           "libvirtd-ctl wait-console web VMS-GUEST-MUTE");
    g_autoptr(Call) stop = guest_operate(g, "Stop");
    assert_ok(stop);
    assert_domain(g, "StateReason", "shut-down");
    g_assert_cmpint(call_duration_ms(stop), >=, 3000);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    libvirtd_need();
#define TEST(name, function) libvirtd_add_func("/libvirtd/answers/" name, function)
    TEST("reset-paused", test_reset_paused);
    TEST("reset-asleep", test_reset_asleep);
    TEST("reset-crashed", test_reset_crashed);
    TEST("reset-removes", test_reset_removes);
    TEST("restarting", test_restarting);
    TEST("start-while-others-start", test_start_while_others_start);
    TEST("stop-after-start", test_stop_after_start);
    TEST("force-stop-ended", test_force_stop_ended);
    TEST("force-stop-ended-transient", test_force_stop_ended_transient);
    TEST("force-stop-back-without", test_force_stop_back_without);
    TEST("force-stop-back-without-transient", test_force_stop_back_without_transient);
    TEST("agent-hangs", test_agent_hangs);
#undef TEST
    return g_test_run();
}
