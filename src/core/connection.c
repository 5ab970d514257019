/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "connection.h"

#include "clock.h"
#include "daemon-watch.h"
#include "hypervisor-traits.h"
#include "libvirt-uri.h"
#include "timer.h"
#include "units.h"

#define TIMER_ACCURACY_USEC MSEC

struct Connection {
    const ConnectionListener *listener;
    void *userdata;
    char *uri;
    struct sd_event *event;
    LanePool *lane_pool;
    Availability *availability;
    Timer *timer;
    DaemonWatch *daemon_watch;
    GHashTable *attempts; /* number -> Attempt: under way, or not adopted yet */
    ConnectionState state;
};

/* A connection attempt, and what is known of it before it is adopted. */
typedef struct {
    GHashTable *events;    /* set of UUIDs: events may come before the connection is reported */
    ConnectResult *result; /* while the availability engine decides about it */
} Attempt;

typedef struct {
    Connection *connection;
    Pending *pending;
    ConnectionDone done;
    void *userdata;
} Waiter;

/* --- attempts ----------------------------------------------------------------------------- */

static void
free_attempt(gpointer data)
{
    Attempt *attempt = data;

    g_hash_table_unref(attempt->events);
    g_free(attempt);
}

static Attempt *
find_attempt(const Connection *connection, unsigned number)
{
    return g_hash_table_lookup(connection->attempts, GUINT_TO_POINTER(number));
}

static void
forget_attempt(Connection *connection, unsigned number)
{
    g_hash_table_remove(connection->attempts, GUINT_TO_POINTER(number));
}

/* --- the availability engine's effects ---------------------------------------------------- */

static void
effect_connect(void *userdata, unsigned number)
{
    Connection *connection = userdata;
    Attempt *attempt = g_new0(Attempt, 1);

    attempt->events = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_hash_table_insert(connection->attempts, GUINT_TO_POINTER(number), attempt);
    lane_pool_connect(connection->lane_pool, number,
                      !connection->listener->has_domains(connection->userdata));
}

static ConnectionChanges
take_identity(Connection *connection, HypervisorIdentity *identity)
{
    static const struct {
        size_t offset;
        ConnectionChanges change;
    } fields[] = {
        {offsetof(HypervisorIdentity, hostname), CONNECTION_CHANGED(HOSTNAME)},
        {offsetof(HypervisorIdentity, type), CONNECTION_CHANGED(TYPE)},
        {offsetof(HypervisorIdentity, version), CONNECTION_CHANGED(VERSION)},
        {offsetof(HypervisorIdentity, libvirt_version), CONNECTION_CHANGED(LIBVIRT_VERSION)},
    };
    ConnectionChanges changes = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(fields); i++) {
        char **now = G_STRUCT_MEMBER_P(&connection->state.identity, fields[i].offset);
        char **news = G_STRUCT_MEMBER_P(identity, fields[i].offset);

        if (!*news || g_str_equal(*now, *news))
            continue;
        g_free(*now);
        *now = g_steal_pointer(news);
        changes |= fields[i].change;
    }
    return changes;
}

static void
effect_adopt(void *userdata, unsigned number)
{
    Connection *connection = userdata;
    const Attempt *attempt = find_attempt(connection, number);
    ConnectResult *result = attempt->result;
    ConnectionChanges changes = take_identity(connection, &result->identity);

    const HypervisorIdentity *identity = &connection->state.identity;
    lane_pool_set_traits(connection->lane_pool,
                         hypervisor_traits_of_daemon(identity->type, identity->libvirt_version));
    lane_pool_adopt(connection->lane_pool, number);
    if (changes)
        connection->listener->changed(connection->userdata, changes, connection->state.status);
    connection->listener->connected(connection->userdata, result->updates, attempt->events);
    forget_attempt(connection, number);
}

static bool
effect_leave(void *userdata, unsigned number)
{
    return lane_pool_leave(((Connection *)userdata)->lane_pool, number);
}

static void
effect_probe(void *userdata)
{
    const Connection *connection = userdata;
    g_auto(GStrv) sockets = libvirt_uri_sockets(connection->uri, g_get_user_runtime_dir());

    lane_pool_probe(connection->lane_pool, (const char *const *)sockets);
}

static void
effect_discard(void *userdata, unsigned number)
{
    Connection *connection = userdata;

    forget_attempt(connection, number);
    lane_pool_discard(connection->lane_pool, number);
}

static void
effect_clear(void *userdata, unsigned generation)
{
    Connection *connection = userdata;

    connection->listener->lost(connection->userdata);
}

