/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "checks.h"

#include "guests.h"
#include "lanes.h"
#include "operation-plan.h"
#include "world.h"

#include <string.h>

#define RECORDS_MAX 96
#define CALLS_MAX   48
/* A timer fires that much later than it was armed for. */
#define LATE        (2 * MSEC)
/* A domain that was listed as down or restarted is refreshed first, for so long. */
#define REFRESH_MAX (5 * SEC)

typedef struct {
    const Call *call; /* NULL: it is gone */
    const char *name; /* libvirt's function */
    DomainVerb verb;  /* _VERB_MAX: it was not carried out */
    bool told;
    CallOutcome outcome;
} CallRecord;

typedef struct {
    const Job *job; /* NULL: it has ended */
    uint64_t number;
    SimDomain *guest;
    OperationSpec spec;
    uint64_t began;
    DomainState first_state;
    int first_id;
    bool refreshed;
    bool overtaken;
    bool canceled;
    bool given_up; /* libvirt has agreed to end its long call */
    bool seen_crashed;
    bool seen_down;
    bool seen_restarting; /* in place of going down */
    bool seen_rebooted;   /* after it asked for that */
    bool joins;           /* somebody else's start or save */
    bool excused;         /* somebody else may have done it while it was asking */
    bool failed_once;
    bool forced;
    unsigned n_calls;
    CallRecord calls[CALLS_MAX];
} Record;

static struct {
    const Core *core;
    unsigned n;
    Record all[RECORDS_MAX];
} records;

void
checks_begin(const Core *core)
{
    records.core = core;
    records.n = 0;
}

/* --- facts -------------------------------------------------------------------------------- */

static Record *
find_record(uint64_t number)
{
    for (unsigned i = 0; i < records.n; i++)
        if (records.all[i].number == number)
            return &records.all[i];
    return NULL;
}

/* The connection, without a break, or the operation itself. */
static uint64_t
connected_since(const Record *record)
{
    return MAX(record->began, lanes_connected_since());
}

static uint64_t
deadline_of(const Record *record)
{
    return record->spec.timeout == NEVER ? NEVER : record->began + record->spec.timeout;
}

static bool
is_calling(const Record *record)
{
    for (unsigned i = 0; i < record->n_calls; i++)
        if (!record->calls[i].told)
            return true;
    return false;
}

/* As far as was known when it began. */
static bool
was_active(const Record *record)
{
    return record->first_state != DOMAIN_SHUTOFF && record->first_state != DOMAIN_NOSTATE;
}

static bool
is_verb(const CallRecord *call, DomainVerb verb)
{
    return g_str_equal(call->name, call_name_of_verb(verb));
}

/* It asks the guest for something: in more ways than one, and again where it was just booting. */
static bool
asks(const CallRecord *call)
{
    return is_verb(call, VERB_SHUTDOWN_ACPI) || is_verb(call, VERB_REBOOT_ACPI);
}

static bool
is_known_off(const Record *record)
{
    const Domain *domain = cache_find(records.core->cache, record->guest->uuid);

    return !domain || domain->state == DOMAIN_SHUTOFF;
}

/* Keep track of how the operation sees its domain. */
static void
note_seen(Record *record)
{
    const Domain *domain = cache_find(records.core->cache, record->guest->uuid);
    bool fresh = refresher_is_fresh(records.core->refresher, record->guest->uuid);
    bool off = is_known_off(record);
    int id = domain ? domain->id : -1;
    bool restarted =
        record->refreshed && record->first_id >= 0 && id >= 0 && id != record->first_id;

    if (fresh && !record->refreshed) {
        record->refreshed = true;
        if (record->first_id >= 0)
            record->first_id = id;
    }
    /* It went down while it was being asked: nobody can tell who did it. */
    record->excused |= (off || restarted) && is_calling(record);
    record->excused |= record->failed_once && !off;
    record->seen_down |= off || restarted;
    record->seen_restarting |=
        domain && domain->state == DOMAIN_SHUTDOWN && record->guest->restarts_on_poweroff;
    record->seen_crashed |= domain && domain->state == DOMAIN_CRASHED;
}

/* --- calls -------------------------------------------------------------------------------- */

