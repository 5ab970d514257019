/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vmsctl monitor: a line for each change of a state, a job, a problem or the availability. It
 * remembers what it has printed, so that after a restart of the service it prints only real
 * changes.
 */
#include "command.h"
#include "describe.h"
#include "follow.h"
#include "json.h"
#include "loop.h"
#include "mirror.h"
#include "rows.h"
#include "term.h"
#include "terminal-text.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct Told {
    char *name;
    char *state;
    char *job;
    GHashTable *problems; /* as describe_problem() has them */
} Told;

/* A job under way. */
typedef struct ToldJob {
    char *name; /* of its VM, which may go before the job ends */
    bool forced;
} ToldJob;

typedef struct Monitor {
    Client *client;
    Mirror mirror;
    sd_event *loop;
    char **wanted;    /* paths; none: all */
    GHashTable *told; /* path → Told */
    GHashTable *jobs; /* path → ToldJob */
    char *status;
    bool was_loaded;
} Monitor;

static void
told_free(void *data)
{
    Told *told = data;

    g_free(told->name);
    g_free(told->state);
    g_free(told->job);
    g_hash_table_unref(told->problems);
    g_free(told);
}

static void
told_job_free(void *data)
{
    ToldJob *job = data;

    g_free(job->name);
    g_free(job);
}

static void
print_text(const char *subject, Color color, const char *text)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *time = g_date_time_format(now, "%H:%M:%S");
    g_autofree char *who = subject ? terminal_text_escape(subject) : NULL;
    g_autofree char *what = terminal_text_escape(text);

    printf("%s%s%s  %s%s%s%s%s\n", term_color(STDOUT_FILENO, COLOR_GRAY), time,
           term_reset(STDOUT_FILENO), who ? who : "", who ? ": " : "",
           term_color(STDOUT_FILENO, color), what, term_reset(STDOUT_FILENO));
    (void)fflush(stdout);
}

/* PAIRS: key, value, …, NULL; those without a value are left out. */
static void
print_event(const Monitor *monitor, const char *event, const char *const *pairs)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&builder, "{sv}", "time", g_variant_new_int64(g_get_real_time()));
    g_variant_builder_add(&builder, "{sv}", "event", g_variant_new_string(event));
    for (; *pairs; pairs += 2)
        if (pairs[1])
            g_variant_builder_add(&builder, "{sv}", pairs[0], g_variant_new_string(pairs[1]));
    json_print(g_variant_builder_end(&builder));
    (void)fflush(stdout);
}

static const char *
domain_string(const Monitor *monitor, const char *path, const char *property)
{
    const char *text =
        inventory_string(monitor->mirror.inventory, path, VMS_DOMAIN_INTERFACE, property);

    return text ? text : "";
}

static bool
is_wanted(const Monitor *monitor, const char *path)
{
    return !*monitor->wanted || g_strv_contains((const char *const *)monitor->wanted, path);
}

static void
tell_state(const Monitor *monitor, const char *path, const char *name, const char *before,
           const char *state)
{
    const char *reason = domain_string(monitor, path, "StateReason");

    if (!is_wanted(monitor, path))
        return;
    if (monitor->client->options->json) {
        print_event(monitor, "state",
                    (const char *[]){"vm", name, "path", path, "from", before, "to", state,
                                     "reason", reason, NULL});
        return;
    }
    g_autofree char *text = before ? g_strdup_printf("%s → %s (%s)", before, state, reason)
                                   : g_strdup_printf("%s (%s)", state, reason);
    print_text(name, term_state_color(state), text);
}

static void
tell(const Monitor *monitor, const char *event, const char *path, const char *name,
     const char *text)
{
    if (!is_wanted(monitor, path))
        return;
    if (monitor->client->options->json)
        print_event(monitor, event, (const char *[]){"vm", name, "path", path, NULL});
    else
        print_text(name, COLOR_NONE, text);
}

/* NULL for an operation, which is the domain's own. */
static const char *
disk_of_job(const Monitor *monitor, const char *job)
{
    const char *disk = inventory_string(monitor->mirror.inventory, job, VMS_JOB_INTERFACE, "Disk");

    return disk && *disk ? disk : NULL;
}

static void
tell_job(const Monitor *monitor, const char *path, const char *name, const char *job)
{
    const char *operation =
        inventory_string(monitor->mirror.inventory, job, VMS_JOB_INTERFACE, "Operation");
    const char *disk = disk_of_job(monitor, job);

    if (!operation || !is_wanted(monitor, path))
        return;
    if (monitor->client->options->json) {
        print_event(monitor, "job-started",
                    (const char *[]){"vm", name, "path", path, "job", job, "operation", operation,
                                     "disk", disk, NULL});
        return;
    }
    g_autofree char *text =
        g_strconcat(operation, disk ? " of " : "", disk ? disk : "", " started", NULL);
    print_text(name, COLOR_NONE, text);
}

