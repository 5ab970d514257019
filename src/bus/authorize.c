/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "authorize.h"

#include "clock.h"
#include "deferred.h"
#include "log.h"
#include "names.h"
#include "sd-bus-cleanup.h"
#include "terminal-text.h"
#include "units.h"
#include "utf8.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define POLKIT_NAME                   "org.freedesktop.PolicyKit1"
#define POLKIT_PATH                   "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_INTERFACE              "org.freedesktop.PolicyKit1.Authority"
#define POLKIT_ALLOW_USER_INTERACTION UINT32_C(1)

/* A dialogue may stay open while its user looks for the password. */
#define DIALOGUE_TIMEOUT_USEC (600 * SEC)
/* Without one, polkit has only its rules to run; it kills those that take longer than 15 s. */
#define ANSWER_TIMEOUT_USEC   (20 * SEC)

/* Per user and not per connection: a user can have many of those. */
#define QUESTIONS_MAX         256
#define QUESTIONS_PER_UID_MAX 64
/* In bytes: polkit writes the details into its log. */
#define DETAIL_MAX            4096

/* A user who is denied in a loop must not push other entries out of the journal, nor suppress the
 * denials of other users: the bound is per user and interval. */
#define DENIALS_BURST         100
#define DENIALS_INTERVAL_USEC (30 * SEC)

static const struct {
    const char *id;
    const char *what; /* "Not authorised to …" */
} actions_table[_ACTION_MAX] = {
    [ACTION_START] = {VMS_ACTION_PREFIX "start", "start"},
    [ACTION_STOP] = {VMS_ACTION_PREFIX "stop", "stop"},
    [ACTION_PAUSE] = {VMS_ACTION_PREFIX "pause", "pause"},
    [ACTION_RESUME] = {VMS_ACTION_PREFIX "resume", "resume"},
    [ACTION_FORCE_STOP] = {VMS_ACTION_PREFIX "force-stop", "forcibly stop"},
    [ACTION_REBOOT] = {VMS_ACTION_PREFIX "reboot", "reboot"},
    [ACTION_RESET] = {VMS_ACTION_PREFIX "reset", "reset"},
    [ACTION_CONFIGURE] = {VMS_ACTION_PREFIX "configure", "configure"},
    [ACTION_ADJUST] = {VMS_ACTION_PREFIX "adjust", "adjust the settings of"},
    [ACTION_SNAPSHOT] = {VMS_ACTION_PREFIX "snapshot", "manage the snapshots of"},
    [ACTION_SAVE] = {VMS_ACTION_PREFIX "save", "save the state of"},
    [ACTION_MIGRATE] = {VMS_ACTION_PREFIX "migrate", "migrate"},
    [ACTION_CONSOLE] = {VMS_ACTION_PREFIX "console", "use the console of"},
    [ACTION_GUEST] = {VMS_ACTION_PREFIX "guest", "use the guest agent of"},
    [ACTION_READ_SECRETS] = {VMS_ACTION_PREFIX "read-secrets", "read the secrets of"},
    [ACTION_RECONNECT] = {VMS_ACTION_PREFIX "reconnect", "reconnect to the hypervisor"},
    [ACTION_DEBUG] = {NULL, "look into the service"},
    [ACTION_LOG] = {NULL, "change the log of the service"},
};

typedef enum {
    REQUEST_ASKING, /* polkit: in the authorizer's `asking` */
    REQUEST_READY,  /* answered, `done` comes next: in the authorizer's `ready` */
} RequestState;

struct AuthorizeRequest {
    Authorizer *authorizer;
    char *sender;
    uid_t uid;
    RequestState state;
    GList link; /* in the queue that `state` says */

    uint64_t actions; /* not yet allowed */
    Action current;   /* asked, or denied */
    bool interactive;
    char *domain_name;
    char *domain_uuid;
    char *operation; /* for the journal */

    sd_bus_slot *slot;     /* the question, while under way */
    char *cancellation_id; /* of it */

    AuthorizeDone done;
    void *userdata;
    sd_bus_error error;
};

struct Authorizer {
    sd_bus *bus;
    char *instance;
    GQueue asking;
    GQueue ready;
    Deferred *deliver;     /* what is ready */
    GHashTable *questions; /* uid -> how many polkit is being asked */
    uint64_t last_cancellation_id;

    GHashTable *denials; /* uid -> how many were logged since `denials_since` */
    uint64_t denials_since;
    unsigned denials_dropped;
};

static void ask_next(AuthorizeRequest *request);