static void
effect_close(void *userdata, unsigned generation)
{
    Connection *connection = userdata;

    /* The callers of calls that are lost now find the new status already. */
    lane_pool_clear(connection->lane_pool);
    lane_pool_close_cleared(connection->lane_pool);
}

static void
effect_status(void *userdata, Status status, const char *message)
{
    Connection *connection = userdata;
    ConnectionState *state = &connection->state;
    Status before = state->status;
    ConnectionChanges changes = 0;

    if (state->status != status) {
        state->status = status;
        state->status_since = clock_realtime_usec();
        changes |= CONNECTION_CHANGED(STATUS) | CONNECTION_CHANGED(STATUS_SINCE);
    }
    if (!g_str_equal(state->status_message, message)) {
        g_free(state->status_message);
        state->status_message = g_strdup(message);
        changes |= CONNECTION_CHANGED(STATUS_MESSAGE);
    }
    if ((before == STATUS_AVAILABLE) != (status == STATUS_AVAILABLE))
        changes |= CONNECTION_CHANGED(AVAILABLE);
    connection->listener->changed(connection->userdata, changes, before);
}

static void
effect_answer(void *userdata, void *data, const Error *error)
{
    g_autofree Waiter *waiter = data;

    *waiter->pending = (Pending){0};
    waiter->done(waiter->userdata, error);
}

static void
effect_arm(void *userdata, uint64_t when)
{
    timer_arm(((Connection *)userdata)->timer, when);
}

static bool
effect_daemon_lives(void *userdata)
{
    const Connection *connection = userdata;

    return connection->daemon_watch && daemon_watch_lives(connection->daemon_watch);
}

static const AvailabilityEffects effects = {
    .connect = effect_connect,
    .leave = effect_leave,
    .probe = effect_probe,
    .adopt = effect_adopt,
    .discard = effect_discard,
    .clear = effect_clear,
    .close = effect_close,
    .status = effect_status,
    .answer = effect_answer,
    .daemon_lives = effect_daemon_lives,
    .arm = effect_arm,
};

/* --- its triggers ------------------------------------------------------------------------- */

static void
on_timer(void *userdata)
{
    availability_elapsed(((Connection *)userdata)->availability, clock_now_usec());
}

static void
on_hint(void *userdata, Hint hint)
{
    availability_hint(((Connection *)userdata)->availability, clock_now_usec(), hint);
}

static void
on_connect_result(void *userdata, ConnectResult *result)
{
    Connection *connection = userdata;
    Attempt *attempt = find_attempt(connection, result->attempt);

    if (result->succeeded) {
        attempt->result = result;
        availability_succeeded(connection->availability, clock_now_usec(), result->attempt);
    } else {
        forget_attempt(connection, result->attempt);
        availability_failed(connection->availability, clock_now_usec(), result->attempt,
                            result->why, result->error->message);
    }
}

static void
on_version(void *userdata, unsigned number, const char *version)
{
    Connection *connection = userdata;
    HypervisorIdentity identity = {.version = g_strdup(version)};
    ConnectionChanges changes = 0;

    if (number == availability_generation(connection->availability))
        changes = take_identity(connection, &identity);
    hypervisor_identity_clear(&identity);
    if (changes)
        connection->listener->changed(connection->userdata, changes, connection->state.status);
}

static void
on_probed(void *userdata, bool answered)
{
    availability_probed(((Connection *)userdata)->availability, clock_now_usec(), answered);
}

static void
on_event(void *userdata, const HypervisorEvent *event)
{
    Connection *connection = userdata;
    const Attempt *attempt = find_attempt(connection, event->generation);

    if (event->generation == availability_generation(connection->availability))
        connection->listener->event(connection->userdata, event);
    else if (attempt)
        g_hash_table_add(attempt->events, g_strdup(event->uuid));
}

static void
on_lost(void *userdata, unsigned generation, const char *message)
{
    Connection *connection = userdata;
    bool may_be_stopped =
        connection->daemon_watch && daemon_watch_may_stop(connection->daemon_watch);

    availability_lost(connection->availability, clock_now_usec(), generation, may_be_stopped,
                      message);
}

static void
on_hanging(void *userdata, const Call *call, uint64_t since)
{
    Connection *connection = userdata;

    connection->listener->hanging(connection->userdata, call, since);
}

static void
on_returned(void *userdata, const Call *call, bool answered)
{
    Connection *connection = userdata;

    connection->listener->returned(connection->userdata, call, answered);
}