/* ROW is NULL for one that is over. */
static void
tell_problem(const Monitor *monitor, const char *path, const char *name, const char *problem,
             GVariant *row)
{
    const char *message = row ? row_text(row, "message", NULL) : NULL;

    if (!is_wanted(monitor, path))
        return;
    if (monitor->client->options->json) {
        print_event(monitor, row ? "problem-added" : "problem-removed",
                    (const char *[]){"vm", name, "path", path, "problem", problem, "message",
                                     message, NULL});
        return;
    }
    g_autofree char *text =
        row ? g_strdup_printf("problem: %s: %s", problem, message ? message : "-")
            : g_strdup_printf("problem over: %s", problem);
    print_text(name, row ? COLOR_RED : COLOR_GREEN, text);
}

static void
sync_problems(const Monitor *monitor, const char *path, const char *name, Told *told)
{
    GVariant *rows = describe_problem_rows(monitor->mirror.inventory, path);
    GHashTable *now = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    GHashTableIter before;
    void *problem;

    for (gsize i = 0; rows && i < g_variant_n_children(rows); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(rows, i);
        char *text = describe_problem(row);

        if (!g_hash_table_contains(told->problems, text))
            tell_problem(monitor, path, name, text, row);
        g_hash_table_add(now, text);
    }
    g_hash_table_iter_init(&before, told->problems);
    while (g_hash_table_iter_next(&before, &problem, NULL))
        if (!g_hash_table_contains(now, problem))
            tell_problem(monitor, path, name, problem, NULL);
    g_hash_table_unref(told->problems);
    told->problems = now;
}

/* A service that has just come knows its VMs once the hypervisor is available. */
static void
sync_gone(Monitor *monitor, const char *path)
{
    Told *told = g_hash_table_lookup(monitor->told, path);

    if (!told || g_strcmp0(monitor->status, "available") != 0)
        return;
    tell(monitor, "removed", path, told->name, "is gone");
    g_hash_table_remove(monitor->told, path);
}

static void
keep(char **kept, const char *text)
{
    g_free(*kept);
    *kept = g_strdup(text);
}

static void
sync_domain(Monitor *monitor, const char *path)
{
    Told *told = g_hash_table_lookup(monitor->told, path);
    const char *name = domain_string(monitor, path, "Name");
    const char *state = domain_string(monitor, path, "State");
    const char *job = domain_string(monitor, path, "Job");
    bool is_new = !told;

    if (!inventory_has(monitor->mirror.inventory, path, VMS_DOMAIN_INTERFACE)) {
        sync_gone(monitor, path);
        return;
    }
    if (is_new) {
        told = g_new0(Told, 1);
        told->problems = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        g_hash_table_insert(monitor->told, g_strdup(path), told);
        if (monitor->was_loaded)
            tell(monitor, "added", path, name, "is new");
    } else if (!g_str_equal(told->name, name)) {
        g_autofree char *text = g_strdup_printf("is now called %s", name);

        tell(monitor, "renamed", path, told->name, text);
    }
    if (is_new || !g_str_equal(told->job, job))
        tell_job(monitor, path, name, job);
    if (is_new || !g_str_equal(told->state, state))
        tell_state(monitor, path, name, told->state, state);
    sync_problems(monitor, path, name, told);
    keep(&told->name, name);
    keep(&told->state, state);
    keep(&told->job, job);
}

static void
sync_service(Monitor *monitor)
{
    const char *status =
        inventory_string(monitor->mirror.inventory, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "Status");
    const char *message = inventory_string(monitor->mirror.inventory, VMS_ROOT_PATH,
                                           VMS_MANAGER_INTERFACE, "StatusMessage");
    const char *uri =
        inventory_string(monitor->mirror.inventory, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "Uri");

    if (!status || g_strcmp0(status, monitor->status) == 0)
        return;
    g_free(monitor->status);
    monitor->status = g_strdup(status);
    if (monitor->client->options->json) {
        print_event(monitor, "status",
                    (const char *[]){"status", status, "message", message, NULL});
        return;
    }
    if (g_str_equal(status, "available")) {
        g_autofree char *text = g_strdup_printf("VMs are available (%s)", uri ? uri : "");

        print_text(NULL, COLOR_GREEN, text);
        return;
    }
    g_autofree char *text =
        g_strdup_printf("VMs are not available: %s%s%s", status, message && *message ? ": " : "",
                        message ? message : "");
    print_text(NULL, COLOR_RED, text);
}

static void
remember_job(Monitor *monitor, const char *job)
{
    const Inventory *inventory = monitor->mirror.inventory;
    const char *path = inventory_string(inventory, job, VMS_JOB_INTERFACE, "Domain");
    ToldJob *told = g_hash_table_lookup(monitor->jobs, job);

    if (!path)
        return;
    if (!told) {
        told = g_new0(ToldJob, 1);
        told->name = g_strdup(inventory_vm_name(inventory, path));
        g_hash_table_insert(monitor->jobs, g_strdup(job), told);
        /* The other jobs are told with the domain's property. */
        if (disk_of_job(monitor, job))
            tell_job(monitor, path, told->name, job);
    }
    told->forced = inventory_bool(inventory, job, VMS_JOB_INTERFACE, "Forced");
}

