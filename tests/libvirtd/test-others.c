/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Changes of domains by other people, with virsh, on the test driver behind a real libvirtd: it
 * arrives by events, each change once; and what libvirt sends no event for is found by ListDomains.
 */

#include "libvirtd.h"

#include <string.h>

#define URI "test+unix:///default?socket=/run/libvirt/libvirt-sock"

static Service *
begin(void)
{
    return service_new("--uri=" URI, "--stop-timeout=5", NULL);
}

static void
define(Service *s, const NodeDomain *domain, const char *verb)
{
    g_autofree char *xml = node_domain_xml(domain);
    g_autofree char *file = g_build_filename(world_directory(s->world), "domain.xml", NULL);

    g_assert_true(g_file_set_contents(file, xml, -1, NULL));
    run(s->world, "virsh %s %s", verb, file);
}

#define PASSING 200
#define UUID    "11111111-2222-4333-8444-555555555555"

/* A domain of this test's own, without a guest. */
static char *
define_one(Service *s, const char *name, const char *verb)
{
    char *path = domain_path(UUID);

    define(s, &(NodeDomain){.name = name, .uuid = UUID}, verb);
    wait_for(s->world, mirror_has(s->mirror, path, VMS_DOMAIN_INTERFACE));
    return path;
}

static void
remove_one(Service *s, const char *name)
{
    g_autofree char *path = domain_path(UUID);

    run(s->world, "virsh undefine %s", name);
    wait_for(s->world, !mirror_has(s->mirror, path, VMS_DOMAIN_INTERFACE));
}

static void
test_lifecycle(void)
{
    static const struct {
        const char *verb, *state, *reason;
    } steps[] = {
        {"start", "running", "booted"},    {"suspend", "paused", "user"},
        {"resume", "running", "unpaused"}, {"shutdown", "shutoff", "shut-down"},
        {"start", "running", "booted"},    {"destroy", "shutoff", "destroyed"},
    };
    g_autoptr(Service) s = begin();
    g_autofree char *path = define_one(s, "one", "define");

    for (guint i = 0; i < G_N_ELEMENTS(steps); i++) {
        guint64 mark = mirror_mark(s->mirror);
        run(s->world, "virsh %s one", steps[i].verb);
        wait_for(s->world, mirror_is(s->mirror, path, "State", steps[i].state));
        wait_for(s->world, mirror_is(s->mirror, path, "StateReason", steps[i].reason));
        mirror_check(s->mirror);
        g_autofree char *states = mirror_history(s->mirror, mark, path, "State");
        g_assert_cmpstr(states, ==, steps[i].state);
    }
    remove_one(s, "one");
    assert_equals_virsh(s);
}

static void
test_define_and_undefine(void)
{
    g_autoptr(Service) s = begin();
    guint64 mark = mirror_mark(s->mirror);
    g_autofree char *path = define_one(s, "one", "define");

    g_assert_true(mirror_is(s->mirror, path, "Persistent", "true"));
    define(s, &(NodeDomain){.name = "one", .uuid = UUID, .title = "Changed"}, "define");
    wait_for(s->world, mirror_is(s->mirror, path, "Title", "Changed"));
    g_assert_cmpuint(mirror_count(s->mirror, mark, VMS_ROOT_PATH, "InterfacesAdded"), ==, 1);
    g_assert_cmpuint(mirror_count(s->mirror, mark, VMS_ROOT_PATH, "InterfacesRemoved"), ==, 0);
    remove_one(s, "one");
    g_assert_cmpuint(mirror_count(s->mirror, mark, VMS_ROOT_PATH, "InterfacesRemoved"), ==, 1);
    assert_equals_virsh(s);
}

/* Undefined while it runs it goes on as transient; defined again it is persistent again. */
static void
test_persistence(void)
{
    g_autoptr(Service) s = begin();
    g_autofree char *path = define_one(s, "one", "define");
    guint64 mark = mirror_mark(s->mirror);

    run(s->world, "virsh start one");
    run(s->world, "virsh undefine one");
    wait_for(s->world, mirror_is(s->mirror, path, "Persistent", "false"));
    define(s, &(NodeDomain){.name = "one", .uuid = UUID}, "define");
    wait_for(s->world, mirror_is(s->mirror, path, "Persistent", "true"));
    g_assert_cmpuint(mirror_count(s->mirror, mark, VMS_ROOT_PATH, "InterfacesRemoved"), ==, 0);
    assert_equals_virsh(s);
    run(s->world, "virsh destroy one");
    remove_one(s, "one");
}

