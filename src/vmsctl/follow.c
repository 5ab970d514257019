/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "follow.h"

#include "loop.h"
#include "progress.h"
#include "term.h"
#include "terminal-text.h"
#include "value.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DRAW_USEC       G_GINT64_CONSTANT(100000)
/* A job that is over sooner gets no bar, which would only flicker. */
#define DRAW_AFTER_USEC (3 * DRAW_USEC)

typedef struct Followed {
    char *vm;
    char *operation;
    char *job;
    gint64 since;
    double progress; /* as in Job.Progress */
    bool forced;     /* as in Job.Forced */
    bool is_over;
} Followed;

typedef struct Follower {
    Client *client;
    GPtrArray *jobs;
    sd_event *loop;
    ExitStatus status; /* of the first failure */
    unsigned lines_drawn;
} Follower;

static void
followed_free(void *data)
{
    Followed *followed = data;

    g_free(followed->vm);
    g_free(followed->operation);
    g_free(followed->job);
    g_free(followed);
}

static Followed *
find(Follower *follower, const char *job)
{
    for (unsigned i = 0; i < follower->jobs->len; i++) {
        Followed *followed = follower->jobs->pdata[i];

        if (!followed->is_over && g_str_equal(followed->job, job))
            return followed;
    }
    return NULL;
}

static bool
is_finished(const Follower *follower)
{
    for (unsigned i = 0; i < follower->jobs->len; i++)
        if (!((Followed *)follower->jobs->pdata[i])->is_over)
            return false;
    return true;
}

static void
erase(Follower *follower)
{
    if (follower->lines_drawn > 0)
        fprintf(stderr, "\033[%uA\033[J", follower->lines_drawn);
    follower->lines_drawn = 0;
}

static void
draw_one(const Followed *followed)
{
    g_autofree char *text = g_strjoin(" ", followed->operation, followed->vm, NULL);
    g_autofree char *line =
        progress_format(followed->progress, g_get_monotonic_time() - followed->since, text,
                        MAX(term_columns(STDERR_FILENO) - 1, 1));

    fprintf(stderr, "%s\n", line);
}

static void
draw(Follower *follower)
{
    erase(follower);
    for (unsigned i = 0; i < follower->jobs->len; i++) {
        const Followed *followed = follower->jobs->pdata[i];

        if (followed->is_over || g_get_monotonic_time() - followed->since < DRAW_AFTER_USEC)
            continue;
        draw_one(followed);
        follower->lines_drawn++;
    }
}

