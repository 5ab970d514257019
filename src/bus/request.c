/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "request.h"

#include "bus-error.h"
#include "log.h"
#include "manager.h"
#include "retry.h"

#include <string.h>
#include <time.h>

/* The contract says 20 s, D-Bus clients give up at 25 s. */
#define REQUEST_LIMIT_USEC      (19 * UINT64_C(1000000))
#define REQUESTS_MAX            16384
#define REQUESTS_PER_SENDER_MAX 4096
/* What the arguments of all callers, and of one, may take. Small ones are bounded by their number.
 */
#define BYTES_MAX               ((size_t)64 * 1024 * 1024)
#define BYTES_PER_SENDER_MAX    ((size_t)16 * 1024 * 1024)
#define BYTES_SMALL             4096

struct Requests {
    Manager *manager;
    GHashTable *all;     /* set of Request */
    GQueue settling;     /* those that wait for domains, in the order in which they came */
    GPtrArray *watching; /* those that await something, or watch devices */
    GHashTable *senders; /* unique name -> SenderLoad */
    size_t bytes;        /* of the arguments that are not small */
};

typedef struct {
    unsigned n;
    size_t bytes;
} SenderLoad;

static void request_free(Request *request);

/* --- life --------------------------------------------------------------------------------- */

Requests *
requests_new(Manager *m)
{
    Requests *requests = g_new0(Requests, 1);

    requests->manager = m;
    requests->all = g_hash_table_new(NULL, NULL);
    g_queue_init(&requests->settling);
    requests->watching = g_ptr_array_new();
    requests->senders = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return requests;
}

void
requests_free(Requests *requests)
{
    if (!requests)
        return;
    g_hash_table_unref(requests->all);
    g_hash_table_unref(requests->senders);
    g_ptr_array_unref(requests->watching);
    g_free(requests);
}

static bool
has_room(const Requests *requests, const char *sender, size_t bytes)
{
    const SenderLoad *load = g_hash_table_lookup(requests->senders, sender);

    if (g_hash_table_size(requests->all) >= REQUESTS_MAX ||
        (load && load->n >= REQUESTS_PER_SENDER_MAX))
        return false;
    return bytes == 0 || (requests->bytes + bytes <= BYTES_MAX &&
                          (!load || load->bytes + bytes <= BYTES_PER_SENDER_MAX));
}

static void
count_in(Requests *requests, const char *sender, size_t bytes)
{
    SenderLoad *load = g_hash_table_lookup(requests->senders, sender);

    if (!load) {
        load = g_new0(SenderLoad, 1);
        g_hash_table_insert(requests->senders, g_strdup(sender), load);
    }
    load->n++;
    load->bytes += bytes;
    requests->bytes += bytes;
}

static void
count_out(Requests *requests, const char *sender, size_t bytes)
{
    SenderLoad *load = g_hash_table_lookup(requests->senders, sender);

    requests->bytes -= bytes;
    load->bytes -= bytes;
    if (--load->n == 0)
        g_hash_table_remove(requests->senders, sender);
}

Request *
request_new(Manager *m, sd_bus_message *message, RequestKind kind, const char *verb,
            const char *uuid, sd_bus_error *error)
{
    Requests *requests = m->requests;
    const char *sender = sd_bus_message_get_sender(message);
    size_t bytes = m->incoming_bytes > BYTES_SMALL ? m->incoming_bytes : 0;

    if (!has_room(requests, sender ? sender : "", bytes)) {
        sd_bus_error_set(error, bus_error_name(ERROR_LIMITS_EXCEEDED), "Too many calls at a time");
        return NULL;
    }

    Request *request = g_new0(Request, 1);
    const Domain *domain = uuid ? manager_find_domain(m, uuid) : NULL;

    request->manager = m;
    request->caller = caller_of(message);
    request->kind = kind;
    request->verb = verb;
    request->uid = AUTHORIZE_UID_UNKNOWN;
    request->vm_uuid = g_strdup(uuid);
    request->vm_name = g_strdup(domain ? domain->name : NULL);
    request->about_domain = uuid != NULL;
    g_hash_table_add(requests->all, request);
    request->bytes = bytes;
    count_in(requests, request->caller.sender, bytes);
    return request;
}

