/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* vmsctl in a terminal: colours, progress, and what is typed. */

#include "run.h"

#include <string.h>

static Service *
service_with(const char *first, const char *second)
{
    g_autoptr(Node) node = node_new();

    node_add(node, "web", first);
    node_add(node, "mail", second);
    return service_on_node(node, "--stop-timeout=600", NULL);
}

static void
test_colours(void)
{
    g_autoptr(Service) s = service_with("running", "crashed");
    g_autoptr(Terminal) list = terminal_vmsctl(s->world, "list", NULL);

    g_assert_cmpint(terminal_wait(list), ==, OK);
    g_assert_nonnull(strstr(terminal_output(list), "\033[1mNAME\033[0m  "));
    g_assert_nonnull(strstr(terminal_output(list), "web   \033[32mrunning\033[0m  "));
    g_assert_nonnull(strstr(terminal_output(list), "mail  \033[31mcrashed\033[0m  "));

    g_setenv("NO_COLOR", "1", TRUE);
    g_autoptr(Terminal) plain = terminal_vmsctl(s->world, "list", NULL);
    g_assert_cmpint(terminal_wait(plain), ==, OK);
    g_assert_null(strchr(terminal_output(plain), '\033'));
    g_assert_nonnull(strstr(terminal_output(plain), "web   running  "));
    g_unsetenv("NO_COLOR");
}

static void
test_progress(void)
{
    g_autoptr(Service) s = service_with("shutdown", "shutdown");
    g_autoptr(Terminal) stop = terminal_vmsctl(s->world, "stop", "web", "mail", NULL);

    /* A line for each, that moves, and that is drawn over the last one. */
    terminal_expect(stop, "<=>");
    terminal_expect(stop, "Stop web\r\n");
    terminal_expect(stop, "Stop mail\r\n");
    terminal_expect(stop, "\033[2A\033[J");
    assert_prints(s->world, "", "force-stop", "mail");
    /* The failure of one takes no place among the lines of the other. */
    terminal_expect(stop, "vmsctl: mail: ");
    terminal_expect(stop, "\033[1A\033[J");
    terminal_type(stop, "\003");
    terminal_expect(stop, "Stop of web goes on; ");
    g_assert_cmpint(terminal_wait(stop), ==, INTERRUPTED);
    assert_prints(s->world, "", "force-stop", "web");
}

/* The exit status is that of a guest that obeyed; only the words differ. */
static void
test_power_cut(void)
{
    g_autoptr(Service) s = service_with("shutdown", "running");
    g_autoptr(Terminal) monitor = terminal_vmsctl(s->world, "monitor", NULL);

    terminal_expect(monitor, "mail: \033[32mrunning (");
    g_autoptr(Terminal) stop =
        terminal_vmsctl(s->world, "stop", "--timeout=5s", "web", "mail", NULL);
    terminal_expect(stop,
                    "web: the guest did not power off within its time; its power was cut\r\n");
    g_assert_cmpint(terminal_wait(stop), ==, OK);
    g_assert_null(strstr(terminal_output(stop), "mail: the guest"));
    terminal_expect(monitor, "web: \033[33mStop done: the guest did not power off within its time");
}

/* A transient domain is gone with its power, and so is the reason of its state. */
static void
test_power_cut_transient(void)
{
    g_autoptr(Node) node = node_new();

    node_add_domain(node, &(NodeDomain){.name = "web", .state = "shutdown", .transient = true});
    g_autoptr(Service) s = service_on_node(node, "--stop-timeout=600", NULL);
    g_autoptr(Process) json = spawn_vmsctl(s->world, "--json", "monitor", NULL);
    g_autoptr(Terminal) monitor = terminal_vmsctl(s->world, "monitor", NULL);

    wait_printed(s->world, json, "\"web\"");
    terminal_expect(monitor, "web: ");
    g_autoptr(Terminal) stop = terminal_vmsctl(s->world, "stop", "--timeout=200ms", "web", NULL);
    terminal_expect(stop,
                    "web: the guest did not power off within its time; its power was cut\r\n");
    g_assert_cmpint(terminal_wait(stop), ==, OK);
    terminal_expect(monitor, "web: \033[33mStop done: the guest did not power off within its time");
    wait_printed(s->world, json, "\"remark\":\"the guest did not power off within its time");
}

static void
test_edit_again(void)
{
    g_autoptr(Service) s = service_with("shutoff", "running");

    /* The first attempt is refused, the second one is good. */
    g_autofree char *file = g_build_filename(world_directory(s->world), "editor", NULL);
    g_assert_true(g_file_set_contents(
        file,
        "if grep -q '<nonsense' \"$1\"; then sed -i s/nonsense/domain/g \"$1\"; sed -i "
        "'s|</name>|</name><title>Edited</title>|' \"$1\"; else sed -i s/domain/nonsense/g \"$1\"; "
        "fi",
        -1, NULL));
    g_autofree char *editor = g_strdup_printf("sh %s", file);
    g_autofree char *path = client_domain(s->client, "web");

    g_setenv("VISUAL", editor, TRUE);
    g_autoptr(Terminal) edit = terminal_vmsctl(s->world, "edit", "web", NULL);
    terminal_expect(edit, "Edit again? [Y/n] ");
    terminal_type(edit, "y\n");
    g_assert_cmpint(terminal_wait(edit), ==, OK);
    wait_for(s->world, mirror_is(s->mirror, path, "Title", "Edited"));

    g_setenv("VISUAL", "sed -i s/domain/nonsense/", TRUE);
    g_autoptr(Terminal) refused = terminal_vmsctl(s->world, "edit", "web", NULL);
    terminal_expect(refused, "Edit again? [Y/n] ");
    terminal_type(refused, "n\n");
    g_assert_cmpint(terminal_wait(refused), ==, FAILED);
    g_unsetenv("VISUAL");
}

static void
test_monitor(void)
{
    g_autoptr(Service) s = service_with("running", "shutoff");
    g_autoptr(Terminal) monitor = terminal_vmsctl(s->world, "monitor", NULL);

    terminal_expect(monitor, "web: \033[32mrunning (");
    assert_prints(s->world, "", "stop", "web");
    terminal_expect(monitor, "web: \033[90mrunning → shutoff (shut-down)\033[0m\r\n");
    terminal_type(monitor, "\003");
    g_assert_cmpint(terminal_wait(monitor), ==, OK);
    g_assert_true(terminal_is_cooked(monitor));
}

/* Bytes of a picture are no text. */
static void
test_screenshot(void)
{
    g_autoptr(Service) s = service_with("running", "shutoff");
    g_autoptr(Terminal) shot = terminal_vmsctl(s->world, "screenshot", "web", "-", NULL);

    terminal_expect(shot, "vmsctl: A picture cannot be written to a terminal");
    g_assert_cmpint(terminal_wait(shot), ==, USAGE);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vmsctl-terminal/colours", test_colours);
    g_test_add_func("/vmsctl-terminal/progress", test_progress);
    g_test_add_func("/vmsctl-terminal/power-cut", test_power_cut);
    g_test_add_func("/vmsctl-terminal/power-cut-transient", test_power_cut_transient);
    g_test_add_func("/vmsctl-terminal/edit-again", test_edit_again);
    g_test_add_func("/vmsctl-terminal/monitor", test_monitor);
    g_test_add_func("/vmsctl-terminal/screenshot", test_screenshot);
    return g_test_run();
}
