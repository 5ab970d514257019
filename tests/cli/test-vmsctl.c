/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* vmsctl in a pipe, as scripts use it: output to the byte, exit statuses, errors of one line. */

#include "config.h"
#include "run.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static Service *
service_with_three(void)
{
    g_autoptr(Node) node = node_new();

    node_add_domain(node,
                    &(NodeDomain){.name = "web", .state = "running", .title = "The web server"});
    node_add(node, "two words", "paused");
    node_add(node, "off", "shutoff");
    return service_on_node(node, "--stop-timeout=2", NULL);
}

static void
assert_state(Service *s, const char *name, const char *state)
{
    g_autofree char *path = client_domain(s->client, name);

    wait_for(s->world, mirror_is(s->mirror, path, "State", state));
}

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

/* Nobody serves the name, or not this one. */
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
                 "vmsctl: \"on\" is no state; there are: nostate, running, idle, paused, "
                 "shutdown, shutoff, crashed, pmsuspended",
                 "list", "--state=on");
}

/* What follows VMs refuses those that are not there, and numbers that mean nothing. */
static void
test_wrong_vm(void)
{
    g_autoptr(Service) s = service_with_three();
    World *w = s->world;

    assert_vmsctl(w, NO_SUCH_VM, "monitor", "web", "nobody");
    assert_vmsctl(w, NO_SUCH_VM, "top", "-n", "1", "web", "nobody");
    g_autoptr(Run) top = run_vmsctl(w, "top", "-n", "1", "web", NULL);
    run_assert(top, OK, __FILE__, __LINE__);
    g_assert_nonnull(strstr(top->out, "web"));
    g_assert_null(strstr(top->out, "two words"));
    assert_fails(w, USAGE, "vmsctl: It cannot leave after 0 tables", "top", "-n", "0");
    assert_fails(w, USAGE, "vmsctl: Keys cannot be held down for -1 ms", "send-key", "--hold=-1",
                 "web", "a");
    assert_fails(w, USAGE, "vmsctl: There are no -3 lines of the journal", "status", "-n", "-3",
                 "web");
}

