/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Saved, Snapshots and Migration on the embedded hypervisor, where each is over at once. */

#include "libvirt-version.h"
#include "service.h"

#include <string.h>

#define INVALID_STATE    VMS_ERROR_PREFIX "InvalidState"
#define OPERATION_FAILED VMS_ERROR_PREFIX "OperationFailed"
#define BUSY             VMS_ERROR_PREFIX "Busy"

static Service *
service_with(const char *state)
{
    g_autoptr(Node) node = node_new();

    node_add(node, "web", state);
    return service_on_node(node, NULL, NULL);
}

static void
assert_count(Service *s, const char *path, const char *count)
{
    g_assert_cmpstr(mirror_get(s->mirror, path, VMS_SNAPSHOTS_INTERFACE, "Count"), ==, count);
}

/* --- Saved -------------------------------------------------------------------------------- */

static void
test_save(void)
{
    g_autoptr(Service) s = service_with("running");
    g_autofree char *path = client_domain(s->client, "web");

    g_assert_true(service_is_saved(s, path, false));
    g_autoptr(Call) save = saved_call(s, path, "Save", "a{sv}", 1, "bypass_cache", "b", false);
    assert_job_ends(s, save, "Save done ");
    /* Told before the end of the job. */
    g_assert_true(service_is_saved(s, path, true));
    g_assert_true(mirror_is(s->mirror, path, "State", "shutoff"));
    g_assert_true(mirror_is(s->mirror, path, "StateReason", "saved"));
    mirror_check(s->mirror);

    g_autoptr(Call) again = saved_call(s, path, "Save", "a{sv}", 0);
    assert_error_says(again, INVALID_STATE, "shutoff");
    g_autoptr(Call) start = domain_call(s, path, "Start", NULL);
    assert_ok(start);
    g_assert_true(service_is_saved(s, path, false));
    g_assert_true(mirror_is(s->mirror, path, "State", "running"));
    mirror_check(s->mirror);
}

static void
test_discard(void)
{
    g_autoptr(Node) node = node_new();
    node_add_domain(node,
                    &(NodeDomain){.name = "web", .state = "shutoff", .has_managed_save = true});
    node_add_domain(node,
                    &(NodeDomain){.name = "db", .state = "shutoff", .has_managed_save = true});
    g_autoptr(Service) s = service_on_node(node, NULL, NULL);
    g_autofree char *path = client_domain(s->client, "web");
    g_autofree char *other = client_domain(s->client, "db");

    g_assert_true(service_is_saved(s, path, true));
    g_autoptr(Call) discard = saved_call(s, path, "Discard", NULL);
    assert_ok(discard);
    g_assert_true(service_is_saved(s, path, false));
    g_assert_true(service_is_saved(s, other, true));
    g_autoptr(Call) again = saved_call(s, path, "Discard", NULL);
    assert_error_says(again, INVALID_STATE, "no managed save");

    g_autoptr(Call) undefine =
        domain_call(s, other, "Undefine", "a{sv}", 1, "managed_save", "b", true);
    assert_ok(undefine);
    g_assert_false(mirror_has(s->mirror, other, VMS_SAVED_INTERFACE));
}

static void
test_saved_arguments(void)
{
    g_autoptr(Service) s = service_with("running");
    g_autofree char *path = client_domain(s->client, "web");
    guint64 mark = mirror_mark(s->mirror);

    g_autoptr(Call) unknown = saved_call(s, path, "Save", "a{sv}", 1, "running", "b", true);
    assert_error_says(unknown, SD_BUS_ERROR_INVALID_ARGS, "running");
    g_autoptr(Call) type = saved_call(s, path, "Save", "a{sv}", 1, "paused", "s", "yes");
    assert_error_says(type, SD_BUS_ERROR_INVALID_ARGS, "paused");
    g_autoptr(Call) target = saved_call(s, path, "Suspend", "s", "RAM");
    assert_error(target, SD_BUS_ERROR_INVALID_ARGS);
    /* libvirt's words, where the driver cannot. */
    g_autoptr(Call) suspend = saved_call(s, path, "Suspend", "s", "memory");
    assert_error_says(suspend, OPERATION_FAILED, "not supported");
    g_assert_cmpuint(mirror_count(s->mirror, mark, NULL, NULL), ==, 0);
}

