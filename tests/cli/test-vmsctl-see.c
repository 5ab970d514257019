/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The commands that show: output to the byte, in text and in JSON. */

#include "fixture.h"
#include "libvirt-version.h"

#include <string.h>

static void
test_list(void)
{
    g_autoptr(Service) s = service_with_three();
    World *w = s->world;
    g_autoptr(Run) all = run_vmsctl(w, NULL, NULL);
    g_auto(GStrv) lines = g_strsplit(all->out, "\n", -1);

    run_assert(all, OK, __FILE__, __LINE__);
    g_assert_cmpuint(g_strv_length(lines), ==, 7);
    g_assert_true(g_str_has_prefix(lines[0], "NAME       STATE    JOB  AUTOSTART"));
    g_assert_true(g_str_has_prefix(lines[1], "off        shutoff  -    no"));
    g_assert_true(g_str_has_prefix(lines[2], "two words  paused   -    no"));
    g_assert_true(g_str_has_prefix(lines[3], "web        running  -    no"));
    g_assert_true(g_str_has_suffix(lines[3], "  The web server"));
    g_assert_cmpstr(lines[5], ==, "3 VMs listed.");
    g_assert_null(strchr(all->out, '\033'));

    assert_prints(w, "off\ntwo words\nweb\n", "list", "--names");
    assert_prints(w, "off\ntwo words\nweb\n", "list", "--names", "--cached");
    assert_prints(w, "two words\nweb\n", "list", "--names", "--state=running,paused");
    assert_prints(w, "two words\nweb\n", "list", "--names", "-s", "running", "-s", "paused");
    assert_prints(w, "two words\nweb\n", "list", "--names", "*w*");
    assert_prints(w, "web\n", "--no-legend", "list", "--names", "*w*", "--state", "running");
    assert_prints(w, "", "list", "--no-legend", "nothing");
    assert_prints(w, "[]\n", "list", "--json", "nothing");
    assert_fails(w, USAGE,
                 "vmsctl: \"on\" is not a state; the states are: nostate, running, idle, paused, "
                 "shutdown, shutoff, crashed, pmsuspended",
                 "list", "--state=on");
}

/* Commands refuse VMs that do not exist, and numbers out of range. */
static void
test_wrong_vm(void)
{
    g_autoptr(Service) s = service_with_three();
    World *w = s->world;

    assert_vmsctl(w, NO_SUCH_VM, "monitor", "web", "nobody");
    assert_vmsctl(w, NO_SUCH_VM, "top", "-n", "1", "web", "nobody");
    assert_fails(w, USAGE, "vmsctl: The interval has to be 1 second to 1 hour, in microseconds",
                 "top", "-n1", "-d0.9");
    assert_fails(w, USAGE, "vmsctl: The number of tables must be at least 1", "top", "-n", "0");
    assert_fails(w, USAGE, "vmsctl: The time to hold keys cannot be negative", "send-key",
                 "--hold=-1", "web", "a");
    assert_fails(w, USAGE, "vmsctl: The number of journal entries cannot be negative", "status",
                 "-n", "-3", "web");
}

static void
test_json(void)
{
    g_autoptr(Service) s = service_with_three();

    assert_json(s->world, "[v['Domain']['Name'] for v in x if v['Domain']['State'] == 'running']",
                "['web']", "list", NULL);
    assert_json(s->world, "x[0]['Domain']['Title']", "The web server", "status", "web");
    assert_json(s->world, "x[0]['Domain']['Autostart']", "False", "status", "web");
    assert_json(s->world, "x['Status'], x['StopTimeoutUSec']", "available 2000000", "service",
                NULL);
    assert_json(s->world, "x", "[]", "jobs", NULL);

    g_autofree char *web = client_domain(s->client, "web");
    g_autoptr(Run) top =
        run_vmsctl(s->world, "--json", "top", "--iterations=1", "--interval=1", "web", NULL);
    g_autofree char *usage = g_strdup_printf(",\"usage\":{\"%s\":{\"vm\":\"web\",\"stale\":%s}}}\n",
                                             web, embedded_has_stats() ? "false" : "true");
    run_assert(top, OK, __FILE__, __LINE__);
    g_assert_true(g_str_has_prefix(top->out, "{\"timestamp\":"));
    g_assert_true(g_str_has_suffix(top->out, usage));
}

static void
test_status(void)
{
    g_autoptr(Service) s = service_with_three();
    g_autoptr(Run) run = run_vmsctl(s->world, "status", "web", "nobody", "off", NULL);
    g_autofree char *uuid = node_uuid(0);
    g_autofree char *uuid_line = g_strdup_printf("         UUID: %s\n", uuid);

    g_assert_cmpint(run->status, ==, NO_SUCH_VM);
    g_assert_nonnull(strstr(run->out, " web - The web server\n"));
    g_assert_nonnull(strstr(run->out, uuid_line));
    g_assert_nonnull(strstr(run->out, "        State: running ("));
    g_assert_nonnull(strstr(run->out, "        State: shutoff ("));
    g_assert_true(g_str_has_prefix(run->err, "vmsctl: nobody: "));
    /* By UUID too. */
    assert_vmsctl(s->world, OK, "status", uuid);
}

