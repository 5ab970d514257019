/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The Manager, and the domain's methods that are no operations. */

#include "service.h"

#include <string.h>

#define INVALID_STATE    VMS_ERROR_PREFIX "InvalidState"
#define OPERATION_FAILED VMS_ERROR_PREFIX "OperationFailed"
#define NO_SUCH_DOMAIN   VMS_ERROR_PREFIX "NoSuchDomain"

static Call *
define(Service *s, const NodeDomain *domain)
{
    g_autofree char *xml = node_domain_xml(domain);

    return manager_call(s, "DefineDomain", "s", xml);
}

static void
test_properties(void)
{
    g_autoptr(Service) s = service_new("--uri=test:///default", "--stop-timeout=7", NULL);
    g_autofree char *version = NULL;
    const char *const argv[] = {world_program(), "--version", NULL};

#define get(property) mirror_get(s->mirror, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, property)
    g_assert_cmpint(process_run(argv, &version, NULL), ==, 0);
    g_assert_nonnull(strstr(version, get("Version")));
    g_assert_cmpstr(get("Uri"), ==, "test:///default");
    g_assert_cmpstr(get("StopTimeoutUSec"), ==, "7000000");
    g_assert_cmpstr(get("Available"), ==, "true");
    g_assert_cmpstr(get("Status"), ==, "available");
    g_assert_cmpstr(get("StatusMessage"), ==, "");
    guint64 since = g_ascii_strtoull(get("StatusSince"), NULL, 10);
    g_assert_cmpuint(since, <=, (guint64)g_get_real_time());
    g_assert_cmpuint(since, >, (guint64)g_get_real_time() - 60 * G_USEC_PER_SEC);
    g_assert_cmpstr(get("Hostname"), ==, g_get_host_name());
    g_assert_cmpstr(get("HypervisorType"), ==, "TEST");
    g_assert_cmpstr(get("HypervisorVersion"), ==, "0.0.2");
    g_assert_true(g_regex_match_simple("^[0-9]+\\.[0-9]+\\.[0-9]+$", get("LibvirtVersion"), 0, 0));
#undef get
}

/* Root sees what the service does; others do not. */
static void
test_debug(void)
{
    g_autoptr(Service) s = service_new("--uri=test:///default", NULL);
    g_autoptr(Call) state =
        client_call(s->client, VMS_ROOT_PATH, VMS_DEBUG_INTERFACE, "GetState", NULL);

    assert_ok(state);
    g_assert_nonnull(strstr(state->body, "lanes"));
    g_assert_nonnull(strstr(state->body, "primary"));
    /* This call is the only one that waits. */
    g_assert_nonnull(strstr(state->body, "\"budgets\": <[{\"bytes\": <0>, \"calls\": <1>, "));
    g_assert_nonnull(strstr(state->body, "\"unread\": <["));
    g_assert_nonnull(strstr(state->body, "\"signals_missed\": <0>"));
    if (!can_be_ordinary_user())
        return;

    g_autoptr(Client) other = client_new_as(s->world, ORDINARY_UID);
    g_autoptr(Call) denied =
        client_call(other, VMS_ROOT_PATH, VMS_DEBUG_INTERFACE, "GetState", NULL);
    assert_error_says(denied, SD_BUS_ERROR_ACCESS_DENIED, "only root");
}