/* What another program makes of the JSON. */
static void
assert_json(World *w, const char *expression, const char *expected, const char *verb,
            const char *argument)
{
    g_autoptr(Run) json = run_vmsctl(w, "--json", verb, argument, NULL);
    g_autofree char *script =
        g_strdup_printf("import json, sys; x = json.loads(sys.argv[1]); print(%s)", expression);
    g_autoptr(Run) python =
        run_program(w, (const char *const[]){"/usr/bin/python3", "-c", script, json->out, NULL});

    run_assert(python, OK, __FILE__, __LINE__);
    g_assert_cmpstr(g_strchomp(python->out), ==, expected);
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
    g_autoptr(Run) top = run_vmsctl(s->world, "--json", "top", "--iterations=1", "web", NULL);
    g_autofree char *begin = g_strdup_printf("{\"%s\":{", web);
    run_assert(top, OK, __FILE__, __LINE__);
    g_assert_true(g_str_has_prefix(top->out, begin));
    g_assert_null(strstr(top->out + strlen(begin), VMS_DOMAIN_PREFIX));
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
test_operate(void)
{
    g_autoptr(Service) s = service_with_three();
    World *w = s->world;
    g_autofree char *off = node_uuid(2);

    assert_prints(w, "", "start", off, "two words");
    assert_state(s, "off", "running");
    assert_state(s, "two words", "running");
    assert_prints(w, "", "pause", "off");
    assert_state(s, "off", "paused");
    assert_fails(w, INVALID_STATE, "vmsctl: off: Pause is not possible: \"off\" is paused", "pause",
                 "off");
    assert_prints(w, "", "resume", "off");
    assert_prints(w, "", "stop", "off", "web");
    assert_state(s, "web", "shutoff");
    assert_prints(w, "", "start", "web");
    assert_prints(w, "", "reboot", "web");
    assert_prints(w, "", "reset", "web");
    assert_state(s, "web", "running");
    assert_prints(w, "", "force-stop", "web");
    assert_state(s, "web", "shutoff");
    assert_vmsctl(w, INVALID_STATE, "force-stop", "web");
    assert_vmsctl(w, NO_SUCH_VM, "start", "nobody");
    assert_vmsctl(w, USAGE, "stop", "--timeout=soon", "web");
    assert_vmsctl(w, USAGE, "start", "--timeout=1", "web");

    /* What cannot be done for one does not stop the others; the first failure is the status. */
    g_autoptr(Run) run = run_vmsctl(w, "start", "nobody", "web", "two words", NULL);
    g_assert_cmpint(run->status, ==, NO_SUCH_VM);
    assert_state(s, "web", "running");
}

/* A guest that is shutting down stays so for ever on the test driver. */
static Service *
service_with_stuck(void)
{
    g_autoptr(Node) node = node_new();

    node_add(node, "stuck", "shutdown");
    node_add(node, "stuck too", "shutdown");
    return service_on_node(node, "--stop-timeout=600", NULL);
}

static void
test_jobs(void)
{
    g_autoptr(Service) s = service_with_stuck();
    World *w = s->world;

    assert_prints(w, "No operation is under way.\n", "jobs");
    g_autoptr(Run) stop = run_vmsctl(w, "stop", "--no-wait", "stuck", NULL);
    run_assert(stop, OK, __FILE__, __LINE__);
    g_strchomp(stop->out);
    g_assert_cmpint(strspn(stop->out, "0123456789"), ==, (int)strlen(stop->out));

    g_autoptr(Run) jobs = run_vmsctl(w, "jobs", NULL);
    g_assert_true(g_str_has_prefix(jobs->out, "JOB  VM     OPERATION  DONE  STARTED\n"));
    g_assert_nonnull(strstr(jobs->out, "  stuck  Stop          -  "));
    assert_vmsctl(w, BUSY, "reboot", "stuck");

    assert_prints(w, "", "cancel", stop->out);
    assert_prints(w, "No operation is under way.\n", "jobs");
    g_autofree char *gone =
        g_strdup_printf("vmsctl: %s: There is no such job, or it is over\n", stop->out);
    g_autoptr(Run) again = run_vmsctl(w, "cancel", stop->out, NULL);
    g_assert_cmpint(again->status, ==, INVALID_STATE);
    g_assert_cmpstr(again->err, ==, gone);
    assert_fails(w, INVALID_STATE, "vmsctl: stuck: No operation is under way", "cancel", "stuck");
    assert_vmsctl(w, NO_SUCH_VM, "cancel", "nobody");
    assert_state(s, "stuck", "shutdown");
}

static void
test_waiting(void)
{
    g_autoptr(Service) s = service_with_stuck();
    World *w = s->world;
    g_autofree char *path = client_domain(s->client, "stuck");

    /* Somebody cancels what is waited for. */
    g_autoptr(Process) stop = spawn_vmsctl(w, "stop", "stuck", NULL);
    wait_for(w, !mirror_is(s->mirror, path, "Job", "/"));
    assert_prints(w, "", "cancel", "stuck");
    g_assert_cmpint(process_wait(stop, BOUND_MS), ==, CANCELED);
    g_autofree char *said = process_stderr(stop);
    g_assert_true(g_str_has_prefix(said, "vmsctl: stuck: "));

    /* The time is up, and nothing is to be forced. */
    assert_vmsctl(w, TIMEOUT, "stop", "--no-force", "--timeout=200ms", "stuck", "stuck too");
    assert_state(s, "stuck", "shutdown");
    /* Two at once, forced. */
    assert_prints(w, "", "stop", "--timeout", "0.2", "stuck", "stuck too");
    assert_state(s, "stuck", "shutoff");
    assert_state(s, "stuck too", "shutoff");
}

static void
test_interrupted(void)
{
    g_autoptr(Service) s = service_with_stuck();
    World *w = s->world;
    g_autofree char *path = client_domain(s->client, "stuck");
    g_autoptr(Process) stop = spawn_vmsctl(w, "stop", "stuck", NULL);

    wait_for(w, !mirror_is(s->mirror, path, "Job", "/"));
    /* SIGINT is bit 1, SIGTERM bit 14: it waits. Before that it would just die of it. */
    wait_status(w, stop, "SigBlk:\t0000000000004002");
    process_signal(stop, SIGINT);
    g_assert_cmpint(process_wait(stop, BOUND_MS), ==, INTERRUPTED);
    g_autofree char *said = process_stderr(stop);
    g_assert_true(g_str_has_prefix(said, "Stop of stuck goes on; \"vmsctl cancel "));
    g_assert_false(mirror_is(s->mirror, path, "Job", "/"));
    assert_prints(w, "", "force-stop", "stuck");
}

static void
test_service_leaves(void)
{
    g_autoptr(World) w = world_new();
    g_autoptr(Node) node = node_new();

    node_add(node, "stuck", "shutdown");
    g_autofree char *uri = node_uri_option(node, w);
    world_start(w, uri, "--stop-timeout=600", NULL);
    g_autoptr(Client) c = client_new(w);
    client_wait_available(c, true);

    g_autoptr(Process) stop = spawn_vmsctl(w, "stop", "stuck", NULL);
    g_autoptr(Process) monitor = spawn_vmsctl(w, "monitor", NULL);
    wait_printed(w, monitor, "stuck: Stop started");
    world_stop(w);
    int status = process_wait(stop, BOUND_MS);
    g_assert_true(status == NOT_AVAILABLE || status == CANCELED || status == FAILED);
    wait_printed(w, monitor, "The service left the bus");

    /* It goes on with the next one. */
    world_start(w, uri, "--stop-timeout=600", NULL);
    g_autoptr(Client) again = client_new(w);
    client_wait_available(again, true);
    assert_prints(w, "", "force-stop", "stuck");
    wait_printed(w, monitor, "stuck: shutdown → shutoff (destroyed)");
    process_signal(monitor, SIGTERM);
    g_assert_cmpint(process_wait(monitor, BOUND_MS), ==, OK);
}

/* Scripts learn that a list is not whole. */
static void
test_full(void)
{
    g_autoptr(Service) s = service_with_three();
    const char *list[] = {"sh", "-c", "exec \"$VMSCTL\" list >/dev/full", NULL};

    g_autoptr(Run) run = run_program(s->world, list);
    run_assert(run, FAILED, __FILE__, __LINE__);
    g_assert_cmpstr(run->err, ==, "vmsctl: The output could not be written\n");
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
}

static char *
write_file(World *w, const char *name, const char *text)
{
    char *file = g_build_filename(world_directory(w), name, NULL);

    g_assert_true(g_file_set_contents(file, text, -1, NULL));
    return file;
}

static void
test_configure(void)
{
    g_autoptr(Service) s = service_with_three();
    World *w = s->world;
    g_autofree char *xml =
        node_domain_xml(&(NodeDomain){.name = "new", .state = "shutoff", .uuid = NULL});
    g_autofree char *file = write_file(w, "new.xml", xml);
    g_autofree char *bad = write_file(w, "bad.xml", "<nonsense/>");
    g_autofree char *binary = write_file(w, "binary.xml", "\xff\xfe");
    g_autofree char *path = client_domain(s->client, "web");

    assert_prints(w, "", "define", file);
    assert_state(s, "new", "shutoff");
    assert_vmsctl(w, FAILED, "define", bad);
    assert_vmsctl(w, USAGE, "define", binary);
    assert_vmsctl(w, FAILED, "define", "/nonexistent");
    assert_prints(w, "", "undefine", "new");
    assert_vmsctl(w, NO_SUCH_VM, "undefine", "new");

    assert_prints(w, "", "autostart", "web", "off", "on");
    wait_for(w, mirror_is(s->mirror, path, "Autostart", "true"));
    assert_prints(w, "", "autostart", "web", "off");
    wait_for(w, mirror_is(s->mirror, path, "Autostart", "false"));
    assert_vmsctl(w, USAGE, "autostart", "web", "maybe");

    g_autoptr(Run) shown = run_vmsctl(w, "xml", "--inactive", "web", NULL);
    run_assert(shown, OK, __FILE__, __LINE__);
    g_assert_true(g_str_has_prefix(shown->out, "<domain type='test'"));
    g_assert_true(g_str_has_suffix(shown->out, "</domain>\n"));
    assert_prints(w, "", "reconnect");
}

static void
test_edit(void)
{
    g_autoptr(Service) s = service_with_three();
    World *w = s->world;
    g_autofree char *path = client_domain(s->client, "off");
    g_autofree char *seen = g_build_filename(world_directory(w), "seen", NULL);
    g_autofree char *look =
        g_strdup_printf("/bin/sh -c 'stat -c %%a \"$1\" >%s; dirname \"$1\" >>%s' -", seen, seen);
    g_autofree char *text = NULL;

    g_setenv("TMPDIR", world_directory(w), TRUE);
    g_setenv("VISUAL", "true", TRUE);
    assert_fails(w, OK, "Nothing was changed.", "edit", "off");
    g_setenv("VISUAL", "sed -i 's|</name>|</name><title>Another title</title>|'", TRUE);
    assert_prints(w, "", "edit", "off");
    wait_for(w, mirror_is(s->mirror, path, "Title", "Another title"));
    g_setenv("VISUAL", "sed -i s/domain/nonsense/", TRUE);
    assert_vmsctl(w, FAILED, "edit", "off");
    g_setenv("VISUAL", "false", TRUE);
    assert_vmsctl(w, FAILED, "edit", "off");
    assert_vmsctl(w, NO_SUCH_VM, "edit", "nobody");

    /* What may hold passwords is for nobody else, and is not left behind. */
    g_setenv("VISUAL", look, TRUE);
    assert_fails(w, OK, "Nothing was changed.", "edit", "web");
    g_assert_true(g_file_get_contents(seen, &text, NULL, NULL));
    g_assert_true(g_str_has_prefix(text, "600\n"));
    g_assert_nonnull(strstr(text, world_directory(w)));
    g_autoptr(GDir) directory = g_dir_open(world_directory(w), 0, NULL);
    for (const char *name; (name = g_dir_read_name(directory));)
        g_assert_false(g_str_has_prefix(name, "vmsctl-"));
    g_unsetenv("VISUAL");
    g_unsetenv("TMPDIR");
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

/* libvirt is not there: what can be told is told. */
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
    g_assert_nonnull(strstr(service->out, "        Next: nothing listens there"));
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

/* Through ssh, but for the network: what is said there to the other machine is run here. */
static void
test_host(void)
{
    g_autoptr(Service) s = service_with_three();
    World *w = s->world;
    g_autofree char *ssh = write_file(w, "ssh",
                                      "#!/bin/sh\n"
                                      "echo \"$@\" >\"$0.said\"\n"
                                      "exec systemd-stdio-bridge --bus-path=\"$VMS_REMOTE_BUS\"\n");
    g_autofree char *said = g_strconcat(ssh, ".said", NULL);
    g_autofree char *before = g_strdup(g_getenv("PATH"));
    g_autofree char *path = g_strconcat(world_directory(w), ":", before, NULL);
    g_autofree char *words = NULL;

    g_assert_cmpint(g_chmod(ssh, 0755), ==, 0);
    g_setenv("VMS_REMOTE_BUS", world_address(w), TRUE);
    g_setenv("PATH", path, TRUE);
    assert_prints(w, "off\ntwo words\nweb\n", "--host=root@attic", "list", "--names");
    g_assert_true(g_file_get_contents(said, &words, NULL, NULL));
    g_assert_nonnull(strstr(words, "attic systemd-stdio-bridge"));
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
test_snapshots(void)
{
    g_autoptr(Service) s = service_with_three();
    World *w = s->world;

    assert_prints(w, "NAME  STATE  CURRENT  CREATED\n", "snapshot", "web");
    assert_prints(w, "", "snapshot", "web", "create", "one", "-d", "before the <upgrade>");
    assert_prints(w, "", "snapshot", "web", "create", "two");
    assert_json(w, "x[0]['Snapshots']['Count']", "2", "status", "web");
    g_autoptr(Run) list = run_vmsctl(w, "snapshot", "web", "list", "--no-legend", NULL);
    g_assert_true(
        g_regex_match_simple("^one +running +no +.*\\ntwo +running +yes +.*\\n$", list->out, 0, 0));
    g_autoptr(Run) xml = run_vmsctl(w, "snapshot", "web", "xml", "one", NULL);
    g_assert_nonnull(strstr(xml->out, "before the &lt;upgrade&gt;"));
    assert_prints(w, "", "stop", "web");
    assert_prints(w, "", "snapshot", "web", "revert", "one");
    assert_state(s, "web", "running");
    assert_prints(w, "", "snapshot", "web", "delete", "one", "--children");
    assert_prints(w, "[]\n", "--json", "snapshot", "web");
    assert_vmsctl(w, FAILED, "snapshot", "web", "delete", "one");
    assert_prints(w, "", "snapshot", "web", "create");
    assert_json(w, "x[0]['Snapshots']['Count']", "1", "status", "web");
    assert_vmsctl(w, USAGE, "snapshot", "web", "revert");
    assert_vmsctl(w, USAGE, "snapshot", "web", "list", "one");
    assert_vmsctl(w, USAGE, "snapshot", "web", "remove", "one");
}

static void
test_saved(void)
{
    g_autoptr(Service) s = service_with_three();
    World *w = s->world;

    assert_prints(w, "", "save", "web", "two words");
    assert_state(s, "web", "shutoff");
    assert_json(w, "x[0]['Saved']['HasManagedSave']", "True", "status", "web");
    assert_prints(w, "", "start", "web");
    assert_state(s, "web", "running");
    assert_prints(w, "", "discard", "two words");
    assert_json(w, "x[0]['Saved']['HasManagedSave']", "False", "status", "two words");
    assert_vmsctl(w, USAGE, "migrate", "web", "qemu+ssh://attic/system?command=sh");
}

static void
test_hardware(void)
{
    g_autoptr(Service) s = service_with_three();
    World *w = s->world;

    assert_vmsctl(w, USAGE, "set-memory", "web", "much");
    assert_vmsctl(w, USAGE, "set-vcpus", "web", "-1");
    assert_vmsctl(w, FAILED, "attach", "web", "/nonexistent");
    assert_vmsctl(w, FAILED, "set-memory", "--config", "off", "1T");
    assert_prints(w, "", "set-vcpus", "--config", "off", "1");
    assert_json(w, "x[0]['Config']['VCpus']", "1", "status", "off");
    assert_prints(w, "", "rename", "off", "away");
    assert_prints(w, "away\ntwo words\nweb\n", "list", "--names");
    assert_vmsctl(w, FAILED, "rename", "away", "web");
}

static void
test_completion(void)
{
    g_autoptr(Service) s = service_with_three();
    const char *script = g_getenv("VMSCTL_TEST_COMPLETION");

    g_assert_nonnull(script);
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
    g_test_add_func("/vmsctl/help", test_help);
    g_test_add_func("/vmsctl/usage", test_usage);
    g_test_add_func("/vmsctl/wrong-vm", test_wrong_vm);
    g_test_add_func("/vmsctl/no-service", test_no_service);
    g_test_add_func("/vmsctl/list", test_list);
    g_test_add_func("/vmsctl/json", test_json);
    g_test_add_func("/vmsctl/status", test_status);
    g_test_add_func("/vmsctl/operate", test_operate);
    g_test_add_func("/vmsctl/jobs", test_jobs);
    g_test_add_func("/vmsctl/waiting", test_waiting);
    g_test_add_func("/vmsctl/interrupted", test_interrupted);
    g_test_add_func("/vmsctl/service-leaves", test_service_leaves);
    g_test_add_func("/vmsctl/full", test_full);
    g_test_add_func("/vmsctl/monitor", test_monitor);
    g_test_add_func("/vmsctl/configure", test_configure);
    g_test_add_func("/vmsctl/edit", test_edit);
    g_test_add_func("/vmsctl/control-characters", test_control_characters);
    g_test_add_func("/vmsctl/denied", test_denied);
    g_test_add_func("/vmsctl/hypervisor-away", test_hypervisor_away);
    g_test_add_func("/vmsctl/instance", test_instance);
    g_test_add_func("/vmsctl/host", test_host);
    g_test_add_func("/vmsctl/not-offered", test_not_offered);
    g_test_add_func("/vmsctl/snapshots", test_snapshots);
    g_test_add_func("/vmsctl/saved", test_saved);
    g_test_add_func("/vmsctl/hardware", test_hardware);
    g_test_add_func("/vmsctl/completion", test_completion);
    return g_test_run();
}
