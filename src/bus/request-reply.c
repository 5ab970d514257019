/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The last stage of a request: its one answer, and what the journal says about it. */

#include "request-private.h"

#include "bus-error.h"
#include "context.h"
#include "log.h"
#include "sd-bus-cleanup.h"
#include "wire-rows.h"

#include <errno.h>

void
request_send_bus_error(Request *request, const sd_bus_error *error)
{
    int r = caller_reply_error(&request->caller, request->service->bus, error);

    if (r < 0)
        log_message(LOG_WARNING, "Replying to %s of %s failed: %s", request->verb,
                    request->caller.sender, g_strerror(-r));
}

/* Where libvirt's words quote what the caller wrote, a password may be in it. */
static char *
words_for_log(const Error *error)
{
    return error->quotes_input ? g_strndup(error->message, strcspn(error->message, "\n"))
                               : g_strdup(error->message);
}

char *
request_words(const Request *request)
{
    return request->domain_name && *request->domain_name
               ? g_strdup_printf("%s of \"%s\"", request->verb, request->domain_name)
               : g_strdup(request->verb);
}

/* Operations are logged by their jobs. */
static void
log_change(const Request *request, const Error *error)
{
    char uid[LOG_NUMBER_SIZE];
    char code[LOG_NUMBER_SIZE];
    g_autofree char *message = NULL, *words = NULL;

    if (request->method->kind != METHOD_CHANGE)
        return;
    words = error ? words_for_log(error) : NULL;
    g_autofree char *what = request_words(request);
    message =
        error ? g_strdup_printf("%s failed: %s", what, words) : g_strdup_printf("%s is done", what);
    log_event(error ? LOG_EVENT_OPERATION_FAILED : LOG_EVENT_OPERATION_DONE, message,
              LOG_FIELD_VM_UUID, request->domain_uuid, LOG_FIELD_VM_NAME, request->domain_name,
              LOG_FIELD_VM_OPERATION, request->verb, LOG_FIELD_VM_RESULT, error ? "failed" : "done",
              LOG_FIELD_LIBVIRT_ERROR_CODE,
              error && error->libvirt_code ? log_number(code, error->libvirt_code) : NULL,
              LOG_FIELD_CALLER_UID,
              request->uid != CALLER_UID_UNKNOWN ? log_number(uid, request->uid) : NULL,
              LOG_FIELD_CALLER_BUS_NAME, request->caller.sender, NULL);
}

void
request_send_error(Request *request, const Error *error)
{
    const sd_bus_error reply = SD_BUS_ERROR_MAKE_CONST(bus_error_name(error->kind), error->message);

    publisher_flush(request->service->publisher);
    request_send_bus_error(request, &reply);
}

void
request_fail(Request *request, const Error *error)
{
    log_change(request, error);
    if (request->answered)
        publisher_flush(request->service->publisher);
    else
        request_send_error(request, error);
    request_free(request);
}

/* The answer has been given: what is left is to say so. */
static void
end(Request *request)
{
    log_change(request, NULL);
    request_free(request);
}

static void
fail_to_send(Request *request, int r)
{
    g_autoptr(Error) error = replies_error(r);

    request_fail(request, error);
}

static void send_held(void *userdata, CallOutcome outcome, void *answer, const Error *error);

/* -EAGAIN where it cannot be. The reply may be sent, and the request be gone, when this returns. */
static int
hold_reply(Request *request, const Wire *body)
{
    if (!request->held_reply.data) {
        if (!request_charge_more(request, body->size))
            return -EAGAIN;
        wire_put_bytes(&request->held_reply, body->data, body->size);
    }
    /* The work is done: no error may take the place of the reply. */
    timer_disarm(request->deadline);
    return replies_wait(request->service->replies, &request->caller, &request->pending, send_held,
                        request)
               ? 0
               : -EAGAIN;
}

static void
send_body(Request *request, const Wire *body)
{
    int r = 0;

    if (!request->answered)
        r = replies_send(request->service->replies, &request->caller, request->method->out, body);
    if (r == -EAGAIN)
        r = hold_reply(request, body);
    else if (r >= 0)
        end(request);
    if (r < 0)
        fail_to_send(request, r);
}

static void
send_held(void *userdata, CallOutcome outcome, void *answer, const Error *error)
{
    Request *request = userdata;

    publisher_flush(request->service->publisher);
    send_body(request, &request->held_reply);
}

void
request_reply_body(Request *request, const Wire *body)
{
    publisher_flush(request->service->publisher);
    send_body(request, body);
}

/* A descriptor, and the value behind it if there is one. */
static int
send_descriptor(const Request *request, const MethodResult *result)
{
    g_autoptr(sd_bus_message) reply = NULL;
    int r = caller_new_reply(&request->caller, request->service->bus, &reply);

    /* The message has a descriptor of its own; the result keeps this one. */
    if (r >= 0)
        r = sd_bus_message_append(reply, "h", result->fd);
    if (r >= 0 && result->value)
        r = sd_bus_message_append(reply, "s", g_variant_get_string(result->value, NULL));
    if (r >= 0)
        r = sd_bus_send(NULL, reply, NULL);
    return r;
}

static void
reply_descriptor(Request *request, const MethodResult *result)
{
    publisher_flush(request->service->publisher);

    int r = request->answered ? 0 : send_descriptor(request, result);
    if (r < 0)
        fail_to_send(request, r);
    else
        end(request);
}

void
request_reply(Request *request)
{
    const Wire empty = {NULL};

    request_reply_body(request, &empty);
}

void
request_end(void *request, CallOutcome outcome, void *answer, const Error *error)
{
    if (error)
        request_fail(request, error);
    else
        request_reply(request);
}

void
request_reply_path(Request *request, const char *path)
{
    g_auto(Wire) body = {NULL};

    wire_put_string(&body, path);
    request_reply_body(request, &body);
}

void
request_reply_result(Request *request, const MethodResult *result)
{
    g_auto(Wire) body = {NULL};

    if (result->fd >= 0) {
        reply_descriptor(request, result);
        return;
    }
    if (g_str_equal(request->method->out, ROWS_SIGNATURE))
        wire_put_dictionaries(&body, rows_of_bytes(result->rows));
    else if (result->value)
        wire_put_variant(&body, result->value);
    request_reply_body(request, &body);
}