static void
stop_settling(Request *request)
{
    if (request->settling_link)
        g_queue_delete_link(&request->manager->requests->settling,
                            g_steal_pointer(&request->settling_link));
}

static void
request_free(Request *request)
{
    Manager *m = request->manager;

    g_hash_table_remove(m->requests->all, request);
    stop_settling(request);
    g_ptr_array_remove(m->requests->watching, request);
    count_out(m->requests, request->caller.sender, request->bytes);

    if (request->authorization)
        authorize_request_cancel(request->authorization);
    if (request->available)
        availability_forget(m->availability, request);
    if (request->call)
        lane_pool_abandon(m->lane_pool, request->call);
    if (request->joined_list)
        manager_list_forget(m, request);
    if (request->job)
        job_forget_request(request->job, request);
    if (request->unsettled)
        g_hash_table_unref(request->unsettled);
    if (request->args && request->free_args)
        request->free_args(request->args);
    sd_event_source_disable_unref(request->deadline);
    caller_clear(&request->caller);
    g_free(request->vm_name);
    g_free(request->vm_uuid);
    g_free(request);
}

void
request_set_args(Request *request, void *args, GDestroyNotify free_args)
{
    request->args = args;
    request->free_args = free_args;
}

/* --- answering ---------------------------------------------------------------------------- */

int
request_new_reply(const Request *request, sd_bus_message **ret)
{
    return caller_new_reply(&request->caller, request->manager->bus, ret);
}

static int
reply_error(const Request *request, const sd_bus_error *error)
{
    return caller_reply_error(&request->caller, request->manager->bus, error);
}

int
request_error_to_bus(const Error *error, sd_bus_error *ret)
{
    return sd_bus_error_set(ret, bus_error_name(error->kind), error->message);
}

static void
log_send_failure(const Request *request, int r)
{
    if (r < 0)
        log_message(LOG_WARNING, "Replying to %s of %s failed: %s", request->verb,
                    request->caller.sender, g_strerror(-r));
}

/* Where libvirt's words quote what the caller wrote, a password may be in it. */
static char *
words_for_journal(const Error *error)
{
    return error->quotes_input ? g_strndup(error->message, strcspn(error->message, "\n"))
                               : g_strdup(error->message);
}

static void
log_change(const Request *request, const Error *error)
{
    char uid[LOG_NUMBER_SIZE];
    char code[LOG_NUMBER_SIZE];
    g_autofree char *what = NULL, *message = NULL, *words = NULL;

    if (request->kind != REQUEST_CHANGE)
        return;
    words = error ? words_for_journal(error) : NULL;
    what = request->vm_name && *request->vm_name
               ? g_strdup_printf("%s of \"%s\"", request->verb, request->vm_name)
               : g_strdup(request->verb);
    message =
        error ? g_strdup_printf("%s failed: %s", what, words) : g_strdup_printf("%s is done", what);
    log_event(error ? LOG_EVENT_OPERATION_FAILED : LOG_EVENT_OPERATION_DONE, message,
              LOG_FIELD_VM_UUID, request->vm_uuid, LOG_FIELD_VM_NAME, request->vm_name,
              LOG_FIELD_VM_OPERATION, request->verb, LOG_FIELD_VM_RESULT, error ? "failed" : "done",
              LOG_FIELD_LIBVIRT_ERROR_CODE,
              error && error->libvirt_code ? log_number(code, error->libvirt_code) : NULL,
              LOG_FIELD_CALLER_UID,
              request->uid != AUTHORIZE_UID_UNKNOWN ? log_number(uid, request->uid) : NULL,
              LOG_FIELD_CALLER_BUS_NAME, request->caller.sender, NULL);
}

/* Send it, unless the time was up and the caller has had an answer. */
static void
answer(Request *request, sd_bus_message *reply)
{
    manager_flush(request->manager);
    if (!request->answered)
        log_send_failure(request, sd_bus_send(NULL, reply, NULL));
    sd_bus_message_unref(reply);
    request_free(request);
}

void
request_reply_message(Request *request, sd_bus_message *reply)
{
    log_change(request, NULL);
    answer(request, reply);
}

