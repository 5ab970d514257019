/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "refresher.h"

#include "hypervisor-domain.h"
#include "hypervisor-list.h"
#include "log.h"

#include <time.h>

#define LOOK_BATCH_MAX       256
#define EXAMINE_BATCH_MAX    32
#define EXAMINES_MAX         2
#define HANGS_AFTER_USEC     (1000 * UINT64_C(1000))
#define PERIOD_ACCURACY_USEC (100 * UINT64_C(1000))
/* A question that fails although there is a connection: after these it is left to the next event
 * or reconciliation, and whoever waits for it goes on with what is known. */
#define TRIES_MAX            4
#define TRY_AGAIN_USEC       (250 * UINT64_C(1000))

/* A domain of which something is stale. */
typedef struct {
    char uuid[UUID_LENGTH + 1];
    DomainFacts stale;
    DomainFacts asked;  /* by the question under way */
    unsigned question;  /* its number; an answer to another one is out of date */
    bool alone;         /* its question once hung: it shares none */
    bool queued;        /* in `ready` */
    bool put_off;       /* its last question failed: it is tried again when the time comes */
    unsigned tries;     /* that failed, one after the other */
    DomainUpdate *held; /* of a domain that is not published yet */
} Entry;

typedef struct Question {
    Call call;
    Refresher *refresher;
    unsigned number;
    DomainFacts facts; /* FACT_STATE: a look; else: examines */
    uint64_t asked_at;
    GPtrArray *uuids;  /* NULL-terminated */
    GArray *wanted;    /* DomainFacts of each, for examining */
    GPtrArray *answer; /* DomainUpdate; those that are missing are gone */
    bool split;
} Question;

struct Refresher {
    sd_event *event;
    LanePool *lane_pool;
    const RefreshCallbacks *callbacks;
    void *userdata;

    GHashTable *entries; /* uuid (of the entry) -> Entry */
    GQueue ready;        /* entries with something stale and no question under way */
    GPtrArray *questions;
    unsigned last_number;
    bool connected;
    sd_event_source *pump_source; /* so that one turn's marks share a question */
    sd_event_source *timer;
    sd_event_source *again_timer; /* for what was put off */
};

static void pump(Refresher *refresher);

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
        (void)sd_event_source_set_enabled(refresher->pump_source, SD_EVENT_ONESHOT);
}

static void
settle_entry(Refresher *refresher, Entry *entry)
{
    char uuid[UUID_LENGTH + 1];

    g_strlcpy(uuid, entry->uuid, sizeof uuid);
    if (entry->queued)
        g_queue_remove(&refresher->ready, entry);
    g_hash_table_remove(refresher->entries, uuid);
    refresher->callbacks->settled(refresher->userdata, uuid);
}

/* --- questions ---------------------------------------------------------------------------- */

static void
free_question(Call *call)
{
    Question *question = (Question *)call;

    g_ptr_array_unref(question->uuids);
    g_array_unref(question->wanted);
    if (question->answer)
        g_ptr_array_unref(question->answer);
    g_free(question);
}

static bool
work_look(Call *call, Hypervisor *h, Error **error)
{
    Question *question = (Question *)call;

    question->answer =
        hypervisor_read_states(h, (const char *const *)question->uuids->pdata, error);
    return question->answer != NULL;
}

static bool
work_examine(Call *call, Hypervisor *h, Error **error)
{
    Question *question = (Question *)call;

    question->answer =
        g_ptr_array_new_with_free_func((GDestroyNotify)(void (*)(void))domain_update_free);
    for (unsigned i = 0; question->uuids->pdata[i]; i++) {
        g_autoptr(DomainUpdate) snapshot = domain_update_new(question->uuids->pdata[i]);
        DomainFacts wanted = g_array_index(question->wanted, DomainFacts, i);
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
        g_ptr_array_add(question->answer, g_steal_pointer(&snapshot));
    }
    return true;
}

