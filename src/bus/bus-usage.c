/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus-usage.h"

#include "clock.h"
#include "context.h"
#include "log.h"
#include "names.h"
#include "sd-bus-cleanup.h"
#include "units.h"

#include <string.h>

#define INTERVAL_MIN    (1 * SEC)
#define INTERVAL_MAX    (3600 * SEC)
#define VALID_MIN       (60 * SEC)
#define EXPIRY_ACCURACY (SEC / 10)
#define CONNECTIONS_MAX 16 /* of a user */
#define INTERVALS_MAX   16 /* of a connection */
/* After so many signals the subscriber is asked whether it has read them, ... */
#define UNREAD_ASKED    4
/* ... and after so many without an answer it is sent no more. */
#define UNREAD_MAX      8

struct UsageSubscribers {
    Service *service;
    GHashTable *all; /* unique name -> Subscriber */
};

typedef struct {
    uint64_t interval;
    uint64_t valid_until;
} Validity;

typedef struct {
    UsageSubscribers *subscribers;
    char *name;
    uid_t uid;
    GArray *validities; /* Validity, of different intervals */
    uint64_t interval;  /* of the series; 0: there is none */
    UsageSeries *series;
    Timer *expiry_timer;
    unsigned unread;   /* signals that it may not have read yet */
    sd_bus_slot *ping; /* NULL: it is not being asked */
} Subscriber;

/* --- the signal --------------------------------------------------------------------------- */

static void
put_key(Wire *body, const char *key, const char *signature)
{
    wire_align(body, 8);
    wire_put_string(body, key);
    wire_put_signature(body, signature);
}

static void
put_double(Wire *body, const char *key, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    put_key(body, key, "d");
    wire_put_u64(body, bits);
}

static void
put_size(Wire *body, const char *key, uint64_t value)
{
    put_key(body, key, "t");
    wire_put_u64(body, value);
}

/* "{oa{sv}}" */
static void
put_row(Wire *body, const UsageRow *row)
{
    static const char *const names[_USAGE_RATE_MAX] = {
        [USAGE_CPU] = "cpu",
        [USAGE_DISK_READ] = "disk_read",
        [USAGE_DISK_WRITE] = "disk_write",
        [USAGE_NET_RX] = "net_rx",
        [USAGE_NET_TX] = "net_tx",
    };

    wire_align(body, 8);
    wire_put_string(body, object_path_of_domain(row->uuid).text);
    size_t figures = wire_begin_array(body, 8);
    put_key(body, "stale", "b");
    wire_put_u32(body, row->stale);
    for (unsigned i = 0; i < _USAGE_RATE_MAX; i++)
        if (row->rates.known & (1U << i))
            put_double(body, names[i], row->rates.values[i]);
    if (row->memory & USAGE_HAS_MEMORY_USED)
        put_size(body, "memory_used", row->memory_used);
    if (row->memory & USAGE_HAS_MEMORY_RSS)
        put_size(body, "memory_rss", row->memory_rss);
    wire_end_array(body, figures, 8);
}

/*
 * A reply or a refusal of the client shows that it has read everything sent before the ping; a
 * refusal of the bus, whose queue for it may be full, does not.
 */
static int
on_pong(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    Subscriber *subscriber = userdata;

    subscriber->ping = sd_bus_slot_unref(subscriber->ping);
    if (g_strcmp0(sd_bus_message_get_sender(reply), subscriber->name) == 0)
        subscriber->unread = 0;
    return 0;
}

static void
ask_whether_read(Subscriber *subscriber)
{
    sd_bus *bus = subscriber->subscribers->service->bus;
    g_autoptr(sd_bus_message) message = NULL;
    int r = sd_bus_message_new_method_call(bus, &message, subscriber->name, "/",
                                           "org.freedesktop.DBus.Peer", "Ping");

    if (r >= 0)
        r = sd_bus_call_async(bus, &subscriber->ping, message, on_pong, subscriber, UINT64_MAX);
    if (r < 0)
        log_message(LOG_WARNING, "Asking %s whether it reads failed: %s", subscriber->name,
                    g_strerror(-r));
}

static void
send_usage(const Subscriber *subscriber, uint64_t timestamp, const GArray *rows)
{
    const Service *service = subscriber->subscribers->service;
    g_auto(Wire) body = {NULL};

    wire_put_u64(&body, timestamp);
    size_t array = wire_begin_array(&body, 8);
    for (unsigned i = 0; i < rows->len; i++)
        put_row(&body, &g_array_index(rows, UsageRow, i));
    wire_end_array(&body, array, 8);
    publisher_flush(service->publisher);
    int r = raw_message_signal_to(service->messenger, service->bus, subscriber->name, VMS_ROOT_PATH,
                                  VMS_MANAGER_INTERFACE, "Usage", "ta{oa{sv}}", &body);
    if (r < 0)
        log_message(LOG_ERR, "Sending the usage to %s failed: %s", subscriber->name,
                    g_strerror(-r));
}

static void
on_usage(void *userdata, uint64_t timestamp, const GArray *rows)
{
    Subscriber *subscriber = userdata;

    if (subscriber->unread < UNREAD_MAX) {
        send_usage(subscriber, timestamp, rows);
        subscriber->unread++;
    }
    /* Also where no more is sent: the questions so far may all have failed. */
    if (subscriber->unread >= UNREAD_ASKED && !subscriber->ping)
        ask_whether_read(subscriber);
}

/* --- subscribers -------------------------------------------------------------------------- */

