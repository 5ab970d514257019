/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unread.h"

#include "callers.h"
#include "single-flight.h"

#include <unistd.h>

#define MIB ((size_t)1024 * 1024)

/* dbus-daemon keeps 127 MiB of one sender's messages by default. */
#define LARGE_MAX    (16 * MIB) /* of one user; a first reply may be larger */
#define SMALL_MAX    (40 * MIB) /* still replies of less than SMALL bytes */
#define ERRORS_MAX   (48 * MIB)
#define ALL_MAX      (64 * MIB) /* of all ordinary users; above it, theirs are divided */
#define CROWDED_PART 16
#define SMALL        ((size_t)64 * 1024)

typedef struct {
    Unread *unread;
    uid_t uid;
    size_t bytes;  /* sum of its connections */
    size_t told;   /* that was left when the bus was asked last */
    bool is_fresh; /* the bus has just told */
    unsigned n_questions;
    SingleFlight *flight;
} User;

typedef struct {
    Unread *unread;
    User *user; /* NULL until it is known */
    char *name;
    size_t bytes;
    size_t since_question; /* of these, sent after it */
    sd_bus_slot *question;
} Connection;

struct Unread {
    sd_bus *bus;
    GHashTable *users;       /* uid -> User */
    GHashTable *connections; /* unique name -> Connection */
    size_t ordinary;         /* bytes of all users but root and our own */
};

/* --- accounts ----------------------------------------------------------------------------- */

static bool
is_ordinary(uid_t uid)
{
    return uid != 0 && uid != geteuid();
}

/* The difference may be negative: unsigned numbers wrap around. */
static void
user_add(User *user, size_t difference)
{
    user->bytes += difference;
    if (is_ordinary(user->uid))
        user->unread->ordinary += difference;
}

static void ask_about_user(void *data);

static User *
user_get(Unread *unread, uid_t uid)
{
    User *user = g_hash_table_lookup(unread->users, GUINT_TO_POINTER(uid));

    if (user)
        return user;
    user = g_new0(User, 1);
    user->unread = unread;
    user->uid = uid;
    user->flight = single_flight_new(ask_about_user, user);
    g_hash_table_insert(unread->users, GUINT_TO_POINTER(uid), user);
    return user;
}

static void
free_user(gpointer data)
{
    User *user = data;

    single_flight_free(user->flight);
    g_free(user);
}

static void
free_connection(gpointer data)
{
    Connection *connection = data;

    sd_bus_slot_unref(connection->question);
    g_free(connection->name);
    g_free(connection);
}

static Connection *
connection_get(Unread *unread, const char *name)
{
    Connection *connection = g_hash_table_lookup(unread->connections, name);

    if (connection)
        return connection;
    connection = g_new0(Connection, 1);
    connection->unread = unread;
    connection->name = g_strdup(name);
    g_hash_table_insert(unread->connections, connection->name, connection);
    return connection;
}

static void
set_bytes(Connection *connection, size_t bytes)
{
    if (connection->user)
        user_add(connection->user, bytes - connection->bytes);
    connection->bytes = bytes;
}

void
unread_add(Unread *unread, const char *name, uid_t uid, size_t bytes)
{
    Connection *connection = connection_get(unread, name);

    if (!connection->user && uid != CALLER_UID_UNKNOWN) {
        connection->user = user_get(unread, uid);
        user_add(connection->user, connection->bytes);
    }
    connection->since_question += bytes;
    set_bytes(connection, connection->bytes + bytes);
}

size_t
unread_of_connection(const Unread *unread, const char *name)
{
    const Connection *connection = g_hash_table_lookup(unread->connections, name);

    return connection ? connection->bytes : 0;
}

/* --- the question to the bus -------------------------------------------------------------- */

static void
end_question(User *user)
{
    Waiters *waiters;

    if (--user->n_questions > 0)
        return;
    user->told = user->bytes;
    user->is_fresh = true;
    waiters = single_flight_land(user->flight);
    waiters_answer(waiters, OUTCOME_OK, NULL, NULL);
    user->is_fresh = false;
    single_flight_go_on(user->flight);
}

void
unread_forget(Unread *unread, const char *name)
{
    Connection *connection = g_hash_table_lookup(unread->connections, name);

    if (!connection)
        return;
    User *user = connection->question ? connection->user : NULL;
    set_bytes(connection, 0);
    g_hash_table_remove(unread->connections, name);
    if (user)
        end_question(user);
}

