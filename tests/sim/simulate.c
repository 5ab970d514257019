/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The availability engine and the operations together, through any schedule: a seed makes a world
 * of a hypervisor, its domains and guests, and clients, in which everything that may go wrong does,
 * under a virtual clock. What the service's loop does around the engines is done here likewise.
 *
 *   simulate [--seeds N] [--seed K]
 *
 * Without --seed it runs the seeds that once failed, then N others, shared among the processors. A
 * failing seed prints its schedule. With --seed it prints that schedule.
 */

#include "availability.h"
#include "domain.h"
#include "operation-plan.h"
#include "operation.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define MSEC  UINT64_C(1000)
#define SEC   (1000 * MSEC)
#define NEVER UINT64_MAX

/* Seeds that find a fault that once was there (the world they make changes with this program). */
static const uint64_t kept_seeds[] = {
    2,         /* an attempt beside one that hangs on the same daemon */
    1037,      /* a connection that closed before it was adopted */
    1164,      /* a waiter's time and the timer */
    1882,      /* a late failure beside a working connection */
    6223,      /* Stop of a paused domain that somebody else has stopped */
    26700,     /* a request that was never sent, and a guest that went down */
    123462,    /* what is seen is of before the operation began */
    132442,    /* what was listed is older than the attempt's end */
    193704,    /* a preparation that hung until the time was up, then failed */
    245396,    /* all attempts left behind, and someone waits */
    477330,    /* a Start that was never sent, and somebody else's start */
    806533,    /* a Reboot that was never sent, and a restart */
    796977789, /* a wake-up is lost, and somebody else has paused the guest since */
};

#define DOMAINS_MAX  3
#define OPS_MAX      64
#define OP_CALLS_MAX 48
#define CALLERS_MAX  96
#define CALLS_MAX    512
#define ATTEMPTS_MAX 512
#define EVENTS_MAX   2048
#define KEEPALIVE    (5 * SEC)
/* How long a new daemon takes to connect to the guests that it finds. */
#define CONNECTING   SEC
/* What a waiter waits at most: an attempt left behind, and all of the next one. */
#define PATIENCE     (12 * SEC)
/* After the last fault; an operation that nothing ends by then is lost. */
#define REST         (700 * SEC)

/* --- the world ------------------------------------------------------------------------------- */

typedef enum {
    EVENT_ACTION,
    EVENT_ATTEMPT,
    EVENT_LOST,
    EVENT_PROBED,
    EVENT_EXECUTE,
    EVENT_REPLY,
    EVENT_REPORT,
    EVENT_NEWS,
    EVENT_QUESTION,
    EVENT_ANSWER,
    EVENT_GUEST,
    EVENT_HINT,
    EVENT_THAW,
    EVENT_THAW_GUEST,
    EVENT_START_DAEMON,
    EVENT_HEAL,
} EventKind;

typedef struct {
    uint64_t when;
    unsigned sequence;
    EventKind kind;
    unsigned a;
    unsigned b;
} Event;

typedef enum {
    DAEMON_STOPPED,
    DAEMON_UP,
    DAEMON_FROZEN,
} DaemonState;

typedef enum {
    GUEST_OBEYS,
    GUEST_LATE,
    GUEST_IGNORES,
    GUEST_REFUSES, /* the request itself fails */
    GUEST_HANGS,   /* the request itself hangs, as in an agent */
    GUEST_CRASHES,
    _GUEST_MAX,
} GuestKind;

typedef enum {
    AGENT_NONE,
    AGENT_ANSWERS,
    AGENT_REFUSES,
    AGENT_HANGS,
    _AGENT_MAX,
} AgentKind;

typedef enum {
    GUEST_GOES_DOWN,
    GUEST_CRASHED,
    GUEST_WAKES,
    GUEST_RESTARTS,
    GUEST_STARTED,
    GUEST_ENDS,
} GuestDoing;

/* A domain as it really is, and what the service knows of it. */
typedef struct {
    DomainState state;
    int id;
    int last_id;
    unsigned run;
    bool persistent;
    bool exists;
    bool frozen; /* its process: nothing but destroying gets through */
    GuestKind guest;
    AgentKind agent;
    bool restarts_on_poweroff;
    bool ends_on_reboot;
    bool starts_slowly;
    bool starting_up; /* by somebody else */
    bool stuck;       /* reset in its sleep: it neither wakes up nor resumes */
    uint64_t deaf;    /* how long it loses requests after it began to boot */
    uint64_t booted_at;
    uint64_t rebooted_at;
    uint64_t left_at[_DOMAIN_STATE_MAX];

    Domain *model;
    Domain *mirror; /* kept from signals alone */
    bool cached;
    bool stale;
    bool asked;
    unsigned question;
    bool cached_starting_up;
    bool answer_starting_up;
    bool answer_exists;
    DomainState answer_state;
    int answer_id;
    bool answer_ready;
    int busy; /* the change under way on the lanes; -1: none */
    int job;  /* -1: none */
} SimDomain;

typedef enum {
    CALL_FREE,
    CALL_QUEUED,
    CALL_SENT,
    CALL_EXECUTED,
    CALL_OVER,
} CallState;

typedef struct {
    CallState state;
    int op; /* -1: nobody waits for it any more */
    unsigned domain;
    DomainVerb verb;
    unsigned serial;
    unsigned generation;
    unsigned daemon;
    bool beside; /* a request while another hangs: it takes no place of its domain */
    bool stalled;
    bool carried_out;
    bool told; /* its outcome, to the operation */
    CallOutcome outcome;
} SimCall;

typedef struct {
    struct Sim *sim;
    Operation *op;
    OperationSpec spec;
    unsigned number;
    unsigned domain;
    uint64_t began;
    uint64_t armed;
    uint64_t told_since; /* the connection, without a break */
    DomainState first_state;
    int first_id;
    bool connected;
    bool finished;
    bool refreshed;
    bool overtaken;
    bool canceled;
    bool seen_crashed;
    bool seen_down;
    bool excused; /* a call failed, but it was not too late when it was made */
    bool failed_once;
    bool destroyed;
    bool seen_restarting;
    bool joins; /* somebody else's start */
    uint64_t fresh_at;
    unsigned n_calls;
    unsigned calls[OP_CALLS_MAX];
} SimOp;

typedef enum {
    CALLER_LIST,
    CALLER_RECONNECT,
    CALLER_OPERATION,
} CallerKind;

typedef struct {
    CallerKind kind;
    unsigned number;
    uint64_t since;
    bool waiting;
    bool forgotten;
    unsigned answers;
    unsigned domain;
    OperationSpec spec;
    int op;
} Caller;

typedef struct {
    bool in_flight;
    unsigned phase; /* connecting, registered, listed */
    unsigned daemon;
    uint64_t started;
    uint64_t replaced_at; /* when a new daemon was hinted at */
    bool replaced;
    bool stalled;
    bool lost;
    bool early[DOMAINS_MAX];
    bool succeeding;
    /* what it listed */
    bool exists[DOMAINS_MAX];
    bool starting_up[DOMAINS_MAX];
    DomainState states[DOMAINS_MAX];
    int ids[DOMAINS_MAX];
    /* what became of its connection */
    bool adopted;
    bool cleared;
    bool closed;
    bool discarded;
    bool good;
} Attempt;

typedef struct Sim {
    uint64_t seed;
    uint64_t random;
    uint64_t random_traits; /* of its own, so that the rest of a schedule stays as it was */
    bool tracing;
    char *failure;

    uint64_t now;
    unsigned sequence;
    unsigned n_events;
    Event events[EVENTS_MAX];
    bool healed;
    uint64_t healed_at;
    unsigned actions_left;
    uint64_t pace;

    DaemonState daemon_state;
    unsigned daemon;       /* which process */
    uint64_t daemon_since; /* when it started */
    unsigned trouble;      /* percent */

    Availability *availability;
    uint64_t armed;
    unsigned last_attempt;
    bool probe_answered;
    unsigned generation; /* as the driver was told */
    Status status;
    char *message;
    bool in_clear;
    Attempt attempts[ATTEMPTS_MAX];

    unsigned n_domains;
    SimDomain domains[DOMAINS_MAX];
    unsigned n_ops;
    SimOp ops[OPS_MAX];
    unsigned n_callers;
    Caller callers[CALLERS_MAX];
    unsigned n_calls;
    SimCall calls[CALLS_MAX];
} Sim;