static int
compare_bytes(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
test_list_order(void)
{
    const char *names[] = {"b", "B", "a", "\303\204", "\303\251", "10", "9", "-x", "a b", "~"};
    g_autoptr(Node) node = node_new();

    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        node_add(node, names[i], i % 2 ? "paused" : "shutoff");
    g_autoptr(Service) s = service_on_node(node, NULL, NULL);
    guint64 mark = mirror_mark(s->mirror);

    g_autoptr(Call) list = manager_call(s, "ListDomains", NULL);
    assert_ok(list);
    qsort(names, G_N_ELEMENTS(names), sizeof *names, compare_bytes);
    g_assert_cmpint(sd_bus_message_enter_container(list->reply, 'a', "(ssso)"), >, 0);
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        const char *uuid, *name, *state, *path;
        g_assert_cmpint(sd_bus_message_read(list->reply, "(ssso)", &uuid, &name, &state, &path), >,
                        0);
        g_autofree char *expected_path = domain_path(uuid);
        g_assert_cmpstr(name, ==, names[i]);
        g_assert_cmpstr(path, ==, expected_path);
        g_assert_true(mirror_is(s->mirror, path, "Uuid", uuid));
        g_assert_true(mirror_is(s->mirror, path, "Name", name));
        g_assert_true(mirror_is(s->mirror, path, "State", state));
    }
    g_assert_cmpint(sd_bus_message_at_end(list->reply, false), >, 0);
    /* There was nothing new to tell. */
    g_assert_cmpuint(mirror_count(s->mirror, mark, NULL, NULL), ==, 0);
}

static void
test_empty_host(void)
{
    g_autoptr(Node) node = node_new();
    g_autoptr(Service) s = service_on_node(node, NULL, NULL);
    g_autoptr(Call) list = manager_call(s, "ListDomains", NULL);

    assert_ok(list);
    g_assert_cmpstr(list->body, ==, "[]");
    mirror_check(s->mirror);
}

static void
test_get_domain(void)
{
    g_autoptr(Node) node = node_new();
    g_autofree char *uuid = node_uuid(0);
    g_autofree char *unknown = node_uuid(7);
    const char *missing[] = {"nobody", "", "WEB", unknown, "00000000-0000-4000-8000"};

    node_add(node, "web", "running");
    /* A UUID wins over a domain of that name. */
    node_add(node, uuid, "running");
    g_autoptr(Service) s = service_on_node(node, NULL, NULL);
    g_autofree char *path = domain_path(uuid);

    g_autofree char *by_name = client_domain(s->client, "web");
    g_autofree char *by_uuid = client_domain(s->client, uuid);
    g_assert_cmpstr(by_name, ==, path);
    g_assert_cmpstr(by_uuid, ==, path);
    for (guint i = 0; i < G_N_ELEMENTS(missing); i++) {
        g_autoptr(Call) call = manager_call(s, "GetDomain", "s", missing[i]);
        assert_error(call, NO_SUCH_DOMAIN);
    }
}

static void
test_define(void)
{
    g_autoptr(Service) s = service_new("--uri=test:///default", NULL);
    const char *uuid = "11111111-2222-4333-8444-555555555555";
    g_autofree char *path = domain_path(uuid);
    guint64 mark = mirror_mark(s->mirror);

    g_autoptr(Call) made =
        define(s, &(NodeDomain){.name = "new", .uuid = uuid, .title = "A <title> & more"});
    assert_ok(made);
    g_assert_cmpstr(call_path(made), ==, path);
    g_assert_true(mirror_is(s->mirror, path, "Name", "new"));
    g_assert_true(mirror_is(s->mirror, path, "State", "shutoff"));
    g_assert_true(mirror_is(s->mirror, path, "Id", "-1"));
    g_assert_true(mirror_is(s->mirror, path, "Persistent", "true"));
    g_assert_true(mirror_is(s->mirror, path, "Title", "A <title> & more"));
    g_assert_true(mirror_is(s->mirror, path, "Description", ""));
    g_assert_cmpuint(mirror_count(s->mirror, mark, VMS_ROOT_PATH, "InterfacesAdded"), ==, 1);

    mark = mirror_mark(s->mirror);
    g_autoptr(Call) remade =
        define(s, &(NodeDomain){.name = "new",
                                .uuid = uuid,
                                .title = "Another",
                                .description = "Two\nlines, \303\244\303\266"});
    assert_ok(remade);
    g_assert_cmpstr(call_path(remade), ==, path);
    g_autofree char *titles = mirror_history(s->mirror, mark, path, "Title");
    g_assert_cmpstr(titles, ==, "Another");
    g_assert_true(mirror_is(s->mirror, path, "Description", "Two\nlines, \303\244\303\266"));
    g_assert_cmpuint(mirror_count(s->mirror, mark, VMS_ROOT_PATH, "InterfacesAdded"), ==, 0);
}

