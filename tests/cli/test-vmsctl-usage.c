/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* vmsctl's options, and the services, buses and hosts that it reaches or does not reach. */

#include "config.h"
#include "fixture.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static void
test_help(void)
{
    g_autoptr(World) w = world_new();
    g_autoptr(Run) overview = run_vmsctl(w, "--help", NULL);
    g_auto(GStrv) lines = g_strsplit(overview->out, "\n", -1);
    unsigned verbs = 0;

    run_assert(overview, OK, __FILE__, __LINE__);
    for (char **line = lines; *line; line++) {
        /* "  verb ARGUMENTS   summary" */
        if (!g_str_has_prefix(*line, "  ") || !g_ascii_islower((*line)[2]) ||
            g_str_has_prefix(*line, "  vmsctl"))
            continue;
        g_auto(GStrv) words = g_strsplit(*line + 2, " ", 2);
        g_autofree char *usage = g_strdup_printf("Usage:\n  vmsctl %s [OPTION", words[0]);
        g_autoptr(Run) help = run_vmsctl(w, words[0], "--help", NULL);

        run_assert(help, OK, __FILE__, __LINE__);
        g_assert_true(g_str_has_prefix(help->out, usage));
        g_assert_nonnull(strstr(help->out, "--no-ask-password"));
        g_assert_cmpstr(help->err, ==, "");
        verbs++;
    }
    g_assert_cmpuint(verbs, >=, 30);
}

static void
test_usage(void)
{
    g_autoptr(World) w = world_new();

    assert_fails(w, USAGE, "vmsctl: Unknown command \"lits\"; try \"vmsctl --help\"", "lits");
    assert_fails(w, USAGE, "vmsctl: Unknown option --nonsense; try \"vmsctl --help\"",
                 "--nonsense");
    assert_fails(w, USAGE, "vmsctl: Unknown option --nonsense; try \"vmsctl list --help\"", "list",
                 "--nonsense");
    assert_fails(w, USAGE, "vmsctl: Too few arguments; try \"vmsctl start --help\"", "start");
    assert_fails(w, USAGE, "vmsctl: Too many arguments; try \"vmsctl jobs --help\"", "jobs", "x");
    assert_fails(w, USAGE, "vmsctl: Only one of --session, --address and --host can be given",
                 "--session", "--host=x", "list");
    assert_fails(w, USAGE, "vmsctl: \"a b\" cannot be the name of an instance", "--instance=a b");
    assert_fails(w, NOT_AVAILABLE, "vmsctl: Cannot connect to the bus: No such file or directory",
                 "--address=unix:path=/nonexistent/bus");
    /* As ssh ends that does not reach the other host. */
    assert_vmsctl(w, NOT_AVAILABLE, "--address=unixexec:path=false", "list");
    assert_prints(w, "vmsctl " PROJECT_VERSION "\n", "--version");
}

/* A short option takes its value attached or as the next word; "--" ends the options. */
static void
test_options(void)
{
    g_autoptr(Service) s = service_with_three();
    World *w = s->world;

    assert_prints(w, "web\n", "list", "--names", "-srunning");
    assert_prints(w, "web\n", "list", "--names", "-s", "running");
    assert_prints(w, "two words\nweb\n", "list", "-srunning,paused", "--names");
    assert_prints(w, "[]\n", "list", "-jscrashed");
    assert_prints(w, "[]\n", "-j", "list", "-s", "crashed");
    assert_prints(w, "", "snapshot", "web", "create", "-dbefore the upgrade", "one");
    assert_vmsctl(w, OK, "top", "-n1", "-d1");
    assert_vmsctl(w, OK, "status", "-n0", "web");
    assert_vmsctl(w, NOT_AVAILABLE, "-inobody", "list");
    assert_fails(w, USAGE, "vmsctl: Missing argument for -n; try \"vmsctl status --help\"",
                 "status", "web", "-n");
    assert_fails(w, USAGE, "vmsctl: The number of journal entries cannot be negative", "status",
                 "-n-1", "web");
    assert_fails(w, USAGE, "vmsctl: Unknown option -q1; try \"vmsctl list --help\"", "list", "-q1");

    /* A word that looks like an option can be the value of one, or follow "--". */
    assert_prints(w, "", "snapshot", "web", "create", "-d", "-n5", "two");
    assert_prints(w, "", "snapshot", "web", "create", "--description", "--", "three");
    assert_vmsctl(w, NO_SUCH_VM, "pause", "--", "-n5");
    assert_prints(w, "", "pause", "--", "web");
    assert_vmsctl(w, NO_SUCH_VM, "resume", "web", "--", "-n5");
    assert_state(s, "web", "running");
    assert_vmsctl(w, NO_SUCH_VM, "pause", "--", "--");
}