static void
test_monitor(void)
{
    g_autoptr(Service) s = service_with_three();
    World *w = s->world;
    g_autoptr(Process) all = spawn_vmsctl(w, "monitor", NULL);
    g_autoptr(Process) one = spawn_vmsctl(w, "monitor", "--json", "off", NULL);

    wait_printed(w, all, "  web: running (");
    wait_printed(w, one, "\"event\":\"state\",\"vm\":\"off\"");
    g_autofree char *begin = process_stdout(all);
    g_assert_nonnull(strstr(begin, "  VMs are available (test:///"));

    assert_prints(w, "", "stop", "web");
    assert_prints(w, "", "start", "off");
    wait_printed(w, all, "  web: Stop started\n");
    wait_printed(w, all, "  web: running → shutoff (shut-down)\n");
    wait_printed(w, all, "  web: Stop done\n");
    wait_printed(w, all, "  off: shutoff → running (booted)\n");
    wait_printed(w, one, "\"event\":\"job-removed\",\"vm\":\"off\"");
    g_autofree char *json = process_stdout(one);
    g_assert_nonnull(strstr(json, "\"from\":\"shutoff\",\"to\":\"running\",\"reason\":\"booted\""));
    g_assert_null(strstr(json, "\"vm\":\"web\""));
    g_assert_true(process_is_alive(all));
    process_signal(all, SIGINT);
    g_assert_cmpint(process_wait(all, BOUND_MS), ==, OK);
    process_signal(one, SIGINT);
    g_assert_cmpint(process_wait(one, BOUND_MS), ==, OK);
}

/* A VM that its operation has removed keeps its name until the job ends. */
static void
test_monitor_removed(void)
{
    g_autoptr(Node) node = node_new();

    node_add_domain(node, &(NodeDomain){.name = "guest", .state = "running", .transient = true});
    g_autoptr(Service) s = service_on_node(node, "--stop-timeout=2", NULL);
    g_autoptr(Process) monitor = spawn_vmsctl(s->world, "monitor", NULL);

    wait_printed(s->world, monitor, "  guest: running (");
    assert_prints(s->world, "", "force-stop", "guest");
    wait_printed(s->world, monitor, "  guest: is gone\n");
    wait_printed(s->world, monitor, "ForceStop done\n");
    g_autofree char *out = process_stdout(monitor);
    g_assert_nonnull(strstr(out, "  guest: ForceStop done\n"));
    process_signal(monitor, SIGINT);
    g_assert_cmpint(process_wait(monitor, BOUND_MS), ==, OK);
}

static void
test_monitor_new(void)
{
    g_autoptr(Service) s = service_with_three();
    World *w = s->world;
    g_autofree char *uuid = node_uuid(100);
    g_autofree char *xml = node_domain_xml(&(NodeDomain){.name = "new", .uuid = uuid});
    g_autofree char *file = write_file(w, "new.xml", xml);
    g_autoptr(Process) text = spawn_vmsctl(w, "monitor", NULL);
    g_autoptr(Process) json = spawn_vmsctl(w, "monitor", "--json", NULL);

    wait_printed(w, text, "  web: running (");
    wait_printed(w, json, "\"vm\":\"web\"");
    assert_prints(w, "", "define", file);
    wait_printed(w, text, "  new: is new\n");
    wait_printed(w, json, "\"event\":\"added\",\"vm\":\"new\"");
    assert_prints(w, "", "rename", "new", "newer");
    wait_printed(w, text, "  new: is now called newer\n");
    wait_printed(w, json, "\"event\":\"renamed\",\"vm\":\"new\"");
    assert_prints(w, "", "undefine", "newer");
    wait_printed(w, text, "  newer: is gone\n");
    wait_printed(w, json, "\"event\":\"removed\",\"vm\":\"newer\"");
    process_signal(text, SIGINT);
    g_assert_cmpint(process_wait(text, BOUND_MS), ==, OK);
    process_signal(json, SIGINT);
    g_assert_cmpint(process_wait(json, BOUND_MS), ==, OK);
}

/* Those that are active, or those that are named, whatever their state. A tick finds no figures of
 * those that run where the embedded hypervisor has no call for them. */
