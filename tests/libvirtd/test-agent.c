/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The agent in a real guest: what it answers, what it does, and that one that hangs holds up
 * nothing but its own call. */

#include "libvirtd-guest.h"

#include <string.h>

#define INVALID_STATE    VMS_ERROR_PREFIX "InvalidState"
#define OPERATION_FAILED VMS_ERROR_PREFIX "OperationFailed"
#define PASSWORD         "correct-horse-battery"

#define ASKED   "--guest-info=yes"
#define UNASKED "--guest-info=no"

static bool
is_connected(Guest *g, const char *value)
{
    return g_strcmp0(guest_get(g, VMS_GUEST_INTERFACE, "AgentConnected"), value) == 0;
}

/* `guest_info`: whether the service asks the agent by itself; else nobody does but the test. */
static Guest *
begin(const char *guest_info, const char *options, const char *mode)
{
    libvirtd_clean();
    Service *s = service_new("--uri=qemu:///system", guest_info, NULL);

    /* With the snapshot's image of a case before, libvirt would refuse to make it. */
    run(s->world, "rm -f /run/vms/disk.* && cp \"$VMS_GUEST_DIR/disk.img\" /run/vms/disk.img");
    guest_define(s->world, options, "web", mode);
    guest_start(s->world, "web");
    guest_wait(s->world, "web", "VMS-GUEST-READY");
    Guest *g = guest_new(s, guest_path(s->world, "web"));
    guest_wait_state(g, "running");
    return g;
}

static Guest *
guest_with_agent(const char *guest_info)
{
    Guest *g = begin(guest_info, "--memory 192 --disk /run/vms/disk.img --nic", "agent");

    wait_for(g->service->world, is_connected(g, "true"));
    return g;
}

#define guest_call(g, member, ...)                                                                 \
    client_call((g)->service->client, (g)->path, VMS_GUEST_INTERFACE, member, __VA_ARGS__)
#define guest_send(g, member, ...)                                                                 \
    client_send((g)->service->client, (g)->path, VMS_GUEST_INTERFACE, member, __VA_ARGS__)

static void
assert_body(Call *call, const char *words)
{
    assert_ok(call);
    if (!strstr(call->body, words))
        g_error("%s: %s lacks %s", call->what, call->body, words);
}

static void
test_answers(void)
{
    g_autoptr(Guest) g = guest_with_agent(UNASKED);

    g_autoptr(Call) addresses = guest_call(g, "GetAddresses", "s", "agent");
    assert_body(addresses, "{\"address\": <\"10.0.2.15\">, \"interface\": <\"eth0\">, "
                           "\"mac\": <\"52:54:00:");
    assert_body(addresses, "\"prefix\": <24>, \"source\": <\"agent\">}");
    assert_body(addresses, "{\"address\": <\"127.0.0.1\">, ");
    g_autoptr(Call) hostname = guest_call(g, "GetHostname", NULL);
    assert_ok(hostname);
    g_assert_cmpstr(hostname->body, ==, "vms-guest");
    g_autoptr(Call) filesystems = guest_call(g, "GetFilesystems", NULL);
    assert_body(filesystems, "{\"device\": <\"/dev/vda\">, \"mountpoint\": <\"/mnt\">, "
                             "\"total\": <");
    assert_body(filesystems, ">, \"type\": <\"ext4\">, \"used\": <");
    /* By itself the service has asked for nothing. */
    g_assert_cmpstr(guest_get(g, VMS_GUEST_INTERFACE, "Hostname"), ==, "");
    g_assert_cmpstr(guest_get(g, VMS_GUEST_INTERFACE, "OsInfo"), ==, "{}");
}

static bool
mirror_says(Guest *g, const char *property, const char *words)
{
    const char *value = mirror_get(g->service->mirror, g->path, VMS_GUEST_INTERFACE, property);

    return value && strstr(value, words);
}

/* A shell command in the guest, which says the word on its console once it is done. */
static void
guest_run(Guest *g, const char *command, const char *word)
{
    run(g->service->world,
        "virsh -q qemu-agent-command web '{\"execute\": \"guest-exec\", \"arguments\": {\n"
        "    \"path\": \"/bin/sh\",\n"
        "    \"arg\": [\"-c\", \"%s && echo %s >/dev/console\"]\n"
        "}}' >/dev/null\n"
        "libvirtd-ctl wait-console web %s",
        command, word, word);
}