static void
free_subscriber(gpointer data)
{
    Subscriber *subscriber = data;

    usage_series_free(subscriber->series);
    timer_free(subscriber->expiry_timer);
    sd_bus_slot_unref(subscriber->ping);
    g_array_unref(subscriber->validities);
    g_free(subscriber->name);
    g_free(subscriber);
}

/* Drop the requests that have lapsed; the shortest interval of the others selects the series. */
static void
apply_validities(Subscriber *subscriber)
{
    uint64_t now = clock_now_usec();
    uint64_t interval = UINT64_MAX;
    uint64_t next = TIMER_NEVER;

    for (unsigned i = subscriber->validities->len; i-- > 0;) {
        const Validity *validity = &g_array_index(subscriber->validities, Validity, i);

        if (validity->valid_until <= now) {
            g_array_remove_index_fast(subscriber->validities, i);
            continue;
        }
        interval = MIN(interval, validity->interval);
        next = MIN(next, validity->valid_until);
    }
    if (subscriber->validities->len == 0) {
        g_hash_table_remove(subscriber->subscribers->all, subscriber->name);
        return;
    }
    timer_arm(subscriber->expiry_timer, next);
    if (interval == subscriber->interval)
        return;
    usage_series_free(subscriber->series);
    subscriber->interval = interval;
    subscriber->series = usage_series_new(subscriber->subscribers->service->core->usage, interval,
                                          on_usage, subscriber);
}

static void
on_expiry_timer(void *userdata)
{
    apply_validities(userdata);
}

static Subscriber *
add_subscriber(UsageSubscribers *subscribers, const char *name, uid_t uid)
{
    Subscriber *subscriber = g_new0(Subscriber, 1);

    subscriber->subscribers = subscribers;
    subscriber->name = g_strdup(name);
    subscriber->uid = uid;
    subscriber->validities = g_array_new(FALSE, FALSE, sizeof(Validity));
    subscriber->expiry_timer = timer_new(sd_bus_get_event(subscribers->service->bus),
                                         EXPIRY_ACCURACY, on_expiry_timer, subscriber);
    g_hash_table_insert(subscribers->all, subscriber->name, subscriber);
    return subscriber;
}

static unsigned
count_connections(const UsageSubscribers *subscribers, uid_t uid)
{
    GHashTableIter iter;
    gpointer value;
    unsigned n = 0;

    g_hash_table_iter_init(&iter, subscribers->all);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        n += ((const Subscriber *)value)->uid == uid;
    return n;
}

/* --- SubscribeUsage ----------------------------------------------------------------------- */

int
bus_usage_parse(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    int r = sd_bus_message_read(message, "t", &args->usage_interval);

    if (r >= 0 && (args->usage_interval < INTERVAL_MIN || args->usage_interval > INTERVAL_MAX))
        return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                "The interval has to be 1 second to 1 hour, in microseconds");
    return r < 0 ? r : method_parse_no_options(message, error);
}

static void
fail_limit(Request *request, const char *message)
{
    g_autoptr(Error) error = error_new(ERROR_LIMITS_EXCEEDED, "%s", message);

    request_fail(request, error);
}

/* A request with a longer interval that lapses earlier than the new one has no effect any more. */
static bool
add_validity(Subscriber *subscriber, const Validity *validity)
{
    for (unsigned i = subscriber->validities->len; i-- > 0;) {
        const Validity *other = &g_array_index(subscriber->validities, Validity, i);

        if (other->interval >= validity->interval && other->valid_until <= validity->valid_until)
            g_array_remove_index_fast(subscriber->validities, i);
    }
    if (subscriber->validities->len >= INTERVALS_MAX)
        return false;
    g_array_append_val(subscriber->validities, *validity);
    return true;
}

static void
renew(Request *request, Subscriber *subscriber)
{
    uint64_t interval = request->args->usage_interval;
    uint64_t valid_for = MAX(VALID_MIN, 2 * interval);
    const Validity validity = {interval, clock_now_usec() + valid_for};
    g_auto(Wire) body = {NULL};

    if (!add_validity(subscriber, &validity)) {
        fail_limit(request, "Too many intervals of one connection at a time");
        return;
    }
    apply_validities(subscriber);
    wire_put_u64(&body, valid_for);
    request_reply_body(request, &body);
}

void
bus_usage_run_subscribe(Request *request)
{
    UsageSubscribers *subscribers = request->service->usage;
    const char *name = request->caller.sender;
    Subscriber *subscriber = g_hash_table_lookup(subscribers->all, name);

    if (!subscriber && count_connections(subscribers, request->uid) >= CONNECTIONS_MAX)
        fail_limit(request, "Too many connections of this user are subscribed");
    else
        renew(request, subscriber ? subscriber : add_subscriber(subscribers, name, request->uid));
}

void
bus_usage_run_unsubscribe(Request *request)
{
    usage_subscribers_forget(request->service->usage, request->caller.sender);
    request_reply(request);
}

/* --- life --------------------------------------------------------------------------------- */

UsageSubscribers *
usage_subscribers_new(Service *service)
{
    UsageSubscribers *subscribers = g_new0(UsageSubscribers, 1);

    subscribers->service = service;
    subscribers->all = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_subscriber);
    return subscribers;
}

void
usage_subscribers_forget(UsageSubscribers *subscribers, const char *name)
{
    g_hash_table_remove(subscribers->all, name);
}

void
usage_subscribers_stop(UsageSubscribers *subscribers)
{
    g_hash_table_remove_all(subscribers->all);
}

void
usage_subscribers_free(UsageSubscribers *subscribers)
{
    if (!subscribers)
        return;
    g_hash_table_unref(subscribers->all);
    g_free(subscribers);
}
