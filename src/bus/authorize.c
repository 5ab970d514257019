/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "authorize.h"

#include "clock.h"
#include "log.h"
#include "names.h"
#include "sd-bus-cleanup.h"
#include "terminal-text.h"
#include "units.h"
#include "utf8.h"

#include <errno.h>
#include <string.h>
#include <systemd/sd-event.h>
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
#define MAX_QUESTIONS         256
#define MAX_QUESTIONS_PER_UID 64
/* In bytes: polkit writes the details into its log. */
#define MAX_DETAIL            4096

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
    gboolean interactive;
    char *domain_name, *domain_uuid;
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
    sd_event_source *deliver;
    GQueue asking, ready;
    GHashTable *questions; /* uid -> how many polkit is being asked */
    uint64_t last_cancellation_id;

    GHashTable *denials; /* uid -> how many were logged since `denials_since` */
    uint64_t denials_since;
    guint denials_dropped;
};

static void request_ask_next(AuthorizeRequest *r);

const char *
action_id(Action action)
{
    return actions_table[action].id;
}

static GQueue *
request_queue(AuthorizeRequest *r)
{
    return r->state == REQUEST_ASKING ? &r->authorizer->asking : &r->authorizer->ready;
}

/* ---- how many questions ---- */

static guint
questions_of(Authorizer *a, uid_t uid)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(a->questions, GUINT_TO_POINTER(uid)));
}

static void
count_question(Authorizer *a, uid_t uid, int by)
{
    guint n = questions_of(a, uid) + (guint)by;

    if (n > 0)
        g_hash_table_insert(a->questions, GUINT_TO_POINTER(uid), GUINT_TO_POINTER(n));
    else
        g_hash_table_remove(a->questions, GUINT_TO_POINTER(uid));
}

/* ---- a request's way ---- */

static void
request_enqueue(AuthorizeRequest *r, RequestState state)
{
    r->state = state;
    g_queue_push_tail_link(request_queue(r), &r->link);
}

/* Take the request out of its queue, and cancel what is under way for it. */
static void
request_detach(AuthorizeRequest *r)
{
    g_queue_unlink(request_queue(r), &r->link);
    if (r->state == REQUEST_ASKING)
        count_question(r->authorizer, r->uid, -1);
    r->slot = sd_bus_slot_unref(r->slot);
    g_clear_pointer(&r->cancellation_id, g_free);
}

static void
free_request(AuthorizeRequest *r)
{
    sd_bus_error_free(&r->error);
    g_free(r->sender);
    g_free(r->domain_name);
    g_free(r->domain_uuid);
    g_free(r->operation);
    g_free(r);
}

/* The reply is not awaited: the dialogue closes, or the question has been answered meanwhile. */
static void
request_cancel_question(AuthorizeRequest *r)
{
    if (!r->cancellation_id)
        return;
    (void)sd_bus_call_method_async(r->authorizer->bus, NULL, POLKIT_NAME, POLKIT_PATH,
                                   POLKIT_INTERFACE, "CancelCheckAuthorization", NULL, NULL, "s",
                                   r->cancellation_id);
}

static void
request_ready(AuthorizeRequest *r)
{
    request_enqueue(r, REQUEST_READY);
    (void)sd_event_source_set_enabled(r->authorizer->deliver, SD_EVENT_ONESHOT);
}

static gboolean
may_log_denial(Authorizer *a, uid_t uid)
{
    uint64_t now = clock_now_usec();
    guint n;

    if (now - a->denials_since > DENIALS_INTERVAL_USEC) {
        if (a->denials_dropped > 0)
            log_message(LOG_WARNING, "%u more denials were not logged", a->denials_dropped);
        g_hash_table_remove_all(a->denials);
        a->denials_since = now;
        a->denials_dropped = 0;
    }
    n = GPOINTER_TO_UINT(g_hash_table_lookup(a->denials, GUINT_TO_POINTER(uid)));
    if (n >= DENIALS_BURST) {
        a->denials_dropped++;
        return FALSE;
    }
    g_hash_table_insert(a->denials, GUINT_TO_POINTER(uid), GUINT_TO_POINTER(n + 1));
    return TRUE;
}

static void
log_denial(AuthorizeRequest *r)
{
    char number[LOG_NUMBER_SIZE];

    if (!may_log_denial(r->authorizer, r->uid))
        return;
    log_event(LOG_EVENT_DENIED, r->error.message, LOG_FIELD_VM_UUID, r->domain_uuid,
              LOG_FIELD_VM_NAME, r->domain_name, LOG_FIELD_VM_OPERATION, r->operation,
              LOG_FIELD_VM_RESULT, "denied", LOG_FIELD_POLKIT_ACTION, actions_table[r->current].id,
              LOG_FIELD_CALLER_UID, log_number(number, r->uid), LOG_FIELD_CALLER_BUS_NAME,
              r->sender, NULL);
}

