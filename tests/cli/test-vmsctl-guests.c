/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* vmsctl with a real libvirtd and a real guest. Needs tests/support/libvirtd-env. */

#include "libvirtd.h"
#include "run.h"

#include <signal.h>
#include <string.h>

#define MAC      "52:54:00:aa:bb:cc"
#define PASSWORD "sesam-42"

static Service *
service_with_guest(const char *options, const char *mode)
{
    libvirtd_clean();
    Service *s = service_new("--uri=qemu:///system", "--stop-timeout=20", NULL);

    guest_define(s->world, options, "web", mode);
    guest_start(s->world, "web");
    g_autofree char *path = guest_path(s->world, "web");
    wait_for(s->world, mirror_is(s->mirror, path, "State", "running"));
    return s;
}

static void
assert_state(Service *s, const char *state)
{
    g_autofree char *path = guest_path(s->world, "web");

    wait_for(s->world, mirror_is(s->mirror, path, "State", state));
}

/* A guest that takes its time is waited for, visibly on a terminal. */
static void
test_stop(void)
{
    g_autoptr(Service) s = service_with_guest("--delay 2", "obey");
    World *w = s->world;

    guest_wait(w, "web", "VMS-GUEST-READY");
    g_autoptr(Terminal) stop = terminal_vmsctl(w, "stop", "web", NULL);
    terminal_expect(stop, "<=>");
    terminal_expect(stop, "Stop web\r\n");
    g_assert_cmpint(terminal_wait(stop), ==, OK);
    assert_state(s, "shutoff");

    assert_prints(w, "", "start", "web");
    assert_state(s, "running");
    assert_prints(w, "", "pause", "web");
    assert_state(s, "paused");
    assert_prints(w, "", "resume", "web");
    assert_vmsctl(w, TIMEOUT, "stop", "--no-force", "--timeout=500ms", "web");
    assert_prints(w, "", "stop", "--timeout=100ms", "web");
    assert_state(s, "shutoff");
}

/* The Stop has not cut the power, although the reason of the state says that it was cut. */
static void
assert_stops_uncut(Terminal *stop, Service *s)
{
    g_assert_cmpint(terminal_wait(stop), ==, OK);
    assert_state(s, "shutoff");
    g_autofree char *path = guest_path(s->world, "web");
    g_assert_true(mirror_is(s->mirror, path, "StateReason", "destroyed"));
    g_assert_null(strstr(terminal_output(stop), "power was cut"));
}

static void
test_stop_cut_by_others(void)
{
    g_autoptr(Service) s = service_with_guest("", "ignore");

    guest_wait(s->world, "web", "VMS-GUEST-READY");
    g_autoptr(Terminal) stop = terminal_vmsctl(s->world, "stop", "--timeout=600s", "web", NULL);
    terminal_expect(stop, "Stop web\r\n");
    run(s->world, "virsh -q destroy web");
    assert_stops_uncut(stop, s);
}

/* It obeyed, and was ended because it restarts. */
static void
test_stop_restarting(void)
{
    libvirtd_clean();
    g_autoptr(Service) s = service_new("--uri=qemu:///system", "--stop-timeout=60", NULL);

    run(s->world, "virsh -q define <(domain-xml web obey | "
                  "sed 's/<on_poweroff>destroy/<on_poweroff>restart/')");
    guest_start(s->world, "web");
    guest_wait(s->world, "web", "VMS-GUEST-READY");
    assert_state(s, "running");
    g_autoptr(Terminal) stop = terminal_vmsctl(s->world, "stop", "web", NULL);
    assert_stops_uncut(stop, s);
}

