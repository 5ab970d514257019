/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "refresher.h"

#include "clock.h"
#include "deferred.h"
#include "log.h"
#include "refresh-query.h"
#include "refresh-waits.h"
#include "timer.h"
#include "units.h"

#define STATES_BATCH_MAX     256
#define FACTS_BATCH_MAX      32
#define FACTS_QUERIES_MAX    2
#define HANGS_AFTER_USEC     SEC
#define PERIOD_ACCURACY_USEC (100 * MSEC)
/* A query that fails although there is a connection is repeated so often; after that the next event
 * or reconciliation repeats it, and its waiters go on with what is known. */
#define TRIES_MAX            4
#define TRY_AGAIN_USEC       (250 * MSEC)

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

struct Refresher {
    LanePool *lane_pool;
    const RefreshCallbacks *callbacks;
    void *userdata;

    GHashTable *entries; /* uuid (of the entry) -> Entry */
    GQueue ready;        /* entries with something stale and no query under way */
    /* UUID -> the query for the domain's XML that was left, or NULL where it has failed: see
     * TRAIT_XML_WAITS. */
    GHashTable *silent;
    GPtrArray *queries;
    unsigned last_number;
    bool connected;
    RefreshWaits *waits;
    Deferred *pump;     /* one turn's marks share a query */
    Timer *hang_timer;  /* when the oldest query hangs */
    Timer *again_timer; /* for the domains that are put off */
};

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

/* These facts without the XML, if a query for the XML that was left still hangs. The query then
 * notes that the XML was marked since. */
