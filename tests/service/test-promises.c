/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The promises of the interface, as far as the embedded hypervisor and a socket that says nothing
 * can show them. */

#include "service.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define NOT_AVAILABLE VMS_ERROR_PREFIX "NotAvailable"
#define CLIENTS       4
#define DOMAINS       12

/* A libvirtd that accepts and says nothing; it counts. */
typedef struct Silent {
    World *world;
    char *path;
    int fd;
    sd_event_source *source;
    GArray *peers;
    guint accepted;
    guint most_at_once;
} Silent;

static bool
peer_is_open(int fd)
{
    char byte;
    ssize_t n;

    /* The bytes are of no interest, only whether the connection was closed. */
    do
        n = recv(fd, &byte, 1, MSG_DONTWAIT);
    while (n > 0);
    return n < 0;
}

static void
forget_closed_peers(Silent *silent)
{
    for (guint i = silent->peers->len; i > 0; i--) {
        int fd = g_array_index(silent->peers, int, i - 1);
        if (peer_is_open(fd))
            continue;
        close(fd);
        g_array_remove_index(silent->peers, i - 1);
    }
}

static int
on_connection(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    Silent *silent = userdata;
    int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

    g_assert_cmpint(peer, >=, 0);
    forget_closed_peers(silent);
    g_array_append_val(silent->peers, peer);
    silent->accepted++;
    silent->most_at_once = MAX(silent->most_at_once, silent->peers->len);
    return 0;
}

static void
silent_start(Silent *silent, World *w)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};

    *silent = (Silent){.world = w, .peers = g_array_new(FALSE, FALSE, sizeof(int))};
    silent->path = g_build_filename(world_directory(w), "silent", NULL);
    g_strlcpy(sa.sun_path, silent->path, sizeof sa.sun_path);
    silent->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(bind(silent->fd, (struct sockaddr *)&sa, sizeof sa), ==, 0);
    g_assert_cmpint(listen(silent->fd, 100), ==, 0);
    g_assert_cmpint(sd_event_add_io(world_event(w), &silent->source, silent->fd, EPOLLIN,
                                    on_connection, silent),
                    >=, 0);
}

/* Nobody listens any more, and whoever waits finds out. */
static void
silent_stop(Silent *silent)
{
    silent->source = sd_event_source_disable_unref(silent->source);
    close(silent->fd);
    for (guint i = 0; i < silent->peers->len; i++)
        close(g_array_index(silent->peers, int, i));
    g_array_unref(silent->peers);
    g_free(silent->path);
}

static char *
manager_get(Mirror *m, const char *property)
{
    return g_strdup(mirror_get(m, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, property));
}

/*
 * Many call while the hypervisor says nothing: one attempt for all of them, each is answered within
 * its bound, and who only reads does not notice.
 */
static void
test_silent_hypervisor(void)
{
    g_autoptr(World) w = world_new();
    Silent silent;
    Call *calls[40], *reads[40];

    silent_start(&silent, w);
    g_autofree char *uri = g_strdup_printf("--uri=test+unix:///default?socket=%s", silent.path);
    world_start(w, uri, NULL);
    g_autoptr(Client) c = client_new(w);
    g_autoptr(Mirror) m = mirror_new(c);
    g_autofree char *first_status = manager_get(m, "Status");
    g_assert_cmpstr(first_status, ==, "starting");

    for (guint i = 0; i < G_N_ELEMENTS(calls); i++)
        calls[i] = client_send(c, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE,
                               i % 2 ? "ListDomains" : "Reconnect", NULL);
    wait_for(w, silent.accepted > 0);
    for (guint i = 0; i < G_N_ELEMENTS(reads); i++)
        reads[i] = client_send(c, VMS_ROOT_PATH, "org.freedesktop.DBus.ObjectManager",
                               "GetManagedObjects", NULL);
    for (guint i = 0; i < G_N_ELEMENTS(reads); i++) {
        assert_ok(reads[i]);
        call_free(reads[i]);
    }
    /* They did not wait for the attempt. */
    g_assert_false(calls[0]->done);
    for (guint i = 0; i < G_N_ELEMENTS(calls); i++) {
        assert_error_says(calls[i], NOT_AVAILABLE, "VMs are not available: ");
        g_assert_cmpint(call_duration_ms(calls[i]), <=, 21000);
        call_free(calls[i]);
    }
    wait_for(w, g_strcmp0(mirror_get(m, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "Status"),
                          "unreachable") == 0);
    g_assert_cmpuint(silent.most_at_once, ==, 1);
    mirror_check(m);

    /* Now it is gone for good: this is another reason. */
    guint64 mark = mirror_mark(m);
    silent_stop(&silent);
    wait_for(w, g_strcmp0(mirror_get(m, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "Status"),
                          "stopped") == 0);
    g_autofree char *history = mirror_history(m, mark, VMS_ROOT_PATH, "Status");
    g_assert_cmpstr(history, ==, "stopped");
    mirror_check(m);
}