/* --- Snapshots ---------------------------------------------------------------------------- */

static char *
list(Service *s, const char *path)
{
    g_autoptr(Call) call = snapshots_call(s, path, "List", NULL);

    assert_ok(call);
    /* When it was is another matter. */
    g_autoptr(GRegex) time = g_regex_new("\"created\": <[0-9]+>", 0, 0, NULL);
    return g_regex_replace_literal(time, call->body, -1, 0, "\"created\": <T>", 0, NULL);
}

#define assert_list(s, path, expected)                                                             \
    G_STMT_START                                                                                   \
    {                                                                                              \
        g_autofree char *list_ = list(s, path);                                                    \
        g_assert_cmpstr(list_, ==, expected);                                                      \
    }                                                                                              \
    G_STMT_END

static void
test_snapshots(void)
{
    g_autoptr(Service) s = service_with("running");
    g_autofree char *path = client_domain(s->client, "web");
    gint64 before = g_get_real_time() / G_USEC_PER_SEC * G_USEC_PER_SEC;

    assert_count(s, path, "0");
    assert_list(s, path, "[]");
    g_autoptr(Call) one = snapshots_call(s, path, "Create", "sa{sv}", "one <&>", 1, "description",
                                         "s", "a \"b\" <c>");
    assert_job_ends(s, one, "CreateSnapshot done ");
    assert_count(s, path, "1");
    assert_list(s, path,
                "[{\"created\": <T>, \"current\": <true>, "
                "\"description\": <\"a \\\"b\\\" <c>\">, \"external\": <false>, "
                "\"memory\": <true>, \"name\": <\"one <&>\">, \"state\": <\"running\">}]");
    g_autoptr(Call) times = snapshots_call(s, path, "List", NULL);
    gint64 created = g_ascii_strtoll(strstr(times->body, "<") + 1, NULL, 10);
    g_assert_cmpint(created, >=, before);
    g_assert_cmpint(created, <=, g_get_real_time());

    g_autoptr(Call) xml = snapshots_call(s, path, "GetXml", "s", "one <&>");
    assert_ok(xml);
    g_assert_nonnull(strstr(xml->body, "<domainsnapshot>"));
    g_assert_nonnull(strstr(xml->body, "one &lt;&amp;&gt;"));
    g_assert_nonnull(strstr(xml->body, "a &quot;b&quot; &lt;c&gt;"));

    g_autoptr(Call) pause = domain_call(s, path, "Pause", NULL);
    assert_ok(pause);
    g_autoptr(Call) two = snapshots_call(s, path, "Create", "sa{sv}", "two", 0);
    assert_job_ends(s, two, "CreateSnapshot done ");
    assert_count(s, path, "2");
    g_autofree char *tree = list(s, path);
    g_assert_nonnull(strstr(tree, "\"parent\": <\"one <&>\">"));

    /* The embedded hypervisor of libvirt 7.0 does not resume a domain that is paused. */
    if (!libvirt_is_at_least(9, 0)) {
        g_autoptr(Call) stop = domain_call(s, path, "ForceStop", NULL);
        assert_ok(stop);
    }
    g_autoptr(Call) revert = snapshots_call(s, path, "Revert", "sa{sv}", "one <&>", 0);
    assert_job_ends(s, revert, "RevertSnapshot done ");
    g_assert_true(mirror_is(s->mirror, path, "State", "running"));
    g_autoptr(Call) paused =
        snapshots_call(s, path, "Revert", "sa{sv}", "one <&>", 1, "paused", "b", true);
    assert_job_ends(s, paused, "RevertSnapshot done ");
    g_assert_true(mirror_is(s->mirror, path, "State", "paused"));

    g_autoptr(Call) leaf = snapshots_call(s, path, "Delete", "sa{sv}", "two", 0);
    assert_job_ends(s, leaf, "DeleteSnapshot done ");
    assert_count(s, path, "1");
    g_autoptr(Call) three = snapshots_call(s, path, "Create", "sa{sv}", "three", 0);
    assert_job_ends(s, three, "CreateSnapshot done ");
    g_autoptr(Call) all =
        snapshots_call(s, path, "Delete", "sa{sv}", "one <&>", 1, "children", "b", true);
    assert_job_ends(s, all, "DeleteSnapshot done ");
    assert_count(s, path, "0");
    assert_list(s, path, "[]");
    mirror_check(s->mirror);
}