/* libvirtd restarts while the command runs. */
static void
test_restart(void)
{
    g_autoptr(Service) s = service_with_guest("", "bare");
    World *w = s->world;
    g_autoptr(Process) monitor = spawn_vmsctl(w, "monitor", NULL);

    wait_printed(w, monitor, "  VMs are available (qemu:///system)\n");
    wait_printed(w, monitor, "  web: running (booted)\n");
    libvirtd(w, "stop");
    wait_printed(w, monitor, "  VMs are not available: ");
    g_autoptr(Run) service = run_vmsctl(w, "service", NULL);
    run_assert(service, NOT_AVAILABLE, __FILE__, __LINE__);
    g_assert_nonnull(strstr(service->out, "        Next: "));
    /* The last known state can still be listed. */
    assert_prints(w, "web\n", "list", "--cached", "--names", "--state=running");
    g_autoptr(Run) list = run_vmsctl(w, "list", "--names", NULL);
    run_assert(list, NOT_AVAILABLE, __FILE__, __LINE__);
    g_assert_cmpstr(list->out, ==, "web\n");
    g_assert_true(g_str_has_prefix(list->err, "vmsctl: VMs are not available: "));

    libvirtd(w, "start");
    assert_prints(w, "web\n", "list", "--names", "--state=running");
    assert_prints(w, "", "force-stop", "web");
    wait_printed(w, monitor, "→ shutoff (destroyed)\n");
    g_autofree char *out = process_stdout(monitor);
    g_autofree char *state = g_strdup("  web: running (");
    /* The state was printed once, and nothing that did not change. */
    g_assert_null(strstr(strstr(out, state) + 1, state));
    process_signal(monitor, SIGINT);
    g_assert_cmpint(process_wait(monitor, BOUND_MS), ==, OK);
}

/* A login through a raw terminal, which is as it was when ^] is typed. */
static void
test_console(void)
{
    g_autoptr(Service) s = service_with_guest("", "obey");
    World *w = s->world;

    guest_wait(w, "web", "VMS-GUEST-READY");
    g_autoptr(Terminal) console = terminal_vmsctl(w, "console", "web", NULL);
    terminal_expect(console, "Connected to web; ^] leaves.");
    terminal_type(console, "\r");
    terminal_expect(console, "login: ");
    g_assert_false(terminal_is_cooked(console));
    terminal_type(console, "root\r");
    terminal_expect(console, "# ");
    /* The expected answer is no part of the command, which the terminal echoes. */
    terminal_type(console, "echo vms-$((41 + 1))\r");
    terminal_expect(console, "vms-42");
    /* ^C is for the guest. */
    terminal_type(console, "sleep 1000; echo slept\r");
    terminal_type(console, "\003");
    terminal_expect(console, "# ");

    /* Another client has the console open. */
    assert_vmsctl(w, BUSY, "console", "web");
    terminal_type(console, "\035");
    g_assert_cmpint(terminal_wait(console), ==, OK);
    g_assert_true(terminal_is_cooked(console));

    /* In a pipe, until it is told to end, or the guest ends. */
    g_autoptr(Process) told = spawn_vmsctl(w, "console", "web", NULL);
    wait_status(w, told, "SigIgn:\t0000000000001000");
    process_signal(told, SIGTERM);
    g_assert_cmpint(process_wait(told, BOUND_MS), ==, INTERRUPTED);
    g_autoptr(Process) piped = spawn_vmsctl(w, "console", "web", NULL);
    wait_status(w, piped, "SigIgn:\t0000000000001000"); /* SIGPIPE, once it is connected */
    assert_prints(w, "", "force-stop", "web");
    g_assert_cmpint(process_wait(piped, BOUND_MS), ==, OK);
    assert_vmsctl(w, INVALID_STATE, "console", "web");
    assert_vmsctl(w, NO_SUCH_VM, "console", "nobody");
}

static void
test_screen_and_keys(void)
{
    g_autoptr(Service) s = service_with_guest("--graphics", "bare");
    World *w = s->world;
    g_autofree char *png = g_build_filename(world_directory(w), "screen.png", NULL);
    g_autofree char *contents = NULL;
    gsize size;

    assert_prints(w, "", "screenshot", "web", png);
    g_assert_true(g_file_get_contents(png, &contents, &size, NULL));
    g_assert_cmpuint(size, >, 100);
    g_assert_cmpmem(contents, 8, "\x89PNG\r\n\x1a\n", 8);
    /* A FIFO is written to, and stays one. */
    run(w, "mkfifo /run/vms/pipe; cat /run/vms/pipe >/run/vms/piped </dev/null 2>/dev/null &");
    assert_prints(w, "", "screenshot", "web", "/run/vms/pipe");
    run(w, "[[ -p /run/vms/pipe ]] && until [[ -s /run/vms/piped ]]; do sleep 0.02; done");
    assert_vmsctl(w, INVALID_STATE, "screenshot", "--screen=7", "web", png);
    assert_vmsctl(w, FAILED, "screenshot", "web", "/nonexistent/screen.png");

    assert_prints(w, "", "send-key", "web", "ctrl-alt-delete", "a", "shift+b", "#28");
    assert_vmsctl(w, USAGE, "send-key", "web", "a", "nonsense");
    assert_vmsctl(w, USAGE, "send-key", "--codeset=nonsense", "web", "a");
}