/* End a request that is in no queue. */
static void
request_refuse(AuthorizeRequest *r, const char *error, const char *why)
{
    const char *what = actions_table[r->current].what;
    g_autofree char *message = NULL;

    if (r->current == ACTION_RECONNECT || r->current == ACTION_DEBUG || r->current == ACTION_LOG)
        message = g_strdup_printf("Not authorised to %s: %s", what, why);
    else
        message = g_strdup_printf("Not authorised to %s the virtual machine %s: %s",
                                  what ? what : "use", r->domain_name ? r->domain_name : "", why);
    sd_bus_error_set(&r->error, error, message);
    log_denial(r);
    request_ready(r);
}

static void
request_deny(AuthorizeRequest *r, const char *why)
{
    request_refuse(r, SD_BUS_ERROR_ACCESS_DENIED, why);
}

/* ---- the question to polkit ---- */

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
request_judge(AuthorizeRequest *r, sd_bus_message *reply)
{
    int authorized, challenge;
    g_autofree char *why = NULL;
    const sd_bus_error *error = sd_bus_message_get_error(reply);

    if (error) {
        why = g_strdup_printf("%s (%s)", polkit_failure(error),
                              error->message ? error->message : error->name);
        request_deny(r, why);
        return;
    }
    if (!sd_bus_message_has_signature(reply, "(bba{ss})") ||
        sd_bus_message_enter_container(reply, 'r', "bba{ss}") < 0 ||
        sd_bus_message_read(reply, "bb", &authorized, &challenge) < 0) {
        request_deny(r, "polkit's answer makes no sense");
        return;
    }
    if (authorized) {
        r->actions &= ~ACTION_BIT(r->current);
        request_ask_next(r);
        return;
    }
    if (challenge && !r->interactive) {
        request_refuse(r, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
                       "interactive authentication is required");
        return;
    }
    why = g_strdup_printf(challenge ? "%s needs authentication, which was not given"
                                    : "polkit does not permit %s",
                          actions_table[r->current].id);
    request_deny(r, why);
}

static int
on_polkit_answer(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
    AuthorizeRequest *r = userdata;

    /* The question may just have timed out, with its dialogue still open. */
    if (sd_bus_message_is_method_error(reply, NULL))
        request_cancel_question(r);
    request_detach(r);
    request_judge(r, reply);
    return 0;
}

void
authorizer_caller_gone(Authorizer *a, const char *sender)
{
    GList *next;

    for (GList *link = a->asking.head; link; link = next) {
        AuthorizeRequest *r = link->data;

        next = link->next;
        if (!g_str_equal(r->sender, sender))
            continue;
        request_cancel_question(r);
        request_detach(r);
        request_deny(r, "the caller went away");
    }
}

static int
request_send_question(AuthorizeRequest *r)
{
    g_autoptr(sd_bus_message) m = NULL;
    Authorizer *a = r->authorizer;
    int k;

    k = sd_bus_message_new_method_call(a->bus, &m, POLKIT_NAME, POLKIT_PATH, POLKIT_INTERFACE,
                                       "CheckAuthorization");
    if (k < 0)
        return k;
    k = sd_bus_message_append(m, "(sa{sv})s", "system-bus-name", 1, "name", "s", r->sender,
                              actions_table[r->current].id);
    if (k < 0)
        return k;
    /* Rules compare the name; the escaped one is part of the question that an agent prints. */
    const char *name = r->domain_name ? r->domain_name : "";
    g_autofree char *shown = terminal_text_escape(name);
    k = sd_bus_message_append(m, "a{ss}", 4, "vm", shown, "vm_name", name, "vm_uuid",
                              r->domain_uuid ? r->domain_uuid : "", "instance", a->instance);
    if (k < 0)
        return k;
    k = sd_bus_message_append(m, "us", r->interactive ? POLKIT_ALLOW_USER_INTERACTION : 0,
                              r->cancellation_id);
    if (k < 0)
        return k;
    return sd_bus_call_async(a->bus, &r->slot, m, on_polkit_answer, r,
                             r->interactive ? DIALOGUE_TIMEOUT_USEC : ANSWER_TIMEOUT_USEC);
}

