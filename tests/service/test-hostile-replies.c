/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A local user without any right who asks for more than anybody reads, on a bus with the limits of
 * a system bus and with 200 domains: others are answered as before, and who does read is never
 * refused.
 */

#include "hostile.h"

#include <string.h>

#define PROPERTIES     "org.freedesktop.DBus.Properties"
#define OBJECT_MANAGER "org.freedesktop.DBus.ObjectManager"
#define MIB            (1024 * 1024)
/* unraid-vmsd(8) names it; dbus-daemon stops reading from the service at 127 MiB. */
#define UNREAD_MAX     (50 * MIB)
#define SMALLEST_REPLY 256 /* a message without arguments */

/* --- clients that do not read ------------------------------------------------------------- */

static Client *
deaf_client(World *w)
{
    Client *c = client_new_as(w, ORDINARY_UID);

    /* Its connection is never looked at again. */
    sd_bus_detach_event(c->bus);
    return c;
}

static void
ask_without_reply(Client *c, const char *path, bool large)
{
    sd_bus_message *m = large
                            ? client_message(c, VMS_ROOT_PATH, OBJECT_MANAGER, "GetManagedObjects")
                            : client_message(c, path, PROPERTIES, "GetAll");
    uint64_t cookie;

    if (!large)
        g_assert_cmpint(sd_bus_message_append(m, "s", ""), >=, 0); /* of all interfaces */
    /* sd-bus wants no reply to a call whose cookie nobody wants. */
    g_assert_cmpint(sd_bus_send(c->bus, m, &cookie), >=, 0);
    g_assert_cmpint(sd_bus_flush(c->bus), >=, 0);
    sd_bus_message_unref(m);
}

/* So many bytes the bus keeps for it. */
static guint32
unread_by(Service *s, Client *c)
{
    sd_bus_message *reply = NULL;
    const char *name, *key;
    guint32 bytes = 0;

    g_assert_cmpint(sd_bus_get_unique_name(c->bus, &name), >=, 0);
    g_assert_cmpint(sd_bus_call_method(s->client->bus, "org.freedesktop.DBus",
                                       "/org/freedesktop/DBus", "org.freedesktop.DBus.Debug.Stats",
                                       "GetConnectionStats", NULL, &reply, "s", name),
                    >=, 0);
    g_assert_cmpint(sd_bus_message_enter_container(reply, 'a', "{sv}"), >, 0);
    while (sd_bus_message_enter_container(reply, 'e', "sv") > 0) {
        g_assert_cmpint(sd_bus_message_read(reply, "s", &key), >, 0);
        if (g_str_equal(key, "OutgoingBytes"))
            g_assert_cmpint(sd_bus_message_read(reply, "v", "u", &bytes), >, 0);
        else
            g_assert_cmpint(sd_bus_message_skip(reply, "v"), >, 0);
        g_assert_cmpint(sd_bus_message_exit_container(reply), >=, 0);
    }
    sd_bus_message_unref(reply);
    return bytes;
}

/* dbus-broker does not tell how much it keeps: it accounts for that by itself. */
static void
assert_little_unread(Service *s, Client *one, Client *other)
{
    if (world_buses_are_brokers())
        return;
    guint32 bytes = unread_by(s, one) + unread_by(s, other);

    g_test_message("%u KiB are unread", bytes / 1024);
    g_assert_cmpuint(bytes, <=, UNREAD_MAX);
}

