/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * test-follow PROGRAM [ARGUMENT...]: one of examples/ tells what it follows, on the embedded
 * hypervisor, and on a service that says what that hypervisor does not: problems, start times,
 * screens, systems, addresses, figures, hostile texts. See test-client.sh.
 */

#include "libvirt-version.h"
#include "run.h"
#include "scripted.h"

#include <stdarg.h>
#include <string.h>

#define WEB VMS_DOMAIN_PREFIX "/c0de0000_0000_4000_8000_000000000000"
#define DB  VMS_DOMAIN_PREFIX "/c0de0001_0000_4000_8000_000000000001"

static char **command;

/* It goes on, and has found nothing to complain of. */
static void
assert_well(Process *client)
{
    g_autofree char *err = process_stderr(client);

    g_assert_true(process_is_alive(client));
    g_assert_cmpstr(err, ==, "");
}

static void
set_vcpus(Service *s, const char *path, unsigned count)
{
    g_autoptr(Call) call = client_call(s->client, path, VMS_CONFIG_INTERFACE, "SetVCpus", "ua{sv}",
                                       count, 1, "config", "b", 1);

    assert_ok(call);
}

static void
test_pending(void)
{
    g_autoptr(Node) node = node_new();

    node_add(node, "web", "running");
    g_autoptr(Service) s = service_on_node(node, "--stop-timeout=1", NULL);
    World *w = s->world;
    g_autofree char *web = client_domain(s->client, "web");
    g_autoptr(Process) client = spawn_client(w, command, NULL);

    wait_printed(w, client, "VMs are available\n");
    wait_printed(w, client, "web running\n");
    set_vcpus(s, web, 1);
    wait_printed(w, client, "web changes at its next start: VCpus\n");
    g_autoptr(Process) later = spawn_client(w, command, NULL);
    wait_printed(w, later, "web changes at its next start: VCpus\n");

    g_autoptr(Call) memory =
        client_call(s->client, web, VMS_CONFIG_INTERFACE, "SetMemory", "ta{sv}",
                    G_GUINT64_CONSTANT(512) * 1024 * 1024, 1, "config", "b", 1);
    assert_ok(memory);
    wait_printed(w, client, "web changes at its next start: VCpus, MemoryBytes\n");
    g_autoptr(Call) stop = domain_call(s, web, "ForceStop", NULL);
    assert_ok(stop);
    wait_printed(w, client, "web shutoff\n");
    wait_printed(w, client, "web has no pending change any more\n");

    /* Where there is nothing, nothing is told at the beginning. */
    g_autoptr(Process) last = spawn_client(w, command, NULL);
    wait_printed(w, last, "web shutoff\n");
    g_assert_cmpuint(count_printed(last, "\n"), ==, 2);
    assert_well(client);
    assert_well(later);
    assert_well(last);
}

/* The embedded hypervisor has no figures, and that of an old libvirt no call for them; but it is
 * told which domains run. */
static void
test_usage(void)
{
    const char *none = embedded_has_stats() ? "has no figures\n" : "does not answer\n";
    g_autofree char *of_web = g_strconcat("web ", none, NULL);
    g_autofree char *of_db = g_strconcat("db ", none, NULL);
    g_autoptr(World) w = world_new();
    g_autoptr(Node) node = node_new();

    node_add(node, "web", "running");
    node_add(node, "db", "shutoff");
    g_autofree char *uri = node_uri_option(node, w);
    world_start(w, uri, NULL);
    g_autoptr(Process) silent = spawn_client(w, command, NULL);
    g_autoptr(Process) client = spawn_client(w, command, "--usage");
    wait_printed(w, silent, "web running\n");
    wait_printed_times(w, client, of_web, 2);

    /* Another process of the service knows of no subscriber. */
    world_stop(w);
    unsigned ticks = count_printed(client, of_web);
    world_start(w, uri, NULL);
    wait_printed_times(w, client, of_web, ticks + 2);
    g_assert_cmpuint(count_printed(client, of_db), ==, 0);
    g_assert_cmpuint(count_printed(silent, none), ==, 0);
    assert_well(client);
    assert_well(silent);
}