void
request_reply(Request *request)
{
    sd_bus_message *reply = NULL;

    if (request_new_reply(request, &reply) < 0)
        request_free(request);
    else
        request_reply_message(request, reply);
}

void
request_reply_string(Request *request, const char *type, const char *value)
{
    sd_bus_message *reply = NULL;

    if (request_new_reply(request, &reply) < 0 || sd_bus_message_append(reply, type, value) < 0) {
        g_autoptr(Error) error =
            error_new(ERROR_OPERATION_FAILED, "The answer does not fit into a D-Bus message");

        sd_bus_message_unref(reply);
        request_fail(request, error);
        return;
    }
    request_reply_message(request, reply);
}

static void
send_error(Request *request, const Error *error)
{
    const sd_bus_error reply = SD_BUS_ERROR_MAKE_CONST(bus_error_name(error->kind), error->message);

    manager_flush(request->manager);
    log_send_failure(request, reply_error(request, &reply));
}

void
request_fail(Request *request, const Error *error)
{
    log_change(request, error);
    if (!request->answered)
        send_error(request, error);
    else
        manager_flush(request->manager);
    request_free(request);
}

/* --- the time limit ----------------------------------------------------------------------- */

static void
answer_still_running(Request *request)
{
    g_autoptr(Error) error = NULL;

    if (request->job)
        error = error_new(ERROR_STILL_RUNNING, "%s of \"%s\" goes on as %s", request->verb,
                          request->vm_name, request->job->path);
    else
        error = error_new(ERROR_STILL_RUNNING, "%s is not done yet and goes on", request->verb);
    send_error(request, error);
}

static int
on_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
    Request *request = userdata;
    g_autoptr(Error) error = NULL;

    if (request->available || (request->kind == REQUEST_OPERATION && !request->job)) {
        error = error_not_available("libvirt did not answer in time");
    } else if (request->kind == REQUEST_READ) {
        error = error_new(ERROR_TIMEOUT, "libvirt did not answer %s in time", request->verb);
    } else {
        /* It goes on; only nobody waits for it any longer. */
        answer_still_running(request);
        request->answered = true;
        if (request->awaited)
            log_message(LOG_NOTICE,
                        "%s of \"%s\": libvirt has taken it, the guest has not done it yet",
                        request->verb, request->vm_name);
        if (request->job || request->awaited)
            request_free(request);
        return 0;
    }
    request_fail(request, error);
    return 0;
}

static bool
arm_deadline(Request *request)
{
    Manager *m = request->manager;

    return sd_event_add_time(m->event, &request->deadline, CLOCK_MONOTONIC,
                             manager_now(m) + REQUEST_LIMIT_USEC, 100000, on_deadline,
                             request) >= 0;
}

/* --- authorising -------------------------------------------------------------------------- */

static void ask_polkit(Request *request);

static void
begin(Request *request)
{
    g_autoptr(Error) error = NULL;

    if (!arm_deadline(request))
        error = error_new(ERROR_LIMITS_EXCEEDED, "No timer can be had");
    else if (request->manager->stopping)
        error = error_not_available("the service is stopping");
    if (error)
        request_fail(request, error);
    else
        request->run(request);
}

static void
deny(Request *request, const sd_bus_error *error)
{
    log_send_failure(request, reply_error(request, error));
    request_free(request);
}

static void
on_authorized(void *userdata, const sd_bus_error *error, uid_t uid)
{
    Request *request = userdata;

    request->authorization = NULL;
    request->uid = uid;
    if (error) {
        deny(request, error);
        return;
    }
    if (request->about_domain) {
        const Domain *domain = manager_find_domain(request->manager, request->vm_uuid);

        /* What polkit was asked about has another name by now: ask about that one. */
        if (domain && g_strcmp0(domain->name, request->vm_name) != 0) {
            g_free(request->vm_name);
            request->vm_name = g_strdup(domain->name);
            ask_polkit(request);
            return;
        }
    }
    begin(request);
}

