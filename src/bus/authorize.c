/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "authorize.h"

#include "log.h"
#include "names.h"

#include <errno.h>
#include <string.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#define _cleanup_(function) __attribute__((cleanup(function)))

#define POLKIT_NAME                   "org.freedesktop.PolicyKit1"
#define POLKIT_PATH                   "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_INTERFACE              "org.freedesktop.PolicyKit1.Authority"
#define POLKIT_ALLOW_USER_INTERACTION UINT32_C(1)

#define USEC_PER_SEC          UINT64_C(1000000)
/* A dialogue may stay open while its user looks for the password. */
#define DIALOGUE_TIMEOUT_USEC (600 * USEC_PER_SEC)
/* Without one, polkit has only its rules to run; it kills those that take longer than 15 s. */
#define ANSWER_TIMEOUT_USEC   (20 * USEC_PER_SEC)
#define UID_TIMEOUT_USEC      (20 * USEC_PER_SEC)

/* Per user and not per connection: a user can have many of those. */
#define MAX_QUESTIONS         256
#define MAX_QUESTIONS_PER_UID 64
#define MAX_REQUESTS          8192
/* Callers are remembered for their uid, and forgotten when there are more than this of them. */
#define MAX_IDLE_CALLERS      256

/* A user who is denied in a loop must not drive our other entries out of the journal, nor keep
 * what is denied to others out of it: so many of each user in an interval. */
#define DENIALS_BURST         100
#define DENIALS_INTERVAL_USEC (G_GINT64_CONSTANT(30) * G_USEC_PER_SEC)

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
};

/* A connection to the bus. The bus never gives its unique name to another one, so what is known
 * about it stays true. */
typedef struct {
    Authorizer *authorizer;
    char *name;
    uid_t uid; /* AUTHORIZE_UID_UNKNOWN until the bus has told */
    guint n_requests;
    GQueue waiting;        /* requests that need the uid first */
    GQueue asking;         /* requests that polkit is being asked about */
    sd_bus_slot *uid_slot; /* the question for the uid, while under way */
    sd_bus_slot *watch;    /* tells that it went away, while `asking` is not empty */
} Caller;

typedef enum {
    REQUEST_WAITING, /* for the uid: in the caller's `waiting` */
    REQUEST_ASKING,  /* polkit: in the caller's `asking` */
    REQUEST_READY,   /* answered, `done` comes next: in the authorizer's `ready` */
} RequestState;

struct AuthorizeRequest {
    Authorizer *authorizer;
    Caller *caller; /* NULL where none is needed */
    RequestState state;
    GList link; /* in the queue that `state` says */

    uint64_t actions; /* not yet allowed */
    Action current;   /* asked, or denied */
    gboolean interactive;
    char *vm_name, *vm_uuid;
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
    GQueue ready;
    GHashTable *callers;   /* unique name -> Caller */
    GHashTable *questions; /* uid -> how many polkit is being asked */
    guint n_questions, n_requests;
    uint64_t last_cancellation_id;

    GHashTable *denials; /* uid -> how many were logged since `denials_since` */
    gint64 denials_since;
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
    switch (r->state) {
    case REQUEST_WAITING:
        return &r->caller->waiting;
    case REQUEST_ASKING:
        return &r->caller->asking;
    case REQUEST_READY:
        return &r->authorizer->ready;
    }
    g_assert_not_reached();
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

    a->n_questions += (guint)by;
    if (n > 0)
        g_hash_table_insert(a->questions, GUINT_TO_POINTER(uid), GUINT_TO_POINTER(n));
    else
        g_hash_table_remove(a->questions, GUINT_TO_POINTER(uid));
}

/* ---- callers ---- */

static void
caller_free(void *p)
{
    Caller *c = p;

    sd_bus_slot_unref(c->uid_slot);
    sd_bus_slot_unref(c->watch);
    g_free(c->name);
    g_free(c);
}

static gboolean
caller_is_idle(void *name, void *caller, void *userdata)
{
    return ((Caller *)caller)->n_requests == 0;
}