/* dasbus asks for it. */
#define INTROSPECT                                                                                 \
    {                                                                                              \
        "Introspect", "(s)",                                                                       \
            "('<node>"                                                                             \
            "<interface name=\"org.freedesktop.DBus.ObjectManager\">"                              \
            "<method name=\"GetManagedObjects\">"                                                  \
            "<arg type=\"a{oa{sa{sv}}}\" direction=\"out\"/></method></interface>"                 \
            "<interface name=\"org.unraid.Vms.Manager\"><method name=\"SubscribeUsage\">"          \
            "<arg type=\"t\" direction=\"in\"/><arg type=\"a{sv}\" direction=\"in\"/>"             \
            "<arg type=\"t\" direction=\"out\"/></method></interface></node>',)"                   \
    }
#define MANAGER                                                                                    \
    {                                                                                              \
        "GetAll org.unraid.Vms.Manager", "(a{sv})", "({'Available': <true>},)"                     \
    }
#define DOMAIN(path, name, state, problems, next, addresses)                                       \
    "'" path "': {'org.unraid.Vms.Guest': {'Addresses': <@aa{sv} [" addresses "]>}, "              \
    "'org.unraid.Vms.Config': {'Next': <@a{sv} {" next "}>, 'VCpus': <uint32 1>}, "                \
    "'org.unraid.Vms.Domain': {'Problems': <@aa{sv} [" problems "]>, 'State': <'" state "'>, "     \
    "'Available': <true>, 'Name': <" name ">}}"
#define OBJECTS(objects)                                                                           \
    {                                                                                              \
        "GetManagedObjects", "(a{oa{sa{sv}}})", "({" objects "},)"                                 \
    }
#define SUBSCRIBE(valid_for_usec)                                                                  \
    {                                                                                              \
        "SubscribeUsage", "(t)", "(" valid_for_usec ",)"                                           \
    }
#define USAGE_OF(domains)                                                                          \
    {                                                                                              \
        "Usage", "(ta{oa{sv}})", "(7, {" domains "})"                                              \
    }
#define USAGE                                                                                      \
    USAGE_OF("'" WEB "': {'stale': <false>, 'cpu': <2.125>, 'memory_rss': <uint64 536870912>}, "   \
             "'" DB "': {'stale': <true>}, "                                                       \
             "'" VMS_DOMAIN_PREFIX "/gone': {'stale': <false>, 'cpu': <1.0>}")

#define NO_SPACE                                                                                   \
    "{'since': <uint64 1>, 'message': <'No \\u001b[2J\\u009b\\u007fspäce\\nforged'>, "            \
    "'device': <'vda'>, 'kind': <'no-space'>}"
#define WATCHDOG(since) "{'kind': <'watchdog'>, 'message': <'bitten'>, 'since': <uint64 " since ">}"
#define ADDRESS(address)                                                                           \
    "{'interface': <'eth0'>, 'mac': <'52:54:00:00:00:01'>, 'address': <'" address "'>, "           \
    "'prefix': <uint32 24>, 'source': <'agent'>}"

static const ScriptLine script[] = {
    INTROSPECT,
    MANAGER,
    OBJECTS(DOMAIN(
        WEB, "'web'", "running", NO_SPACE, "'MemoryBytes': <uint64 1>, 'Disks': <@aa{sv} []>",
        ADDRESS("192.0.2.7") ", " ADDRESS("2001:db8::7")) ", " DOMAIN(DB, "'d\\u001b[31mb'",
                                                                      "running", "", "", "")),
    SUBSCRIBE("400000"),
    USAGE,
    {NULL, NULL, NULL},
};

