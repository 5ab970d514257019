/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "request-private.h"

#include "context.h"
#include "log.h"
#include "message-size.h"
#include "retry.h"
#include "units.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* The contract says 20 s, D-Bus clients give up at 25 s. */
#define REQUEST_LIMIT_USEC    (19 * SEC)
#define REQUEST_ACCURACY_USEC (100 * MSEC)

/* A call to libvirt. It keeps the arguments; the request may be gone when it ends. */
typedef struct {
    Call call;
    Request *request;
    const Method *method;
    MethodArgs *args;
    MethodResult result;
} MethodCall;

/* --- stage 1: the arguments --------------------------------------------------------------- */

/* An operation is named as its job is: "Stop" is what StopWithOptions does, too. */
static const char *
verb_of(const Method *method, const MethodArgs *args)
{
    if (method->kind != METHOD_OPERATION || args->disk_operation)
        return method->name;
    return operation_name(args->operation.kind);
}

static Request *
request_new(Service *service, const Method *method, MethodArgs *args, sd_bus_message *message,
            size_t bytes)
{
    Request *request = g_new0(Request, 1);

    request->service = service;
    request->method = method;
    request->args = args;
    request->caller = caller_of(message);
    request->uid = CALLER_UID_UNKNOWN;
    request->verb = verb_of(method, args);
    request->bytes = bytes;
    request->domain_uuid = g_strdup(args->subject_uuid);
    request->domain_name = g_strdup(args->subject_name);
    g_hash_table_add(service->requests->all, request);
    return request;
}

static int
parse(const Method *method, sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    int r = sd_bus_message_rewind(message, true);

    if (r >= 0 && method->parse)
        r = method->parse(message, args, error);
    return r;
}

static void identify(Request *request);

int
request_handle(Service *service, const Method *method, sd_bus_message *message,
               const Domain *domain, uint64_t job_number, sd_bus_error *error)
{
    g_autoptr(MethodArgs) args = method_args_new();
    size_t bytes;
    int r = message_size(message, MESSAGE_SIZE_MAX, &bytes);
    if (r >= 0)
        r = parse(method, message, args, error);
    if (r < 0)
        return r;

    Request *request = request_new(service, method, g_steal_pointer(&args), message, bytes);
    request->job_number = job_number;
    request->is_of_domain = domain != NULL;
    if (domain) {
        g_free(request->domain_uuid);
        g_free(request->domain_name);
        request->domain_uuid = g_strdup(domain->uuid);
        request->domain_name = g_strdup(domain->name);
    }
    identify(request);
    return 1;
}

/* --- stage 2: the caller ------------------------------------------------------------------ */

static void authorize(Request *request);

/* Rejections are not logged: a user could fill the journal with them. */
static void
reject(Request *request, const Error *error)
{
    request_send_error(request, error);
    request_free(request);
}

static void
refuse(Request *request)
{
    g_autoptr(Error) error = error_new(ERROR_LIMITS_EXCEEDED, "Too many calls at a time");

    reject(request, error);
}

static void
begin(Request *request, uid_t uid)
{
    if (request_charge(request, uid))
        authorize(request);
    else
        refuse(request);
}

static void
on_identified(void *userdata, CallOutcome outcome, void *uid, const Error *error)
{
    Request *request = userdata;

    if (error)
        reject(request, error);
    else
        begin(request, *(const uid_t *)uid);
}

static void
identify(Request *request)
{
    Callers *callers = request->service->callers;
    const char *sender = request->caller.sender;
    uid_t uid = callers_find(callers, sender);

    if (uid != CALLER_UID_UNKNOWN)
        begin(request, uid);
    else if (!callers_ask(callers, sender, request->bytes, &request->pending, on_identified,
                          request))
        refuse(request);
}

static void on_deadline(void *userdata);

static void
run(Request *request)
{
    const Service *service = request->service;

    request->phase = PHASE_CONNECTING;
    request->deadline =
        timer_new(sd_bus_get_event(service->bus), REQUEST_ACCURACY_USEC, on_deadline, request);
    timer_arm_relative(request->deadline, REQUEST_LIMIT_USEC);
    if (service->requests->stopping) {
        g_autoptr(Error) error = error_not_available("the service is stopping");

        request_fail(request, error);
    } else if (request->method->run) {
        request->method->run(request);
    } else {
        request_call(request);
    }
}

static void
on_authorized(void *userdata, const sd_bus_error *error)
{
    Request *request = userdata;

    request->authorization = NULL;
    if (error) {
        request_send_bus_error(request, error);
        request_free(request);
    } else if (!request_authorize_again(request)) {
        run(request);
    }
}

