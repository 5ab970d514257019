/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The question to polkit, on a bus of its own, with callers of different users and with a polkit
 * that can be told to misbehave: what the real one does is tested where a container boots. */

#include "authorize.h"

#include "callers.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#define NOBODY     65534
#define DAEMON     1
#define BOUND_USEC (20 * UINT64_C(1000000))

typedef enum {
    POLKIT_SAYS_YES,
    POLKIT_SAYS_NO,
    POLKIT_SAYS_CHALLENGE,
    POLKIT_SAYS_NONSENSE,
    POLKIT_SAYS_NOTHING,
} PolkitMood;

typedef struct {
    GPid daemon;
    char *dir, *address;
    sd_event *event;
    sd_bus *service, *polkit, *caller;
    Callers *callers;
    Authorizer *authorizer;
    AuthorizeRequest *request;
    uint64_t actions;        /* that the service asks about */
    const char *domain_name; /* and of which domain */

    PolkitMood mood;
    guint n_questions, n_cancelled;
    GString *asked; /* "action name uuid instance flags;" of each question */
    gboolean cancel_known;
    char *cancellation_id;

    guint n_answers;
    char *error;
    char *message;
    gboolean checking;
} World;

/* A call that waits for its caller's user. */
typedef struct {
    World *world;
    sd_bus_message *message;
    Pending pending;
} Arrival;

/* ---- the bus ---- */

static const char bus_config[] =
    "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\" "
    "\"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">"
    "<busconfig><type>system</type><listen>unix:path=%s/bus</listen><auth>EXTERNAL</auth>"
    "<policy context=\"default\"><allow user=\"*\"/><allow own=\"*\"/><allow send_type=\"*\"/>"
    "<allow receive_type=\"*\"/></policy></busconfig>";

/* The daemon goes when we do, even if a check fails. */
static void
die_with_parent(void *userdata)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
}

static void
start_bus(World *w)
{
    g_autofree char *config = NULL, *text = NULL, *option = NULL;
    g_autoptr(GError) error = NULL;
    char line[256];
    int out;
    ssize_t n;

    w->dir = g_dir_make_tmp("test-authorize-XXXXXX", NULL);
    g_assert_cmpint(chmod(w->dir, 0755), ==, 0);
    config = g_build_filename(w->dir, "bus.conf", NULL);
    text = g_strdup_printf(bus_config, w->dir);
    g_file_set_contents(config, text, -1, &error);
    g_assert_no_error(error);

    option = g_strconcat("--config-file=", config, NULL);
    const char *argv[] = {"dbus-daemon", "--nofork", "--print-address=1", option, NULL};
    g_spawn_async_with_pipes(NULL, (char **)argv, NULL,
                             G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, die_with_parent, NULL,
                             &w->daemon, NULL, &out, NULL, &error);
    g_assert_no_error(error);
    n = read(out, line, sizeof(line) - 1);
    g_assert_cmpint(n, >, 0);
    line[n] = '\0';
    w->address = g_strdup(g_strchomp(line));
    close(out);
}

/* Whose connection it is, the bus reads off the socket when it is made. */
static sd_bus *
connect_as(World *w, uid_t uid)
{
    sd_bus *bus = NULL;

    g_assert_cmpint(sd_bus_new(&bus), >=, 0);
    g_assert_cmpint(sd_bus_set_address(bus, w->address), >=, 0);
    g_assert_cmpint(sd_bus_set_bus_client(bus, 1), >=, 0);
    g_assert_cmpint(seteuid(uid), ==, 0);
    g_assert_cmpint(sd_bus_start(bus), >=, 0);
    g_assert_cmpint(sd_bus_attach_event(bus, w->event, 0), >=, 0);
    while (sd_bus_is_ready(bus) == 0)
        g_assert_cmpint(sd_event_run(w->event, BOUND_USEC), >, 0);
    g_assert_cmpint(sd_bus_is_ready(bus), >, 0);
    g_assert_cmpint(seteuid(0), ==, 0);
    return bus;
}

/* ---- polkit ---- */