static void
test_rows(void)
{
    g_autoptr(World) w = world_new();
    g_autoptr(Scripted) scripted = scripted_new(w, script);
    g_autoptr(Process) client = spawn_client(w, command, NULL);

    wait_printed(w, client, "VMs are available\n");
    wait_printed(w, client, "web running\n");
    wait_printed(w, client, "web has a problem: no-space: vda: No \\x1b[2J\\x9b\\x7fspäce\\");
    wait_printed(w, client, "web changes at its next start: MemoryBytes, Disks\n");
    wait_printed(w, client, "web has the addresses 192.0.2.7, 2001:db8::7\n");
    wait_printed(w, client, "d\\x1b[31mb running\n");
    g_assert_cmpuint(count_printed(client, "\033"), ==, 0);
    g_assert_cmpuint(count_printed(client, "\nforged"), ==, 0);
    g_assert_cmpuint(count_printed(client, "d\\x1b[31mb"), ==, 1);

    scripted_change(scripted, WEB, VMS_DOMAIN_INTERFACE,
                    "{'Problems': <[" WATCHDOG("1") ", {'kind': <'io-error'>, 'device': <'vdb'>, "
                                                    "'message': <'broken'>}]>}");
    wait_printed(w, client, "web has a problem: watchdog: bitten, io-error: vdb: broken\n");
    scripted_change(scripted, WEB, VMS_DOMAIN_INTERFACE, "{'Problems': <[" WATCHDOG("2") "]>}");
    scripted_change(scripted, WEB, VMS_DOMAIN_INTERFACE, "{'Problems': <[" WATCHDOG("3") "]>}");
    scripted_change(scripted, WEB, VMS_DOMAIN_INTERFACE, "{'Problems': <@aa{sv} []>}");
    wait_printed(w, client, "web has no problems any more\n");
    g_assert_cmpuint(count_printed(client, "web has a problem: watchdog: bitten\n"), ==, 1);

    scripted_change(scripted, WEB, VMS_CONFIG_INTERFACE, "{'Next': <@a{sv} {}>}");
    wait_printed(w, client, "web has no pending change any more\n");
    scripted_change(scripted, WEB, VMS_GUEST_INTERFACE,
                    "{'Addresses': <[" ADDRESS("192.0.2.8") "]>}");
    wait_printed(w, client, "web has the addresses 192.0.2.8\n");
    scripted_change(scripted, WEB, VMS_GUEST_INTERFACE, "{'Addresses': <@aa{sv} []>}");
    wait_printed(w, client, "web has no addresses any more\n");
    scripted_change(scripted, WEB, VMS_DOMAIN_INTERFACE, "{'Name': <'mail'>}");
    wait_printed(w, client, "web is now called mail\n");
    scripted_change(scripted, WEB, VMS_DOMAIN_INTERFACE, "{'State': <'paused'>}");
    wait_printed(w, client, "mail paused\n");
    assert_well(client);
}

/* Seconds of two hours of 2026-11-26 in the time zone that main() sets; microseconds follow. */
#define AT_19    "1795737600"
#define AT_20    "1795741200"
#define UP(time) "{'StartedAt': <uint64 " time ">}"

/* "db" has none of the facts, "old" is of a service that does not know of them. */
#define FACTS                                                                                      \
    "'" WEB "': {'org.unraid.Vms.Display': {'Graphics': <[{'password': <true>, "                   \
    "'port': <uint32 5900>, 'listen': <'127.0.0.1'>, 'type': <'vnc'>, 'tls_port': <uint32 1>}, "   \
    "{'type': <'spice'>, 'socket': <'/run/w\\u009b\\u001b[2Jeb'>}]>}, 'org.unraid.Vms.Guest': {"   \
    "'Hostname': <'w\\u001b]0;x\\u0007'>, 'OsInfo': <{'id': 'debian', 'version': '12\\u202e', "    \
    "'name': 'Deb\\u001b[0mian', 'kernel': '6.1'}>}, 'org.unraid.Vms.Domain': {'Name': <'web'>, "  \
    "'State': <'running'>, 'StartedAt': <uint64 " AT_19 "999999>}}, "                              \
    "'" DB "': {'org.unraid.Vms.Display': {'Graphics': <@aa{sv} []>}, 'org.unraid.Vms.Guest': {"   \
    "'Hostname': <''>, 'OsInfo': <@a{ss} {}>}, 'org.unraid.Vms.Domain': {'Name': <'db'>, "         \
    "'State': <'shutoff'>, 'StartedAt': <uint64 0>}}"
#define OLD VMS_DOMAIN_PREFIX "/old"
#define LESS(path, name, state)                                                                    \
    "'" path "': {'org.unraid.Vms.Domain': {'Name': <'" name "'>, 'State': <'" state "'>}}"
#define AND_LESS(path, name, state) ", " LESS(path, name, state)

static const ScriptLine facts[] = {
    INTROSPECT,
    MANAGER,
    OBJECTS(FACTS AND_LESS(OLD, "old", "paused")),
    {NULL, NULL, NULL},
};
static const ScriptLine older[] = {
    INTROSPECT,
    MANAGER,
    OBJECTS(LESS(WEB, "web", "paused") AND_LESS(DB, "db", "running")),
    {NULL, NULL, NULL},
};

#define FACTS_LINES 8