/* The properties follow without a call, and are empty again when the guest is off. */
static void
test_properties(void)
{
    g_autoptr(Guest) g = guest_with_agent(ASKED);

    wait_for(g->service->world, mirror_says(g, "Hostname", "vms-guest"));
    wait_for(g->service->world, mirror_says(g, "Addresses", "10.0.2.15"));
    g_assert_true(mirror_says(g, "Addresses", "\"source\": <\"agent\">"));
    /* The test guest has no file that tells more. */
    g_autofree char *kernel = shell(g->service->world, "virsh guestinfo web --os | "
                                                       "sed -n 's/^os.kernel-release *: //p'");
    g_autofree char *os = g_strdup_printf("{\"kernel\": \"%s\"}", kernel);
    wait_for(g->service->world, mirror_says(g, "OsInfo", os));
    /* No event tells of these: the agent is asked every minute, less often once it was slow. */
    guest_run(g, "ip addr add 10.0.2.99/24 dev eth0 && hostname renamed", "VMS-GUEST-MOVED");
    wait_for_ms(g->service->world, 300000, mirror_says(g, "Addresses", "10.0.2.99"));
    wait_for(g->service->world, mirror_says(g, "Hostname", "renamed"));
    g_assert_true(mirror_says(g, "Addresses", "10.0.2.15"));
    g_assert_true(mirror_says(g, "OsInfo", os));
    g_autoptr(Call) stop =
        client_call(g->service->client, g->path, VMS_DOMAIN_INTERFACE, "ForceStop", NULL);
    assert_ok(stop);
    g_assert_false(mirror_says(g, "Hostname", "renamed"));
    g_assert_true(mirror_says(g, "Addresses", "[]"));
}

/* An agent that may not tell the one, or the others, still tells the rest. */
static void
test_refusing(gconstpointer refused)
{
    bool tells_addresses = !strstr(refused, "interfaces");
    g_autoptr(Guest) g = guest_with_agent(ASKED);
    g_autofree char *command = g_strdup_printf(
        "mv /usr/sbin/qemu-ga /usr/sbin/ga && echo \\\"#!/bin/sh\\\" >/usr/sbin/qemu-ga && "
        "echo \\\"exec /usr/sbin/ga -b %s \\\\$*\\\" >>/usr/sbin/qemu-ga && "
        "chmod +x /usr/sbin/qemu-ga && { (sleep 1; kill -9 $(pidof qemu-ga); hostname refusing; "
        "ip addr add 10.0.2.98/24 dev eth0) & }",
        (const char *)refused);

    wait_for(g->service->world, mirror_says(g, "Addresses", "10.0.2.15"));
    guest_run(g, command, "VMS-GUEST-REFUSES");
    wait_for_ms(g->service->world, 300000,
                tells_addresses ? mirror_says(g, "Addresses", "10.0.2.98")
                                : mirror_says(g, "Hostname", "refusing"));
    g_assert_false(mirror_says(g, tells_addresses ? "Hostname" : "Addresses",
                               tells_addresses ? "refusing" : "10.0.2.98"));
}

/* The leases of libvirt's networks stand in for an agent that is not there. */
static void
test_lease(void)
{
    libvirtd_clean();
    Service *s = service_new("--uri=qemu:///system", ASKED, NULL);
    World *w = s->world;

    run(w, "virsh -q net-define <(echo '<network><name>lan</name><bridge name=\"vmsbr0\"/>"
           "<ip address=\"192.168.77.1\" netmask=\"255.255.255.0\"><dhcp>"
           "<range start=\"192.168.77.10\" end=\"192.168.77.10\"/></dhcp></ip></network>')\n"
           "virsh -q net-start lan\n"
           "cp \"$VMS_GUEST_DIR/disk.img\" /run/vms/disk.img\n"
           "virsh -q create <(domain-xml --memory 192 --disk /run/vms/disk.img --nic web agent | "
           "sed 's:interface type=.user.>:interface type=\"network\"><source network=\"lan\"/>:')");
    guest_wait(w, "web", "VMS-GUEST-READY");
    g_autoptr(Guest) g = guest_new(s, guest_path(w, "web"));
    wait_for(w, is_connected(g, "true"));
    guest_run(g,
              "udhcpc -i eth0 -n -q -t 20 -s /bin/true && rm /usr/sbin/qemu-ga && "
              "{ (sleep 1; kill -9 $(pidof qemu-ga)) & }",
              "VMS-GUEST-LEASE");
    wait_for(w, is_connected(g, "false"));
    wait_for_ms(w, 300000, mirror_says(g, "Addresses", "\"192.168.77.10\""));
    g_assert_true(mirror_says(g, "Addresses", "\"prefix\": <24>, \"source\": <\"lease\">"));
    g_assert_false(mirror_says(g, "Addresses", "\"agent\""));
    g_autoptr(Call) lease = guest_call(g, "GetAddresses", "s", "lease");
    assert_body(lease, "192.168.77.10");
    run(w, "virsh -q destroy web; virsh -q net-destroy lan; virsh -q net-undefine lan");
    wait_for(w, !mirror_has(s->mirror, g->path, VMS_DOMAIN_INTERFACE));
}