const char *
action_id(Action action)
{
    return actions_table[action].id;
}

static GQueue *
queue_of(AuthorizeRequest *request)
{
    return request->state == REQUEST_ASKING ? &request->authorizer->asking
                                            : &request->authorizer->ready;
}

/* --- how many questions ------------------------------------------------------------------- */

static unsigned
questions_of(Authorizer *authorizer, uid_t uid)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(authorizer->questions, GUINT_TO_POINTER(uid)));
}

static void
count_question(Authorizer *authorizer, uid_t uid, int by)
{
    unsigned n = questions_of(authorizer, uid) + (unsigned)by;

    if (n > 0)
        g_hash_table_insert(authorizer->questions, GUINT_TO_POINTER(uid), GUINT_TO_POINTER(n));
    else
        g_hash_table_remove(authorizer->questions, GUINT_TO_POINTER(uid));
}

/* --- a request's way ---------------------------------------------------------------------- */

static void
enqueue(AuthorizeRequest *request, RequestState state)
{
    request->state = state;
    g_queue_push_tail_link(queue_of(request), &request->link);
}

/* Take the request out of its queue, and cancel what is under way for it. */
static void
detach(AuthorizeRequest *request)
{
    g_queue_unlink(queue_of(request), &request->link);
    if (request->state == REQUEST_ASKING)
        count_question(request->authorizer, request->uid, -1);
    request->slot = sd_bus_slot_unref(request->slot);
    g_clear_pointer(&request->cancellation_id, g_free);
}

static void
free_request(AuthorizeRequest *request)
{
    sd_bus_error_free(&request->error);
    g_free(request->sender);
    g_free(request->domain_name);
    g_free(request->domain_uuid);
    g_free(request->operation);
    g_free(request);
}

/* The reply is not awaited: the dialogue closes, or the question has been answered meanwhile. */
static void
cancel_question(AuthorizeRequest *request)
{
    if (!request->cancellation_id)
        return;
    (void)sd_bus_call_method_async(request->authorizer->bus, NULL, POLKIT_NAME, POLKIT_PATH,
                                   POLKIT_INTERFACE, "CancelCheckAuthorization", NULL, NULL, "s",
                                   request->cancellation_id);
}

static void
finish(AuthorizeRequest *request)
{
    enqueue(request, REQUEST_READY);
    deferred_schedule(request->authorizer->deliver);
}

static bool
may_log_denial(Authorizer *authorizer, uid_t uid)
{
    uint64_t now = clock_now_usec();

    if (now - authorizer->denials_since > DENIALS_INTERVAL_USEC) {
        if (authorizer->denials_dropped > 0)
            log_message(LOG_WARNING, "%u more denials were not logged",
                        authorizer->denials_dropped);
        g_hash_table_remove_all(authorizer->denials);
        authorizer->denials_since = now;
        authorizer->denials_dropped = 0;
    }
    unsigned n = GPOINTER_TO_UINT(g_hash_table_lookup(authorizer->denials, GUINT_TO_POINTER(uid)));
    if (n >= DENIALS_BURST) {
        authorizer->denials_dropped++;
        return false;
    }
    g_hash_table_insert(authorizer->denials, GUINT_TO_POINTER(uid), GUINT_TO_POINTER(n + 1));
    return true;
}

static void
log_denial(AuthorizeRequest *request)
{
    char number[LOG_NUMBER_SIZE];

    if (!may_log_denial(request->authorizer, request->uid))
        return;
    log_event(LOG_EVENT_DENIED, request->error.message, LOG_FIELD_VM_UUID, request->domain_uuid,
              LOG_FIELD_VM_NAME, request->domain_name, LOG_FIELD_VM_OPERATION, request->operation,
              LOG_FIELD_VM_RESULT, "denied", LOG_FIELD_POLKIT_ACTION,
              actions_table[request->current].id, LOG_FIELD_CALLER_UID,
              log_number(number, request->uid), LOG_FIELD_CALLER_BUS_NAME, request->sender, NULL);
}

/* End a request that is in no queue. */
static void
refuse(AuthorizeRequest *request, const char *error, const char *why)
{
    const char *what = actions_table[request->current].what;
    g_autofree char *message = NULL;

    if (request->current == ACTION_RECONNECT || request->current == ACTION_DEBUG ||
        request->current == ACTION_LOG)
        message = g_strdup_printf("Not authorised to %s: %s", what, why);
    else
        message =
            g_strdup_printf("Not authorised to %s the virtual machine %s: %s", what ? what : "use",
                            request->domain_name ? request->domain_name : "", why);
    sd_bus_error_set(&request->error, error, message);
    log_denial(request);
    finish(request);
}

