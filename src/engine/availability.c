/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "availability.h"

#include "units.h"

#define ATTEMPT_DEADLINE    (10 * SEC)
/* An attempt that hangs keeps the next one from being started for so long. */
#define ATTEMPT_BLOCKS      (30 * SEC)
/* An attempt this old, with a sign of another daemon, is taken to hang on the old one. */
#define ATTEMPT_HANGS_AFTER (2 * SEC)
/* A waiter may outlast one attempt that is left behind and the next one, but no more. */
#define WAITER_PATIENCE     (ATTEMPT_HANGS_AFTER + ATTEMPT_DEADLINE)
/* A connection that lasted for less was no success: the next attempt keeps its distance. */
#define CONNECTION_LASTS    (5 * SEC)
#define BACKOFF_MIN         (100 * MSEC)
#define BACKOFF_MAX         (10 * SEC)
/* The PID file comes some milliseconds before the sockets do. */
#define BACKOFF_AFTER_HINT  (20 * MSEC)
/*
 * Callers may have an attempt started before it is due, but not more often than this: each one may
 * make systemd start libvirtd, which it refuses when that is too often, or log in to another host.
 */
#define CALLER_PACE_MIN     (500 * MSEC)
#define CALLER_PACE_MAX     (3 * SEC)
#define PROBE_INTERVAL      (10 * SEC)
/* A daemon removes its PID file and closes its connections at its end, in any order. */
#define STOP_FOLLOWS        (500 * MSEC)
/* A daemon that still runs after this time is not ending: it has closed this connection alone. */
#define STOP_LASTS          (3 * STOP_FOLLOWS)
#define STOP_PRECEDES       (10 * SEC)

#define NO_ANSWER "libvirt does not answer"
#define STOPPED   "libvirt's daemon was stopped; its socket unit starts it again for the next call"

typedef struct {
    unsigned number; /* 0: the slot is free */
    uint64_t started;
    bool overdue;  /* its waiters were answered; it may still come back */
    bool ended;    /* by us, since it was overdue: its failure says nothing of the daemon */
    bool replaced; /* another daemon has come since it started */
    bool lost;     /* its connection closed before it finished */
} Attempt;

typedef struct {
    void *data;
    uint64_t since;
    unsigned round; /* the answers that were given when it came */
} Waiter;

struct Availability {
    const AvailabilityEffects *effects;
    void *userdata;
    GRand *random;

    Status status;
    char *message;

    Attempt attempts[AVAILABILITY_LEFT_BEHIND_MAX + 1];
    unsigned last_number;
    unsigned generation;
    bool running;  /* between start and stop */
    bool flapping; /* the last connection did not last */
    char *stopped; /* why it runs no longer */
    uint64_t connected_at;

    uint64_t next_attempt;
    uint64_t backoff;
    uint64_t last_attempt; /* when one was last started */
    uint64_t armed;
    uint64_t stop_until; /* until then the daemon may be ending; 0: it is not known to */
    bool caller_tried;   /* a caller has had one started since the last connection */
    bool resting;        /* the daemon was stopped: none is started without a reason from outside */
    uint64_t stopped_at; /* when a daemon was stopped while there was a connection; 0: never */

    /* While as many attempts are left behind as may be. */
    bool probing;
    bool probe_answered; /* one more may be started */
    uint64_t next_probe;

    GArray *waiters; /* Waiter, in the order in which they came */
    unsigned round;
};

Availability *
availability_new(const AvailabilityEffects *effects, void *userdata, uint32_t seed)
{
    Availability *a = g_new0(Availability, 1);

    a->effects = effects;
    a->userdata = userdata;
    a->random = g_rand_new_with_seed(seed);
    a->message = g_strdup("");
    a->next_attempt = AVAILABILITY_NEVER;
    a->armed = AVAILABILITY_NEVER;
    a->backoff = BACKOFF_MIN;
    a->waiters = g_array_new(FALSE, FALSE, sizeof(Waiter));
    return a;
}