/* 0 where the answer is an error: the connection is gone, or the bus does not tell. */
static size_t
read_outgoing_bytes(sd_bus_message *reply)
{
    const char *key;
    uint32_t bytes = 0;

    if (sd_bus_message_is_method_error(reply, NULL) ||
        sd_bus_message_enter_container(reply, 'a', "{sv}") < 0)
        return 0;
    while (sd_bus_message_enter_container(reply, 'e', "sv") > 0) {
        if (sd_bus_message_read(reply, "s", &key) < 0)
            return 0;
        if (g_str_equal(key, "OutgoingBytes"))
            return sd_bus_message_read(reply, "v", "u", &bytes) < 0 ? 0 : bytes;
        if (sd_bus_message_skip(reply, "v") < 0 || sd_bus_message_exit_container(reply) < 0)
            return 0;
    }
    return 0;
}

static int
on_stats(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    Connection *connection = userdata;
    User *user = connection->user;
    size_t bytes = read_outgoing_bytes(reply) + connection->since_question;

    connection->question = sd_bus_slot_unref(connection->question);
    set_bytes(connection, bytes);
    if (bytes == 0)
        g_hash_table_remove(connection->unread->connections, connection->name);
    end_question(user);
    return 0;
}

static int
send_question(Connection *connection)
{
    sd_bus_message *message = NULL;
    sd_bus *bus = connection->unread->bus;
    int r = sd_bus_message_new_method_call(
        bus, &message, "org.freedesktop.DBus", "/org/freedesktop/DBus",
        "org.freedesktop.DBus.Debug.Stats", "GetConnectionStats");

    if (r >= 0)
        r = sd_bus_message_append(message, "s", connection->name);
    if (r >= 0)
        r = sd_bus_call_async(bus, &connection->question, message, on_stats, connection,
                              UINT64_MAX); /* the bus always answers */
    sd_bus_message_unref(message);
    return r;
}

static void
ask_about_user(void *data)
{
    User *user = data;
    GHashTableIter iter;
    gpointer value;

    user->n_questions = 1; /* until all are sent */
    g_hash_table_iter_init(&iter, user->unread->connections);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Connection *connection = value;

        if (connection->user != user)
            continue;
        connection->since_question = 0;
        if (send_question(connection) >= 0)
            user->n_questions++;
    }
    end_question(user);
}

/* --- the verdict -------------------------------------------------------------------------- */

static size_t
bound(const User *user, size_t max)
{
    bool is_crowded = is_ordinary(user->uid) && user->unread->ordinary > ALL_MAX;

    return is_crowded ? max / CROWDED_PART : max;
}

UnreadVerdict
unread_check(Unread *unread, uid_t uid, size_t bytes)
{
    const User *user = user_get(unread, uid);
    bool fits = bytes < SMALL
                    ? user->bytes <= bound(user, SMALL_MAX)
                    : user->bytes + bytes <= bound(user, LARGE_MAX) || user->bytes <= SMALL;

    if (fits)
        return UNREAD_SEND;
    return user->is_fresh ? UNREAD_REFUSE : UNREAD_ASK;
}

void
unread_ask(Unread *unread, uid_t uid, Pending *pending, WaiterDone done, void *userdata)
{
    single_flight_join(user_get(unread, uid)->flight, pending, done, userdata);
}

bool
unread_is_deaf(Unread *unread, uid_t uid)
{
    User *user = user_get(unread, uid);

    if (user->bytes > bound(user, LARGE_MAX))
        single_flight_start(user->flight);
    return user->told > bound(user, ERRORS_MAX);
}

/* --- life --------------------------------------------------------------------------------- */

Unread *
unread_new(sd_bus *bus)
{
    Unread *unread = g_new0(Unread, 1);

    unread->bus = sd_bus_ref(bus);
    unread->users = g_hash_table_new_full(NULL, NULL, NULL, free_user);
    unread->connections = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_connection);
    return unread;
}

void
unread_free(Unread *unread)
{
    if (!unread)
        return;
    g_hash_table_unref(unread->connections);
    g_hash_table_unref(unread->users);
    sd_bus_unref(unread->bus);
    g_free(unread);
}