static void
request_ask(AuthorizeRequest *r)
{
    Authorizer *a = r->authorizer;
    int k;

    request_enqueue(r, REQUEST_ASKING);
    count_question(a, r->uid, 1);
    r->cancellation_id =
        g_strdup_printf("unraid-vms-%" G_GUINT64_FORMAT, ++a->last_cancellation_id);
    k = request_send_question(r);
    if (k < 0) {
        g_autofree char *why = g_strdup_printf("polkit cannot be asked (%s)", g_strerror(-k));
        request_detach(r);
        request_deny(r, why);
    }
}

/* The request is in no queue. */
static void
request_ask_next(AuthorizeRequest *r)
{
    Authorizer *a = r->authorizer;

    if (r->uid == 0 || r->uid == geteuid() || r->actions == 0) {
        request_ready(r);
        return;
    }
    r->current = (Action)__builtin_ctzll(r->actions);
    if (!action_id(r->current)) {
        request_deny(r, "only root may");
        return;
    }
    if (a->asking.length >= MAX_QUESTIONS || questions_of(a, r->uid) >= MAX_QUESTIONS_PER_UID) {
        request_refuse(r, SD_BUS_ERROR_LIMITS_EXCEEDED,
                       "too many authorisations are waiting for an answer");
        return;
    }
    request_ask(r);
}

/* ---- from outside ---- */

static int
on_deliver(sd_event_source *source, void *userdata)
{
    Authorizer *a = userdata;
    GList *link;

    while ((link = g_queue_pop_head_link(&a->ready))) {
        AuthorizeRequest *r = link->data;
        AuthorizeDone done = r->done;
        void *done_userdata = r->userdata;
        g_auto(sd_bus_error) error = r->error;

        r->error = SD_BUS_ERROR_NULL;
        free_request(r);
        done(done_userdata, sd_bus_error_is_set(&error) ? &error : NULL);
    }
    return 0;
}

Authorizer *
authorizer_new(sd_bus *bus, const char *instance)
{
    Authorizer *a = g_new0(Authorizer, 1);

    a->bus = sd_bus_ref(bus);
    a->instance = g_strdup(instance ? instance : "");
    a->questions = g_hash_table_new(NULL, NULL);
    a->denials = g_hash_table_new(NULL, NULL);
    g_queue_init(&a->asking);
    g_queue_init(&a->ready);
    if (sd_event_add_defer(sd_bus_get_event(bus), &a->deliver, on_deliver, a) < 0)
        return authorizer_free(a);
    (void)sd_event_source_set_enabled(a->deliver, SD_EVENT_OFF);
    (void)sd_event_source_set_description(a->deliver, "authorisations");
    return a;
}

static void
cancel_all(GQueue *queue)
{
    GList *link;

    while ((link = g_queue_peek_head_link(queue)))
        authorize_request_cancel(link->data);
}

Authorizer *
authorizer_free(Authorizer *a)
{
    if (!a)
        return NULL;
    cancel_all(&a->ready);
    cancel_all(&a->asking);
    g_hash_table_unref(a->questions);
    g_hash_table_unref(a->denials);
    sd_event_source_disable_unref(a->deliver);
    sd_bus_unref(a->bus);
    g_free(a->instance);
    g_free(a);
    return NULL;
}

static char *
copy_detail(const char *text)
{
    return text ? g_strndup(text, utf8_prefix(text, MAX_DETAIL)) : NULL;
}

static AuthorizeRequest *
new_request(Authorizer *a, const AuthorizeCaller *caller, uint64_t actions,
            const AuthorizeSubject *subject)
{
    AuthorizeRequest *r = g_new0(AuthorizeRequest, 1);

    r->authorizer = a;
    r->link.data = r;
    r->actions = actions;
    r->domain_name = copy_detail(subject ? subject->domain_name : NULL);
    r->domain_uuid = copy_detail(subject ? subject->domain_uuid : NULL);
    r->operation = g_strdup(caller->operation);
    r->interactive = caller->interactive;
    r->sender = g_strdup(caller->sender);
    r->uid = caller->uid;
    return r;
}

AuthorizeRequest *
authorizer_check(Authorizer *a, const AuthorizeCaller *caller, uint64_t actions,
                 const AuthorizeSubject *subject, AuthorizeDone done, void *userdata)
{
    AuthorizeRequest *r;

    actions &= ~ACTION_BIT(ACTION_NONE);
    g_assert(actions < ACTION_BIT(_ACTION_MAX));
    r = new_request(a, caller, actions, subject);
    r->done = done;
    r->userdata = userdata;
    request_ask_next(r);
    return r;
}

void
authorize_request_cancel(AuthorizeRequest *r)
{
    if (r->state == REQUEST_ASKING)
        request_cancel_question(r);
    request_detach(r);
    free_request(r);
}
