/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls that are refused, and with which error: options, arguments, objects that are not there, a
 * hypervisor that is not there, and an ordinary user who wants more than to read. */

#include "service.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define NOT_AVAILABLE  VMS_ERROR_PREFIX "NotAvailable"
#define NO_SUCH_DOMAIN VMS_ERROR_PREFIX "NoSuchDomain"
#define PROPERTIES     "org.freedesktop.DBus.Properties"

/* Every option that any method knows, and some that none does. */
static const char *const options[] = {
    "timeout", "force",    "paused",  "managed_save", "snapshots_metadata", "checkpoints_metadata",
    "tpm",     "keep_tpm", "nvram",   "keep_nvram",   "inactive",           "secure",
    "bogus",   "",         "Timeout", "live"};

static const char types[] = {'b', 't', 'u', 'i', 'x', 'd', 's', 'o', 'y'};

static const struct {
    const char *method;
    const char *known; /* "name:type …" */
} methods[] = {
    {"StartWithOptions", " timeout:t paused:b "},
    {"StopWithOptions", " timeout:t force:b "},
    {"RebootWithOptions", " timeout:t "},
    {"Undefine", " managed_save:b snapshots_metadata:b checkpoints_metadata:b nvram:b keep_nvram:b "
                 "tpm:b keep_tpm:b "},
    {"GetXml", " inactive:b secure:b "},
};

static void
append_option(sd_bus_message *m, const char *name, char type)
{
    const char signature[] = {type, '\0'};
    static const union {
        int b;
        uint64_t t;
        double d;
    } zero = {.t = 0};
    const void *value = type == 's'   ? (const void *)"text"
                        : type == 'o' ? "/"
                                      : (const void *)&zero;

    g_assert_cmpint(sd_bus_message_open_container(m, 'e', "sv"), >=, 0);
    g_assert_cmpint(sd_bus_message_append_basic(m, 's', name), >=, 0);
    g_assert_cmpint(sd_bus_message_open_container(m, 'v', signature), >=, 0);
    g_assert_cmpint(sd_bus_message_append_basic(m, type, value), >=, 0);
    g_assert_cmpint(sd_bus_message_close_container(m), >=, 0);
    g_assert_cmpint(sd_bus_message_close_container(m), >=, 0);
}

/* With a good option before it if there is one, which must not be acted upon either. */
static Call *
call_with_option(Service *s, const char *path, const char *method, const char *name, char type)
{
    sd_bus_message *m = client_message(s->client, path, VMS_DOMAIN_INTERFACE, method);

    g_assert_cmpint(sd_bus_message_open_container(m, 'a', "{sv}"), >=, 0);
    if (g_str_equal(method, "StopWithOptions") && !g_str_equal(name, "force"))
        append_option(m, "force", 'b');
    append_option(m, name, type);
    g_assert_cmpint(sd_bus_message_close_container(m), >=, 0);
    return client_send_message(s->client, m);
}

static void
test_options(void)
{
    g_autoptr(Node) node = node_new();
    guint refused = 0, known = 0;

    node_add(node, "on", "running");
    node_add(node, "off", "shutoff");
    g_autoptr(Service) s = service_on_node(node, NULL, NULL);
    g_autofree char *on = client_domain(s->client, "on");
    g_autofree char *off = client_domain(s->client, "off");
    guint64 mark = mirror_mark(s->mirror);

    for (guint m = 0; m < G_N_ELEMENTS(methods); m++)
        for (guint o = 0; o < G_N_ELEMENTS(options); o++)
            for (guint t = 0; t < G_N_ELEMENTS(types); t++) {
                g_autofree char *pair = g_strdup_printf(" %s:%c ", options[o], types[t]);
                bool starts = g_str_equal(methods[m].method, "StartWithOptions");
                if (strstr(methods[m].known, pair)) {
                    known++;
                    continue;
                }
                g_autoptr(Call) call =
                    call_with_option(s, starts ? off : on, methods[m].method, options[o], types[t]);
                call_wait(call);
                g_test_message("%s {%s: %c}: %s", methods[m].method, options[o], types[t],
                               call->error_message);
                assert_error_says(call, SD_BUS_ERROR_INVALID_ARGS, options[o]);
                refused++;
            }
    g_assert_cmpuint(known, ==, 14);
    g_assert_cmpuint(refused, ==,
                     G_N_ELEMENTS(methods) * G_N_ELEMENTS(options) * G_N_ELEMENTS(types) - known);
    g_assert_cmpuint(mirror_count(s->mirror, mark, NULL, NULL), ==, 0);
    g_assert_true(mirror_is(s->mirror, on, "State", "running"));
    g_assert_true(mirror_is(s->mirror, off, "State", "shutoff"));
}