/* Hardware that comes and goes while it runs, and what its agent says. */
static void
test_hardware(void)
{
    g_autoptr(Service) s = service_with_guest("--nic --memory 192", "agent");
    World *w = s->world;
    g_autofree char *image = g_build_filename(world_directory(w), "disk.img", NULL);
    g_autofree char *xml = g_build_filename(world_directory(w), "disk.xml", NULL);
    g_autofree char *text = g_strdup_printf(
        "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='%s'/>"
        "<target dev='vdb' bus='virtio'/></disk>",
        image);
    g_autofree char *line = g_strdup_printf("        Disks: vdb (virtio) %s", image);

    guest_wait(w, "web", "VMS-GUEST-READY");
    run(w, "truncate -s 1M %s", image);
    g_assert_true(g_file_set_contents(xml, text, -1, NULL));
    assert_prints(w, "", "attach", "web", xml);
    g_autoptr(Run) attached = run_vmsctl(w, "status", "web", NULL);
    g_assert_nonnull(strstr(attached->out, line));
    assert_prints(w, "", "detach", "--live", "--config", "web", xml);
    g_autoptr(Run) detached = run_vmsctl(w, "status", "web", NULL);
    g_assert_null(strstr(detached->out, "Disks"));

    assert_prints(w, "", "set-memory", "--live", "web", "160");
    /* The guest is up before its agent is. */
    g_autofree char *path = guest_path(w, "web");
    wait_for(w, g_strcmp0(mirror_get(s->mirror, path, VMS_GUEST_INTERFACE, "AgentConnected"),
                          "true") == 0);
    g_autoptr(Run) addresses =
        run_vmsctl(w, "--no-legend", "addresses", "--source=agent", "web", NULL);
    run_assert(addresses, OK, __FILE__, __LINE__);
    g_assert_nonnull(strstr(addresses->out, "127.0.0.1/8\n"));

    assert_prints(w, "", "save", "web");
    assert_state(s, "shutoff");
    assert_prints(w, "", "start", "web");
    assert_state(s, "running");
    assert_prints(w, "", "force-stop", "web");
}

/* A guest with a drive, an interface and a screen. */
static Service *
service_with_devices(void)
{
    libvirtd_clean();
    Service *s = service_new("--uri=qemu:///system", NULL);

    run(s->world, "qemu-img create -q -f qcow2 /run/vms/web.qcow2 8M\n"
                  "domain-xml --nic --disk /run/vms/web.qcow2 --graphics web bare |\n"
                  "    sed -e \"s#<interface type='user'>#&<mac address='" MAC "'/>#\" \\\n"
                  "        -e \"s# model='none'/>#/><disk type='file' device='cdrom'>"
                  "<target dev='hdc' bus='ide'/></disk>#\" >/run/vms/web.xml\n"
                  "virsh -q define /run/vms/web.xml");
    guest_start(s->world, "web");
    assert_state(s, "running");
    return s;
}

/* Until the disk has this size, as the service publishes it. */
static void
wait_size(World *w, const char *size)
{
    g_autofree char *pattern = g_strdup_printf("vda +disk +virtio +%s ", size);

    for (bool has_size = false; !has_size;) {
        g_autoptr(Run) list = run_vmsctl(w, "disk", "web", NULL);

        run_assert(list, OK, __FILE__, __LINE__);
        has_size = g_regex_match_simple(pattern, list->out, 0, 0);
    }
}

/* A medium is changed, an overlay made and merged back, a disk grown, libvirtd restarted between.
 */