static int
polkit_check(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    World *w = userdata;
    const char *kind, *key, *name, *action, *cancellation, *k, *v;
    g_autoptr(GString) details = g_string_new(NULL);
    uint32_t flags;

    g_assert_cmpint(sd_bus_message_read(m, "(sa{sv})s", &kind, 1, &key, "s", &name, &action), >, 0);
    g_assert_cmpstr(kind, ==, "system-bus-name");
    g_assert_cmpstr(key, ==, "name");
    g_assert_cmpint(sd_bus_message_enter_container(m, 'a', "{ss}"), >, 0);
    while (sd_bus_message_read(m, "{ss}", &k, &v) > 0)
        g_string_append_printf(details, " %s=%s", k, v);
    g_assert_cmpint(sd_bus_message_exit_container(m), >=, 0);
    g_assert_cmpint(sd_bus_message_read(m, "us", &flags, &cancellation), >, 0);
    g_string_append_printf(w->asked, "%s%s flags=%u;", action, details->str, flags);
    g_free(w->cancellation_id);
    w->cancellation_id = g_strdup(cancellation);
    w->n_questions++;

    switch (w->mood) {
    case POLKIT_SAYS_YES:
        return sd_bus_reply_method_return(m, "(bba{ss})", 1, 0, 0);
    case POLKIT_SAYS_NO:
        return sd_bus_reply_method_return(m, "(bba{ss})", 0, 0, 0);
    case POLKIT_SAYS_CHALLENGE:
        return sd_bus_reply_method_return(m, "(bba{ss})", 0, 1, 0);
    case POLKIT_SAYS_NONSENSE:
        return sd_bus_reply_method_return(m, "bs", 1, "yes, yes");
    case POLKIT_SAYS_NOTHING:
        return 1;
    }
    g_assert_not_reached();
}

static int
polkit_cancel(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    World *w = userdata;
    const char *id;

    g_assert_cmpint(sd_bus_message_read(m, "s", &id), >, 0);
    w->cancel_known = g_strcmp0(id, w->cancellation_id) == 0;
    w->n_cancelled++;
    return sd_bus_reply_method_return(m, NULL);
}

/* No vtable: that would not let nonsense pass. */
static int
polkit_called(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    if (sd_bus_message_is_method_call(m, "org.freedesktop.PolicyKit1.Authority",
                                      "CheckAuthorization"))
        return polkit_check(m, userdata, error);
    if (sd_bus_message_is_method_call(m, "org.freedesktop.PolicyKit1.Authority",
                                      "CancelCheckAuthorization"))
        return polkit_cancel(m, userdata, error);
    return 0;
}

static void
start_polkit(World *w, PolkitMood mood)
{
    w->mood = mood;
    w->polkit = connect_as(w, 0);
    g_assert_cmpint(sd_bus_add_object(w->polkit, NULL, "/org/freedesktop/PolicyKit1/Authority",
                                      polkit_called, w),
                    >=, 0);
    g_assert_cmpint(sd_bus_request_name(w->polkit, "org.freedesktop.PolicyKit1", 0), >=, 0);
}

/* ---- the service, and who calls it ---- */

static void
on_done(void *userdata, const sd_bus_error *error)
{
    World *w = userdata;

    g_assert_false(w->checking);
    w->request = NULL;
    g_free(w->error);
    g_free(w->message);
    w->error = g_strdup(error ? error->name : NULL);
    w->message = g_strdup(error ? error->message : NULL);
    w->n_answers++;
}

static void
check(World *w, sd_bus_message *m, uid_t uid)
{
    AuthorizeSubject subject = {.domain_name = w->domain_name, .domain_uuid = "u-u-i-d"};
    AuthorizeCaller caller = {
        .sender = sd_bus_message_get_sender(m),
        .uid = uid,
        .operation = "Do",
        .interactive = sd_bus_message_get_allow_interactive_authorization(m) > 0,
    };

    w->checking = TRUE;
    w->request = authorizer_check(w->authorizer, &caller, w->actions, &subject, on_done, w);
    w->checking = FALSE;
}

static void
on_uid(void *userdata, CallOutcome outcome, void *uid, const Error *error)
{
    g_autofree Arrival *arrival = userdata;

    g_assert_null(error);
    check(arrival->world, arrival->message, *(uid_t *)uid);
    sd_bus_message_unref(arrival->message);
}

static int
service_asked(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    World *w = userdata;

    if (!sd_bus_message_is_method_call(m, "org.test", "Do"))
        return 0;
    uid_t uid = callers_find(w->callers, sd_bus_message_get_sender(m));
    if (uid != CALLER_UID_UNKNOWN) {
        check(w, m, uid);
        return 1;
    }
    Arrival *arrival = g_new0(Arrival, 1);
    arrival->world = w;
    arrival->message = sd_bus_message_ref(m);
    g_assert_true(callers_ask(w->callers, sd_bus_message_get_sender(m), 0, &arrival->pending,
                              on_uid, arrival));
    return 1;
}