/* The driver refuses to start a domain paused: so it was asked to. */
static void
test_start_paused(void)
{
    g_autoptr(Node) node = node_new();

    node_add(node, "off", "shutoff");
    g_autoptr(Service) s = service_on_node(node, NULL, NULL);
    g_autofree char *off = client_domain(s->client, "off");
    g_autoptr(Call) call = domain_call(s, off, "StartWithOptions", "a{sv}", 1, "paused", "b", true);

    assert_ok(call);
    wait_for(s->world, mirror_job_removed(s->mirror, call_path(call)));
    g_assert_nonnull(
        strstr(mirror_job_removed(s->mirror, call_path(call))->body, " Start failed "));
    g_assert_true(mirror_is(s->mirror, off, "State", "shutoff"));
    g_autoptr(Call) plain = domain_call(s, off, "StartWithOptions", "a{sv}", 2, "paused", "b",
                                        false, "timeout", "t", UINT64_C(5000000));
    assert_ok(plain);
    wait_for(s->world, mirror_is(s->mirror, off, "State", "running"));
}

static void
test_wrong_arguments(void)
{
    g_autoptr(Service) s = service_new("--uri=test:///default", NULL);
    g_autofree char *path = client_domain(s->client, "test");
    guint64 mark = mirror_mark(s->mirror);

    g_autoptr(Call) a = domain_call(s, path, "Stop", "s", "now");
    assert_error(a, SD_BUS_ERROR_INVALID_ARGS);
    g_autoptr(Call) b = domain_call(s, path, "StopWithOptions", NULL);
    assert_error(b, SD_BUS_ERROR_INVALID_ARGS);
    g_autoptr(Call) c = domain_call(s, path, "StopWithOptions", "a{ss}", 1, "timeout", "1");
    assert_error(c, SD_BUS_ERROR_INVALID_ARGS);
    g_autoptr(Call) d = domain_call(s, path, "SetAutostart", "s", "yes");
    assert_error(d, SD_BUS_ERROR_INVALID_ARGS);
    g_autoptr(Call) e = manager_call(s, "GetDomain", "o", path);
    assert_error(e, SD_BUS_ERROR_INVALID_ARGS);
    g_autoptr(Call) f = manager_call(s, "ListDomains", "u", 1);
    assert_error(f, SD_BUS_ERROR_INVALID_ARGS);
    g_assert_cmpuint(mirror_count(s->mirror, mark, NULL, NULL), ==, 0);
}