static void
test_disk(void)
{
    g_autoptr(Service) s = service_with_devices();
    World *w = s->world;

    assert_prints(w, "", "disk", "web", "media", "hdc", "/run/vms/web.xml");
    run(w, "virsh domblklist web | grep hdc.*web.xml");
    assert_prints(w, "", "disk", "web", "eject", "hdc");
    run(w, "virsh domblklist web | grep hdc.*-");
    assert_vmsctl(w, FAILED, "disk", "web", "eject", "vda");

    assert_prints(w, "", "snapshot", "web", "create", "one", "--disk-only", "--disks=vda");
    g_autoptr(Run) snapshots = run_vmsctl(w, "snapshot", "web", NULL);
    g_assert_nonnull(strstr(snapshots->out, "external"));
    run(w, "virsh domblklist web | grep vda.*/run/vms/web.one");
    libvirtd(w, "restart");
    g_autoptr(Process) monitor = spawn_vmsctl(w, "monitor", NULL);
    wait_printed(w, monitor, "  web: running");
    assert_prints(w, "", "disk", "web", "commit", "vda");
    wait_printed(w, monitor, "  web: Commit of vda started\n");
    wait_printed(w, monitor, "  web: Commit done\n");
    process_signal(monitor, SIGINT);
    g_assert_cmpint(process_wait(monitor, BOUND_MS), ==, OK);
    run(w, "virsh domblklist web | grep vda.*/run/vms/web.qcow2");
    wait_size(w, "8M");
    assert_prints(w, "", "disk", "web", "resize", "vda", "+8M");
    wait_size(w, "16M");
    run(w, "virsh domblkinfo web vda | grep Capacity.*16777216");
    assert_vmsctl(w, USAGE, "disk", "web", "resize", "vda", "4M");
    assert_prints(w, "", "disk", "web", "copy", "vda", "/run/vms/copy.qcow2", "--format=qcow2");
    run(w, "qemu-img info -U /run/vms/copy.qcow2 | grep 16777216");
}

/*
 * The same with a guest that sees it. It copies the first line of each medium to its disk: that of
 * the second medium goes to the overlay.
 */
static void
test_disk_seen(void)
{
    libvirtd_clean();
    g_autoptr(Service) s = service_new("--uri=qemu:///system", NULL);
    World *w = s->world;

    run(w, "truncate -s 8M /run/vms/web.img\n"
           "for medium in one two; do\n"
           "    truncate -s 2M /run/vms/$medium.iso\n"
           "    echo $medium | dd of=/run/vms/$medium.iso conv=notrunc status=none\n"
           "done");
    guest_define(w, "--disk /run/vms/web.img --cdrom", "web", "disks");
    assert_prints(w, "", "start", "web");
    guest_wait(w, "web", "VMS-GUEST-DISK 8388608");
    assert_prints(w, "", "disk", "web", "media", "hdc", "/run/vms/one.iso");
    guest_wait(w, "web", "VMS-GUEST-CD one");
    assert_prints(w, "", "snapshot", "web", "create", "before", "--disk-only", "--disks=vda");
    assert_prints(w, "", "disk", "web", "media", "hdc", "/run/vms/two.iso");
    guest_wait(w, "web", "VMS-GUEST-CD two");
    run(w, "[[ $(head -n 1 /run/vms/web.img) == one ]]");

    libvirtd(w, "restart");
    assert_prints(w, "", "disk", "web", "commit", "vda");
    run(w, "[[ $(head -n 1 /run/vms/web.img) == two ]]");
    assert_prints(w, "", "disk", "web", "eject", "hdc");
    guest_wait(w, "web", "VMS-GUEST-CD empty after two");
    run(w, "[[ $(head -n 1 /run/vms/web.img) == empty ]]");
    wait_size(w, "8M");
    assert_prints(w, "", "disk", "web", "resize", "vda", "+8M");
    guest_wait(w, "web", "VMS-GUEST-DISK 16777216");
    assert_prints(w, "", "stop", "web");
    assert_state(s, "shutoff");
}

static void
test_devices(void)
{
    g_autoptr(Service) s = service_with_devices();
    World *w = s->world;

    g_autoptr(Run) list = run_vmsctl(w, "device", "web", NULL);
    g_assert_true(g_regex_match_simple("nic +" MAC " +virtio +user +up\n", list->out, 0, 0));
    assert_prints(w, "", "device", "web", "link", MAC, "down");
    run(w, "virsh domif-getlink web " MAC " | grep down");
    assert_prints(w, "", "device", "web", "attach", "--config", "1:4");
    assert_prints(w, "", "device", "web", "attach", "--config", "1:5");
    assert_prints(w, "", "device", "web", "detach", "1:4");
    run(w, "[[ $(virsh dumpxml --inactive web | grep -c \"<hostdev\") == 1 ]]");
    /* The guest would have to let go of it. */
    assert_prints(w, "", "device", "web", "detach", "--config", MAC);
    run(w, "! virsh dumpxml --inactive web | grep " MAC);
    assert_vmsctl(w, FAILED, "device", "web", "detach", "--config", MAC);
}

