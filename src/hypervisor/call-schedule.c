/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call-schedule.h"

/* A read that is likely to hang is begun only while fewer calls than this are under way, so that
 * other calls find places. */
#define LIKELY_TO_HANG_MAX 15
/* So many reads without XML that are likely to hang may be under way together. */
#define MAY_HANG_MAX       3
/* So many reads of XML that are likely to hang may be under way together. */
#define XML_LIKELY_MAX     2
/* So many reads of XML may be under way together, since each of them may turn out to hang; and one
 * is begun only while fewer calls than the second number are under way, so that reads of states
 * find a place. */
#define XML_MAX            8
#define XML_TOTAL_MAX      18
/* So many reads of XML and calls to guests may be under way together: of the 19 places, three stay
 * for other reads and three for changes. */
#define XML_AND_GUEST_MAX  13
/* libvirtd has this many workers for high-priority calls, such as forcing, besides the others. */
#define FORCE_WORKERS      5
/* While a domain's lock is held, a call to force it has no effect, but takes a worker. So one that
 * is likely to hang waits while so many calls to force hang. */
#define FORCE_HANGING_MAX  4

/* A domain that calls wait for or are under way about. */
typedef struct CallDomain {
    char uuid[UUID_LENGTH + 1];
    unsigned n_calls; /* the domain is freed with the last of them */
    /* Kept, since they are looked at for each of the thousands of calls that may wait. */
    unsigned n_running[_TRACK_MAX];
    unsigned n_hanging[_TRACK_MAX];
    GQueue changes; /* of TRACK_CHANGE that wait, by their order */
} CallDomain;

/* A user's calls of one class that wait, by their order. */
typedef struct CallUser {
    uid_t uid;
    GQueue calls;
} CallUser;

struct CallSchedule {
    bool xml_waits;      /* TRAIT_XML_WAITS; else XML is read as anything is: class_of() */
    GHashTable *domains; /* uuid (of the domain) -> CallDomain */
    GQueue users[_CALL_CLASS_MAX]; /* CallUser with calls: the first one has its turn */
    GPtrArray *under_way;          /* Call: about as many as libvirtd has workers */
    uint64_t last_order;
};

/* The calls under way, counted. */
typedef struct {
    unsigned n_running[_CALL_CLASS_MAX];
    unsigned n_hanging[_CALL_CLASS_MAX]; /* of those that run */
    unsigned n_of_group[_CALL_GROUP_MAX];
    unsigned n_workers;       /* of libvirtd, held by the calls; without those for high priority */
    unsigned n_may_hang;      /* reads without XML that were likely to hang when they were begun */
    unsigned n_xml_is_likely; /* reads of XML that were */
    unsigned n_xml_may_hang;  /* reads of XML that were, or that hang in the process */
    unsigned n_xml;           /* reads of XML that do not wait for a lock */
} Counts;

/* --- life --------------------------------------------------------------------------------- */

static void
free_domain(gpointer data)
{
    CallDomain *domain = data;

    g_queue_clear(&domain->changes);
    g_free(domain);
}

CallSchedule *
call_schedule_new(void)
{
    CallSchedule *schedule = g_new0(CallSchedule, 1);

    schedule->domains = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_domain);
    schedule->under_way = g_ptr_array_new();
    for (unsigned class = 0; class < _CALL_CLASS_MAX; class ++)
        g_queue_init(&schedule->users[class]);
    return schedule;
}

void
call_schedule_free(CallSchedule *schedule)
{
    if (!schedule)
        return;
    g_hash_table_unref(schedule->domains);
    g_ptr_array_unref(schedule->under_way);
    g_free(schedule);
}

void
call_schedule_set_xml_waits(CallSchedule *schedule, bool xml_waits)
{
    schedule->xml_waits = xml_waits;
}

bool
call_schedule_xml_waits(const CallSchedule *schedule)
{
    return schedule->xml_waits;
}

/* --- domains ------------------------------------------------------------------------------ */

static void
join_domain(CallSchedule *schedule, Call *call)
{
    CallDomain *domain = g_hash_table_lookup(schedule->domains, call->key);

    if (call->key[0] == '\0')
        return;
    if (!domain) {
        domain = g_new0(CallDomain, 1);
        g_strlcpy(domain->uuid, call->key, sizeof domain->uuid);
        g_queue_init(&domain->changes);
        g_hash_table_insert(schedule->domains, domain->uuid, domain);
    }
    domain->n_calls++;
    call->domain = domain;
}

