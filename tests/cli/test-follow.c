/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * test-follow PROGRAM [ARGUMENT...]: one of examples/ tells what it follows, on the embedded
 * hypervisor, and on a service that says what that hypervisor does not: problems, addresses,
 * figures, hostile texts. See test-client.sh.
 */

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

/* The embedded hypervisor has no figures; but it is told which domains run. */
static void
test_usage(void)
{
    g_autoptr(World) w = world_new();
    g_autoptr(Node) node = node_new();

    node_add(node, "web", "running");
    node_add(node, "db", "shutoff");
    g_autofree char *uri = node_uri_option(node, w);
    world_start(w, uri, NULL);
    g_autoptr(Process) silent = spawn_client(w, command, NULL);
    g_autoptr(Process) client = spawn_client(w, command, "--usage");
    wait_printed(w, silent, "web running\n");
    wait_printed_times(w, client, "web has no figures\n", 2);

    /* Another process of the service knows of no subscriber. */
    world_stop(w);
    unsigned ticks = count_printed(client, "web has no figures\n");
    world_start(w, uri, NULL);
    wait_printed_times(w, client, "web has no figures\n", ticks + 2);
    g_assert_cmpuint(count_printed(client, "db has no figures\n"), ==, 0);
    g_assert_cmpuint(count_printed(silent, "no figures\n"), ==, 0);
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
#define USAGE                                                                                      \
    {                                                                                              \
        "Usage", "(ta{oa{sv}})",                                                                   \
            "(7, {'" WEB "': {'stale': <false>, 'cpu': <2.125>, 'memory_used': <uint64 1>, "       \
            "'memory_rss': <uint64 536870912>}, '" DB "': {'stale': <true>}, "                     \
            "'" VMS_DOMAIN_PREFIX "/gone': {'stale': <false>, 'cpu': <1.0>}})"                     \
    }

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
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(argc, >, 1);
    command = argv + 1;
    g_test_add_func("/follow/pending", test_pending);
    g_test_add_func("/follow/usage", test_usage);
    g_test_add_func("/follow/rows", test_rows);
    g_test_add_func("/follow/renewal", test_renewal);
    g_test_add_func("/follow/other-process", test_other_process);
    g_test_add_func("/follow/liar", test_liar);
    g_test_add_func("/follow/refused", test_refused);
    return g_test_run();
}
