/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * polkit's answer is about a name: a domain that is renamed while a call waits for libvirt is
 * authorised again. polkit is played by the test, as it has to answer by the name.
 */

#include "libvirtd.h"
#include "proxy.h"

#define DENIED "org.freedesktop.DBus.Error.AccessDenied"

typedef struct Polkit {
    sd_bus *bus;
    GString *asked; /* the names, each with a blank after it */
} Polkit;

/* "before" may be changed, and nothing else. */
static int
on_check(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    Polkit *polkit = userdata;
    const char *key, *value, *name = "";

    g_assert_cmpint(sd_bus_message_skip(m, "(sa{sv})s"), >=, 0);
    g_assert_cmpint(sd_bus_message_enter_container(m, 'a', "{ss}"), >=, 0);
    while (sd_bus_message_read(m, "{ss}", &key, &value) > 0)
        if (g_str_equal(key, "vm_name"))
            name = value;
    g_string_append_printf(polkit->asked, "%s ", name);
    return sd_bus_reply_method_return(m, "(bba{ss})", g_str_equal(name, "before"), 0, 0);
}

static const sd_bus_vtable authority[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("CheckAuthorization", "(sa{sv})sa{ss}us", "(bba{ss})", on_check,
                  SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

static Polkit *
polkit_new(World *w)
{
    Polkit *polkit = g_new0(Polkit, 1);

    polkit->asked = g_string_new(NULL);
    g_assert_cmpint(sd_bus_new(&polkit->bus), >=, 0);
    g_assert_cmpint(sd_bus_set_address(polkit->bus, world_address(w)), >=, 0);
    g_assert_cmpint(sd_bus_set_bus_client(polkit->bus, 1), >=, 0);
    g_assert_cmpint(sd_bus_start(polkit->bus), >=, 0);
    g_assert_cmpint(
        sd_bus_add_object_vtable(polkit->bus, NULL, "/org/freedesktop/PolicyKit1/Authority",
                                 "org.freedesktop.PolicyKit1.Authority", authority, polkit),
        >=, 0);
    g_assert_cmpint(sd_bus_request_name(polkit->bus, "org.freedesktop.PolicyKit1", 0), >=, 0);
    g_assert_cmpint(sd_bus_attach_event(polkit->bus, world_event(w), 0), >=, 0);
    return polkit;
}

static void
polkit_free(Polkit *polkit)
{
    sd_bus_flush_close_unref(polkit->bus);
    g_string_free(polkit->asked, true);
    g_free(polkit);
}

/* The service behind a proxy, which can make it wait, and a client that polkit is asked about. */
typedef struct Waiting {
    World *world;
    Proxy *proxy;
    Client *client;
    Polkit *polkit;
    char *path; /* of the domain, called "before" */
} Waiting;

static Waiting *
waiting_new(void)
{
    Waiting *t = g_new0(Waiting, 1);

    libvirtd_clean();
    t->world = world_new();
    t->proxy = proxy_new(t->world, "/run/libvirt/libvirt-sock");
    guest_define(t->world, "", "before", "bare");
    t->path = guest_path(t->world, "before");
    g_autofree char *uri =
        g_strdup_printf("--uri=qemu+unix:///system?socket=%s", proxy_path(t->proxy));
    world_start(t->world, uri, NULL);
    t->client = client_new_as(t->world, ORDINARY_UID);
    client_wait_available(t->client, true);
    t->polkit = polkit_new(t->world);
    return t;
}

static void
waiting_free(Waiting *t)
{
    polkit_free(t->polkit);
    client_free(t->client);
    proxy_free(t->proxy);
    world_free(t->world);
    g_free(t->path);
    g_free(t);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Waiting, waiting_free)

static void
freeze(Waiting *t)
{
    proxy_arm(t->proxy, &(Fault){FAULT_FREEZE, TO_LIBVIRT, .at = 0});
}

static Call *
start(Waiting *t)
{
    return client_send(t->client, t->path, VMS_DOMAIN_INTERFACE, "Start", NULL);
}

static Call *
set_autostart(Waiting *t)
{
    return client_send(t->client, t->path, VMS_DOMAIN_INTERFACE, "SetAutostart", "b", true);
}

static void
wait_asked(Waiting *t, const char *names)
{
    wait_for(t->world, g_str_equal(t->polkit->asked->str, names));
}

static void
assert_nothing_done(Waiting *t, const char *name)
{
    g_autofree char *state = shell(t->world, "virsh domstate %s", name);
    g_autofree char *autostart = shell(t->world, "virsh list --all --autostart --name");

    g_assert_cmpstr(g_strstrip(state), ==, "shut off");
    g_assert_cmpstr(g_strstrip(autostart), ==, "");
}

/* An operation reads the domain before it acts. */
static void
test_while_it_refreshes(void)
{
    if (!can_be_ordinary_user())
        return;
    g_autoptr(Waiting) t = waiting_new();

    freeze(t);
    g_autoptr(Call) call = start(t);
    wait_asked(t, "before ");
    run(t->world, "virsh -q domrename before after");
    proxy_heal(t->proxy);
    assert_error(call, DENIED);
    wait_asked(t, "before after ");
    assert_nothing_done(t, "after");
}

static void
test_while_it_connects(void)
{
    if (!can_be_ordinary_user())
        return;
    g_autoptr(Waiting) t = waiting_new();

    freeze(t);
    client_wait_available(t->client, false);
    g_autoptr(Call) first = start(t);
    g_autoptr(Call) second = set_autostart(t);
    wait_asked(t, "before before ");
    run(t->world, "virsh -q domrename before after");
    proxy_heal(t->proxy);
    assert_error(first, DENIED);
    assert_error(second, DENIED);
    wait_asked(t, "before before after after ");
    assert_nothing_done(t, "after");
}

/* The connection is used without its list, which waits for a domain that hangs. */
static void
test_while_it_lists(void)
{
    if (!can_be_ordinary_user())
        return;
    libvirtd_slow_starts();
    g_autoptr(Waiting) t = waiting_new();

    guest_define(t->world, "", "slow", "bare");
    run(t->world, "virsh -q start slow </dev/null >/dev/null 2>&1 &\n"
                  "until [[ -e /run/vms/hung.slow ]]; do sleep 0.05; done");
    freeze(t);
    client_wait_available(t->client, false);
    g_autoptr(Call) call = set_autostart(t);
    wait_asked(t, "before ");
    run(t->world, "virsh -q domrename before after");
    proxy_heal(t->proxy);
    assert_error(call, DENIED);
    wait_asked(t, "before after ");
    run(t->world, "rm /run/vms/hang");
    assert_nothing_done(t, "after");
}

/* Nobody is asked twice about the same name. */
static void
test_not(void)
{
    if (!can_be_ordinary_user())
        return;
    g_autoptr(Waiting) t = waiting_new();

    freeze(t);
    client_wait_available(t->client, false);
    g_autoptr(Call) first = start(t);
    g_autoptr(Call) second = set_autostart(t);
    wait_asked(t, "before before ");
    proxy_heal(t->proxy);
    assert_ok(first);
    assert_ok(second);
    wait_asked(t, "before before ");
}

/* Root is allowed to all: the call, which watches the domain, begins anew and watches it once. */
static void
test_allowed(void)
{
    g_autoptr(Waiting) t = waiting_new();
    g_autoptr(Client) root = client_new(t->world);

    freeze(t);
    client_wait_available(root, false);
    g_autoptr(Call) call = client_send(root, t->path, VMS_CONFIG_INTERFACE, "DetachDevice",
                                       "sa{sv}", "<disk type='file'><target dev='vdz'/></disk>", 0);
    assert_property(root, t->path, VMS_DOMAIN_INTERFACE, "Name", "before"); /* it has come */
    run(t->world, "virsh -q domrename before after");
    proxy_heal(t->proxy);
    assert_error(call, VMS_ERROR_PREFIX "OperationFailed");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    libvirtd_need();
    libvirtd_add_func("/libvirtd/renamed/while-it-refreshes", test_while_it_refreshes);
    libvirtd_add_func("/libvirtd/renamed/while-it-connects", test_while_it_connects);
    libvirtd_add_func("/libvirtd/renamed/while-it-lists", test_while_it_lists);
    libvirtd_add_func("/libvirtd/renamed/not", test_not);
    libvirtd_add_func("/libvirtd/renamed/allowed", test_allowed);
    return g_test_run();
}
