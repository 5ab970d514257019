/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "refresher.h"

#include "clock.h"
#include "deferred.h"
#include "hypervisor-domain.h"
#include "hypervisor-list.h"
#include "log.h"
#include "timer.h"

#define STATES_BATCH_MAX     256
#define FACTS_BATCH_MAX      32
#define FACTS_QUERIES_MAX    2
#define HANGS_AFTER_USEC     (1000 * UINT64_C(1000))
#define PERIOD_ACCURACY_USEC (100 * UINT64_C(1000))
/* A query that fails although there is a connection is repeated so often; after that the next event
 * or reconciliation repeats it, and its waiters go on with what is known. */
#define TRIES_MAX            4
#define TRY_AGAIN_USEC       (250 * UINT64_C(1000))

/* A domain of which something is stale. */
typedef struct {
    char uuid[UUID_LENGTH + 1];
    DomainFacts stale;
    DomainFacts asked;  /* by the query under way */
    unsigned query;     /* its number; an answer to another one is out of date */
    bool alone;         /* a query with it hung: it shares none */
    bool queued;        /* in `ready` */
    bool put_off;       /* its last query failed: it is tried again when the time comes */
    unsigned tries;     /* that failed, one after the other */
    DomainUpdate *held; /* of a domain that is not published yet */
} Entry;

typedef struct Query {
    Call call;
    Refresher *refresher;
    unsigned number;
    bool states; /* reads FACT_STATE of all in one round trip; else other facts, one by one */
    uint64_t asked_at;
    GPtrArray *uuids;  /* NULL-terminated */
    GArray *wanted;    /* DomainFacts of each, where it reads facts */
    GPtrArray *answer; /* DomainUpdate; those that are missing are gone */
    bool alone;        /* of one domain that may hang: it takes no place of the others */
    bool split;        /* it hangs: each of its domains is asked about alone */
} Query;

struct Refresher {
    LanePool *lane_pool;
    const RefreshCallbacks *callbacks;
    void *userdata;

    GHashTable *entries; /* uuid (of the entry) -> Entry */
    GQueue ready;        /* entries with something stale and no query under way */
    GPtrArray *queries;
    unsigned last_number;
    bool connected;
    GQueue waiting;     /* Wait, in the order in which they came */
    Deferred *pump;     /* one turn's marks share a query */
    Timer *hang_timer;  /* when the oldest query hangs */
    Timer *again_timer; /* for the domains that are put off */
};

/* Somebody who waits until none of these domains is stale. */
typedef struct {
    GQueue *queue; /* that it is in */
    GList link;
    GHashTable *stale;    /* set of UUIDs */
    bool awaits_suspects; /* waits for suspect domains, too */
    Pending *pending;
    WaiterDone done;
    void *userdata;
} Wait;

/* --- entries ------------------------------------------------------------------------------ */

static void
free_entry(gpointer data)
{
    Entry *entry = data;

    domain_update_free(entry->held);
    g_free(entry);
}

static Entry *
get_entry(Refresher *refresher, const char *uuid)
{
    Entry *entry = g_hash_table_lookup(refresher->entries, uuid);

    if (entry)
        return entry;
    entry = g_new0(Entry, 1);
    g_strlcpy(entry->uuid, uuid, sizeof entry->uuid);
    g_hash_table_insert(refresher->entries, entry->uuid, entry);
    return entry;
}

static void
queue_entry(Refresher *refresher, Entry *entry)
{
    if (entry->queued || entry->asked || !entry->stale)
        return;
    entry->queued = true;
    entry->put_off = false;
    g_queue_push_tail(&refresher->ready, entry);
    if (refresher->connected)
        deferred_schedule(refresher->pump);
}

/* --- waiting ------------------------------------------------------------------------------ */

static void
free_wait(void *data)
{
    Wait *wait = data;

    g_queue_unlink(wait->queue, &wait->link);
    g_hash_table_unref(wait->stale);
    g_free(wait);
}

static void
push_wait(GQueue *queue, Wait *wait)
{
    wait->queue = queue;
    g_queue_push_tail_link(queue, &wait->link);
}

static void
answer_wait(Wait *wait)
{
    WaiterDone done = wait->done;
    void *userdata = wait->userdata;

    *wait->pending = (Pending){0};
    free_wait(wait);
    done(userdata, OUTCOME_OK, NULL, NULL);
}