/* The world ends while somebody waits for a hypervisor that says nothing. */
static void
test_sigterm_while_connecting(void)
{
    g_autoptr(World) w = world_new();
    Silent silent;

    silent_start(&silent, w);
    g_autofree char *uri = g_strdup_printf("--uri=test+unix:///default?socket=%s", silent.path);
    world_start(w, uri, NULL);
    g_autoptr(Client) c = client_new(w);
    g_autoptr(Call) call =
        client_send(c, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "ListDomains", NULL);
    wait_for(w, silent.accepted > 0);
    assert_property(c, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "Status", "starting");
    world_stop(w);
    assert_error(call, NOT_AVAILABLE);
    silent_stop(&silent);
}

static Call *
random_call(Client *c, char *const *paths)
{
    static const char *const members[] = {"Start",     "Stop",   "Pause", "Resume",
                                          "ForceStop", "Reboot", "Reset"};
    const char *path = paths[g_test_rand_int_range(0, DOMAINS)];
    int dice = g_test_rand_int_range(0, 20);

    if (dice == 0)
        return client_send(c, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "Reconnect", NULL);
    if (dice == 1)
        return client_send(c, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "ListDomains", NULL);
    if (dice == 2)
        return client_send(c, path, VMS_DOMAIN_INTERFACE, "SetAutostart", "b",
                           g_test_rand_bit() != 0);
    if (dice == 3)
        return client_send(c, path, VMS_DOMAIN_INTERFACE, "GetXml", "a{sv}", 0);
    if (dice < 7)
        return client_send(c, path, VMS_DOMAIN_INTERFACE, "StopWithOptions", "a{sv}", 1, "timeout",
                           "t", (uint64_t)g_test_rand_int_range(0, 300000));
    return client_send(c, path, VMS_DOMAIN_INTERFACE,
                       members[g_test_rand_int_range(0, G_N_ELEMENTS(members))], NULL);
}

/* Any answer of ours will do, as long as it is one. */
static void
check_definite(const Call *call)
{
    static const char *const expected[] = {
        VMS_ERROR_PREFIX "InvalidState",    VMS_ERROR_PREFIX "Busy",
        VMS_ERROR_PREFIX "Canceled",        VMS_ERROR_PREFIX "Timeout",
        VMS_ERROR_PREFIX "OperationFailed", NULL};

    bool is_read = strstr(call->what, ".ListDomains ") || strstr(call->what, ".GetXml ");

    /* It is tried once more when somebody drops its connection, which may happen again. */
    if (is_read && g_strcmp0(call->error_name, NOT_AVAILABLE) == 0)
        return;
    if (call->error_name && !g_strv_contains(expected, call->error_name))
        g_error("%s: %s: %s", call->what, call->error_name, call->error_message);
}

static bool
no_job_runs(Mirror *m, char *const *paths)
{
    for (guint i = 0; i < DOMAINS; i++)
        if (!mirror_is(m, paths[i], "Job", "/"))
            return false;
    return true;
}

static void
test_storm(void)
{
    static const char *const states[] = {"running",  "paused",  "shutoff",
                                         "shutdown", "crashed", "pmsuspended"};
    g_autoptr(Node) node = node_new();
    Client *clients[CLIENTS];
    char *paths[DOMAINS];

    for (guint i = 0; i < DOMAINS; i++) {
        g_autofree char *name = g_strdup_printf("vm%u", i);
        g_autofree char *uuid = node_uuid(i);
        node_add(node, name, states[i % G_N_ELEMENTS(states)]);
        paths[i] = domain_path(uuid);
    }
    g_autoptr(Service) s = service_on_node(node, "--stop-timeout=1", NULL);
    for (guint i = 0; i < CLIENTS; i++)
        clients[i] = client_new(s->world);

    for (guint round = 0; round < 20; round++) {
        Call *calls[50];
        for (guint i = 0; i < G_N_ELEMENTS(calls); i++)
            calls[i] = random_call(clients[g_test_rand_int_range(0, CLIENTS)], paths);
        for (guint i = 0; i < G_N_ELEMENTS(calls); i++) {
            call_wait(calls[i]);
            check_definite(calls[i]);
            call_free(calls[i]);
            /* At any moment, also in the middle. */
            if (i % 10 == 0)
                mirror_check(s->mirror);
        }
    }
    wait_for(s->world, no_job_runs(s->mirror, paths));
    for (guint i = 0; i < DOMAINS; i++)
        g_free(paths[i]);
    for (guint i = 0; i < CLIENTS; i++)
        client_free(clients[i]);
}