static void
test_transient(void)
{
    g_autoptr(Service) s = begin();
    g_autofree char *path = define_one(s, "passing", "create");

    g_assert_true(mirror_is(s->mirror, path, "Persistent", "false"));
    g_assert_true(mirror_is(s->mirror, path, "State", "running"));
    assert_equals_virsh(s);
    run(s->world, "virsh destroy passing");
    wait_for(s->world, !mirror_has(s->mirror, path, VMS_DOMAIN_INTERFACE));
    assert_equals_virsh(s);
}

/* Many that come and go faster than each can be read. */
static void
test_passing(void)
{
    g_autoptr(Service) s = begin();
    g_autofree char *xml = node_domain_xml(&(NodeDomain){.name = "passing", .uuid = UUID});
    g_autofree char *file = g_build_filename(world_directory(s->world), "passing", NULL);

    g_assert_true(g_file_set_contents(file, xml, -1, NULL));
    run(s->world,
        "for ((i = 1; i <= %u; i++)); do\n"
        "    sed \"s/passing/passing$i/; s/555555555555/$(printf %%012d $i)/\" %s >%s.$i\n"
        "    commands+=\"create %s.$i; \"\n"
        "    ((i <= 3)) || commands+=\"destroy passing$((i - 3)); \"\n"
        "done\n"
        "virsh -q \"$commands destroy passing$((i - 3)); destroy passing$((i - 2)); "
        "destroy passing$((i - 1))\"",
        PASSING, file, file, file);
    g_autoptr(Call) list = manager_call(s, "ListDomains", NULL);
    assert_ok(list);
    g_assert_null(strstr(list->body, "passing"));
    assert_equals_virsh(s);
}

/* It arrives as an end and a beginning, and is neither. */
static void
test_rename(void)
{
    g_autoptr(Service) s = begin();
    g_autofree char *path = define_one(s, "before", "define");
    guint64 mark = mirror_mark(s->mirror);

    run(s->world, "virsh domrename before after");
    wait_for(s->world, mirror_is(s->mirror, path, "Name", "after"));
    mirror_check(s->mirror);
    g_autofree char *names = mirror_history(s->mirror, mark, path, "Name");
    g_assert_cmpstr(names, ==, "after");
    g_assert_cmpuint(mirror_count(s->mirror, mark, VMS_ROOT_PATH, "InterfacesRemoved"), ==, 0);
    g_assert_cmpuint(mirror_count(s->mirror, mark, VMS_ROOT_PATH, "InterfacesAdded"), ==, 0);
    g_autofree char *found = client_domain(s->client, "after");
    g_assert_cmpstr(found, ==, path);
    g_autoptr(Call) old = manager_call(s, "GetDomain", "s", "before");
    assert_error(old, VMS_ERROR_PREFIX "NoSuchDomain");
    assert_equals_virsh(s);
    remove_one(s, "after");
}

/* libvirt says nothing of autostart: who asks for the list has it before the reply. */
static void
test_without_event(void)
{
    g_autoptr(Service) s = begin();
    g_autofree char *path = define_one(s, "one", "define");
    guint64 mark = mirror_mark(s->mirror);

    run(s->world, "virsh autostart one");
    g_autoptr(Call) list = manager_call(s, "ListDomains", NULL);
    assert_ok(list);
    g_assert_true(mirror_is(s->mirror, path, "Autostart", "true"));
    run(s->world, "virsh autostart --disable one");
    g_autoptr(Call) again = manager_call(s, "ListDomains", NULL);
    assert_ok(again);
    g_autofree char *history = mirror_history(s->mirror, mark, path, "Autostart");
    g_assert_cmpstr(history, ==, "true false");

    /* Any other event about the domain makes the service refresh it. */
    run(s->world, "virsh autostart one; virsh desc one --config --title Changed");
    wait_for(s->world, mirror_is(s->mirror, path, "Title", "Changed") &&
                           mirror_is(s->mirror, path, "Autostart", "true"));
    remove_one(s, "one");
}

/* A domain that the list finds before its event is there for GetDomain, too. */
static void
test_found_at_once(void)
{
    g_autoptr(Service) s = begin();

    for (guint i = 0; i < 10; i++) {
        define(s, &(NodeDomain){.name = "sudden", .uuid = UUID}, "define");
        g_autofree char *path = client_domain(s->client, "sudden");
        g_assert_true(mirror_has(s->mirror, path, VMS_DOMAIN_INTERFACE));
        run(s->world, "virsh undefine sudden");
        g_autoptr(Call) list = manager_call(s, "ListDomains", NULL);
        assert_ok(list);
        g_assert_null(strstr(list->body, UUID));
        g_assert_false(mirror_has(s->mirror, path, VMS_DOMAIN_INTERFACE));
    }
}