/* A UUID that libvirt chooses itself is found in the reply. */
static void
test_define_without_uuid(void)
{
    g_autoptr(Service) s = service_new("--uri=test:///default", NULL);
    g_autoptr(Call) made = define(s, &(NodeDomain){.name = "anonymous"});

    assert_ok(made);
    g_assert_true(mirror_is(s->mirror, call_path(made), "Name", "anonymous"));
    g_autofree char *path = client_domain(s->client, "anonymous");
    g_assert_cmpstr(path, ==, call_path(made));
}

static void
test_define_refused(void)
{
    static const struct {
        const char *xml;
        const char *words;
    } bad[] = {
        {"", NULL},
        {"this is no XML", NULL},
        {"<domain", NULL},
        {"<network/>", NULL},
        {"<domain/>", NULL},
        {"<domain type='test'><name>x</name></domain>", NULL},
        {"<domain type='test'><name>other</name>"
         "<uuid>6695eb01-f6a4-8304-79aa-97f2502e193f</uuid><memory>1</memory>"
         "<os><type>hvm</type></os></domain>",
         "already defined with uuid"},
        {"<domain type='test'><name>test</name>"
         "<uuid>11111111-2222-4333-8444-555555555555</uuid><memory>1</memory>"
         "<os><type>hvm</type></os></domain>",
         "already exists with uuid"},
    };
    g_autoptr(Service) s = service_new("--uri=test:///default", NULL);
    guint64 mark = mirror_mark(s->mirror);

    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(Call) call = manager_call(s, "DefineDomain", "s", bad[i].xml);
        g_test_message("%s: %s", bad[i].xml, call->error_message);
        assert_error_says(call, OPERATION_FAILED, bad[i].words);
    }
    g_assert_cmpuint(mirror_count(s->mirror, mark, NULL, NULL), ==, 0);
}

static void
test_define_makes_transient_persistent(void)
{
    g_autoptr(Node) node = node_new();
    g_autofree char *uuid = node_uuid(0);
    g_autofree char *path = domain_path(uuid);

    node_add_domain(node, &(NodeDomain){.name = "t", .state = "running", .transient = true});
    g_autoptr(Service) s = service_on_node(node, NULL, NULL);
    g_assert_true(mirror_is(s->mirror, path, "Persistent", "false"));
    g_autoptr(Call) call = define(s, &(NodeDomain){.name = "t", .uuid = uuid});
    assert_ok(call);
    g_assert_true(mirror_is(s->mirror, path, "Persistent", "true"));
    g_assert_true(mirror_is(s->mirror, path, "State", "running"));
}

static void
test_undefine(void)
{
    g_autoptr(Node) node = node_new();

    node_add(node, "off", "shutoff");
    node_add(node, "on", "running");
    g_autoptr(Service) s = service_on_node(node, "--stop-timeout=1", NULL);
    g_autofree char *off = client_domain(s->client, "off");
    g_autofree char *on = client_domain(s->client, "on");

    g_autoptr(Call) a = domain_call(s, off, "Undefine", "a{sv}", 0);
    assert_ok(a);
    g_assert_false(mirror_has(s->mirror, off, VMS_DOMAIN_INTERFACE));
    g_autoptr(Call) gone = domain_call(s, off, "Undefine", "a{sv}", 0);
    assert_error(gone, SD_BUS_ERROR_UNKNOWN_OBJECT);

    /* One that runs goes on as a transient one. */
    guint64 mark = mirror_mark(s->mirror);
    g_autoptr(Call) b = domain_call(s, on, "Undefine", "a{sv}", 0);
    assert_ok(b);
    g_autofree char *persistent = mirror_history(s->mirror, mark, on, "Persistent");
    g_assert_cmpstr(persistent, ==, "false");
    g_assert_true(mirror_is(s->mirror, on, "State", "running"));
    g_autoptr(Call) stop = domain_call(s, on, "Stop", NULL);
    assert_ok(stop);
    g_assert_false(mirror_has(s->mirror, on, VMS_DOMAIN_INTERFACE));
}