/* The name has no owner, or no owner that is this service. */
static void
test_no_service(void)
{
    g_autoptr(World) w = world_new();

    assert_vmsctl(w, NOT_AVAILABLE, "list");
    assert_vmsctl(w, NOT_AVAILABLE, "service");
    assert_vmsctl(w, NOT_AVAILABLE, "start", "web");
    assert_vmsctl(w, NOT_AVAILABLE, "monitor");
    assert_vmsctl(w, NOT_AVAILABLE, "jobs");
}

/* The exit status tells scripts that a list may be out of date. */
static void
test_full(void)
{
    g_autoptr(Service) s = service_with_three();
    const char *list[] = {"sh", "-c", "exec \"$VMSCTL\" list >/dev/full", NULL};

    g_autoptr(Run) run = run_program(s->world, list);
    run_assert(run, FAILED, __FILE__, __LINE__);
    g_assert_cmpstr(run->err, ==, "vmsctl: The output could not be written\n");
}

/* An ordinary user reads, and is refused all else. */
static void
test_denied(void)
{
    g_autoptr(Service) s = service_with_three();

    if (!can_be_ordinary_user())
        return;
    const char *program = g_getenv("VMSCTL");
    const char *list[] = {"setpriv", "--reuid=65534", "--clear-groups", program, "list", "--names",
                          NULL};
    const char *stop[] = {"setpriv", "--reuid=65534", "--clear-groups", program, "stop", "web",
                          NULL};

    g_autoptr(Run) listed = run_program(s->world, list);
    run_assert(listed, OK, __FILE__, __LINE__);
    g_assert_cmpstr(listed->out, ==, "off\ntwo words\nweb\n");
    g_autoptr(Run) stopped = run_program(s->world, stop);
    run_assert(stopped, DENIED, __FILE__, __LINE__);
    g_assert_true(g_str_has_prefix(stopped->err, "vmsctl: web: "));
    assert_state(s, "web", "running");
}

/* A row in a line, for root alone. */
static void
test_debug(void)
{
    g_autoptr(Service) s = service_with_three();

    if (!can_be_ordinary_user())
        return;
    const char *program = g_getenv("VMSCTL");
    const char *other[] = {
        "setpriv", "--reuid=65534", "--clear-groups", program, "service", "--debug", NULL};

    g_autoptr(Run) text = run_vmsctl(s->world, "service", "--debug", NULL);
    run_assert(text, OK, __FILE__, __LINE__);
    g_assert_true(g_regex_match_simple("^lanes: .*\\bstate=", text->out, G_REGEX_MULTILINE, 0));
    g_assert_true(
        g_regex_match_simple("^budgets: .*\\bcalls=\\d", text->out, G_REGEX_MULTILINE, 0));
    g_assert_true(g_regex_match_simple("^generation: 1$", text->out, G_REGEX_MULTILINE, 0));
    assert_json(s->world, "x['generation'], len(x['lanes']) > 0", "1 True", "service", "--debug");
    g_autoptr(Run) denied = run_program(s->world, other);
    run_assert(denied, DENIED, __FILE__, __LINE__);
    g_assert_cmpstr(denied->out, ==, "");
}

/* Without libvirt the commands show what is known. */
static void
test_hypervisor_away(void)
{
    g_autoptr(World) w = world_new();
    g_autoptr(Run) service = NULL;

    world_start(w, "--uri=qemu+unix:///system?socket=/nonexistent/socket", NULL);
    g_autoptr(Run) list = run_vmsctl(w, "list", NULL);
    run_assert(list, NOT_AVAILABLE, __FILE__, __LINE__);
    g_assert_true(g_str_has_prefix(list->err, "vmsctl: VMs are not available: "));
    assert_vmsctl(w, NOT_AVAILABLE, "start", "web");

    service = run_vmsctl(w, "service", NULL);
    run_assert(service, NOT_AVAILABLE, __FILE__, __LINE__);
    g_assert_nonnull(strstr(service->out, "      Status: stopped since "));
    g_assert_nonnull(strstr(service->out, "      Reason: "));
    g_assert_nonnull(strstr(service->out, "        Next: nothing listens at this URI"));
}