static int
on_tick(sd_event_source *source, uint64_t usec, void *data)
{
    draw(data);
    (void)sd_event_source_set_time_relative(source, DRAW_USEC);
    return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static void
fail(Follower *follower, const char *vm, const GError *error)
{
    erase(follower);
    failure_keep_first(&follower->status, failure_report(vm, error));
}

const char *
follow_remark(bool forced)
{
    return forced ? "the guest did not power off within its time; its power was cut" : NULL;
}

static void
tell_remark(Follower *follower, const Followed *followed)
{
    const char *remark = follow_remark(followed->forced);
    g_autofree char *vm = terminal_text_escape(followed->vm);

    if (!remark || !isatty(STDERR_FILENO))
        return;
    erase(follower);
    fprintf(stderr, "%s: %s\n", vm, remark);
}

static void
on_job_removed(Follower *follower, GVariant *body)
{
    const char *job, *vm, *operation, *result, *message;

    g_variant_get(body, "(&o&o&s&s&s)", &job, &vm, &operation, &result, &message);
    Followed *followed = find(follower, job);
    if (!followed)
        return;

    followed->is_over = true;
    ExitStatus status = failure_of_result(result);
    if (status != EXIT_OK) {
        g_autoptr(GError) error = NULL;

        failure_set(&error, status, "%s", *message ? message : result);
        fail(follower, followed->vm, error);
    }
    tell_remark(follower, followed);
    if (is_finished(follower) && follower->loop)
        (void)sd_event_exit(follower->loop, 0);
}

static void
on_properties_changed(Follower *follower, const char *path, GVariant *body)
{
    g_autoptr(GVariant) changed = g_variant_get_child_value(body, 1);
    Followed *followed = find(follower, path);
    gboolean forced;

    if (!followed)
        return;
    (void)g_variant_lookup(changed, "Progress", "d", &followed->progress);
    if (g_variant_lookup(changed, "Forced", "b", &forced))
        followed->forced = forced;
}

static int
on_signal(sd_bus_message *message, void *data, sd_bus_error *unused)
{
    const char *member = sd_bus_message_get_member(message);
    bool is_removal = g_str_equal(member, "JobRemoved");
    int r = 0;

    if (!is_removal && !g_str_equal(member, "PropertiesChanged"))
        return 0;
    g_autoptr(GVariant) body = value_read_body(message, &r);
    if (!body)
        return r;
    g_variant_ref_sink(body);
    if (is_removal && g_variant_is_of_type(body, G_VARIANT_TYPE("(oosss)")))
        on_job_removed(data, body);
    else if (!is_removal && g_variant_is_of_type(body, G_VARIANT_TYPE("(sa{sv}as)")))
        on_properties_changed(data, sd_bus_message_get_path(message), body);
    return 0;
}

/* A job ends with its service, and no signal says with which result. */
static int
on_owner(sd_bus_message *message, void *data, sd_bus_error *unused)
{
    Follower *follower = data;
    const char *name, *old_owner, *new_owner;
    int r = sd_bus_message_read(message, "sss", &name, &old_owner, &new_owner);

    if (r < 0)
        return r;
    if (!*old_owner)
        return 0;
    for (unsigned i = 0; i < follower->jobs->len; i++) {
        Followed *followed = follower->jobs->pdata[i];
        g_autoptr(GError) error = NULL;

        if (followed->is_over)
            continue;
        followed->is_over = true;
        failure_set(&error, EXIT_NOT_AVAILABLE,
                    "The service went away; %s may have been carried out", followed->operation);
        fail(follower, followed->vm, error);
    }
    return follower->loop ? sd_event_exit(follower->loop, 0) : 0;
}

/* "Stop" for StopWithOptions: the name in Job.Operation. */
static char *
operation_name(const char *method)
{
    const char *suffix = g_strrstr(method, "WithOptions");

    return suffix ? g_strndup(method, (gsize)(suffix - method)) : g_strdup(method);
}

static void
add(Follower *follower, const char *vm, const char *method, const char *job)
{
    Followed *followed = g_new0(Followed, 1);

    *followed = (Followed){
        .vm = g_strdup(vm),
        .operation = operation_name(method),
        .job = g_strdup(job),
        .since = g_get_monotonic_time(),
        .progress = -1,
    };
    g_ptr_array_add(follower->jobs, followed);
}

/* StillRunning's message ends in the path of the job, where the work is one. */
static const char *
job_in_message(const GError *error)
{
    const char *path = g_strrstr(error->message, VMS_JOB_PREFIX "/");

    if (error->code != EXIT_STILL_RUNNING || !path || !sd_bus_object_path_is_valid(path))
        return NULL;
    return path;
}

static void
call(Follower *follower, const char *vm, const char *interface, const char *method,
     GVariant *arguments, bool no_wait)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = client_find_vm(follower->client, vm, &error);
    g_autoptr(GVariant) reply =
        path ? client_change(follower->client, path, interface, method, arguments, &error) : NULL;
    const char *job = NULL;

    if (reply && g_variant_is_of_type(reply, G_VARIANT_TYPE("(o)")))
        g_variant_get(reply, "(&o)", &job);
    else if (!reply)
        job = job_in_message(error);

    if (!reply && !job)
        fail(follower, vm, error);
    else if (job && no_wait)
        puts(job + strlen(VMS_JOB_PREFIX "/"));
    else if (job)
        add(follower, vm, method, job);
}

static void
tell_interrupted(Follower *follower)
{
    erase(follower);
    for (unsigned i = 0; i < follower->jobs->len; i++) {
        const Followed *followed = follower->jobs->pdata[i];
        g_autofree char *vm = terminal_text_escape(followed->vm);

        if (!followed->is_over)
            fprintf(stderr, "%s of %s goes on; \"vmsctl cancel %s\" ends it\n", followed->operation,
                    vm, followed->job + strlen(VMS_JOB_PREFIX "/"));
    }
}

static ExitStatus
wait_for_jobs(Follower *follower)
{
    g_autoptr(GError) error = NULL;

    if (is_finished(follower))
        return EXIT_OK;
    follower->loop = loop_new(&error);
    if (!follower->loop ||
        !loop_attach(follower->loop, follower->client, loop_end, follower->loop, &error))
        return failure_report(NULL, error);
    if (term_is_fancy(STDERR_FILENO))
        (void)sd_event_add_time_relative(follower->loop, NULL, CLOCK_MONOTONIC, DRAW_USEC, 0,
                                         on_tick, follower);

    ExitStatus status = loop_run(follower->client, follower->loop);
    if (status == EXIT_INTERRUPTED)
        tell_interrupted(follower);
    erase(follower);
    sd_event_unref(follower->loop);
    return status;
}

ExitStatus
follow_each(Client *client, char **vms, const char *interface, const char *method,
            GVariant *arguments, bool no_wait)
{
    g_autoptr(GPtrArray) jobs = g_ptr_array_new_with_free_func(followed_free);
    g_autoptr(GVariant) held = arguments ? g_variant_ref_sink(arguments) : NULL;
    g_autoptr(GError) error = NULL;
    Follower follower = {.client = client, .jobs = jobs};

    /* Before the calls: a job may end right after the reply. */
    if (!client_subscribe(client, on_signal, on_owner, &follower, &error))
        return failure_report(NULL, error);
    for (; *vms; vms++)
        call(&follower, *vms, interface, method, held, no_wait);

    ExitStatus status = wait_for_jobs(&follower);
    return status != EXIT_OK ? status : follower.status;
}

ExitStatus
follow_one(Client *client, const char *vm, const char *interface, const char *method,
           GVariant *arguments, bool no_wait)
{
    return follow_each(client, (char *[]){(char *)vm, NULL}, interface, method, arguments, no_wait);
}
