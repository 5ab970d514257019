/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* vmsctl with a service that says what no hypervisor of the tests says: figures, hostile texts. */

#include "fixture.h"
#include "scripted.h"

#include <stdlib.h>
#include <string.h>

#define WEB VMS_DOMAIN_PREFIX "/c0de0000_0000_4000_8000_000000000000"
#define DB  VMS_DOMAIN_PREFIX "/c0de0001_0000_4000_8000_000000000001"
#define GIB "1073741824"

#define DOMAIN(name, uuid, state, id)                                                              \
    "'org.unraid.Vms.Domain': {'Name': <" name ">, 'Uuid': <'" uuid "'>, 'State': <'" state        \
    "'>, 'Id': <" id ">, 'Title': <''>, 'Job': <objectpath '/'>, 'Available': <true>"
#define CONFIG                                                                                     \
    "'org.unraid.Vms.Config': {'VCpus': <uint32 4>, 'MaxVCpus': <uint32 4>, 'MemoryBytes': "       \
    "<uint64 4294967296>, 'MaxMemoryBytes': <uint64 4294967296>"

#define MANAGER                                                                                    \
    {                                                                                              \
        "GetAll org.unraid.Vms.Manager", "(a{sv})",                                                \
            "({'Available': <true>, 'Status': <'available'>, 'StatusMessage': <''>},)"             \
    }
#define OBJECTS(web, db)                                                                           \
    {                                                                                              \
        "GetManagedObjects", "(a{oa{sa{sv}}})",                                                    \
            "({'" WEB                                                                              \
            "': {" DOMAIN("'web'", "c0de0000-0000-4000-8000-000000000000", "running", "1") web     \
            "}, '" DB "': {" DOMAIN("'d\\u001b[31mb'", "c0de0001-0000-4000-8000-000000000001",     \
                                    "running", "2") db "}},)"                                      \
    }

static const ScriptLine top_script[] = {
    MANAGER,
    OBJECTS("}, " CONFIG "}", "}, " CONFIG "}"),
    {"SubscribeUsage", "(t)", "(60000000,)"},
    {"Usage", "(ta{oa{sv}})",
     "(7, {'" WEB "': {'stale': <false>, 'cpu': <2.0>, 'memory_used': <uint64 " GIB
     ">, 'disk_read': <1536.0>, 'disk_write': <0.0>}, '" DB "': {'stale': <true>}})"},
    {NULL, NULL, NULL},
};

static void
test_top(void)
{
    g_autoptr(World) w = world_new();
    g_autoptr(Scripted) scripted G_GNUC_UNUSED = scripted_new(w, top_script);

    assert_prints(w,
                  "NAME        STATE       CPU%  LOAD        VCPUS  MEMORY  READ/s  WRITE/s  RX/s  "
                  "TX/s\n"
                  "web         running    200.0  █████░░░░░      4   1G/4G    1.5K       0B     -  "
                  "   -\n"
                  "d\\x1b[31mb  no answer      -  -               4    -/4G       -        -     -"
                  "     -\n",
                  "top", "-n1");
    assert_prints(w,
                  "{\"timestamp\":7,\"usage\":{\"" WEB
                  "\":{\"vm\":\"web\",\"stale\":false,\"cpu\":2,\"memory_used\":" GIB
                  ",\"disk_read\":1536,\"disk_write\":0},\"" DB
                  "\":{\"vm\":\"d\\u001b[31mb\",\"stale\":true}}}\n",
                  "top", "-n1", "--json");
    assert_fails(w, USAGE,
                 "vmsctl: \"disk\" is not a column; the columns are: name, state, cpu, load, "
                 "vcpus, memory, read, write, rx, tx",
                 "top", "--sort=disk");
}

/* Keys sort; the terminal is left as it was. */
static void
test_top_keys(void)
{
    g_autoptr(World) w = world_new();
    g_autoptr(Scripted) scripted G_GNUC_UNUSED = scripted_new(w, top_script);
    g_autoptr(Terminal) top = terminal_vmsctl(w, "top", NULL);

    terminal_expect(top, "Every 2 s, by cpu\r\n");
    terminal_expect(top, "█████░░░░░");
    terminal_expect(top, "q quit  n name  s state  c cpu");
    g_assert_false(terminal_is_cooked(top));
    terminal_type(top, "n");
    terminal_expect(top, "Every 2 s, by name\r\n");
    terminal_expect(top, "d\\x1b[31mb");
    terminal_expect(top, "web");
    terminal_type(top, "n");
    terminal_expect(top, "Every 2 s, by name, reversed\r\n");
    terminal_expect(top, "web");
    terminal_expect(top, "no answer");
    terminal_type(top, "q");
    g_assert_cmpint(terminal_wait(top), ==, OK);
    g_assert_true(terminal_is_cooked(top));
    g_assert_null(strstr(terminal_output(top), "\033[31mb"));
}