static void
test_instance(void)
{
    g_autoptr(World) w = world_new();

    world_start(w, "--uri=test:///default", "--name=org.unraid.Vms.attic", NULL);
    assert_vmsctl(w, NOT_AVAILABLE, "list");
    assert_prints(w, "test\n", "--instance=attic", "list", "--names");
    assert_prints(w, "test\n", "list", "-i", "attic", "--names");
    g_autofree char *address = g_strconcat("--address=", world_address(w), NULL);
    assert_prints(w, "test\n", address, "-i", "attic", "list", "--names");
    assert_prints(w, "", "-i", "attic", "stop", "test");
}

typedef struct {
    const char *name;
    const char *script;
} Bridge;

static const Bridge bridges[] = {
    {"systemd-stdio-bridge", "exec $SYSTEMD_BRIDGE --bus-path=\"$DBUS_SYSTEM_BUS_ADDRESS\""},
    {"elogind-stdio-bridge", "exec $SYSTEMD_BRIDGE --bus-path=\"$DBUS_SYSTEM_BUS_ADDRESS\""},
    {"vmsctl", "exec $VMSCTL \"$@\""},
};

/* The other host: a directory with the programs that its user finds. */
static void
make_host(World *w, const Bridge *bridge)
{
    g_autofree char *directory = g_build_filename(world_directory(w), "attic", NULL);
    g_autofree char *sh = g_build_filename(directory, "sh", NULL);
    g_autofree char *name = g_build_filename("attic", bridge->name, NULL);
    g_autofree char *script = g_strconcat("#!/bin/sh\n", bridge->script, "\n", NULL);

    g_assert_cmpint(g_mkdir(directory, 0700), ==, 0);
    g_assert_cmpint(symlink("/bin/sh", sh), ==, 0);
    g_autofree char *program = write_file(w, name, script);
    g_assert_cmpint(g_chmod(program, 0755), ==, 0);
}

/* Through ssh, except for the network: the command for the other host's shell is run here. */
static void
test_host(const void *data)
{
    const Bridge *bridge = data;
    g_autofree char *systemd_bridge = g_find_program_in_path("systemd-stdio-bridge");

    if (!systemd_bridge && strstr(bridge->script, "SYSTEMD_BRIDGE")) {
        g_test_skip("systemd-stdio-bridge is not installed");
        return;
    }
    g_autoptr(Service) s = service_with_three();
    World *w = s->world;
    g_autofree char *ssh =
        write_file(w, "ssh",
                   "#!/bin/sh\n"
                   "echo \"$@\" >\"$0.said\"\n"
                   "for command; do :; done\n"
                   "export DBUS_SYSTEM_BUS_ADDRESS=\"$VMS_REMOTE_BUS\" PATH=\"${0%/*}/attic\"\n"
                   "exec /bin/sh -c \"$command\"\n");
    g_autofree char *said = g_strconcat(ssh, ".said", NULL);
    g_autofree char *before = g_strdup(g_getenv("PATH"));
    g_autofree char *path = g_strconcat(world_directory(w), ":", before, NULL);
    g_autofree char *words = NULL;

    make_host(w, bridge);
    g_assert_cmpint(g_chmod(ssh, 0755), ==, 0);
    g_setenv("SYSTEMD_BRIDGE", systemd_bridge ? systemd_bridge : "", TRUE);
    g_setenv("VMS_REMOTE_BUS", world_address(w), TRUE);
    g_setenv("PATH", path, TRUE);
    assert_prints(w, "off\ntwo words\nweb\n", "--host=root@attic:2222", "list", "--names");
    g_assert_true(g_file_get_contents(said, &words, NULL, NULL));
    g_assert_true(g_str_has_prefix(words, "-xT -p 2222 -- root@attic exec sh -c "));
    assert_prints(w, "", "-H", "attic", "start", "off");
    assert_state(s, "off", "running");
    /* Descriptors do not pass. */
    assert_vmsctl(w, NOT_OFFERED, "-H", "attic", "console", "web");
    assert_vmsctl(w, NOT_OFFERED, "-H", "attic", "screenshot", "web", "x.png");
    g_setenv("PATH", before, TRUE);
}

/* A service of an early version, which knows a machine and its state, and nothing else. */
static int
get_domain(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    return sd_bus_reply_method_return(m, "o", VMS_DOMAIN_PREFIX "/old");
}