/* While somebody else works on the same domain, a Stop under way ends with its goal. */
static void
test_helped_along(void)
{
    g_autoptr(Service) s = begin();
    g_autofree char *path = client_domain(s->client, "test");

    run(s->world, "virsh destroy test");
    wait_for(s->world, mirror_is(s->mirror, path, "State", "shutoff"));
    /* Refused by what libvirt says now, whatever was known. */
    run(s->world, "virsh start test");
    g_autoptr(Call) start = domain_call(s, path, "Start", NULL);
    assert_error(start, VMS_ERROR_PREFIX "InvalidState");
    g_assert_true(mirror_is(s->mirror, path, "State", "running"));
    run(s->world, "virsh destroy test");
    g_autoptr(Call) stop = domain_call(s, path, "Stop", NULL);
    assert_error(stop, VMS_ERROR_PREFIX "InvalidState");
    g_autoptr(Call) start_again = domain_call(s, path, "Start", NULL);
    assert_ok(start_again);
    assert_equals_virsh(s);
}

/* Many changes in one go, from outside and through the service: in the end all agree. */
static void
test_storm(void)
{
    static const char *const verbs[] = {"start", "destroy", "suspend", "resume", "shutdown"};
    static const char *const methods[] = {"Start", "ForceStop", "Pause", "Resume", "Reset"};
    g_autoptr(Service) s = begin();
    Call *calls[100];
    guint n = 6;

    for (guint i = 0; i < n; i++) {
        g_autofree char *name = g_strdup_printf("storm%u", i);
        g_autofree char *uuid = node_uuid(i);
        define(s, &(NodeDomain){.name = name, .uuid = uuid}, "define");
        g_free(client_domain(s->client, name));
    }
    for (guint round = 0; round < 5; round++) {
        g_autoptr(GString) commands = g_string_new(NULL);
        for (guint i = 0; i < G_N_ELEMENTS(calls); i++) {
            g_autofree char *uuid = node_uuid((guint)g_test_rand_int_range(0, (gint32)n));
            g_autofree char *path = domain_path(uuid);
            g_string_append_printf(commands, "%s storm%d; ",
                                   verbs[g_test_rand_int_range(0, G_N_ELEMENTS(verbs))],
                                   g_test_rand_int_range(0, (gint32)n));
            calls[i] = client_send(s->client, path, VMS_DOMAIN_INTERFACE,
                                   methods[g_test_rand_int_range(0, G_N_ELEMENTS(methods))], NULL);
        }
        run(s->world, "virsh '%s' >/dev/null 2>&1 || true", commands->str);
        for (guint i = 0; i < G_N_ELEMENTS(calls); i++) {
            call_wait(calls[i]);
            if (calls[i]->error_name && !g_str_has_prefix(calls[i]->error_name, VMS_ERROR_PREFIX))
                g_error("%s: %s", calls[i]->what, calls[i]->error_name);
            call_free(calls[i]);
        }
        g_autoptr(Call) list = manager_call(s, "ListDomains", NULL);
        assert_ok(list);
        assert_equals_virsh(s);
    }
    for (guint i = 0; i < n; i++)
        run(s->world, "virsh destroy storm%u >/dev/null 2>&1 || true; virsh undefine storm%u", i,
            i);
    wait_for(s->world, mirror_count(s->mirror, 0, VMS_ROOT_PATH, "InterfacesRemoved") >= n);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    libvirtd_need();
    /* For virsh. */
    g_setenv("LIBVIRT_DEFAULT_URI", URI, true);
    libvirtd_add_func("/libvirtd/others/lifecycle", test_lifecycle);
    libvirtd_add_func("/libvirtd/others/define-and-undefine", test_define_and_undefine);
    libvirtd_add_func("/libvirtd/others/persistence", test_persistence);
    libvirtd_add_func("/libvirtd/others/transient", test_transient);
    libvirtd_add_func("/libvirtd/others/passing", test_passing);
    libvirtd_add_func("/libvirtd/others/rename", test_rename);
    libvirtd_add_func("/libvirtd/others/without-event", test_without_event);
    libvirtd_add_func("/libvirtd/others/found-at-once", test_found_at_once);
    libvirtd_add_func("/libvirtd/others/helped-along", test_helped_along);
    libvirtd_add_func("/libvirtd/others/storm", test_storm);
    return g_test_run();
}
