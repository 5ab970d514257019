/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * An ordinary user, whom nobody authorises (there is no polkit on this bus), tries every method and
 * property that introspection names, on every path, with and without the flag for interactive
 * authorisation: exactly the reads succeed, and nothing changes.
 *
 * With $VMS_INSTALLED the same is done to the service that is installed on this machine, on the
 * system bus, where polkit is asked. Its guests have to be "one", and "stuck", which runs and does
 * not obey.
 *
 * A method that is added to the interface is tried too, with the arguments that its signature
 * makes, and has to be denied: if it is a read, it is added here; if it looks at its arguments
 * first, arguments that it takes are.
 */

#include "interface.h"
#include "libvirt-version.h"
#include "service.h"

#include <string.h>

#define DENIED         "org.freedesktop.DBus.Error.AccessDenied"
#define INTERACTIVE    "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"
#define PROPERTIES     "org.freedesktop.DBus.Properties"
#define MISSING_DOMAIN VMS_DOMAIN_PREFIX "/00000000_0000_4000_8000_00000000dead"

/* Everything else is for those who are authorised. */
static const char *const reads[] = {
    "org.freedesktop.DBus.Introspectable.Introspect",
    "org.freedesktop.DBus.ObjectManager.GetManagedObjects",
    "org.freedesktop.DBus.Peer.GetMachineId",
    "org.freedesktop.DBus.Peer.Ping",
    VMS_DOMAIN_INTERFACE ".GetXml",
    VMS_HOST_INTERFACE ".GetDevices",
    VMS_MANAGER_INTERFACE ".GetDomain",
    VMS_MANAGER_INTERFACE ".GetStats",
    VMS_MANAGER_INTERFACE ".ListDomains",
    VMS_MANAGER_INTERFACE ".SubscribeUsage",
    VMS_MANAGER_INTERFACE ".UnsubscribeUsage",
    VMS_SNAPSHOTS_INTERFACE ".List",
    NULL,
};

#define DEVICE "<disk type='file' device='disk'><source file='/x'/><target dev='vdb'/></disk>"

/* Valid first arguments, strings, of methods that check theirs before they ask about the caller. */
static const struct {
    const char *method;
    const char *text;
} texts[] = {
    {VMS_MANAGER_INTERFACE ".GetDomain", "one"},
    {VMS_MANAGER_INTERFACE ".DefineDomain",
     "<domain type='test'><name>intruder</name><memory>1024</memory>"
     "<os><type>hvm</type></os></domain>"},
    {VMS_CONFIG_INTERFACE ".AttachDevice", DEVICE},
    {VMS_CONFIG_INTERFACE ".DetachDevice", DEVICE},
    {VMS_CONFIG_INTERFACE ".UpdateDevice", DEVICE},
    {VMS_DISPLAY_INTERFACE ".SendKeys", "linux"},
    {VMS_GUEST_INTERFACE ".GetAddresses", "agent"},
    {VMS_HOST_INTERFACE ".GetDevices", "usb"},
    {VMS_MIGRATION_INTERFACE ".Migrate", "qemu+tls://elsewhere/system"},
    {VMS_SAVED_INTERFACE ".Suspend", "memory"},
    {VMS_STORAGE_INTERFACE ".Copy", "/copy"},
};