static void
leave_domain(CallSchedule *schedule, Call *call)
{
    CallDomain *domain = g_steal_pointer(&call->domain);

    if (domain && --domain->n_calls == 0)
        g_hash_table_remove(schedule->domains, domain->uuid);
}

static CallTrack
track_of(const Call *call)
{
    return call_rules[call->class].track;
}

static bool
is_hanging_in_read(const CallDomain *domain)
{
    return domain->n_hanging[TRACK_READ] > 0;
}

static bool
reads_xml(const Call *call)
{
    return call->class == CALL_XML || call->with_xml;
}

/* A call about the domain hangs. One to the guest's agent does not count: in libvirt that is a job
 * of its own, which nothing else waits for. */
static bool
is_hanging(const CallDomain *domain)
{
    for (unsigned track = 0; track < _TRACK_MAX; track++)
        if (track != TRACK_GUEST && domain->n_hanging[track] > 0)
            return true;
    return false;
}

/* A call about the domain hangs, or is a long one, which never counts as hanging. */
static bool
is_busy(const CallDomain *domain)
{
    return is_hanging(domain) || domain->n_running[TRACK_LONG] > 0;
}

/* Whether the call is likely to hang, judged by the others that are under way about its domain. A
 * change may hold the domain's lock as soon as it is begun, so a read beside it counts as likely to
 * hang even before the change does. */
static bool
is_likely_to_hang(const Call *call)
{
    const CallDomain *domain = call->domain;

    if (!domain)
        return false;
    if (is_hanging_in_read(domain) || domain->n_hanging[TRACK_NONE] > 0)
        return true;
    if (reads_xml(call) && is_busy(domain))
        return true;
    return track_of(call) == TRACK_READ || reads_xml(call) ? domain->n_running[TRACK_CHANGE] > 0
                                                           : domain->n_hanging[TRACK_CHANGE] > 0;
}

/* A read waits while the domain's XML is being read and may yet turn out to hang on the domain's
 * lock: otherwise both would hold a worker. A read of XML does not wait for other reads in the same
 * way, since reads without end would keep it waiting for ever. */
static bool
awaits_xml(const CallDomain *domain, CallTrack track)
{
    return track == TRACK_READ && domain->n_running[TRACK_XML] > domain->n_hanging[TRACK_XML];
}

/* Whether what is under way about the domain, or waits since before, lets the call be sent. */
static bool
is_domain_free(const Call *call)
{
    const CallDomain *domain = call->domain;
    CallTrack track = track_of(call);

    if (!domain || track == TRACK_NONE)
        return true;
    if (domain->n_running[track] > 0 || awaits_xml(domain, track) ||
        (call->stops_others && is_likely_to_hang(call)))
        return false;
    if (track == TRACK_CHANGE)
        return domain->changes.head->data == call;
    return track == TRACK_LONG || !is_hanging_in_read(domain);
}

/* --- waiting ------------------------------------------------------------------------------ */

static void
insert_by_order(GQueue *queue, Call *call)
{
    GList *before = queue->tail;

    while (before && ((const Call *)before->data)->order > call->order)
        before = before->prev;
    g_queue_insert_after(queue, before, call);
}

static CallUser *
find_user(const CallSchedule *schedule, CallClass class, uid_t uid)
{
    for (const GList *link = schedule->users[class].head; link; link = link->next) {
        CallUser *user = link->data;

        if (user->uid == uid)
            return user;
    }
    return NULL;
}

static CallClass
class_of(const CallSchedule *schedule, const Call *call)
{
    return call->class == CALL_XML && !schedule->xml_waits ? CALL_READ : call->class;
}

bool
call_schedule_has_room(const CallSchedule *schedule, const Call *call)
{
    CallClass class = class_of(schedule, call);
    const CallUser *user = find_user(schedule, class, call->uid);
    unsigned max = call_rules[class].per_user;

    return !user || max == 0 || user->calls.length < max;
}

void
call_schedule_add(CallSchedule *schedule, Call *call)
{
    call->class = class_of(schedule, call);
    call->with_xml = call->with_xml && schedule->xml_waits;
    CallUser *user = find_user(schedule, call->class, call->uid);

    if (call->order == 0)
        call->order = ++schedule->last_order;
    if (!user) {
        user = g_new0(CallUser, 1);
        user->uid = call->uid;
        g_queue_init(&user->calls);
        g_queue_push_tail(&schedule->users[call->class], user);
    }
    insert_by_order(&user->calls, call);
    call->user = user;
    call->state = CALL_WAITING;
    join_domain(schedule, call);
    if (call->domain && track_of(call) == TRACK_CHANGE)
        insert_by_order(&call->domain->changes, call);
}