static char *
freeze_state(Guest *g)
{
    return shell(g->service->world, "virsh qemu-agent-command web "
                                    "'{\"execute\": \"guest-fsfreeze-status\"}'");
}

static void
test_freeze(void)
{
    g_autoptr(Guest) g = guest_with_agent(UNASKED);

    g_autoptr(Call) freeze = guest_call(g, "Freeze", "a{sv}", 0);
    assert_ok(freeze);
    g_autofree char *frozen = freeze_state(g);
    g_assert_nonnull(strstr(frozen, "\"frozen\""));
    g_autoptr(Call) thaw = guest_call(g, "Thaw", NULL);
    assert_ok(thaw);
    g_autofree char *thawed = freeze_state(g);
    g_assert_nonnull(strstr(thawed, "\"thawed\""));
    g_autoptr(Call) trim = guest_call(g, "Trim", "a{sv}", 0);
    assert_ok(trim);

    /* A snapshot does the same by itself. */
    g_autoptr(Call) create = snapshots_call(g->service, g->path, "Create", "sa{sv}", "q", 2,
                                            "disk_only", "b", true, "quiesce", "b", true);
    assert_job_ends(g->service, create, "CreateSnapshot done ");
    g_autofree char *after = freeze_state(g);
    g_assert_nonnull(strstr(after, "\"thawed\""));
    run(g->service->world, "virsh domblklist web | grep vda.*/run/vms/disk.q");

    /* An agent that holds the file systems does not shut down; the guest is asked by ACPI, too. */
    g_autoptr(Call) again = guest_call(g, "Freeze", "a{sv}", 0);
    assert_ok(again);
    g_autoptr(Call) stop = guest_operate(g, "Stop");
    assert_ok(stop);
    assert_domain(g, "StateReason", "shut-down");
}

/* Seconds since the epoch, as the guest's clock says. */
static gint64
guest_time(Guest *g)
{
    g_autofree char *text = shell(g->service->world, "virsh domtime web | sed -n 's/^Time: //p'");

    return g_ascii_strtoll(text, NULL, 10);
}

/* To the host's time, or to that of the guest's own hardware clock, which has it then. */
static void
test_time(void)
{
    g_autoptr(Guest) g = guest_with_agent(UNASKED);

    for (int sync = 0; sync < 2; sync++) {
        g_autofree char *word = g_strdup_printf("VMS-GUEST-LATE-%d", sync);

        guest_run(g, "date -s @978307200", word);
        g_assert_cmpint(guest_time(g), <, 978307200 + 1000);
        g_autoptr(Call) set = guest_call(g, "SetTime", "a{sv}", 1, "sync", "b", sync);
        assert_ok(set);
        g_assert_cmpint(ABS(guest_time(g) - g_get_real_time() / G_USEC_PER_SEC), <, 60);
    }
}

/* Whether the log has these words; it must not have the password. */
static bool
says_untold(Guest *g, const char *words)
{
    g_autofree char *log = process_stderr(world_service(g->service->world));

    g_assert_null(strstr(log, PASSWORD));
    return strstr(log, words) != NULL;
}

/* The password is set, and is in no log. */
static void
test_password(void)
{
    g_autoptr(Guest) g = guest_with_agent(UNASKED);

    g_autoptr(Call) set = guest_call(g, "SetUserPassword", "ssa{sv}", "root", PASSWORD, 0);
    assert_ok(set);
    /* The entry follows the reply. */
    wait_for(g->service->world, says_untold(g, "SetUserPassword of \"web\" is done"));
    g_autoptr(Call) nobody =
        guest_call(g, "SetUserPassword", "ssa{sv}", "nobody-there", PASSWORD, 0);
    call_wait(nobody);
    g_assert_true(!nobody->error_message || !strstr(nobody->error_message, PASSWORD));
    g_autoptr(Call) forbidden = guest_call(g, "SetUserPassword", "ssa{sv}", "a:b", PASSWORD, 0);
    assert_error_says(forbidden, OPERATION_FAILED, "forbidden");
    g_assert_null(strstr(forbidden->error_message, PASSWORD));
    g_assert_true(says_untold(g, "SetUserPassword of \"web\" failed: "));
}