/* Take the domain off every wait; without `all`, off those alone that do not wait for suspect
 * domains. */
static void
answer_waits(Refresher *refresher, const char *uuid, bool all)
{
    GQueue ready = G_QUEUE_INIT;

    for (GList *link = refresher->waiting.head, *next; link; link = next) {
        Wait *wait = link->data;

        next = link->next;
        if ((wait->awaits_suspects && !all) || !g_hash_table_remove(wait->stale, uuid) ||
            g_hash_table_size(wait->stale) > 0)
            continue;
        g_queue_unlink(&refresher->waiting, link);
        push_wait(&ready, wait);
    }
    /* Each may wait again, and may cancel others that are answered here. */
    while (!g_queue_is_empty(&ready))
        answer_wait(g_queue_peek_head(&ready));
}

static void
finish_refresh(Refresher *refresher, Entry *entry)
{
    char uuid[UUID_LENGTH + 1];

    g_strlcpy(uuid, entry->uuid, sizeof uuid);
    if (entry->queued)
        g_queue_remove(&refresher->ready, entry);
    g_hash_table_remove(refresher->entries, uuid);
    refresher->callbacks->refreshed(refresher->userdata, uuid);
    answer_waits(refresher, uuid, true);
}

/* --- queries ---------------------------------------------------------------------------- */

static void
free_query(Call *call)
{
    Query *query = (Query *)call;

    g_ptr_array_unref(query->uuids);
    g_array_unref(query->wanted);
    if (query->answer)
        g_ptr_array_unref(query->answer);
    g_free(query);
}

static bool
work_read_states(Call *call, Hypervisor *h, Error **error)
{
    Query *query = (Query *)call;

    query->answer = hypervisor_read_states(h, (const char *const *)query->uuids->pdata, error);
    return query->answer != NULL;
}

static bool
work_read_facts(Call *call, Hypervisor *h, Error **error)
{
    Query *query = (Query *)call;

    query->answer =
        g_ptr_array_new_with_free_func((GDestroyNotify)(void (*)(void))domain_update_free);
    for (unsigned i = 0; query->uuids->pdata[i]; i++) {
        g_autoptr(DomainUpdate) snapshot = domain_update_new(query->uuids->pdata[i]);
        DomainFacts wanted = g_array_index(query->wanted, DomainFacts, i);
        g_autoptr(Error) problem = NULL;

        if (!hypervisor_read_facts(h, wanted, snapshot, &problem)) {
            if (!hypervisor_is_alive(h)) {
                *error = g_steal_pointer(&problem);
                return false;
            }
            if (problem->kind == ERROR_NO_SUCH_DOMAIN)
                continue;
            /* One domain that cannot be read hides no other; what could be read is used. */
            log_message(LOG_WARNING, "Reading domain %s failed: %s", snapshot->uuid,
                        problem->message);
        }
        g_ptr_array_add(query->answer, g_steal_pointer(&snapshot));
    }
    return true;
}

static DomainUpdate *
take_answer(Query *query, const char *uuid)
{
    for (unsigned i = 0; i < query->answer->len; i++) {
        DomainUpdate *snapshot = query->answer->pdata[i];

        if (g_str_equal(snapshot->uuid, uuid))
            return g_ptr_array_steal_index_fast(query->answer, i);
    }
    return NULL;
}

/* Add to what is held back what `news` knows. */
static void
hold(Entry *entry, DomainUpdate *news)
{
    DomainUpdate *held = entry->held;

    if (!held) {
        entry->held = news;
        return;
    }
    if (news->known & FACT_STATE) {
        g_free(held->name);
        held->name = g_steal_pointer(&news->name);
        held->state = news->state;
        held->reason = news->reason;
        held->id = news->id;
    }
    if (news->known & FACT_PERSISTENT)
        held->persistent = news->persistent;
    if (news->known & FACT_AUTOSTART)
        held->autostart = news->autostart;
    if (news->known & FACT_MANAGED_SAVE)
        held->has_managed_save = news->has_managed_save;
    if (news->known & FACT_SNAPSHOTS)
        held->snapshot_count = news->snapshot_count;
    if (news->known & FACT_XML)
        domain_update_take_xml(held, news);
    held->known |= news->known;
    domain_update_free(news);
}