static const sd_bus_vtable old_manager[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("GetDomain", "s", "o", get_domain, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};
static const sd_bus_vtable old_domain[] = {SD_BUS_VTABLE_START(0), SD_BUS_VTABLE_END};

static void
assert_not_offered(World *w, const char *method, const char *verb, const char *argument)
{
    g_autoptr(Process) p = spawn_vmsctl(w, "-i", "old", verb, "web", argument, NULL);
    g_autofree char *says =
        g_strdup_printf("vmsctl: web: This service does not offer org.unraid.Vms.%s\n", method);

    wait_ended(w, p);
    g_assert_cmpint(process_wait(p, BOUND_MS), ==, NOT_OFFERED);
    g_autofree char *said = process_stderr(p);
    g_assert_cmpstr(said, ==, says);
}

static void
test_not_offered(void)
{
    g_autoptr(World) w = world_new();
    g_autoptr(Client) c = client_new(w);
    g_autofree char *png = g_build_filename(world_directory(w), "x.png", NULL);

    g_assert_cmpint(sd_bus_add_object_vtable(c->bus, NULL, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE,
                                             old_manager, NULL),
                    >=, 0);
    g_assert_cmpint(sd_bus_add_object_vtable(c->bus, NULL, VMS_DOMAIN_PREFIX "/old",
                                             VMS_DOMAIN_INTERFACE, old_domain, NULL),
                    >=, 0);
    g_assert_cmpint(sd_bus_request_name(c->bus, VMS_BUS_NAME ".old", 0), >=, 0);
    assert_not_offered(w, "Snapshots.List", "snapshot", NULL);
    assert_not_offered(w, "Config.SetMemory", "set-memory", "512M");
    assert_not_offered(w, "Config.SetVCpus", "set-vcpus", "2");
    assert_not_offered(w, "Config.Rename", "rename", "mail");
    assert_not_offered(w, "Saved.Save", "save", NULL);
    assert_not_offered(w, "Saved.Discard", "discard", NULL);
    assert_not_offered(w, "Migration.Migrate", "migrate", "qemu+ssh://attic/system");
    assert_not_offered(w, "Guest.GetAddresses", "addresses", NULL);
    assert_not_offered(w, "Display.OpenConsole", "console", NULL);
    assert_not_offered(w, "Display.Screenshot", "screenshot", png);
    assert_not_offered(w, "Display.SendKeys", "send-key", "a");
    assert_not_offered(w, "Domain.Pause", "pause", NULL);
}

static void
test_completion(void)
{
    g_autoptr(Service) s = service_with_hardware();
    const char *script = g_getenv("VMSCTL_TEST_COMPLETION");

    g_autofree char *xml = node_domain_xml(&(NodeDomain){.name = "z\\'$z"});
    g_autofree char *file = g_build_filename(world_directory(s->world), "z.xml", NULL);

    g_assert_nonnull(script);
    g_assert_true(g_file_set_contents(file, xml, -1, NULL));
    assert_prints(s->world, "", "define", file);
    assert_prints(s->world, "", "snapshot", "z\\'$z", "create", "first");
    assert_prints(s->world, "", "snapshot", "web", "create", "before the upgrade");
    assert_prints(s->world, "", "snapshot", "web", "create", "later");
    g_autoptr(Run) run = run_program(s->world, (const char *const[]){"bash", script, NULL});
    if (run->status == 77) {
        g_test_skip(g_strchomp(run->err));
        return;
    }
    run_assert(run, OK, __FILE__, __LINE__);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vmsctl-usage/help", test_help);
    g_test_add_func("/vmsctl-usage/usage", test_usage);
    g_test_add_func("/vmsctl-usage/options", test_options);
    g_test_add_func("/vmsctl-usage/no-service", test_no_service);
    g_test_add_func("/vmsctl-usage/full", test_full);
    g_test_add_func("/vmsctl-usage/denied", test_denied);
    g_test_add_func("/vmsctl-usage/debug", test_debug);
    g_test_add_func("/vmsctl-usage/hypervisor-away", test_hypervisor_away);
    g_test_add_func("/vmsctl-usage/instance", test_instance);
    for (size_t i = 0; i < G_N_ELEMENTS(bridges); i++) {
        g_autofree char *name = g_strconcat("/vmsctl-usage/host/", bridges[i].name, NULL);
        g_test_add_data_func(name, &bridges[i], test_host);
    }
    g_test_add_func("/vmsctl-usage/not-offered", test_not_offered);
    g_test_add_func("/vmsctl-usage/completion", test_completion);
    return g_test_run();
}