static void say(Sim *s, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void fault(Sim *s, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void
say(Sim *s, const char *format, ...)
{
    va_list args;

    if (!s->tracing)
        return;
    printf("# %10.6f ", (double)s->now / 1e6);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

/* The first one counts. */
static void
fault(Sim *s, const char *format, ...)
{
    va_list args;

    if (s->failure)
        return;
    va_start(args, format);
    s->failure = g_strdup_vprintf(format, args);
    va_end(args);
    say(s, "FAULT: %s", s->failure);
}

#define REQUIRE(s, condition, ...)                                                                 \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fault(s, __VA_ARGS__);                                                                 \
    } while (0)

static uint64_t
next_of(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint64_t
next_random(Sim *s)
{
    return next_of(&s->random);
}

/* Of what a domain is like. */
static bool
has_trait(Sim *s, unsigned percentage)
{
    return next_of(&s->random_traits) % 100 < percentage;
}

static unsigned
below(Sim *s, unsigned n)
{
    return (unsigned)(next_random(s) % n);
}

static bool
percent(Sim *s, unsigned n)
{
    return below(s, 100) < n;
}

static uint64_t
between(Sim *s, uint64_t low, uint64_t high)
{
    return low + next_random(s) % (high - low + 1);
}

/* --- events ---------------------------------------------------------------------------------- */

static bool
is_before(const Event *a, const Event *b)
{
    return a->when != b->when ? a->when < b->when : a->sequence < b->sequence;
}

static void
swap_events(Sim *s, unsigned i, unsigned j)
{
    Event other = s->events[i];

    s->events[i] = s->events[j];
    s->events[j] = other;
}

static void
after(Sim *s, uint64_t delay, EventKind kind, unsigned a, unsigned b)
{
    if (s->n_events == EVENTS_MAX) {
        fault(s, "Too many events: something goes round and round");
        return;
    }
    unsigned i = s->n_events++;

    s->events[i] = (Event){s->now + delay, ++s->sequence, kind, a, b};
    while (i > 0 && is_before(&s->events[i], &s->events[(i - 1) / 2])) {
        swap_events(s, i, (i - 1) / 2);
        i = (i - 1) / 2;
    }
}

static Event
take_event(Sim *s)
{
    Event first = s->events[0];
    unsigned i = 0;

    s->events[0] = s->events[--s->n_events];
    for (;;) {
        unsigned least = i;

        for (unsigned child = 2 * i + 1; child <= 2 * i + 2 && child < s->n_events; child++)
            if (is_before(&s->events[child], &s->events[least]))
                least = child;
        if (least == i)
            return first;
        swap_events(s, i, least);
        i = least;
    }
}

/* --- the cache, and a mirror of it kept from signals ----------------------------------------- */

static void
flush(Sim *s, SimDomain *d)
{
    Domain *model = d->model;
    Domain *mirror = d->mirror;
    uint64_t bits = model->unsignaled;

    model->unsignaled = 0;
    if (bits & DOMAIN_CHANGED(STATE)) {
        mirror->state = model->state;
        mirror->state_name = model->state_name;
    }
    if (bits & DOMAIN_CHANGED(ID))
        mirror->id = model->id;
    if (bits & DOMAIN_CHANGED(AVAILABLE)) {
        REQUIRE(s, mirror->available != model->available, "Available was told twice");
        mirror->available = model->available;
    }
    if (bits & DOMAIN_CHANGED(JOB))
        mirror->job = model->job;
    REQUIRE(s,
            mirror->state_name == model->state_name && mirror->id == model->id &&
                mirror->available == model->available && mirror->job == model->job,
            "A mirror kept from signals differs from the cache");
}

static void
apply(Sim *s, SimDomain *d, bool exists, DomainState state, int id, bool starting_up)
{
    DomainUpdate snapshot = {.known = FACT_STATE, .state = state, .id = id, .reason = "unknown"};

    d->cached = exists;
    d->cached_starting_up = starting_up;
    if (!exists)
        return;
    bool differs = d->model->state != state || d->model->id != id;
    uint64_t changed = domain_apply(d->model, &snapshot);
    REQUIRE(s, differs == (changed != 0), "A change was signalled twice, or not at all");
}

static bool
is_calling(const Sim *s, const SimOp *op)
{
    for (unsigned i = 0; i < op->n_calls; i++)
        if (!s->calls[op->calls[i]].told)
            return true;
    return false;
}

static Observation
seen_as(const SimDomain *d, bool fresh)
{
    return (Observation){
        .state = d->cached ? d->model->state : DOMAIN_SHUTOFF,
        .id = d->cached ? d->model->id : -1,
        .gone = !d->cached,
        .persistent = d->persistent,
        .fresh = fresh,
        .starting_up = d->cached && d->cached_starting_up,
        .agent_connected = d->agent != AGENT_NONE,
        .restarts_on_poweroff = d->restarts_on_poweroff,
        .ends_on_reboot = d->ends_on_reboot,
        .booted_at = d->booted_at,
    };
}

static void
observe(Sim *s, unsigned domain, bool fresh)
{
    Observation seen = seen_as(&s->domains[domain], fresh);

    for (unsigned i = 0; i < s->n_ops; i++) {
        SimOp *op = &s->ops[i];

        if (op->finished || op->domain != domain)
            continue;
        bool restarted =
            op->refreshed && op->first_id >= 0 && seen.id >= 0 && seen.id != op->first_id;

        if (fresh && !op->refreshed) {
            op->refreshed = true;
            if (op->first_id >= 0)
                op->first_id = seen.id;
        }
        /* It went down while it was being asked: nobody can tell who did it. */
        if (seen.gone || seen.state == DOMAIN_SHUTOFF || restarted)
            op->excused |= is_calling(s, op);
        op->seen_crashed |= seen.state == DOMAIN_CRASHED;
        op->seen_down |= seen.gone || seen.state == DOMAIN_SHUTOFF || restarted;
        op->seen_restarting |= seen.restarts_on_poweroff && seen.state == DOMAIN_SHUTDOWN;
        if (fresh)
            op->fresh_at = s->now;
        op->excused |= op->failed_once && seen.state != DOMAIN_SHUTOFF && !seen.gone;
        operation_observe(op->op, s->now, &seen);
    }
}

/* --- refreshing: one question at a time for each domain --------------------------------------- */

static void
pump_refreshes(Sim *s, unsigned domain)
{
    SimDomain *d = &s->domains[domain];

    if (s->generation == 0 || !d->stale || d->asked)
        return;
    d->stale = false;
    d->asked = true;
    d->answer_ready = false;
    d->question++;
    after(s, between(s, 0, 3 * MSEC), EVENT_QUESTION, domain, d->question);
}

static void
mark(Sim *s, unsigned domain)
{
    s->domains[domain].stale = true;
    pump_refreshes(s, domain);
}

static bool
daemon_answers(const Sim *s, unsigned daemon)
{
    return s->daemon_state == DAEMON_UP && s->daemon == daemon;
}

static unsigned
daemon_of_connection(const Sim *s)
{
    return s->attempts[s->generation % ATTEMPTS_MAX].daemon;
}

static void
on_question_event(Sim *s, unsigned domain, unsigned question)
{
    SimDomain *d = &s->domains[domain];

    if (!d->asked || d->question != question || !daemon_answers(s, daemon_of_connection(s)))
        return; /* the loss, or the thaw, takes care of it */
    d->answer_exists = d->exists;
    d->answer_state = d->state;
    d->answer_id = d->id;
    d->answer_starting_up = d->starting_up;
    d->answer_ready = true;
    after(s, between(s, 0, percent(s, 5) ? 7 * SEC : 3 * MSEC), EVENT_ANSWER, domain, question);
}

static void
on_answer_event(Sim *s, unsigned domain, unsigned question)
{
    SimDomain *d = &s->domains[domain];

    if (!d->asked || d->question != question)
        return;
    d->asked = false;
    apply(s, d, d->answer_exists, d->answer_state, d->answer_id, d->answer_starting_up);
    flush(s, d);
    observe(s, domain, false);
    if (d->stale)
        pump_refreshes(s, domain);
    else if (!d->asked)
        observe(s, domain, true);
}

/* --- the hypervisor -------------------------------------------------------------------------- */

static void
post_news(Sim *s, unsigned domain, bool rebooted)
{
    for (unsigned i = s->last_attempt; i > 0 && i + 8 > s->last_attempt; i--) {
        const Attempt *attempt = &s->attempts[i];
        bool listens = attempt->phase >= 1 && attempt->daemon == s->daemon &&
                       (attempt->in_flight || (attempt->adopted && !attempt->cleared));

        if (listens && s->daemon_state != DAEMON_STOPPED)
            after(s, between(s, 0, 5 * MSEC), EVENT_NEWS, i, domain * 2 + rebooted);
    }
}

static void
execute_stalled_calls(Sim *s)
{
    for (unsigned i = 0; i < s->n_calls; i++) {
        if (!s->calls[i].stalled)
            continue;
        s->calls[i].stalled = false;
        after(s, between(s, 0, 10 * MSEC), EVENT_EXECUTE, i, 0);
    }
}

static void
change_state(Sim *s, unsigned domain, DomainState state)
{
    SimDomain *d = &s->domains[domain];

    d->left_at[d->state] = s->now;
    say(s, "   vm%u: %s -> %s", domain, domain_state_name(d->state), domain_state_name(state));
    if (state == DOMAIN_SHUTOFF) {
        d->run++;
        d->id = -1;
        d->frozen = d->stuck = false;
        d->exists = d->persistent;
    } else if (d->state == DOMAIN_SHUTOFF) {
        d->run++;
        d->id = ++d->last_id;
        d->booted_at = s->now;
    }
    d->state = state;
    d->starting_up = false;
    post_news(s, domain, false);
    if (state == DOMAIN_SHUTOFF)
        execute_stalled_calls(s);
}

static bool
is_up(const SimDomain *d)
{
    return d->state == DOMAIN_RUNNING || d->state == DOMAIN_IDLE;
}

static void
reboot(Sim *s, unsigned domain)
{
    SimDomain *d = &s->domains[domain];

    say(s, "   vm%u restarts", domain);
    d->booted_at = d->rebooted_at = s->now;
    post_news(s, domain, true);
}

static void
go_down(Sim *s, unsigned domain)
{
    SimDomain *d = &s->domains[domain];

    if (d->guest == GUEST_OBEYS || (s->healed && d->guest == GUEST_LATE))
        after(s, between(s, 50 * MSEC, 3 * SEC), EVENT_GUEST, domain * 8 + GUEST_GOES_DOWN, d->run);
    else if (d->guest == GUEST_LATE)
        after(s, between(s, 8 * SEC, 15 * SEC), EVENT_GUEST, domain * 8 + GUEST_GOES_DOWN, d->run);
    else if (d->guest == GUEST_CRASHES)
        after(s, between(s, 50 * MSEC, 3 * SEC), EVENT_GUEST, domain * 8 + GUEST_CRASHED, d->run);
}

static void
restart(Sim *s, unsigned domain)
{
    SimDomain *d = &s->domains[domain];

    if (d->guest == GUEST_OBEYS || d->guest == GUEST_LATE)
        after(s, between(s, 50 * MSEC, 12 * SEC), EVENT_GUEST, domain * 8 + GUEST_RESTARTS, d->run);
}

/* False: the request fails. */
static bool
hears(const Sim *s, const SimCall *call, bool *loses)
{
    const SimDomain *d = &s->domains[call->domain];
    bool by_agent = call->verb == VERB_SHUTDOWN_AGENT || call->verb == VERB_REBOOT_AGENT;

    *loses = !by_agent && d->booted_at > 0 && s->now < d->booted_at + d->deaf;
    return is_up(d) && d->guest != GUEST_REFUSES && (!by_agent || d->agent == AGENT_ANSWERS);
}

static CallOutcome
ask_to_go_down(Sim *s, const SimCall *call)
{
    bool loses;

    if (!hears(s, call, &loses))
        return OUTCOME_FAILED;
    if (!loses)
        go_down(s, call->domain);
    return OUTCOME_OK;
}

static CallOutcome
ask_to_restart(Sim *s, const SimCall *call)
{
    bool loses;

    if (!hears(s, call, &loses))
        return OUTCOME_FAILED;
    if (call->op >= 0 && s->ops[call->op].spec.reboot_in_call)
        reboot(s, call->domain);
    else if (!loses)
        restart(s, call->domain);
    return OUTCOME_OK;
}

static CallOutcome
reset_in_place(Sim *s, unsigned domain)
{
    SimDomain *d = &s->domains[domain];

    if (d->state == DOMAIN_SHUTOFF)
        return OUTCOME_FAILED;
    if (d->ends_on_reboot) {
        after(s, 100 * MSEC, EVENT_GUEST, domain * 8 + GUEST_ENDS, d->run);
        return OUTCOME_OK;
    }
    d->stuck |= d->state == DOMAIN_PMSUSPENDED;
    if (d->state == DOMAIN_CRASHED)
        change_state(s, domain, DOMAIN_PAUSED);
    reboot(s, domain);
    return OUTCOME_OK;
}

/* A daemon that is still connecting to the guest notices its end before the call that caused it
 * does, and tells the caller that there was nothing to do. */
static CallOutcome
destroy(Sim *s, unsigned domain)
{
    const SimDomain *d = &s->domains[domain];
    bool connecting =
        s->now < s->daemon_since + CONNECTING && d->left_at[DOMAIN_SHUTOFF] < s->daemon_since;

    if (d->state == DOMAIN_SHUTOFF)
        return OUTCOME_FAILED;
    change_state(s, domain, DOMAIN_SHUTOFF);
    return connecting ? OUTCOME_FAILED : OUTCOME_OK;
}

/* Somebody else has started it: that is waited for, and is success. */
static void
excuse_start(Sim *s, const SimCall *call)
{
    if (call->op >= 0 && s->ops[call->op].spec.kind == OPERATION_START)
        s->ops[call->op].excused = true;
}

static CallOutcome
carry_out(Sim *s, const SimCall *call)
{
    SimDomain *d = &s->domains[call->domain];
    DomainState from = d->state;
    DomainState to;

    if (!d->exists || percent(s, s->healed ? 0 : 2))
        return OUTCOME_FAILED;
    switch (call->verb) {
    case VERB_CREATE:
    case VERB_CREATE_PAUSED:
        if (from != DOMAIN_SHUTOFF) {
            excuse_start(s, call);
            return OUTCOME_FAILED;
        }
        to = call->verb == VERB_CREATE ? DOMAIN_RUNNING : DOMAIN_PAUSED;
        break;
    case VERB_RESUME:
        if (from != DOMAIN_PAUSED || d->starting_up)
            return OUTCOME_FAILED;
        to = DOMAIN_RUNNING;
        break;
    case VERB_SUSPEND:
        if (!is_up(d))
            return OUTCOME_FAILED;
        to = DOMAIN_PAUSED;
        break;
    case VERB_WAKEUP:
        if (from != DOMAIN_PMSUSPENDED)
            return OUTCOME_FAILED;
        if (d->guest != GUEST_IGNORES && !d->stuck)
            after(s, between(s, 0, 3 * SEC), EVENT_GUEST, call->domain * 8 + GUEST_WAKES, d->run);
        return OUTCOME_OK;
    case VERB_SHUTDOWN_AGENT:
    case VERB_SHUTDOWN_ACPI:
        return ask_to_go_down(s, call);
    case VERB_DESTROY:
        return destroy(s, call->domain);
    case VERB_REBOOT_AGENT:
    case VERB_REBOOT_ACPI:
        return ask_to_restart(s, call);
    case VERB_RESET:
        return reset_in_place(s, call->domain);
    default:
        return OUTCOME_FAILED;
    }
    change_state(s, call->domain, to);
    return OUTCOME_OK;
}

static void
on_guest_event(Sim *s, unsigned domain, GuestDoing doing, unsigned run)
{
    SimDomain *d = &s->domains[domain];

    if (d->run != run)
        return;
    if (d->frozen) {
        after(s, SEC, EVENT_GUEST, domain * 8 + doing, run);
        return;
    }
    if (doing == GUEST_GOES_DOWN && is_up(d)) {
        if (percent(s, 30) || d->restarts_on_poweroff) {
            change_state(s, domain, DOMAIN_SHUTDOWN);
            after(s, between(s, 0, SEC), EVENT_GUEST, domain * 8 + GUEST_GOES_DOWN, run);
        } else {
            change_state(s, domain, DOMAIN_SHUTOFF);
        }
    } else if (doing == GUEST_GOES_DOWN && d->state == DOMAIN_SHUTDOWN && d->restarts_on_poweroff) {
        change_state(s, domain, DOMAIN_RUNNING);
        reboot(s, domain);
    } else if (doing == GUEST_GOES_DOWN && d->state == DOMAIN_SHUTDOWN) {
        change_state(s, domain, DOMAIN_SHUTOFF);
    } else if (doing == GUEST_CRASHED && is_up(d)) {
        change_state(s, domain, DOMAIN_CRASHED);
    } else if (doing == GUEST_WAKES && d->state == DOMAIN_PMSUSPENDED && !d->stuck) {
        change_state(s, domain, DOMAIN_RUNNING);
    } else if (doing == GUEST_RESTARTS && is_up(d)) {
        reboot(s, domain);
    } else if (doing == GUEST_STARTED && d->starting_up) {
        change_state(s, domain, DOMAIN_RUNNING);
    } else if (doing == GUEST_ENDS) {
        change_state(s, domain, DOMAIN_SHUTOFF);
    }
}

/* --- calls ----------------------------------------------------------------------------------- */

static void
send_call(Sim *s, unsigned number)
{
    SimCall *call = &s->calls[number];

    call->state = CALL_SENT;
    if (call->verb != VERB_DESTROY && !call->beside)
        s->domains[call->domain].busy = (int)number;
    after(s, between(s, 0, percent(s, 10) ? 3 * SEC : 5 * MSEC), EVENT_EXECUTE, number, 0);
}

static void
send_next_call(Sim *s, unsigned domain)
{
    if (s->domains[domain].busy >= 0)
        return;
    for (unsigned i = 0; i < s->n_calls; i++) {
        if (s->calls[i].state != CALL_QUEUED || s->calls[i].domain != domain)
            continue;
        send_call(s, i);
        return;
    }
}

static void
release_lane(Sim *s, unsigned number)
{
    SimDomain *d = &s->domains[s->calls[number].domain];

    if (d->busy != (int)number)
        return;
    d->busy = -1;
    send_next_call(s, s->calls[number].domain);
}

static void
check_call(Sim *s, SimOp *op, DomainVerb verb)
{
    uint64_t deadline = op->spec.timeout == NEVER ? NEVER : op->began + op->spec.timeout;
    const SimDomain *d = &s->domains[op->domain];
    bool by_acpi = verb == VERB_SHUTDOWN_ACPI || verb == VERB_REBOOT_ACPI;
    bool repeats = by_acpi && d->booted_at > 0;

    REQUIRE(s, !op->finished, "op%u calls after its end", op->number);
    REQUIRE(s, op->connected, "op%u calls while it is away", op->number);
    REQUIRE(s, !op->overtaken, "op%u calls after it was overtaken", op->number);
    for (unsigned i = 0; i < op->n_calls; i++) {
        const SimCall *before = &s->calls[op->calls[i]];

        REQUIRE(s, before->verb != verb || before->outcome == OUTCOME_UNSENT || repeats,
                "op%u repeats a call that may have been carried out", op->number);
        REQUIRE(s, before->verb != verb || before->told, "op%u asks beside the same request",
                op->number);
    }
    if (op->spec.kind != OPERATION_STOP || verb != VERB_DESTROY)
        return;
    REQUIRE(s, op->spec.force, "op%u forces, and must not", op->number);
    REQUIRE(s,
            s->now >= deadline || op->seen_crashed || op->first_state == DOMAIN_CRASHED ||
                op->seen_restarting,
            "op%u forces before the time is up", op->number);
    /* A domain that was listed as down or restarted is refreshed first: for 5 s. */
    uint64_t limit = op->seen_down ? op->told_since + 5 * SEC : deadline;
    REQUIRE(s,
            op->destroyed || op->told_since > deadline || s->now <= MAX(deadline, limit) ||
                op->seen_crashed || op->seen_restarting,
            "op%u forces late", op->number);
    op->destroyed = true;
}

static void
effect_call(void *userdata, DomainVerb verb, unsigned serial)
{
    SimOp *op = userdata;
    Sim *s = op->sim;

    say(s, "  op%u calls %u (%u)", op->number, verb, serial);
    check_call(s, op, verb);
    if (s->n_calls == CALLS_MAX || op->n_calls == OP_CALLS_MAX) {
        fault(s, "op%u makes too many calls", op->number);
        return;
    }
    unsigned number = s->n_calls++;
    SimCall *call = &s->calls[number];

    *call = (SimCall){
        .state = CALL_QUEUED,
        .op = (int)op->number,
        .domain = op->domain,
        .verb = verb,
        .serial = serial,
        .generation = s->generation,
        .daemon = daemon_of_connection(s),
        .beside = is_calling(s, op),
        .outcome = (CallOutcome)-1,
    };
    op->calls[op->n_calls++] = number;
    if (s->generation == 0 || percent(s, 1)) {
        call->outcome = OUTCOME_UNSENT;
        call->state = CALL_OVER;
        after(s, 0, EVENT_REPORT, number, 0);
    } else if (verb == VERB_DESTROY || call->beside) {
        send_call(s, number);
    } else {
        send_next_call(s, op->domain);
    }
}

static void
on_execute_event(Sim *s, unsigned number)
{
    SimCall *call = &s->calls[number];
    const SimDomain *d = &s->domains[call->domain];

    if (call->carried_out || call->daemon != s->daemon || s->daemon_state == DAEMON_STOPPED)
        return; /* it went with its daemon */
    if (s->daemon_state == DAEMON_FROZEN || (d->frozen && call->verb != VERB_DESTROY)) {
        call->stalled = true;
        return;
    }
    bool by_agent = call->verb == VERB_SHUTDOWN_AGENT || call->verb == VERB_REBOOT_AGENT;
    bool hangs = is_up(d) && !s->healed &&
                 (by_agent ? d->agent == AGENT_HANGS
                           : call->verb == VERB_SHUTDOWN_ACPI && d->guest == GUEST_HANGS);
    if (hangs) {
        call->stalled = true;
        return;
    }
    call->carried_out = true;
    CallOutcome outcome = carry_out(s, call);
    if (call->state != CALL_SENT)
        return; /* nobody is connected for the answer */
    call->state = CALL_EXECUTED;
    call->outcome = outcome;
    after(s, between(s, 0, 5 * MSEC), EVENT_REPLY, number, 0);
}

static void
tell_outcome(Sim *s, unsigned number)
{
    static const char *const outcomes[] = {"ok", "failed", "lost", "unsent"};
    SimCall *call = &s->calls[number];
    SimOp *op = call->op >= 0 ? &s->ops[call->op] : NULL;
    Error error = {ERROR_OPERATION_FAILED, .libvirt_code = 1, .message = (char *)"libvirt's words"};

    call->state = CALL_OVER;
    call->told = true;
    if (op && !op->finished) {
        say(s, "  op%u call (%u): %s", op->number, call->serial, outcomes[call->outcome]);
        op->failed_once |= call->outcome == OUTCOME_FAILED;
        /* It was seen to go down while it was being asked. */
        op->excused |= call->outcome == OUTCOME_FAILED && op->seen_down;
        op->seen_down |= call->outcome == OUTCOME_OK && op->spec.reboot_in_call;
        operation_call_done(op->op, s->now, call->serial, call->outcome,
                            call->outcome == OUTCOME_OK ? NULL : &error);
    }
    release_lane(s, number);
}

static void
on_reply_event(Sim *s, unsigned number)
{
    if (s->calls[number].state == CALL_EXECUTED)
        tell_outcome(s, number);
}

/* The connection goes: what was sent is lost, what was not cannot be any more. */
static void
end_calls(Sim *s)
{
    for (unsigned i = 0; i < s->n_calls; i++) {
        SimCall *call = &s->calls[i];

        if (call->state == CALL_OVER || call->state == CALL_FREE)
            continue;
        call->outcome = call->state == CALL_QUEUED ? OUTCOME_UNSENT : OUTCOME_LOST;
        call->state = CALL_OVER;
        after(s, between(s, 0, percent(s, 20) ? 300 * MSEC : MSEC), EVENT_REPORT, i, 0);
    }
    for (unsigned i = 0; i < s->n_domains; i++)
        s->domains[i].busy = -1;
}

/* --- operations ------------------------------------------------------------------------------ */

static bool
was_in_state(const SimDomain *d, DomainState state, uint64_t since)
{
    return d->state == state || (d->left_at[state] != 0 && d->left_at[state] >= since);
}

static bool
was_up(const SimDomain *d, uint64_t since)
{
    return was_in_state(d, DOMAIN_RUNNING, since) || was_in_state(d, DOMAIN_IDLE, since);
}

/* What an operation that is done must have brought about, some time since it began. */
static bool
is_true(const Sim *s, const SimOp *op)
{
    const SimDomain *d = &s->domains[op->domain];
    bool transient = !d->persistent;

    switch (op->spec.kind) {
    case OPERATION_START:
        if (op->first_state == DOMAIN_PAUSED || op->first_state == DOMAIN_PMSUSPENDED)
            return was_up(d, op->began);
        return d->state != DOMAIN_SHUTOFF || was_up(d, op->began) ||
               was_in_state(d, DOMAIN_PAUSED, op->began);
    case OPERATION_RESUME:
        return was_up(d, op->began);
    case OPERATION_PAUSE:
        return was_in_state(d, DOMAIN_PAUSED, op->began);
    case OPERATION_STOP:
    case OPERATION_FORCE_STOP:
        return was_in_state(d, DOMAIN_SHUTOFF, op->began);
    case OPERATION_REBOOT:
        if (d->restarts_on_poweroff && d->rebooted_at >= op->began)
            return true;
        G_GNUC_FALLTHROUGH;
    default:
        return transient || (was_in_state(d, DOMAIN_SHUTOFF, op->began) && was_up(d, op->began));
    }
}

/* As far as was known when it began. */
static bool
was_active(const SimOp *op)
{
    return op->first_state != DOMAIN_SHUTOFF && op->first_state != DOMAIN_NOSTATE;
}

static bool
has_acted(const Sim *s, const SimOp *op)
{
    if (op->first_state == DOMAIN_SHUTDOWN || op->excused || op->joins)
        return true;
    for (unsigned i = 0; i < op->n_calls; i++) {
        const SimCall *call = &s->calls[op->calls[i]];
        CallOutcome outcome = call->outcome;

        if (call->state != CALL_OVER)
            return true;
        if (outcome != OUTCOME_UNSENT && outcome != OUTCOME_FAILED)
            return true;
        /* It may have ended the domain all the same. */
        if (outcome == OUTCOME_FAILED && call->verb == VERB_DESTROY && was_active(op))
            return true;
        /* The agent goes down with the guest, before it has answered. */
        if (outcome == OUTCOME_FAILED && call->verb == VERB_SHUTDOWN_AGENT)
            return true;
    }
    return false;
}

/* Forced is what was up when that was asked for, and is off now, whatever libvirt says. */
static void
check_forced(Sim *s, const SimOp *op, const Error *error)
{
    const SimDomain *d = &s->domains[op->domain];
    bool off = !d->cached || d->model->state == DOMAIN_SHUTOFF;

    if (op->spec.kind != OPERATION_FORCE_STOP || op->overtaken || !error || !off)
        return;
    REQUIRE(s, error->kind != ERROR_OPERATION_FAILED, "op%u failed, and the domain is off",
            op->number);
    if (error->kind != ERROR_INVALID_STATE || !was_active(op))
        return;
    for (unsigned i = 0; i < op->n_calls; i++)
        REQUIRE(s, s->calls[op->calls[i]].outcome == OUTCOME_UNSENT,
                "op%u may have forced the domain off, and says no", op->number);
}

/* What was read last is what is answered. */
static void
check_last_refresh(Sim *s, const SimOp *op)
{
    const SimDomain *d = &s->domains[op->domain];
    DomainState state = d->cached ? d->model->state : DOMAIN_SHUTOFF;
    bool has_to_run = (op->spec.kind == OPERATION_START && !op->spec.paused) ||
                      op->spec.kind == OPERATION_RESUME || op->spec.kind == OPERATION_REBOOT ||
                      op->spec.kind == OPERATION_RESET;

    if (op->fresh_at != s->now || op->overtaken)
        return;
    REQUIRE(s,
            !has_to_run || state == DOMAIN_RUNNING || state == DOMAIN_IDLE ||
                state == DOMAIN_SHUTDOWN,
            "op%u is done, and the domain does not run", op->number);
    REQUIRE(s, op->spec.kind != OPERATION_PAUSE || state == DOMAIN_PAUSED,
            "op%u is done, and the domain is not paused", op->number);
}

static void
check_end(Sim *s, SimOp *op, OperationResult result, const Error *error)
{
    REQUIRE(s, !op->finished, "op%u ends twice", op->number);
    REQUIRE(s, op->armed == NEVER, "op%u leaves its timer armed", op->number);
    REQUIRE(s, (result == RESULT_DONE) == (error == NULL), "op%u: result and error", op->number);
    if (result == RESULT_DONE) {
        REQUIRE(s, has_acted(s, op), "op%u is done without having acted", op->number);
        REQUIRE(s, is_true(s, op), "op%u is done, and is not", op->number);
        check_last_refresh(s, op);
    }
    check_forced(s, op, error);
    if (result == RESULT_TIMEOUT)
        REQUIRE(s, s->now >= op->began + op->spec.timeout || op->seen_restarting,
                "op%u times out early", op->number);
    if (result == RESULT_CANCELED)
        REQUIRE(s, op->canceled || op->overtaken, "op%u is canceled by itself", op->number);
    if (error && error->kind == ERROR_NOT_AVAILABLE)
        for (unsigned i = 0; i < op->n_calls; i++)
            REQUIRE(s, s->calls[op->calls[i]].outcome == OUTCOME_UNSENT,
                    "op%u is NotAvailable, but may have been done", op->number);
}

static void
answer(Sim *s, Caller *caller, const char *how)
{
    caller->answers++;
    caller->waiting = false;
    say(s, "  caller%u is answered: %s", caller->number, how);
    REQUIRE(s, caller->answers == 1, "caller%u is answered twice", caller->number);
}

static void
effect_finished(void *userdata, OperationResult result, const Error *error, bool forced)
{
    SimOp *op = userdata;
    Sim *s = op->sim;
    SimDomain *d = &s->domains[op->domain];

    say(s, "  op%u ends: %s %s", op->number, operation_result_name(result),
        error ? error->message : "");
    check_end(s, op, result, error);
    REQUIRE(s, !forced || (op->spec.kind == OPERATION_STOP && op->destroyed),
            "op%u is said to have forced", op->number);
    op->finished = true;
    for (unsigned i = 0; i < op->n_calls; i++) {
        SimCall *call = &s->calls[op->calls[i]];

        call->op = -1;
        if (call->state == CALL_QUEUED)
            call->state = CALL_OVER;
    }
    if (d->job == (int)op->number) {
        d->job = -1;
        domain_set_job(d->model, 0);
        flush(s, d);
    }
    for (unsigned i = 0; i < s->n_callers; i++)
        if (s->callers[i].op == (int)op->number)
            answer(s, &s->callers[i], operation_result_name(result));
}

static void
effect_refresh(void *userdata)
{
    SimOp *op = userdata;

    REQUIRE(op->sim, !op->finished, "op%u refreshes after its end", op->number);
    mark(op->sim, op->domain);
}

static void
effect_arm_op(void *userdata, uint64_t when)
{
    SimOp *op = userdata;

    REQUIRE(op->sim, when != op->armed, "op%u arms its timer for nothing", op->number);
    op->armed = when;
}

static const OperationEffects operation_effects = {
    .call = effect_call,
    .refresh = effect_refresh,
    .arm = effect_arm_op,
    .finished = effect_finished,
};

static SimOp *
new_operation(Sim *s, unsigned domain, const OperationSpec *spec)
{
    unsigned number = s->n_ops++;
    SimDomain *d = &s->domains[domain];
    SimOp *op = &s->ops[number];

    *op = (SimOp){
        .sim = s,
        .spec = *spec,
        .number = number,
        .domain = domain,
        .began = s->now,
        .armed = NEVER,
        .told_since = s->now,
        .first_state = d->model->state,
        .first_id = d->model->id,
        .connected = true,
    };
    op->op = operation_new(spec, "vm", &operation_effects, op);
    d->job = (int)number;
    domain_set_job(d->model, number + 1);
    flush(s, d);
    return op;
}

/* As job_begin() does it. */
static void
begin_operation(Sim *s, Caller *caller)
{
    SimDomain *d = &s->domains[caller->domain];
    SimOp *running = d->job >= 0 ? &s->ops[d->job] : NULL;
    DomainState state = d->model->state;

    if (!d->cached) {
        answer(s, caller, "no such domain");
        return;
    }
    if (running && operation_is_same(running->op, &caller->spec)) {
        caller->op = (int)running->number;
        return;
    }
    if (running && caller->spec.kind != OPERATION_FORCE_STOP) {
        answer(s, caller, "busy");
        return;
    }
    g_autoptr(Error) error = operation_check(&caller->spec, d->model->state, d->persistent, "vm");
    if (error && !running) {
        answer(s, caller, "invalid state");
        return;
    }
    if (s->n_ops == OPS_MAX) {
        answer(s, caller, "too many");
        return;
    }
    if (error)
        state = DOMAIN_NOSTATE;

    SimOp *op = new_operation(s, caller->domain, &caller->spec);
    op->first_state = state;
    caller->op = (int)op->number;
    say(s, "  op%u begins: %s of vm%u, %s", op->number, operation_name(op->spec.kind), op->domain,
        domain_state_name(state));
    if (running) {
        running->overtaken = true;
        operation_overtake(running->op, s->now);
    }
    Observation seen = seen_as(d, false);
    seen.state = state;
    op->joins = op->spec.kind == OPERATION_START && seen.starting_up;
    op->seen_restarting = d->restarts_on_poweroff && state == DOMAIN_SHUTDOWN;
    operation_begin(op->op, s->now, &seen);
}

static void
tell_operations(Sim *s, bool connected)
{
    for (unsigned i = 0; i < s->n_ops; i++) {
        SimOp *op = &s->ops[i];

        if (op->finished || op->connected == connected)
            continue;
        op->connected = connected;
        if (connected)
            op->told_since = s->now;
        operation_connection(op->op, s->now, connected);
    }
}

/* --- the connection: the availability engine's effects --------------------------------------- */

static unsigned
attempts_in_flight(const Sim *s)
{
    unsigned n = 0;

    for (unsigned i = 1; i <= s->last_attempt; i++)
        n += s->attempts[i].in_flight;
    return n;
}

static void
effect_connect(void *userdata, unsigned number)
{
    Sim *s = userdata;

    say(s, " connect %u", number);
    REQUIRE(s, availability_generation(s->availability) == 0, "An attempt beside a connection");
    for (unsigned i = 1; i <= s->last_attempt; i++) {
        const Attempt *other = &s->attempts[i];

        if (other->in_flight)
            REQUIRE(s, s->now >= other->started + (other->replaced ? 2 : 30) * SEC,
                    "Two attempts at once: %u and %u", i, number);
    }
    REQUIRE(s, number == s->last_attempt + 1, "Attempts are numbered in order");
    REQUIRE(s, attempts_in_flight(s) < AVAILABILITY_LEFT_BEHIND_MAX + (s->probe_answered ? 1U : 0U),
            "Too many attempts left behind");
    s->probe_answered = false;
    if (number >= ATTEMPTS_MAX) {
        fault(s, "Too many attempts");
        return;
    }
    s->last_attempt = number;
    s->attempts[number] = (Attempt){.in_flight = true, .daemon = s->daemon, .started = s->now};
    after(s, between(s, 0, 5 * MSEC), EVENT_ATTEMPT, number, 0);
}

static void
list_on_attempt(Sim *s, Attempt *attempt)
{
    for (unsigned i = 0; i < s->n_domains; i++) {
        attempt->exists[i] = s->domains[i].exists;
        attempt->states[i] = s->domains[i].state;
        attempt->ids[i] = s->domains[i].id;
        attempt->starting_up[i] = s->domains[i].starting_up;
    }
}

static void
fail_attempt(Sim *s, unsigned number, Status why, const char *message)
{
    Attempt *attempt = &s->attempts[number];

    say(s, "attempt %u fails: %s", number, message);
    attempt->in_flight = false;
    availability_failed(s->availability, s->now, number, why, message);
}

static void
succeed_attempt(Sim *s, unsigned number)
{
    Attempt *attempt = &s->attempts[number];

    say(s, "attempt %u succeeds", number);
    attempt->in_flight = false;
    attempt->good = true;
    attempt->succeeding = true;
    /* Its daemon is not there any more: sooner or later that is noticed. */
    if (s->daemon != attempt->daemon || s->daemon_state == DAEMON_STOPPED)
        after(s, between(s, 0, 20 * MSEC), EVENT_LOST, number, 0);
    else if (s->daemon_state == DAEMON_FROZEN)
        after(s, between(s, KEEPALIVE, KEEPALIVE + SEC), EVENT_LOST, number, 0);
    availability_succeeded(s->availability, s->now, number);
    attempt->succeeding = false;
    REQUIRE(s, attempt->adopted != attempt->discarded, "Connection %u is neither used nor closed",
            number);
    /* The close callback came while nobody listened yet. */
    if (attempt->lost)
        REQUIRE(s, attempt->discarded, "A connection that was lost is used");
}

static void
on_attempt_event(Sim *s, unsigned number)
{
    Attempt *attempt = &s->attempts[number];

    if (!attempt->in_flight)
        return;
    if (s->daemon != attempt->daemon || s->daemon_state == DAEMON_STOPPED) {
        if (attempt->phase == 0)
            fail_attempt(s, number, STATUS_STOPPED, "Connection refused");
        else if (attempt->phase == 3)
            succeed_attempt(s, number); /* it had come through before */
        else
            fail_attempt(s, number, STATUS_UNREACHABLE, "End of file");
        return;
    }
    if (s->daemon_state == DAEMON_FROZEN && attempt->phase < 3) {
        attempt->stalled = true;
        return;
    }
    if (attempt->phase < 2 && percent(s, s->healed ? 0 : 4)) {
        fail_attempt(s, number, percent(s, 50) ? STATUS_DENIED : STATUS_FAILED, "No");
        return;
    }
    if (attempt->phase == 3) {
        succeed_attempt(s, number);
        return;
    }
    if (++attempt->phase == 2)
        list_on_attempt(s, attempt);
    after(s, between(s, 0, percent(s, s->healed ? 0 : 10) ? 14 * SEC : 20 * MSEC), EVENT_ATTEMPT,
          number, 0);
}

static void
effect_adopt(void *userdata, unsigned number)
{
    Sim *s = userdata;
    Attempt *attempt = &s->attempts[number];

    say(s, " adopt %u", number);
    REQUIRE(s, attempt->succeeding && !attempt->adopted && s->generation == 0,
            "An attempt is adopted out of turn");
    attempt->adopted = true;
    s->generation = number;
    for (unsigned i = 0; i < s->n_domains; i++) {
        SimDomain *d = &s->domains[i];

        domain_set_available(d->model, true);
        apply(s, d, attempt->exists[i], attempt->states[i], attempt->ids[i],
              attempt->starting_up[i]);
        flush(s, d);
        d->stale = true;
    }
    for (unsigned i = 0; i < s->n_domains; i++)
        observe(s, i, false);
    for (unsigned i = 0; i < s->n_domains; i++)
        pump_refreshes(s, i);
    tell_operations(s, true);
}

static void
effect_discard(void *userdata, unsigned number)
{
    Sim *s = userdata;
    Attempt *attempt = &s->attempts[number];

    say(s, " discard %u", number);
    REQUIRE(s, attempt->succeeding && !attempt->adopted && !attempt->discarded,
            "A connection is discarded out of turn");
    attempt->discarded = true;
}

static void
effect_clear(void *userdata, unsigned generation)
{
    Sim *s = userdata;
    Attempt *attempt = &s->attempts[generation];

    say(s, " clear %u", generation);
    REQUIRE(s, generation == s->generation && attempt->adopted && !attempt->cleared,
            "A connection is cleared out of turn");
    attempt->cleared = true;
    s->generation = 0;
    for (unsigned i = 0; i < s->n_domains; i++) {
        SimDomain *d = &s->domains[i];

        d->stale |= d->asked;
        d->asked = false;
        domain_set_available(d->model, false);
        flush(s, d);
    }
    tell_operations(s, false);
}

static void
effect_close(void *userdata, unsigned generation)
{
    Sim *s = userdata;
    Attempt *attempt = &s->attempts[generation];

    REQUIRE(s, attempt->cleared && !attempt->closed && s->generation != generation,
            "A connection is closed before what is shared is cleared");
    attempt->closed = true;
    end_calls(s);
}

static void
effect_status(void *userdata, Status status, const char *message)
{
    Sim *s = userdata;

    say(s, " status %s: %s", status_name(status), message);
    REQUIRE(s, status != s->status || !g_str_equal(message, s->message), "A status is told twice");
    REQUIRE(s, status != STATUS_STARTING, "It starts again");
    s->status = status;
    g_free(s->message);
    s->message = g_strdup(message);
}

static void
effect_answer(void *userdata, void *waiter, const Error *error)
{
    Sim *s = userdata;
    Caller *caller = waiter;

    REQUIRE(s, caller->waiting && !caller->forgotten, "caller%u is answered, and does not wait",
            caller->number);
    REQUIRE(s, (error == NULL) == (availability_generation(s->availability) != 0),
            "caller%u is told what is not so", caller->number);
    caller->waiting = false;
    if (error)
        answer(s, caller, error->message);
    else if (caller->kind == CALLER_OPERATION)
        begin_operation(s, caller);
    else
        answer(s, caller, "available");
}

static void
effect_arm(void *userdata, uint64_t when)
{
    Sim *s = userdata;

    REQUIRE(s, when != s->armed, "The timer is armed for nothing");
    s->armed = when;
}

static bool
effect_leave(void *userdata, unsigned number)
{
    Sim *s = userdata;

    REQUIRE(s, s->attempts[number].in_flight && s->now >= s->attempts[number].started + 2 * SEC,
            "Attempt %u is left too early", number);
    return false;
}

static void
effect_probe(void *userdata)
{
    Sim *s = userdata;

    REQUIRE(s, attempts_in_flight(s) >= AVAILABILITY_LEFT_BEHIND_MAX, "A probe for nothing");
    after(s, between(s, 0, 3 * SEC), EVENT_PROBED, 0, 0);
}

static const AvailabilityEffects availability_effects = {
    .connect = effect_connect,
    .leave = effect_leave,
    .probe = effect_probe,
    .adopt = effect_adopt,
    .discard = effect_discard,
    .clear = effect_clear,
    .close = effect_close,
    .status = effect_status,
    .answer = effect_answer,
    .arm = effect_arm,
};

static void
on_news_event(Sim *s, unsigned number, unsigned domain, bool rebooted)
{
    Attempt *attempt = &s->attempts[number];

    if (number != s->generation) {
        attempt->early[domain] = true;
        return;
    }
    if (rebooted && s->domains[domain].job >= 0) {
        SimOp *op = &s->ops[s->domains[domain].job];

        op->seen_down = true;
        op->seen_restarting |= s->domains[domain].restarts_on_poweroff;
        op->excused |= is_calling(s, op);
        operation_event(op->op, s->now, OPERATION_EVENT_REBOOTED);
    }
    mark(s, domain);
}

static void
on_lost_event(Sim *s, unsigned number)
{
    Attempt *attempt = &s->attempts[number];

    /* Frozen, but back before anyone noticed. */
    if (attempt->daemon == s->daemon && s->daemon_state == DAEMON_UP)
        return;
    say(s, "connection %u is lost", number);
    if (attempt->in_flight)
        attempt->lost = true;
    availability_lost(s->availability, s->now, number, "End of file");
}

static void
on_probed_event(Sim *s)
{
    s->probe_answered = s->daemon_state == DAEMON_UP;
    availability_probed(s->availability, s->now, s->probe_answered);
}

/* --- the daemon ------------------------------------------------------------------------------ */

static void
lose_connections(Sim *s, uint64_t low, uint64_t high)
{
    for (unsigned i = 1; i <= s->last_attempt; i++) {
        Attempt *attempt = &s->attempts[i];
        bool open = attempt->in_flight || (attempt->adopted && !attempt->cleared);

        if (!open || attempt->daemon != s->daemon)
            continue;
        if (!attempt->in_flight || (attempt->phase >= 1 && percent(s, 50)))
            after(s, between(s, low, high), EVENT_LOST, i, 0);
    }
}

static void
wake_attempts(Sim *s)
{
    for (unsigned i = 1; i <= s->last_attempt; i++) {
        if (!s->attempts[i].in_flight || !s->attempts[i].stalled)
            continue;
        s->attempts[i].stalled = false;
        after(s, between(s, 0, 20 * MSEC), EVENT_ATTEMPT, i, 0);
    }
}

static void
stop_daemon(Sim *s)
{
    if (s->daemon_state == DAEMON_STOPPED)
        return;
    say(s, "daemon %u ends", s->daemon);
    s->daemon_state = DAEMON_STOPPED;
    lose_connections(s, 0, 20 * MSEC);
    wake_attempts(s);
    if (percent(s, 50))
        after(s, between(s, 0, 50 * MSEC), EVENT_HINT, HINT_PROBE, 0);
}

static void
start_daemon(Sim *s)
{
    if (s->daemon_state != DAEMON_STOPPED)
        return;
    s->daemon++;
    s->daemon_since = s->now;
    s->daemon_state = DAEMON_UP;
    say(s, "daemon %u starts", s->daemon);
    if (percent(s, 80))
        after(s, between(s, 0, 50 * MSEC), EVENT_HINT, HINT_NEW_DAEMON, 0);
}

static void
freeze_daemon(Sim *s)
{
    if (s->daemon_state != DAEMON_UP)
        return;
    say(s, "daemon %u is frozen", s->daemon);
    s->daemon_state = DAEMON_FROZEN;
    lose_connections(s, KEEPALIVE, KEEPALIVE + SEC);
}

static void
repeat_questions(Sim *s)
{
    for (unsigned i = 0; i < s->n_domains; i++)
        if (s->domains[i].asked && !s->domains[i].answer_ready)
            after(s, between(s, 0, MSEC), EVENT_QUESTION, i, s->domains[i].question);
}

static void
thaw_daemon(Sim *s, unsigned daemon)
{
    if (s->daemon_state != DAEMON_FROZEN || s->daemon != daemon)
        return;
    say(s, "daemon %u thaws", s->daemon);
    s->daemon_state = DAEMON_UP;
    wake_attempts(s);
    execute_stalled_calls(s);
    repeat_questions(s);
}

static void
hint(Sim *s, Hint what)
{
    say(s, "hint: %s", what == HINT_NEW_DAEMON ? "another daemon" : "probe");
    if (what == HINT_NEW_DAEMON)
        for (unsigned i = 1; i <= s->last_attempt; i++)
            s->attempts[i].replaced |= s->attempts[i].in_flight;
    availability_hint(s->availability, s->now, what);
}

/* --- what happens ---------------------------------------------------------------------------- */

static Caller *
new_caller(Sim *s, CallerKind kind)
{
    if (s->n_callers == CALLERS_MAX)
        return NULL;
    Caller *caller = &s->callers[s->n_callers];

    *caller = (Caller){
        .kind = kind, .number = s->n_callers++, .since = s->now, .waiting = true, .op = -1};
    return caller;
}

static void
call_operation(Sim *s)
{
    static const uint64_t timeouts[] = {10 * SEC, 10 * SEC, 10 * SEC, 2 * SEC, 0, 40 * SEC, NEVER};
    Caller *caller = new_caller(s, CALLER_OPERATION);

    if (!caller)
        return;
    caller->domain = below(s, s->n_domains);
    caller->spec = (OperationSpec){
        .kind = (OperationKind)below(s, _OPERATION_LIFECYCLE_MAX),
        .timeout = timeouts[below(s, G_N_ELEMENTS(timeouts))],
        .force = percent(s, 75),
        .paused = percent(s, 20),
        .reboot_in_call = percent(s, 20),
    };
    if (percent(s, 40))
        caller->spec.kind = OPERATION_STOP;
    caller->spec.paused &= caller->spec.kind == OPERATION_START;
    caller->spec.timeout_given = caller->spec.kind == OPERATION_START && percent(s, 30);
    say(s, "caller%u: %s of vm%u", caller->number, operation_name(caller->spec.kind),
        caller->domain);
    availability_want(s->availability, s->now, caller);
}

static void
call_list(Sim *s)
{
    Caller *caller = new_caller(s, CALLER_LIST);

    if (!caller)
        return;
    say(s, "caller%u: list", caller->number);
    availability_want(s->availability, s->now, caller);
}

static void
call_reconnect(Sim *s)
{
    Caller *caller = new_caller(s, CALLER_RECONNECT);

    if (!caller)
        return;
    say(s, "caller%u: reconnect", caller->number);
    availability_reconnect(s->availability, s->now, caller);
}

/* A call under way that brings about what was asked for: it cannot be taken back. */
static bool
is_committed(const Sim *s, const SimOp *op)
{
    bool resumes = op->spec.kind == OPERATION_START || op->spec.kind == OPERATION_RESUME;

    for (unsigned i = 0; i < op->n_calls; i++) {
        const SimCall *call = &s->calls[op->calls[i]];
        bool prepares = call->verb == VERB_SHUTDOWN_ACPI || call->verb == VERB_REBOOT_ACPI ||
                        call->verb == VERB_SHUTDOWN_AGENT || call->verb == VERB_REBOOT_AGENT ||
                        call->verb == VERB_RESUME || call->verb == VERB_WAKEUP;

        if (!call->told && (resumes || !prepares))
            return true;
    }
    return false;
}

static void
cancel_operation(Sim *s, unsigned number)
{
    SimOp *op = &s->ops[number];
    bool committed = !op->finished && is_committed(s, op);

    if (op->finished)
        return;
    op->canceled = true;
    g_autoptr(Error) error = operation_cancel(op->op, s->now);
    say(s, "cancel op%u: %s", op->number, error ? error->message : "ok");
    op->canceled = error == NULL;
    REQUIRE(s, error || !committed, "op%u is canceled while it does what was asked for", number);
    REQUIRE(s, error || op->finished, "op%u was canceled and goes on", op->number);
}

static void
forget_somebody(Sim *s)
{
    Caller *caller;

    if (s->n_callers == 0)
        return;
    caller = &s->callers[below(s, s->n_callers)];
    if (!caller->waiting)
        return;
    say(s, "caller%u goes away", caller->number);
    caller->forgotten = true;
    caller->waiting = false;
    caller->answers = 1;
    availability_forget(s->availability, caller);
}

/* What somebody else does with virsh, or the guest by itself. */
static void
meddle(Sim *s)
{
    static const DomainState states[] = {DOMAIN_RUNNING, DOMAIN_PAUSED,  DOMAIN_SHUTOFF,
                                         DOMAIN_CRASHED, DOMAIN_RUNNING, DOMAIN_PMSUSPENDED,
                                         DOMAIN_SHUTOFF};
    unsigned domain = below(s, s->n_domains);
    SimDomain *d = &s->domains[domain];
    DomainState state = states[below(s, G_N_ELEMENTS(states))];
    bool can_run =
        d->state == DOMAIN_PAUSED || d->state == DOMAIN_PMSUSPENDED || d->state == DOMAIN_SHUTOFF;
    bool possible = d->exists && !d->frozen &&
                    (state == DOMAIN_SHUTOFF   ? d->state != DOMAIN_SHUTOFF
                     : state == DOMAIN_RUNNING ? can_run
                                               : is_up(d));

    if (!possible || s->daemon_state != DAEMON_UP)
        return;
    say(s, "somebody else:");
    if (d->state != DOMAIN_SHUTOFF || state != DOMAIN_RUNNING || !d->starts_slowly) {
        change_state(s, domain, state);
        return;
    }
    change_state(s, domain, DOMAIN_PAUSED);
    d->starting_up = true;
    after(s, between(s, 0, 20 * SEC), EVENT_GUEST, domain * 8 + GUEST_STARTED, d->run);
}

static void
freeze_guest(Sim *s)
{
    unsigned domain = below(s, s->n_domains);
    SimDomain *d = &s->domains[domain];

    if (d->state == DOMAIN_SHUTOFF || d->frozen)
        return;
    say(s, "vm%u is frozen", domain);
    d->frozen = true;
    after(s, between(s, SEC, 40 * SEC), EVENT_THAW_GUEST, domain, d->run);
}

static void
trouble_the_daemon(Sim *s)
{
    switch (below(s, 6)) {
    case 0:
        stop_daemon(s);
        after(s, between(s, 0, 20 * SEC), EVENT_START_DAEMON, 0, 0);
        break;
    case 1: /* a restart */
        stop_daemon(s);
        after(s, between(s, 0, 500 * MSEC), EVENT_START_DAEMON, 0, 0);
        break;
    case 2:
        freeze_daemon(s);
        after(s, between(s, 100 * MSEC, 30 * SEC), EVENT_THAW, s->daemon, 0);
        break;
    case 3: /* frozen, then killed and replaced */
        freeze_daemon(s);
        after(s, between(s, 100 * MSEC, 15 * SEC), EVENT_START_DAEMON, 1, 0);
        break;
    case 4:
        after(s, 0, EVENT_HINT, percent(s, 50) ? HINT_NEW_DAEMON : HINT_PROBE, 0);
        break;
    default:
        freeze_guest(s);
    }
}

static void
on_action_event(Sim *s)
{
    unsigned what = below(s, 100);

    if (s->healed)
        return;
    if (what < s->trouble)
        trouble_the_daemon(s);
    else if (what < s->trouble + 15)
        meddle(s);
    else if (what < s->trouble + 20 && s->n_ops > 0)
        cancel_operation(s, below(s, s->n_ops));
    else if (what < s->trouble + 23)
        call_reconnect(s);
    else if (what < s->trouble + 26)
        forget_somebody(s);
    else if (what < s->trouble + 35)
        call_list(s);
    else
        call_operation(s);
    if (--s->actions_left > 0)
        after(s, between(s, 0, s->pace), EVENT_ACTION, 0, 0);
    else
        after(s, between(s, 0, 20 * SEC), EVENT_HEAL, 0, 0);
}

/* From now on everything works, so that everything has to end. */
static void
heal(Sim *s)
{
    say(s, "all is well again");
    s->healed = true;
    s->healed_at = s->now;
    if (s->daemon_state == DAEMON_FROZEN)
        thaw_daemon(s, s->daemon);
    start_daemon(s);
    for (unsigned i = 0; i < s->n_domains; i++) {
        SimDomain *d = &s->domains[i];

        d->frozen = false;
        if (d->state == DOMAIN_PMSUSPENDED)
            after(s, SEC, EVENT_GUEST, i * 8 + GUEST_WAKES, d->run);
    }
    execute_stalled_calls(s);
}

static void
handle(Sim *s, const Event *event)
{
    switch (event->kind) {
    case EVENT_ACTION:
        on_action_event(s);
        break;
    case EVENT_ATTEMPT:
        on_attempt_event(s, event->a);
        break;
    case EVENT_PROBED:
        on_probed_event(s);
        break;
    case EVENT_LOST:
        on_lost_event(s, event->a);
        break;
    case EVENT_EXECUTE:
        on_execute_event(s, event->a);
        break;
    case EVENT_REPLY:
        on_reply_event(s, event->a);
        break;
    case EVENT_REPORT:
        tell_outcome(s, event->a);
        break;
    case EVENT_NEWS:
        on_news_event(s, event->a, event->b / 2, event->b % 2);
        break;
    case EVENT_QUESTION:
        on_question_event(s, event->a, event->b);
        break;
    case EVENT_ANSWER:
        on_answer_event(s, event->a, event->b);
        break;
    case EVENT_GUEST:
        on_guest_event(s, event->a / 8, (GuestDoing)(event->a % 8), event->b);
        break;
    case EVENT_HINT:
        hint(s, (Hint)event->a);
        break;
    case EVENT_THAW:
        thaw_daemon(s, event->a);
        break;
    case EVENT_THAW_GUEST:
        if (s->domains[event->a].run == event->b) {
            s->domains[event->a].frozen = false;
            execute_stalled_calls(s);
        }
        break;
    case EVENT_START_DAEMON:
        if (event->a == 1 && !s->healed)
            stop_daemon(s);
        start_daemon(s);
        break;
    case EVENT_HEAL:
        heal(s);
        break;
    }
}

/* --- what must hold after every event -------------------------------------------------------- */

static void
check_operation(Sim *s, const SimOp *op)
{
    bool waits = op->spec.kind == OPERATION_STOP || op->spec.kind == OPERATION_REBOOT;

    if (op->finished || !waits || !op->connected || op->spec.timeout == NEVER)
        return;
    uint64_t deadline = op->began + op->spec.timeout;
    if (op->spec.kind == OPERATION_STOP && op->spec.force)
        REQUIRE(s, s->now <= deadline || op->destroyed || op->seen_down || s->now <= op->told_since,
                "op%u does not force when the time is up", op->number);
    else
        REQUIRE(s, s->now <= MAX(deadline, op->told_since + 5 * SEC) || op->seen_down,
                "op%u does not end when the time is up", op->number);
}

static void
check_always(Sim *s)
{
    unsigned generation = availability_generation(s->availability);

    REQUIRE(s, generation == s->generation, "The generation in use is another one");
    REQUIRE(s, (s->status == STATUS_AVAILABLE) == (generation != 0), "The status is not so");
    REQUIRE(s, generation != 0 || s->armed != NEVER || attempts_in_flight(s) > 0,
            "Nothing is under way to connect, and nothing ever will");
    REQUIRE(s, generation == 0 || s->armed == NEVER, "The timer is armed for nothing");
    for (unsigned i = 0; i < s->n_callers; i++)
        REQUIRE(s, !s->callers[i].waiting || s->now <= s->callers[i].since + PATIENCE,
                "caller%u waits for too long", i);
    for (unsigned i = 0; i < s->n_ops; i++)
        check_operation(s, &s->ops[i]);
}

static uint64_t
next_timer(const Sim *s, int *op)
{
    uint64_t when = s->armed;

    *op = -1;
    for (unsigned i = 0; i < s->n_ops; i++) {
        if (s->ops[i].finished || s->ops[i].armed >= when)
            continue;
        when = s->ops[i].armed;
        *op = (int)i;
    }
    return when;
}

static void
fire_timer(Sim *s, int number)
{
    if (number < 0) {
        s->armed = NEVER;
        availability_elapsed(s->availability, s->now);
        REQUIRE(s, s->armed > s->now, "The timer is armed for what has passed");
        return;
    }
    SimOp *op = &s->ops[number];

    op->armed = NEVER;
    operation_elapsed(op->op, s->now);
    REQUIRE(s, op->finished || op->armed > s->now, "op%u's timer is armed for what has passed",
            op->number);
}

/* The next event, or timer; false if there is none. */
static bool
step(Sim *s)
{
    int op;
    uint64_t timer = next_timer(s, &op);

    if (s->n_events == 0 && timer == NEVER)
        return false;
    if (s->n_events == 0 || timer < s->events[0].when) {
        s->now = MAX(s->now, timer);
        fire_timer(s, op);
    } else {
        Event event = take_event(s);

        s->now = event.when;
        handle(s, &event);
    }
    check_always(s);
    return true;
}

/* --- one schedule ---------------------------------------------------------------------------- */

static bool
is_quiet(const Sim *s)
{
    if (!s->healed || s->generation == 0)
        return false;
    for (unsigned i = 0; i < s->n_ops; i++)
        if (!s->ops[i].finished)
            return false;
    for (unsigned i = 0; i < s->n_domains; i++)
        if (s->domains[i].stale || s->domains[i].asked)
            return false;
    return s->n_events == 0;
}

static void
check_at_the_end(Sim *s)
{
    for (unsigned i = 0; i < s->n_ops; i++)
        REQUIRE(s, s->ops[i].finished, "op%u never ends", i);
    for (unsigned i = 0; i < s->n_callers; i++)
        REQUIRE(s, s->callers[i].answers == 1, "caller%u has %u answers", i, s->callers[i].answers);
    REQUIRE(s, s->generation != 0, "It never comes back");
    for (unsigned i = 0; i < s->n_domains; i++) {
        const SimDomain *d = &s->domains[i];

        REQUIRE(s, d->cached == d->exists, "vm%u: what is cached is not so", i);
        REQUIRE(s, !d->exists || (d->mirror->state == d->state && d->mirror->id == d->id),
                "vm%u is not as it was signalled", i);
        REQUIRE(s, d->mirror->job == 0, "vm%u still has a job", i);
    }
}

static void
check_closed(Sim *s)
{
    availability_stop(s->availability, s->now, "The end");
    for (unsigned i = 1; i <= s->last_attempt; i++) {
        const Attempt *attempt = &s->attempts[i];

        if (attempt->good)
            REQUIRE(s, attempt->discarded || attempt->closed, "Connection %u is never closed", i);
    }
    REQUIRE(s, s->armed == NEVER, "The timer is left armed");
}

static void
make_domain(Sim *s, SimDomain *d)
{
    static const DomainState states[] = {DOMAIN_RUNNING, DOMAIN_RUNNING, DOMAIN_SHUTOFF,
                                         DOMAIN_PAUSED,  DOMAIN_CRASHED, DOMAIN_PMSUSPENDED,
                                         DOMAIN_IDLE,    DOMAIN_RUNNING};
    static const char uuid[] = "6695eb01-f6a4-8304-79aa-97f2502e193f";

    d->persistent = percent(s, 75);
    d->state = states[below(s, G_N_ELEMENTS(states))];
    if (!d->persistent && d->state == DOMAIN_SHUTOFF)
        d->state = DOMAIN_RUNNING;
    d->id = d->last_id = d->state == DOMAIN_SHUTOFF ? -1 : (int)below(s, 100) + 1;
    if (d->last_id < 0)
        d->last_id = 0;
    d->exists = true;
    d->guest = (GuestKind)below(s, _GUEST_MAX);
    if (percent(s, 40))
        d->guest = GUEST_OBEYS;
    if (has_trait(s, 30))
        d->agent = (AgentKind)(next_of(&s->random_traits) % _AGENT_MAX);
    d->restarts_on_poweroff = has_trait(s, 10);
    d->ends_on_reboot = !d->persistent && has_trait(s, 20);
    d->starts_slowly = has_trait(s, 50);
    d->deaf = has_trait(s, 50) ? 3 * SEC : 0;
    d->busy = d->job = -1;
    d->model = domain_new(uuid);
    d->mirror = domain_new(uuid);
}

static Sim *
sim_new(uint64_t seed, bool tracing)
{
    static Sim *sim; /* large: it is used again and again */
    Sim *s = sim ? sim : (sim = g_new0(Sim, 1));

    /* The arrays beyond their counts are never read. */
    s->n_events = s->sequence = s->n_ops = s->n_callers = s->n_calls = s->last_attempt = 0;
    memset(s->domains, 0, sizeof s->domains);
    memset(&s->attempts[0], 0, sizeof s->attempts[0]);
    s->seed = seed;
    s->random = seed * UINT64_C(0xd1342543de82ef95) + 1;
    s->random_traits = seed * UINT64_C(0x9fb21c651e98df25) + 1;
    s->tracing = tracing;
    s->failure = NULL;
    s->now = 1000 * SEC;
    s->healed = false;
    s->armed = NEVER;
    s->generation = 0;
    s->status = STATUS_STARTING;
    s->message = g_strdup("");
    s->daemon = 1;
    s->daemon_since = 0;
    s->daemon_state = percent(s, 80) ? DAEMON_UP : DAEMON_STOPPED;
    s->trouble = 5 + below(s, 40);
    s->actions_left = 1 + below(s, percent(s, 20) ? 60 : 16);
    s->pace = percent(s, 30) ? 50 * MSEC : percent(s, 50) ? 2 * SEC : 15 * SEC;
    s->n_domains = 1 + below(s, DOMAINS_MAX);
    for (unsigned i = 0; i < s->n_domains; i++)
        make_domain(s, &s->domains[i]);
    s->availability = availability_new(&availability_effects, s, (uint32_t)seed);
    return s;
}

static void
sim_clear(Sim *s)
{
    for (unsigned i = 0; i < s->n_ops; i++)
        operation_free(s->ops[i].op);
    for (unsigned i = 0; i < s->n_domains; i++) {
        domain_unref(s->domains[i].model);
        domain_unref(s->domains[i].mirror);
    }
    availability_free(s->availability);
    g_free(s->message);
    g_clear_pointer(&s->failure, g_free);
}

/* Operations that nobody bounded are ended by hand. */
static void
end_the_unbounded(Sim *s)
{
    for (unsigned i = 0; i < s->n_ops; i++)
        if (s->ops[i].spec.timeout == NEVER)
            cancel_operation(s, i);
}

/* NULL, or what went wrong. */
static char *
simulate(uint64_t seed, bool tracing)
{
    Sim *s = sim_new(seed, tracing);
    bool unbounded_ended = false;

    availability_start(s->availability, s->now);
    after(s, 0, EVENT_ACTION, 0, 0);
    while (!s->failure && !is_quiet(s) && (!s->healed || s->now < s->healed_at + REST)) {
        if (!step(s) && unbounded_ended)
            break;
        if (!unbounded_ended && s->healed &&
            (s->n_events == 0 || s->now > s->healed_at + 60 * SEC)) {
            unbounded_ended = true;
            end_the_unbounded(s);
        }
    }
    if (!s->failure)
        check_at_the_end(s);
    if (!s->failure)
        check_closed(s);
    char *failure = g_steal_pointer(&s->failure);
    sim_clear(s);
    return failure;
}

/* --- many schedules -------------------------------------------------------------------------- */

static uint64_t n_seeds = 20000;
static uint64_t first_seed = 1000;
static uint64_t only_seed = NEVER;

static void
report(uint64_t seed, const char *failure)
{
    printf("# seed %" G_GUINT64_FORMAT ": %s; its schedule:\n", seed, failure);
    g_free(simulate(seed, true));
    fflush(stdout);
}

/* Every n-th seed; the one under way is left where a crash of ours does not reach it. */
static int
run_share(uint64_t first, uint64_t step_size, uint64_t end, volatile uint64_t *current)
{
    for (uint64_t seed = first; seed < end; seed += step_size) {
        *current = seed;
        g_autofree char *failure = simulate(seed, false);

        if (!failure)
            continue;
        report(seed, failure);
        return 1;
    }
    return 0;
}

static void
test_schedules(void)
{
    unsigned n = MAX(g_get_num_processors(), 1);
    size_t size = n * sizeof(uint64_t);
    volatile uint64_t *current =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    g_autofree pid_t *pids = g_new0(pid_t, n);
    bool failed = false;

    g_assert_true(current != MAP_FAILED);
    fflush(stdout);
    for (unsigned i = 0; i < n; i++) {
        pids[i] = fork();
        g_assert_cmpint(pids[i], >=, 0);
        if (pids[i] == 0)
            _exit(run_share(first_seed + i, n, first_seed + n_seeds, &current[i]));
    }
    for (unsigned i = 0; i < n; i++) {
        int status;

        g_assert_cmpint(waitpid(pids[i], &status, 0), ==, pids[i]);
        if (WIFSIGNALED(status))
            g_test_message("seed %" G_GUINT64_FORMAT " died: %s", current[i],
                           g_strsignal(WTERMSIG(status)));
        failed |= !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    }
    munmap((void *)current, size);
    g_assert_false(failed);
    g_test_message("%" G_GUINT64_FORMAT " schedules", n_seeds);
}

static void
test_kept_seeds(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(kept_seeds); i++) {
        g_autofree char *failure = simulate(kept_seeds[i], false);

        if (!failure)
            continue;
        report(kept_seeds[i], failure);
        g_assert_cmpstr(failure, ==, NULL);
    }
}

static int
run_one(void)
{
    g_autofree char *failure = simulate(only_seed, true);

    printf("# seed %" G_GUINT64_FORMAT ": %s\n", only_seed, failure ? failure : "as it should be");
    return failure ? 1 : 0;
}

static bool
read_number(const char *text, uint64_t *number)
{
    return text && g_ascii_string_to_unsigned(text, 10, 0, NEVER - 1, number, NULL);
}

/* Ours are taken out before GLib, which has a --seed of its own, looks at them. */
static bool
take_options(int *argc, char **argv)
{
    int kept = 1;

    for (int i = 1; i < *argc; i++) {
        uint64_t *number = g_str_equal(argv[i], "--seeds")   ? &n_seeds
                           : g_str_equal(argv[i], "--first") ? &first_seed
                           : g_str_equal(argv[i], "--seed")  ? &only_seed
                                                             : NULL;
        if (!number)
            argv[kept++] = argv[i];
        else if (!read_number(argv[++i], number))
            return false;
    }
    argv[ *argc = kept] = NULL;
    return true;
}

int
main(int argc, char **argv)
{
    if (!take_options(&argc, argv)) {
        fprintf(stderr, "usage: simulate [--seeds N] [--first K] [--seed K]\n");
        return 2;
    }
    if (only_seed != NEVER)
        return run_one();
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/simulate/kept-seeds", test_kept_seeds);
    g_test_add_func("/simulate/schedules", test_schedules);
    return g_test_run();
}