static void
test_without(void)
{
    g_autoptr(Guest) g = begin(UNASKED, "", "obey");
    static const struct {
        const char *name, *types;
    } methods[] = {{"GetHostname", NULL}, {"GetFilesystems", NULL}, {"Freeze", "a{sv}"},
                   {"Thaw", NULL},        {"Trim", "a{sv}"},        {"SetTime", "a{sv}"}};

    g_assert_true(is_connected(g, "false"));
    for (guint i = 0; i < G_N_ELEMENTS(methods); i++) {
        g_autoptr(Call) call = guest_call(g, methods[i].name, methods[i].types, 0);
        assert_error_says(call, OPERATION_FAILED, "agent");
        g_assert_cmpint(call_duration_ms(call), <, 4000);
    }
    g_autoptr(Call) addresses = guest_call(g, "GetAddresses", "s", "agent");
    assert_error_says(addresses, OPERATION_FAILED, "agent");
    g_autoptr(Call) password = guest_call(g, "SetUserPassword", "ssa{sv}", "root", PASSWORD, 0);
    assert_error_says(password, OPERATION_FAILED, "agent");
    g_autoptr(Call) lease = guest_call(g, "GetAddresses", "s", "lease");
    assert_ok(lease);
    g_assert_cmpstr(lease->body, ==, "[]");
}

/* The property follows the agent's comings and goings. */
static void
test_connected(void)
{
    g_autoptr(Guest) g = guest_with_agent(UNASKED);

    g_autoptr(Call) stop = domain_call(g->service, g->path, "ForceStop", NULL);
    assert_ok(stop);
    wait_for(g->service->world, is_connected(g, "false"));
    g_autoptr(Call) off = guest_call(g, "GetHostname", NULL);
    assert_error_says(off, INVALID_STATE, "not running");
    guest_start(g->service->world, "web");
    guest_wait(g->service->world, "web", "VMS-GUEST-READY");
    wait_for(g->service->world, is_connected(g, "true"));
}

/* The agent has the channel open, and does not answer any more. */
static void
mute_agent(Guest *g)
{
    run(g->service->world,
        "virsh -q qemu-agent-command --timeout 5 web '{\"execute\": \"guest-exec\", \"arguments\": "
        "{\n"
        "    \"path\": \"/bin/sh\",\n"
        "    \"arg\": [\"-c\", \"kill -STOP $(pidof qemu-ga); echo VMS-GUEST-MUTE "
        ">/dev/console\"]\n"
        "}}' >/dev/null || true\n"
        "libvirtd-ctl wait-console web VMS-GUEST-MUTE");
}

static void
test_hangs(void)
{
    g_autoptr(Guest) g = guest_with_agent(UNASKED);

    mute_agent(g);
    g_autoptr(Call) hostname = guest_send(g, "GetHostname", NULL);
    g_autoptr(Call) freeze = guest_send(g, "Freeze", "a{sv}", 0);
    g_autoptr(Call) password = guest_send(g, "SetUserPassword", "ssa{sv}", "root", PASSWORD, 0);
    g_autoptr(Call) xml = domain_call(g->service, g->path, "GetXml", "a{sv}", 0);
    assert_ok(xml);
    /* Not as long as the agent may take. */
    g_assert_cmpint(call_duration_ms(xml), <, 4000);
    g_autoptr(Call) title = client_call(g->service->client, g->path, VMS_CONFIG_INTERFACE,
                                        "SetTitle", "s", "still here");
    assert_ok(title);
    g_assert_cmpint(call_duration_ms(title), <, 4000);
    assert_error(hostname, VMS_ERROR_PREFIX "Timeout");
    g_assert_cmpint(call_duration_ms(hostname), <, 10000);
    assert_error(freeze, VMS_ERROR_PREFIX "Timeout");
    assert_error(password, VMS_ERROR_PREFIX "Timeout");
    g_assert_cmpint(call_duration_ms(password), <, 20000);
    g_assert_true(says_untold(g, "SetUserPassword of \"web\" failed"));
    g_autoptr(Call) sleep =
        client_call(g->service->client, g->path, VMS_SAVED_INTERFACE, "Suspend", "s", "memory");
    assert_error(sleep, VMS_ERROR_PREFIX "Timeout");
    g_autoptr(Call) force = domain_call(g->service, g->path, "ForceStop", NULL);
    assert_ok(force);
    g_assert_cmpint(call_duration_ms(force), <, 10000);
}