static void
test_unknown_things(void)
{
    static const char *const nowhere[] = {
        VMS_DOMAIN_PREFIX "/00000000_0000_4000_8000_000000000099",
        VMS_DOMAIN_PREFIX "/test",
        VMS_DOMAIN_PREFIX "/6695eb01_f6a4_8304_79aa_97f2502e193f/deeper",
        VMS_DOMAIN_PREFIX "/6695EB01_F6A4_8304_79AA_97F2502E193F",
        VMS_JOB_PREFIX "/99",
        VMS_JOB_PREFIX "/0",
        "/elsewhere",
    };
    /* These are there, but do nothing of the kind. */
    static const char *const elsewhere[] = {VMS_DOMAIN_PREFIX, VMS_ROOT_PATH, "/"};
    g_autoptr(Service) s = service_new("--uri=test:///default", NULL);
    g_autofree char *path = client_domain(s->client, "test");

    for (guint i = 0; i < G_N_ELEMENTS(nowhere); i++) {
        g_autoptr(Call) stop = domain_call(s, nowhere[i], "Stop", NULL);
        g_autoptr(Call) cancel =
            client_call(s->client, nowhere[i], VMS_JOB_INTERFACE, "Cancel", NULL);
        g_autoptr(Call) get = client_call(s->client, nowhere[i], PROPERTIES, "Get", "ss",
                                          VMS_DOMAIN_INTERFACE, "State");
        g_autoptr(Call) introspected = client_call(
            s->client, nowhere[i], "org.freedesktop.DBus.Introspectable", "Introspect", NULL);
        assert_error(cancel, SD_BUS_ERROR_UNKNOWN_OBJECT);
        assert_error(stop, SD_BUS_ERROR_UNKNOWN_OBJECT);
        assert_error(get, SD_BUS_ERROR_UNKNOWN_OBJECT);
        assert_error(introspected, SD_BUS_ERROR_UNKNOWN_OBJECT);
    }
    for (guint i = 0; i < G_N_ELEMENTS(elsewhere); i++) {
        g_autoptr(Call) stop = domain_call(s, elsewhere[i], "Stop", NULL);
        g_autoptr(Call) get = client_call(s->client, elsewhere[i], PROPERTIES, "Get", "ss",
                                          VMS_DOMAIN_INTERFACE, "State");
        g_test_message("%s: %s, %s", elsewhere[i], stop->error_name, get->error_name);
        g_assert_nonnull(stop->error_name);
        g_assert_nonnull(get->error_name);
    }
    g_autoptr(Call) method = domain_call(s, path, "Explode", NULL);
    assert_error(method, SD_BUS_ERROR_UNKNOWN_METHOD);
    g_autoptr(Call) property =
        client_call(s->client, path, PROPERTIES, "Get", "ss", VMS_DOMAIN_INTERFACE, "Colour");
    assert_error(property, SD_BUS_ERROR_UNKNOWN_PROPERTY);
    g_autoptr(Call) interface =
        client_call(s->client, path, "org.unraid.Vms.Nonsense", "Stop", NULL);
    assert_error(interface, SD_BUS_ERROR_UNKNOWN_METHOD);
}

static void
test_nothing_is_writable(void)
{
    g_autoptr(Service) s = service_new("--uri=test:///default", NULL);
    g_autofree char *path = client_domain(s->client, "test");
    static const char *const properties[] = {"Name", "Title", "State", "Autostart",
                                             "Job",  "Uuid",  "Id"};

    for (guint i = 0; i < G_N_ELEMENTS(properties); i++) {
        g_autoptr(Call) call = client_call(s->client, path, PROPERTIES, "Set", "ssv",
                                           VMS_DOMAIN_INTERFACE, properties[i], "s", "x");
        assert_error(call, SD_BUS_ERROR_PROPERTY_READ_ONLY);
    }
    g_autoptr(Call) uri = client_call(s->client, VMS_ROOT_PATH, PROPERTIES, "Set", "ssv",
                                      VMS_MANAGER_INTERFACE, "Uri", "s", "qemu:///session");
    assert_error(uri, SD_BUS_ERROR_PROPERTY_READ_ONLY);
}

/* Each needs the hypervisor: none may hang, and all say why not. */
static void
check_not_available(World *w, const char *status, const char *words)
{
    g_autoptr(Client) c = client_new(w);
    g_autoptr(Mirror) m = mirror_new(c);
    Call *calls[4];

    wait_for(w, g_strcmp0(mirror_get(m, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "Status"),
                          "starting") != 0);
    calls[0] = client_send(c, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "ListDomains", NULL);
    calls[1] = client_send(c, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "GetDomain", "s", "x");
    calls[2] = client_send(c, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "DefineDomain", "s", "<x/>");
    calls[3] = client_send(c, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "Reconnect", NULL);
    for (guint i = 0; i < G_N_ELEMENTS(calls); i++) {
        assert_error_says(calls[i], NOT_AVAILABLE, "VMs are not available: ");
        assert_error_says(calls[i], NOT_AVAILABLE, words);
        g_assert_cmpint(call_duration_ms(calls[i]), <=, 21000);
        call_free(calls[i]);
    }
    const char *message = mirror_get(m, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "StatusMessage");
    g_test_message("%s: %s", mirror_get(m, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "Status"),
                   message);
    g_assert_nonnull(strstr(message, words));
    g_assert_cmpstr(mirror_get(m, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "Status"), ==, status);
    g_assert_cmpstr(mirror_get(m, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "Available"), ==, "false");
    mirror_check(m);
}