/* The properties of web besides those of DOMAIN() and CONFIG. */
#define DOMAIN_PROPERTIES                                                                          \
    "'StartedAt': <uint64 1>, 'Problems': <[{'kind': <'no-space'>, 'device': <'vda'>, "            \
    "'message': <'No \\u001b[2Jspace'>, 'since': <uint64 1>}]>"
#define VDA   "{'target': <'vda'>, 'bus': <'virtio'>, 'source': <'/a.img'>"
#define STICK "'vendor': <'0951'>, 'product': <'1666'>"
#define CONFIG_PROPERTIES                                                                          \
    "'Disks': <[" VDA ", 'capacity': <uint64 " GIB ">}, "                                          \
    "{'target': <'vdb'>, 'bus': <'virtio'>, 'source': <'/b.img'>}]>, "                             \
    "'Nics': <[{'mac': <'52:54:00:00:00:01'>, 'type': <'user'>}]>, "                               \
    "'HostDevices': <[{'type': <'usb'>, 'address': <'1:4'>, " STICK "}, {'type': <'pci'>, "        \
    "'address': <'0000:01:00.0'>}]>, "                                                             \
    "'Next': <{'MemoryBytes': <uint64 " GIB ">, 'BootOrder': <['disk:vda']>, "                     \
    "'Disks': <[" VDA "}, {'target': <'vdc'>, 'bus': <'virtio'>, 'source': <'/c.img'>}, "          \
    "{'target': <'vdd'>, 'bus': <'sata'>}]>, 'HostDevices': <[{'type': <'usb'>, " STICK "}]>}>"
#define GUEST                                                                                      \
    "'org.unraid.Vms.Guest': {'AgentConnected': <true>, 'Hostname': <'w\\u001b]0;x\\u0007'>, "     \
    "'OsInfo': <{'name': 'Debian', 'version': '12', 'kernel': '6.1\\u202e'}>, 'Addresses': <["     \
    "{'interface': <'lo'>, 'address': <'127.0.0.1'>, 'prefix': <uint32 8>, "                       \
    "'source': <'agent'>}, "                                                                       \
    "{'interface': <'eth0'>, 'address': <'fe80::1'>, 'prefix': <uint32 64>, "                      \
    "'source': <'agent'>}, "                                                                       \
    "{'interface': <'eth\\u001b[0m0'>, 'address': <'192.0.2.7'>, 'prefix': <uint32 24>, "          \
    "'source': <'agent'>}]>}"
#define FULL                                                                                       \
    ", " DOMAIN_PROPERTIES "}, " CONFIG ", " CONFIG_PROPERTIES "}, " GUEST                         \
    ", 'org.unraid.Vms.Snapshots': {'Count': <uint32 3>}"

/* The objects of which this is a part go on after it. */
#define DISK_JOB                                                                                   \
    "}, '" VMS_JOB_PREFIX "/7': {'org.unraid.Vms.Job': {'Operation': <'Copy'>, 'Disk': <'vda'>, "  \
    "'Domain': <objectpath '" WEB "'>, 'StartedAt': <uint64 1>}"

static const ScriptLine full_script[] = {
    MANAGER,
    OBJECTS(FULL, ", 'StartedAt': <uint64 0>}, " CONFIG "}" DISK_JOB),
    {"ListDomains", "(a(ssso))", "([],)"},
    {"GetDomain", "(o)", "('" WEB "',)"},
    {"List", "(aa{sv})",
     "([{'name': <'one'>, 'created': <uint64 0>}, {'name': <'two'>, 'parent': <'one'>}, "
     "{'name': <'th\\u001b[0m'>, 'parent': <'two'>, 'current': <true>}, "
     "{'name': <'four'>, 'parent': <'one'>}, {'name': <'five'>, 'parent': <'gone'>}],)"},
    {NULL, NULL, NULL},
};

/* A line of the output, without what depends on the time. */
static void
assert_line(const Run *run, const char *line)
{
    if (!strstr(run->out, line))
        g_error("\"%s\" is missing in: %s", line, run->out);
}