static void
ask_polkit(Request *request)
{
    AuthorizeSubject subject = {.vm_name = request->vm_name, .vm_uuid = request->vm_uuid};
    AuthorizeCaller caller = {
        .sender = request->caller.sender,
        .operation = request->verb,
        .interactive = request->caller.interactive,
    };

    request->authorization = authorizer_check(request->manager->authorizer, &caller,
                                              request->actions, &subject, on_authorized, request);
}

int
request_start(Request *request, uint64_t actions, RequestStep run)
{
    request->run = run;
    request->actions = actions;
    if (actions)
        ask_polkit(request);
    else
        begin(request);
    return 1;
}

Domain *
request_domain(Request *request)
{
    Domain *domain = manager_find_domain(request->manager, request->vm_uuid);

    if (!domain) {
        g_autoptr(Error) error =
            error_new(ERROR_NO_SUCH_DOMAIN, "There is no domain %s any more", request->vm_uuid);
        request_fail(request, error);
    }
    return domain;
}

/* --- waiting for the hypervisor ----------------------------------------------------------- */

void
request_when_available(Request *request, RequestStep next)
{
    Manager *m = request->manager;

    request->available = next;
    availability_want(m->availability, manager_now(m), request);
}

void
request_available(Request *request, const Error *error)
{
    RequestStep next = request->available;

    request->available = NULL;
    if (error)
        request_fail(request, error);
    else
        next(request);
}

/* --- calling it --------------------------------------------------------------------------- */

static void submit(Request *request);

void *
request_call_new(const Request *request, size_t size, CallClass class, CallWork work)
{
    RequestCall *call = g_malloc0(size);

    call->call.class = class;
    call->call.name = request->verb;
    call->call.uid = request->uid;
    g_strlcpy(call->call.key, request->vm_uuid ? request->vm_uuid : "", sizeof call->call.key);
    call->call.work = work;
    return call;
}

static void
lose(Request *request, const Error *error)
{
    const char *words =
        error ? error->message : availability_message(request->manager->availability);
    g_autoptr(Error) failure = NULL;

    if (request->kind == REQUEST_READ)
        failure = error_not_available(words && *words ? words : "the connection was lost");
    else
        failure = error_new(ERROR_OPERATION_FAILED, "%s; it may have been carried out",
                            words && *words ? words : "The connection was lost");
    failure->libvirt_code = error ? error->libvirt_code : 0;
    request_fail(request, failure);
}

static void
on_call_done(Call *call, CallOutcome outcome, const Error *error)
{
    Request *request = ((RequestCall *)call)->request;

    request->call = NULL;
    request->call_order = call->order;
    switch (retry_decide(request->kind == REQUEST_READ, outcome, request->retries)) {
    case RETRY_DONE:
        request->call_done(request, call);
        return;
    case RETRY_AGAIN:
        request->retries++;
        request_when_available(request, submit);
        return;
    case RETRY_MAY_HAVE:
        lose(request, error);
        return;
    case RETRY_FAIL:
        break;
    }
    g_autoptr(Error) failure = retry_failure(outcome, error);
    request_fail(request, failure);
}

static void
submit(Request *request)
{
    Call *call = request->make_call(request);

    ((RequestCall *)call)->request = request;
    call->order = request->retries ? request->call_order : 0;
    call->done = on_call_done;
    if (!lane_pool_submit_limited(request->manager->lane_pool, call)) {
        g_autoptr(Error) error =
            error_new(ERROR_LIMITS_EXCEEDED, "Too many calls to libvirt are waiting");
        request_fail(request, error);
        return;
    }
    request->call = call;
}

void
request_call(Request *request, Call *(*make)(Request *request),
             void (*done)(Request *request, Call *call))
{
    request->make_call = make;
    request->call_done = done;
    request_when_available(request, submit);
}

/* --- waiting for domains and jobs --------------------------------------------------------- */

void
request_when_refreshed(Request *request, GHashTable *uuids, RequestStep next)
{
    GHashTableIter iter;
    gpointer uuid;

    g_hash_table_iter_init(&iter, uuids);
    while (g_hash_table_iter_next(&iter, &uuid, NULL))
        if (refresher_is_fresh(request->manager->refresher, uuid))
            g_hash_table_iter_remove(&iter);
    if (g_hash_table_size(uuids) == 0) {
        g_hash_table_unref(uuids);
        next(request);
        return;
    }
    request->unsettled = uuids;
    request->settled = next;
    g_queue_push_tail(&request->manager->requests->settling, request);
    request->settling_link = request->manager->requests->settling.tail;
}

