/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Subscriptions: how long one lasts, and which ticks a subscriber is sent. The bus is a stand-in;
 * the figures below it are the real ones.
 */

#include "bus-usage.h"

#include "clock.h"
#include "context.h"
#include "usage-world.h"

#include <errno.h>
#include <string.h>

#define VALID_FOR  (60 * SEC)
#define UNREAD_MAX 8
#define ALICE      ":1.1"
#define BOB        ":1.2"

/* One that asks, and that the service sends signals and pings to. */
typedef struct {
    unsigned n_sent; /* signals so far */
    uint64_t at;     /* the last one */
    unsigned n_pings;
    sd_bus_message_handler_t on_pong; /* NULL: it has answered all of them */
    void *userdata;
} Client;

/* Of sd-bus nothing is known but the pointers. */
struct sd_bus_message {
    char *destination;
};
struct sd_bus_slot {
    Client *client;
};

static struct {
    World *w;
    Service service;
    Core core;
    GHashTable *clients; /* unique name -> Client */
    int failure;         /* of each ping; 0: none */
    uint64_t valid_for;  /* by the last reply */
} bus;

static Client *
client(const char *name)
{
    Client *found = g_hash_table_lookup(bus.clients, name);

    if (!found) {
        found = g_new0(Client, 1);
        g_hash_table_insert(bus.clients, g_strdup(name), found);
    }
    return found;
}

/* --- the stand-ins ------------------------------------------------------------------------ */

sd_event *
sd_bus_get_event(sd_bus *unused)
{
    return NULL;
}

int
sd_bus_message_new_method_call(sd_bus *unused, sd_bus_message **ret, const char *destination,
                               const char *path, const char *interface, const char *member)
{
    g_assert_cmpstr(member, ==, "Ping");
    *ret = g_new0(sd_bus_message, 1);
    (*ret)->destination = g_strdup(destination);
    return 0;
}

sd_bus_message *
sd_bus_message_unref(sd_bus_message *message)
{
    if (message)
        g_free(message->destination);
    g_free(message);
    return NULL;
}

int
sd_bus_call_async(sd_bus *unused, sd_bus_slot **ret, sd_bus_message *message,
                  sd_bus_message_handler_t callback, void *userdata, uint64_t usec)
{
    Client *to = client(message->destination);

    if (bus.failure)
        return bus.failure;
    /* One at a time, however long it takes. */
    g_assert_null(to->on_pong);
    g_assert_cmpuint(usec, ==, UINT64_MAX);
    to->n_pings++;
    to->on_pong = callback;
    to->userdata = userdata;
    *ret = g_new0(sd_bus_slot, 1);
    (*ret)->client = to;
    return 0;
}

/* A reply is the name of its sender. */
const char *
sd_bus_message_get_sender(sd_bus_message *reply)
{
    return (const char *)reply;
}

sd_bus_slot *
sd_bus_slot_unref(sd_bus_slot *slot)
{
    if (slot)
        slot->client->on_pong = NULL;
    g_free(slot);
    return NULL;
}

void
publisher_flush(Publisher *publisher)
{
}

int
raw_message_signal_to(RawMessenger *messenger, sd_bus *unused, const char *destination,
                      const char *path, const char *interface, const char *member,
                      const char *signature, const Wire *body)
{
    Client *to = client(destination);

    g_assert_cmpstr(member, ==, "Usage");
    g_assert_cmpstr(signature, ==, "ta{oa{sv}}");
    to->n_sent++;
    to->at = clock_now_usec();
    return 0;
}

int
method_parse_no_options(sd_bus_message *message, sd_bus_error *error)
{
    return 0;
}

void
request_reply(Request *request)
{
}

void
request_reply_body(Request *request, const Wire *body)
{
    g_assert_cmpuint(body->size, ==, sizeof bus.valid_for);
    memcpy(&bus.valid_for, body->data, sizeof bus.valid_for);
}

void
request_fail(Request *request, const Error *error)
{
    g_assert_not_reached();
}

/* --- the world ---------------------------------------------------------------------------- */

static void
begin(void)
{
    memset(&bus, 0, sizeof bus);
    bus.w = world_new();
    guest_add(bus.w);
    bus.clients = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    bus.core.usage = bus.w->usage;
    bus.service.core = &bus.core;
    bus.service.usage = usage_subscribers_new(&bus.service);
}

static void
end(void)
{
    usage_subscribers_stop(bus.service.usage);
    usage_subscribers_free(bus.service.usage);
    g_assert_true(fake_loop_is_idle());
    g_hash_table_unref(bus.clients);
    world_free(bus.w);
}

