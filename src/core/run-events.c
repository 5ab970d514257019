/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run-events.h"

#include "clock.h"
#include "hypervisor-storage.h"
#include "log.h"

#include <string.h>

struct RunEvents {
    LanePool *lane_pool;
    Cache *cache;
    GHashTable *starts; /* UUID -> uint64_t *: of runs whose state has not been read yet */
    /* Set of key_of(): errors of disks that have a problem, or whose disk is being looked up. A
     * guest may cause thousands of them. */
    GHashTable *disk_errors;
};

/* Asks which disks have errors. */
typedef struct {
    Call call;
    RunEvents *run;
    GPtrArray *errors; /* DiskError */
} LookCall;

/* Finds the disk that an event means. */
typedef struct {
    Call call;
    RunEvents *run;
    char uuid[UUID_LENGTH + 1];
    ProblemKind kind;
    bool reported;
    uint64_t since;
    char *alias;
    char *target;
} FindCall;

static const struct {
    HypervisorEventKind event;
    ProblemKind kind;
    const char *message;
} problems[] = {
    {EVENT_IO_ERROR, PROBLEM_IO_ERROR, "The disk has an I/O error"},
    {EVENT_NO_SPACE, PROBLEM_NO_SPACE, "The storage of the disk is full"},
    {EVENT_WATCHDOG, PROBLEM_WATCHDOG, "The watchdog has fired: the guest hangs"},
    {EVENT_PANICKED, PROBLEM_PANICKED, "The guest's kernel has panicked"},
    {EVENT_MEMORY_FAILURE, PROBLEM_MEMORY_FAILURE, "Memory of the host has failed"},
    {EVENT_CONTROL_ERROR, PROBLEM_CONTROL_ERROR,
     "libvirt has lost control of the hypervisor's process"},
};

static const char *
message_of(ProblemKind kind)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(problems); i++)
        if (problems[i].kind == kind)
            return problems[i].message;
    return "";
}

static void
add_problem(RunEvents *run, const char *uuid, const Problem *problem)
{
    Domain *domain = cache_find(run->cache, uuid);

    if (!domain || domain->id < 0)
        return;
    cache_before_change(run->cache, domain, DOMAIN_CHANGED(PROBLEMS));
    domain_add_problem(domain, problem);
    cache_changed(run->cache, domain);
}

/* --- errors of disks ---------------------------------------------------------------------- */

static char *
key_of(const char *uuid, ProblemKind kind, const char *alias)
{
    return g_strdup_printf("%s %d %s", uuid, kind, alias);
}

static gboolean
is_of_domain(gpointer key, gpointer value, gpointer uuid)
{
    return g_str_has_prefix(key, uuid);
}

static void
forget_disk_errors(RunEvents *run, const char *uuid)
{
    g_hash_table_foreach_remove(run->disk_errors, is_of_domain, (gpointer)uuid);
}

static void
free_find(Call *call)
{
    FindCall *find = (FindCall *)call;

    g_free(find->alias);
    g_free(find->target);
    g_free(find);
}

static bool
work_find(Call *call, Hypervisor *h, Error **error)
{
    FindCall *find = (FindCall *)call;

    return hypervisor_find_disk(h, find->uuid, find->alias, &find->target, error);
}

static void
on_found(Call *call, CallOutcome outcome, const Error *error)
{
    FindCall *find = (FindCall *)call;
    g_autofree char *key = key_of(find->uuid, find->kind, find->alias);

    /* The guest was resumed meanwhile, or its run is over. */
    if (!g_hash_table_contains(find->run->disk_errors, key))
        return;
    if (outcome != OUTCOME_OK) {
        if (outcome == OUTCOME_FAILED)
            log_message(LOG_WARNING, "Which disk of domain %s has an error is not known: %s",
                        find->uuid, error->message);
        g_hash_table_remove(find->run->disk_errors, key);
        return;
    }
    add_problem(find->run, find->uuid,
                &(Problem){
                    .kind = find->kind,
                    .reported = find->reported,
                    .device = find->target ? find->target : "",
                    .message = message_of(find->kind),
                    .since = find->since,
                });
}

static void
find_disk(RunEvents *run, const HypervisorEvent *event, ProblemKind kind)
{
    FindCall *find;

    if (!g_hash_table_add(run->disk_errors, key_of(event->uuid, kind, event->device)))
        return;
    find = g_new0(FindCall, 1);
    find->call.class = lane_pool_xml_waits(run->lane_pool) ? CALL_XML : CALL_QUICK;
    find->call.name = "virDomainGetXMLDesc";
    g_strlcpy(find->call.key, event->uuid, sizeof find->call.key);
    find->call.work = work_find;
    find->call.done = on_found;
    find->call.free = free_find;
    find->run = run;
    g_strlcpy(find->uuid, event->uuid, sizeof find->uuid);
    find->kind = kind;
    find->reported = event->reported;
    find->since = event->time;
    find->alias = g_strdup(event->device);
    lane_pool_submit(run->lane_pool, &find->call);
}

/* --- problems without an event ------------------------------------------------------------ */

static void
free_look(Call *call)
{
    LookCall *look = (LookCall *)call;

    g_clear_pointer(&look->errors, g_ptr_array_unref);
    g_free(look);
}

static bool
work_look(Call *call, Hypervisor *h, Error **error)
{
    LookCall *look = (LookCall *)call;

    look->errors = hypervisor_disk_errors(h, call->key, error);
    return look->errors != NULL;
}

/* In the place of an alias: no disk has this one. */
#define ANY_DISK ""