static void
apply_news(Refresher *refresher, Entry *entry, DomainUpdate *news)
{
    bool known = refresher->callbacks->is_known(refresher->userdata, entry->uuid);

    if (!known) {
        hold(entry, news);
        /* A new domain is published with all that can be read of it. */
        entry->stale |= (DomainFacts)(FACT_ALL & ~(int)(entry->held->known | entry->asked));
        return;
    }
    refresher->callbacks->apply(refresher->userdata, entry->uuid, news);
    domain_update_free(news);
}

static void
finish_entry(Refresher *refresher, Entry *entry)
{
    entry->asked = 0;
    if (entry->stale) {
        queue_entry(refresher, entry);
        return;
    }
    /* A list may have published it meanwhile, with what is newer. */
    if (entry->held && !refresher->callbacks->is_known(refresher->userdata, entry->uuid))
        refresher->callbacks->apply(refresher->userdata, entry->uuid, entry->held);
    finish_refresh(refresher, entry);
}

/* There is no such domain; but where it was marked since that was asked, it may be there again. */
static void
finish_gone(Refresher *refresher, Entry *entry)
{
    g_clear_pointer(&entry->held, domain_update_free);
    entry->asked = 0;
    if (entry->stale & FACT_STATE)
        queue_entry(refresher, entry);
    else
        finish_refresh(refresher, entry);
}

static void
answer_entry(Refresher *refresher, Entry *entry, Query *query)
{
    DomainUpdate *news = take_answer(query, entry->uuid);

    entry->tries = 0;
    if (news) {
        apply_news(refresher, entry, news);
        finish_entry(refresher, entry);
    } else if (entry->asked & FACT_STATE) {
        refresher->callbacks->apply(refresher->userdata, entry->uuid, NULL);
        finish_gone(refresher, entry);
    } else {
        /* It went between two queries: reading its state makes sure. */
        entry->stale = FACT_ALL;
        finish_entry(refresher, entry);
    }
}

/* The connection was lost: query again on the next one. */
static void
return_entry(Refresher *refresher, Entry *entry)
{
    entry->stale |= entry->asked;
    entry->asked = 0;
    queue_entry(refresher, entry);
}

static void
fail_entry(Refresher *refresher, Entry *entry, const Error *error)
{
    if (++entry->tries == TRIES_MAX) {
        log_message(LOG_WARNING, "Looking at domain %s failed: %s", entry->uuid, error->message);
        entry->tries = 0;
        finish_entry(refresher, entry);
        return;
    }
    entry->stale |= entry->asked;
    entry->asked = 0;
    entry->put_off = true;
    timer_arm_relative(refresher->again_timer, TRY_AGAIN_USEC);
}

static void
on_again_timer(void *userdata)
{
    Refresher *refresher = userdata;
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, refresher->entries);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Entry *entry = value;

        if (entry->put_off)
            queue_entry(refresher, entry);
    }
}

static void
on_answer(Call *call, CallOutcome outcome, const Error *error)
{
    Query *query = (Query *)call;
    Refresher *refresher = query->refresher;

    g_ptr_array_remove_fast(refresher->queries, query);
    for (unsigned i = 0; query->uuids->pdata[i]; i++) {
        Entry *entry = g_hash_table_lookup(refresher->entries, query->uuids->pdata[i]);

        if (!entry || entry->query != query->number || !entry->asked)
            continue;
        if (outcome == OUTCOME_OK)
            answer_entry(refresher, entry, query);
        else if (outcome == OUTCOME_FAILED)
            fail_entry(refresher, entry, error);
        else
            return_entry(refresher, entry);
    }
    /* The changes are signalled before the next query keeps libvirt and the processors busy. */
    deferred_schedule(refresher->pump);
}

/* --- asking ------------------------------------------------------------------------------- */

static Query *
query_new(Refresher *refresher, bool states)
{
    Query *query = g_new0(Query, 1);

    query->refresher = refresher;
    query->number = ++refresher->last_number;
    query->states = states;
    query->uuids = g_ptr_array_new_with_free_func(g_free);
    query->wanted = g_array_new(FALSE, FALSE, sizeof(DomainFacts));
    query->call.class = CALL_QUICK;
    query->call.name = states ? "virDomainListGetStats" : "virDomainGetXMLDesc";
    query->call.work = states ? work_read_states : work_read_facts;
    query->call.done = on_answer;
    query->call.free = free_query;
    return query;
}

