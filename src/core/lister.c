/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager.h"

#include "hypervisor-list.h"
#include "log.h"
#include "object-path.h"
#include "retry.h"

#include <time.h>

/* A list that takes longer than this: the daemon may breathe, but it does not work. */
#define LIST_LIMIT_USEC (40 * UINT64_C(1000000))

typedef struct {
    Call call;
    Manager *manager;
    GPtrArray *snapshots;
} ListCall;

static void start_listing(Manager *m);

static bool
work_list(Call *call, Hypervisor *h, Error **error)
{
    ListCall *list = (ListCall *)call;

    list->snapshots = hypervisor_list(h, error);
    return list->snapshots != NULL;
}

static void
free_list(Call *call)
{
    ListCall *list = (ListCall *)call;

    if (list->snapshots)
        g_ptr_array_unref(list->snapshots);
    g_free(list);
}

static void
reply_list(Request *request)
{
    sd_bus_message *reply = NULL;
    g_autoptr(GPtrArray) domains = manager_sorted_domains(request->manager);
    int r = request_new_reply(request, &reply);

    if (r >= 0)
        r = sd_bus_message_open_container(reply, 'a', "(ssso)");
    for (unsigned i = 0; r >= 0 && i < domains->len; i++) {
        const Domain *domain = domains->pdata[i];

        r = sd_bus_message_append(reply, "(ssso)", domain->uuid, domain->name, domain->state_name,
                                  object_path_of_domain(domain->uuid).text);
    }
    if (r >= 0)
        r = sd_bus_message_close_container(reply);
    if (r >= 0) {
        request_reply_message(request, reply);
        return;
    }
    g_autoptr(Error) error =
        error_new(ERROR_OPERATION_FAILED, "The list cannot be sent: %s", g_strerror(-r));
    sd_bus_message_unref(reply);
    request_fail(request, error);
}

static GHashTable *
copy_set(GHashTable *set)
{
    GHashTable *copy = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    GHashTableIter iter;
    gpointer key;

    g_hash_table_iter_init(&iter, set);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        g_hash_table_add(copy, g_strdup(key));
    return copy;
}

static void
retry_or_fail(Manager *m, Request *request, CallOutcome outcome, const Error *error)
{
    g_autoptr(Error) failure = NULL;

    if (retry_decide(true, outcome, request->retries) == RETRY_AGAIN) {
        request->retries++;
        manager_list(request);
        return;
    }
    failure = retry_failure(outcome, error);
    request_fail(request, failure);
}

static void
on_listed(Call *call, CallOutcome outcome, const Error *error)
{
    ListCall *list = (ListCall *)call;
    Manager *m = list->manager;
    g_autoptr(GPtrArray) waiters = g_steal_pointer(&m->list_waiters);
    g_autoptr(GHashTable) different = NULL;

    m->listing = NULL;
    m->list_waiters = g_ptr_array_new();
    (void)sd_event_source_set_enabled(m->list_timer, SD_EVENT_OFF);
    if (outcome == OUTCOME_OK)
        different = manager_compare_list(m, list->snapshots, waiters->len > 0);
    else if (outcome == OUTCOME_FAILED)
        log_message(LOG_WARNING, "Listing the domains failed: %s", error->message);
    for (unsigned i = 0; i < waiters->len; i++) {
        Request *request = waiters->pdata[i];

        request->joined_list = false;
        if (outcome == OUTCOME_OK)
            request_when_refreshed(request, copy_set(different), reply_list);
        else
            retry_or_fail(m, request, outcome, error);
    }
    if (m->list_next->len > 0 && !m->listing)
        start_listing(m);
}

static void
start_listing(Manager *m)
{
    ListCall *list = g_new0(ListCall, 1);
    GPtrArray *next = m->list_waiters;

    list->manager = m;
    list->call.class = CALL_QUICK;
    list->call.name = "virConnectGetAllDomainStats";
    list->call.work = work_list;
    list->call.done = on_listed;
    list->call.free = free_list;
    /* Who came before now gets what is asked from now on. */
    m->list_waiters = m->list_next;
    m->list_next = next;
    m->listing = &list->call;
    (void)sd_event_source_set_time_relative(m->list_timer, LIST_LIMIT_USEC);
    (void)sd_event_source_set_enabled(m->list_timer, SD_EVENT_ONESHOT);
    lane_pool_submit(m->lane_pool, &list->call);
}

static void
join_list(Request *request)
{
    Manager *m = request->manager;

    request->joined_list = true;
    g_ptr_array_add(m->list_next, request);
    if (!m->listing)
        start_listing(m);
}

void
manager_list(Request *request)
{
    request_when_available(request, join_list);
}

void
manager_list_forget(Manager *m, Request *request)
{
    g_ptr_array_remove(m->list_waiters, request);
    g_ptr_array_remove(m->list_next, request);
}

void
manager_reconcile(Manager *m)
{
    if (!m->listing && m->available)
        start_listing(m);
}

static int
on_list_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    Manager *m = userdata;

    availability_lost(m->availability, manager_now(m), availability_generation(m->availability),
                      "libvirt does not answer: listing the domains takes too long");
    return 0;
}

int
manager_list_init(Manager *m)
{
    int r = sd_event_add_time(m->event, &m->list_timer, CLOCK_MONOTONIC, 0, 0, on_list_timer, m);

    m->list_waiters = g_ptr_array_new();
    m->list_next = g_ptr_array_new();
    return r < 0 ? r : sd_event_source_set_enabled(m->list_timer, SD_EVENT_OFF);
}

void
manager_list_done(Manager *m)
{
    sd_event_source_disable_unref(m->list_timer);
    g_clear_pointer(&m->list_waiters, g_ptr_array_unref);
    g_clear_pointer(&m->list_next, g_ptr_array_unref);
}
