/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Problems of real guests: each row comes with what has gone wrong, and goes with it. */

#include "libvirtd-guest.h"

#include <string.h>

#define FAILED VMS_ERROR_PREFIX "OperationFailed"

/* The one row of Problems is of this kind, and about this disk; NULL: about no device. */
static bool
has_problem(Guest *g, const char *kind, const char *disk)
{
    const char *problems = guest_get(g, VMS_DOMAIN_INTERFACE, "Problems");

    if (!problems)
        return false;
    g_autofree char *kind_text = g_strdup_printf("\"kind\": <\"%s\">", kind);
    g_autofree char *disk_text =
        disk ? g_strdup_printf("\"device\": <\"%s\">", disk) : g_strdup("\"device\"");

    return strstr(problems, kind_text) && (strstr(problems, disk_text) != NULL) == (disk != NULL) &&
           !strstr(problems, "}, {");
}

/* Not before it runs, when it is paused, too. */
static void
wait_paused(Guest *g, const char *reason)
{
    Mirror *m = g->service->mirror;

    wait_for(g->service->world, mirror_is(m, g->path, "State", "paused") &&
                                    mirror_is(m, g->path, "StateReason", reason));
}

static void
test_disk_full(void)
{
    run(NULL, "mkdir -p /run/vms/full && mount -t tmpfs -o size=1m tmpfs /run/vms/full\n"
              "boot-disk fill /run/vms/full/boot.img");
    g_autoptr(Guest) g = guest_begin(
        "define", "--disk /run/vms/full/boot.img", "boot",
        "s/vda. bus=.virtio/hda'\\'' bus='\\''ide/;s/type=.raw./& error_policy='\\''stop'\\''/");

    guest_start(g->service->world, "web");
    wait_paused(g, "io-error");
    wait_for(g->service->world, has_problem(g, "no-space", "hda"));
    g_autoptr(Call) resume = guest_operate(g, "Resume");
    /* It writes again at once: what the answer says is so when it comes. */
    assert_domain(g, "State", resume->error_name ? "paused" : "running");
    if (resume->error_name)
        assert_error_says(resume, FAILED, "paused (io-error)");
    wait_paused(g, "io-error");
    wait_for(g->service->world, has_problem(g, "no-space", "hda"));
    guest_restart_service(g);
    wait_for(g->service->world, has_problem(g, "no-space", "hda"));

    /* With space it goes on, and there is no problem any more. */
    run(g->service->world, "mount -o remount,size=100m /run/vms/full");
    g_autoptr(Call) start = guest_operate(g, "Start");
    assert_ok(start);
    assert_domain(g, "State", "running");
    assert_domain(g, "Problems", "[]");
    g_autoptr(Call) off = guest_operate(g, "ForceStop");
    assert_ok(off);
}

/* The other end of its disk goes away. */
static void
test_disk_error(void)
{
    run(NULL, "boot-disk fill /run/vms/boot.img\n"
              "setsid qemu-nbd -t -f raw -x disk -k /run/vms/nbd --pid-file=/run/vms/nbd.pid "
              "/run/vms/boot.img </dev/null >/dev/null 2>&1 &\n"
              "until [[ -S /run/vms/nbd ]]; do sleep 0.05; done");
    g_autoptr(Guest) g = guest_begin(
        "define", "--disk /run/vms/boot.img", "boot",
        "s/vda. bus=.virtio/hda'\\'' bus='\\''ide/;s/type=.raw./& error_policy='\\''stop'\\''/;"
        "s/disk type=.file./disk type='\\''network'\\''/;"
        "s:<source file=.*:<source protocol='\\''nbd'\\'' name='\\''disk'\\''>"
        "<host transport='\\''unix'\\'' socket='\\''/run/vms/nbd'\\''/></source>:");

    guest_start(g->service->world, "web");
    guest_wait_state(g, "running");
    run(g->service->world, "kill -KILL $(</run/vms/nbd.pid)");
    wait_paused(g, "io-error");
    wait_for(g->service->world, has_problem(g, "io-error", "hda"));

    /* It is still there after the same again, and gone with the run. */
    g_autoptr(Call) resume = guest_operate(g, "Resume");
    call_wait(resume);
    wait_paused(g, "io-error");
    wait_for(g->service->world, has_problem(g, "io-error", "hda"));
    g_autoptr(Call) off = guest_operate(g, "ForceStop");
    assert_ok(off);
    assert_domain(g, "Problems", "[]");
}

/* --- the guest hangs, or gives up ------------------------------------------------------------- */

static Guest *
guest_with_watchdog(const char *action)
{
    g_autofree char *edit = g_strdup_printf(
        "s/vda. bus=.virtio/hda'\\'' bus='\\''ide/;"
        "s:</devices>:<watchdog model='\\''ib700'\\'' action='\\''%s'\\''/></devices>:",
        action);

    run(NULL, "boot-disk hang /run/vms/boot.img");
    return guest_begin("create", "--disk /run/vms/boot.img", "boot", edit);
}

static void
test_watchdog(void)
{
    g_autoptr(Guest) g = guest_with_watchdog("none");

    wait_for(g->service->world, has_problem(g, "watchdog", NULL));
    assert_domain(g, "State", "running");
    g_autoptr(Call) pause = guest_operate(g, "Pause");
    assert_ok(pause);
    g_assert_true(has_problem(g, "watchdog", NULL));
    g_autoptr(Call) resume = guest_operate(g, "Resume");
    assert_ok(resume);
    assert_domain(g, "Problems", "[]");
}

/* The state says it: a row would say it twice. */
static void
test_watchdog_pauses(void)
{
    g_autoptr(Guest) g = guest_with_watchdog("pause");

    wait_paused(g, "watchdog");
    assert_domain(g, "Problems", "[]");
}

static void
test_panic(void)
{
    run(NULL, "boot-disk panic /run/vms/boot.img");
    g_autoptr(Guest) g = guest_begin("define", "--panic --disk /run/vms/boot.img", "boot",
                                     "s/vda. bus=.virtio/hda'\\'' bus='\\''ide/");

    guest_start(g->service->world, "web");
    guest_wait_state(g, "crashed");
    assert_domain(g, "StateReason", "panicked");
    wait_for(g->service->world, has_problem(g, "panicked", NULL));
    guest_restart_service(g);
    wait_for(g->service->world, has_problem(g, "panicked", NULL));
    g_autoptr(Call) off = guest_operate(g, "ForceStop");
    assert_ok(off);
    assert_domain(g, "Problems", "[]");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    libvirtd_need();
#define TEST(name, function) libvirtd_add_func("/libvirtd/problems/" name, function)
    TEST("disk-full", test_disk_full);
    TEST("disk-error", test_disk_error);
    TEST("watchdog", test_watchdog);
    TEST("watchdog-pauses", test_watchdog_pauses);
    TEST("panic", test_panic);
#undef TEST
    return g_test_run();
}
