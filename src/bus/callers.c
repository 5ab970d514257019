/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callers.h"

#include "sd-bus-cleanup.h"
#include "units.h"

#include <errno.h>

#define BUS_NAME      "org.freedesktop.DBus"
#define BUS_PATH      "/org/freedesktop/DBus"
#define BUS_INTERFACE "org.freedesktop.DBus"

/* The bus always answers, unless it goes, and then the service does. */
#define NO_TIMEOUT UINT64_MAX

/* A bus has at most some thousand connections; beyond this, names are forgotten and asked again. */
#define NAMES_MAX 8192

/* Of all connections whose users are not known. */
#define WAITING_MAX       8192
#define WAITING_BYTES_MAX (32 * MIB)
/* A first call that takes no more than this waits in any case. */
#define FIRST_BYTES_MAX   (64 * KIB)

typedef struct {
    Callers *callers;
    char *name;
    uid_t uid;
    sd_bus_slot *question;
    Waiters *waiters; /* while it is asked */
    unsigned n_waiting;
    size_t bytes; /* that its waiting calls take */
} Connection;

struct Callers {
    sd_bus *bus;
    sd_bus_slot *match;
    void (*gone)(void *userdata, const char *name);
    void *userdata;
    GHashTable *connections; /* unique name -> Connection */
    unsigned n_waiting;
    size_t bytes;
};

static void
free_connection(gpointer data)
{
    Connection *connection = data;

    sd_bus_slot_unref(connection->question);
    waiters_free(connection->waiters);
    g_free(connection->name);
    g_free(connection);
}

uid_t
callers_find(const Callers *callers, const char *name)
{
    const Connection *connection = g_hash_table_lookup(callers->connections, name);

    return connection ? connection->uid : CALLER_UID_UNKNOWN;
}

/* --- the answer --------------------------------------------------------------------------- */

static void
answer(Connection *connection, Error *error)
{
    Callers *callers = connection->callers;
    Waiters *waiters = g_steal_pointer(&connection->waiters);
    uid_t uid = connection->uid;

    connection->question = sd_bus_slot_unref(connection->question);
    callers->n_waiting -= connection->n_waiting;
    callers->bytes -= connection->bytes;
    if (error)
        g_hash_table_remove(callers->connections, connection->name);
    waiters_answer(waiters, error ? OUTCOME_FAILED : OUTCOME_OK, &uid, error);
}

static int
on_uid(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
    Connection *connection = userdata;
    const sd_bus_error *failure = sd_bus_message_get_error(reply);
    g_autoptr(Error) error = NULL;
    uint32_t uid = CALLER_UID_UNKNOWN;

    if (failure)
        error = error_new(ERROR_ACCESS_DENIED, "The bus does not say who the caller is: %s",
                          failure->message ? failure->message : failure->name);
    else if (sd_bus_message_read(reply, "u", &uid) < 0 || uid == CALLER_UID_UNKNOWN)
        error = error_new(ERROR_ACCESS_DENIED, "The bus does not say who the caller is");
    else
        connection->uid = uid;
    answer(connection, error);
    return 0;
}

/* --- the question ------------------------------------------------------------------------- */

static gboolean
is_idle(gpointer name, gpointer connection, gpointer userdata)
{
    return !((const Connection *)connection)->waiters;
}

static Connection *
add_connection(Callers *callers, const char *name)
{
    Connection *connection = g_new0(Connection, 1);

    if (g_hash_table_size(callers->connections) >= NAMES_MAX)
        g_hash_table_foreach_remove(callers->connections, is_idle, NULL);
    connection->callers = callers;
    connection->name = g_strdup(name);
    connection->uid = CALLER_UID_UNKNOWN;
    connection->waiters = waiters_new();
    g_hash_table_insert(callers->connections, connection->name, connection);
    return connection;
}

static bool
has_room(const Callers *callers, const Connection *connection, size_t bytes)
{
    if (!connection && bytes <= FIRST_BYTES_MAX)
        return true;
    return callers->n_waiting < WAITING_MAX && callers->bytes + bytes <= WAITING_BYTES_MAX;
}

static int
send_question(Connection *connection)
{
    g_autoptr(sd_bus_message) message = NULL;
    sd_bus *bus = connection->callers->bus;
    int r = sd_bus_message_new_method_call(bus, &message, BUS_NAME, BUS_PATH, BUS_INTERFACE,
                                           "GetConnectionUnixUser");

    if (r >= 0)
        r = sd_bus_message_append(message, "s", connection->name);
    if (r >= 0)
        r = sd_bus_call_async(bus, &connection->question, message, on_uid, connection, NO_TIMEOUT);
    return r;
}

bool
callers_ask(Callers *callers, const char *name, size_t bytes, Pending *pending, WaiterDone done,
            void *userdata)
{
    Connection *connection = g_hash_table_lookup(callers->connections, name);

    if (!has_room(callers, connection, bytes))
        return false;
    if (!connection) {
        connection = add_connection(callers, name);
        if (send_question(connection) < 0) {
            g_hash_table_remove(callers->connections, name);
            return false;
        }
    }
    connection->n_waiting++;
    connection->bytes += bytes;
    callers->n_waiting++;
    callers->bytes += bytes;
    waiters_add(connection->waiters, pending, done, userdata);
    return true;
}

/* --- life --------------------------------------------------------------------------------- */

static int
on_name_lost(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Callers *callers = userdata;
    const char *name;
    const Connection *connection;

    /* Anybody may send the same to us alone, which the match lets pass. */
    if (g_strcmp0(sd_bus_message_get_sender(message), BUS_NAME) != 0 ||
        sd_bus_message_read(message, "s", &name) < 0 || *name != ':')
        return 0;
    /* If the bus is still being asked about it, the reply says that it has gone. */
    connection = g_hash_table_lookup(callers->connections, name);
    if (connection && !connection->waiters)
        g_hash_table_remove(callers->connections, name);
    callers->gone(callers->userdata, name);
    return 0;
}

/* The service goes on without it: then names are forgotten when there are too many. */
static int
on_match_added(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    return 0;
}

int
callers_new(sd_bus *bus, void (*gone)(void *userdata, const char *name), void *userdata,
            Callers **ret)
{
    /* One match for all names: a bus lets a connection have some hundred of them. */
    static const char match[] = "type='signal',sender='" BUS_NAME "',path='" BUS_PATH
                                "',interface='" BUS_INTERFACE "',member='NameOwnerChanged',arg2=''";
    Callers *callers = g_new0(Callers, 1);
    int r =
        sd_bus_add_match_async(bus, &callers->match, match, on_name_lost, on_match_added, callers);

    callers->bus = sd_bus_ref(bus);
    callers->gone = gone;
    callers->userdata = userdata;
    callers->connections = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_connection);
    if (r < 0)
        callers_free(callers);
    else
        *ret = callers;
    return r < 0 ? r : 0;
}

void
callers_free(Callers *callers)
{
    if (!callers)
        return;
    sd_bus_slot_unref(callers->match);
    g_hash_table_unref(callers->connections);
    sd_bus_unref(callers->bus);
    g_free(callers);
}