static void
on_gone(void *userdata, const char *name)
{
    authorizer_caller_gone(((World *)userdata)->authorizer, name);
}

static void
call(World *w, gboolean interactive)
{
    sd_bus_message *m = NULL;
    const char *name;

    g_assert_cmpint(sd_bus_get_unique_name(w->service, &name), >=, 0);
    g_assert_cmpint(sd_bus_message_new_method_call(w->caller, &m, name, "/", "org.test", "Do"), >=,
                    0);
    g_assert_cmpint(sd_bus_message_set_allow_interactive_authorization(m, interactive), >=, 0);
    g_assert_cmpint(sd_bus_send(w->caller, m, NULL), >=, 0);
    sd_bus_message_unref(m);
}

static void
run_until(World *w, const guint *counter, guint value)
{
    while (*counter < value)
        g_assert_cmpint(sd_event_run(w->event, BOUND_USEC), >, 0);
}

static void
call_and_wait(World *w, gboolean interactive)
{
    guint before = w->n_answers;

    call(w, interactive);
    run_until(w, &w->n_answers, before + 1);
}

static void
world_up(World *w, uid_t caller)
{
    w->asked = g_string_new(NULL);
    w->actions = ACTION_BIT(ACTION_STOP);
    w->domain_name = "web";
    g_assert_cmpint(sd_event_new(&w->event), >=, 0);
    start_bus(w);
    w->service = connect_as(w, 0);
    g_assert_cmpint(sd_bus_add_filter(w->service, NULL, service_asked, w), >=, 0);
    g_assert_cmpint(callers_new(w->service, on_gone, w, &w->callers), >=, 0);
    w->authorizer = authorizer_new(w->service, "east");
    g_assert_nonnull(w->authorizer);
    w->caller = connect_as(w, caller);
}

static void
world_down(World *w)
{
    g_autofree char *config = g_build_filename(w->dir, "bus.conf", NULL);
    g_autofree char *socket = g_build_filename(w->dir, "bus", NULL);

    authorizer_free(w->authorizer);
    callers_free(w->callers);
    sd_bus_flush_close_unref(w->caller);
    sd_bus_flush_close_unref(w->polkit);
    sd_bus_flush_close_unref(w->service);
    sd_event_unref(w->event);
    kill(w->daemon, SIGTERM);
    waitpid(w->daemon, NULL, 0);
    unlink(config);
    unlink(socket);
    rmdir(w->dir);
    g_string_free(w->asked, TRUE);
    g_free(w->cancellation_id);
    g_free(w->error);
    g_free(w->message);
    g_free(w->dir);
    g_free(w->address);
}

/* ---- the tests ---- */

static void
test_root(World *w, const void *data)
{
    world_up(w, 0);
    start_polkit(w, POLKIT_SAYS_NO);
    call_and_wait(w, FALSE);
    g_assert_cmpstr(w->error, ==, NULL);
    call_and_wait(w, FALSE); /* from what is remembered about the caller */
    g_assert_cmpstr(w->error, ==, NULL);
    g_assert_cmpuint(w->n_questions, ==, 0);
}

static void
test_read(World *w, const void *data)
{
    world_up(w, NOBODY);
    w->actions = ACTION_BIT(ACTION_NONE);
    call_and_wait(w, FALSE);
    g_assert_cmpstr(w->error, ==, NULL);
}

static void
test_yes(World *w, const void *data)
{
    world_up(w, NOBODY);
    start_polkit(w, POLKIT_SAYS_YES);
    w->actions = ACTION_BIT(ACTION_STOP) | ACTION_BIT(ACTION_FORCE_STOP);
    call_and_wait(w, TRUE);
    g_assert_cmpstr(w->error, ==, NULL);
    g_assert_cmpstr(
        w->asked->str, ==,
        "org.unraid.vms.stop vm=web vm_name=web vm_uuid=u-u-i-d instance=east flags=1;"
        "org.unraid.vms.force-stop vm=web vm_name=web vm_uuid=u-u-i-d instance=east flags=1;");
}

/* An agent prints a part of the question as it is; rules see the name. */
static void
test_hostile_name(World *w, const void *data)
{
    world_up(w, NOBODY);
    start_polkit(w, POLKIT_SAYS_YES);
    w->actions = ACTION_BIT(ACTION_STOP);
    w->domain_name = "we\302\23331mb\342\200\256";
    call_and_wait(w, TRUE);
    g_assert_cmpstr(w->asked->str, ==,
                    "org.unraid.vms.stop vm=we\\x9b31mb\\u202e vm_name=we\302\23331mb\342\200\256 "
                    "vm_uuid=u-u-i-d instance=east flags=1;");
}