/* The words of each method's polkit action: those of the first row that its name begins with. */
static const struct {
    const char *method;
    const char *words;
} needed[] = {
    {VMS_MANAGER_INTERFACE ".DefineDomain", "configure the virtual machine intruder"},
    {VMS_MANAGER_INTERFACE ".Reconnect", "reconnect to the hypervisor"},
    {VMS_DEBUG_INTERFACE ".", "look into the service"},
    {VMS_JOB_INTERFACE ".Cancel", "stop the virtual machine stuck"},
    {VMS_DOMAIN_INTERFACE ".Start", "start the virtual machine"},
    {VMS_DOMAIN_INTERFACE ".Stop", "stop the virtual machine"},
    {VMS_DOMAIN_INTERFACE ".Pause", "pause the virtual machine"},
    {VMS_DOMAIN_INTERFACE ".Resume", "resume the virtual machine"},
    {VMS_DOMAIN_INTERFACE ".ForceStop", "forcibly stop the virtual machine"},
    {VMS_DOMAIN_INTERFACE ".Reboot", "reboot the virtual machine"},
    {VMS_DOMAIN_INTERFACE ".Reset", "reset the virtual machine"},
    {VMS_DOMAIN_INTERFACE ".SetAutostart", "adjust the settings of the virtual machine"},
    {VMS_DOMAIN_INTERFACE ".Undefine", "configure the virtual machine"},
    {VMS_CONFIG_INTERFACE ".Set", "adjust the settings of the virtual machine"},
    {VMS_CONFIG_INTERFACE ".", "configure the virtual machine"},
    {VMS_DISPLAY_INTERFACE ".", "use the console of the virtual machine"},
    {VMS_GUEST_INTERFACE ".", "use the guest agent of the virtual machine"},
    {VMS_SNAPSHOTS_INTERFACE ".", "manage the snapshots of the virtual machine"},
    {VMS_STORAGE_INTERFACE ".", "configure the virtual machine"},
    {VMS_SAVED_INTERFACE ".", "save the state of the virtual machine"},
    {VMS_MIGRATION_INTERFACE ".", "migrate the virtual machine"},
};

static bool
is_installed(void)
{
    return g_getenv("VMS_INSTALLED") != NULL;
}

/* polkit alone can tell that somebody could be asked, which takes the flag. */
static const char *
refusal(bool interactive)
{
    return is_installed() && !interactive ? INTERACTIVE : DENIED;
}

/* polkit is not asked about what only root may. */
static const char *
refusal_of(const Member *method, bool interactive)
{
    return g_str_equal(method->interface, VMS_DEBUG_INTERFACE) ? DENIED : refusal(interactive);
}

static void
assert_needs_action(const Call *denied, const Member *method)
{
    g_autofree char *name = g_strdup_printf("%s.%s", method->interface, method->name);

    for (guint i = 0; i < G_N_ELEMENTS(needed); i++) {
        g_autofree char *start = g_strconcat("Not authorised to ", needed[i].words, NULL);

        if (!g_str_has_prefix(name, needed[i].method))
            continue;
        if (!g_str_has_prefix(denied->error_message, start))
            g_error("%s is denied, but not \"%s\": %s", name, start, denied->error_message);
        return;
    }
    g_error("This test does not know which action %s needs: add it", name);
}

static const char *
text_for(const char *method)
{
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
        if (g_str_equal(texts[i].method, method))
            return texts[i].text;
    return "name";
}

static void
append_argument(sd_bus_message *m, const char **types, const char *method)
{
    switch (*(*types)++) {
    case 'b':
        g_assert_cmpint(sd_bus_message_append(m, "b", 1), >=, 0);
        return;
    case 'u':
        g_assert_cmpint(sd_bus_message_append(m, "u", 1), >=, 0);
        return;
    case 't':
        g_assert_cmpint(sd_bus_message_append(m, "t", G_GUINT64_CONSTANT(1048576)), >=, 0);
        return;
    case 's':
        g_assert_cmpint(sd_bus_message_append(m, "s", text_for(method)), >=, 0);
        return;
    case 'a':
        break;
    default:
        g_error("%s takes a type that this test cannot make: add it", method);
    }
    if (g_str_has_prefix(*types, "{sv}")) {
        g_assert_cmpint(sd_bus_message_append(m, "a{sv}", 0), >=, 0);
        *types += strlen("{sv}");
    } else if (**types == 's') {
        g_assert_cmpint(sd_bus_message_append(m, "as", 1, "state"), >=, 0);
        ++*types;
    } else if (**types == 'u') {
        g_assert_cmpint(sd_bus_message_append(m, "au", 1, 30), >=, 0);
        ++*types;
    } else if (g_str_has_prefix(*types, "(us)")) {
        g_assert_cmpint(sd_bus_message_append(m, "a(us)", 1, 0, "0"), >=, 0);
        *types += strlen("(us)");
    } else {
        g_error("%s takes an array that this test cannot make: add it", method);
    }
}