static Caller *
caller_get(Authorizer *a, const char *name)
{
    Caller *c = g_hash_table_lookup(a->callers, name);

    if (c)
        return c;
    if (g_hash_table_size(a->callers) >= MAX_IDLE_CALLERS)
        g_hash_table_foreach_remove(a->callers, caller_is_idle, NULL);
    c = g_new0(Caller, 1);
    c->authorizer = a;
    c->name = g_strdup(name);
    c->uid = AUTHORIZE_UID_UNKNOWN;
    g_hash_table_insert(a->callers, c->name, c);
    return c;
}

/* ---- a request's way ---- */

static void
request_enqueue(AuthorizeRequest *r, RequestState state)
{
    r->state = state;
    g_queue_push_tail_link(request_queue(r), &r->link);
}

/* Out of its queue, and nothing about it under way any more. */
static void
request_detach(AuthorizeRequest *r)
{
    g_queue_unlink(request_queue(r), &r->link);
    if (r->state == REQUEST_ASKING) {
        count_question(r->authorizer, r->caller->uid, -1);
        if (g_queue_is_empty(&r->caller->asking))
            r->caller->watch = sd_bus_slot_unref(r->caller->watch);
    }
    r->slot = sd_bus_slot_unref(r->slot);
    g_clear_pointer(&r->cancellation_id, g_free);
}

static void
request_free(AuthorizeRequest *r)
{
    if (r->caller)
        r->caller->n_requests--;
    r->authorizer->n_requests--;
    sd_bus_error_free(&r->error);
    g_free(r->vm_name);
    g_free(r->vm_uuid);
    g_free(r->operation);
    g_free(r);
}

/* Nobody waits for the answer: the dialogue goes away, or the question was answered meanwhile. */
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
    gint64 now = g_get_monotonic_time();
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
    uid_t uid = r->caller ? r->caller->uid : AUTHORIZE_UID_UNKNOWN;

    if (!may_log_denial(r->authorizer, uid))
        return;
    log_event(LOG_EVENT_DENIED, r->error.message, LOG_FIELD_VM_UUID, r->vm_uuid, LOG_FIELD_VM_NAME,
              r->vm_name, LOG_FIELD_VM_OPERATION, r->operation, LOG_FIELD_VM_RESULT, "denied",
              LOG_FIELD_POLKIT_ACTION, actions_table[r->current].id, LOG_FIELD_CALLER_UID,
              uid != AUTHORIZE_UID_UNKNOWN ? log_number(number, uid) : NULL,
              LOG_FIELD_CALLER_BUS_NAME, r->caller ? r->caller->name : NULL, NULL);
}

/* Of a request that is in no queue: its end. */
static void
request_refuse(AuthorizeRequest *r, const char *error, const char *why)
{
    const char *what = actions_table[r->current].what;
    g_autofree char *message = NULL;

    if (r->current == ACTION_RECONNECT)
        message = g_strdup_printf("Not authorised to %s: %s", what, why);
    else
        message = g_strdup_printf("Not authorised to %s the virtual machine %s: %s",
                                  what ? what : "use", r->vm_name ? r->vm_name : "", why);
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
        return "polkit is not there to be asked";
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

    /* It may only have taken too long, with the dialogue still open. */
    if (sd_bus_message_is_method_error(reply, NULL))
        request_cancel_question(r);
    request_detach(r);
    request_judge(r, reply);
    return 0;
}

static int
on_caller_changed(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
    Caller *c = userdata;
    const char *name, *old_owner, *new_owner;
    GList *link;

    if (sd_bus_message_read(m, "sss", &name, &old_owner, &new_owner) < 0 || *new_owner)
        return 0;
    while ((link = g_queue_peek_head_link(&c->asking))) {
        AuthorizeRequest *r = link->data;
        request_cancel_question(r);
        request_detach(r);
        request_deny(r, "the caller went away");
    }
    return 0;
}

/* Left alone, a failure would close the connection to the bus. */
static int
on_watch_installed(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
    const sd_bus_error *error = sd_bus_message_get_error(reply);

    if (error)
        log_message(LOG_WARNING, "Cannot watch whether a caller goes away: %s", error->message);
    return 0;
}

