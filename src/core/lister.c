/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lister.h"

#include "deferred.h"
#include "hypervisor-list.h"
#include "log.h"
#include "single-flight.h"
#include "timer.h"
#include "units.h"

/* A list that takes longer than this hangs on a domain. */
#define LIST_LIMIT         (1 * SEC)
/* Changes that libvirt sends no event for are looked for this often, and so seen within a minute.
 */
#define RECONCILE_INTERVAL (50 * SEC)
#define RECONCILE_ACCURACY (5 * SEC)
/* Snapshots are counted by one round trip a domain; a reconciliation may spend this many. */
#define COUNTS_MAX         16

typedef struct {
    Call call;
    Lister *lister;
    bool hangs; /* nobody waits for it any longer */
    GPtrArray *updates;
} ListCall;

struct Lister {
    ListerParts parts;
    SingleFlight *flight;
    ListCall *listing; /* the list that those in flight wait for; NULL: it is made up */
    Timer *limit_timer;
    Deferred *fallback; /* applies the known domains in the place of a list */
    Timer *reconcile_timer;
    GPtrArray *applying; /* Applying */
    unsigned n_hanging;  /* lists that did not come in time, and have not come since */
    bool incomplete;     /* the last list was made up of the domains that are known */
    unsigned next_count; /* the place in the list where the next reconciliation begins to count */
};

/* Waiters whose list has come; they wait until it has been applied. */
typedef struct {
    Lister *lister;
    Waiters *waiters; /* NULL once they are answered */
    Pending pending;
} Applying;

static void
free_applying(gpointer data)
{
    Applying *applying = data;

    pending_cancel(&applying->pending);
    waiters_free(applying->waiters);
    g_free(applying);
}

static void
on_applied(void *userdata, CallOutcome outcome, void *answer, const Error *error)
{
    Applying *applying = userdata;

    waiters_answer(g_steal_pointer(&applying->waiters), OUTCOME_OK, NULL, NULL);
    g_ptr_array_remove_fast(applying->lister->applying, applying);
}

static void
mark(Lister *lister, GHashTable *different)
{
    GHashTableIter iter;
    gpointer uuid, facts;

    g_hash_table_iter_init(&iter, different);
    while (g_hash_table_iter_next(&iter, &uuid, &facts))
        refresher_mark(lister->parts.refresher, uuid, GPOINTER_TO_UINT(facts));
}

/*
 * libvirt lists which domains have snapshots, but tells their number one domain at a time: for a
 * caller all are counted, for a reconciliation COUNTS_MAX from where the last one ended.
 */
static void
add_uncounted(Lister *lister, GHashTable *different, const GPtrArray *updates, bool count_all)
{
    unsigned budget = count_all ? updates->len : COUNTS_MAX;

    for (unsigned i = 0; i < updates->len && budget > 0; i++) {
        unsigned place = (lister->next_count + i) % updates->len;
        const DomainUpdate *update = updates->pdata[place];
        unsigned facts = GPOINTER_TO_UINT(g_hash_table_lookup(different, update->uuid));

        if (!update->has_snapshots)
            continue;
        g_hash_table_insert(different, g_strdup(update->uuid),
                            GUINT_TO_POINTER(facts | FACT_SNAPSHOTS));
        if (--budget == 0 && !count_all)
            lister->next_count = place + 1;
    }
}

static bool
would_hang(const Lister *lister)
{
    return lister->n_hanging > 0 || unresponsive_has_suspects(lister->parts.unresponsive);
}

/* Answer the waiters when the domains of this set, which it takes, have been refreshed. */
static void
answer_refreshed(Lister *lister, GHashTable *uuids, Waiters *waiters)
{
    Applying *applying = g_new0(Applying, 1);

    applying->lister = lister;
    applying->waiters = waiters;
    g_ptr_array_add(lister->applying, applying);
    refresher_wait(lister->parts.refresher, uuids, &applying->pending, on_applied, applying);
}

static void
apply(Lister *lister, const GPtrArray *updates, Waiters *waiters)
{
    GHashTable *different = cache_compare(lister->parts.cache, updates);

    add_uncounted(lister, different, updates, waiters_count(waiters) > 0);
    mark(lister, different);
    answer_refreshed(lister, different, waiters);
}