void
availability_free(Availability *a)
{
    if (!a)
        return;
    g_rand_free(a->random);
    g_array_unref(a->waiters);
    g_free(a->stopped);
    g_free(a->message);
    g_free(a);
}

static Attempt *
find_attempt(Availability *a, unsigned number)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(a->attempts); i++)
        if (a->attempts[i].number == number)
            return &a->attempts[i];
    return NULL;
}

/* A place for one more attempt; NULL where there is none. */
static Attempt *
find_free_place(Availability *a)
{
    return find_attempt(a, 0);
}

/* The attempt that everybody joins: one that is neither overdue nor left behind. */
static Attempt *
current_attempt(Availability *a)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(a->attempts); i++)
        if (a->attempts[i].number != 0 && !a->attempts[i].overdue)
            return &a->attempts[i];
    return NULL;
}

static unsigned
count_left_behind(const Availability *a)
{
    unsigned n = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(a->attempts); i++)
        n += a->attempts[i].number != 0 && a->attempts[i].overdue;
    return n;
}

/* Until when attempts that hang keep another one from being started: not if their daemon has been
 * replaced. */
static uint64_t
blocked_until(const Availability *a)
{
    uint64_t until = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(a->attempts); i++) {
        const Attempt *attempt = &a->attempts[i];

        if (attempt->number != 0 && attempt->overdue && !attempt->replaced)
            until = MAX(until, attempt->started + ATTEMPT_BLOCKS);
    }
    return until;
}

/* Whether the attempts left behind are so many that a probe has to show first that another one is
 * of use; and, with one more, that none may be started at all. */
static bool
needs_probe(const Availability *a)
{
    return count_left_behind(a) >= AVAILABILITY_LEFT_BEHIND_MAX && !a->probe_answered;
}

static bool
is_full(Availability *a)
{
    return !find_free_place(a);
}

static bool
may_connect(Availability *a, uint64_t now)
{
    return a->running && a->generation == 0 && !current_attempt(a) && now >= blocked_until(a) &&
           !needs_probe(a) && !is_full(a);
}

/* Whether the attempt under way may be left behind for another one. */
static bool
may_leave(const Availability *a)
{
    return count_left_behind(a) + 1 < AVAILABILITY_LEFT_BEHIND_MAX;
}

static void
set_status(Availability *a, Status status, const char *message)
{
    if (a->status == status && g_str_equal(a->message, message))
        return;

    /* The new message may be the old one. */
    char *old = a->message;
    a->status = status;
    a->message = g_strdup(message);
    g_free(old);
    a->effects->status(a->userdata, status, a->message);
}

static Waiter
take_first_waiter(Availability *a)
{
    Waiter waiter = g_array_index(a->waiters, Waiter, 0);

    g_array_remove_index(a->waiters, 0);
    return waiter;
}

/*
 * One by one, because an answer may make somebody wait again, which is for the next attempt; may
 * forget another waiter; or may drop the connection, and then the others wait for the next one.
 */
static void
answer_waiters(Availability *a, const Error *error)
{
    unsigned round = a->round++;
    unsigned generation = a->generation;

    while (a->waiters->len > 0 && g_array_index(a->waiters, Waiter, 0).round <= round &&
           (error || a->generation == generation))
        a->effects->answer(a->userdata, take_first_waiter(a).data, error);
}

static void
refuse_waiters(Availability *a, const char *message)
{
    g_autoptr(Error) error = error_not_available(message);

    answer_waiters(a, error);
}

static void
refuse_impatient_waiters(Availability *a, uint64_t now)
{
    g_autoptr(Error) error = error_not_available(NO_ANSWER);

    while (a->waiters->len > 0 &&
           now >= g_array_index(a->waiters, Waiter, 0).since + WAITER_PATIENCE)
        a->effects->answer(a->userdata, take_first_waiter(a).data, error);
}