static void
call(const char *name, uint64_t interval, void (*run)(Request *request))
{
    MethodArgs args = {.usage_interval = interval};
    Request request = {.service = &bus.service, .args = &args, .caller.sender = (char *)name};

    bus.valid_for = 0;
    run(&request);
}

static void
subscribe(const char *name, uint64_t interval)
{
    call(name, interval, bus_usage_run_subscribe);
    g_assert_cmpuint(bus.valid_for, ==, MAX(VALID_FOR, 2 * interval));
}

static void
answer_ping_as(const char *name, const char *sender)
{
    Client *to = client(name);

    g_assert_nonnull(to->on_pong);
    to->on_pong((sd_bus_message *)sender, to->userdata, NULL);
}

/* It has read everything. */
static void
answer_ping(const char *name)
{
    answer_ping_as(name, name);
}

/* So much time passes, and it reads all the time. */
static void
pass_reading(const char *name, uint64_t usec)
{
    for (uint64_t until = clock_now_usec() + usec; clock_now_usec() < until;) {
        fake_loop_advance(MIN(SEC, until - clock_now_usec()));
        if (client(name)->on_pong)
            answer_ping(name);
    }
}

/* --- how long a subscription lasts --------------------------------------------------------- */

static void
test_subscription_that_is_not_renewed_lapses(void)
{
    begin();
    subscribe(ALICE, SEC);
    pass_reading(ALICE, VALID_FOR - 1);
    g_assert_cmpuint(client(ALICE)->n_sent, ==, 59);
    pass_reading(ALICE, SEC);
    unsigned asked = count_asked(bus.w);
    unsigned n = client(ALICE)->n_sent;
    g_assert_cmpuint(n, <=, 60);
    g_assert_true(fake_loop_is_idle());
    fake_loop_advance(3600 * SEC);
    g_assert_cmpuint(client(ALICE)->n_sent, ==, n);
    g_assert_cmpuint(count_asked(bus.w), ==, asked);
    end();
}

/* Twice the interval where that is longer than a minute. */
static void
test_long_interval_is_valid_for_two(void)
{
    begin();
    subscribe(ALICE, 600 * SEC);
    fake_loop_advance(1200 * SEC - 1);
    g_assert_cmpuint(client(ALICE)->n_sent, ==, 1);
    g_assert_false(fake_loop_is_idle());
    fake_loop_advance(SEC);
    g_assert_true(fake_loop_is_idle());
    end();
}

static void
test_subscription_that_is_renewed_goes_on(void)
{
    begin();
    subscribe(ALICE, SEC);
    for (unsigned i = 0; i < 20; i++) {
        pass_reading(ALICE, VALID_FOR - 1);
        subscribe(ALICE, SEC);
    }
    /* Renewing disturbs no tick, and costs none. */
    g_assert_cmpuint(client(ALICE)->n_sent, ==, 20 * 60 - 1);
    g_assert_cmpuint(count_asked(bus.w), ==, 20 * 60);
    end();
}

/* The longer one that was asked for meanwhile lasts longer. */
static void
test_shortest_interval_counts_until_it_lapses(void)
{
    begin();
    subscribe(ALICE, 40 * SEC);
    subscribe(ALICE, SEC);
    pass_reading(ALICE, 50 * SEC);
    g_assert_cmpuint(client(ALICE)->n_sent, ==, 50);
    subscribe(ALICE, 10 * SEC);
    pass_reading(ALICE, 11 * SEC);
    unsigned n = client(ALICE)->n_sent;
    pass_reading(ALICE, 40 * SEC);
    g_assert_cmpuint(client(ALICE)->n_sent, ==, n + 4);
    pass_reading(ALICE, 10 * SEC);
    g_assert_true(fake_loop_is_idle());
    end();
}

static void
test_subscription_ends_with_its_connection_or_on_demand(void)
{
    for (unsigned i = 0; i < 2; i++) {
        begin();
        subscribe(ALICE, SEC);
        subscribe(BOB, SEC);
        fake_loop_advance(6 * SEC);
        g_assert_nonnull(client(ALICE)->on_pong);
        if (i == 0)
            usage_subscribers_forget(bus.service.usage, ALICE);
        else
            call(ALICE, 0, bus_usage_run_unsubscribe);
        g_assert_null(client(ALICE)->on_pong);
        pass_reading(BOB, 10 * SEC);
        g_assert_cmpuint(client(ALICE)->n_sent, ==, 6);
        g_assert_cmpuint(client(BOB)->n_sent, ==, 16);
        usage_subscribers_forget(bus.service.usage, BOB);
        g_assert_true(fake_loop_is_idle());
        end();
    }
}