static void
wait_facts(World *w, Process *client)
{
    wait_printed(w, client, "VMs are available\n");
    wait_printed(w, client, "web running\n");
    wait_printed(w, client, "web has been up since 2026-11-26 19:00:00\n");
    wait_printed(w, client,
                 "web has the screens vnc 127.0.0.1 5900, spice /run/w\\x9b\\x1b[2Jeb\n");
    wait_printed(w, client, "web has the host name w\\x1b]0;x\\x07\n");
    wait_printed(w, client, "web runs Deb\\x1b[0mian 12\\u202e\n");
    wait_printed(w, client, "db shutoff\n");
    wait_printed(w, client, "old paused\n");
}

/* Each of the facts changes and vanishes; a text that is the same is not told twice. */
static void
test_facts(void)
{
    g_autoptr(World) w = world_new();
    g_autoptr(Scripted) scripted = scripted_new(w, facts);
    g_autoptr(Process) client = spawn_client(w, command, NULL);
    static const struct {
        const char *interface, *properties, *line; /* NULL: nothing is told */
    } changes[] = {
        {VMS_DOMAIN_INTERFACE, UP(AT_19 "999999"), NULL},
        {VMS_DOMAIN_INTERFACE, UP(AT_19 "000000"), NULL},
        {VMS_DOMAIN_INTERFACE, UP(AT_20 "000001"), "web has been up since 2026-11-26 20:00:00\n"},
        {VMS_DOMAIN_INTERFACE, UP("0"), "web is not up any more\n"},
        {VMS_DOMAIN_INTERFACE, UP("0"), NULL},
        {VMS_GUEST_INTERFACE, "{'Hostname': <'\\u001b[31mred'>}",
         "web has the host name \\x1b[31mred\n"},
        {VMS_GUEST_INTERFACE, "{'Hostname': <''>}", "web has no known host name any more\n"},
        {VMS_GUEST_INTERFACE, "{'Hostname': <''>}", NULL},
        {VMS_GUEST_INTERFACE, "{'OsInfo': <{'version': '1\\u009b3'}>}", "web runs 1\\x9b3\n"},
        {VMS_GUEST_INTERFACE, "{'OsInfo': <{'name': 'BSD', 'kernel': '7'}>}", "web runs BSD\n"},
        {VMS_GUEST_INTERFACE, "{'OsInfo': <{'name': 'BSD', 'kernel': '8'}>}", NULL},
        {VMS_GUEST_INTERFACE, "{'OsInfo': <{'id': 'x', 'kernel': '8'}>}",
         "web runs no known system any more\n"},
        {VMS_GUEST_INTERFACE, "{'OsInfo': <@a{ss} {}>}", NULL},
        {VMS_DISPLAY_INTERFACE,
         "{'Graphics': <[{'listen': <'::1\\u001b[K'>, 'port': <uint32 4294967295>}, "
         "{'type': <'egl-headless'>}, {'type': <'vnc'>, 'listen': <'192.0.2.7'>}]>}",
         "web has the screens ::1\\x1b[K 4294967295, egl-headless, vnc 192.0.2.7\n"},
        {VMS_DISPLAY_INTERFACE, "{'Graphics': <[{'type': <'vnc'>, 'websocket': <uint32 1>}]>}",
         "web has the screens vnc\n"},
        {VMS_DISPLAY_INTERFACE, "{'Graphics': <@aa{sv} []>}", "web has no screens any more\n"},
        {VMS_DISPLAY_INTERFACE, "{'Graphics': <@aa{sv} []>}", NULL},
        {VMS_DOMAIN_INTERFACE, "{'State': <'shutoff'>}", "web shutoff\n"},
    };
    unsigned lines = FACTS_LINES;

    wait_facts(w, client);
    for (size_t i = 0; i < G_N_ELEMENTS(changes); i++) {
        scripted_change(scripted, WEB, changes[i].interface, changes[i].properties);
        if (!changes[i].line)
            continue;
        wait_printed(w, client, changes[i].line);
        g_assert_cmpuint(count_printed(client, "\n"), ==, ++lines);
    }
    g_assert_cmpuint(count_printed(client, "\033"), ==, 0);
    g_assert_cmpuint(count_printed(client, "\302\233"), ==, 0);
    assert_well(client);
}