static void
check_force(Record *record)
{
    uint64_t deadline = deadline_of(record);
    uint64_t since = connected_since(record);
    bool crashed =
        record->seen_crashed || record->first_state == DOMAIN_CRASHED || record->seen_restarting;
    uint64_t limit = record->seen_down ? since + REFRESH_MAX : deadline;
    bool late = world_now() > MAX(deadline, limit) + LATE && since <= deadline;

    REQUIRE(record->spec.force, "%s is forced, and must not be", record->guest->name);
    REQUIRE(world_now() >= deadline || crashed, "%s is forced before the time is up",
            record->guest->name);
    REQUIRE(!late || record->forced || crashed, "%s is forced late", record->guest->name);
    /* One that a new connection lists as off is refreshed first. */
    REQUIRE(!is_known_off(record) || since == record->began || world_now() >= since + REFRESH_MAX,
            "%s is forced, and was listed as off", record->guest->name);
    record->forced = true;
}

void
checks_call_submitted(const Call *call)
{
    const Job *job = call->key[0] ? jobs_find(records.core->jobs, call->key) : NULL;
    Record *record = job ? find_record(job->object.number) : NULL;
    bool is_step = call->class == CALL_FORCE || call->class == CALL_OPERATION ||
                   call->class == CALL_ACPI || call->class == CALL_LONG;

    if (!is_step)
        return;
    say("  %s calls %s", guests_find(call->key)->name, call->name);
    if (!record || record->n_calls == CALLS_MAX) {
        fault("A call of no operation, or one of too many");
        return;
    }
    note_seen(record);
    REQUIRE(lanes_generation() != 0, "A call is made while libvirt is away");
    for (unsigned i = 0; i < record->n_calls; i++)
        REQUIRE(!g_str_equal(record->calls[i].name, call->name) || asks(&record->calls[i]) ||
                    (record->calls[i].told && record->calls[i].outcome == OUTCOME_UNSENT),
                "%s is repeated, and may have been carried out", call->name);
    if (record->spec.kind == OPERATION_STOP && call->class == CALL_FORCE)
        check_force(record);
    record->calls[record->n_calls++] =
        (CallRecord){.call = call, .name = call->name, .verb = _VERB_MAX};
}

static CallRecord *
find_call(const Call *call, Record **ret)
{
    for (unsigned i = 0; i < records.n; i++) {
        Record *record = &records.all[i];

        for (unsigned j = 0; j < record->n_calls; j++)
            if (record->calls[j].call == call) {
                *ret = record;
                return &record->calls[j];
            }
    }
    return NULL;
}

static void
note_given_up(const Call *abort)
{
    const Job *job = jobs_find(records.core->jobs, abort->key);
    Record *record = job ? find_record(job->object.number) : NULL;

    if (record)
        record->given_up = true;
}

void
checks_call_told(const Call *call, CallOutcome outcome)
{
    static const char *const outcomes[] = {"ok", "failed", "lost", "unsent"};
    Record *record;
    CallRecord *told = find_call(call, &record);

    if (outcome == OUTCOME_OK && g_str_equal(call->name, "virDomainAbortJob"))
        note_given_up(call);
    if (!told)
        return;
    told->told = true;
    told->outcome = outcome;
    if (!record->job)
        return;
    say("  %s %s: %s", record->guest->name, call->name, outcomes[outcome]);
    note_seen(record);
    record->failed_once |= outcome == OUTCOME_FAILED;
    /* It was seen to go down while it was being asked. */
    record->excused |= outcome == OUTCOME_FAILED && record->seen_down;
    record->seen_down |= outcome == OUTCOME_OK && record->spec.reboot_in_call;
}

void
checks_call_carried_out(const Call *call, DomainVerb verb)
{
    bool by_acpi = verb == VERB_SHUTDOWN_ACPI || verb == VERB_REBOOT_ACPI;
    Record *record;
    CallRecord *made = find_call(call, &record);

    if (!made)
        return;
    for (unsigned i = 0; i < record->n_calls; i++)
        REQUIRE(record->calls[i].verb != verb || (by_acpi && record->guest->booted_at > 0),
                "%s is carried out twice", call->name);
    made->verb = verb;
    /* Somebody else has started it: that is waited for, and is success. */
    record->excused |= (verb == VERB_CREATE || verb == VERB_CREATE_PAUSED) &&
                       record->guest->state != DOMAIN_SHUTOFF &&
                       record->spec.kind == OPERATION_START;
}

