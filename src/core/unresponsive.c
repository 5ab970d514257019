/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unresponsive.h"

#include "clock.h"
#include "log.h"
#include "timer.h"
#include "units.h"

/* Starting a domain holds its lock while the hypervisor's process comes up: that is normal. */
#define PUBLISH_AFTER_USEC (2 * SEC)
#define ACCURACY_USEC      (100 * MSEC)

/* The properties that tell of it. */
#define PUBLISHED (DOMAIN_CHANGED(AVAILABLE) | DOMAIN_CHANGED(PROBLEMS))

typedef struct {
    unsigned n_calls;    /* that hang; 0: they died with their connections, and none has answered */
    unsigned n_reads;    /* among them */
    const char *call;    /* libvirt's name of the first of them */
    uint64_t read_since; /* since when none of the reads is answered; TIMER_NEVER: none hangs */
    bool published;
} Suspect;

struct Unresponsive {
    Cache *cache;
    GHashTable *suspects; /* UUID -> Suspect */
    Timer *timer;         /* when the next one is published */
};

/* --- what is published -------------------------------------------------------------------- */

static void
log_change(LogEvent event, const Domain *domain, const char *call, const char *message)
{
    log_event(event, message, LOG_FIELD_VM_UUID, domain->uuid, LOG_FIELD_VM_NAME, domain->name,
              LOG_FIELD_LIBVIRT_CALL, call, NULL);
}

static void
publish(Unresponsive *unresponsive, Domain *domain, Suspect *suspect)
{
    g_autofree char *message =
        g_strdup_printf("libvirt does not answer for this domain: %s hangs", suspect->call);
    g_autofree char *entry = g_strdup_printf("libvirt does not answer for \"%s\": %s hangs",
                                             domain->name, suspect->call);

    suspect->published = true;
    log_change(LOG_EVENT_UNRESPONSIVE, domain, suspect->call, entry);
    cache_before_change(unresponsive->cache, domain, PUBLISHED);
    domain_set_available(domain, false);
    domain_add_problem(
        domain, &(Problem){
                    .kind = PROBLEM_UNRESPONSIVE,
                    .device = "",
                    .message = message,
                    .since = clock_realtime_usec() - (clock_now_usec() - suspect->read_since),
                });
    cache_changed(unresponsive->cache, domain);
}

static void
withdraw(Unresponsive *unresponsive, Domain *domain, bool available)
{
    cache_before_change(unresponsive->cache, domain, PUBLISHED);
    domain_set_available(domain, available);
    domain_remove_problem(domain, PROBLEM_UNRESPONSIVE, NULL);
    cache_changed(unresponsive->cache, domain);
}

static void
recover(Unresponsive *unresponsive, Domain *domain, const char *call)
{
    g_autofree char *message =
        g_strdup_printf("libvirt answers for \"%s\" again: %s has returned", domain->name, call);

    log_change(LOG_EVENT_RECOVERED, domain, call, message);
    withdraw(unresponsive, domain, true);
}

/* --- time --------------------------------------------------------------------------------- */

static bool
is_to_be_published(const Suspect *suspect)
{
    return !suspect->published && suspect->read_since != TIMER_NEVER;
}

static void
arm_timer(Unresponsive *unresponsive)
{
    uint64_t when = TIMER_NEVER;
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, unresponsive->suspects);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Suspect *suspect = value;

        if (is_to_be_published(suspect))
            when = MIN(when, suspect->read_since + PUBLISH_AFTER_USEC);
    }
    timer_arm(unresponsive->timer, when);
}

static void
on_timer(void *userdata)
{
    Unresponsive *unresponsive = userdata;
    uint64_t now = clock_now_usec();
    GHashTableIter iter;
    gpointer uuid, value;

    g_hash_table_iter_init(&iter, unresponsive->suspects);
    while (g_hash_table_iter_next(&iter, &uuid, &value)) {
        Suspect *suspect = value;
        Domain *domain = cache_find(unresponsive->cache, uuid);

        if (!is_to_be_published(suspect) || suspect->read_since + PUBLISH_AFTER_USEC > now)
            continue;
        if (domain)
            publish(unresponsive, domain, suspect);
        else /* it is not published itself, and will be once it answers */
            suspect->read_since = TIMER_NEVER;
    }
    arm_timer(unresponsive);
}