static void
on_stopped(void *userdata)
{
    Connection *connection = userdata;

    connection->listener->stopped(connection->userdata);
}

static const LanePoolCallbacks lane_pool_callbacks = {
    .connect_result = on_connect_result,
    .version = on_version,
    .probed = on_probed,
    .event = on_event,
    .lost = on_lost,
    .hanging = on_hanging,
    .returned = on_returned,
    .stopped = on_stopped,
};

/* --- waiting for it ----------------------------------------------------------------------- */

static void
cancel_waiter(void *data)
{
    g_autofree Waiter *waiter = data;

    availability_forget(waiter->connection->availability, waiter);
}

static Waiter *
waiter_new(Connection *connection, Pending *pending, ConnectionDone done, void *userdata)
{
    Waiter *waiter = g_new0(Waiter, 1);

    waiter->connection = connection;
    waiter->pending = pending;
    waiter->done = done;
    waiter->userdata = userdata;
    *pending = (Pending){cancel_waiter, waiter};
    return waiter;
}

void
connection_wait(Connection *connection, Pending *pending, ConnectionDone done, void *userdata)
{
    availability_want(connection->availability, clock_now_usec(),
                      waiter_new(connection, pending, done, userdata));
}

void
connection_reconnect(Connection *connection, Pending *pending, ConnectionDone done, void *userdata)
{
    availability_reconnect(connection->availability, clock_now_usec(),
                           waiter_new(connection, pending, done, userdata));
}

/* --- life --------------------------------------------------------------------------------- */

LanePool *
connection_lane_pool(const Connection *connection)
{
    return connection->lane_pool;
}

const ConnectionState *
connection_state(const Connection *connection)
{
    return &connection->state;
}

unsigned
connection_generation(const Connection *connection)
{
    return availability_generation(connection->availability);
}

unsigned
connection_attempts(const Connection *connection)
{
    return g_hash_table_size(connection->attempts);
}

bool
connection_is_available(const Connection *connection)
{
    return connection->state.status == STATUS_AVAILABLE;
}

Connection *
connection_new(struct sd_event *event, LoopQueue *loop_queue, const char *uri,
               const ConnectionListener *listener, void *userdata)
{
    Connection *connection = g_new0(Connection, 1);

    connection->listener = listener;
    connection->userdata = userdata;
    connection->uri = g_strdup(uri);
    connection->event = event;
    connection->lane_pool = lane_pool_new(event, loop_queue, uri, &lane_pool_callbacks, connection);
    connection->availability = availability_new(&effects, connection, g_random_int());
    connection->timer = timer_new(event, TIMER_ACCURACY_USEC, on_timer, connection);
    connection->attempts = g_hash_table_new_full(NULL, NULL, NULL, free_attempt);
    connection->state = (ConnectionState){
        .status = STATUS_STARTING,
        .status_message = g_strdup(""),
        .status_since = clock_realtime_usec(),
        .identity = {g_strdup(""), g_strdup(""), g_strdup(""), g_strdup("")},
    };
    return connection;
}

int
connection_start(Connection *connection, const char *const *pid_files)
{
    static const char *const usual_pid_files[] = {
        "/run/libvirt/libvirtd.pid",
        "/run/libvirtd.pid",
        "/run/virtqemud.pid",
        NULL,
    };
    g_auto(GStrv) sockets = libvirt_uri_sockets(connection->uri, g_get_user_runtime_dir());

    if (pid_files || !(hypervisor_traits_of_uri(connection->uri) & TRAIT_SEPARATE_WORLDS)) {
        int r = daemon_watch_new(connection->event, pid_files ? pid_files : usual_pid_files,
                                 (const char *const *)sockets, on_hint, connection,
                                 &connection->daemon_watch);
        if (r < 0)
            return r;
    }
    availability_start(connection->availability, clock_now_usec());
    return 0;
}

void
connection_stop(Connection *connection)
{
    availability_stop(connection->availability, clock_now_usec(), "the service is stopping");
    lane_pool_stop(connection->lane_pool);
}

void
connection_free(Connection *connection)
{
    if (!connection)
        return;
    daemon_watch_free(connection->daemon_watch);
    availability_free(connection->availability);
    timer_free(connection->timer);
    lane_pool_free(connection->lane_pool);
    g_hash_table_unref(connection->attempts);
    hypervisor_identity_clear(&connection->state.identity);
    g_free(connection->state.status_message);
    g_free(connection->uri);
    g_free(connection);
}