static void
add_entry(Query *query, Entry *entry)
{
    DomainFacts facts = query->states ? FACT_STATE : (DomainFacts)(entry->stale & ~FACT_STATE);

    entry->queued = false;
    entry->asked = facts;
    entry->stale &= ~facts;
    entry->query = query->number;
    g_ptr_array_add(query->uuids, g_strdup(entry->uuid));
    g_array_append_val(query->wanted, facts);
}

static unsigned
count_queries(const Refresher *refresher, bool states)
{
    unsigned n = 0;

    for (unsigned i = 0; i < refresher->queries->len; i++) {
        const Query *query = refresher->queries->pdata[i];

        if (!query->alone && !query->split && query->states == states)
            n++;
    }
    return n;
}

static void
arm_timer(Refresher *refresher)
{
    uint64_t when = UINT64_MAX;

    for (unsigned i = 0; i < refresher->queries->len; i++) {
        const Query *query = refresher->queries->pdata[i];

        if (!query->alone && !query->split)
            when = MIN(when, query->asked_at + HANGS_AFTER_USEC);
    }
    timer_arm(refresher->hang_timer, when);
}

static void
send_query(Refresher *refresher, Query *query)
{
    g_ptr_array_add(query->uuids, NULL);
    query->asked_at = clock_now_usec();
    g_ptr_array_add(refresher->queries, query);
    lane_pool_submit(refresher->lane_pool, &query->call);
}

static bool
reads_states_first(const Entry *entry)
{
    return (entry->stale & FACT_STATE) != 0;
}

/* Domains that may hang are asked about one by one; how many at once is the lane pool's concern. */
static void
ask_alone(Refresher *refresher)
{
    GList *next;

    for (GList *link = refresher->ready.head; link; link = next) {
        Entry *entry = link->data;

        next = link->next;
        if (!entry->alone && !refresher->callbacks->is_suspect(refresher->userdata, entry->uuid))
            continue;
        Query *query = query_new(refresher, reads_states_first(entry));

        query->alone = true;
        g_strlcpy(query->call.key, entry->uuid, sizeof query->call.key);
        g_queue_delete_link(&refresher->ready, link);
        add_entry(query, entry);
        send_query(refresher, query);
    }
}

/* Take from `ready` what one query of this kind can hold. */
static Query *
collect(Refresher *refresher, bool states)
{
    unsigned max = states ? STATES_BATCH_MAX : FACTS_BATCH_MAX;
    Query *query = NULL;
    GList *next;

    for (GList *link = refresher->ready.head; link; link = next) {
        Entry *entry = link->data;

        next = link->next;
        if (reads_states_first(entry) != states)
            continue;
        if (!query)
            query = query_new(refresher, states);
        g_queue_delete_link(&refresher->ready, link);
        add_entry(query, entry);
        if (query->uuids->len == max)
            break;
    }
    return query;
}

static bool
ask(Refresher *refresher, bool states)
{
    Query *query = collect(refresher, states);

    if (query)
        send_query(refresher, query);
    return query != NULL;
}

static void
pump(Refresher *refresher)
{
    if (!refresher->connected)
        return;
    ask_alone(refresher);
    while (count_queries(refresher, true) < 1 && ask(refresher, true))
        ;
    while (count_queries(refresher, false) < FACTS_QUERIES_MAX && ask(refresher, false))
        ;
    arm_timer(refresher);
}

static void
on_pump(void *userdata)
{
    pump(userdata);
}

/* --- what hangs --------------------------------------------------------------------------- */

/* One of these domains hangs: ask about each of them alone, and ignore this answer. */
static void
split_query(Refresher *refresher, Query *query)
{
    query->split = true;
    for (unsigned i = 0; query->uuids->pdata[i]; i++) {
        Entry *entry = g_hash_table_lookup(refresher->entries, query->uuids->pdata[i]);

        if (!entry || entry->query != query->number || !entry->asked)
            continue;
        entry->alone = true;
        return_entry(refresher, entry);
    }
}