static Error *
gone_error(const Request *request)
{
    return error_new(ERROR_NO_SUCH_DOMAIN, "There is no domain %s any more", request->domain_uuid);
}

/* The object that it is called on may have gone while the bus was asked about the caller. */
static Error *
check_object(const Request *request)
{
    const Core *core = request->service->core;

    if (request->job_number)
        return job_objects_find(core->job_objects, request->job_number)
                   ? NULL
                   : error_new(ERROR_UNKNOWN_OBJECT, "The job has ended");
    return !request->is_of_domain || cache_find(core->cache, request->domain_uuid)
               ? NULL
               : gone_error(request);
}

static void
ask_polkit(Request *request)
{
    const Method *method = request->method;
    uint64_t actions = method->actions | (method->more_actions ? method->more_actions(request) : 0);
    const AuthorizeSubject subject = {
        .domain_name = request->domain_name,
        .domain_uuid = request->domain_uuid,
    };
    const AuthorizeCaller caller = {
        .sender = request->caller.sender,
        .uid = request->uid,
        .operation = request->verb,
        .interactive = request->caller.interactive,
    };

    if (actions)
        request->authorization = authorizer_check(request->service->authorizer, &caller, actions,
                                                  &subject, on_authorized, request);
    else
        run(request);
}

static void
authorize(Request *request)
{
    g_autoptr(Error) error = check_object(request);

    if (error)
        reject(request, error);
    else
        ask_polkit(request);
}

bool
request_authorize_again(Request *request)
{
    const Domain *domain = request->is_of_domain
                               ? cache_find(request->service->core->cache, request->domain_uuid)
                               : NULL;

    if (!domain || g_strcmp0(domain->name, request->domain_name) == 0)
        return false;
    if (request->answered) {
        g_autoptr(Error) error =
            error_new(ERROR_OPERATION_FAILED, "The domain is called \"%s\" now", domain->name);

        request_fail(request, error);
        return true;
    }
    g_free(request->domain_name);
    request->domain_name = g_strdup(domain->name);
    g_clear_pointer(&request->deadline, timer_free);
    request->is_overdue = false;
    request_drop_state(request);
    request->phase = PHASE_AUTHORIZING;
    authorize(request);
    return true;
}

Domain *
request_domain(Request *request)
{
    Domain *domain = cache_find(request->service->core->cache, request->domain_uuid);

    if (!domain) {
        g_autoptr(Error) error = gone_error(request);

        request_fail(request, error);
    }
    return domain;
}

/* --- stage 3: the hypervisor is there ----------------------------------------------------- */

static void
on_connected(void *userdata, const Error *error)
{
    Request *request = userdata;

    if (error)
        request_fail(request, error);
    else if (!request_authorize_again(request))
        request->next(request);
}

void
request_connect(Request *request, RequestStep next)
{
    request->phase = PHASE_CONNECTING;
    request->next = next;
    connection_wait(request->service->core->connection, &request->pending, on_connected, request);
}

/* --- stage 4: the call -------------------------------------------------------------------- */

/* The connection was lost, and nobody knows the outcome of the call. */
static void
fail_lost(Request *request, const Error *error)
{
    const char *words = error
                            ? error->message
                            : connection_state(request->service->core->connection)->status_message;
    g_autoptr(Error) failure = NULL;

    if (request->method->kind == METHOD_READ)
        failure = error_not_available(*words ? words : "the connection was lost");
    else
        failure = error_new(ERROR_OPERATION_FAILED, "%s; it may have been carried out",
                            *words ? words : "The connection was lost");
    failure->libvirt_code = error ? error->libvirt_code : 0;
    request_fail(request, failure);
}

/* Whether the method changes what is published of its domain. */
static bool
changes_properties(const Request *request)
{
    const Method *method = request->method;

    return method->kind == METHOD_CHANGE && request->is_of_domain &&
           method->then != request_reply_result;
}

/* Of several calls of one change some may have been made, so the domain was read again first. */
static void
fail_refreshed(Request *request)
{
    g_autoptr(Error) failure = g_steal_pointer(&request->failure);

    request_fail(request, failure);
}

bool
request_check(Request *request, CallOutcome outcome, const Error *error, RequestStep again)
{
    g_autoptr(Error) failure = NULL;

    switch (retry_decide(request->method->kind == METHOD_READ, outcome, request->retries)) {
    case RETRY_DONE:
        return true;
    case RETRY_AGAIN:
        request->retries++;
        request_connect(request, again);
        return false;
    case RETRY_MAY_HAVE:
        fail_lost(request, error);
        return false;
    case RETRY_FAIL:
        break;
    }
    failure = retry_failure(outcome, error);
    if (outcome == OUTCOME_FAILED && changes_properties(request)) {
        request->failure = g_steal_pointer(&failure);
        request_refresh(request, request->domain_uuid, fail_refreshed);
    } else {
        request_fail(request, failure);
    }
    return false;
}

