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

static void
test_reset_asleep(void)
{
    run(NULL, "boot-disk sleep /run/vms/boot.img");
    g_autoptr(Guest) g = guest_begin("create", "--disk /run/vms/boot.img", "boot",
                                     "s/vda. bus=.virtio/hda'\\'' bus='\\''ide/");

    guest_wait_state(g, "pmsuspended");
    g_autoptr(Call) reset = guest_operate(g, "Reset");
    assert_ok(reset);
    assert_domain(g, "State", "running");
    /* It boots; what was reset in its sleep would neither wake nor run. */
    run(NULL, "timeout 60 bash -c 'until (($(od -An -tu1 -j39 -N1 /run/vms/boot.img) > 1)); do "
              "sleep 0.1; done'");
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
    TEST("reset-removes", test_reset_removes);
    TEST("restarting", test_restarting);
    TEST("start-while-others-start", test_start_while_others_start);
    TEST("stop-after-start", test_stop_after_start);
    TEST("agent-hangs", test_agent_hangs);
#undef TEST
    return g_test_run();
}