/* An older service in between that does not know of the facts: they are the same after it. */
static void
test_older(void)
{
    g_autoptr(World) w = world_new();
    Scripted *first = scripted_new(w, facts);
    g_autoptr(Process) client = spawn_client(w, command, NULL);

    wait_facts(w, client);
    scripted_free(first);
    Scripted *second = scripted_new(w, older);
    wait_printed(w, client, "old is gone\n");
    wait_printed(w, client, "web paused\n");
    wait_printed(w, client, "db running\n");
    scripted_free(second);
    g_autoptr(Scripted) third = scripted_new(w, facts);
    wait_printed_times(w, client, "web running\n", 2);
    wait_printed_times(w, client, "db shutoff\n", 2);
    wait_printed_times(w, client, "old paused\n", 2);
    scripted_change(third, WEB, VMS_DOMAIN_INTERFACE, "{'State': <'shutoff'>}");
    wait_printed(w, client, "web shutoff\n");
    g_assert_cmpuint(count_printed(client, "\n"), ==, FACTS_LINES + 3 + 3 + 1);
    assert_well(client);
}

/* All figures, in an order that is not that of the text; some; one that no client knows. */
static void
test_figures(void)
{
    static const ScriptLine figures[] = {
        INTROSPECT,
        MANAGER,
        OBJECTS(LESS(WEB, "web", "running") AND_LESS(DB, "d\\u001b[31mb", "running")
                    AND_LESS(OLD, "old", "running")),
        SUBSCRIBE("60000000"),
        USAGE_OF("'" WEB "': {'net_tx': <104857600.0>, 'net_rx': <0.0>, 'disk_write': <314573.0>, "
                 "'disk_read': <1572864.0>, 'memory_used': <uint64 314572800>, 'stale': <false>, "
                 "'memory_rss': <uint64 536870912>, 'cpu': <0.034>}, "
                 "'" DB "': {'disk_read': <2097152.0>, 'gpus': <[1.0]>, 'net_tx': <1048576.0>}, "
                 "'" OLD "': {'memory_used': <uint64 1048576>, 'disk_write': <5242880.0>}"),
        {NULL, NULL, NULL},
    };
    g_autoptr(World) w = world_new();
    g_autoptr(Scripted) scripted = scripted_new(w, figures);
    g_autoptr(Process) client = spawn_client(w, command, "--usage");

    wait_printed(w, client,
                 "web uses 3.4 % of a processor, 512 MiB of memory, 300 MiB of memory in the "
                 "guest, 1.5 MiB/s read from disks, 0.3 MiB/s written to disks, 0.0 MiB/s "
                 "received, 100.0 MiB/s sent\n");
    wait_printed(w, client, "d\\x1b[31mb uses 2.0 MiB/s read from disks, 1.0 MiB/s sent\n");
    wait_printed(w, client, "old uses 1 MiB of memory in the guest, 5.0 MiB/s written to disks\n");
    scripted_change(scripted, WEB, VMS_DOMAIN_INTERFACE, "{'State': <'paused'>}");
    wait_printed(w, client, "web paused\n");
    g_assert_cmpuint(count_printed(client, "\n"), ==, 1 + 3 + 3 + 1);
    assert_well(client);
}

/* There is one Usage for each request. */
static void
test_renewal(void)
{
    g_autoptr(World) w = world_new();
    Scripted *scripted = scripted_new(w, script);
    g_autoptr(Process) client = spawn_client(w, command, "--usage");
    gint64 begin = g_get_monotonic_time();

    wait_printed_times(w, client, "web uses 212.5 % of a processor, 512 MiB of memory\n", 4);
    g_assert_cmpint(g_get_monotonic_time() - begin, >, 3 * 200000);
    wait_printed_times(w, client, "d\\x1b[31mb does not answer\n", 4);
    g_assert_cmpuint(count_printed(client, " uses 100"), ==, 0);

    /* There is nobody to ask when the time for it has come. */
    scripted_free(scripted);
    g_usleep(600000);
    assert_well(client);
    unsigned ticks = count_printed(client, "web uses");
    g_autoptr(Scripted) other G_GNUC_UNUSED = scripted_new(w, script);
    wait_printed_times(w, client, "web uses", ticks + 2);
    assert_well(client);
}

static const ScriptLine before[] = {
    INTROSPECT,
    MANAGER,
    OBJECTS(DOMAIN(WEB, "'web'", "running", WATCHDOG("1"), "'VCpus': <uint32 1>",
                   "") ", " DOMAIN(DB, "'db'", "shutoff", "", "", "")),
    SUBSCRIBE("60000000"),
    USAGE,
    {NULL, NULL, NULL},
};
static const ScriptLine after[] = {
    INTROSPECT,
    MANAGER,
    OBJECTS(DOMAIN(WEB, "'web'", "running", WATCHDOG("2"), "", ADDRESS("192.0.2.7"))),
    SUBSCRIBE("60000000"),
    USAGE,
    {NULL, NULL, NULL},
};