static void
test_status_failed(void)
{
    static const struct {
        const char *uri;
        const char *words;
    } bad[] = {
        {"--uri=test+nonsense:///x", "transport"},
        {"--uri=test:///nonexistent/node.xml", "nonexistent"},
        {"--uri=qemu+tcp://host.invalid/system", "host.invalid"},
        {"--uri=://", ""},
    };

    /* A name server that does not answer is no concern of this. */
    g_setenv("RES_OPTIONS", "timeout:1 attempts:2", TRUE);
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(World) w = world_new();
        world_start(w, bad[i].uri, NULL);
        check_not_available(w, "failed", bad[i].words);
    }
}

/* --- what systemd is told ----------------------------------------------------------------- */

static int
listen_for_notes(World *w)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    g_autofree char *path = g_build_filename(world_directory(w), "notify", NULL);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    g_strlcpy(sa.sun_path, path, sizeof sa.sun_path);
    g_assert_cmpint(bind(fd, (struct sockaddr *)&sa, sizeof sa), ==, 0);
    g_assert_true(g_setenv("NOTIFY_SOCKET", path, TRUE));
    return fd;
}

/* The first note with these words. */
static char *
receive_note(int fd, const char *words)
{
    struct pollfd pfd = {.fd = fd, .events = POLLIN};
    char note[8192];

    for (;;) {
        g_assert_cmpint(poll(&pfd, 1, BOUND_MS), ==, 1);
        ssize_t n = recv(fd, note, sizeof note - 1, 0);
        g_assert_cmpint(n, >, 0);
        note[n] = '\0';
        if (strstr(note, words))
            return g_strdup(note);
    }
}

/* libvirt's words have a newline, as the property shows; systemd would read what follows it as
 * another assignment. */
static void
test_status_of_two_lines(void)
{
    g_autoptr(World) w = world_new();
    int fd = listen_for_notes(w);

    world_start(w, "--uri=test:///no%0AMAINPID=1", NULL);
    g_unsetenv("NOTIFY_SOCKET");
    g_autoptr(Client) c = client_new(w);
    g_autofree char *note = receive_note(fd, "MAINPID");
    g_autofree char *message = client_get(c, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "StatusMessage");

    g_assert_nonnull(strstr(message, "no\nMAINPID=1"));
    g_assert_true(g_str_has_prefix(note, "STATUS="));
    g_assert_null(strchr(note, '\n'));
    close(fd);
}

static void
test_status_stopped(void)
{
    g_autoptr(World) w = world_new();
    g_autofree char *option =
        g_strdup_printf("--uri=test+unix:///default?socket=%s/none", world_directory(w));

    world_start(w, option, NULL);
    check_not_available(w, "stopped", "/none");
}

/* A socket file whose listener has died. */
static void
test_status_stopped_refused(void)
{
    g_autoptr(World) w = world_new();
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_snprintf(sa.sun_path, sizeof sa.sun_path, "%s/dead", world_directory(w));
    g_assert_cmpint(bind(fd, (struct sockaddr *)&sa, sizeof sa), ==, 0);
    close(fd);
    g_autofree char *option = g_strdup_printf("--uri=test+unix:///default?socket=%s", sa.sun_path);
    world_start(w, option, NULL);
    check_not_available(w, "stopped", "/dead");
}

static const struct {
    const char *member;
    const char *types;
    bool is_read;
} domain_methods[] = {
    {"Start", "", false},
    {"Stop", "", false},
    {"Pause", "", false},
    {"Resume", "", false},
    {"ForceStop", "", false},
    {"Reboot", "", false},
    {"Reset", "", false},
    {"StartWithOptions", "a{sv}", false},
    {"StopWithOptions", "a{sv}", false},
    {"RebootWithOptions", "a{sv}", false},
    {"SetAutostart", "b", false},
    {"Undefine", "a{sv}", false},
    {"GetXml", "a{sv}", true},
};