static uint64_t
attempt_due(Availability *a, const Attempt *current)
{
    if (current->replaced && may_leave(a))
        return current->started + ATTEMPT_HANGS_AFTER;
    return current->started + ATTEMPT_DEADLINE;
}

static uint64_t
next_attempt_due(Availability *a)
{
    if (is_full(a))
        return AVAILABILITY_NEVER;
    if (needs_probe(a))
        return a->probing ? AVAILABILITY_NEVER : MAX(a->next_probe, blocked_until(a));
    return MAX(a->next_attempt, blocked_until(a));
}

static uint64_t
next_event(Availability *a)
{
    const Attempt *current = current_attempt(a);
    uint64_t when = current ? attempt_due(a, current) : next_attempt_due(a);

    if (!a->running || a->generation != 0)
        return AVAILABILITY_NEVER;
    if (a->resting && !current)
        when = AVAILABILITY_NEVER;
    if (a->waiters->len > 0)
        when = MIN(when, g_array_index(a->waiters, Waiter, 0).since + WAITER_PATIENCE);
    return when;
}

static void
arm(Availability *a)
{
    uint64_t when = next_event(a);

    if (when == a->armed)
        return;
    a->armed = when;
    a->effects->arm(a->userdata, when);
}

/* Start an attempt now, unless one is under way, one hangs, or there is no need. */
static void
try_to_connect(Availability *a, uint64_t now)
{
    if (!may_connect(a, now))
        return;

    Attempt *attempt = find_free_place(a);
    a->probe_answered = false;
    a->resting = false;
    a->last_attempt = now;
    if (++a->last_number == 0)
        a->last_number = 1;
    *attempt = (Attempt){.number = a->last_number, .started = now};
    a->next_attempt = AVAILABILITY_NEVER;
    a->effects->connect(a->userdata, attempt->number);
}

/* Start one now, or as soon as attempts that hang allow it. */
static void
connect_soon(Availability *a, uint64_t now)
{
    a->next_attempt = now;
    try_to_connect(a, now);
}

/* For a caller, who may have to wait a little. */
static void
try_to_connect_for_caller(Availability *a, uint64_t now)
{
    uint64_t due = a->last_attempt + CLAMP(a->backoff, CALLER_PACE_MIN, CALLER_PACE_MAX);

    if (!may_connect(a, now))
        return;
    if (a->caller_tried && now < due) {
        a->next_attempt = MIN(a->next_attempt, due);
        return;
    }
    a->caller_tried = true;
    try_to_connect(a, now);
}

/* Until a caller or a hint comes. Those who wait for the next attempt are such a reason; those who
 * wait for the one under way have its answer. */
static void
rest(Availability *a)
{
    a->resting = current_attempt(a) || a->waiters->len == 0;
    if (!a->resting || current_attempt(a))
        return;
    a->next_attempt = AVAILABILITY_NEVER;
    set_status(a, STATUS_STOPPED, STOPPED);
}

static void
schedule_attempt(Availability *a, uint64_t now)
{
    double jitter = g_rand_double_range(a->random, 0.75, 1.25);

    a->next_attempt = now + (uint64_t)((double)a->backoff * jitter);
    a->backoff = MIN(a->backoff * 2, BACKOFF_MAX);
}

void
availability_start(Availability *a, uint64_t now)
{
    a->running = true;
    try_to_connect(a, now);
    arm(a);
}

static void
leave_behind(Availability *a, Attempt *attempt)
{
    attempt->overdue = true;
    attempt->ended = a->effects->leave(a->userdata, attempt->number);
}

/* Leave a hanging attempt behind; its waiters wait for the next one. */
static void
leave_if_it_hangs(Availability *a, uint64_t now)
{
    Attempt *current = current_attempt(a);

    if (!current || !current->replaced || now < current->started + ATTEMPT_HANGS_AFTER ||
        !may_leave(a))
        return;
    leave_behind(a, current);
    try_to_connect(a, now);
}