/* Until the bus has handled all that the client has sent so far. */
static void
await_delivery(Service *s, Client *c)
{
    static guint count;
    g_autofree char *name = g_strdup_printf("org.example.Deaf%u", ++count);
    int owned = 0;

    g_assert_cmpint(sd_bus_request_name_async(c->bus, NULL, name, 0, NULL, NULL), >=, 0);
    g_assert_cmpint(sd_bus_flush(c->bus), >=, 0);
    while (!owned) {
        sd_bus_message *reply = NULL;

        g_assert_cmpint(sd_bus_call_method(s->client->bus, "org.freedesktop.DBus",
                                           "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                           "NameHasOwner", NULL, &reply, "s", name),
                        >=, 0);
        g_assert_cmpint(sd_bus_message_read(reply, "b", &owned), >, 0);
        sd_bus_message_unref(reply);
    }
}

/* Both ask `n` times, `large` or not, while others are served. */
static void
ask_in_turns(Client *one, Client *other, Others *others, const char *path, bool large, guint n)
{
    enum { SHARE = 15 };

    for (guint i = 0; i < n; i++) {
        ask_without_reply(one, path, large);
        ask_without_reply(other, path, large);
        if (i % (n / SHARE) == 0)
            others_check_change(others, path);
    }
    others_check_change(others, path);
}

/* Six hundred replies of two mebibytes, and then thirty thousand of some kibibytes. */
static void
test_deaf_clients(void)
{
    enum { LARGE = 300, SMALL = 15000 };

    if (!can_be_ordinary_user())
        return;
    g_autoptr(Service) s = hostile_service(world_new_with_limits());
    g_autofree char *path = client_domain(s->client, "domain7");
    g_autoptr(Client) one = deaf_client(s->world);
    g_autoptr(Client) other = deaf_client(s->world);
    g_autoptr(Others) others = others_new(s->world);

    ask_in_turns(one, other, others, path, true, LARGE);
    assert_little_unread(s, one, other);
    ask_in_turns(one, other, others, path, false, SMALL);
    assert_little_unread(s, one, other);
    others_check_memory(others);
}

/* Reading properties is counted, too, of a client that never calls anything else. */
static void
test_deaf_to_properties(void)
{
    enum { CALLS = 2000 };

    if (!can_be_ordinary_user())
        return;
    g_autoptr(Service) s = hostile_service(world_new_with_limits());
    g_autofree char *path = client_domain(s->client, "domain7");
    g_autoptr(Client) c = deaf_client(s->world);

    for (guint i = 0; i < CALLS; i++)
        ask_without_reply(c, path, false);
    await_delivery(s, c);
    g_autoptr(Call) state =
        client_call(s->client, VMS_ROOT_PATH, VMS_DEBUG_INTERFACE, "GetState", NULL);
    assert_ok(state);
    /* Of another user than root: ORDINARY_UID, or nobody yet where the bus has not told who it is.
     */
    g_autoptr(GRegex) regex =
        g_regex_new("\"unread\": .*\\{\"bytes\": <(\\d+)>, \"uid\": <[1-9]", 0, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;
    if (!g_regex_match(regex, state->body, 0, &match))
        g_error("nothing is counted: %s", state->body);
    g_autofree char *bytes = g_match_info_fetch(match, 1);
    g_assert_cmpuint(g_ascii_strtoull(bytes, NULL, 10), >=, CALLS * SMALLEST_REPLY);
}

/* --- clients that do ---------------------------------------------------------------------- */

/* It answers no ping, because it only ever waits for its own reply. */
static void
read_synchronously(World *w)
{
    guint64 enough = (g_getenv("VMS_LONG") ? 1024 : 192) * (guint64)MIB;
    guint64 bytes = 0;
    guint n = 0;
    g_autoptr(Service) s = hostile_service(w);
    g_autoptr(Others) others = others_new(s->world);
    g_autoptr(Client) c = client_new_as(s->world, ORDINARY_UID);

    while (bytes < enough) {
        sd_bus_message *reply = NULL;
        sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = sd_bus_call_method(c->bus, c->destination, VMS_ROOT_PATH, OBJECT_MANAGER,
                                   "GetManagedObjects", &error, &reply, NULL);

        if (r < 0)
            g_error("after %u replies: %s", n, error.message);
        n++;
        bytes += (guint64)HOSTILE_DOMAINS * HOSTILE_TEXT;
        sd_bus_message_unref(reply);
    }
    g_test_message("%u replies were read", n);
    others_check_memory(others);
}

static void
test_synchronous_reader(void)
{
    if (can_be_ordinary_user())
        read_synchronously(world_new_with_limits());
}

/* A client is not refused for what the bus does not tell. */
static void
test_bus_that_does_not_tell(void)
{
    if (can_be_ordinary_user())
        read_synchronously(world_new_without_stats());
}

/* A client that has just come asks for everything at once, one object after the other. */
static void
test_burst(void)
{
    enum { AT_ONCE = 120 };

    if (!can_be_ordinary_user())
        return;
    g_autoptr(Service) s = hostile_service(world_new_with_limits());
    g_autoptr(Client) c = client_new_as(s->world, ORDINARY_UID);
    Call *calls[AT_ONCE];

    for (guint i = 0; i < AT_ONCE; i++) {
        g_autofree char *uuid = node_uuid(i);
        g_autofree char *path = domain_path(uuid);

        calls[i] = client_send(c, path, PROPERTIES, "GetAll", "s", VMS_DOMAIN_INTERFACE);
    }
    for (guint i = 0; i < AT_ONCE; i++) {
        assert_ok(calls[i]);
        call_free(calls[i]);
    }
}

/* --- pings -------------------------------------------------------------------------------- */

typedef struct {
    guint pings, replies;
} Received;

static int
count_received(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    Received *received = userdata;

    received->pings += sd_bus_message_is_method_call(m, "org.freedesktop.DBus.Peer", "Ping") > 0;
    received->replies += sd_bus_message_is_signal(m, NULL, NULL) == 0 &&
                         sd_bus_message_is_method_call(m, NULL, NULL) == 0 &&
                         sd_bus_message_is_method_error(m, NULL) == 0;
    return 0;
}

/* The bytes that the service takes to be unread by the ordinary user. */
static guint64
taken_to_be_unread(Service *s)
{
    g_autofree char *uid = g_strdup_printf("\"uid\": <%d>", ORDINARY_UID);
    g_autoptr(Call) state =
        client_call(s->client, VMS_ROOT_PATH, VMS_DEBUG_INTERFACE, "GetState", NULL);

    assert_ok(state);
    const char *rows = strstr(state->body, "\"unread\": <[");
    g_assert_nonnull(rows);
    const char *row = strstr(rows, uid);
    g_assert_nonnull(row);
    return g_ascii_strtoull(g_strrstr_len(rows, row - rows, "<") + 1, NULL, 10);
}

/* Where the bus does not tell, an answer to a ping shows that a client has read what was sent
 * before. */
static void
test_answered_ping(void)
{
    /* More than a window of replies holds. */
    enum { ASKED = 40 };

    if (!can_be_ordinary_user())
        return;
    g_autoptr(Service) s = hostile_service(world_new_without_stats());
    g_autoptr(Client) reader = client_new_as(s->world, ORDINARY_UID);
    Received received = {0};

    g_assert_cmpint(sd_bus_add_filter(reader->bus, NULL, count_received, &received), >=, 0);
    /* One after the other: so an answer to a ping comes before the next question. */
    for (guint i = 0; i < ASKED; i++) {
        ask_without_reply(reader, NULL, true);
        wait_for(s->world, received.replies == i + 1);
    }
    g_test_message("%u pings were answered", received.pings);
    g_assert_cmpuint(received.pings, >, 1);
    g_assert_cmpuint(taken_to_be_unread(s), <, 16 * MIB);
}

/* Silence shows nothing: who answers no ping gets all replies, and is waited for once. */
static void
test_unanswered_ping(void)
{
    enum { ASKED = 20 };

    if (!can_be_ordinary_user())
        return;
    g_autoptr(Service) s = hostile_service(world_new_without_stats());
    g_autoptr(Others) others = others_new(s->world);
    g_autoptr(Client) deaf = deaf_client(s->world);
    Received received = {0};

    for (guint i = 0; i < ASKED; i++) {
        ask_without_reply(deaf, NULL, true);
        others_check(others);
    }
    /* It is not waited for any longer, and the last ones are sent. */
    wait_for(s->world, taken_to_be_unread(s) < 10 * MIB);
    g_assert_cmpint(sd_bus_add_filter(deaf->bus, NULL, count_received, &received), >=, 0);
    g_assert_cmpint(sd_bus_attach_event(deaf->bus, world_event(s->world), 0), >=, 0);
    wait_for(s->world, received.replies == ASKED);
    g_test_message("%u pings were not answered in time", received.pings);
    g_assert_cmpuint(received.pings, ==, 1);
}

/* --- clients that leave before they are answered ------------------------------------------- */

/* The row of those whose user is not known, as it is of those that have left. */
static bool
keeps_unknown(Service *s)
{
    g_autoptr(Call) state =
        client_call(s->client, VMS_ROOT_PATH, VMS_DEBUG_INTERFACE, "GetState", NULL);

    assert_ok(state);
    return strstr(state->body, "\"uid\": <4294967295>") != NULL;
}

/* Nothing is kept for a connection that is gone when its reply is sent. */
static void
test_vanished(void)
{
    enum { CLIENTS = 50 };

    g_autoptr(Service) s = service_new("--uri=test:///default", NULL);

    for (guint i = 0; i < CLIENTS; i++) {
        g_autoptr(Client) c = client_new(s->world);
        call_free(client_send(c, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "ListDomains", NULL));
    }
    g_autoptr(Call) last = manager_call(s, "ListDomains", NULL);
    assert_ok(last);
    g_assert_false(keeps_unknown(s));
}

/* --- queues ------------------------------------------------------------------------------- */

typedef struct {
    Client *client;
    GPtrArray *calls;
    guint next;
} Flood;

/* A bus lets a connection wait for 128 replies. */
#define AT_ONCE 120

static void
flood_go_on(Flood *flood, const char *path)
{
    for (guint i = 0; i < AT_ONCE; i++) {
        Call **call = (Call **)&flood->calls->pdata[i];

        if (*call && !(*call)->done)
            continue;
        call_free(*call);
        *call = client_send(flood->client, path, VMS_DOMAIN_INTERFACE, "GetXml", "a{sv}", 0);
    }
}

static void
test_shared_queues(void)
{
    enum { CLIENTS = 10, ROUNDS = 15 };

    if (!can_be_ordinary_user())
        return;
    g_autoptr(Service) s = hostile_service(world_new_with_limits());
    g_autofree char *path = client_domain(s->client, "domain7");
    g_autoptr(Others) others = others_new(s->world);
    Flood floods[CLIENTS];

    for (guint i = 0; i < CLIENTS; i++) {
        floods[i].client = client_new_as(s->world, ORDINARY_UID);
        floods[i].calls = g_ptr_array_new();
        g_ptr_array_set_size(floods[i].calls, AT_ONCE);
    }
    for (guint round = 0; round < ROUNDS; round++) {
        for (guint i = 0; i < CLIENTS; i++)
            flood_go_on(&floods[i], path);
        others_check_change(others, path);
    }
    /* The guest obeys: our own queues are no reason to cut its power. */
    g_autoptr(Call) stop = domain_call(s, path, "Stop", NULL);
    assert_ok(stop);
    assert_property(s->client, path, VMS_DOMAIN_INTERFACE, "StateReason", "shut-down");
    for (guint i = 0; i < CLIENTS; i++) {
        for (guint j = 0; j < AT_ONCE; j++)
            call_free(floods[i].calls->pdata[j]);
        g_ptr_array_unref(floods[i].calls);
        client_free(floods[i].client);
    }
    others_check_memory(others);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hostile-replies/deaf-to-properties", test_deaf_to_properties);
    g_test_add_func("/hostile-replies/deaf-clients", test_deaf_clients);
    g_test_add_func("/hostile-replies/synchronous-reader", test_synchronous_reader);
    g_test_add_func("/hostile-replies/bus-that-does-not-tell", test_bus_that_does_not_tell);
    g_test_add_func("/hostile-replies/burst", test_burst);
    g_test_add_func("/hostile-replies/answered-ping", test_answered_ping);
    g_test_add_func("/hostile-replies/unanswered-ping", test_unanswered_ping);
    g_test_add_func("/hostile-replies/vanished", test_vanished);
    g_test_add_func("/hostile-replies/shared-queues", test_shared_queues);
    return g_test_run();
}