static void
test_status(void)
{
    g_autoptr(World) w = world_new();
    g_autoptr(Scripted) scripted G_GNUC_UNUSED = scripted_new(w, full_script);
    g_autoptr(Run) status = run_vmsctl(w, "status", "-n0", "web", NULL);

    run_assert(status, OK, __FILE__, __LINE__);
    assert_line(status, "           Up: 2");
    assert_line(status, "     Problems: no-space vda: No \\x1b[2Jspace (2");
    assert_line(status, "          Job: Copy of vda, begun ");
    assert_line(status, "    Host name: w\\x1b]0;x\\x07\n");
    assert_line(status, "     Guest OS: Debian 12 6.1\\u202e\n");
    assert_line(status, "    Addresses: 127.0.0.1/8 on lo (agent)\n"
                        "             : fe80::1/64 on eth0 (agent)\n"
                        "             : 192.0.2.7/24 on eth\\x1b[0m0 (agent)\n");
    assert_line(status, "      Network: 52:54:00:00:00:01 on user\n");
    assert_line(status, "   Next start: MemoryBytes: 4G → 1G\n"
                        "             : BootOrder: - → disk:vda\n"
                        "             : Disks: + vdc (virtio) /c.img\n"
                        "             : Disks: + vdd (sata) (empty)\n"
                        "             : Disks: - vdb (virtio) /b.img\n"
                        "             : HostDevices: - pci 0000:01:00.0\n"
                        "    Snapshots: one (");
    assert_line(status, "    Snapshots: one (");
    assert_line(status, "             : ├─two (");
    assert_line(status, "             : │ └─th\\x1b[0m (");
    assert_line(status, "), current\n             : └─four (");
    assert_line(status, "             : five (");
    g_assert_null(strchr(status->out, '\033'));
}

static void
test_list(void)
{
    g_autoptr(World) w = world_new();
    g_autoptr(Scripted) scripted G_GNUC_UNUSED = scripted_new(w, full_script);

    assert_prints(w,
                  "NAME        PROBLEM       ADDRESS    HOSTNAME\n"
                  "d\\x1b[31mb  -             -          -\n"
                  "web         no-space vda  192.0.2.7  w\\x1b]0;x\\x07\n"
                  "\n2 VMs listed.\n",
                  "list", "--columns=name,problem,address,hostname");
    assert_fails(w, USAGE,
                 "vmsctl: \"adress\" is not a column; the columns are: name, state, job, "
                 "autostart, vcpus, memory, problem, address, uptime, title, uuid, hostname",
                 "list", "--columns=name,adress");
    g_autoptr(Run) all = run_vmsctl(w, "list", NULL);
    assert_line(all, "  PROBLEM       ADDRESS    UPTIME ");
    /* 80 cells have room for two of the three. */
    g_autoptr(Terminal) list = terminal_vmsctl(w, "list", NULL);
    g_assert_cmpint(terminal_wait(list), ==, OK);
    g_assert_nonnull(strstr(terminal_output(list), "no-space vda"));
    g_assert_null(strstr(terminal_output(list), "192.0.2.7"));
    g_assert_null(strstr(terminal_output(list), "UPTIME"));
}

static void
test_monitor(void)
{
    g_autoptr(World) w = world_new();
    g_autoptr(Scripted) scripted = scripted_new(w, full_script);
    g_autoptr(Process) text = spawn_vmsctl(w, "monitor", NULL);
    g_autoptr(Process) json = spawn_vmsctl(w, "monitor", "--json", "web", NULL);

    wait_printed(w, text, "  web: problem: no-space vda: No \\x1b[2Jspace\n");
    wait_printed(w, json,
                 "\"event\":\"problem-added\",\"vm\":\"web\",\"path\":\"" WEB
                 "\",\"problem\":\"no-space vda\",\"message\":\"No \\u001b[2Jspace\"}\n");
    scripted_change(scripted, WEB, VMS_DOMAIN_INTERFACE,
                    "{'Problems': <[{'kind': <'watchdog'>, 'message': <'bitten'>}]>}");
    wait_printed(w, text, "  web: problem: watchdog: bitten\n");
    wait_printed(w, text, "  web: problem over: no-space vda\n");
    wait_printed(w, json,
                 "\"event\":\"problem-removed\",\"vm\":\"web\",\"path\":\"" WEB
                 "\",\"problem\":\"no-space vda\"}\n");
    process_signal(text, SIGINT);
    g_assert_cmpint(process_wait(text, BOUND_MS), ==, OK);
    process_signal(json, SIGINT);
    g_assert_cmpint(process_wait(json, BOUND_MS), ==, OK);
}