void
checks_call_gone(const Call *call)
{
    Record *record;
    CallRecord *gone = find_call(call, &record);

    if (gone)
        gone->call = NULL;
}

void
checks_event(const HypervisorEvent *event)
{
    const Job *job = jobs_find(records.core->jobs, event->uuid);
    Record *record = job ? find_record(job->object.number) : NULL;

    if (!record || event->kind != EVENT_REBOOTED || event->generation != lanes_generation())
        return;
    for (unsigned i = 0; i < record->n_calls; i++)
        record->seen_rebooted |= is_verb(&record->calls[i], VERB_REBOOT_ACPI) &&
                                 record->calls[i].told && record->calls[i].outcome == OUTCOME_OK;
    record->seen_down = true;
    record->seen_restarting |= record->guest->restarts_on_poweroff;
    record->excused |= is_calling(record);
}

/* --- how it ends -------------------------------------------------------------------------- */

static bool
has_acted(const Record *record)
{
    if (record->first_state == DOMAIN_SHUTDOWN || record->excused || record->joins)
        return true;
    for (unsigned i = 0; i < record->n_calls; i++) {
        const CallRecord *call = &record->calls[i];

        if (!call->told || (call->outcome != OUTCOME_UNSENT && call->outcome != OUTCOME_FAILED))
            return true;
        /* It may have ended the domain nevertheless. */
        if (call->outcome == OUTCOME_FAILED && is_verb(call, VERB_DESTROY) && was_active(record))
            return true;
        /* The agent goes down with the guest, before it has answered. */
        if (call->outcome == OUTCOME_FAILED && call->verb == VERB_SHUTDOWN_AGENT)
            return true;
    }
    return false;
}

/* The domain was in the state that the operation asks for, some time since it began. */
static bool
is_true(const Record *record)
{
    const SimDomain *guest = record->guest;
    uint64_t since = record->began;

    switch (record->spec.kind) {
    case OPERATION_START:
        if (record->first_state == DOMAIN_PAUSED || record->first_state == DOMAIN_PMSUSPENDED)
            return guest_was_up(guest, since);
        return guest->state != DOMAIN_SHUTOFF || guest_was_up(guest, since) ||
               guest_was_in_state(guest, DOMAIN_PAUSED, since);
    case OPERATION_RESUME:
        return guest_was_up(guest, since);
    case OPERATION_PAUSE:
        return guest_was_in_state(guest, DOMAIN_PAUSED, since);
    case OPERATION_STOP:
    case OPERATION_FORCE_STOP:
    case OPERATION_SAVE:
        return guest_was_in_state(guest, DOMAIN_SHUTOFF, since);
    case OPERATION_REBOOT:
        if (guest->restarts_on_poweroff && guest->rebooted_at >= since)
            return true;
        G_GNUC_FALLTHROUGH;
    default:
        return !guest->persistent ||
               (guest_was_in_state(guest, DOMAIN_SHUTOFF, since) && guest_was_up(guest, since));
    }
}

static bool
has_sent(const Record *record)
{
    for (unsigned i = 0; i < record->n_calls; i++)
        if (!record->calls[i].told || record->calls[i].outcome != OUTCOME_UNSENT)
            return true;
    return false;
}

/* A domain that was up when ForceStop was asked for, and is off now, was forced off. */
static void
check_forced(const Record *record, const Error *error)
{
    const Domain *domain = cache_find(records.core->cache, record->guest->uuid);
    bool off = !domain || domain->state == DOMAIN_SHUTOFF;

    if (record->spec.kind != OPERATION_FORCE_STOP || record->overtaken || !error || !off)
        return;
    REQUIRE(error->kind != ERROR_OPERATION_FAILED, "ForceStop of %s failed, and it is off",
            record->guest->name);
    if (error->kind == ERROR_INVALID_STATE && was_active(record))
        REQUIRE(!has_sent(record), "%s may have been forced off, and ForceStop says no",
                record->guest->name);
}