/* --- calls that hang ---------------------------------------------------------------------- */

/* Reads of sizes count, too: libvirt may open an image for them under the domain's lock. */
static bool
needs_lock(const Call *call)
{
    CallTrack track = call_track_of_hang(call);

    return track == TRACK_READ || track == TRACK_CHANGE || track == TRACK_SIZES;
}

static bool
is_read(const Call *call)
{
    return call_track_of_hang(call) == TRACK_READ;
}

bool
unresponsive_hanging(Unresponsive *unresponsive, const Call *call, uint64_t since)
{
    Suspect *suspect = g_hash_table_lookup(unresponsive->suspects, call->key);

    if (!needs_lock(call))
        return false;
    if (!suspect) {
        suspect = g_new0(Suspect, 1);
        suspect->call = call->name;
        suspect->read_since = TIMER_NEVER;
        g_hash_table_insert(unresponsive->suspects, g_strdup(call->key), suspect);
    }
    suspect->n_calls++;
    if (is_read(call)) {
        suspect->n_reads++;
        suspect->read_since = MIN(suspect->read_since, since);
    }
    arm_timer(unresponsive);
    return true;
}

static void
set_answered(Unresponsive *unresponsive, Suspect *suspect, Domain *domain)
{
    if (domain && suspect->published)
        recover(unresponsive, domain, suspect->call);
    suspect->published = false;
    suspect->read_since = TIMER_NEVER;
}

void
unresponsive_returned(Unresponsive *unresponsive, const Call *call, bool answered)
{
    Suspect *suspect = g_hash_table_lookup(unresponsive->suspects, call->key);

    if (!suspect || !needs_lock(call))
        return;
    if (is_read(call))
        suspect->n_reads--;
    if (is_read(call) && answered)
        set_answered(unresponsive, suspect, cache_find(unresponsive->cache, call->key));
    else if (suspect->n_reads == 0)
        suspect->read_since = TIMER_NEVER;
    if (--suspect->n_calls == 0 && !suspect->published)
        g_hash_table_remove(unresponsive->suspects, call->key);
    arm_timer(unresponsive);
}

void
unresponsive_read(Unresponsive *unresponsive, const char *uuid)
{
    Suspect *suspect = g_hash_table_lookup(unresponsive->suspects, uuid);

    if (!suspect || suspect->n_calls > 0)
        return;
    set_answered(unresponsive, suspect, cache_find(unresponsive->cache, uuid));
    g_hash_table_remove(unresponsive->suspects, uuid);
}

void
unresponsive_connection_lost(Unresponsive *unresponsive)
{
    GHashTableIter iter;
    gpointer uuid, value;

    g_hash_table_iter_init(&iter, unresponsive->suspects);
    while (g_hash_table_iter_next(&iter, &uuid, &value)) {
        Domain *domain = cache_find(unresponsive->cache, uuid);

        if (domain && ((const Suspect *)value)->published)
            withdraw(unresponsive, domain, false);
    }
    g_hash_table_remove_all(unresponsive->suspects);
    timer_disarm(unresponsive->timer);
}

bool
unresponsive_is_suspect(const Unresponsive *unresponsive, const char *uuid)
{
    return g_hash_table_contains(unresponsive->suspects, uuid);
}

bool
unresponsive_has_suspects(const Unresponsive *unresponsive)
{
    return g_hash_table_size(unresponsive->suspects) > 0;
}

/* --- life --------------------------------------------------------------------------------- */

Unresponsive *
unresponsive_new(struct sd_event *event, Cache *cache)
{
    Unresponsive *unresponsive = g_new0(Unresponsive, 1);

    unresponsive->cache = cache;
    unresponsive->suspects = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    unresponsive->timer = timer_new(event, ACCURACY_USEC, on_timer, unresponsive);
    return unresponsive;
}

void
unresponsive_free(Unresponsive *unresponsive)
{
    if (!unresponsive)
        return;
    g_hash_table_unref(unresponsive->suspects);
    timer_free(unresponsive->timer);
    g_free(unresponsive);
}
