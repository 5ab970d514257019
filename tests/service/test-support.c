/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The mirror sees what is wrong: a service in this process signals well and badly. */

#include "canonical.h"
#include "service.h"

#include <string.h>

#define DOMAIN_PATH VMS_DOMAIN_PREFIX "/d"

typedef struct Fake {
    World *world;
    sd_bus *bus;
    sd_bus_slot *domain;
    const char *state;
    uint64_t since;
} Fake;

static int
get_state(sd_bus *bus, const char *path, const char *interface, const char *property,
          sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    const Fake *fake = userdata;

    return sd_bus_message_append(reply, "s", fake->state);
}

static const sd_bus_vtable manager_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("StatusSince", "t", NULL, offsetof(Fake, since),
                    SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_VTABLE_END,
};

static const sd_bus_vtable host_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_VTABLE_END,
};

static const sd_bus_vtable domain_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("State", "s", get_state, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_VTABLE_END,
};

static void
add_domain(Fake *fake)
{
    g_assert_cmpint(sd_bus_add_object_vtable(fake->bus, &fake->domain, DOMAIN_PATH,
                                             VMS_DOMAIN_INTERFACE, domain_vtable, fake),
                    >=, 0);
}

static void
fake_start(Fake *fake)
{
    *fake = (Fake){.world = world_new(), .state = "running", .since = 1};
    g_assert_cmpint(sd_bus_new(&fake->bus), >=, 0);
    g_assert_cmpint(sd_bus_set_address(fake->bus, world_address(fake->world)), >=, 0);
    g_assert_cmpint(sd_bus_set_bus_client(fake->bus, true), >=, 0);
    g_assert_cmpint(sd_bus_start(fake->bus), >=, 0);
    g_assert_cmpint(sd_bus_add_object_manager(fake->bus, NULL, VMS_ROOT_PATH), >=, 0);
    g_assert_cmpint(sd_bus_add_object_vtable(fake->bus, NULL, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE,
                                             manager_vtable, fake),
                    >=, 0);
    g_assert_cmpint(sd_bus_add_object_vtable(fake->bus, NULL, VMS_ROOT_PATH, VMS_HOST_INTERFACE,
                                             host_vtable, fake),
                    >=, 0);
    add_domain(fake);
    g_assert_cmpint(sd_bus_request_name(fake->bus, VMS_BUS_NAME, 0), >=, 0);
    g_assert_cmpint(sd_bus_attach_event(fake->bus, world_event(fake->world), 0), >=, 0);
}

static void
fake_stop(Fake *fake)
{
    sd_bus_slot_unref(fake->domain);
    sd_bus_detach_event(fake->bus);
    sd_bus_flush_close_unref(fake->bus);
    world_free(fake->world);
}

static void
signal_state(Fake *fake)
{
    g_assert_cmpint(
        sd_bus_emit_properties_changed(fake->bus, DOMAIN_PATH, VMS_DOMAIN_INTERFACE, "State", NULL),
        >=, 0);
}

static void
signal_objects(Fake *fake, const char *member)
{
    int (*emit)(sd_bus * bus, const char *path, const char *interface, ...) =
        g_str_equal(member, "added") ? sd_bus_emit_interfaces_added
                                     : sd_bus_emit_interfaces_removed;

    g_assert_cmpint(emit(fake->bus, DOMAIN_PATH, VMS_DOMAIN_INTERFACE, NULL), >=, 0);
}

/* The mirror's complaint must contain these words; empty: it has none. */
static void
check(Mirror *m, const char *words)
{
    g_autofree char *difference = mirror_difference(m);

    g_test_message("%s", difference);
    if (*words)
        g_assert_nonnull(strstr(difference, words));
    else
        g_assert_cmpstr(difference, ==, "");
}

static void
test_good_signals(void)
{
    Fake fake;
    fake_start(&fake);
    Client *c = client_new(fake.world);
    Mirror *m = mirror_new(c);

    check(m, "");
    fake.state = "paused";
    signal_state(&fake);
    signal_objects(&fake, "removed");
    fake.domain = sd_bus_slot_unref(fake.domain);
    check(m, "");
    g_assert_false(mirror_has(m, DOMAIN_PATH, VMS_DOMAIN_INTERFACE));
    fake.state = "idle";
    add_domain(&fake);
    signal_objects(&fake, "added");
    check(m, "");
    g_assert_true(mirror_is(m, DOMAIN_PATH, "State", "idle"));
    g_autofree char *history = mirror_history(m, 0, DOMAIN_PATH, "State");
    g_assert_cmpstr(history, ==, "paused");
    g_assert_cmpuint(mirror_count(m, 0, NULL, NULL), ==, 3);
    mirror_free(m);
    client_free(c);
    fake_stop(&fake);
}

/* Each fault on a mirror of its own. */
static void
test_bad_signals(void)
{
    Fake fake;
    fake_start(&fake);
    Client *c = client_new(fake.world);
    Mirror *m = mirror_new(c);

    fake.state = "paused";
    check(m, "State: paused, but the signals say running");
    mirror_free(m);

    m = mirror_new(c);
    fake.since = 2;
    check(m, "StatusSince: 2, but the signals say 1");
    mirror_free(m);

    m = mirror_new(c);
    signal_state(&fake);
    check(m, "to change from paused to the same");
    mirror_free(m);

    m = mirror_new(c);
    signal_objects(&fake, "added");
    check(m, "has appeared twice");
    mirror_free(m);

    m = mirror_new(c);
    signal_objects(&fake, "removed");
    check(m, "the signals say nothing");
    signal_objects(&fake, "removed");
    check(m, "where it was not");
    mirror_free(m);

    m = mirror_new(c);
    fake.domain = sd_bus_slot_unref(fake.domain);
    check(m, "State: gone, but the signals say paused");
    mirror_free(m);
    client_free(c);
    fake_stop(&fake);
}

static void
test_canonical(void)
{
    g_autoptr(World) w = world_new();
    g_autoptr(Client) c = client_new(w);
    sd_bus_message *m = client_message(c, "/", "a.b", "C");

    g_assert_cmpint(sd_bus_message_append(m, "sa{sv}a(si)vb", "bare", 2, "z", "s", "a\"b", "a", "u",
                                          7, 1, "x", -1, "d", 0.5, true),
                    >=, 0);
    g_assert_cmpint(sd_bus_message_seal(m, 1, 0), >=, 0);
    g_autofree char *text = canonical_rest(m);
    g_assert_cmpstr(text, ==, "bare {\"a\": <7>, \"z\": <\"a\\\"b\">} [(\"x\", -1)] 0.5 true");
    sd_bus_message_unref(m);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/support/good-signals", test_good_signals);
    g_test_add_func("/support/bad-signals", test_bad_signals);
    g_test_add_func("/support/canonical", test_canonical);
    return g_test_run();
}