static Call *
call_member(Client *c, const char *path, const Member *member, bool interactive)
{
    g_autofree char *method = g_strdup_printf("%s.%s", member->interface, member->name);
    sd_bus_message *m = client_message(c, path, member->interface, member->name);

    g_assert_cmpint(sd_bus_message_set_allow_interactive_authorization(m, interactive), >=, 0);
    for (const char *types = member->arguments; *types;)
        append_argument(m, &types, method);
    return client_send_message(c, m);
}

static Member *
find(GPtrArray *members, const char *path, const Member *like)
{
    for (guint i = 0; i < members->len; i++) {
        Member *member = g_ptr_array_index(members, i);
        if (!member->is_property && g_str_equal(member->path, path) &&
            g_str_equal(member->interface, like->interface) &&
            g_str_equal(member->name, like->name))
            return member;
    }
    return NULL;
}

/* Peer is answered on any path: it asks whether somebody is there. */
static bool
may_succeed(GPtrArray *members, const char *path, const Member *method)
{
    g_autofree char *name = g_strdup_printf("%s.%s", method->interface, method->name);

    return g_strv_contains(reads, name) && find(members, path, method);
}

/* The caller may read it, and the embedded hypervisor of an old libvirt cannot. */
static bool
is_unsupported(const Member *method)
{
    return !is_installed() && !embedded_has_stats() &&
           g_str_equal(method->interface, VMS_MANAGER_INTERFACE) &&
           g_str_equal(method->name, "GetStats");
}

static void
check_method(Client *c, GPtrArray *members, const char *path, const Member *method,
             bool interactive)
{
    g_autoptr(Call) call = call_member(c, path, method, interactive);

    if (may_succeed(members, path, method)) {
        if (is_unsupported(method))
            assert_error_says(call, VMS_ERROR_PREFIX "OperationFailed", "not supported");
        else
            assert_ok(call);
        return;
    }
    call_wait(call);
    if (find(members, path, method)) {
        if (g_strcmp0(call->error_name, refusal_of(method, interactive)) != 0)
            g_error("%s is not denied: %s, %s", call->what, call->error_name ?: "it succeeds",
                    call->error_message ?: "");
        if (g_str_equal(call->error_name, DENIED))
            assert_needs_action(call, method);
    } else if (!call->error_name && !g_str_has_prefix(method->interface, "org.freedesktop.")) {
        g_error("%s succeeds, and there is no such method", call->what);
    }
}

/* "interface.name" of every method once. */
static GHashTable *
distinct_methods(GPtrArray *members)
{
    GHashTable *methods = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < members->len; i++) {
        Member *member = g_ptr_array_index(members, i);
        if (!member->is_property && !g_str_equal(member->interface, PROPERTIES))
            g_hash_table_insert(methods, g_strdup_printf("%s.%s", member->interface, member->name),
                                member);
    }
    return methods;
}

typedef struct Fixture {
    Service *service;
    Client *nobody;
    GPtrArray *members;
    GPtrArray *paths;
    guint64 mark;
} Fixture;

static Service *
service_with_machines(void)
{
    g_autoptr(Node) node = node_new();

    if (is_installed())
        return service_installed();
    node_add(node, "one", "running");
    node_add(node, "off", "shutoff");
    node_add(node, "halted", "paused");
    node_add(node, "stuck", "shutdown");
    return service_on_node(node, "--stop-timeout=600", NULL);
}

/* A machine in each state, and a job: a Stop that waits for one that never goes down. */
static void
set_up(Fixture *f)
{
    f->service = service_with_machines();
    g_autofree char *stuck = client_domain(f->service->client, "stuck");
    g_autoptr(Call) stop = domain_call(f->service, stuck, "StopWithOptions", "a{sv}", 1, "timeout",
                                       "t", G_GUINT64_CONSTANT(600000000));
    assert_ok(stop);
    f->nobody = client_new_as(f->service->world, ORDINARY_UID);
    f->members = interface_members(f->nobody);
    f->paths = interface_paths(f->nobody);
    g_ptr_array_add(f->paths, g_strdup(MISSING_DOMAIN));
    f->mark = mirror_mark(f->service->mirror);
}