typedef struct {
    PolkitMood mood;
    gboolean interactive;
    const char *error, *says;
} Refusal;

static void
test_refusal(World *w, const void *data)
{
    const Refusal *refusal = data;

    world_up(w, NOBODY);
    start_polkit(w, refusal->mood);
    w->actions = ACTION_BIT(ACTION_STOP) | ACTION_BIT(ACTION_FORCE_STOP);
    call_and_wait(w, refusal->interactive);
    g_assert_cmpstr(w->error, ==, refusal->error);
    g_assert_nonnull(strstr(w->message, refusal->says));
    g_assert_nonnull(strstr(w->message, "stop the virtual machine web"));
    g_assert_cmpuint(w->n_questions, ==, 1); /* the second action is not even asked about */
}

static void
test_no_polkit(World *w, const void *data)
{
    world_up(w, NOBODY);
    call_and_wait(w, FALSE);
    g_assert_cmpstr(w->error, ==, SD_BUS_ERROR_ACCESS_DENIED);
    g_assert_nonnull(strstr(w->message, "polkit is not there"));
}

static void
test_polkit_dies(World *w, const void *data)
{
    world_up(w, NOBODY);
    start_polkit(w, POLKIT_SAYS_NOTHING);
    call(w, TRUE);
    run_until(w, &w->n_questions, 1);
    w->polkit = sd_bus_flush_close_unref(w->polkit);
    run_until(w, &w->n_answers, 1);
    g_assert_cmpstr(w->error, ==, SD_BUS_ERROR_ACCESS_DENIED);
    g_assert_nonnull(strstr(w->message, "polkit did not answer"));
}

static void
test_caller_vanishes(World *w, const void *data)
{
    world_up(w, NOBODY);
    start_polkit(w, POLKIT_SAYS_NOTHING);
    call(w, TRUE);
    run_until(w, &w->n_questions, 1);
    w->caller = sd_bus_flush_close_unref(w->caller);
    run_until(w, &w->n_cancelled, 1);
    g_assert_true(w->cancel_known);
    run_until(w, &w->n_answers, 1);
    g_assert_cmpstr(w->error, ==, SD_BUS_ERROR_ACCESS_DENIED);
    g_assert_nonnull(strstr(w->message, "went away"));
}

/* A dialogue that stays open holds nobody else up; and may be taken back. */
static void
test_cancel(World *w, const void *data)
{
    AuthorizeRequest *open;

    world_up(w, NOBODY);
    start_polkit(w, POLKIT_SAYS_NOTHING);
    call(w, TRUE);
    run_until(w, &w->n_questions, 1);
    open = w->request;
    w->mood = POLKIT_SAYS_YES;
    call_and_wait(w, TRUE);
    g_assert_cmpstr(w->error, ==, NULL);

    w->n_answers = 0;
    g_free(w->cancellation_id);
    w->cancellation_id = g_strdup("unraid-vms-1");
    authorize_request_cancel(open);
    run_until(w, &w->n_cancelled, 1);
    g_assert_true(w->cancel_known);
    g_assert_cmpuint(w->n_answers, ==, 0);
}

/* The hundredth question of one user is refused, and root is not in that queue. */
static void
test_limit(World *w, const void *data)
{
    world_up(w, NOBODY);
    start_polkit(w, POLKIT_SAYS_NOTHING);
    for (guint i = 0; i < 100; i++)
        call(w, TRUE);
    run_until(w, &w->n_answers, 36);
    run_until(w, &w->n_questions, 64);
    g_assert_cmpstr(w->error, ==, SD_BUS_ERROR_LIMITS_EXCEEDED);

    sd_bus_flush_close_unref(w->caller);
    w->caller = connect_as(w, 0);
    call_and_wait(w, FALSE);
    g_assert_cmpstr(w->error, ==, NULL);

    /* Those of the caller that has gone are given up, and there is room again. */
    run_until(w, &w->n_cancelled, 64);
    sd_bus_flush_close_unref(w->caller);
    w->caller = connect_as(w, NOBODY);
    w->mood = POLKIT_SAYS_YES;
    call_and_wait(w, FALSE);
    g_assert_cmpstr(w->error, ==, NULL);
}

static guint
occurrences(const char *text, const char *part)
{
    guint n = 0;

    while ((text = strstr(text, part))) {
        text += strlen(part);
        n++;
    }
    return n;
}