/* Only the owner of the name is believed. */
static void
test_liar(void)
{
    g_autoptr(World) w = world_new();
    g_autoptr(Scripted) scripted = scripted_new(w, full_script);
    g_autoptr(Client) liar = client_new(w);
    const char *liar_name;
    g_autoptr(Process) monitor = spawn_vmsctl(w, "monitor", NULL);

    g_assert_cmpint(sd_bus_get_unique_name(liar->bus, &liar_name), >=, 0);
    wait_printed(w, monitor, "  web: problem: no-space vda: ");
    client_signal_everybody(liar, "/org/freedesktop/DBus", "org.freedesktop.DBus",
                            "NameOwnerChanged", "sss", "org.unraid.Vms", "", liar_name);
    client_signal_everybody(liar, WEB, "org.freedesktop.DBus.Properties", "PropertiesChanged",
                            "sa{sv}as", VMS_DOMAIN_INTERFACE, 1, "State", "s", "crashed", 0);
    client_signal_everybody(liar, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "JobRemoved", "oosss",
                            VMS_JOB_PREFIX "/1", WEB, "Stop", "done", "");
    scripted_change(scripted, WEB, VMS_DOMAIN_INTERFACE,
                    "{'Problems': <[{'kind': <'watchdog'>, 'message': <'bitten'>}]>}");
    wait_printed(w, monitor, "  web: problem: watchdog: bitten\n");
    g_assert_cmpuint(count_printed(monitor, "crashed"), ==, 0);
    g_assert_cmpuint(count_printed(monitor, "Stop done"), ==, 0);
}

#define NONE ", 'StartedAt': <uint64 0>"
#define OFF  VMS_DOMAIN_PREFIX "/c0de0002_0000_4000_8000_000000000002"
static const ScriptLine metrics_script[] = {
    MANAGER,
    OBJECTS(NONE ", 'Problems': <[{'kind': <'unresponsive'>, 'message': <'no'>}]>}",
            NONE "}}, '" OFF "': {" DOMAIN("'off'", "c0de0002-0000-4000-8000-000000000002",
                                           "shutoff", "-1") NONE "}"),
    {"GetStats", "(a{oa{sv}})",
     "({'" WEB "': {'cpu.time': <uint64 1500000000>, 'block.count': <uint32 1>, 'block.0.name': "
     "<'v\"d\\\\a\\n'>, 'block.0.rd.bytes': <uint64 9007199254740993>, 'net.count': <uint32 1>, "
     "'net.0.rx.bytes': <uint64 7>}, '" OFF "': {'cpu.time': <uint64 9>}},)"},
    {NULL, NULL, NULL},
};

/* The parser of Prometheus' own library for Python reads TEXT, where it is installed. */
static void
assert_openmetrics(World *w, const char *text)
{
    static const char parse[] =
        "import sys\n"
        "try:\n"
        "    from prometheus_client.openmetrics import parser\n"
        "except ImportError:\n"
        "    sys.exit(77)\n"
        "print(len(list(parser.text_string_to_metric_families(sys.argv[1]))))\n";
    g_autoptr(Run) python =
        run_program(w, (const char *const[]){"/usr/bin/python3", "-c", parse, text, NULL});

    if (python->status == 77) {
        g_test_message("There is no python3-prometheus-client");
        return;
    }
    run_assert(python, OK, __FILE__, __LINE__);
    g_assert_cmpint(atoi(python->out), >=, 1);
}

static void
test_metrics(void)
{
    g_autoptr(World) w = world_new();
    g_autoptr(Scripted) scripted G_GNUC_UNUSED = scripted_new(w, metrics_script);
    g_autoptr(Run) run = run_vmsctl(w, "metrics", NULL);

#define WEB_LABELS "{vm=\"web\",uuid=\"c0de0000-0000-4000-8000-000000000000\""
#define DB_LABELS  "{vm=\"d\\\\x1b[31mb\",uuid=\"c0de0001-0000-4000-8000-000000000001\""
    run_assert(run, OK, __FILE__, __LINE__);
    assert_line(run, "\nunraid_vms_available 1\n");
    assert_line(run, "\nunraid_vms_domain_state" DB_LABELS ",state=\"running\"} 1\n");
    assert_line(run,
                "\nunraid_vms_domain_problem" WEB_LABELS ",kind=\"unresponsive\",device=\"\"} 1\n");
    assert_line(run, "# HELP unraid_vms_domain_cpu_seconds Processor time, of the host\n"
                     "# TYPE unraid_vms_domain_cpu_seconds counter\n"
                     "# UNIT unraid_vms_domain_cpu_seconds seconds\n"
                     "unraid_vms_domain_cpu_seconds_total" WEB_LABELS "} 1.5\n#");
    assert_line(run, "\nunraid_vms_domain_disk_read_bytes_total" WEB_LABELS
                     ",device=\"v\\\"d\\\\a\\\\x0a\"} 9007199254740992\n");
    assert_line(run,
                "\nunraid_vms_domain_network_received_bytes_total" WEB_LABELS ",device=\"0\"} 7\n");
    assert_line(run, "\nunraid_vms_domain_state{vm=\"off\",");
    g_assert_null(strstr(run->out, "cpu_seconds_total{vm=\"off\""));
    g_assert_true(g_str_has_suffix(run->out, "\n# EOF\n"));
    assert_openmetrics(w, run->out);
    assert_vmsctl(w, USAGE, "metrics", "--json");
}