/* A snapshot without a name gets one, and two of the same second get two. */
static void
test_snapshot_unnamed(void)
{
    g_autoptr(Service) s = service_with("shutoff");
    g_autofree char *path = client_domain(s->client, "web");

    g_autoptr(Call) create = snapshots_call(s, path, "Create", "sa{sv}", "", 0);
    assert_job_ends(s, create, "CreateSnapshot done ");
    g_autofree char *snapshots = list(s, path);
    g_assert_true(g_regex_match_simple("\"name\": <\"[0-9]{10,}\">", snapshots, 0, 0));
    for (guint i = 0; i < 3; i++) {
        g_autoptr(Call) another = snapshots_call(s, path, "Create", "sa{sv}", "", 0);

        assert_job_ends(s, another, "CreateSnapshot done ");
    }
    assert_count(s, path, "4");
}

/* A domain that has some goes only if its caller says that they may go, too. */
static void
test_snapshot_undefine(void)
{
    g_autoptr(Service) s = service_with("shutoff");
    g_autofree char *path = client_domain(s->client, "web");

    g_autoptr(Call) create = snapshots_call(s, path, "Create", "sa{sv}", "one", 0);
    assert_job_ends(s, create, "CreateSnapshot done ");
    g_autoptr(Call) refused = domain_call(s, path, "Undefine", "a{sv}", 0);
    assert_error_says(refused, INVALID_STATE, "1 snapshots");
    g_autoptr(Call) kept =
        domain_call(s, path, "Undefine", "a{sv}", 1, "snapshots_metadata", "b", false);
    assert_error_says(kept, INVALID_STATE, "1 snapshots");
    assert_count(s, path, "1");
    g_autoptr(Call) gone =
        domain_call(s, path, "Undefine", "a{sv}", 1, "snapshots_metadata", "b", true);
    assert_ok(gone);
    g_assert_false(mirror_has(s->mirror, path, VMS_DOMAIN_INTERFACE));
}