static int
caller_watch(Caller *c)
{
    g_autofree char *match = NULL;

    if (c->watch)
        return 0;
    match = g_strdup_printf("type='signal',sender='org.freedesktop.DBus',"
                            "path='/org/freedesktop/DBus',interface='org.freedesktop.DBus',"
                            "member='NameOwnerChanged',arg0='%s'",
                            c->name);
    return sd_bus_add_match_async(c->authorizer->bus, &c->watch, match, on_caller_changed,
                                  on_watch_installed, c);
}

static int
request_send_question(AuthorizeRequest *r)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    Authorizer *a = r->authorizer;
    int k;

    k = sd_bus_message_new_method_call(a->bus, &m, POLKIT_NAME, POLKIT_PATH, POLKIT_INTERFACE,
                                       "CheckAuthorization");
    if (k < 0)
        return k;
    k = sd_bus_message_append(m, "(sa{sv})s", "system-bus-name", 1, "name", "s", r->caller->name,
                              actions_table[r->current].id);
    if (k < 0)
        return k;
    k = sd_bus_message_append(m, "a{ss}", 3, "vm_name", r->vm_name ? r->vm_name : "", "vm_uuid",
                              r->vm_uuid ? r->vm_uuid : "", "instance", a->instance);
    if (k < 0)
        return k;
    k = sd_bus_message_append(m, "us", r->interactive ? POLKIT_ALLOW_USER_INTERACTION : 0,
                              r->cancellation_id);
    if (k < 0)
        return k;
    return sd_bus_call_async(a->bus, &r->slot, m, on_polkit_answer, r,
                             r->interactive ? DIALOGUE_TIMEOUT_USEC : ANSWER_TIMEOUT_USEC);
}

/* The watch comes first: who goes before it is there is gone when polkit looks. */
static void
request_ask(AuthorizeRequest *r)
{
    Authorizer *a = r->authorizer;
    int k;

    request_enqueue(r, REQUEST_ASKING);
    count_question(a, r->caller->uid, 1);
    r->cancellation_id =
        g_strdup_printf("unraid-vms-%" G_GUINT64_FORMAT, ++a->last_cancellation_id);
    k = caller_watch(r->caller);
    if (k >= 0)
        k = request_send_question(r);
    if (k < 0) {
        g_autofree char *why = g_strdup_printf("polkit cannot be asked (%s)", g_strerror(-k));
        request_detach(r);
        request_deny(r, why);
    }
}

/* The uid is known, and the request in no queue. */
static void
request_ask_next(AuthorizeRequest *r)
{
    Authorizer *a = r->authorizer;
    uid_t uid = r->caller->uid;

    if (uid == 0 || uid == geteuid() || r->actions == 0) {
        request_ready(r);
        return;
    }
    r->current = (Action)__builtin_ctzll(r->actions);
    if (a->n_questions >= MAX_QUESTIONS || questions_of(a, uid) >= MAX_QUESTIONS_PER_UID) {
        request_refuse(r, SD_BUS_ERROR_LIMITS_EXCEEDED,
                       "too many authorisations are waiting for an answer");
        return;
    }
    request_ask(r);
}

/* ---- the question for the uid ---- */

static void
caller_answer(Caller *c, const char *failure)
{
    GList *link;

    while ((link = g_queue_peek_head_link(&c->waiting))) {
        AuthorizeRequest *r = link->data;
        request_detach(r);
        if (failure)
            request_deny(r, failure);
        else
            request_ask_next(r);
    }
}

static int
on_uid(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
    Caller *c = userdata;
    const sd_bus_error *error = sd_bus_message_get_error(reply);
    uint32_t uid;

    c->uid_slot = sd_bus_slot_unref(c->uid_slot);
    if (error && sd_bus_error_has_name(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER))
        caller_answer(c, "the caller went away");
    else if (error || sd_bus_message_read(reply, "u", &uid) < 0 || uid == AUTHORIZE_UID_UNKNOWN)
        caller_answer(c, "the bus does not say who the caller is");
    else {
        c->uid = uid;
        caller_answer(c, NULL);
    }
    return 0;
}