static void
check_ordinary_user_reads(Client *c, const char *path)
{
    g_autoptr(Mirror) m = mirror_new(c);
    g_autoptr(Call) list =
        client_call(c, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "ListDomains", NULL);
    g_autoptr(Call) get =
        client_call(c, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "GetDomain", "s", "test");
    g_autoptr(Call) all = client_call(c, path, PROPERTIES, "GetAll", "s", VMS_DOMAIN_INTERFACE);

    assert_ok(list);
    assert_ok(get);
    assert_ok(all);
    mirror_check(m);
}

static void
test_ordinary_user(void)
{
    if (!can_be_ordinary_user())
        return;
    g_autoptr(Service) s = service_new("--uri=test:///default", NULL);
    g_autofree char *path = client_domain(s->client, "test");
    g_autoptr(Client) c = client_new_as(s->world, ORDINARY_UID);
    guint64 mark = mirror_mark(s->mirror);

    check_ordinary_user_reads(c, path);
    for (guint i = 0; i < G_N_ELEMENTS(domain_methods); i++) {
        g_autoptr(Call) call = client_call(c, path, VMS_DOMAIN_INTERFACE, domain_methods[i].member,
                                           domain_methods[i].types, 0);
        if (domain_methods[i].is_read)
            assert_ok(call);
        else
            assert_error(call, SD_BUS_ERROR_ACCESS_DENIED);
    }
    g_autoptr(Call) secrets =
        client_call(c, path, VMS_DOMAIN_INTERFACE, "GetXml", "a{sv}", 1, "secure", "b", true);
    assert_error(secrets, SD_BUS_ERROR_ACCESS_DENIED);
    g_autoptr(Call) define = client_call(c, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "DefineDomain",
                                         "s", "<domain type='test'><name>x</name></domain>");
    assert_error(define, SD_BUS_ERROR_ACCESS_DENIED);
    g_autoptr(Call) reconnect =
        client_call(c, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "Reconnect", NULL);
    assert_error(reconnect, SD_BUS_ERROR_ACCESS_DENIED);
    g_autoptr(Call) set = client_call(c, path, PROPERTIES, "Set", "ssv", VMS_DOMAIN_INTERFACE,
                                      "Autostart", "b", true);
    g_assert_nonnull(set->error_name);
    g_assert_cmpuint(mirror_count(s->mirror, mark, NULL, NULL), ==, 0);
    g_assert_true(mirror_is(s->mirror, path, "State", "running"));
}

/* An ordinary user can neither join nor end an operation that root has begun. */
static void
test_ordinary_user_and_jobs(void)
{
    g_autoptr(Node) node = node_new();

    if (!can_be_ordinary_user())
        return;
    node_add(node, "stuck", "shutdown");
    g_autoptr(Service) s = service_on_node(node, "--stop-timeout=600", NULL);
    g_autofree char *path = client_domain(s->client, "stuck");
    g_autoptr(Client) c = client_new_as(s->world, ORDINARY_UID);
    g_autoptr(Call) stop = domain_call(s, path, "StopWithOptions", "a{sv}", 0);
    assert_ok(stop);

    g_autoptr(Call) join = client_call(c, path, VMS_DOMAIN_INTERFACE, "Stop", NULL);
    assert_error(join, SD_BUS_ERROR_ACCESS_DENIED);
    g_autoptr(Call) join_job =
        client_call(c, path, VMS_DOMAIN_INTERFACE, "StopWithOptions", "a{sv}", 0);
    assert_error(join_job, SD_BUS_ERROR_ACCESS_DENIED);
    g_autoptr(Call) overtake = client_call(c, path, VMS_DOMAIN_INTERFACE, "ForceStop", NULL);
    assert_error(overtake, SD_BUS_ERROR_ACCESS_DENIED);
    g_autoptr(Call) cancel = client_call(c, call_path(stop), VMS_JOB_INTERFACE, "Cancel", NULL);
    assert_error(cancel, SD_BUS_ERROR_ACCESS_DENIED);
    g_autofree char *operation = client_get(c, call_path(stop), VMS_JOB_INTERFACE, "Operation");
    g_assert_cmpstr(operation, ==, "Stop");
    g_assert_true(mirror_is(s->mirror, path, "Job", call_path(stop)));
    g_autoptr(Call) done =
        client_call(s->client, call_path(stop), VMS_JOB_INTERFACE, "Cancel", NULL);
    assert_ok(done);
}