static void
deny(AuthorizeRequest *request, const char *why)
{
    refuse(request, SD_BUS_ERROR_ACCESS_DENIED, why);
}

/* --- the question to polkit --------------------------------------------------------------- */

static const char *
polkit_failure(const sd_bus_error *error)
{
    if (sd_bus_error_has_names(error, SD_BUS_ERROR_SERVICE_UNKNOWN, SD_BUS_ERROR_NAME_HAS_NO_OWNER))
        return "polkit is not there to be asked, so only root and the service's own user may";
    if (sd_bus_error_has_names(error, SD_BUS_ERROR_NO_REPLY, SD_BUS_ERROR_TIMEOUT,
                               SD_BUS_ERROR_DISCONNECTED))
        return "polkit did not answer";
    return "polkit could not tell";
}

static void
judge(AuthorizeRequest *request, sd_bus_message *reply)
{
    int authorized, challenge;
    g_autofree char *why = NULL;
    const sd_bus_error *error = sd_bus_message_get_error(reply);

    if (error) {
        why = g_strdup_printf("%s (%s)", polkit_failure(error),
                              error->message ? error->message : error->name);
        deny(request, why);
        return;
    }
    if (!sd_bus_message_has_signature(reply, "(bba{ss})") ||
        sd_bus_message_enter_container(reply, 'r', "bba{ss}") < 0 ||
        sd_bus_message_read(reply, "bb", &authorized, &challenge) < 0) {
        deny(request, "polkit's answer makes no sense");
        return;
    }
    if (authorized) {
        request->actions &= ~ACTION_BIT(request->current);
        ask_next(request);
        return;
    }
    if (challenge && !request->interactive) {
        refuse(request, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
               "interactive authentication is required");
        return;
    }
    why = g_strdup_printf(challenge ? "%s needs authentication, which was not given"
                                    : "polkit does not permit %s",
                          actions_table[request->current].id);
    deny(request, why);
}

static int
on_polkit_answer(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
    AuthorizeRequest *request = userdata;

    /* The question may just have timed out, with its dialogue still open. */
    if (sd_bus_message_is_method_error(reply, NULL))
        cancel_question(request);
    detach(request);
    judge(request, reply);
    return 0;
}

void
authorizer_caller_gone(Authorizer *authorizer, const char *sender)
{
    GList *next;

    for (GList *link = authorizer->asking.head; link; link = next) {
        AuthorizeRequest *request = link->data;

        next = link->next;
        if (!g_str_equal(request->sender, sender))
            continue;
        cancel_question(request);
        detach(request);
        deny(request, "the caller went away");
    }
}

static int
send_question(AuthorizeRequest *request)
{
    g_autoptr(sd_bus_message) message = NULL;
    Authorizer *authorizer = request->authorizer;
    /* Rules compare the name; the escaped one is part of the question that an agent prints. */
    const char *name = request->domain_name ? request->domain_name : "";
    g_autofree char *shown = terminal_text_escape(name);
    int r = sd_bus_message_new_method_call(authorizer->bus, &message, POLKIT_NAME, POLKIT_PATH,
                                           POLKIT_INTERFACE, "CheckAuthorization");

    if (r >= 0)
        r = sd_bus_message_append(message, "(sa{sv})s", "system-bus-name", 1, "name", "s",
                                  request->sender, actions_table[request->current].id);
    if (r >= 0)
        r = sd_bus_message_append(message, "a{ss}", 4, "vm", shown, "vm_name", name, "vm_uuid",
                                  request->domain_uuid ? request->domain_uuid : "", "instance",
                                  authorizer->instance);
    if (r >= 0)
        r = sd_bus_message_append(message, "us",
                                  request->interactive ? POLKIT_ALLOW_USER_INTERACTION : 0,
                                  request->cancellation_id);
    if (r < 0)
        return r;
    return sd_bus_call_async(authorizer->bus, &request->slot, message, on_polkit_answer, request,
                             request->interactive ? DIALOGUE_TIMEOUT_USEC : ANSWER_TIMEOUT_USEC);
}