/* Read each domain that is known. */
static void
read_known(Lister *lister)
{
    Waiters *waiters = single_flight_finish(lister->flight);
    GHashTable *known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    GHashTableIter iter;
    gpointer uuid;

    lister->incomplete = true;
    cache_iter_init(&iter, lister->parts.cache);
    while (g_hash_table_iter_next(&iter, &uuid, NULL))
        g_hash_table_insert(known, g_strdup(uuid), GUINT_TO_POINTER(FACT_STATE | FACT_FLAGS));
    mark(lister, known);
    answer_refreshed(lister, known, waiters);
    single_flight_start_next(lister->flight);
}

static void
on_listed(Call *call, CallOutcome outcome, const Error *error)
{
    ListCall *list = (ListCall *)call;
    Lister *lister = list->lister;

    /* A list that hung may be out of date by now, so it is not applied. */
    if (list->hangs) {
        lister->n_hanging--;
        lister_go_on(lister);
        return;
    }
    Waiters *waiters = single_flight_finish(lister->flight);

    timer_disarm(lister->limit_timer);
    lister->listing = NULL;
    if (outcome == OUTCOME_OK) {
        lister->incomplete = false;
        apply(lister, list->updates, waiters);
    } else {
        if (outcome == OUTCOME_FAILED)
            log_message(LOG_WARNING, "Listing the domains failed: %s", error->message);
        waiters_answer(waiters, outcome, NULL, error);
    }
    single_flight_start_next(lister->flight);
}

static bool
work_list(Call *call, Hypervisor *h, Error **error)
{
    ListCall *list = (ListCall *)call;

    list->updates = hypervisor_list(h, error);
    return list->updates != NULL;
}

static void
free_list(Call *call)
{
    ListCall *list = (ListCall *)call;

    if (list->updates)
        g_ptr_array_unref(list->updates);
    g_free(list);
}

static void
start_listing(void *userdata)
{
    Lister *lister = userdata;

    /* A list would hang, and occupy one of libvirtd's workers. */
    if (would_hang(lister)) {
        deferred_schedule(lister->fallback);
        return;
    }
    ListCall *list = g_new0(ListCall, 1);

    list->lister = lister;
    list->call.class = CALL_QUICK;
    list->call.name = "virConnectGetAllDomainStats";
    list->call.work = work_list;
    list->call.done = on_listed;
    list->call.free = free_list;
    timer_arm_relative(lister->limit_timer, LIST_LIMIT);
    lister->listing = list;
    lane_pool_submit(lister->parts.lane_pool, &list->call);
}

static void
on_fallback(void *userdata)
{
    read_known(userdata);
}

static void
on_limit(void *userdata)
{
    Lister *lister = userdata;
    ListCall *list = g_steal_pointer(&lister->listing);

    list->hangs = true;
    lister->n_hanging++;
    read_known(lister);
}

static void
on_reconcile(void *userdata)
{
    Lister *lister = userdata;

    single_flight_start(lister->flight);
    timer_arm_relative(lister->reconcile_timer, RECONCILE_INTERVAL);
}

void
lister_list(Lister *lister, Pending *pending, WaiterDone done, void *userdata)
{
    single_flight_join(lister->flight, pending, done, userdata);
}

void
lister_list_later(Lister *lister)
{
    lister->incomplete = true;
}

void
lister_go_on(Lister *lister)
{
    if (lister->incomplete && !would_hang(lister))
        single_flight_start(lister->flight);
}

void
lister_set_connected(Lister *lister, bool connected)
{
    if (connected) {
        timer_arm_relative(lister->reconcile_timer, RECONCILE_INTERVAL);
    } else {
        lister->incomplete = false;
        timer_disarm(lister->reconcile_timer);
    }
}

Lister *
lister_new(const ListerParts *parts)
{
    Lister *lister = g_new0(Lister, 1);

    lister->parts = *parts;
    lister->flight = single_flight_new(start_listing, lister);
    lister->applying = g_ptr_array_new_with_free_func(free_applying);
    lister->limit_timer = timer_new(parts->event, SEC / 10, on_limit, lister);
    lister->fallback = deferred_new(parts->event, DEFERRED_IN_TURN, on_fallback, lister);
    lister->reconcile_timer = timer_new(parts->event, RECONCILE_ACCURACY, on_reconcile, lister);
    return lister;
}

void
lister_free(Lister *lister)
{
    if (!lister)
        return;
    single_flight_free(lister->flight);
    g_ptr_array_unref(lister->applying);
    timer_free(lister->limit_timer);
    deferred_free(lister->fallback);
    timer_free(lister->reconcile_timer);
    g_free(lister);
}
