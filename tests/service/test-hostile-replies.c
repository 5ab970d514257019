/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A local user without any right who asks for more than anybody reads, on a bus with the limits of
 * a system bus and with 200 domains: others are answered as before, and who does read is never
 * refused.
 */

#include "rounds.h"
#include "service.h"

#include <string.h>

#define PROPERTIES     "org.freedesktop.DBus.Properties"
#define OBJECT_MANAGER "org.freedesktop.DBus.ObjectManager"
#define DOMAINS        200
#define MIB            (1024 * 1024)
/* Each description is cut at 4 KiB: all objects together take some two mebibytes. */
#define DESCRIPTION    6000
/* unraid-vmsd(8) names it; dbus-daemon stops reading from the service at 127 MiB. */
#define UNREAD_MAX     (50 * MIB)
#define BOUND_KIB      (256 * 1024)

static Service *
service_with_domains(World *w)
{
    g_autoptr(Node) node = node_new();
    g_autofree char *description = g_strnfill(DESCRIPTION, 'd');

    for (guint i = 0; i < DOMAINS; i++) {
        g_autofree char *name = g_strdup_printf("domain%u", i);

        node_add_domain(
            node, &(NodeDomain){.name = name, .state = "running", .description = description});
    }
    return service_on_node_in(w, node, "--stop-timeout=60", NULL);
}

/* --- what others notice ------------------------------------------------------------------- */

/* A machine that is busy with other things is not taken for a slow service. */
#define LATENCY_FLOOR_USEC 20000
#define READS              41

static int
compare_times(const void *a, const void *b)
{
    gint64 one = *(const gint64 *)a, other = *(const gint64 *)b;

    return (one > other) - (one < other);
}

/* The median, of property reads that all succeed. */
static gint64
read_latency(Service *s, const char *path)
{
    gint64 times[READS];

    for (guint i = 0; i < READS; i++) {
        g_autoptr(Call) call =
            client_call(s->client, path, PROPERTIES, "Get", "ss", VMS_DOMAIN_INTERFACE, "State");

        assert_ok(call);
        times[i] = call->done_usec - call->sent_usec;
    }
    qsort(times, READS, sizeof *times, compare_times);
    return times[READS / 2];
}

static void
assert_unhindered(Service *s, const char *path, gint64 before)
{
    gint64 during = read_latency(s, path);
    g_autoptr(Call) change = domain_call(s, path, "SetAutostart", "b", 1);
    g_autoptr(Call) back = domain_call(s, path, "SetAutostart", "b", 0);

    g_test_message("a read takes %" G_GINT64_FORMAT " us, %" G_GINT64_FORMAT " us before", during,
                   before);
    assert_ok(change);
    assert_ok(back);
    g_assert_cmpint(during, <=, 3 * MAX(before, LATENCY_FLOOR_USEC));
}

static void
assert_bounded(Service *s)
{
    Holdings h = holdings_of(s->world);

    g_test_message("at most %" G_GUINT64_FORMAT " KiB", h.peak_kib);
    if (memory_counts())
        g_assert_cmpuint(h.peak_kib, <=, BOUND_KIB);
}

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
deaf_ask(Client *c, const char *path, bool large)
{
    sd_bus_message *m = large
                            ? client_message(c, VMS_ROOT_PATH, OBJECT_MANAGER, "GetManagedObjects")
                            : client_message(c, path, PROPERTIES, "GetAll");
    uint64_t cookie;

    if (!large)
        g_assert_cmpint(sd_bus_message_append(m, "s", VMS_DOMAIN_INTERFACE), >=, 0);
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

static void
assert_little_unread(Service *s, Client *one, Client *other)
{
    guint32 bytes = unread_by(s, one) + unread_by(s, other);

    g_test_message("%u KiB are unread", bytes / 1024);
    g_assert_cmpuint(bytes, <=, UNREAD_MAX);
}

/* Six hundred replies of two mebibytes, and then thirty thousand of some kibibytes. */
static void
test_deaf_clients(void)
{
    enum { LARGE = 300, SMALL = 15000, PART = 20 };

    if (!can_be_ordinary_user())
        return;
    g_autoptr(Service) s = service_with_domains(world_new_with_limits());
    g_autofree char *path = client_domain(s->client, "domain7");
    g_autoptr(Client) one = deaf_client(s->world);
    g_autoptr(Client) other = deaf_client(s->world);
    gint64 before = read_latency(s, path);

    for (guint i = 0; i < LARGE; i++) {
        deaf_ask(one, path, true);
        deaf_ask(other, path, true);
        if (i % PART == 0)
            assert_unhindered(s, path, before);
    }
    assert_little_unread(s, one, other);
    for (guint i = 0; i < SMALL; i++) {
        deaf_ask(one, path, false);
        deaf_ask(other, path, false);
        if (i % (SMALL / 10) == 0)
            assert_unhindered(s, path, before);
    }
    assert_unhindered(s, path, before);
    assert_little_unread(s, one, other);
    assert_bounded(s);
}

/* --- clients that do ---------------------------------------------------------------------- */

/* It answers no ping, because it only ever waits for its own reply. */
static void
read_synchronously(World *w)
{
    guint64 enough = (g_getenv("VMS_LONG") ? 1024 : 192) * (guint64)MIB;
    guint64 bytes = 0;
    guint n = 0;
    g_autoptr(Service) s = service_with_domains(w);
    g_autoptr(Client) c = client_new_as(s->world, ORDINARY_UID);
    while (bytes < enough) {
        sd_bus_message *reply = NULL;
        sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = sd_bus_call_method(c->bus, c->destination, VMS_ROOT_PATH, OBJECT_MANAGER,
                                   "GetManagedObjects", &error, &reply, NULL);

        if (r < 0)
            g_error("after %u replies: %s", n, error.message);
        n++;
        bytes += (guint64)DOMAINS * 4096; /* of descriptions alone */
        sd_bus_message_unref(reply);
    }
    g_test_message("%u replies were read", n);
    assert_bounded(s);
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
    enum { CLIENTS = 10, ROUNDS = 40 };

    if (!can_be_ordinary_user())
        return;
    g_autoptr(Service) s = service_with_domains(world_new_with_limits());
    g_autofree char *path = client_domain(s->client, "domain7");
    Flood floods[CLIENTS];

    for (guint i = 0; i < CLIENTS; i++) {
        floods[i].client = client_new_as(s->world, ORDINARY_UID);
        floods[i].calls = g_ptr_array_new();
        g_ptr_array_set_size(floods[i].calls, AT_ONCE);
    }
    for (guint round = 0; round < ROUNDS; round++) {
        for (guint i = 0; i < CLIENTS; i++)
            flood_go_on(&floods[i], path);
        g_autoptr(Call) change = domain_call(s, path, "SetAutostart", "b", (int)(round & 1));
        assert_ok(change);
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
    assert_bounded(s);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hostile-replies/deaf-clients", test_deaf_clients);
    g_test_add_func("/hostile-replies/synchronous-reader", test_synchronous_reader);
    g_test_add_func("/hostile-replies/bus-that-does-not-tell", test_bus_that_does_not_tell);
    g_test_add_func("/hostile-replies/shared-queues", test_shared_queues);
    return g_test_run();
}