static void
on_hang_timer(void *userdata)
{
    Refresher *refresher = userdata;
    uint64_t now = clock_now_usec();

    for (unsigned i = 0; i < refresher->queries->len; i++) {
        Query *query = refresher->queries->pdata[i];

        if (!query->alone && !query->split && query->asked_at + HANGS_AFTER_USEC <= now)
            split_query(refresher, query);
    }
    pump(refresher);
}

/* --- life --------------------------------------------------------------------------------- */

Refresher *
refresher_new(struct sd_event *event, LanePool *pool, const RefreshCallbacks *callbacks,
              void *userdata)
{
    Refresher *refresher = g_new0(Refresher, 1);

    refresher->lane_pool = pool;
    refresher->callbacks = callbacks;
    refresher->userdata = userdata;
    refresher->entries = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_entry);
    g_queue_init(&refresher->ready);
    refresher->queries = g_ptr_array_new();
    g_queue_init(&refresher->waiting);
    refresher->pump = deferred_new(event, DEFERRED_IN_TURN, on_pump, refresher);
    refresher->hang_timer = timer_new(event, PERIOD_ACCURACY_USEC, on_hang_timer, refresher);
    refresher->again_timer = timer_new(event, PERIOD_ACCURACY_USEC, on_again_timer, refresher);
    return refresher;
}

void
refresher_free(Refresher *refresher)
{
    if (!refresher)
        return;
    while (!g_queue_is_empty(&refresher->waiting))
        pending_cancel(((Wait *)g_queue_peek_head(&refresher->waiting))->pending);
    deferred_free(refresher->pump);
    timer_free(refresher->hang_timer);
    timer_free(refresher->again_timer);
    g_queue_clear(&refresher->ready);
    g_hash_table_unref(refresher->entries);
    g_ptr_array_unref(refresher->queries);
    g_free(refresher);
}

void
refresher_mark(Refresher *refresher, const char *uuid, DomainFacts facts)
{
    Entry *entry = get_entry(refresher, uuid);

    entry->stale |= facts;
    queue_entry(refresher, entry);
}

unsigned
refresher_backlog(const Refresher *refresher)
{
    return g_hash_table_size(refresher->entries);
}

bool
refresher_is_idle(const Refresher *refresher)
{
    return refresher_backlog(refresher) == 0;
}

bool
refresher_is_fresh(const Refresher *refresher, const char *uuid)
{
    return !g_hash_table_contains(refresher->entries, uuid);
}

static void
add_wait(Refresher *refresher, GHashTable *uuids, bool awaits_suspects, Pending *pending,
         WaiterDone done, void *userdata)
{
    Wait *wait = g_new0(Wait, 1);

    wait->link.data = wait;
    wait->stale = uuids;
    wait->awaits_suspects = awaits_suspects;
    wait->pending = pending;
    wait->done = done;
    wait->userdata = userdata;
    push_wait(&refresher->waiting, wait);
    *pending = (Pending){free_wait, wait};
    if (g_hash_table_size(uuids) == 0)
        answer_wait(wait);
}

void
refresher_wait(Refresher *refresher, GHashTable *uuids, Pending *pending, WaiterDone done,
               void *userdata)
{
    GHashTableIter iter;
    gpointer uuid;

    g_hash_table_iter_init(&iter, uuids);
    while (g_hash_table_iter_next(&iter, &uuid, NULL))
        if (refresher_is_fresh(refresher, uuid) ||
            refresher->callbacks->is_suspect(refresher->userdata, uuid))
            g_hash_table_iter_remove(&iter);
    add_wait(refresher, uuids, false, pending, done, userdata);
}

void
refresher_suspect(Refresher *refresher, const char *uuid)
{
    answer_waits(refresher, uuid, false);
}

void
refresher_refresh(Refresher *refresher, const char *uuid, Pending *pending, WaiterDone done,
                  void *userdata)
{
    GHashTable *uuids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    refresher_mark(refresher, uuid, FACT_ALL);
    g_hash_table_add(uuids, g_strdup(uuid));
    add_wait(refresher, uuids, true, pending, done, userdata);
}

void
refresher_set_connected(Refresher *refresher, bool connected)
{
    refresher->connected = connected;
    if (connected)
        pump(refresher);
}