static void
test_undefine_options(void)
{
    g_autoptr(Node) node = node_new();

    node_add_domain(node,
                    &(NodeDomain){.name = "saved", .state = "shutoff", .has_managed_save = true});
    g_autoptr(Service) s = service_on_node(node, NULL, NULL);
    g_autofree char *path = client_domain(s->client, "saved");

    g_autoptr(Call) refused = domain_call(s, path, "Undefine", "a{sv}", 0);
    assert_error_says(refused, INVALID_STATE, "managed save");
    g_autoptr(Call) refused_too =
        domain_call(s, path, "Undefine", "a{sv}", 1, "managed_save", "b", false);
    assert_error_says(refused_too, INVALID_STATE, "managed save");
    g_assert_true(mirror_has(s->mirror, path, VMS_DOMAIN_INTERFACE));
    /* The test driver has no NVRAM and says so: it was asked. */
    g_autoptr(Call) nvram =
        domain_call(s, path, "Undefine", "a{sv}", 2, "managed_save", "b", true, "nvram", "b", true);
    assert_error_says(nvram, OPERATION_FAILED, "flags");
    g_autoptr(Call) keep = domain_call(s, path, "Undefine", "a{sv}", 2, "managed_save", "b", true,
                                       "keep_nvram", "b", true);
    assert_error_says(keep, OPERATION_FAILED, "flags");
    g_autoptr(Call) call = domain_call(s, path, "Undefine", "a{sv}", 2, "managed_save", "b", true,
                                       "snapshots_metadata", "b", true);
    assert_ok(call);
    g_assert_false(mirror_has(s->mirror, path, VMS_DOMAIN_INTERFACE));
}

static void
test_autostart(void)
{
    g_autoptr(Node) node = node_new();

    node_add(node, "p", "running");
    g_autoptr(Service) s = service_on_node(node, NULL, NULL);
    g_autofree char *path = client_domain(s->client, "p");

    guint64 mark = mirror_mark(s->mirror);
    g_autoptr(Call) on = domain_call(s, path, "SetAutostart", "b", true);
    assert_ok(on);
    g_autofree char *history = mirror_history(s->mirror, mark, path, "Autostart");
    g_assert_cmpstr(history, ==, "true");
    mark = mirror_mark(s->mirror);
    g_autoptr(Call) on_again = domain_call(s, path, "SetAutostart", "b", true);
    assert_ok(on_again);
    g_assert_cmpuint(mirror_count(s->mirror, mark, NULL, NULL), ==, 0);
    g_autoptr(Call) off = domain_call(s, path, "SetAutostart", "b", false);
    assert_ok(off);
    g_assert_true(mirror_is(s->mirror, path, "Autostart", "false"));
}

static bool
xml_has(Service *s, const char *path, const char *option, bool value, const char *text)
{
    g_autoptr(Call) call = option ? domain_call(s, path, "GetXml", "a{sv}", 1, option, "b", value)
                                  : domain_call(s, path, "GetXml", "a{sv}", 0);

    assert_ok(call);
    g_assert_nonnull(strstr(call->body, "<domain type='test'"));
    return strstr(call->body, text) != NULL;
}

static void
test_get_xml(void)
{
    g_autoptr(Node) node = node_new();
    g_autofree char *uuid = node_uuid(0);
    g_autofree char *path = domain_path(uuid);

    node_add_domain(node, &(NodeDomain){.name = "secretive",
                                        .state = "running",
                                        .devices = "<graphics type='vnc' passwd='sesame'/>"});
    g_autoptr(Service) s = service_on_node(node, NULL, NULL);

    g_assert_true(xml_has(s, path, NULL, false, "<name>secretive</name>"));
    g_assert_false(xml_has(s, path, NULL, false, "sesame"));
    g_assert_false(xml_has(s, path, "secure", false, "sesame"));
    g_assert_true(xml_has(s, path, "secure", true, "sesame"));
    /* The configuration of the next boot differs from what runs. */
    g_autoptr(Call) changed =
        define(s, &(NodeDomain){.name = "secretive", .uuid = uuid, .description = "next time"});
    assert_ok(changed);
    g_assert_true(xml_has(s, path, "inactive", true, "next time"));
    g_assert_false(xml_has(s, path, "inactive", false, "next time"));
    g_assert_false(xml_has(s, path, NULL, false, "next time"));
}