static void
test_subscribers_cost_one_round_trip_a_tick(void)
{
    begin();
    for (unsigned i = 0; i < 10; i++) {
        g_autofree char *name = g_strdup_printf(":1.%u", i);

        subscribe(name, i % 2 ? SEC : 2 * SEC);
    }
    fake_loop_advance(6 * SEC);
    g_assert_cmpuint(count_asked(bus.w), ==, 1 + 6);
    g_assert_cmpuint(client(":1.3")->n_sent, ==, 6);
    g_assert_cmpuint(client(":1.4")->n_sent, ==, 3);
    end();
}

/* --- those that do not read --------------------------------------------------------------- */

static void
test_subscriber_that_does_not_read_loses_ticks(void)
{
    begin();
    subscribe(ALICE, SEC);
    subscribe(BOB, SEC);
    for (unsigned i = 0; i < 60; i++) {
        pass_reading(BOB, 50 * SEC);
        subscribe(ALICE, SEC);
        subscribe(BOB, SEC);
    }
    /* It is asked once, and no more is kept for it, however long it takes. */
    g_assert_cmpuint(client(ALICE)->n_sent, ==, UNREAD_MAX);
    g_assert_cmpuint(client(ALICE)->n_pings, ==, 1);
    g_assert_cmpuint(client(BOB)->n_sent, ==, 3000);
    answer_ping(ALICE);
    fake_loop_advance(3 * SEC);
    g_assert_cmpuint(client(ALICE)->n_sent, ==, UNREAD_MAX + 3);
    end();
}

static void
test_refusal_of_the_bus_is_no_sign_of_reading(void)
{
    begin();
    subscribe(ALICE, SEC);
    for (unsigned i = 0; i < 20; i++) {
        fake_loop_advance(SEC);
        if (client(ALICE)->on_pong)
            answer_ping_as(ALICE, "org.freedesktop.DBus");
    }
    g_assert_cmpuint(client(ALICE)->n_sent, ==, UNREAD_MAX);
    fake_loop_advance(SEC);
    answer_ping(ALICE);
    fake_loop_advance(3 * SEC);
    g_assert_cmpuint(client(ALICE)->n_sent, ==, UNREAD_MAX + 3);
    end();
}

/* A request shows nothing: it may be written without reading. */
static void
test_request_is_no_sign_of_reading(void)
{
    begin();
    subscribe(ALICE, SEC);
    for (unsigned i = 0; i < 20; i++) {
        fake_loop_advance(10 * SEC);
        subscribe(ALICE, i % 2 ? 2 * SEC : SEC);
    }
    g_assert_cmpuint(client(ALICE)->n_sent, ==, UNREAD_MAX);
    end();
}

static void
test_subscriber_that_reads_loses_no_tick(void)
{
    begin();
    subscribe(ALICE, SEC);
    pass_reading(ALICE, 50 * SEC);
    g_assert_cmpuint(client(ALICE)->n_sent, ==, 50);
    /* Nor is it asked with each of them. */
    g_assert_cmpuint(client(ALICE)->n_pings, ==, 12);
    end();
}

static void
test_subscriber_that_cannot_be_asked_is_asked_later(void)
{
    begin();
    subscribe(ALICE, SEC);
    bus.failure = -ENOBUFS;
    fake_loop_advance(20 * SEC);
    g_assert_cmpuint(client(ALICE)->n_sent, ==, UNREAD_MAX);
    bus.failure = 0;
    fake_loop_advance(SEC);
    answer_ping(ALICE);
    fake_loop_advance(3 * SEC);
    g_assert_cmpuint(client(ALICE)->n_sent, ==, UNREAD_MAX + 3);
    end();
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, name) g_test_add_func("/bus-usage/" path, test_##name)
    ADD("lapse", subscription_that_is_not_renewed_lapses);
    ADD("long-interval", long_interval_is_valid_for_two);
    ADD("renewal", subscription_that_is_renewed_goes_on);
    ADD("shortest-interval", shortest_interval_counts_until_it_lapses);
    ADD("end", subscription_ends_with_its_connection_or_on_demand);
    ADD("round-trips", subscribers_cost_one_round_trip_a_tick);
    ADD("unread", subscriber_that_does_not_read_loses_ticks);
    ADD("bus-refuses", refusal_of_the_bus_is_no_sign_of_reading);
    ADD("requests-unread", request_is_no_sign_of_reading);
    ADD("read", subscriber_that_reads_loses_no_tick);
    ADD("not-asked", subscriber_that_cannot_be_asked_is_asked_later);
#undef ADD
    return g_test_run();
}