/* Take the call out of the queues; its domain keeps the entry. */
static void
take_out(CallSchedule *schedule, Call *call)
{
    CallUser *user = g_steal_pointer(&call->user);

    g_queue_remove(&user->calls, call);
    if (user->calls.length == 0) {
        g_queue_remove(&schedule->users[call->class], user);
        g_free(user);
    }
    if (call->domain && track_of(call) == TRACK_CHANGE)
        g_queue_remove(&call->domain->changes, call);
    call->state = CALL_NEW;
}

void
call_schedule_remove(CallSchedule *schedule, Call *call)
{
    take_out(schedule, call);
    leave_domain(schedule, call);
}

Call *
call_schedule_first(CallSchedule *schedule)
{
    for (unsigned class = 0; class < _CALL_CLASS_MAX; class ++) {
        CallUser *user = g_queue_peek_head(&schedule->users[class]);

        if (user)
            return g_queue_peek_head(&user->calls);
    }
    return NULL;
}

/* --- choosing ----------------------------------------------------------------------------- */

static bool
hangs_in_process(const Call *call)
{
    return call->state == CALL_HANGING && reads_xml(call) && !call_schedule_hangs_on_lock(call);
}

static void
count_call(Counts *counts, const Call *call)
{
    bool is_xml = reads_xml(call);
    bool is_read = track_of(call) == TRACK_READ && !is_xml;

    counts->n_running[call->class]++;
    counts->n_hanging[call->class] += call->state == CALL_HANGING;
    counts->n_of_group[call_rules[call->class].group]++;
    counts->n_may_hang += is_read && call->was_likely_to_hang;
    counts->n_xml_is_likely += is_xml && call->was_likely_to_hang;
    counts->n_xml_may_hang += is_xml && (call->was_likely_to_hang || hangs_in_process(call));
    counts->n_xml += is_xml && !call_schedule_hangs_on_lock(call);
}

static Counts
count_under_way(const CallSchedule *schedule)
{
    Counts counts = {{0}};

    for (unsigned i = 0; i < schedule->under_way->len; i++)
        count_call(&counts, schedule->under_way->pdata[i]);
    counts.n_workers = schedule->under_way->len - MIN(counts.n_running[CALL_FORCE], FORCE_WORKERS);
    return counts;
}

/* Calls under way beside those of this group. A read that may hang counts as a change, too. */
static unsigned
count_beside(const Counts *counts, CallGroup group)
{
    unsigned n = counts->n_workers - counts->n_of_group[group];

    return group == CALL_GROUP_READ ? n + counts->n_may_hang + counts->n_xml_may_hang : n;
}

static bool
has_place(const Counts *counts, CallClass class)
{
    const CallRules *rules = &call_rules[class];
    const CallGroupRules *group = &call_group_rules[rules->group];

    return counts->n_running[class] - counts->n_hanging[class] < rules->limit &&
           counts->n_of_group[rules->group] < group->max && counts->n_workers < group->total_max &&
           count_beside(counts, group->kept_for) < group->others_max;
}

static bool
has_place_although_likely_to_hang(const Counts *counts, const Call *call)
{
    if (call->class == CALL_FORCE)
        return counts->n_hanging[CALL_FORCE] < FORCE_HANGING_MAX;
    bool is_bounded = reads_xml(call) ? counts->n_xml_is_likely < XML_LIKELY_MAX
                                      : counts->n_may_hang < MAY_HANG_MAX;

    return (track_of(call) != TRACK_READ && !reads_xml(call)) ||
           (is_bounded && counts->n_workers < LIKELY_TO_HANG_MAX);
}

/* Any read of XML may turn out to hang, so some places stay for calls that neither read XML nor ask
 * a guest. */
static bool
leaves_places(const Counts *counts, const Call *call)
{
    bool is_xml = reads_xml(call);
    bool is_guest = call_rules[call->class].group == CALL_GROUP_GUEST;

    if ((is_xml || is_guest) &&
        counts->n_xml + counts->n_of_group[CALL_GROUP_GUEST] >= XML_AND_GUEST_MAX)
        return false;
    return !is_xml || (counts->n_xml < XML_MAX && counts->n_workers < XML_TOTAL_MAX);
}