/* Where the property took its last value. */
static guint64
last_change(const Mirror *m, const char *path, const char *property)
{
    guint64 sequence = 0;

    for (guint i = 0; i < m->changes->len; i++) {
        const Change *change = m->changes->pdata[i];

        if (g_str_equal(change->path, path) && g_str_equal(change->property, property))
            sequence = change->sequence;
    }
    return sequence;
}

/* Each connection to a node is a world of its own, so that a new one starts afresh: what the
 * service has then is what the new one says, and only what differs was signalled. */
static void
test_reconnect(void)
{
    g_autoptr(Node) node = node_new();

    node_add(node, "a", "running");
    node_add(node, "b", "shutoff");
    g_autoptr(Service) s = service_on_node(node, "--stop-timeout=1", NULL);
    g_autofree char *a = client_domain(s->client, "a");
    g_autofree char *b = client_domain(s->client, "b");
    g_autoptr(Call) stop = domain_call(s, a, "Stop", NULL);
    assert_ok(stop);
    g_autoptr(Call) made = define(s, &(NodeDomain){.name = "passing"});
    assert_ok(made);
    g_assert_true(mirror_is(s->mirror, a, "State", "shutoff"));

    guint64 mark = mirror_mark(s->mirror);
    g_autoptr(Call) call = manager_call(s, "Reconnect", NULL);
    assert_ok(call);
    g_autofree char *manager = mirror_history(s->mirror, mark, VMS_ROOT_PATH, "Available");
    g_autofree char *available = mirror_history(s->mirror, mark, a, "Available");
    g_autofree char *state = mirror_history(s->mirror, mark, a, "State");
    g_autofree char *other = mirror_history(s->mirror, mark, b, "State");
    g_assert_cmpstr(manager, ==, "false true");
    g_assert_cmpstr(available, ==, "false true");
    g_assert_cmpstr(state, ==, "running");
    g_assert_cmpstr(other, ==, "");
    /* The domains are signalled before Available is. */
    g_assert_cmpuint(last_change(s->mirror, a, "State"), <,
                     last_change(s->mirror, VMS_ROOT_PATH, "Available"));
    g_assert_cmpuint(mirror_count(s->mirror, mark, VMS_ROOT_PATH, "InterfacesAdded"), ==, 0);
    g_assert_cmpuint(mirror_count(s->mirror, mark, VMS_ROOT_PATH, "InterfacesRemoved"), ==, 1);
    g_assert_false(mirror_has(s->mirror, call_path(made), VMS_DOMAIN_INTERFACE));
    assert_property(s->client, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "Status", "available");
}

/* All at once: everybody is answered, and the connection is there afterwards. A read is tried once
 * more when its connection drops; here it may drop again. */
static void
test_reconnect_storm(void)
{
    g_autoptr(Node) node = node_new();
    Call *calls[60];

    node_add(node, "a", "running");
    g_autoptr(Service) s = service_on_node(node, NULL, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(calls); i++)
        calls[i] = i % 3 == 0   ? manager_send(s, "Reconnect", NULL)
                   : i % 3 == 1 ? manager_send(s, "ListDomains", NULL)
                                : manager_send(s, "GetDomain", "s", "a");
    for (guint i = 0; i < G_N_ELEMENTS(calls); i++) {
        call_wait(calls[i]);
        if (i % 3 != 1 || !calls[i]->error_name)
            assert_ok(calls[i]);
        else
            assert_error(calls[i], VMS_ERROR_PREFIX "NotAvailable");
        call_free(calls[i]);
    }
    g_assert_cmpstr(mirror_get(s->mirror, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "Available"), ==,
                    "true");
}

static int
count_replies(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    uint64_t serial;

    *(guint *)userdata += sd_bus_message_get_reply_cookie(m, &serial) >= 0;
    return 0;
}