/* It is whole without figures, without a hypervisor and without a service. */
static void
test_metrics_away(void)
{
    static const ScriptLine no_figures[] = {
        MANAGER, OBJECTS(NONE "}", NONE "}"), {NULL, NULL, NULL}};
    g_autoptr(World) w = world_new();
    g_autoptr(Run) alone = run_vmsctl(w, "metrics", NULL);

    run_assert(alone, NOT_AVAILABLE, __FILE__, __LINE__);
    assert_line(alone, "\nunraid_vms_available 0\n# EOF\n");
    assert_openmetrics(w, alone->out);

    g_autoptr(Scripted) scripted G_GNUC_UNUSED = scripted_new(w, no_figures);
    g_autoptr(Run) partly = run_vmsctl(w, "metrics", NULL);
    run_assert(partly, NOT_OFFERED, __FILE__, __LINE__);
    assert_line(partly, "\nunraid_vms_domain_state" WEB_LABELS ",state=\"running\"} 1\n");
    assert_openmetrics(w, partly->out);
}

static void
test_host(void)
{
    static const ScriptLine script[] = {
        OBJECTS(NONE "}", NONE "}"),
        {"GetAll org.unraid.Vms.Host", "(a{sv})",
         "({'CpuCount': <uint32 8>, 'CpuModel': <'A\\u001b[2JB'>, 'MemoryBytes': <uint64 " GIB
         ">, 'CpuTopology': <{'cells': uint32 1, 'sockets': 1, 'cores': 4, 'threads': 2}>},)"},
        {"GetDevices", "(aa{sv})",
         "([{'address': <'0000:01:00.0'>, 'vendor': <'10de'>, 'product': <'2204'>, 'driver': "
         "<'vfio-pci'>, 'iommu_group': <uint32 14>, 'used_by': <[objectpath '" DB "', '" WEB
         "']>, 'vendor_name': <'N\\u001b[0m'>, 'product_name': <'GA102'>}],)"},
        {NULL, NULL, NULL}};
    g_autoptr(World) w = world_new();
    g_autoptr(Scripted) scripted G_GNUC_UNUSED = scripted_new(w, script);

#define DEVICES                                                                                    \
    "           ID         DRIVER    IOMMU  USED BY          DEVICE\n"                             \
    "0000:01:00.0  10de:2204  vfio-pci     14  d\\x1b[31mb, web  N\\x1b[0m GA102\n"
    assert_prints(w,
                  "      CPUs: 8, A\\x1b[2JB\n"
                  "  Topology: cells 1, sockets 1, cores 4, threads 2\n"
                  "    Memory: 1G\n"
                  "\nPCI" DEVICES "\nUSB" DEVICES,
                  "host");
    assert_prints(w, "USB" DEVICES, "host", "usb");
    assert_json(w, "sorted(x), x['pci'][0]['iommu_group'], x['Host']['CpuCount']",
                "['Host', 'pci', 'usb'] 14 8", "host", NULL);
    assert_json(w, "x[0]['address']", "0000:01:00.0", "host", "pci");
    assert_fails(w, USAGE, "vmsctl: \"scsi\" is no kind of device; write \"pci\" or \"usb\"",
                 "host", "scsi");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vmsctl-scripted/top", test_top);
    g_test_add_func("/vmsctl-scripted/top-keys", test_top_keys);
    g_test_add_func("/vmsctl-scripted/status", test_status);
    g_test_add_func("/vmsctl-scripted/list", test_list);
    g_test_add_func("/vmsctl-scripted/monitor", test_monitor);
    g_test_add_func("/vmsctl-scripted/liar", test_liar);
    g_test_add_func("/vmsctl-scripted/metrics", test_metrics);
    g_test_add_func("/vmsctl-scripted/metrics-away", test_metrics_away);
    g_test_add_func("/vmsctl-scripted/host", test_host);
    return g_test_run();
}