static void
test_top(void)
{
    bool has_stats = embedded_has_stats();
    g_autoptr(Service) s = service_with_three();
    World *w = s->world;
    g_autoptr(Process) all = spawn_vmsctl(w, "top", "-d1", "-sname", NULL);
    g_autoptr(Process) named =
        spawn_vmsctl(w, "top", "-d1", "-n2", "--no-legend", "off", "web", NULL);

    wait_ended(w, named);
    g_autofree char *out = process_stdout(named);
    g_auto(GStrv) tables = g_strsplit(out, "\n\n", -1);
    g_assert_cmpuint(g_strv_length(tables), ==, 2);
    g_assert_true(g_str_has_prefix(tables[1], has_stats ? "off  shutoff  -" : "off  shutoff    -"));
    g_assert_true(g_regex_match_simple(has_stats ? "^web +running" : "^web +no answer", tables[1],
                                       G_REGEX_MULTILINE, 0));
    g_assert_null(strstr(tables[1], "two words"));

    wait_printed(w, all, has_stats ? "\nweb        running" : "\nweb        no answer");
    g_autofree char *table = process_stdout(all);
    g_assert_nonnull(strstr(table, has_stats ? "\ntwo words  paused" : "\ntwo words  no answer"));
    g_assert_null(strstr(table, "\noff"));
}

/* It goes on where the service goes and comes, and the bus with it. */
static void
test_top_heals(void)
{
    g_autoptr(World) w = world_new();

    world_start(w, "--uri=test:///default", NULL);
    g_autoptr(Terminal) top = terminal_vmsctl(w, "top", "-d1", NULL);
    terminal_expect(top, "running");
    for (int i = 0; i < 2; i++) {
        world_kill(w);
        if (i == 1)
            world_restart_bus(w);
        terminal_expect(top, "The service is away");
        world_start(w, "--uri=test:///default", NULL);
        /* Once when it is there again, once at its first tick. */
        terminal_expect(top, "Every 1 s, by cpu\r\n");
        terminal_expect(top, "Every 1 s, by cpu\r\n");
    }
    terminal_type(top, "q");
    g_assert_cmpint(terminal_wait(top), ==, OK);
}

/* A line for each device, with the keys that it has. */
static void
test_devices(void)
{
    g_autoptr(Node) node = node_new();

    node_add_domain(
        node,
        &(NodeDomain){
            .name = "guest",
            .state = "shutoff",
            .devices =
                "<disk type='file' device='disk'><source file='/srv/a.img'/><target dev='vda' "
                "bus='virtio'/></disk>"
                "<disk type='file' device='cdrom'><target dev='hdc' bus='ide'/></disk>"
                "<interface type='network'><mac address='52:54:00:00:00:01'/><source "
                "network='default'/><model type='virtio'/></interface>"
                "<interface type='user'><mac address='52:54:00:00:00:02'/><model type='e1000'/>"
                "</interface>"
                "<graphics type='vnc' autoport='yes' listen='127.0.0.1'/>"
                "<graphics type='vnc' port='5901' websocket='5701' listen='127.0.0.1'/>"});
    g_autoptr(Service) s = service_on_node(node, "--stop-timeout=2", NULL);
    g_autoptr(Run) run = run_vmsctl(s->world, "status", "guest", NULL);

    run_assert(run, OK, __FILE__, __LINE__);
    g_assert_nonnull(strstr(run->out, "        Disks: vda (virtio) /srv/a.img\n"
                                      "             : hdc (ide) (empty)\n"));
    g_assert_nonnull(strstr(run->out, "      Network: 52:54:00:00:00:01 (virtio) on default\n"
                                      "             : 52:54:00:00:00:02 (e1000) on user\n"));
    g_assert_nonnull(strstr(run->out,
                            "     Graphics: vnc on 127.0.0.1\n"
                            "             : vnc on 127.0.0.1, port 5901, websocket 5701\n"));
}

/* A name or a message may try to write on the terminal; scripts get it as it is only in JSON. */
static void
test_control_characters(void)
{
    g_autoptr(Service) s = service_with_three();

    assert_fails(s->world, NO_SUCH_VM,
                 "vmsctl: a\\x1b[31mb: There is no domain \"a\\x1b[31mb\": Domain not found",
                 "pause", "a\033[31mb");
    assert_vmsctl(s->world, NO_SUCH_VM, "start", "\xff");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vmsctl-see/list", test_list);
    g_test_add_func("/vmsctl-see/wrong-vm", test_wrong_vm);
    g_test_add_func("/vmsctl-see/json", test_json);
    g_test_add_func("/vmsctl-see/status", test_status);
    g_test_add_func("/vmsctl-see/monitor", test_monitor);
    g_test_add_func("/vmsctl-see/monitor-removed", test_monitor_removed);
    g_test_add_func("/vmsctl-see/monitor-new", test_monitor_new);
    g_test_add_func("/vmsctl-see/top", test_top);
    g_test_add_func("/vmsctl-see/top-heals", test_top_heals);
    g_test_add_func("/vmsctl-see/devices", test_devices);
    g_test_add_func("/vmsctl-see/control-characters", test_control_characters);
    return g_test_run();
}