static int
caller_ask_uid(Caller *c)
{
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    int k;

    if (c->uid_slot)
        return 0;
    k = sd_bus_message_new_method_call(c->authorizer->bus, &m, "org.freedesktop.DBus",
                                       "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                       "GetConnectionUnixUser");
    if (k < 0)
        return k;
    k = sd_bus_message_append(m, "s", c->name);
    if (k < 0)
        return k;
    return sd_bus_call_async(c->authorizer->bus, &c->uid_slot, m, on_uid, c, UID_TIMEOUT_USEC);
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
        uid_t uid = r->caller ? r->caller->uid : AUTHORIZE_UID_UNKNOWN;
        _cleanup_(sd_bus_error_free) sd_bus_error error = r->error;

        r->error = SD_BUS_ERROR_NULL;
        request_free(r);
        done(done_userdata, sd_bus_error_is_set(&error) ? &error : NULL, uid);
    }
    return 0;
}

Authorizer *
authorizer_new(sd_bus *bus, const char *instance)
{
    Authorizer *a = g_new0(Authorizer, 1);

    a->bus = sd_bus_ref(bus);
    a->instance = g_strdup(instance ? instance : "");
    a->callers = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, caller_free);
    a->questions = g_hash_table_new(NULL, NULL);
    a->denials = g_hash_table_new(NULL, NULL);
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
    GHashTableIter iter;
    void *caller;

    if (!a)
        return NULL;
    cancel_all(&a->ready);
    g_hash_table_iter_init(&iter, a->callers);
    while (g_hash_table_iter_next(&iter, NULL, &caller)) {
        cancel_all(&((Caller *)caller)->waiting);
        cancel_all(&((Caller *)caller)->asking);
    }
    g_hash_table_unref(a->callers);
    g_hash_table_unref(a->questions);
    g_hash_table_unref(a->denials);
    sd_event_source_disable_unref(a->deliver);
    sd_bus_unref(a->bus);
    g_free(a->instance);
    g_free(a);
    return NULL;
}

static AuthorizeRequest *
request_new(Authorizer *a, const AuthorizeCaller *caller, uint64_t actions,
            const AuthorizeSubject *subject)
{
    AuthorizeRequest *r = g_new0(AuthorizeRequest, 1);

    r->authorizer = a;
    r->link.data = r;
    r->actions = actions;
    r->current = actions ? (Action)__builtin_ctzll(actions) : ACTION_NONE;
    r->vm_name = g_strdup(subject ? subject->vm_name : NULL);
    r->vm_uuid = g_strdup(subject ? subject->vm_uuid : NULL);
    r->operation = g_strdup(caller->operation);
    r->interactive = caller->interactive;
    if (caller->sender && *caller->sender && actions) {
        r->caller = caller_get(a, caller->sender);
        r->caller->n_requests++;
    }
    a->n_requests++;
    return r;
}

static void
request_begin(AuthorizeRequest *r)
{
    if (!r->actions)
        request_ready(r);
    else if (!r->caller)
        request_deny(r, "the message does not say who the caller is");
    else if (r->authorizer->n_requests > MAX_REQUESTS)
        request_refuse(r, SD_BUS_ERROR_LIMITS_EXCEEDED, "too many callers wait to be authorised");
    else if (r->caller->uid != AUTHORIZE_UID_UNKNOWN)
        request_ask_next(r);
    else if (caller_ask_uid(r->caller) < 0)
        request_deny(r, "the bus cannot be asked who the caller is");
    else
        request_enqueue(r, REQUEST_WAITING);
}

AuthorizeRequest *
authorizer_check(Authorizer *a, const AuthorizeCaller *caller, uint64_t actions,
                 const AuthorizeSubject *subject, AuthorizeDone done, void *userdata)
{
    AuthorizeRequest *r;

    actions &= ~ACTION_BIT(ACTION_NONE);
    g_assert(actions < ACTION_BIT(_ACTION_MAX));
    r = request_new(a, caller, actions, subject);
    r->done = done;
    r->userdata = userdata;
    request_begin(r);
    return r;
}

void
authorize_request_cancel(AuthorizeRequest *r)
{
    if (r->state == REQUEST_ASKING)
        request_cancel_question(r);
    request_detach(r);
    request_free(r);
}