/* Only a Stop that may force, and has called for it, says that it cut the power. */
static void
check_power_cut(const Record *record)
{
    bool may_have = false;

    for (unsigned i = 0; i < record->n_calls; i++)
        may_have |= is_verb(&record->calls[i], VERB_DESTROY) && record->calls[i].told &&
                    record->calls[i].outcome != OUTCOME_UNSENT &&
                    record->calls[i].outcome != OUTCOME_FAILED;
    REQUIRE(record->spec.kind == OPERATION_STOP && record->spec.force && may_have,
            "%s: said to have cut the power, and did not", record->guest->name);
}

/* The answer is how the domain was last read. */
static void
check_last_refresh(const Record *record)
{
    const Domain *domain = cache_find(records.core->cache, record->guest->uuid);
    DomainState state = domain ? domain->state : DOMAIN_SHUTOFF;
    OperationKind kind = record->spec.kind;
    bool has_to_run = (kind == OPERATION_START && !record->spec.paused) ||
                      kind == OPERATION_RESUME || kind == OPERATION_REBOOT ||
                      kind == OPERATION_RESET;

    if (record->overtaken || lanes_generation() == 0 ||
        !refresher_is_fresh(records.core->refresher, record->guest->uuid))
        return;
    REQUIRE(!has_to_run || state == DOMAIN_RUNNING || state == DOMAIN_IDLE ||
                state == DOMAIN_SHUTDOWN,
            "%s: done, and it does not run", record->guest->name);
    REQUIRE(kind != OPERATION_PAUSE || state == DOMAIN_PAUSED, "%s: done, and it is not paused",
            record->guest->name);
}

static void
check_end(const Record *record, OperationResult result, const Error *error)
{
    const char *name = record->guest->name;

    REQUIRE((result == RESULT_DONE) == (error == NULL), "%s: result and error differ", name);
    if (result == RESULT_DONE) {
        REQUIRE(has_acted(record), "%s: done without having acted", name);
        REQUIRE(is_true(record), "%s: done, and it is not so", name);
        check_last_refresh(record);
    }
    check_forced(record, error);
    REQUIRE(result != RESULT_TIMEOUT || !record->seen_rebooted, "%s: timed out, and it rebooted",
            name);
    if (result == RESULT_TIMEOUT)
        REQUIRE(world_now() >= deadline_of(record) || record->seen_restarting,
                "%s: timed out early", name);
    if (result == RESULT_CANCELED)
        REQUIRE(record->canceled || record->overtaken, "%s: canceled by nobody", name);
    REQUIRE(!record->given_up || record->overtaken || result != RESULT_FAILED,
            "%s: libvirt gave it up, and it is said to have failed", name);
    if (error && error->kind == ERROR_NOT_AVAILABLE)
        REQUIRE(!has_sent(record), "%s: NotAvailable, but it may have been done", name);
}

void
checks_job_added(const Job *job)
{
    const OperationSpec *spec = operation_spec(job->operation);
    const Domain *domain = job->object.domain;
    g_autoptr(Error) error = operation_check(spec, domain->state, domain->persistent, domain->name);
    Record *record = &records.all[records.n];

    for (unsigned i = 0; i < records.n; i++) {
        Record *other = &records.all[i];

        if (!other->job || other->overtaken || other->guest != guests_find(domain->uuid))
            continue;
        REQUIRE(spec->kind == OPERATION_FORCE_STOP, "Two operations on %s", domain->name);
        other->overtaken = true;
    }
    if (records.n == RECORDS_MAX) {
        fault("Too many operations");
        return;
    }
    records.n++;
    *record =
        (Record){.job = job,
                 .number = job->object.number,
                 .guest = guests_find(domain->uuid),
                 .spec = *spec,
                 .began = world_now(),
                 .first_state = error ? DOMAIN_NOSTATE : domain->state,
                 .first_id = domain->id,
                 .joins = !job->object.caller || (spec->kind == OPERATION_START &&
                                                  g_str_equal(domain->reason, "starting-up"))};
    say("  %s of %s begins: %s", operation_name(spec->kind), domain->name,
        domain_state_name(record->first_state));
}