static void
probe_if_due(Availability *a, uint64_t now)
{
    if (a->resting || current_attempt(a) || is_full(a) || !needs_probe(a) || a->probing ||
        now < a->next_probe || now < blocked_until(a))
        return;
    a->probing = true;
    a->effects->probe(a->userdata);
}

void
availability_hint(Availability *a, uint64_t now, Hint hint)
{
    if (hint == HINT_NEW_DAEMON)
        for (unsigned i = 0; i < G_N_ELEMENTS(a->attempts); i++)
            if (a->attempts[i].number != 0)
                a->attempts[i].replaced = true;
    if (hint == HINT_NEW_DAEMON)
        a->stop_until = 0;
    a->stopped_at = hint == HINT_STOPPED ? now : 0;
    if (!a->running || a->generation != 0)
        return;
    leave_if_it_hangs(a, now);
    a->backoff = BACKOFF_AFTER_HINT;
    a->resting = false;
    if (hint == HINT_STOPPED)
        rest(a);
    if (a->resting) {
        arm(a);
        return;
    }
    a->next_probe = 0;
    try_to_connect(a, now);
    probe_if_due(a, now);
    arm(a);
}

/* Nobody waits any longer for this attempt; it is kept, because it may come back. */
static void
give_up_if_overdue(Availability *a, uint64_t now)
{
    Attempt *current = current_attempt(a);

    if (!current || now < current->started + ATTEMPT_DEADLINE)
        return;
    leave_behind(a, current);
    a->next_attempt = now;
    set_status(a, STATUS_UNREACHABLE, NO_ANSWER);
    refuse_waiters(a, NO_ANSWER);
}

/* A call that waits for libvirt is a reason to start it. */
static bool
may_be_ending(const Availability *a, uint64_t now)
{
    return now < a->stop_until && a->waiters->len == 0 && a->effects->daemon_lives(a->userdata);
}

void
availability_elapsed(Availability *a, uint64_t now)
{
    a->armed = AVAILABILITY_NEVER;
    if (a->running && a->generation == 0) {
        leave_if_it_hangs(a, now);
        give_up_if_overdue(a, now);
        refuse_impatient_waiters(a, now);
        if (a->next_attempt <= now && may_be_ending(a, now))
            a->next_attempt = now + STOP_FOLLOWS;
        else if (a->next_attempt <= now && !a->resting)
            try_to_connect(a, now);
        probe_if_due(a, now);
    }
    arm(a);
}

void
availability_probed(Availability *a, uint64_t now, bool answered)
{
    a->probing = false;
    a->next_probe = now + PROBE_INTERVAL;
    if (answered && needs_probe(a)) {
        a->probe_answered = true;
        try_to_connect(a, now);
    }
    arm(a);
}

static void
connected(Availability *a, uint64_t now, unsigned number)
{
    a->generation = number;
    a->connected_at = now;
    a->stop_until = 0;
    if (!a->flapping)
        a->backoff = BACKOFF_MIN;
    a->next_attempt = AVAILABILITY_NEVER;
    a->probe_answered = false;
    a->caller_tried = false;
    a->resting = false;
    a->effects->adopt(a->userdata, number);
    if (a->generation == number)
        set_status(a, STATUS_AVAILABLE, "");
    if (a->generation == number)
        answer_waiters(a, NULL);
}

void
availability_succeeded(Availability *a, uint64_t now, unsigned number)
{
    Attempt *attempt = find_attempt(a, number);

    if (!attempt)
        return;
    if (attempt->lost) {
        a->effects->discard(a->userdata, number);
        availability_failed(a, now, number, STATUS_UNREACHABLE,
                            "The connection closed as soon as it was made");
        return;
    }
    *attempt = (Attempt){0};
    if (!a->running || a->generation != 0)
        a->effects->discard(a->userdata, number);
    else
        connected(a, now, number);
    arm(a);
}

