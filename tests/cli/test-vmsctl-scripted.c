/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* vmsctl with a service that says what no hypervisor of the tests says: figures, hostile texts. */

#include "run.h"
#include "scripted.h"

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
    g_autoptr(Scripted) scripted = scripted_new(w, top_script);

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
    g_autoptr(Scripted) scripted = scripted_new(w, top_script);
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

#define ROWS(...) "<[" __VA_ARGS__ "]>"
#define FULL                                                                                       \
    ", 'StartedAt': <uint64 1>, 'Problems': " ROWS(                                                \
        "{'kind': <'no-space'>, 'device': <'vda'>, "                                               \
        "'message': <'No \\u001b[2Jspace'>, 'since': "                                             \
        "<uint64 1>}") "}, " CONFIG                                                                \
                       ", 'Disks': " ROWS(                                                         \
                           "{'target': <'vda'>, 'bus': <'virtio'>, 'source': "                     \
                           "<'/a.img'>, 'capacity': "                                              \
                           "<uint64 " GIB ">}, {'target': <'vdb'>, 'bus': <'virtio'>, 'source': "  \
                           "<'/b.img'>}") ", 'Next': <{'MemoryBytes': <uint64 " GIB                \
                                          ">, 'BootOrder': <['disk:vda']>, "                       \
                                          "'Disks': " ROWS(                                        \
                                              "{'target': <'vda'>, 'bus': "                        \
                                              "<'virtio'>, 'source': <'/a.img'>}, "                \
                                              "{'target': <'vdc'>, "                               \
                                              "'bus': <'virtio'>, 'source': "                      \
                                              "<'/c.img'>}, {'target': <'vdd'>, "                  \
                                              "'bus': <'sata'>}") "}>}, "                          \
                                                                  "'org.unraid."                   \
                                                                  "Vms.Guest': "                   \
                                                                  "{'"                             \
                                                                  "AgentConnected'"                \
                                                                  ": <true>, "                     \
                                                                  "'Hostname': "                   \
                                                                  "<'w\\u001b]0;"                  \
                                                                  "x\\u0007'>, "                   \
                                                                  "'OsInfo': "                     \
                                                                  "<{'name': "                     \
                                                                  "'Debian', "                     \
                                                                  "'version': "                    \
                                                                  "'12', "                         \
                                                                  "'kernel': "                     \
                                                                  "'6.1\\u202e'}>,"                \
                                                                  " 'Addresses':"                  \
                                                                  " " ROWS("{'"                    \
                                                                           "interf"                \
                                                                           "ace': "                \
                                                                           "<'"                    \
                                                                           "eth0'>"                \
                                                                           ", "                    \
                                                                           "'addre"                \
                                                                           "ss': "                 \
                                                                           "<'"                    \
                                                                           "fe80::"                \
                                                                           "1'>, "                 \
                                                                           "'prefi"                \
                                                                           "x': "                  \
                                                                           "<uint3"                \
                                                                           "2 "                    \
                                                                           "64>, "                 \
                                                                           "'sourc"                \
                                                                           "e': "                  \
                                                                           "<'"                    \
                                                                           "agent'"                \
                                                                           ">}, "                  \
                                                                           "{'"                    \
                                                                           "interf"                \
                                                                           "ace': "                \
                                                                           "<'"                    \
                                                                           "eth\\u"                \
                                                                           "001b["                 \
                                                                           "0m0'>,"                \
                                                                           " '"                    \
                                                                           "addres"                \
                                                                           "s': "                  \
                                                                           "<'192."                \
                                                                           "0.2.7'"                \
                                                                           ">, "                   \
                                                                           "'prefi"                \
                                                                           "x': "                  \
                                                                           "<uint3"                \
                                                                           "2 "                    \
                                                                           "24>, "                 \
                                                                           "'sourc"                \
                                                                           "e': "                  \
                                                                           "<'"                    \
                                                                           "agent'"                \
                                                                           ">}") "}, "             \
                                                                                 "'org.unraid."    \
                                                                                 "Vms.Snapshots':" \
                                                                                 " {'Count': "     \
                                                                                 "<uint32 3>}"

static const ScriptLine full_script[] = {
    MANAGER,
    OBJECTS(FULL, ", 'StartedAt': <uint64 0>}, " CONFIG "}"),
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
    g_autoptr(Scripted) scripted = scripted_new(w, full_script);
    g_autoptr(Run) status = run_vmsctl(w, "status", "-n0", "web", NULL);

    run_assert(status, OK, __FILE__, __LINE__);
    assert_line(status, "           Up: 2");
    assert_line(status, "     Problems: no-space vda: No \\x1b[2Jspace (2");
    assert_line(status, "    Host name: w\\x1b]0;x\\x07\n");
    assert_line(status, "     Guest OS: Debian 12 6.1\\u202e\n");
    assert_line(status, "    Addresses: fe80::1/64 on eth0 (agent)\n"
                        "             : 192.0.2.7/24 on eth\\x1b[0m0 (agent)\n");
    assert_line(status, "   Next start: MemoryBytes: 4G → 1G\n"
                        "             : BootOrder: - → disk:vda\n"
                        "             : Disks: + vdc (virtio) /c.img\n"
                        "             : Disks: + vdd (sata) (empty)\n"
                        "             : Disks: - vdb (virtio) /b.img\n");
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
    g_autoptr(Scripted) scripted = scripted_new(w, full_script);

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
    return g_test_run();
}