/* The password is typed, and is in no argument, log or message. */
static void
test_password(void)
{
    g_autoptr(Service) s = service_with_devices();
    World *w = s->world;

    g_autoptr(Terminal) t = terminal_vmsctl(w, "set", "web", "password", NULL);
    terminal_expect(t, "New password for the screen of web: ");
    terminal_type(t, PASSWORD "\n");
    terminal_expect(t, "Again: ");
    /* "[-]": the command does not find itself. */
    run(w, "! grep -l 'sesam[-]42' /proc/[0-9]*/cmdline");
    terminal_type(t, PASSWORD "\n");
    g_assert_cmpint(terminal_wait(t), ==, OK);
    g_assert_null(strstr(terminal_output(t), PASSWORD));
    run(w, "virsh dumpxml --inactive --security-info web | grep passwd=.sesam-42");
    g_autofree char *log = process_stderr(world_service(w));
    g_assert_nonnull(strstr(log, "SetPassword of \"web\" is done"));
    g_assert_null(strstr(log, PASSWORD));
}

/* To another host: how far it has come, given up, and then all the way. */
static void
test_migrate(void)
{
    g_autoptr(Service) s = service_with_guest("", "obey");
    World *w = s->world;
    const char *uri = "qemu+tcp://192.0.2.2/system";

    run(w, "libvirtd-peer start");
    guest_wait(w, "web", "VMS-GUEST-READY");
    assert_vmsctl(w, USAGE, "migrate", "web", "qemu+ext:///system?command=/bin/true");
    g_autoptr(Terminal) move =
        terminal_vmsctl(w, "migrate", "--live", "--bandwidth=1", "web", uri, NULL);
    terminal_expect(move, "%");
    terminal_expect(move, "Migrate web\r\n");
    assert_vmsctl(w, BUSY, "pause", "web");
    assert_prints(w, "", "cancel", "web");
    g_assert_cmpint(terminal_wait(move), ==, CANCELED);
    assert_state(s, "running");
    run(w, "[[ -z $(virsh -c %s list --all --name) ]]", uri);

    assert_prints(w, "", "migrate", "--live", "--persist-destination", "web", uri);
    assert_state(s, "shutoff");
    run(w, "[[ $(virsh -c %s list --name --persistent) == web ]]", uri);
    run(w, "libvirtd-peer stop");
}

#define TPM_UUID "c0de0034-0000-4000-8000-000000000034"
#define MACHINE(name, more, os, devices)                                                           \
    "<domain type='qemu'><name>" name "</name>" more "<memory unit='MiB'>32</memory>"              \
    "<os><type arch='x86_64' machine='q35'>hvm</type>" os "</os><features><acpi/></features>"      \
    "<devices>" devices "</devices></domain>"
#define CHECKPOINTS                                                                                \
    MACHINE("checkpoints", "", "",                                                                 \
            "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>"                   \
            "<source file='/run/vms/c.qcow2'/><target dev='vda' bus='virtio'/></disk>")
#define NVRAM                                                                                      \
    MACHINE("nvram", "",                                                                           \
            "<loader readonly='yes' type='pflash'>/run/vms/code.fd</loader>"                       \
            "<nvram template='/run/vms/vars.fd'>/run/vms/nvram.fd</nvram>",                        \
            "")
#define TPM                                                                                        \
    MACHINE("tpm", "<uuid>" TPM_UUID "</uuid>", "",                                                \
            "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>")

/* Files of a VM are removed with it, or kept, as the options say; without them libvirt
 * refuses where it cannot know. */