void
availability_failed(Availability *a, uint64_t now, unsigned number, Status why, const char *message)
{
    Attempt *attempt = find_attempt(a, number);

    if (!attempt)
        return;
    bool is_latest = number == a->last_number;
    bool ended = attempt->ended;

    *attempt = (Attempt){0};
    if (!a->running || a->generation != 0 || current_attempt(a)) {
        arm(a);
        return;
    }
    if (is_latest || a->next_attempt == AVAILABILITY_NEVER)
        schedule_attempt(a, now);
    /* The failure of an earlier attempt says nothing of the daemon that was tried since, and that
     * of an attempt that we ended says nothing of any daemon. */
    if (is_latest && !ended) {
        set_status(a, why, message);
        refuse_waiters(a, message);
    }
    if (a->resting)
        rest(a);
    arm(a);
}

/* The attempt's time ran out while nobody waited for it: who comes now does not join it. */
static void
expire_attempt(Availability *a, uint64_t now)
{
    Attempt *current = current_attempt(a);

    if (current && now >= current->started + ATTEMPT_DEADLINE)
        leave_behind(a, current);
}

static void
drop_connection(Availability *a, uint64_t now, const char *message)
{
    unsigned generation = a->generation;

    expire_attempt(a, now);
    a->generation = 0;
    a->effects->clear(a->userdata, generation);
    set_status(a, STATUS_UNREACHABLE, message);
    a->effects->close(a->userdata, generation);
}

void
availability_lost(Availability *a, uint64_t now, unsigned generation, bool may_be_stopped,
                  const char *message)
{
    if (generation == 0)
        return;
    if (generation != a->generation) {
        Attempt *attempt = find_attempt(a, generation);

        if (attempt)
            attempt->lost = true;
        return;
    }
    a->flapping = now < a->connected_at + CONNECTION_LASTS;
    if (!a->flapping)
        a->backoff = BACKOFF_MIN;
    drop_connection(a, now, message);
    if (a->stopped_at != 0 && now < a->stopped_at + STOP_PRECEDES)
        rest(a);
    else if (!a->flapping && !may_be_stopped)
        connect_soon(a, now);
    else if (!a->flapping)
        a->next_attempt = now;
    else if (!current_attempt(a))
        schedule_attempt(a, now);
    a->stop_until = may_be_stopped ? now + STOP_LASTS : 0;
    if (may_be_stopped)
        a->next_attempt = MAX(a->next_attempt, now + STOP_FOLLOWS);
    arm(a);
}

static const char *
why_not(const Availability *a)
{
    if (a->stopped)
        return a->stopped;
    return a->message[0] ? a->message : NO_ANSWER;
}

void
availability_want(Availability *a, uint64_t now, void *waiter)
{
    if (a->generation != 0) {
        a->effects->answer(a->userdata, waiter, NULL);
        return;
    }

    Waiter entry = {.data = waiter, .since = now, .round = a->round};
    g_array_append_val(a->waiters, entry);
    try_to_connect_for_caller(a, now);
    /* If no attempt is under way and none may be started soon, the waiter would wait in vain. */
    if (a->generation == 0 && !current_attempt(a) && !may_connect(a, now))
        refuse_waiters(a, why_not(a));
    arm(a);
}

void
availability_reconnect(Availability *a, uint64_t now, void *waiter)
{
    if (a->generation != 0) {
        drop_connection(a, now, "A new connection was asked for");
        connect_soon(a, now);
    }
    availability_want(a, now, waiter);
}

void
availability_forget(Availability *a, void *waiter)
{
    for (unsigned i = 0; i < a->waiters->len; i++) {
        if (g_array_index(a->waiters, Waiter, i).data != waiter)
            continue;
        g_array_remove_index(a->waiters, i);
        return;
    }
}

void
availability_stop(Availability *a, uint64_t now, const char *message)
{
    a->running = false;
    g_free(a->stopped);
    a->stopped = g_strdup(message);
    if (a->generation != 0)
        drop_connection(a, now, message);
    refuse_waiters(a, message);
    arm(a);
}

Status
availability_status(const Availability *a)
{
    return a->status;
}

unsigned
availability_generation(const Availability *a)
{
    return a->generation;
}