/* A call that wants no reply gets none, whether it succeeds or fails. */
static void
test_no_reply(void)
{
    g_autoptr(Service) s = service_new("--uri=test:///default", NULL);
    guint replies = 0;

    g_assert_cmpint(sd_bus_add_filter(s->client->bus, NULL, count_replies, &replies), >=, 0);
    for (guint i = 0; i < 2; i++) {
        sd_bus_message *m =
            client_message(s->client, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "GetDomain");

        g_assert_cmpint(sd_bus_message_append(m, "s", i ? "test" : "nobody"), >=, 0);
        g_assert_cmpint(sd_bus_message_set_expect_reply(m, false), >=, 0);
        g_assert_cmpint(sd_bus_send(s->client->bus, m, NULL), >=, 0);
        sd_bus_message_unref(m);
    }
    /* It asks libvirt after those. */
    g_autoptr(Call) last = manager_call(s, "GetDomain", "s", "nobody either");
    assert_error(last, VMS_ERROR_PREFIX "NoSuchDomain");
    g_assert_cmpuint(replies, ==, 1);
}

static int
compare_times(const void *a, const void *b)
{
    gint64 one = *(const gint64 *)a, other = *(const gint64 *)b;

    return (one > other) - (one < other);
}

/* Everything in one message, whose time docs/BENCHMARK.md gives for both kinds of bus. */
static void
test_all_objects(void)
{
    enum { DOMAINS = 1000, ROUNDS = 11 };
    gint64 times[ROUNDS];
    g_autoptr(Node) node = node_new();
    g_autoptr(World) w = world_new();

    for (guint i = 0; i < DOMAINS; i++) {
        g_autofree char *name = g_strdup_printf("domain%u", i);

        node_add(node, name, "shutoff");
    }
    g_autofree char *option = node_uri_option(node, w);
    world_start(w, option, NULL);
    g_autoptr(Client) c = client_new(w);
    client_wait_available(c, true);
    for (guint i = 0; i < ROUNDS; i++) {
        g_autoptr(Call) call = client_call(c, VMS_ROOT_PATH, "org.freedesktop.DBus.ObjectManager",
                                           "GetManagedObjects", NULL);
        g_auto(GStrv) parts = NULL;

        assert_ok(call);
        parts = g_strsplit(call->body, "\"" VMS_DOMAIN_INTERFACE "\": ", -1);
        g_assert_cmpuint(g_strv_length(parts) - 1, ==, DOMAINS);
        times[i] = call->done_usec - call->sent_usec;
    }
    qsort(times, ROUNDS, sizeof *times, compare_times);
    g_test_message("GetManagedObjects of %u domains takes %.1f ms in the median, %.1f to %.1f",
                   DOMAINS, (double)times[ROUNDS / 2] / 1000, (double)times[0] / 1000,
                   (double)times[ROUNDS - 1] / 1000);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/manager/properties", test_properties);
    g_test_add_func("/manager/debug", test_debug);
    g_test_add_func("/manager/list-order", test_list_order);
    g_test_add_func("/manager/empty-host", test_empty_host);
    g_test_add_func("/manager/get-domain", test_get_domain);
    g_test_add_func("/manager/define", test_define);
    g_test_add_func("/manager/define-without-uuid", test_define_without_uuid);
    g_test_add_func("/manager/define-refused", test_define_refused);
    g_test_add_func("/manager/define-makes-persistent", test_define_makes_transient_persistent);
    g_test_add_func("/manager/undefine", test_undefine);
    g_test_add_func("/manager/undefine-options", test_undefine_options);
    g_test_add_func("/manager/autostart", test_autostart);
    g_test_add_func("/manager/get-xml", test_get_xml);
    g_test_add_func("/manager/all-objects", test_all_objects);
    g_test_add_func("/manager/reconnect", test_reconnect);
    g_test_add_func("/manager/reconnect-storm", test_reconnect_storm);
    g_test_add_func("/manager/no-reply", test_no_reply);
    return g_test_run();
}