void
checks_job_removed(const Job *job, OperationResult result, const Error *error)
{
    Record *record = find_record(job->object.number);

    if (!record || !record->job) {
        fault("An operation ends twice");
        return;
    }
    say("  %s of %s ends: %s %s", operation_name(record->spec.kind), record->guest->name,
        operation_result_name(result), error ? error->message : "");
    note_seen(record);
    check_end(record, result, error);
    if (job->object.forced)
        check_power_cut(record);
    record->job = NULL;
}

/* A call under way that brings about what was asked for cannot be taken back. */
bool
checks_may_cancel(const Job *job)
{
    Record *record = find_record(job->object.number);
    bool resumes = record->spec.kind == OPERATION_START || record->spec.kind == OPERATION_RESUME;

    record->canceled = true;
    for (unsigned i = 0; i < record->n_calls; i++) {
        const CallRecord *call = &record->calls[i];
        bool prepares = asks(call) || is_verb(call, VERB_RESUME) || is_verb(call, VERB_WAKEUP);

        if (!call->told && !is_verb(call, VERB_SAVE) && (resumes || !prepares))
            return false;
    }
    return true;
}

void
checks_canceled(uint64_t number, bool agreed)
{
    Record *record = find_record(number);

    record->canceled &= agreed;
    REQUIRE(!agreed || !record->job, "%s: canceled, and it goes on", record->guest->name);
}

/* --- always ------------------------------------------------------------------------------- */

static void
check_time(const Record *record)
{
    uint64_t since = connected_since(record);
    uint64_t deadline = deadline_of(record);
    bool waits = record->spec.kind == OPERATION_STOP || record->spec.kind == OPERATION_REBOOT;

    if (!waits || deadline == NEVER || lanes_generation() == 0 || record->seen_down)
        return;
    if (record->spec.kind == OPERATION_STOP && record->spec.force)
        REQUIRE(world_now() <= MAX(deadline, since) + LATE || record->forced,
                "%s is not forced when the time is up", record->guest->name);
    else
        REQUIRE(world_now() <= MAX(deadline, since + REFRESH_MAX) + LATE,
                "Stop or Reboot of %s does not end when the time is up", record->guest->name);
}

/* Sent now, it would undo what has come after the operation. */
static void
check_unsent(const Record *record)
{
    for (unsigned i = 0; i < record->n_calls; i++) {
        const Call *call = record->calls[i].call;

        REQUIRE(!call || call->gate != GATE_OPEN, "%s of %s may yet be sent, and is over",
                record->calls[i].name, record->guest->name);
    }
}

void
checks_always(void)
{
    for (unsigned i = 0; i < records.n; i++) {
        Record *record = &records.all[i];

        if (!record->job || record->overtaken)
            check_unsent(record);
        if (!record->job)
            continue;
        note_seen(record);
        check_time(record);
    }
}

/* --- at rest ------------------------------------------------------------------------------ */

static void
check_cached(const SimDomain *guest, bool listed)
{
    const Domain *domain = cache_find(records.core->cache, guest->uuid);
    g_autofree char *title = g_strdup_printf("%u", guest->title);

    REQUIRE((domain != NULL) == guest->exists, "%s: not known that it is there, or gone",
            guest->name);
    if (!domain)
        return;
    REQUIRE(domain->state == guest->state && domain->id == guest->id,
            "%s is %s (id %d), and published as %s (id %d)", guest->name,
            domain_state_name(guest->state), guest->id, domain_state_name(domain->state),
            domain->id);
    REQUIRE(g_str_equal(domain->title, title), "%s: the title is out of date", guest->name);
    REQUIRE(domain->autostart == guest->autostart || !listed, "%s: autostart is out of date",
            guest->name);
    REQUIRE(domain->has_managed_save == guest->has_managed_save,
            "%s: the managed save is out of date", guest->name);
    REQUIRE(domain->job == 0, "%s still has an operation", guest->name);
}

void
checks_at_rest(bool listed)
{
    for (unsigned i = 0; i < records.n; i++)
        REQUIRE(!records.all[i].job, "%s of %s never ends",
                operation_name(records.all[i].spec.kind), records.all[i].guest->name);
    for (unsigned i = 0; i < guests_count(); i++)
        check_cached(guests_get(i), listed);
}