static void
sync_root(Monitor *monitor)
{
    g_autoptr(GList) known = g_hash_table_get_keys(monitor->told);

    sync_service(monitor);
    for (GList *path = known; path; path = path->next)
        if (!inventory_has(monitor->mirror.inventory, path->data, VMS_DOMAIN_INTERFACE))
            sync_gone(monitor, path->data);
}

static void
on_changed(const char *path, void *data)
{
    if (g_str_has_prefix(path, VMS_DOMAIN_PREFIX "/"))
        sync_domain(data, path);
    else if (g_str_has_prefix(path, VMS_JOB_PREFIX "/"))
        remember_job(data, path);
    else if (g_str_equal(path, VMS_ROOT_PATH))
        sync_root(data);
}

static void
on_loaded(void *data)
{
    Monitor *monitor = data;
    g_autoptr(GPtrArray) paths = inventory_paths(monitor->mirror.inventory, VMS_DOMAIN_PREFIX);
    g_autoptr(GPtrArray) jobs = inventory_paths(monitor->mirror.inventory, VMS_JOB_PREFIX);

    sync_root(monitor);
    for (unsigned i = 0; i < paths->len; i++)
        sync_domain(monitor, paths->pdata[i]);
    for (unsigned i = 0; i < jobs->len; i++)
        remember_job(monitor, jobs->pdata[i]);
    monitor->was_loaded = true;
}

static void
tell_job_end(const Monitor *monitor, GVariant *body)
{
    const char *job, *path, *operation, *result, *message;

    g_variant_get(body, "(&o&o&s&s&s)", &job, &path, &operation, &result, &message);
    const Told *told = g_hash_table_lookup(monitor->told, path);
    const ToldJob *told_job = g_hash_table_lookup(monitor->jobs, job);
    const char *name = told ? told->name : told_job ? told_job->name : path;
    bool is_done = g_str_equal(result, "done");
    const char *remark = follow_remark(is_done && told_job && told_job->forced);

    if (monitor->client->options->json) {
        print_event(monitor, "job-removed",
                    (const char *[]){"vm", name, "path", path, "job", job, "operation", operation,
                                     "result", result, "message", message, "remark", remark, NULL});
        return;
    }
    const char *words = remark ? remark : message;
    g_autofree char *text =
        g_strdup_printf("%s %s%s%s", operation, result, *words ? ": " : "", words);
    print_text(name, !is_done ? COLOR_RED : remark ? COLOR_YELLOW : COLOR_NONE, text);
}

static void
on_signalled(const char *member, GVariant *body, void *data)
{
    Monitor *monitor = data;
    const char *job, *path, *operation, *result, *message;

    if (!g_str_equal(member, "JobRemoved") ||
        !g_variant_is_of_type(body, G_VARIANT_TYPE("(oosss)")))
        return;
    g_variant_get(body, "(&o&o&s&s&s)", &job, &path, &operation, &result, &message);
    if (is_wanted(monitor, path))
        tell_job_end(monitor, body);
    g_hash_table_remove(monitor->jobs, job);
}

static void
on_left(void *data)
{
    Monitor *monitor = data;

    g_hash_table_remove_all(monitor->jobs);
    g_clear_pointer(&monitor->status, g_free);
    if (monitor->client->options->json)
        print_event(monitor, "service-left", (const char *[]){NULL});
    else
        print_text(NULL, COLOR_RED, "The service left the bus");
}

static void
on_failed(const GError *error, void *data)
{
    Monitor *monitor = data;
    ExitStatus status = failure_report(NULL, error);

    /* A service that was there before is waited for. */
    if (!monitor->was_loaded)
        (void)sd_event_exit(monitor->loop, (int)status);
}

static const MirrorEvents events = {on_loaded, on_changed, on_signalled, on_left, on_failed};

static ExitStatus
run(Client *client, const Command *command, char **arguments)
{
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) wanted = client_find_vms(client, arguments, &error);
    Monitor monitor = {.client = client, .wanted = wanted};
    ExitStatus status;

    if (!wanted)
        return failure_report(NULL, error);
    monitor.told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, told_free);
    monitor.jobs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, told_job_free);
    monitor.loop = loop_new(&error);
    if (monitor.loop &&
        mirror_open(&monitor.mirror, client, monitor.loop, &events, &monitor, &error))
        status = loop_run(client, monitor.loop);
    else
        status = failure_report(NULL, error);

    mirror_close(&monitor.mirror);
    g_hash_table_unref(monitor.told);
    g_hash_table_unref(monitor.jobs);
    g_free(monitor.status);
    sd_event_unref(monitor.loop);
    /* Nothing else ends this command. */
    return status == EXIT_INTERRUPTED ? EXIT_OK : status;
}

const Command command_monitor = {.run = run};