/* The service is as it was: nothing was signalled, and no job came or went. */
static void
tear_down(Fixture *f)
{
    g_autofree char *stuck = client_domain(f->service->client, "stuck");

    mirror_check(f->service->mirror);
    g_assert_cmpuint(mirror_count(f->service->mirror, f->mark, NULL, NULL), ==, 0);
    g_autoptr(Call) force = domain_call(f->service, stuck, "ForceStop", NULL);
    assert_ok(force);
    if (is_installed()) {
        g_autoptr(Call) start = domain_call(f->service, stuck, "Start", NULL);
        assert_ok(start);
    }
    g_ptr_array_unref(f->members);
    g_ptr_array_unref(f->paths);
    client_free(f->nobody);
    service_free(f->service);
}

static void
test_methods(gconstpointer interactive)
{
    Fixture f;
    GHashTableIter iter;
    gpointer member;

    if (!can_be_ordinary_user())
        return;
    set_up(&f);
    g_autoptr(GHashTable) methods = distinct_methods(f.members);
    for (const char *const *read = reads; *read; read++)
        g_assert_true(g_hash_table_contains(methods, *read));
    for (guint i = 0; i < f.paths->len; i++) {
        g_hash_table_iter_init(&iter, methods);
        while (g_hash_table_iter_next(&iter, NULL, &member))
            check_method(f.nobody, f.members, g_ptr_array_index(f.paths, i), member,
                         interactive != NULL);
    }
    g_test_message("%u methods on %u paths", g_hash_table_size(methods), f.paths->len);
    tear_down(&f);
}

static void
check_property(Client *c, const Member *property, bool interactive)
{
    g_autoptr(Call) get = client_call(c, property->path, PROPERTIES, "Get", "ss",
                                      property->interface, property->name);
    sd_bus_message *m = client_message(c, property->path, PROPERTIES, "Set");

    assert_ok(get);
    g_assert_cmpint(sd_bus_message_set_allow_interactive_authorization(m, interactive), >=, 0);
    g_assert_cmpint(sd_bus_message_append(m, "ss", property->interface, property->name), >=, 0);
    g_assert_cmpint(sd_bus_message_copy(m, get->reply, true), >=, 0);
    g_autoptr(Call) set = client_send_message(c, m);
    /* Those of the log alone can be written, by root and by the service's own user. */
    g_assert_cmpint(property->is_writable, ==, g_str_has_prefix(property->name, "Log"));
    assert_error(set,
                 property->is_writable ? DENIED : "org.freedesktop.DBus.Error.PropertyReadOnly");
}

static void
test_properties(gconstpointer interactive)
{
    Fixture f;
    guint tried = 0;

    if (!can_be_ordinary_user())
        return;
    set_up(&f);
    for (guint i = 0; i < f.members->len; i++) {
        const Member *member = g_ptr_array_index(f.members, i);
        if (member->is_property) {
            check_property(f.nobody, member, interactive != NULL);
            tried++;
        }
    }
    g_assert_cmpuint(tried, >, 100);
    g_test_message("%u properties", tried);
    tear_down(&f);
}

/* Options that make a read, or a lesser change, into something else. */
static void
test_options(void)
{
    Fixture f;

    if (!can_be_ordinary_user())
        return;
    set_up(&f);
    g_autofree char *one = client_domain(f.nobody, "one");
    g_autoptr(Call) secure =
        client_call(f.nobody, one, VMS_DOMAIN_INTERFACE, "GetXml", "a{sv}", 1, "secure", "b", 1);
    assert_error(secure, refusal(false));
    if (!is_installed())
        assert_error_says(secure, DENIED,
                          "Not authorised to read the secrets of the virtual machine one");
    g_autoptr(Call) now = client_call(f.nobody, one, VMS_DOMAIN_INTERFACE, "StopWithOptions",
                                      "a{sv}", 1, "timeout", "t", G_GUINT64_CONSTANT(1));
    assert_error(now, refusal(false));
    g_autoptr(Call) inactive =
        client_call(f.nobody, one, VMS_DOMAIN_INTERFACE, "GetXml", "a{sv}", 1, "inactive", "b", 1);
    assert_ok(inactive);
    tear_down(&f);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/privilege/methods", NULL, test_methods);
    g_test_add_data_func("/privilege/methods-interactive", "", test_methods);
    g_test_add_data_func("/privilege/properties", NULL, test_properties);
    g_test_add_data_func("/privilege/properties-interactive", "", test_properties);
    g_test_add_func("/privilege/options", test_options);
    return g_test_run();
}