static void
test_snapshot_errors(void)
{
    g_autoptr(Service) s = service_with("running");
    g_autofree char *path = client_domain(s->client, "web");

    g_autoptr(Call) one = snapshots_call(s, path, "Create", "sa{sv}", "one", 0);
    assert_job_ends(s, one, "CreateSnapshot done ");
    guint64 mark = mirror_mark(s->mirror);
    g_autoptr(Call) again = snapshots_call(s, path, "Create", "sa{sv}", "one", 0);
    assert_job_ends(s, again, "CreateSnapshot failed The domain already has a snapshot \"one\"");
    g_autoptr(Call) revert = snapshots_call(s, path, "Revert", "sa{sv}", "none", 0);
    g_autofree char *revert_end = service_job_end(s, revert);
    g_assert_true(g_str_has_prefix(revert_end, "RevertSnapshot failed "));
    g_assert_nonnull(strstr(revert_end, "'none'"));
    g_autoptr(Call) delete = snapshots_call(s, path, "Delete", "sa{sv}", "none", 0);
    g_autofree char *delete_end = service_job_end(s, delete);
    g_assert_true(g_str_has_prefix(delete_end, "DeleteSnapshot failed "));
    g_autoptr(Call) xml = snapshots_call(s, path, "GetXml", "s", "none");
    assert_error_says(xml, OPERATION_FAILED, "'none'");

    static const struct {
        const char *member, *option, *type;
    } bad[] = {
        {"Create", "description", "b"}, {"Create", "running", "b"},
        {"Create", "disk_only", "s"},   {"Revert", "children", "b"},
        {"Revert", "running", "s"},     {"Delete", "disk_only", "b"},
        {"Delete", "children", "s"},    {"Delete", "description", "s"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(Call) call =
            bad[i].type[0] == 'b'
                ? snapshots_call(s, path, bad[i].member, "sa{sv}", "one", 1, bad[i].option, "b", 1)
                : snapshots_call(s, path, bad[i].member, "sa{sv}", "one", 1, bad[i].option, "s",
                                 "x");
        assert_error_says(call, SD_BUS_ERROR_INVALID_ARGS, bad[i].option);
    }
    g_autoptr(Call) both = snapshots_call(s, path, "Revert", "sa{sv}", "one", 2, "running", "b",
                                          true, "paused", "b", true);
    assert_error(both, SD_BUS_ERROR_INVALID_ARGS);
    g_autofree char *states = mirror_history(s->mirror, mark, path, "State");
    g_assert_cmpstr(states, ==, "");
    assert_count(s, path, "1");
}

/* --- Migration ---------------------------------------------------------------------------- */

static void
test_migration_refused(void)
{
    static const char *const uris[] = {
        "qemu+ext://other/system?command=/bin/sh",
        "qemu+ext:///system",
        "qemu+libssh2://other/system",
        "qemu+ssh://other/system?command=/bin/sh",
        "qemu+ssh://other/system?%63ommand=/bin/sh",
        "qemu+ssh://other/system?netcat=/bin/sh",
        "qemu+ssh://other/system?keyfile=/root/key",
        "qemu+ssh://other/system?proxy=native",
        "qemu+tls://other/system?pkipath=/root",
        "qemu+unix:///system?name=qemu%2bext:///x",
        "qemu:///system",
        "",
    };
    g_autoptr(Service) s = service_with("running");
    g_autofree char *path = client_domain(s->client, "web");
    guint64 mark = mirror_mark(s->mirror);

    for (guint i = 0; i < G_N_ELEMENTS(uris); i++) {
        g_autoptr(Call) call = migrate_call(s, path, "sa{sv}", uris[i], 0);
        assert_error(call, SD_BUS_ERROR_INVALID_ARGS);
    }
    g_autoptr(Call) option =
        migrate_call(s, path, "sa{sv}", "qemu+tcp://other/system", 1, "tunnelled", "b", true);
    assert_error_says(option, SD_BUS_ERROR_INVALID_ARGS, "tunnelled");
    g_autoptr(Call) type =
        migrate_call(s, path, "sa{sv}", "qemu+tcp://other/system", 1, "bandwidth", "b", true);
    assert_error_says(type, SD_BUS_ERROR_INVALID_ARGS, "bandwidth");
    g_assert_cmpuint(mirror_count(s->mirror, mark, NULL, NULL), ==, 0);
}

/* The embedded hypervisor cannot migrate, and says so. */
static void
test_migration_fails(void)
{
    g_autoptr(Service) s = service_with("running");
    g_autofree char *path = client_domain(s->client, "web");

    g_autoptr(Call) call = migrate_call(s, path, "sa{sv}", "test+tcp://192.0.2.1/default", 2,
                                        "live", "b", true, "bandwidth", "t", G_GUINT64_CONSTANT(7));
    g_autofree char *end = service_job_end(s, call);
    g_assert_true(g_str_has_prefix(end, "Migrate failed "));
    g_assert_nonnull(strstr(end, "not supported"));
    g_assert_true(mirror_is(s->mirror, path, "State", "running"));

    g_autoptr(Call) stop = domain_call(s, path, "ForceStop", NULL);
    assert_ok(stop);
    g_autoptr(Call) off = migrate_call(s, path, "sa{sv}", "test+tcp://192.0.2.1/default", 0);
    assert_error_says(off, INVALID_STATE, "persist_destination");
}

/* --- all ---------------------------------------------------------------------------------- */

/* One operation at a time, whatever interface it is on. */
static void
test_busy(void)
{
    g_autoptr(Service) s = service_with("shutdown");
    g_autofree char *path = client_domain(s->client, "web");

    g_autoptr(Call) stop = domain_call(s, path, "StopWithOptions", "a{sv}", 1, "timeout", "t",
                                       G_GUINT64_CONSTANT(600000000));
    assert_ok(stop);
    guint64 mark = mirror_mark(s->mirror);
    g_autoptr(Call) save = saved_call(s, path, "Save", "a{sv}", 0);
    assert_error_says(save, BUSY, "Stop");
    static const char *const members[] = {"Create", "Revert", "Delete"};
    for (guint i = 0; i < G_N_ELEMENTS(members); i++) {
        g_autoptr(Call) call = snapshots_call(s, path, members[i], "sa{sv}", "one", 0);
        assert_error_says(call, BUSY, "Stop");
    }
    g_autoptr(Call) away = migrate_call(s, path, "sa{sv}", "test+tcp://other/default", 0);
    assert_error_says(away, BUSY, "Stop");
    assert_list(s, path, "[]");
    g_assert_cmpuint(mirror_count(s->mirror, mark, NULL, NULL), ==, 0);
    g_autoptr(Call) cancel =
        client_call(s->client, call_path(stop), VMS_JOB_INTERFACE, "Cancel", NULL);
    assert_ok(cancel);
}

static void
test_ordinary_user(void)
{
    static const struct {
        const char *interface, *member, *types, *argument;
    } methods[] = {
        {VMS_SAVED_INTERFACE, "Save", "a{sv}", NULL},
        {VMS_SAVED_INTERFACE, "Discard", NULL, NULL},
        {VMS_SAVED_INTERFACE, "Suspend", "s", "memory"},
        {VMS_SNAPSHOTS_INTERFACE, "Create", "sa{sv}", "one"},
        {VMS_SNAPSHOTS_INTERFACE, "Revert", "sa{sv}", "one"},
        {VMS_SNAPSHOTS_INTERFACE, "Delete", "sa{sv}", "one"},
        {VMS_SNAPSHOTS_INTERFACE, "GetXml", "s", "one"},
        {VMS_MIGRATION_INTERFACE, "Migrate", "sa{sv}", "test+tcp://other/default"},
    };

    if (!can_be_ordinary_user())
        return;
    g_autoptr(Service) s = service_new("--uri=test:///default", NULL);
    g_autofree char *path = client_domain(s->client, "test");
    g_autoptr(Client) c = client_new_as(s->world, ORDINARY_UID);
    guint64 mark = mirror_mark(s->mirror);

    for (guint i = 0; i < G_N_ELEMENTS(methods); i++) {
        g_autoptr(Call) call = methods[i].argument
                                   ? client_call(c, path, methods[i].interface, methods[i].member,
                                                 methods[i].types, methods[i].argument, 0)
                                   : client_call(c, path, methods[i].interface, methods[i].member,
                                                 methods[i].types, 0);
        assert_error(call, SD_BUS_ERROR_ACCESS_DENIED);
    }
    g_autoptr(Call) reads = client_call(c, path, VMS_SNAPSHOTS_INTERFACE, "List", NULL);
    assert_ok(reads);
    g_assert_cmpuint(mirror_count(s->mirror, mark, NULL, NULL), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/long/saved/save", test_save);
    g_test_add_func("/long/saved/discard", test_discard);
    g_test_add_func("/long/saved/arguments", test_saved_arguments);
    g_test_add_func("/long/snapshots/all", test_snapshots);
    g_test_add_func("/long/snapshots/unnamed", test_snapshot_unnamed);
    g_test_add_func("/long/snapshots/undefine", test_snapshot_undefine);
    g_test_add_func("/long/snapshots/errors", test_snapshot_errors);
    g_test_add_func("/long/migration/refused", test_migration_refused);
    g_test_add_func("/long/migration/fails", test_migration_fails);
    g_test_add_func("/long/busy", test_busy);
    g_test_add_func("/long/ordinary-user", test_ordinary_user);
    return g_test_run();
}