/* libvirtd waits for the agent, and is killed. */
static void
test_killed(void)
{
    g_autoptr(Guest) g = guest_with_agent(UNASKED);
    World *w = g->service->world;

    mute_agent(g);
    g_autoptr(Call) create = snapshots_call(g->service, g->path, "Create", "sa{sv}", "q", 2,
                                            "disk_only", "b", true, "quiesce", "b", true);
    assert_ok(create);
    wait_for(w, client_call_lasts(g->service->client, "virDomainSnapshotCreateXML"));
    g_autoptr(Call) set = guest_send(g, "SetTime", "a{sv}", 0);
    wait_for(w, client_call_lasts(g->service->client, "virDomainSetTime"));
    libvirtd(w, "kill");
    libvirtd(w, "start");
    assert_error_says(set, OPERATION_FAILED, "it may have been carried out");
    g_autofree char *end = service_job_end(g->service, create);
    g_assert_true(g_str_has_prefix(end, "CreateSnapshot failed "));
    run(w, "[[ -z $(virsh snapshot-list --name web) ]]\n"
           "virsh domblklist web | grep vda.*/run/vms/disk.img");
    g_autoptr(Call) force = domain_call(g->service, g->path, "ForceStop", NULL);
    assert_ok(force);
}

/* --- sleep -------------------------------------------------------------------------------- */

#define suspend(g, target)                                                                         \
    client_call((g)->service->client, (g)->path, VMS_SAVED_INTERFACE, "Suspend", "s", target)

/* The guest says on its console when it has slept and woken up so often. */
static void
announce_wakeup(Guest *g, guint n)
{
    g_autofree char *command = g_strdup_printf(
        "{ (until [ $(cat /sys/power/suspend_stats/success) = %u ]; do usleep 50000; done; "
        "echo VMS-GUEST-AWAKE-%u >/dev/console) & }",
        n, n);
    g_autofree char *word = g_strdup_printf("VMS-GUEST-SLEEPY-%u", n);

    guest_run(g, command, word);
}

/* A guest that wakes up makes a new connection to its agent, after it counts as running. */
static void
wait_for_agent(Guest *g, guint n)
{
    run(g->service->world,
        "libvirtd-ctl wait-console web VMS-GUEST-AWAKE-%u\n"
        "until virsh -q qemu-agent-command web '{\"execute\": \"guest-ping\"}' 2>/dev/null\n"
        "do sleep 0.1; done",
        n);
    wait_for(g->service->world, is_connected(g, "true"));
}

/* The reply comes when the guest sleeps; it wakes up where it was. */
static void
test_suspend_to_memory(void)
{
    g_autoptr(Guest) g = guest_with_agent(UNASKED);
    Mirror *m = g->service->mirror;

    for (guint i = 0; i < 2; i++) {
        announce_wakeup(g, i + 1);
        g_autoptr(Call) sleep = suspend(g, "memory");
        assert_ok(sleep);
        g_assert_true(mirror_is(m, g->path, "State", "pmsuspended"));
        g_autoptr(Call) again = suspend(g, "memory");
        assert_error(again, INVALID_STATE);
        g_autoptr(Call) wake = domain_call(g->service, g->path, i ? "Resume" : "Start", NULL);
        assert_ok(wake);
        g_assert_true(mirror_is(m, g->path, "State", "running"));
        wait_for_agent(g, i + 1);
        g_autoptr(Call) hostname = guest_call(g, "GetHostname", NULL);
        assert_ok(hostname);
    }
}

/* Its memory is on its own disk then, and it is off: it sleeps for a moment before. */
static void
test_suspend_to_disk(void)
{
    run(NULL, "truncate -s 256M /run/vms/swap.img; /sbin/mkswap -q /run/vms/swap.img");
    g_autoptr(Guest) g = begin(UNASKED, "--memory 256 --disk /run/vms/swap.img", "agent");

    wait_for(g->service->world, is_connected(g, "true"));
    guest_run(g, "swapon /dev/vda", "VMS-GUEST-SWAP");
    g_autoptr(Call) sleep = suspend(g, "disk");
    call_wait(sleep);
    /* A slow machine writes longer than a call may take. */
    if (g_strcmp0(sleep->error_name, VMS_ERROR_PREFIX "StillRunning") == 0)
        guest_wait_state(g, "shutoff");
    else
        assert_ok(sleep);
    g_assert_true(mirror_is(g->service->mirror, g->path, "State", "shutoff"));
    run(g->service->world, "rm /run/vms/swap.img");
}