static bool
work_call(Call *call, Hypervisor *h, Error **error)
{
    MethodCall *method_call = (MethodCall *)call;

    return method_call->method->work(h, call->key, method_call->args, &method_call->result, error);
}

static void
free_call(Call *call)
{
    MethodCall *method_call = (MethodCall *)call;

    if (method_call->result.value)
        g_variant_unref(g_variant_take_ref(method_call->result.value));
    if (method_call->result.rows)
        g_bytes_unref(method_call->result.rows);
    if (method_call->result.fd >= 0)
        close(method_call->result.fd);
    g_strfreev(method_call->result.in_flight);
    method_args_unref(method_call->args);
    g_free(method_call);
}

static void submit_when_known(Request *request);

static void
on_call_done(Call *call, CallOutcome outcome, const Error *error)
{
    MethodCall *method_call = (MethodCall *)call;
    Request *request = method_call->request;
    const Method *method = request->method;

    request->call = NULL;
    request->call_order = call->order;
    if (!request_check(request, outcome, error, submit_when_known))
        return;
    if (method->then)
        method->then(request, &method_call->result);
    else if (method->kind == METHOD_CHANGE)
        request_refresh(request, request->domain_uuid, request_reply);
    else
        request_reply_result(request, &method_call->result);
}

static void
submit(Request *request)
{
    MethodCall *method_call = g_new0(MethodCall, 1);
    Call *call = &method_call->call;

    method_call->request = request;
    method_call->method = request->method;
    method_call->args = method_args_ref(request->args);
    method_call->result.fd = -1;
    call->class = request->method->class;
    call->name = request->method->call;
    call->stops_others = request->method->stops_others;
    call->uid = request->uid;
    g_strlcpy(call->key, request->domain_uuid ? request->domain_uuid : "", sizeof call->key);
    call->work = work_call;
    call->done = on_call_done;
    call->free = free_call;
    call->order = request->retries ? request->call_order : 0;
    request->phase = PHASE_CALLING;
    if (lane_pool_submit_limited(request->service->core->lane_pool, call)) {
        request->call = call;
        return;
    }
    g_autoptr(Error) error =
        error_new(ERROR_LIMITS_EXCEEDED, "Too many calls to libvirt are waiting");
    request_fail(request, error);
}

static void
on_known(void *userdata, CallOutcome outcome, void *answer, const Error *error)
{
    Request *request = userdata;

    if (!request_authorize_again(request))
        submit(request);
}

/*
 * Of a connection whose list has not come nothing is known yet, so that a domain may have another
 * name than the one that polkit was asked about. Nobody waits for one that hangs.
 */
static void
submit_when_known(Request *request)
{
    const Domain *domain = request->is_of_domain
                               ? cache_find(request->service->core->cache, request->domain_uuid)
                               : NULL;

    if (request->method->kind != METHOD_CHANGE || !domain || domain->available) {
        submit(request);
        return;
    }

    GHashTable *uuids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_hash_table_add(uuids, g_strdup(domain->uuid));
    refresher_wait(request->service->core->refresher, uuids, &request->pending, on_known, request);
}

void
request_call(Request *request)
{
    request_connect(request, submit_when_known);
}

/* --- stage 5: what it changed ------------------------------------------------------------- */

static void
on_refreshed(void *userdata, CallOutcome outcome, void *answer, const Error *error)
{
    Request *request = userdata;

    request->next(request);
}

void
request_refresh(Request *request, const char *uuid, RequestStep next)
{
    request->phase = request->method->kind == METHOD_CHANGE ? PHASE_REFRESHING : PHASE_ASKING;
    request->next = next;
    refresher_refresh(request->service->core->refresher, uuid, &request->pending, on_refreshed,
                      request);
}

/* --- waiting for the guest, or for a job -------------------------------------------------- */

typedef struct {
    Request *request;
    RequestStep check;
    DomainWatch *watch;
} Await;

static void
end_await(void *data)
{
    Await *await = data;

    domain_watch_free(await->watch);
    g_free(await);
}

static void
on_await_refreshed(void *userdata)
{
    const Await *await = userdata;

    await->check(await->request);
}

static void
on_await_lost(void *userdata)
{
    fail_lost(((Await *)userdata)->request, NULL);
}