/* A thousand domains: all there, all the same, one signal each when the connection is lost and made
 * again. */
static void
test_thousand_domains(void)
{
    g_autoptr(Node) node = node_new();
    guint n = 1000;

    for (guint i = 0; i < n; i++) {
        g_autofree char *name = g_strdup_printf("vm%u", i);
        node_add_domain(node, &(NodeDomain){.name = name, .state = "shutoff", .title = name});
    }
    g_autoptr(Service) s = service_on_node(node, NULL, NULL);
    g_autofree char *first = node_uuid(0);
    g_autofree char *last = node_uuid(n - 1);
    g_autofree char *first_path = domain_path(first);
    g_autofree char *last_path = domain_path(last);

    wait_for(s->world, mirror_is(s->mirror, first_path, "Title", "vm0"));
    wait_for(s->world, mirror_is(s->mirror, last_path, "Title", "vm999"));
    mirror_check(s->mirror);
    guint64 mark = mirror_mark(s->mirror);
    g_autoptr(Call) call = manager_call(s, "Reconnect", NULL);
    assert_ok(call);
    g_assert_cmpuint(mirror_count(s->mirror, mark, first_path, "PropertiesChanged"), ==, 2);
    g_assert_cmpuint(mirror_count(s->mirror, mark, last_path, "PropertiesChanged"), ==, 2);
    g_assert_cmpuint(mirror_count(s->mirror, mark, VMS_ROOT_PATH, "InterfacesAdded"), ==, 0);
    g_assert_cmpuint(mirror_count(s->mirror, mark, VMS_ROOT_PATH, "InterfacesRemoved"), ==, 0);
}

/* Every operation is one transition of the property it is about. */
static void
test_one_signal_each(void)
{
    static const struct {
        const char *member, *state;
    } steps[] = {{"Pause", "paused"},      {"Resume", "running"}, {"Stop", "shutoff"},
                 {"Start", "running"},     {"Pause", "paused"},   {"Start", "running"},
                 {"ForceStop", "shutoff"}, {"Start", "running"}};
    g_autoptr(Service) s = service_new("--uri=test:///default", "--stop-timeout=5", NULL);
    g_autofree char *path = client_domain(s->client, "test");

    for (guint i = 0; i < G_N_ELEMENTS(steps); i++) {
        guint64 mark = mirror_mark(s->mirror);
        g_autoptr(Call) call = domain_call(s, path, steps[i].member, NULL);
        assert_ok(call);
        g_autofree char *history = mirror_history(s->mirror, mark, path, "State");
        g_assert_cmpstr(history, ==, steps[i].state);
        /* Nothing comes after it either. */
        mirror_check(s->mirror);
        g_autofree char *later = mirror_history(s->mirror, mark, path, "State");
        g_assert_cmpstr(later, ==, steps[i].state);
        wait_for(s->world, mirror_count(s->mirror, mark, NULL, "JobRemoved") == 1);
    }
}

/* A domain that is removed and defined again is another object to those who follow the signals. */
static void
test_redefinition(void)
{
    const char *uuid = "11111111-2222-4333-8444-555555555555";
    g_autoptr(Service) s = service_new("--uri=test:///default", NULL);
    g_autofree char *xml = node_domain_xml(&(NodeDomain){.name = "again", .uuid = uuid});
    g_autofree char *path = domain_path(uuid);
    guint64 mark = mirror_mark(s->mirror);

    for (guint i = 0; i < 20; i++) {
        g_autoptr(Call) made = manager_call(s, "DefineDomain", "s", xml);
        assert_ok(made);
        g_assert_true(mirror_has(s->mirror, path, VMS_DOMAIN_INTERFACE));
        g_autoptr(Call) gone = domain_call(s, path, "Undefine", "a{sv}", 0);
        assert_ok(gone);
        g_assert_false(mirror_has(s->mirror, path, VMS_DOMAIN_INTERFACE));
    }
    g_assert_cmpuint(mirror_count(s->mirror, mark, VMS_ROOT_PATH, "InterfacesAdded"), ==, 20);
    g_assert_cmpuint(mirror_count(s->mirror, mark, VMS_ROOT_PATH, "InterfacesRemoved"), ==, 20);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/promises/silent-hypervisor", test_silent_hypervisor);
    g_test_add_func("/promises/sigterm-while-connecting", test_sigterm_while_connecting);
    g_test_add_func("/promises/storm", test_storm);
    g_test_add_func("/promises/thousand-domains", test_thousand_domains);
    g_test_add_func("/promises/one-signal-each", test_one_signal_each);
    g_test_add_func("/promises/redefinition", test_redefinition);
    return g_test_run();
}