/*
 * The file that puts a guest to sleep is a plain file here, so the guest stays awake. `command`
 * runs in it once the agent has written the word of a target.
 */
static void
take_sleep_away(Guest *g, const char *written, const char *command)
{
    g_autofree char *script =
        g_strdup_printf("cp /sys/power/state /tmp/state && "
                        "mount -o bind /tmp/state /sys/power/state && "
                        "{ (until grep -q ^%s /tmp/state; do usleep 50000; done; "
                        "%s; echo VMS-GUEST-ASKED >/dev/console) & }",
                        written, command);

    guest_run(g, script, "VMS-GUEST-INSOMNIAC");
}

static Call *
begin_suspend(Guest *g, const char *target)
{
    Call *sleep =
        client_send(g->service->client, g->path, VMS_SAVED_INTERFACE, "Suspend", "s", target);

    guest_wait(g->service->world, "web", "VMS-GUEST-ASKED");
    return sleep;
}

/* The agent ends before the guest sleeps, which libvirt takes for success: it is waited for. */
static void
test_suspend_without_sleep(void)
{
    g_autoptr(Guest) g = guest_with_agent(UNASKED);
    Mirror *m = g->service->mirror;

    take_sleep_away(g, "mem", "kill -9 $(pidof qemu-ga)");
    g_autoptr(Call) sleep = begin_suspend(g, "memory");
    /* Changes come one after the other: libvirt has answered by then. */
    g_autoptr(Call) next =
        client_call(g->service->client, g->path, VMS_CONFIG_INTERFACE, "SetTitle", "s", "next");
    assert_ok(next);
    g_assert_false(sleep->done);
    g_assert_true(mirror_is(m, g->path, "State", "running"));
    g_autoptr(Call) force = domain_call(g->service, g->path, "ForceStop", NULL);
    assert_ok(force);
    assert_error_says(sleep, OPERATION_FAILED, "before it slept");
}

/* A guest that is killed on its way to the disk is off, and its memory is lost. */
static void
test_suspend_killed(gconstpointer command)
{
    g_autoptr(Guest) g = guest_with_agent(UNASKED);

    take_sleep_away(g, "disk", ":");
    g_autoptr(Call) sleep = begin_suspend(g, "disk");
    run(g->service->world, "%s", (const char *)command);
    call_wait(sleep);
    assert_error(sleep, OPERATION_FAILED);
    g_assert_true(mirror_is(g->service->mirror, g->path, "State", "shutoff"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    libvirtd_need();
    libvirtd_add_func("/libvirtd/agent/answers", test_answers);
    libvirtd_add_func("/libvirtd/agent/properties", test_properties);
    libvirtd_add_data_func("/libvirtd/agent/refusing/hostname",
                           "guest-get-host-name,guest-get-osinfo", test_refusing);
    libvirtd_add_data_func("/libvirtd/agent/refusing/addresses", "guest-network-get-interfaces",
                           test_refusing);
    libvirtd_add_func("/libvirtd/agent/lease", test_lease);
    libvirtd_add_func("/libvirtd/agent/freeze", test_freeze);
    libvirtd_add_func("/libvirtd/agent/time", test_time);
    libvirtd_add_func("/libvirtd/agent/password", test_password);
    libvirtd_add_func("/libvirtd/agent/without", test_without);
    libvirtd_add_func("/libvirtd/agent/connected", test_connected);
    libvirtd_add_func("/libvirtd/agent/hangs", test_hangs);
    libvirtd_add_func("/libvirtd/agent/killed", test_killed);
    libvirtd_add_func("/libvirtd/agent/suspend/memory", test_suspend_to_memory);
    libvirtd_add_func("/libvirtd/agent/suspend/disk", test_suspend_to_disk);
    libvirtd_add_func("/libvirtd/agent/suspend/without-sleep", test_suspend_without_sleep);
    libvirtd_add_data_func("/libvirtd/agent/suspend/killed",
                           "kill -9 $(</run/libvirt/qemu/web.pid)", test_suspend_killed);
    libvirtd_add_data_func("/libvirtd/agent/suspend/destroyed", "virsh destroy web",
                           test_suspend_killed);
    return g_test_run();
}
