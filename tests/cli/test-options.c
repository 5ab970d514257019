/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The command line of the daemon, and what it says when it cannot start. */

#include "config.h"
#include "service.h"

#include <signal.h>
#include <string.h>

static int
run(char **ret_out, char **ret_err, const char *option, ...)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    va_list ap;

    g_ptr_array_add(argv, (char *)world_program());
    va_start(ap, option);
    for (; option; option = va_arg(ap, const char *))
        g_ptr_array_add(argv, (char *)option);
    va_end(ap);
    g_ptr_array_add(argv, NULL);
    return process_run((const char *const *)argv->pdata, ret_out, ret_err);
}

/* Exactly one line, which says this. */
static void
check_one_line(const char *text, const char *words)
{
    g_test_message("%s", text);
    g_assert_true(g_str_has_suffix(text, "\n"));
    g_assert_true(strchr(text, '\n') == text + strlen(text) - 1);
    g_assert_nonnull(strstr(text, words));
}

static void
test_bad_options(void)
{
    static const struct {
        const char *option;
        const char *words;
    } bad[] = {
        {"--bogus", "bogus"},
        {"-x", "x"},
        {"word", "word"},
        {"--stop-timeout=soon", "soon"},
        {"--stop-timeout=", "stop-timeout"},
        {"--stop-timeout=-1", "-1"},
        {"--stop-timeout=99999999999999999999999", "99999999999999999999999"},
        {"--stop-timeout=1x", "1x"},
        {"--log-level=loud", "loud"},
        {"--guest-info=perhaps", "perhaps"},
        {"--name=", "name"},
        {"--name=nodots", "nodots"},
        {"--name=org.unraid.Vms.1st", "1st"},
        {"--name=:1.5", ":1.5"},
        {"--uri", "uri"},
        {"--name", "name"},
        {"--pid-file=", "pid-file"},
        {"--address=", "address"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *out = NULL, *err = NULL;
        int status = run(&out, &err, bad[i].option, NULL);
        g_test_message("%s: %d", bad[i].option, status);
        g_assert_cmpint(status, ==, 2);
        g_assert_cmpstr(out, ==, "");
        check_one_line(err, bad[i].words);
    }
}

static void
test_version(void)
{
    g_autofree char *out = NULL, *err = NULL;

    g_assert_cmpint(run(&out, &err, "--version", NULL), ==, 0);
    check_one_line(out, "unraid-vmsd " PROJECT_VERSION);
    g_assert_cmpstr(err, ==, "");
}

static void
test_help(void)
{
    static const char *const options[] = {
        "--system",        "--session",    "--address=",    "--name=",   "--uri=", "--pid-file=",
        "--stop-timeout=", "--log-level=", "--guest-info=", "--version", "--help"};
    g_autofree char *out = NULL, *err = NULL;

    g_assert_cmpint(run(&out, &err, "--help", NULL), ==, 0);
    for (guint i = 0; i < G_N_ELEMENTS(options); i++)
        g_assert_nonnull(strstr(out, options[i]));
    g_assert_cmpstr(err, ==, "");
}

static void
test_no_bus(void)
{
    static const char *const addresses[] = {"--address=unix:path=/nonexistent/bus",
                                            "--address=nonsense", "--address=unix:path=/"};

    for (guint i = 0; i < G_N_ELEMENTS(addresses); i++) {
        g_autofree char *out = NULL, *err = NULL;
        g_assert_cmpint(run(&out, &err, addresses[i], "--uri=test:///default", NULL), ==, 1);
        g_assert_cmpstr(out, ==, "");
        check_one_line(err, addresses[i] + strlen("--address="));
    }
}

static void
test_name_taken(void)
{
    g_autoptr(Service) s = service_new("--uri=test:///default", NULL);
    g_autofree char *address = g_strconcat("--address=", world_address(s->world), NULL);
    g_autofree char *out = NULL, *err = NULL;

    g_assert_cmpint(run(&out, &err, address, "--uri=test:///default", NULL), ==, 1);
    g_assert_cmpstr(out, ==, "");
    check_one_line(err, VMS_BUS_NAME);
}

static void
test_other_name(void)
{
    g_autoptr(Service) s =
        service_new("--name=org.unraid.Vms.second", "--uri=test:///default", NULL);
    g_autofree char *path = client_domain(s->client, "test");

    g_assert_cmpstr(s->client->destination, ==, "org.unraid.Vms.second");
    g_assert_true(mirror_is(s->mirror, path, "State", "running"));
}

/* Two instances on one bus do not touch each other. */
static void
test_two_instances(void)
{
    g_autoptr(Service) a = service_new("--uri=test:///default", "--stop-timeout=1", NULL);
    g_autofree char *address = g_strconcat("--address=", world_address(a->world), NULL);
    const char *const argv[] = {world_program(),           address,
                                "--name=org.unraid.Vms.b", "--uri=test:///default",
                                "--stop-timeout=1",        NULL};
    g_autoptr(Process) b = process_spawn(argv, -1);
    g_autoptr(Client) c = client_new(a->world);
    g_autofree char *path = client_domain(a->client, "test");

    g_free(c->destination);
    c->destination = g_strdup("org.unraid.Vms.b");
    client_wait_owned(c);
    client_wait_available(c, true);
    g_autoptr(Call) stop = client_call(c, path, VMS_DOMAIN_INTERFACE, "ForceStop", NULL);
    assert_ok(stop);
    assert_property(c, path, VMS_DOMAIN_INTERFACE, "State", "shutoff");
    assert_property(a->client, path, VMS_DOMAIN_INTERFACE, "State", "running");
    process_signal(b, SIGTERM);
    g_assert_cmpint(process_wait(b, BOUND_MS), ==, 0);
}

/* --uri, else LIBVIRT_URI, else LIBVIRT_DEFAULT_URI. */
static void
test_uri_from_environment(void)
{
    static const struct {
        const char *uri, *default_uri, *option, *expected;
    } cases[] = {
        {"test:///default?a", "test:///default?b", "--uri=test:///default", "test:///default"},
        {"test:///default?a", "test:///default?b", NULL, "test:///default?a"},
        {NULL, "test:///default?b", NULL, "test:///default?b"},
        {"", "test:///default?b", NULL, "test:///default?b"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_unsetenv("LIBVIRT_URI");
        g_unsetenv("LIBVIRT_DEFAULT_URI");
        if (cases[i].uri)
            g_setenv("LIBVIRT_URI", cases[i].uri, true);
        if (cases[i].default_uri)
            g_setenv("LIBVIRT_DEFAULT_URI", cases[i].default_uri, true);
        g_autoptr(World) w = world_new();
        world_start(w, cases[i].option, NULL);
        g_autoptr(Client) c = client_new(w);
        assert_property(c, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "Uri", cases[i].expected);
    }
    g_unsetenv("LIBVIRT_URI");
    g_unsetenv("LIBVIRT_DEFAULT_URI");
}

static void
test_default_stop_timeout(void)
{
    g_autoptr(Service) s = service_new("--uri=test:///default", NULL);

    assert_property(s->client, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "StopTimeoutUSec", "10000000");
}

/* SIGINT is as good as SIGTERM. */
static void
test_sigint(void)
{
    g_autoptr(World) w = world_new();
    g_autofree char *address = g_strconcat("--address=", world_address(w), NULL);
    const char *const argv[] = {world_program(), address, "--uri=test:///default", NULL};
    g_autoptr(Process) p = process_spawn(argv, -1);
    g_autoptr(Client) c = client_new(w);

    client_wait_owned(c);
    process_signal(p, SIGINT);
    g_assert_cmpint(process_wait(p, BOUND_MS), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cli/bad-options", test_bad_options);
    g_test_add_func("/cli/version", test_version);
    g_test_add_func("/cli/help", test_help);
    g_test_add_func("/cli/no-bus", test_no_bus);
    g_test_add_func("/cli/name-taken", test_name_taken);
    g_test_add_func("/cli/other-name", test_other_name);
    g_test_add_func("/cli/two-instances", test_two_instances);
    g_test_add_func("/cli/uri-from-environment", test_uri_from_environment);
    g_test_add_func("/cli/default-stop-timeout", test_default_stop_timeout);
    g_test_add_func("/cli/sigint", test_sigint);
    return g_test_run();
}