static void
on_looked(Call *call, CallOutcome outcome, const Error *error)
{
    LookCall *look = (LookCall *)call;
    g_autofree char *key = key_of(call->key, PROBLEM_IO_ERROR, ANY_DISK);

    /* The guest was resumed meanwhile, or its run is over. */
    if (!g_hash_table_contains(look->run->disk_errors, key))
        return;
    if (outcome != OUTCOME_OK) {
        if (outcome == OUTCOME_FAILED)
            log_message(LOG_WARNING, "Which disks of domain %s have errors is not known: %s",
                        call->key, error->message);
        /* The next update asks again. */
        g_hash_table_remove(look->run->disk_errors, key);
        return;
    }
    for (unsigned i = 0; i < look->errors->len; i++) {
        const DiskError *found = look->errors->pdata[i];
        ProblemKind kind = found->no_space ? PROBLEM_NO_SPACE : PROBLEM_IO_ERROR;

        add_problem(look->run, call->key,
                    &(Problem){
                        .kind = kind,
                        .device = found->target,
                        .message = message_of(kind),
                        .since = clock_realtime_usec(),
                    });
    }
}

static void
look_for_disk_errors(RunEvents *run, const char *uuid)
{
    /* An event has told of one, or it is being looked for. */
    if (g_hash_table_find(run->disk_errors, is_of_domain, (gpointer)uuid))
        return;
    LookCall *look = g_new0(LookCall, 1);

    g_hash_table_add(run->disk_errors, key_of(uuid, PROBLEM_IO_ERROR, ANY_DISK));
    look->run = run;
    look->call.class = CALL_SIZES;
    look->call.name = "virDomainGetDiskErrors";
    g_strlcpy(look->call.key, uuid, sizeof look->call.key);
    look->call.work = work_look;
    look->call.done = on_looked;
    look->call.free = free_look;
    lane_pool_submit(run->lane_pool, &look->call);
}

void
run_events_search(RunEvents *run, const Domain *domain)
{
    if (domain->state == DOMAIN_PAUSED && g_str_equal(domain->reason, "io-error"))
        look_for_disk_errors(run, domain->uuid);
    else if (domain->state == DOMAIN_CRASHED && g_str_equal(domain->reason, "panicked"))
        add_problem(run, domain->uuid,
                    &(Problem){
                        .kind = PROBLEM_PANICKED,
                        .device = "",
                        .message = message_of(PROBLEM_PANICKED),
                        .since = clock_realtime_usec(),
                    });
}

/* --- events ------------------------------------------------------------------------------- */

static void
take_problem(RunEvents *run, const HypervisorEvent *event)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(problems); i++) {
        if (problems[i].event != event->kind)
            continue;
        if (event->kind == EVENT_IO_ERROR || event->kind == EVENT_NO_SPACE)
            find_disk(run, event, problems[i].kind);
        else
            add_problem(run, event->uuid,
                        &(Problem){
                            .kind = problems[i].kind,
                            .device = "",
                            .message = problems[i].message,
                            .since = event->time,
                        });
    }
}

static void
end_problems(RunEvents *run, const char *uuid, ProblemsEnd why)
{
    Domain *domain = cache_find(run->cache, uuid);

    forget_disk_errors(run, uuid);
    if (!domain)
        return;
    cache_before_change(run->cache, domain, DOMAIN_CHANGED(PROBLEMS));
    domain_end_problems(domain, why);
    cache_changed(run->cache, domain);
}

void
run_events_take(RunEvents *run, const HypervisorEvent *event)
{
    switch (event->kind) {
    case EVENT_STARTED:
        forget_disk_errors(run, event->uuid);
        g_hash_table_insert(run->starts, g_strdup(event->uuid),
                            g_memdup2(&event->time, sizeof event->time));
        break;
    case EVENT_RESUMED:
        end_problems(run, event->uuid, PROBLEMS_END_RESUMED);
        break;
    case EVENT_REBOOTED:
        end_problems(run, event->uuid, PROBLEMS_END_RESET);
        break;
    case EVENT_STOPPED:
    case EVENT_MIGRATED:
        g_hash_table_remove(run->starts, event->uuid);
        forget_disk_errors(run, event->uuid);
        break;
    case EVENT_DEVICE_REMOVED:
        forget_disk_errors(run, event->uuid);
        break;
    default:
        take_problem(run, event);
        break;
    }
}

void
run_events_complete(RunEvents *run, DomainUpdate *update)
{
    const Domain *domain = cache_find(run->cache, update->uuid);
    const uint64_t *start = g_hash_table_lookup(run->starts, update->uuid);

    if (!(update->known & FACT_STATE) || update->id < 0)
        return;
    if (domain && domain->id == update->id && domain->started_at)
        update->started_at = 0;
    else if (start)
        update->started_at = *start;
    g_hash_table_remove(run->starts, update->uuid);
}

void
run_events_forget(RunEvents *run, const char *uuid)
{
    g_hash_table_remove(run->starts, uuid);
    forget_disk_errors(run, uuid);
}

void
run_events_connection_lost(RunEvents *run)
{
    g_hash_table_remove_all(run->starts);
    g_hash_table_remove_all(run->disk_errors);
}

/* --- life --------------------------------------------------------------------------------- */

RunEvents *
run_events_new(LanePool *lane_pool, Cache *cache)
{
    RunEvents *run = g_new0(RunEvents, 1);

    run->lane_pool = lane_pool;
    run->cache = cache;
    run->starts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    run->disk_errors = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return run;
}

void
run_events_free(RunEvents *run)
{
    if (!run)
        return;
    g_hash_table_unref(run->starts);
    g_hash_table_unref(run->disk_errors);
    g_free(run);
}