void
request_refresh(Request *request, const char *uuid, RequestStep next)
{
    GHashTable *uuids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    refresher_mark(request->manager->refresher, uuid, FACT_ALL);
    g_hash_table_add(uuids, g_strdup(uuid));
    request_when_refreshed(request, uuids, next);
}

static void
settle(Request *request, const char *uuid)
{
    if (!request->unsettled || !g_hash_table_remove(request->unsettled, uuid) ||
        g_hash_table_size(request->unsettled) > 0)
        return;
    g_clear_pointer(&request->unsettled, g_hash_table_unref);
    stop_settling(request);
    request->settled(request);
}

static void
watch(Request *request)
{
    GPtrArray *watching = request->manager->requests->watching;

    if (!g_ptr_array_find(watching, request, NULL))
        g_ptr_array_add(watching, request);
}

/* Those that watch this domain; NULL: any. A copy, as what is told may end each of them. */
static GPtrArray *
watching_domain(const Requests *requests, const char *uuid)
{
    GPtrArray *found = g_ptr_array_new();

    for (unsigned i = 0; i < requests->watching->len; i++) {
        Request *request = requests->watching->pdata[i];

        if (!uuid || g_strcmp0(request->vm_uuid, uuid) == 0)
            g_ptr_array_add(found, request);
    }
    return found;
}

static void
look_again(Request *request)
{
    if (request->awaited && !request->unsettled)
        request->awaited(request);
}

void
requests_domain_refreshed(Requests *requests, const char *uuid)
{
    g_autoptr(GList) all = g_list_copy(requests->settling.head);

    /* A step may end its own request, but no other one. */
    for (GList *link = all; link; link = link->next)
        settle(link->data, uuid);

    g_autoptr(GPtrArray) watching = watching_domain(requests, uuid);
    for (unsigned i = 0; i < watching->len; i++)
        look_again(watching->pdata[i]);
}

/* --- waiting for the guest ---------------------------------------------------------------- */

void
request_await(Request *request, RequestStep look)
{
    request->awaited = look;
    watch(request);
    look(request);
}

void
request_watch_devices(Request *request, RequestDeviceNews devices)
{
    request->devices = devices;
    watch(request);
}

void
requests_device_news(Requests *requests, const HypervisorEvent *event)
{
    g_autoptr(GPtrArray) watching = watching_domain(requests, event->uuid);

    for (unsigned i = 0; i < watching->len; i++) {
        Request *request = watching->pdata[i];

        if (request->devices)
            request->devices(request, event->device, event->kind);
    }
}

void
requests_connection_lost(Requests *requests)
{
    g_autoptr(GPtrArray) watching = watching_domain(requests, NULL);

    for (unsigned i = 0; i < watching->len; i++) {
        Request *request = watching->pdata[i];

        if (request->awaited)
            lose(request, NULL);
    }
}

void
request_wait_for_job(Request *request, Job *job)
{
    request->job = job;
    g_ptr_array_add(job->requests, request);
}

static void
withdraw_call(Request *request)
{
    if (request->call && lane_pool_withdraw(request->manager->lane_pool, request->call))
        request->call = NULL;
}

/* A change that has been sent, or carried out and is only to be seen yet. */
static bool
may_have_acted(const Request *request)
{
    return request->kind == REQUEST_CHANGE &&
           (request->call || request->awaited || request->unsettled);
}

void
requests_stop(Requests *requests)
{
    g_autoptr(Error) error = error_not_available("the service is stopping");
    g_autoptr(Error) stopping = error_new(ERROR_OPERATION_FAILED, "The service is stopping");
    g_autoptr(GList) all = g_hash_table_get_keys(requests->all);

    for (GList *link = all; link; link = link->next) {
        Request *request = link->data;

        withdraw_call(request);
        if (may_have_acted(request))
            lose(request, stopping);
        else
            request_fail(request, error);
    }
}
