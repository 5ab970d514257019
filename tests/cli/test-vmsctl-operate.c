/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The commands that operate, and the jobs that they wait for. */

#include "fixture.h"

#include <string.h>

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

    /* A failure of one VM does not stop the others; the first failure is the status. */
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
    g_assert_nonnull(strstr(jobs->out, "JOB  VM     OPERATION  DONE  STARTED\n"));
    g_assert_nonnull(strstr(jobs->out, "  stuck  Stop          -  "));
    assert_vmsctl(w, BUSY, "reboot", "stuck");

    assert_prints(w, "", "cancel", stop->out);
    assert_prints(w, "No operation is under way.\n", "jobs");
    g_autofree char *gone =
        g_strdup_printf("vmsctl: %s: There is no such job, or it has ended\n", stop->out);
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

    /* The next one has no hypervisor, and so it does not know of the VM; it is not gone. */
    world_start(w, "--uri=test:///nowhere.xml", NULL);
    wait_printed(w, monitor, "VMs are not available: failed");
    world_stop(w);

    /* It goes on with the next one. */
    world_start(w, uri, "--stop-timeout=600", NULL);
    g_autoptr(Client) again = client_new(w);
    client_wait_available(again, true);
    assert_prints(w, "", "force-stop", "stuck");
    wait_printed(w, monitor, "stuck: shutdown → shutoff (destroyed)");
    g_autofree char *printed = process_stdout(monitor);
    g_assert_null(strstr(printed, "is gone"));
    process_signal(monitor, SIGTERM);
    g_assert_cmpint(process_wait(monitor, BOUND_MS), ==, OK);
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

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vmsctl-operate/operate", test_operate);
    g_test_add_func("/vmsctl-operate/jobs", test_jobs);
    g_test_add_func("/vmsctl-operate/waiting", test_waiting);
    g_test_add_func("/vmsctl-operate/interrupted", test_interrupted);
    g_test_add_func("/vmsctl-operate/service-leaves", test_service_leaves);
    g_test_add_func("/vmsctl-operate/saved", test_saved);
    return g_test_run();
}
