/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unread.h"

#include "caller.h"
#include "callers.h"
#include "sd-bus-cleanup.h"
#include "single-flight.h"
#include "timer.h"
#include "units.h"

#include <errno.h>

/* dbus-daemon keeps 127 MiB of one sender's messages by default. */
#define LARGE_MAX    (16 * MIB) /* of one user; a first reply may be larger */
#define SMALL_MAX    (40 * MIB) /* still replies of less than SMALL bytes */
#define ERRORS_MAX   (48 * MIB)
#define ALL_MAX      (64 * MIB) /* of all ordinary users; above it, theirs are divided */
#define CROWDED_PART 16
#define SMALL        (64 * KIB)

/* Of a connection whose user is not known: a client that has just come may ask for a lot at once.
 */
#define UNKNOWN_MAX     MIB
#define UNKNOWN_ALL_MAX (8 * MIB) /* of all of these; above it, SMALL is left to each */

/* A connection that reads answers a ping within this time, unless it only waits for its reply. */
#define PING_TIMEOUT_USEC     (250 * MSEC)
#define PING_TIMEOUT_ACCURACY (10 * MSEC)

typedef struct {
    Unread *unread;
    uid_t uid;
    size_t bytes;    /* sum of its connections */
    size_t reported; /* that was left when the bus was asked last */
    bool is_fresh;   /* the bus has just told */
    unsigned n_questions;
    SingleFlight *flight;
} User;

typedef struct {
    Unread *unread;
    User *user; /* NULL until it is known */
    char *name;
    size_t bytes;
    size_t since_question; /* of these, sent after it */
    bool is_asked;         /* the question about its user waits for it */
    sd_bus_slot *question; /* to the bus */
    sd_bus_slot *ping;     /* to the connection itself */
    Timer *ping_timeout;   /* with the ping; NULL: there has been none */
    bool is_silent;        /* it has let a ping lie */
} Connection;

struct Unread {
    sd_bus *bus;
    GHashTable *users;       /* uid -> User */
    GHashTable *connections; /* unique name -> Connection */
    size_t ordinary;         /* bytes of all users but root and our own */
    size_t unknown;          /* bytes of all connections whose users are not known */
};

/* --- accounts ----------------------------------------------------------------------------- */

static void
user_add(User *user, size_t bytes)
{
    user->bytes += bytes;
    if (caller_is_ordinary(user->uid))
        user->unread->ordinary += bytes;
}

static void
user_subtract(User *user, size_t bytes)
{
    user->bytes -= bytes;
    if (caller_is_ordinary(user->uid))
        user->unread->ordinary -= bytes;
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
    sd_bus_slot_unref(connection->ping);
    timer_free(connection->ping_timeout);
    g_free(connection->name);
    g_free(connection);
}

void
unread_meet(Unread *unread, const char *name)
{
    Connection *connection;

    if (g_hash_table_contains(unread->connections, name))
        return;
    connection = g_new0(Connection, 1);
    connection->unread = unread;
    connection->name = g_strdup(name);
    g_hash_table_insert(unread->connections, connection->name, connection);
}

static void
set_bytes(Connection *connection, size_t bytes)
{
    if (connection->user) {
        user_subtract(connection->user, connection->bytes);
        user_add(connection->user, bytes);
    } else {
        connection->unread->unknown -= connection->bytes;
        connection->unread->unknown += bytes;
    }
    connection->bytes = bytes;
}

void
unread_add(Unread *unread, const char *name, uid_t uid, size_t bytes)
{
    Connection *connection = g_hash_table_lookup(unread->connections, name);

    /* A reply to one that has left. */
    if (!connection)
        return;
    if (!connection->user && uid != CALLER_UID_UNKNOWN) {
        connection->user = user_get(unread, uid);
        user_add(connection->user, connection->bytes);
        unread->unknown -= connection->bytes;
    }
    connection->since_question += bytes;
    set_bytes(connection, connection->bytes + bytes);
}

/* --- the question to the bus -------------------------------------------------------------- */

static void
end_question(User *user)
{
    Waiters *waiters;

    if (--user->n_questions > 0)
        return;
    user->reported = user->bytes;
    user->is_fresh = true;
    waiters = single_flight_finish(user->flight);
    waiters_answer(waiters, OUTCOME_OK, NULL, NULL);
    user->is_fresh = false;
    single_flight_start_next(user->flight);
}

void
unread_forget(Unread *unread, const char *name)
{
    Connection *connection = g_hash_table_lookup(unread->connections, name);

    if (!connection)
        return;
    User *user = connection->is_asked ? connection->user : NULL;
    set_bytes(connection, 0);
    g_hash_table_remove(unread->connections, name);
    if (user)
        end_question(user);
}

/* So much is left. */
static void
finish_question(Connection *connection, size_t bytes)
{
    User *user = connection->user;

    connection->is_asked = false;
    set_bytes(connection, bytes);
    end_question(user);
}

static int
read_outgoing_bytes(sd_bus_message *reply, uint32_t *bytes)
{
    const char *key;
    int r = sd_bus_message_enter_container(reply, 'a', "{sv}");

    while (r >= 0 && (r = sd_bus_message_enter_container(reply, 'e', "sv")) > 0) {
        r = sd_bus_message_read(reply, "s", &key);
        if (r >= 0 && g_str_equal(key, "OutgoingBytes"))
            return sd_bus_message_read(reply, "v", "u", bytes);
        if (r >= 0)
            r = sd_bus_message_skip(reply, "v");
        if (r >= 0)
            r = sd_bus_message_exit_container(reply);
    }
    return r < 0 ? r : -ENODATA;
}