static DomainUpdate *
take_answer(Question *question, const char *uuid)
{
    for (unsigned i = 0; i < question->answer->len; i++) {
        DomainUpdate *snapshot = question->answer->pdata[i];

        if (g_str_equal(snapshot->uuid, uuid))
            return g_ptr_array_steal_index_fast(question->answer, i);
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
        /* What is new is published whole, but for what cannot be read. */
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
    if (entry->held)
        refresher->callbacks->apply(refresher->userdata, entry->uuid, entry->held);
    settle_entry(refresher, entry);
}

static void
answer_entry(Refresher *refresher, Entry *entry, Question *question)
{
    DomainUpdate *news = take_answer(question, entry->uuid);

    entry->tries = 0;
    if (news) {
        apply_news(refresher, entry, news);
        finish_entry(refresher, entry);
    } else if (entry->asked & FACT_STATE) {
        refresher->callbacks->apply(refresher->userdata, entry->uuid, NULL);
        settle_entry(refresher, entry);
    } else {
        /* Gone between two questions: the look tells for sure. */
        entry->stale = FACT_ALL;
        finish_entry(refresher, entry);
    }
}

/* The connection broke: on the next one, then. */
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
    (void)sd_event_source_set_time_relative(refresher->again_timer, TRY_AGAIN_USEC);
    (void)sd_event_source_set_enabled(refresher->again_timer, SD_EVENT_ONESHOT);
}

static int
on_again_timer(sd_event_source *source, uint64_t usec, void *userdata)
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
    return 0;
}

static void
on_answer(Call *call, CallOutcome outcome, const Error *error)
{
    Question *question = (Question *)call;
    Refresher *refresher = question->refresher;

    g_ptr_array_remove_fast(refresher->questions, question);
    for (unsigned i = 0; question->uuids->pdata[i]; i++) {
        Entry *entry = g_hash_table_lookup(refresher->entries, question->uuids->pdata[i]);

        if (!entry || entry->question != question->number || !entry->asked)
            continue;
        if (outcome == OUTCOME_OK)
            answer_entry(refresher, entry, question);
        else if (outcome == OUTCOME_FAILED)
            fail_entry(refresher, entry, error);
        else
            return_entry(refresher, entry);
    }
    /* What was found is told before the next question keeps libvirt and the processors busy. */
    (void)sd_event_source_set_enabled(refresher->pump_source, SD_EVENT_ONESHOT);
}

/* --- asking ------------------------------------------------------------------------------- */

static Question *
question_new(Refresher *refresher, bool look)
{
    Question *question = g_new0(Question, 1);

    question->refresher = refresher;
    question->number = ++refresher->last_number;
    question->facts = look ? FACT_STATE : 0;
    question->uuids = g_ptr_array_new_with_free_func(g_free);
    question->wanted = g_array_new(FALSE, FALSE, sizeof(DomainFacts));
    question->call.class = CALL_QUICK;
    question->call.name = look ? "virDomainListGetStats" : "virDomainGetXMLDesc";
    question->call.work = look ? work_look : work_examine;
    question->call.done = on_answer;
    question->call.free = free_question;
    return question;
}

static void
add_entry(Question *question, Entry *entry)
{
    DomainFacts facts =
        question->facts & FACT_STATE ? FACT_STATE : (DomainFacts)(entry->stale & ~FACT_STATE);

    entry->queued = false;
    entry->asked = facts;
    entry->stale &= ~facts;
    entry->question = question->number;
    g_ptr_array_add(question->uuids, g_strdup(entry->uuid));
    g_array_append_val(question->wanted, facts);
}

static unsigned
count_questions(const Refresher *refresher, bool look)
{
    unsigned n = 0;

    for (unsigned i = 0; i < refresher->questions->len; i++) {
        const Question *question = refresher->questions->pdata[i];

        if (!question->split && (question->facts & FACT_STATE) == (look ? FACT_STATE : 0))
            n++;
    }
    return n;
}

static void
arm_timer(Refresher *refresher)
{
    uint64_t when = UINT64_MAX;

    for (unsigned i = 0; i < refresher->questions->len; i++) {
        const Question *question = refresher->questions->pdata[i];

        if (!question->split)
            when = MIN(when, question->asked_at + HANGS_AFTER_USEC);
    }
    if (when == UINT64_MAX) {
        (void)sd_event_source_set_enabled(refresher->timer, SD_EVENT_OFF);
        return;
    }
    (void)sd_event_source_set_time(refresher->timer, when);
    (void)sd_event_source_set_enabled(refresher->timer, SD_EVENT_ONESHOT);
}

/* Take from `ready` what one question of this kind can hold. */
static Question *
collect(Refresher *refresher, bool look)
{
    unsigned max = look ? LOOK_BATCH_MAX : EXAMINE_BATCH_MAX;
    Question *question = NULL;
    GList *next;

    for (GList *link = refresher->ready.head; link; link = next) {
        Entry *entry = link->data;

        next = link->next;
        if (((entry->stale & FACT_STATE) != 0) != look || (question && entry->alone))
            continue;
        if (!question)
            question = question_new(refresher, look);
        g_queue_delete_link(&refresher->ready, link);
        add_entry(question, entry);
        if (entry->alone || question->uuids->len == max)
            break;
    }
    return question;
}