/* The text written to standard error from now on is returned by log_end(). */
static int
log_begin(char **path)
{
    g_autoptr(GError) error = NULL;
    int kept = dup(STDERR_FILENO);
    int fd = g_file_open_tmp("test-authorize-XXXXXX", path, &error);

    g_assert_no_error(error);
    g_assert_cmpint(dup2(fd, STDERR_FILENO), ==, STDERR_FILENO);
    close(fd);
    return kept;
}

static char *
log_end(int kept, const char *path)
{
    g_autoptr(GError) error = NULL;
    char *text = NULL;

    g_assert_cmpint(dup2(kept, STDERR_FILENO), ==, STDERR_FILENO);
    close(kept);
    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    unlink(path);
    return text;
}

/* A caller who is denied in a loop does not fill the journal, and does not hide denials of others.
 */
static void
test_many_denials(World *w, const void *data)
{
    g_autofree char *path = NULL, *log = NULL;
    int kept;

    world_up(w, NOBODY);
    start_polkit(w, POLKIT_SAYS_NO);
    kept = log_begin(&path);
    for (guint i = 0; i < 150; i++)
        call_and_wait(w, FALSE);
    sd_bus_flush_close_unref(w->caller);
    w->caller = connect_as(w, DAEMON);
    call_and_wait(w, FALSE);
    log = log_end(kept, path);
    g_assert_cmpuint(occurrences(log, "CALLER_UID=65534"), ==, 100);
    g_assert_cmpuint(occurrences(log, "CALLER_UID=1 "), ==, 1);
}

/* With everything under way, freed: valgrind and the sanitizers look at this one. */
static void
test_free(World *w, const void *data)
{
    world_up(w, NOBODY);
    start_polkit(w, POLKIT_SAYS_NOTHING);
    call(w, TRUE);
    run_until(w, &w->n_questions, 1);
    g_clear_pointer(&w->authorizer, authorizer_free);
    run_until(w, &w->n_cancelled, 1);
    g_assert_cmpuint(w->n_answers, ==, 0);
}

static void
test_table(void)
{
    for (Action a = ACTION_START; a <= ACTION_RECONNECT; a++)
        g_assert_true(g_str_has_prefix(action_id(a), "org.unraid.vms."));
    g_assert_null(action_id(ACTION_NONE));
    g_assert_null(action_id(ACTION_DEBUG));
    g_assert_cmpstr(action_id(ACTION_FORCE_STOP), ==, "org.unraid.vms.force-stop");
    g_assert_cmpstr(action_id(ACTION_RECONNECT), ==, "org.unraid.vms.reconnect");
}

static void
nothing(World *w, const void *data)
{
}

static void
teardown(World *w, const void *data)
{
    world_down(w);
}

static void
add(const char *path, void (*test)(World *, const void *), const Refusal *data)
{
    g_test_add(path, World, data, nothing, test, teardown);
}

static const Refusal refusals[] = {
    {POLKIT_SAYS_NO, TRUE, SD_BUS_ERROR_ACCESS_DENIED, "polkit does not permit"},
    {POLKIT_SAYS_CHALLENGE, TRUE, SD_BUS_ERROR_ACCESS_DENIED,
     "authentication, which was not given"},
    {POLKIT_SAYS_CHALLENGE, FALSE, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
     "interactive authentication is required"},
    {POLKIT_SAYS_NONSENSE, TRUE, SD_BUS_ERROR_ACCESS_DENIED, "makes no sense"},
};

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/authorize/table", test_table);
    if (geteuid() != 0) {
        /* Everybody whom this user could play is the service's own user, who passes. */
        g_test_message("the rest needs root, to call as two users");
        return g_test_run();
    }
    add("/authorize/root", test_root, NULL);
    add("/authorize/read", test_read, NULL);
    add("/authorize/yes", test_yes, NULL);
    add("/authorize/hostile-name", test_hostile_name, NULL);
    add("/authorize/no", test_refusal, &refusals[0]);
    add("/authorize/challenge", test_refusal, &refusals[1]);
    add("/authorize/challenge-not-interactive", test_refusal, &refusals[2]);
    add("/authorize/nonsense", test_refusal, &refusals[3]);
    add("/authorize/no-polkit", test_no_polkit, NULL);
    add("/authorize/polkit-dies", test_polkit_dies, NULL);
    add("/authorize/caller-vanishes", test_caller_vanishes, NULL);
    add("/authorize/cancel", test_cancel, NULL);
    add("/authorize/limit", test_limit, NULL);
    add("/authorize/many-denials", test_many_denials, NULL);
    add("/authorize/free", test_free, NULL);
    return g_test_run();
}