static void ping(Connection *connection);

static int
on_stats(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    Connection *connection = userdata;
    uint32_t bytes = 0;

    connection->question = sd_bus_slot_unref(connection->question);
    if (sd_bus_message_is_method_error(reply, SD_BUS_ERROR_NAME_HAS_NO_OWNER))
        finish_question(connection, 0);
    else if (sd_bus_message_is_method_error(reply, NULL) || read_outgoing_bytes(reply, &bytes) < 0)
        ping(connection);
    else
        finish_question(connection, bytes + connection->since_question);
    return 0;
}

static int
send_question(Connection *connection)
{
    g_autoptr(sd_bus_message) message = NULL;
    sd_bus *bus = connection->unread->bus;
    int r = sd_bus_message_new_method_call(
        bus, &message, "org.freedesktop.DBus", "/org/freedesktop/DBus",
        "org.freedesktop.DBus.Debug.Stats", "GetConnectionStats");

    if (r >= 0)
        r = sd_bus_message_append(message, "s", connection->name);
    if (r >= 0)
        r = sd_bus_call_async(bus, &connection->question, message, on_stats, connection,
                              UINT64_MAX); /* the bus always answers */
    return r;
}

/* --- the question to the connection, where the bus does not tell --------------------------- */

/* Its silence shows nothing: it may wait for one reply after the other and answer nothing else. */
static void
finish_unanswered(Connection *connection)
{
    connection->is_silent = true;
    if (connection->is_asked)
        finish_question(connection, 0);
}

static void
on_ping_timeout(void *userdata)
{
    finish_unanswered(userdata);
}

static int
on_pong(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    Connection *connection = userdata;

    connection->ping = sd_bus_slot_unref(connection->ping);
    timer_disarm(connection->ping_timeout);
    /* A bus that does not let the ping pass answers, too. */
    if (g_strcmp0(sd_bus_message_get_sender(reply), connection->name) != 0) {
        finish_unanswered(connection);
        return 0;
    }
    connection->is_silent = false;
    if (connection->is_asked)
        finish_question(connection, connection->since_question);
    return 0;
}

static int
send_ping(Connection *connection)
{
    g_autoptr(sd_bus_message) message = NULL;
    sd_bus *bus = connection->unread->bus;
    int r = sd_bus_message_new_method_call(bus, &message, connection->name, "/",
                                           "org.freedesktop.DBus.Peer", "Ping");

    if (r >= 0)
        r = sd_bus_call_async(bus, &connection->ping, message, on_pong, connection, UINT64_MAX);
    return r;
}

/* One that lets a ping lie is not waited for again before it has answered that. */
static void
ping(Connection *connection)
{
    if (!connection->ping_timeout)
        connection->ping_timeout = timer_new(sd_bus_get_event(connection->unread->bus),
                                             PING_TIMEOUT_ACCURACY, on_ping_timeout, connection);
    connection->since_question = 0;
    if ((!connection->ping && send_ping(connection) < 0) || connection->is_silent)
        finish_unanswered(connection);
    else
        timer_arm_relative(connection->ping_timeout, PING_TIMEOUT_USEC);
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

        if (connection->user != user || connection->bytes == 0)
            continue;
        connection->since_question = 0;
        connection->is_asked = send_question(connection) >= 0;
        user->n_questions += connection->is_asked;
    }
    end_question(user);
}

/* --- the verdict -------------------------------------------------------------------------- */

static size_t
bound(const User *user, size_t max)
{
    bool is_crowded = caller_is_ordinary(user->uid) && user->unread->ordinary > ALL_MAX;

    return is_crowded ? max / CROWDED_PART : max;
}

static bool
fits(const User *user, size_t unread, size_t bytes)
{
    if (bytes < SMALL)
        return unread <= bound(user, SMALL_MAX);
    return unread + bytes <= bound(user, LARGE_MAX) || unread <= SMALL;
}

/* The user may have read by now what was sent since the bus has told: then it is asked again. */
UnreadVerdict
unread_check(Unread *unread, uid_t uid, size_t bytes)
{
    const User *user = user_get(unread, uid);

    if (fits(user, user->bytes, bytes))
        return UNREAD_SEND;
    return user->is_fresh && !fits(user, user->reported, bytes) ? UNREAD_REFUSE : UNREAD_ASK;
}

UnreadVerdict
unread_check_unknown(const Unread *unread, const char *name, size_t bytes)
{
    const Connection *connection = g_hash_table_lookup(unread->connections, name);
    size_t unread_bytes = (connection ? connection->bytes : 0) + bytes;
    size_t max = unread->unknown + bytes <= UNKNOWN_ALL_MAX ? UNKNOWN_MAX : SMALL;

    return unread_bytes <= max ? UNREAD_SEND : UNREAD_ASK;
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
    return user->reported > bound(user, ERRORS_MAX);
}

/* --- looking ------------------------------------------------------------------------------ */

void
unread_describe(const Unread *unread, UnreadTell tell, void *userdata)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, unread->users);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        tell(userdata, ((const User *)value)->uid, ((const User *)value)->bytes);
    if (unread->unknown > 0)
        tell(userdata, CALLER_UID_UNKNOWN, unread->unknown);
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