/* One client that calls without end is told so at some point, and nobody else notices. */
static void
test_limits(void)
{
    enum { CALLS = 6000 };
    g_autoptr(Node) node = node_new();
    g_autofree Call **calls = g_new0(Call *, CALLS);
    guint limited = 0;

    node_add(node, "stuck", "shutdown");
    g_autoptr(Service) s = service_on_node(node, "--stop-timeout=600", NULL);
    g_autofree char *path = client_domain(s->client, "stuck");
    g_autoptr(Client) greedy = client_new(s->world);
    for (guint i = 0; i < CALLS; i++)
        calls[i] = client_send(greedy, path, VMS_DOMAIN_INTERFACE, "Stop", NULL);

    /* The last one is beyond every limit that is there. */
    assert_error(calls[CALLS - 1], SD_BUS_ERROR_LIMITS_EXCEEDED);
    g_autoptr(Call) list = manager_call(s, "ListDomains", NULL);
    assert_ok(list);
    g_assert_cmpint(call_duration_ms(list), <, 19000);
    g_autoptr(Call) force = domain_call(s, path, "ForceStop", NULL);
    assert_ok(force);
    for (guint i = 0; i < CALLS; i++) {
        call_wait(calls[i]);
        limited += g_str_equal(calls[i]->error_name, SD_BUS_ERROR_LIMITS_EXCEEDED);
        /* A slow machine comes to the bound for an answer first. */
        if (!g_str_equal(calls[i]->error_name, SD_BUS_ERROR_LIMITS_EXCEEDED) &&
            !g_str_equal(calls[i]->error_name, VMS_ERROR_PREFIX "StillRunning"))
            assert_error(calls[i], VMS_ERROR_PREFIX "Canceled");
        call_free(calls[i]);
    }
    g_test_message("%u of %u calls were too many", limited, (guint)CALLS);
    g_assert_cmpuint(limited, <, CALLS);
    /* Now it may call again. */
    g_autoptr(Call) start = client_call(greedy, path, VMS_DOMAIN_INTERFACE, "Start", NULL);
    assert_ok(start);
}

/* An interface that is not named is any that has the property, as the specification says. */
static void
test_unnamed_interface(void)
{
    g_autoptr(Service) s = service_new("--uri=test:///default", NULL);
    g_autofree char *path = client_domain(s->client, "test");
    g_autofree char *named = client_get(s->client, path, VMS_DOMAIN_INTERFACE, "State");

    assert_property(s->client, path, "", "State", named);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/errors/options", test_options);
    g_test_add_func("/errors/start-paused", test_start_paused);
    g_test_add_func("/errors/wrong-arguments", test_wrong_arguments);
    g_test_add_func("/errors/unknown-things", test_unknown_things);
    g_test_add_func("/errors/nothing-is-writable", test_nothing_is_writable);
    g_test_add_func("/errors/status-failed", test_status_failed);
    g_test_add_func("/errors/status-of-two-lines", test_status_of_two_lines);
    g_test_add_func("/errors/status-stopped", test_status_stopped);
    g_test_add_func("/errors/status-stopped-refused", test_status_stopped_refused);
    g_test_add_func("/errors/ordinary-user", test_ordinary_user);
    g_test_add_func("/errors/ordinary-user-and-jobs", test_ordinary_user_and_jobs);
    g_test_add_func("/errors/limits", test_limits);
    g_test_add_func("/errors/unnamed-interface", test_unnamed_interface);
    return g_test_run();
}