static void
test_undefine(void)
{
    libvirtd_clean();
    g_autoptr(Service) s = service_new("--uri=qemu:///system", NULL);
    World *w = s->world;

    run(w, "cd /run/vms; qemu-img create -q -f qcow2 c.qcow2 8M; truncate -s 4M code.fd\n"
           "virsh -q define <(echo \"" CHECKPOINTS "\"); virsh -q start checkpoints\n"
           "virsh -q checkpoint-create-as checkpoints one; virsh -q destroy checkpoints");
    assert_vmsctl(w, INVALID_STATE, "undefine", "checkpoints");
    assert_prints(w, "", "undefine", "--checkpoints-metadata", "checkpoints");
    assert_vmsctl(w, NO_SUCH_VM, "undefine", "checkpoints");

    run(w, "touch /run/vms/vars.fd /run/vms/nvram.fd; virsh -q define <(echo \"" NVRAM "\")");
    assert_vmsctl(w, INVALID_STATE, "undefine", "nvram");
    assert_prints(w, "", "undefine", "--keep-nvram", "nvram");
    run(w, "ls /run/vms/nvram.fd; virsh -q define <(echo \"" NVRAM "\")");
    assert_prints(w, "", "undefine", "--nvram", "nvram");
    run(w, "[[ ! -e /run/vms/nvram.fd ]]");

    /* libvirt defines none where there is no emulator, but knows the one of a file of its own. */
    for (unsigned keep = 0; keep < 2; keep++) {
        run(w, "state=/var/lib/libvirt/swtpm/" TPM_UUID "; mkdir -p $state/tpm2\n"
               "echo \"" TPM "\" >/etc/libvirt/qemu/tpm.xml; libvirtd-ctl restart");
        client_wait_available(s->client, true);
        assert_prints(w, "", "undefine", keep ? "--keep-tpm" : "--tpm", "tpm");
        run(w, "[[ %s -e /var/lib/libvirt/swtpm/" TPM_UUID " ]]", keep ? "" : "!");
    }
}

static void
test_top(void)
{
    g_autoptr(Service) s = service_with_guest("", "bare");
    World *w = s->world;
    g_autoptr(Terminal) screen = terminal_vmsctl(w, "top", "--interval=1", NULL);
    g_autoptr(Run) top = run_vmsctl(w, "top", "-n1", "--interval=1", "--no-legend", NULL);
    g_autoptr(Run) metrics = run_vmsctl(w, "metrics", NULL);

    /* The first table has rates, of what the guest has. */
    run_assert(top, OK, __FILE__, __LINE__);
    g_assert_true(g_regex_match_simple("^web  running +[0-9.]+  [█░]{10} +1 +-/16M +- +- +- +-\n$",
                                       top->out, 0, 0));
    run_assert(metrics, OK, __FILE__, __LINE__);
    g_assert_true(g_regex_match_simple(
        "^unraid_vms_domain_cpu_seconds_total{vm=\"web\",uuid=\"[0-9a-f-]+\"} [0-9.]+$",
        metrics->out, G_REGEX_MULTILINE, 0));

    terminal_expect(screen, "Every 1 s, by cpu\r\n");
    libvirtd(w, "stop");
    terminal_expect(screen, "VMs are not available");
    libvirtd(w, "start");
    terminal_expect(screen, "Every 1 s, by cpu\r\n");
    terminal_type(screen, "\003");
    g_assert_cmpint(terminal_wait(screen), ==, OK);
}

int
main(int argc, char **argv)
{
    libvirtd_need();
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vmsctl-guests/stop", test_stop);
    g_test_add_func("/vmsctl-guests/stop-cut-by-others", test_stop_cut_by_others);
    g_test_add_func("/vmsctl-guests/stop-restarting", test_stop_restarting);
    g_test_add_func("/vmsctl-guests/restart", test_restart);
    g_test_add_func("/vmsctl-guests/console", test_console);
    g_test_add_func("/vmsctl-guests/screen-and-keys", test_screen_and_keys);
    g_test_add_func("/vmsctl-guests/hardware", test_hardware);
    g_test_add_func("/vmsctl-guests/disk", test_disk);
    g_test_add_func("/vmsctl-guests/disk-seen", test_disk_seen);
    g_test_add_func("/vmsctl-guests/devices", test_devices);
    g_test_add_func("/vmsctl-guests/password", test_password);
    g_test_add_func("/vmsctl-guests/migrate", test_migrate);
    g_test_add_func("/vmsctl-guests/undefine", test_undefine);
    g_test_add_func("/vmsctl-guests/top", test_top);
    return g_test_run();
}
