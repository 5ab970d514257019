/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* SubscribeUsage, as far as the test driver has it: which domains run, at which times, for whom. */

#include "canonical.h"
#include "libvirt-version.h"
#include "service.h"

#include <string.h>

#define SEC             G_GUINT64_CONSTANT(1000000)
#define CONNECTIONS_MAX 16
#define LIMITS_EXCEEDED SD_BUS_ERROR_LIMITS_EXCEEDED

typedef struct {
    sd_bus_slot *slot;
    unsigned n;
    char *last; /* the domains of the last one */
    gint64 at;  /* when it came */
} Ticks;

static int
on_usage(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Ticks *ticks = userdata;

    g_free(ticks->last);
    ticks->last = canonical_rest(message);
    ticks->n++;
    ticks->at = g_get_monotonic_time();
    return 0;
}

static void
ticks_watch(Ticks *ticks, Client *c)
{
    g_assert_cmpint(sd_bus_match_signal(c->bus, &ticks->slot, NULL, VMS_ROOT_PATH,
                                        VMS_MANAGER_INTERFACE, "Usage", on_usage, ticks),
                    >=, 0);
}

static void
ticks_clear(Ticks *ticks)
{
    sd_bus_slot_unref(ticks->slot);
    g_free(ticks->last);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Ticks, ticks_clear)

static Call *
subscribe(Client *c, guint64 interval)
{
    return client_call(c, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "SubscribeUsage", "ta{sv}",
                       interval, 0);
}

static void
assert_valid_for(Client *c, guint64 interval, const char *valid_for)
{
    g_autoptr(Call) call = subscribe(c, interval);

    assert_ok(call);
    if (valid_for)
        g_assert_cmpstr(call->body, ==, valid_for);
}

static Service *
new_service(void)
{
    g_autoptr(Node) node = node_new();

    node_add(node, "web", "running");
    node_add(node, "db", "shutoff");
    return service_on_node(node, "--stop-timeout=1", NULL);
}

/* The subscriber alone hears of the domains that run, and of a change with the next tick. */
static void
test_ticks(void)
{
    g_autoptr(Service) s = new_service();
    g_autoptr(Client) other = client_new(s->world);
    g_auto(Ticks) ticks = {NULL};
    g_auto(Ticks) others = {NULL};
    g_autofree char *web = client_domain(s->client, "web");
    g_autofree char *db = client_domain(s->client, "db");

    ticks_watch(&ticks, s->client);
    ticks_watch(&others, other);
    g_autoptr(Call) call = subscribe(s->client, SEC);
    assert_ok(call);
    wait_for(s->world, ticks.n == 1);
    /* One interval after the request, which is counted from when the service has it. */
    g_assert_cmpint(ticks.at - call->sent_usec, >=, (gint64)SEC);
    g_assert_nonnull(strstr(ticks.last, web));
    g_assert_nonnull(
        strstr(ticks.last, embedded_has_stats() ? "\"stale\": <false>" : "\"stale\": <true>"));
    g_assert_null(strstr(ticks.last, db));

    g_autoptr(Call) start = domain_call(s, db, "Start", NULL);
    assert_ok(start);
    unsigned n = ticks.n;
    wait_for(s->world, ticks.n == n + 2);
    g_assert_nonnull(strstr(ticks.last, db));
    g_assert_cmpuint(others.n, ==, 0);
}

static void
test_unsubscribe(void)
{
    g_autoptr(Service) s = new_service();
    g_autoptr(Client) other = client_new(s->world);
    g_auto(Ticks) ticks = {NULL};
    g_auto(Ticks) others = {NULL};

    ticks_watch(&ticks, s->client);
    ticks_watch(&others, other);
    assert_valid_for(s->client, SEC, "60000000");
    assert_valid_for(other, SEC, "60000000");
    wait_for(s->world, ticks.n > 0 && others.n > 0);
    g_autoptr(Call) end = manager_call(s, "UnsubscribeUsage", NULL);
    assert_ok(end);
    unsigned n = ticks.n;
    unsigned n_others = others.n;
    wait_for(s->world, others.n >= n_others + 2);
    g_assert_cmpuint(ticks.n, ==, n);
    /* It is no error without a subscription, and one can be made again. */
    g_autoptr(Call) again = manager_call(s, "UnsubscribeUsage", NULL);
    assert_ok(again);
    assert_valid_for(s->client, SEC, "60000000");
    wait_for(s->world, ticks.n > n);
}