void
request_await(Request *request, RequestStep check)
{
    static const DomainWatchFuncs funcs = {
        .refreshed = on_await_refreshed,
        .connection_lost = on_await_lost,
    };
    Await *await = g_new0(Await, 1);

    await->request = request;
    await->check = check;
    await->watch =
        domain_watch_new(request->service->core->watches, request->domain_uuid, &funcs, await);
    request->phase = PHASE_AWAITING;
    request->pending = (Pending){end_await, await};
    /* The guest may never do it. */
    if (request->answered)
        timer_arm_relative(request->deadline, REQUEST_LIMIT_USEC);
    check(request);
}

void
request_wait_for_job(Request *request, Job *job)
{
    request->phase = PHASE_JOB;
    request->job_number = job->object.number;
    job_object_wait(&job->object, &request->pending, request_end, request);
}

/* --- the deadline, and the end of the service --------------------------------------------- */

static void
answer_still_running(Request *request)
{
    g_autofree char *words = request_words(request);
    g_autoptr(Error) error = NULL;

    if (request->phase == PHASE_JOB)
        error = error_new(ERROR_STILL_RUNNING, "%s goes on as %s", words,
                          object_path_of_job(request->job_number).text);
    else
        error = error_new(ERROR_STILL_RUNNING, "%s is not done yet and goes on", words);
    request_send_error(request, error);
}

/* Others see to the rest. A call that is under way still has to be followed by a refresh. */
static void
leave_to_others(Request *request)
{
    if (request->phase == PHASE_AWAITING)
        log_message(LOG_NOTICE, "%s of \"%s\": libvirt has taken it, the guest has not done it yet",
                    request->verb, request->domain_name);
    if (request->phase == PHASE_JOB || request->phase == PHASE_AWAITING)
        request_free(request);
}

/* Withdraw the request's call; false if it may have been sent already. */
static bool
withdraw(Request *request)
{
    if (!request->call || !lane_pool_withdraw(request->service->core->lane_pool, request->call))
        return false;
    request->call = NULL;
    return true;
}

void
request_fail_unbegun(Request *request)
{
    bool is_away = request->phase == PHASE_CONNECTING ||
                   !connection_is_available(request->service->core->connection);
    g_autoptr(Error) error =
        is_away ? error_not_available("libvirt did not answer in time")
                : error_new(ERROR_TIMEOUT, "%s was not begun: libvirt does not answer for \"%s\"",
                            request->verb, request->domain_name);

    request_fail(request, error);
}

void
request_leave(Request *request)
{
    if (!request->answered)
        answer_still_running(request);
    request->answered = true;
    leave_to_others(request);
}

/* libvirt does not say what state the domain is in: the job begins all the same, and waits. */
static void
begin_overdue(Request *request)
{
    pending_cancel(&request->pending);
    request->is_overdue = true;
    request->next(request);
}

static void
on_deadline(void *userdata)
{
    Request *request = userdata;
    bool is_operation = request->method->kind == METHOD_OPERATION;
    g_autoptr(Error) error = NULL;

    if (is_operation && request->phase == PHASE_ASKING &&
        connection_is_available(request->service->core->connection)) {
        begin_overdue(request);
    } else if (request->failure) {
        fail_refreshed(request);
    } else if (request->phase == PHASE_CONNECTING ||
               (is_operation && request->phase != PHASE_JOB)) {
        request_fail_unbegun(request);
    } else if (request->method->stops_others && withdraw(request)) {
        g_autofree char *words = request_words(request);
        error = error_new(ERROR_TIMEOUT, "%s was not sent: all would wait for it", words);
        request_fail(request, error);
    } else if (request->method->kind == METHOD_READ) {
        g_autofree char *words = request_words(request);
        error = error_new(ERROR_TIMEOUT, "libvirt did not answer %s in time", words);
        request_fail(request, error);
    } else {
        request_leave(request);
    }
}

/* A change that has been sent, or made and not yet signalled. */
static bool
may_have_acted(const Request *request)
{
    return request->method->kind == METHOD_CHANGE &&
           (request->call || request->phase == PHASE_REFRESHING ||
            request->phase == PHASE_AWAITING);
}

void
requests_stop(Requests *requests)
{
    g_autoptr(Error) unavailable = error_not_available("the service is stopping");
    g_autoptr(Error) stopping = error_new(ERROR_OPERATION_FAILED, "The service is stopping");
    g_autoptr(GList) all = g_hash_table_get_keys(requests->all);

    requests->stopping = true;
    for (GList *link = all; link; link = link->next) {
        Request *request = link->data;

        (void)withdraw(request);
        if (request->failure)
            fail_refreshed(request);
        else if (may_have_acted(request))
            fail_lost(request, stopping);
        else
            request_fail(request, unavailable);
    }
}