static bool
may_start(const Counts *counts, const Call *call)
{
    return is_domain_free(call) && leaves_places(counts, call) &&
           (!is_likely_to_hang(call) || has_place_although_likely_to_hang(counts, call));
}

Call *
call_schedule_next(CallSchedule *schedule, CallClass class)
{
    Counts counts = count_under_way(schedule);

    if (!has_place(&counts, class))
        return NULL;
    for (const GList *turn = schedule->users[class].head; turn; turn = turn->next) {
        const CallUser *user = turn->data;

        for (const GList *link = user->calls.head; link; link = link->next)
            if (may_start(&counts, link->data))
                return link->data;
    }
    return NULL;
}

/* Everybody else has a turn before this user's next one. */
static void
end_turn(CallSchedule *schedule, Call *call)
{
    GQueue *users = &schedule->users[call->class];

    g_queue_remove(users, call->user);
    g_queue_push_tail(users, call->user);
}

/* --- under way ---------------------------------------------------------------------------- */

void
call_schedule_start(CallSchedule *schedule, Call *call)
{
    call->was_likely_to_hang = is_likely_to_hang(call);
    end_turn(schedule, call);
    take_out(schedule, call);
    call->state = CALL_RUNNING;
    g_ptr_array_add(schedule->under_way, call);
    if (call->domain)
        call->domain->n_running[track_of(call)]++;
}

bool
call_schedule_hangs_on_lock(const Call *call)
{
    return call->state == CALL_HANGING && call->class == CALL_XML && !call->waits_for_process;
}

void
call_schedule_hang(CallSchedule *schedule, Call *call)
{
    call->state = CALL_HANGING;
    call->waits_for_process = g_atomic_int_get(&call->had_lock) != 0;
    if (call->domain)
        call->domain->n_hanging[call_track_of_hang(call)]++;
}

bool
call_schedule_has_lock_since(const Call *call)
{
    return call_schedule_hangs_on_lock(call) && g_atomic_int_get(&call->had_lock);
}

void
call_schedule_hang_in_process(CallSchedule *schedule, Call *call)
{
    call->domain->n_hanging[TRACK_READ]--;
    call->domain->n_hanging[TRACK_XML]++;
    call->waits_for_process = true;
}

void
call_schedule_end(CallSchedule *schedule, Call *call)
{
    if (call->domain) {
        call->domain->n_running[track_of(call)]--;
        call->domain->n_hanging[call_track_of_hang(call)] -= call->state == CALL_HANGING;
    }
    call->state = CALL_NEW;
    g_ptr_array_remove_fast(schedule->under_way, call);
    leave_domain(schedule, call);
}

/* --- looking ------------------------------------------------------------------------------ */

unsigned
call_schedule_waiting(const CallSchedule *schedule, CallClass class)
{
    unsigned n = 0;

    for (const GList *link = schedule->users[class].head; link; link = link->next)
        n += ((const CallUser *)link->data)->calls.length;
    return n;
}

unsigned
call_schedule_running(const CallSchedule *schedule, CallClass class)
{
    return count_under_way(schedule).n_running[class];
}

unsigned
call_schedule_all_running(const CallSchedule *schedule)
{
    return schedule->under_way->len;
}

bool
call_schedule_domain_hangs(const CallSchedule *schedule, const char *uuid)
{
    const CallDomain *domain = g_hash_table_lookup(schedule->domains, uuid);

    return domain && is_hanging_in_read(domain);
}

bool
call_schedule_domain_is_silent(const CallSchedule *schedule, const char *uuid)
{
    const CallDomain *domain = g_hash_table_lookup(schedule->domains, uuid);

    return domain && (is_hanging_in_read(domain) || (schedule->xml_waits && is_hanging(domain)));
}

bool
call_schedule_domain_is_busy(const CallSchedule *schedule, const char *uuid)
{
    const CallDomain *domain = g_hash_table_lookup(schedule->domains, uuid);

    return schedule->xml_waits && domain && is_busy(domain);
}

void
call_schedule_describe(const CallSchedule *schedule, CallScheduleTell tell, void *userdata)
{
    for (unsigned class = 0; class < _CALL_CLASS_MAX; class ++)
        for (const GList *link = schedule->users[class].head; link; link = link->next) {
            const CallUser *user = link->data;

            tell(userdata, (CallClass) class, user->uid, user->calls.length);
        }
}