static DomainFacts
without_silent(Refresher *refresher, const char *uuid, DomainFacts facts)
{
    RefreshQuery *left = g_hash_table_lookup(refresher->silent, uuid);

    if (!left || !(facts & FACT_XML))
        return facts;
    left->again = true;
    return facts & ~(unsigned)FACT_XML;
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

static void
finish_refresh(Refresher *refresher, Entry *entry)
{
    char uuid[UUID_LENGTH + 1];

    g_strlcpy(uuid, entry->uuid, sizeof uuid);
    if (entry->queued)
        g_queue_remove(&refresher->ready, entry);
    g_hash_table_remove(refresher->entries, uuid);
    refresher->callbacks->refreshed(refresher->userdata, uuid);
    refresh_waits_answer(refresher->waits, uuid, true);
}

/* --- queries ---------------------------------------------------------------------------- */

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
        DomainFacts missing = (DomainFacts)(FACT_ALL & ~(int)(entry->held->known | entry->asked));
        entry->stale |= without_silent(refresher, entry->uuid, missing);
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

/* The answer is that there is no such domain. If it was marked since the question, it may be there
 * again. */
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
answer_entry(Refresher *refresher, Entry *entry, RefreshQuery *query)
{
    DomainUpdate *news = refresh_query_take(query, entry->uuid);

    entry->tries = 0;
    if (!news || (news->known & FACT_XML))
        g_hash_table_remove(refresher->silent, entry->uuid);
    if (news) {
        apply_news(refresher, entry, news);
        finish_entry(refresher, entry);
    } else if (entry->asked & FACT_STATE) {
        refresher->callbacks->apply(refresher->userdata, entry->uuid, NULL);
        finish_gone(refresher, entry);
    } else {
        /* The domain went between two queries. Reading its state makes sure of that. */
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

/* A query that was left has come back. Where it has failed, the XML is read when it is marked
 * again. */
static void
end_silence(Refresher *refresher, RefreshQuery *query, CallOutcome outcome)
{
    const char *uuid = query->uuids->pdata[0];
    g_autoptr(DomainUpdate) news = outcome == OUTCOME_OK ? refresh_query_take(query, uuid) : NULL;
    bool is_known = refresher->callbacks->is_known(refresher->userdata, uuid);

    if (g_hash_table_lookup(refresher->silent, uuid) != query)
        return;
    bool has_failed = outcome == OUTCOME_FAILED || (news && !(news->known & FACT_XML));
    if (has_failed && is_known)
        g_hash_table_replace(refresher->silent, g_strdup(uuid), NULL);
    else
        g_hash_table_remove(refresher->silent, uuid);
    bool is_used = news && !has_failed && is_known;
    if (is_used)
        refresher->callbacks->apply(refresher->userdata, uuid, news);
    if (query->again || (!has_failed && !is_used))
        refresher_mark(refresher, uuid, FACT_XML);
    if (is_used && refresher_is_fresh(refresher, uuid))
        refresher->callbacks->refreshed(refresher->userdata, uuid);
}

static void
take_answers(Refresher *refresher, RefreshQuery *query, CallOutcome outcome, const Error *error)
{
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
}

static void
on_answer(Call *call, CallOutcome outcome, const Error *error)
{
    RefreshQuery *query = (RefreshQuery *)call;
    Refresher *refresher = query->userdata;

    g_ptr_array_remove_fast(refresher->queries, query);
    if (query->left)
        end_silence(refresher, query, outcome);
    else
        take_answers(refresher, query, outcome, error);
    /* The changes are signalled before the next query keeps libvirt and the processors busy. */
    deferred_schedule(refresher->pump);
}

/* --- asking ------------------------------------------------------------------------------- */

/* The facts to ask for next; with `apart` the XML comes last, since only its read may hang. */
static DomainFacts
next_facts(const Entry *entry, bool apart)
{
    DomainFacts stale = entry->stale;

    if (stale & FACT_STATE)
        return FACT_STATE;
    return apart && (stale & FACT_FLAGS) ? (DomainFacts)(stale & FACT_FLAGS) : stale;
}

static void
add_entry(RefreshQuery *query, Entry *entry, DomainFacts facts)
{
    entry->queued = false;
    entry->asked = facts;
    entry->stale &= ~facts;
    entry->query = query->number;
    refresh_query_add(query, entry->uuid, facts);
}

static unsigned
count_queries(const Refresher *refresher, bool states)
{
    unsigned n = 0;

    for (unsigned i = 0; i < refresher->queries->len; i++) {
        const RefreshQuery *query = refresher->queries->pdata[i];

        if (!query->alone && !g_atomic_int_get(&query->split) && query->states == states)
            n++;
    }
    return n;
}

static void
arm_timer(Refresher *refresher)
{
    uint64_t when = UINT64_MAX;

    for (unsigned i = 0; i < refresher->queries->len; i++) {
        const RefreshQuery *query = refresher->queries->pdata[i];

        if (refresh_query_is_watched(query))
            when = MIN(when, query->asked_at + HANGS_AFTER_USEC);
    }
    timer_arm(refresher->hang_timer, when);
}

static RefreshQuery *
query_new(Refresher *refresher, DomainFacts facts)
{
    RefreshQuery *query = refresh_query_new(facts, on_answer, refresher);

    query->number = ++refresher->last_number;
    return query;
}

static void
send_query(Refresher *refresher, RefreshQuery *query)
{
    g_ptr_array_add(refresher->queries, query);
    refresh_query_send(query, refresher->lane_pool);
}

static void
ask_one(Refresher *refresher, Entry *entry)
{
    bool apart = lane_pool_xml_waits(refresher->lane_pool);
    DomainFacts facts = next_facts(entry, apart);
    RefreshQuery *query = query_new(refresher, facts);

    query->alone = true;
    if (apart && facts == FACT_XML)
        query->call.class = CALL_XML;
    g_strlcpy(query->call.key, entry->uuid, sizeof query->call.key);
    add_entry(query, entry, facts);
    send_query(refresher, query);
}

static bool
may_hang(const Refresher *refresher, const Entry *entry)
{
    return entry->alone || g_hash_table_contains(refresher->silent, entry->uuid) ||
           lane_pool_domain_is_busy(refresher->lane_pool, entry->uuid) ||
           refresher->callbacks->is_suspect(refresher->userdata, entry->uuid);
}

/* Domains that may hang are asked about one by one; how many at once is the lane pool's concern. */
static void
ask_alone(Refresher *refresher)
{
    GList *next;

    for (GList *link = refresher->ready.head; link; link = next) {
        Entry *entry = link->data;

        next = link->next;
        if (!may_hang(refresher, entry))
            continue;
        g_queue_delete_link(&refresher->ready, link);
        ask_one(refresher, entry);
    }
}

/* Take from `ready` what one query of this kind can hold. */
static RefreshQuery *
collect(Refresher *refresher, bool states)
{
    unsigned max = states ? STATES_BATCH_MAX : FACTS_BATCH_MAX;
    RefreshQuery *query = NULL;
    GList *next;

    for (GList *link = refresher->ready.head; link; link = next) {
        Entry *entry = link->data;

        next = link->next;
        if ((next_facts(entry, false) == FACT_STATE) != states)
            continue;
        if (!query)
            query = query_new(refresher, next_facts(entry, false));
        g_queue_delete_link(&refresher->ready, link);
        add_entry(query, entry, next_facts(entry, false));
        if (query->uuids->len == max)
            break;
    }
    return query;
}

static bool
ask(Refresher *refresher, bool states)
{
    RefreshQuery *query = collect(refresher, states);

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
split_query(Refresher *refresher, RefreshQuery *query)
{
    g_atomic_int_set(&query->split, 1);
    for (unsigned i = 0; query->uuids->pdata[i]; i++) {
        Entry *entry = g_hash_table_lookup(refresher->entries, query->uuids->pdata[i]);

        if (!entry || entry->query != query->number || !entry->asked)
            continue;
        entry->alone = true;
        return_entry(refresher, entry);
    }
}

/* The domain goes on without its XML, which is not asked for again before this one is back. */
static void
leave_query(Refresher *refresher, RefreshQuery *query)
{
    const char *uuid = query->uuids->pdata[0];
    Entry *entry = g_hash_table_lookup(refresher->entries, uuid);

    query->left = true;
    g_hash_table_replace(refresher->silent, g_strdup(uuid), query);
    if (!entry || entry->query != query->number || !entry->asked)
        return;
    entry->stale = without_silent(refresher, uuid, entry->stale);
    finish_entry(refresher, entry);
}

static void
on_hang_timer(void *userdata)
{
    Refresher *refresher = userdata;
    uint64_t now = clock_now_usec();

    for (unsigned i = 0; i < refresher->queries->len; i++) {
        RefreshQuery *query = refresher->queries->pdata[i];

        if (!refresh_query_is_watched(query) || query->asked_at + HANGS_AFTER_USEC > now)
            continue;
        if (query->alone)
            leave_query(refresher, query);
        else
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
    refresher->silent = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    refresher->queries = g_ptr_array_new();
    refresher->waits = refresh_waits_new();
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
    refresh_waits_free(refresher->waits);
    deferred_free(refresher->pump);
    timer_free(refresher->hang_timer);
    timer_free(refresher->again_timer);
    g_queue_clear(&refresher->ready);
    g_hash_table_unref(refresher->entries);
    g_hash_table_unref(refresher->silent);
    g_ptr_array_unref(refresher->queries);
    g_free(refresher);
}

void
refresher_mark(Refresher *refresher, const char *uuid, DomainFacts facts)
{
    DomainFacts readable = without_silent(refresher, uuid, facts);
    if (!readable)
        return;

    Entry *entry = get_entry(refresher, uuid);
    entry->stale |= readable;
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
    refresh_waits_add(refresher->waits, uuids, false, pending, done, userdata);
}

void
refresher_suspect(Refresher *refresher, const char *uuid)
{
    refresh_waits_answer(refresher->waits, uuid, false);
}

void
refresher_refresh(Refresher *refresher, const char *uuid, Pending *pending, WaiterDone done,
                  void *userdata)
{
    GHashTable *uuids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    refresher_mark(refresher, uuid, FACT_ALL);
    g_hash_table_add(uuids, g_strdup(uuid));
    refresh_waits_add(refresher->waits, uuids, true, pending, done, userdata);
}

static gboolean
is_failed(gpointer uuid, gpointer query, gpointer userdata)
{
    return query == NULL;
}

void
refresher_set_connected(Refresher *refresher, bool connected)
{
    refresher->connected = connected;
    /* Domains whose XML could not be read on the last connection get another try. */
    g_hash_table_foreach_remove(refresher->silent, is_failed, NULL);
    if (connected)
        pump(refresher);
}