/* While several requests are valid the shortest interval counts. */
static void
test_intervals(void)
{
    g_autoptr(Service) s = new_service();
    g_auto(Ticks) ticks = {NULL};

    ticks_watch(&ticks, s->client);
    assert_valid_for(s->client, 3600 * SEC, "7200000000");
    assert_valid_for(s->client, SEC, "60000000");
    assert_valid_for(s->client, 45 * SEC, "90000000");
    wait_for_ms(s->world, 80000, ticks.n >= 2);
}

/*
 * A subscriber that does not read is sent eight ticks, and further ones once it has read them; its
 * neighbour gets all.
 */
static void
test_deaf(void)
{
    enum { UNREAD_MAX = 8, UNTIL = 12 };

    g_autoptr(Service) s = new_service();
    g_autoptr(Client) deaf = client_new(s->world);
    g_auto(Ticks) ticks = {NULL};
    g_auto(Ticks) missed = {NULL};

    ticks_watch(&ticks, s->client);
    ticks_watch(&missed, deaf);
    assert_valid_for(deaf, SEC, "60000000");
    assert_valid_for(s->client, SEC, "60000000");
    sd_bus_detach_event(deaf->bus);
    wait_for(s->world, ticks.n >= UNTIL);
    while (sd_bus_process(deaf->bus, NULL) > 0)
        ;
    g_assert_cmpuint(missed.n, ==, UNREAD_MAX);
    /* The answer to the service's ping is among what it did now. */
    g_assert_cmpint(sd_bus_attach_event(deaf->bus, world_event(s->world), 0), >=, 0);
    wait_for(s->world, missed.n > UNREAD_MAX);
    g_assert_cmpuint(missed.n, <, ticks.n);
}

/* Nobody but the bus tells that a subscriber has left. */
static void
test_liar(void)
{
    g_autoptr(Service) s = new_service();
    g_autoptr(Client) liar = client_new(s->world);
    g_auto(Ticks) ticks = {NULL};
    const char *name;

    ticks_watch(&ticks, s->client);
    assert_valid_for(s->client, SEC, "60000000");
    g_assert_cmpint(sd_bus_get_unique_name(s->client->bus, &name), >=, 0);
    client_signal_everybody(liar, "/org/freedesktop/DBus", "org.freedesktop.DBus",
                            "NameOwnerChanged", "sss", name, name, "");
    wait_for(s->world, ticks.n >= 2);
}

static void
test_bad_arguments(void)
{
    static const guint64 bad[] = {0, SEC - 1, 3600 * SEC + 1, G_MAXUINT64};
    g_autoptr(Service) s = new_service();

    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(Call) call = subscribe(s->client, bad[i]);
        assert_error_says(call, SD_BUS_ERROR_INVALID_ARGS, "interval");
    }
    g_autoptr(Call) option =
        manager_call(s, "SubscribeUsage", "ta{sv}", SEC, 1, "quick", "b", true);
    assert_error_says(option, SD_BUS_ERROR_INVALID_ARGS, "quick");
}

/* A connection that goes makes room for another one. */
static void
test_limits(void)
{
    g_autoptr(Service) s = new_service();
    Client *clients[CONNECTIONS_MAX];

    for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
        clients[i] = client_new(s->world);
        assert_valid_for(clients[i], SEC + i, "60000000");
    }
    g_autoptr(Call) refused = subscribe(s->client, SEC);
    assert_error_says(refused, LIMITS_EXCEEDED, "connections");
    assert_valid_for(clients[0], 2 * SEC, "60000000");
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++)
        client_free(clients[i]);
    for (bool refuses = true; refuses;) {
        g_autoptr(Call) call = subscribe(s->client, SEC);
        call_wait(call);
        refuses = g_strcmp0(call->error_name, LIMITS_EXCEEDED) == 0;
        g_assert_true(refuses || !call->error_name);
    }
    /* The intervals of one connection are bounded, too: each ends later than the shorter ones. */
    for (guint64 interval = 40 * SEC; interval < 55 * SEC; interval += SEC)
        assert_valid_for(s->client, interval, NULL);
    g_autoptr(Call) many = subscribe(s->client, 60 * SEC);
    assert_error_says(many, LIMITS_EXCEEDED, "intervals");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/usage/ticks", test_ticks);
    g_test_add_func("/usage/unsubscribe", test_unsubscribe);
    g_test_add_func("/usage/intervals", test_intervals);
    g_test_add_func("/usage/deaf", test_deaf);
    g_test_add_func("/usage/liar", test_liar);
    g_test_add_func("/usage/bad-arguments", test_bad_arguments);
    g_test_add_func("/usage/limits", test_limits);
    return g_test_run();
}