static void
ask(AuthorizeRequest *request)
{
    Authorizer *authorizer = request->authorizer;

    enqueue(request, REQUEST_ASKING);
    count_question(authorizer, request->uid, 1);
    request->cancellation_id =
        g_strdup_printf("unraid-vms-%" G_GUINT64_FORMAT, ++authorizer->last_cancellation_id);
    int r = send_question(request);
    if (r < 0) {
        g_autofree char *why = g_strdup_printf("polkit cannot be asked (%s)", g_strerror(-r));

        detach(request);
        deny(request, why);
    }
}

/* The request is in no queue. */
static void
ask_next(AuthorizeRequest *request)
{
    Authorizer *authorizer = request->authorizer;

    if (request->uid == 0 || request->uid == geteuid() || request->actions == 0) {
        finish(request);
        return;
    }
    request->current = (Action)__builtin_ctzll(request->actions);
    if (!action_id(request->current)) {
        deny(request, "only root may");
        return;
    }
    if (authorizer->asking.length >= QUESTIONS_MAX ||
        questions_of(authorizer, request->uid) >= QUESTIONS_PER_UID_MAX) {
        refuse(request, SD_BUS_ERROR_LIMITS_EXCEEDED,
               "too many authorisations are waiting for an answer");
        return;
    }
    ask(request);
}

/* --- from outside ------------------------------------------------------------------------- */

static void
on_deliver(void *userdata)
{
    Authorizer *authorizer = userdata;
    GList *link;

    while ((link = g_queue_pop_head_link(&authorizer->ready))) {
        AuthorizeRequest *request = link->data;
        AuthorizeDone done = request->done;
        void *done_userdata = request->userdata;
        g_auto(sd_bus_error) error = request->error;

        request->error = SD_BUS_ERROR_NULL;
        free_request(request);
        done(done_userdata, sd_bus_error_is_set(&error) ? &error : NULL);
    }
}

Authorizer *
authorizer_new(sd_bus *bus, const char *instance)
{
    Authorizer *authorizer = g_new0(Authorizer, 1);

    authorizer->bus = sd_bus_ref(bus);
    authorizer->instance = g_strdup(instance ? instance : "");
    authorizer->questions = g_hash_table_new(NULL, NULL);
    authorizer->denials = g_hash_table_new(NULL, NULL);
    g_queue_init(&authorizer->asking);
    g_queue_init(&authorizer->ready);
    authorizer->deliver =
        deferred_new(sd_bus_get_event(bus), DEFERRED_IN_TURN, on_deliver, authorizer);
    return authorizer;
}

static void
cancel_all(GQueue *queue)
{
    GList *link;

    while ((link = g_queue_peek_head_link(queue)))
        authorize_request_cancel(link->data);
}

void
authorizer_free(Authorizer *authorizer)
{
    if (!authorizer)
        return;
    cancel_all(&authorizer->ready);
    cancel_all(&authorizer->asking);
    g_hash_table_unref(authorizer->questions);
    g_hash_table_unref(authorizer->denials);
    deferred_free(authorizer->deliver);
    sd_bus_unref(authorizer->bus);
    g_free(authorizer->instance);
    g_free(authorizer);
}

static char *
copy_detail(const char *text)
{
    return text ? g_strndup(text, utf8_prefix(text, DETAIL_MAX)) : NULL;
}

static AuthorizeRequest *
new_request(Authorizer *authorizer, const AuthorizeCaller *caller, uint64_t actions,
            const AuthorizeSubject *subject)
{
    AuthorizeRequest *request = g_new0(AuthorizeRequest, 1);

    request->authorizer = authorizer;
    request->link.data = request;
    request->actions = actions;
    request->domain_name = copy_detail(subject ? subject->domain_name : NULL);
    request->domain_uuid = copy_detail(subject ? subject->domain_uuid : NULL);
    request->operation = g_strdup(caller->operation);
    request->interactive = caller->interactive;
    request->sender = g_strdup(caller->sender);
    request->uid = caller->uid;
    return request;
}

AuthorizeRequest *
authorizer_check(Authorizer *authorizer, const AuthorizeCaller *caller, uint64_t actions,
                 const AuthorizeSubject *subject, AuthorizeDone done, void *userdata)
{
    actions &= ~ACTION_BIT(ACTION_NONE);
    g_assert(actions < ACTION_BIT(_ACTION_MAX));

    AuthorizeRequest *request = new_request(authorizer, caller, actions, subject);
    request->done = done;
    request->userdata = userdata;
    ask_next(request);
    return request;
}

void
authorize_request_cancel(AuthorizeRequest *request)
{
    if (request->state == REQUEST_ASKING)
        cancel_question(request);
    detach(request);
    free_request(request);
}