/* Another process of the service: what differs from the mirror is told, and nothing else. */
static void
test_other_process(void)
{
    g_autoptr(World) w = world_new();
    Scripted *first = scripted_new(w, before);
    g_autoptr(Process) client = spawn_client(w, command, "--usage");

    wait_printed(w, client, "web has a problem: watchdog: bitten\n");
    wait_printed(w, client, "web changes at its next start: VCpus\n");
    wait_printed(w, client, "web uses 212.5 % of a processor, 512 MiB of memory\n");
    scripted_free(first);
    g_autoptr(Scripted) second G_GNUC_UNUSED = scripted_new(w, after);
    wait_printed(w, client, "web has no pending change any more\n");
    wait_printed(w, client, "web has the addresses 192.0.2.7\n");
    wait_printed(w, client, "db is gone\n");
    wait_printed_times(w, client, "web uses 212.5 % of a processor, 512 MiB of memory\n", 2);
    g_assert_cmpuint(count_printed(client, "VMs are available\n"), ==, 1);
    g_assert_cmpuint(count_printed(client, "web running\n"), ==, 1);
    g_assert_cmpuint(count_printed(client, "web has a problem: watchdog: bitten\n"), ==, 1);
    assert_well(client);
}

/* The bus lets anybody send a signal to one connection. */
static void
test_liar(void)
{
    g_autoptr(World) w = world_new();
    g_autoptr(Scripted) scripted = scripted_new(w, before);
    g_autoptr(Client) liar = client_new(w);
    const char *liar_name;
    g_autoptr(Process) client = spawn_client(w, command, "--usage");

    g_assert_cmpint(sd_bus_get_unique_name(liar->bus, &liar_name), >=, 0);
    wait_printed(w, client, "web uses");
    client_signal_everybody(liar, "/org/freedesktop/DBus", "org.freedesktop.DBus",
                            "NameOwnerChanged", "sss", "org.unraid.Vms", "", liar_name);
    client_signal_everybody(liar, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "Usage", "ta{oa{sv}}",
                            G_GUINT64_CONSTANT(1), 1, WEB, 1, "cpu", "d", 77.0);
    client_signal_everybody(liar, WEB, "org.freedesktop.DBus.Properties", "PropertiesChanged",
                            "sa{sv}as", VMS_DOMAIN_INTERFACE, 1, "State", "s", "crashed", 0);
    scripted_change(scripted, WEB, VMS_DOMAIN_INTERFACE, "{'State': <'paused'>}");
    wait_printed(w, client, "web paused\n");
    g_assert_cmpuint(count_printed(client, "web uses"), ==, 1);
    g_assert_cmpuint(count_printed(client, "web crashed\n"), ==, 0);
    assert_well(client);
}

/* A refusal ends it, with the words of the service. */
static void
test_refused(void)
{
    static const ScriptLine refuses[] = {INTROSPECT,
                                         MANAGER,
                                         OBJECTS(DOMAIN(WEB, "'web'", "running", "", "", "")),
                                         {NULL, NULL, NULL}};
    g_autoptr(World) w = world_new();
    g_autoptr(Scripted) scripted G_GNUC_UNUSED = scripted_new(w, refuses);
    g_autoptr(Process) client = spawn_client(w, command, "--usage");

    g_assert_cmpint(process_wait(client, BOUND_MS), ==, FAILED);
    g_autofree char *err = process_stderr(client);
    g_assert_nonnull(strstr(err, "Not in the script"));
}

int
main(int argc, char **argv)
{
    /* The clients tell local time; this is UTC-5 in winter, with tzdata and without. */
    g_setenv("TZ", "EST5EDT", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(argc, >, 1);
    command = argv + 1;
    g_test_add_func("/follow/pending", test_pending);
    g_test_add_func("/follow/usage", test_usage);
    g_test_add_func("/follow/rows", test_rows);
    g_test_add_func("/follow/facts", test_facts);
    g_test_add_func("/follow/older", test_older);
    g_test_add_func("/follow/figures", test_figures);
    g_test_add_func("/follow/renewal", test_renewal);
    g_test_add_func("/follow/other-process", test_other_process);
    g_test_add_func("/follow/liar", test_liar);
    g_test_add_func("/follow/refused", test_refused);
    return g_test_run();
}