static bool
ask(Refresher *refresher, bool look)
{
    Question *question = collect(refresher, look);

    if (!question)
        return false;
    g_ptr_array_add(question->uuids, NULL);
    (void)sd_event_now(refresher->event, CLOCK_MONOTONIC, &question->asked_at);
    g_ptr_array_add(refresher->questions, question);
    /* These are few: they always find a place. */
    lane_pool_submit(refresher->lane_pool, &question->call);
    return true;
}

static void
pump(Refresher *refresher)
{
    if (!refresher->connected)
        return;
    while (count_questions(refresher, true) < 1 && ask(refresher, true))
        ;
    while (count_questions(refresher, false) < EXAMINES_MAX && ask(refresher, false))
        ;
    arm_timer(refresher);
}

static int
on_pump(sd_event_source *source, void *userdata)
{
    pump(userdata);
    return 0;
}

/* --- what hangs --------------------------------------------------------------------------- */

/* One of these domains is stuck: ask for each by itself, and let this answer go. */
static void
split_question(Refresher *refresher, Question *question)
{
    question->split = true;
    if (question->uuids->len <= 2)
        return; /* this one, and the NULL: there is nobody else to free */
    for (unsigned i = 0; question->uuids->pdata[i]; i++) {
        Entry *entry = g_hash_table_lookup(refresher->entries, question->uuids->pdata[i]);

        if (!entry || entry->question != question->number || !entry->asked)
            continue;
        entry->alone = true;
        return_entry(refresher, entry);
    }
}

static int
on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    Refresher *refresher = userdata;
    uint64_t now = usec;

    (void)sd_event_now(refresher->event, CLOCK_MONOTONIC, &now);
    for (unsigned i = 0; i < refresher->questions->len; i++) {
        Question *question = refresher->questions->pdata[i];

        if (!question->split && question->asked_at + HANGS_AFTER_USEC <= now)
            split_question(refresher, question);
    }
    pump(refresher);
    return 0;
}

/* --- life --------------------------------------------------------------------------------- */

Refresher *
refresher_new(sd_event *event, LanePool *pool, const RefreshCallbacks *callbacks, void *userdata)
{
    Refresher *refresher = g_new0(Refresher, 1);

    refresher->event = sd_event_ref(event);
    refresher->lane_pool = pool;
    refresher->callbacks = callbacks;
    refresher->userdata = userdata;
    refresher->entries = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_entry);
    g_queue_init(&refresher->ready);
    refresher->questions = g_ptr_array_new();
    if (sd_event_add_defer(event, &refresher->pump_source, on_pump, refresher) < 0 ||
        sd_event_source_set_enabled(refresher->pump_source, SD_EVENT_OFF) < 0 ||
        sd_event_add_time(event, &refresher->timer, CLOCK_MONOTONIC, 0, PERIOD_ACCURACY_USEC,
                          on_timer, refresher) < 0 ||
        sd_event_source_set_enabled(refresher->timer, SD_EVENT_OFF) < 0 ||
        sd_event_add_time(event, &refresher->again_timer, CLOCK_MONOTONIC, 0, PERIOD_ACCURACY_USEC,
                          on_again_timer, refresher) < 0 ||
        sd_event_source_set_enabled(refresher->again_timer, SD_EVENT_OFF) < 0) {
        refresher_free(refresher);
        return NULL;
    }
    return refresher;
}

void
refresher_free(Refresher *refresher)
{
    if (!refresher)
        return;
    sd_event_source_disable_unref(refresher->pump_source);
    sd_event_source_disable_unref(refresher->timer);
    sd_event_source_disable_unref(refresher->again_timer);
    g_queue_clear(&refresher->ready);
    g_hash_table_unref(refresher->entries);
    g_ptr_array_unref(refresher->questions);
    sd_event_unref(refresher->event);
    g_free(refresher);
}

void
refresher_mark(Refresher *refresher, const char *uuid, DomainFacts facts)
{
    Entry *entry = get_entry(refresher, uuid);

    entry->stale |= facts;
    queue_entry(refresher, entry);
}

bool
refresher_is_idle(const Refresher *refresher)
{
    return g_hash_table_size(refresher->entries) == 0;
}

bool
refresher_is_fresh(const Refresher *refresher, const char *uuid)
{
    return !g_hash_table_contains(refresher->entries, uuid);
}

void
refresher_set_connected(Refresher *refresher, bool connected)
{
    refresher->connected = connected;
    if (connected)
        pump(refresher);
}
