/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "disk-checks.h"

#include "lanes.h"
#include "world.h"

#include <string.h>

#define RECORDS_MAX 96
#define CALLS_MAX   64
#define A_SECOND    5 /* signals of progress, at most */

typedef struct {
    uint64_t number;
    SimDomain *guest;
    const char *operation;
    bool under_way;
    bool is_ours; /* a client has asked for it */
    DiskOperationKind kind;
    bool pivot;
    uint64_t bytes;
    unsigned n_started; /* by libvirt */
    DiskEffect effect;
    bool ended_by_others;
    bool cancel; /* a client has asked for that */
    unsigned n_progress;
    uint64_t progress_at[A_SECOND];
} Record;

/* A call of a job, until nobody works on it. */
typedef struct {
    const Call *call; /* NULL: a free place */
    uint64_t number;
    bool begins;
    bool told;
} CallRecord;

static struct {
    const Core *core;
    unsigned n;
    Record all[RECORDS_MAX];
    CallRecord calls[CALLS_MAX];
} records;

void
disk_checks_begin(const Core *core)
{
    records.core = core;
    records.n = 0;
    memset(records.calls, 0, sizeof records.calls);
}

static Record *
find_record(uint64_t number)
{
    for (unsigned i = 0; number && i < records.n; i++)
        if (records.all[i].number == number)
            return &records.all[i];
    return NULL;
}

bool
disk_checks_is_under_way(uint64_t number)
{
    const Record *record = find_record(number);

    return record && record->under_way && record->is_ours;
}

bool
disk_checks_is_occupied(const SimDomain *guest)
{
    for (unsigned i = 0; i < records.n; i++)
        if (records.all[i].guest == guest && records.all[i].under_way && records.all[i].is_ours)
            return true;
    return false;
}

/* --- calls -------------------------------------------------------------------------------- */

static bool
begins_something(const Call *call)
{
    return call->class == CALL_CHANGE && g_str_has_prefix(call->name, "virDomainBlock");
}

static bool
ends_something(const Call *call)
{
    return g_str_equal(call->name, "virDomainBlockJobAbort");
}

static CallRecord *
find_call(const Call *call)
{
    for (unsigned i = 0; i < CALLS_MAX; i++)
        if (records.calls[i].call == call)
            return &records.calls[i];
    return NULL;
}

void
disk_checks_call_submitted(const Call *call)
{
    const JobObject *job =
        call->key[0] ? storage_jobs_find(records.core->storage_jobs, call->key, DISK_TARGET) : NULL;
    CallRecord *place = find_call(NULL);

    if (!begins_something(call) && !ends_something(call))
        return;
    say("  %s calls %s", guests_find(call->key)->name, call->name);
    if (!job || !place) {
        fault("A call about a disk that is no job's, or one of too many");
        return;
    }
    REQUIRE(lanes_generation() != 0, "A call about a disk is made while libvirt is away");
    for (unsigned i = 0; i < CALLS_MAX; i++)
        REQUIRE(!records.calls[i].call || records.calls[i].number != job->number ||
                    records.calls[i].told || records.calls[i].call->gate == GATE_CLOSED,
                "Two calls about a disk at once");
    *place = (CallRecord){.call = call, .number = job->number, .begins = begins_something(call)};
}

void
disk_checks_call_told(const Call *call, CallOutcome outcome)
{
    CallRecord *told = find_call(call);

    if (told)
        told->told = true;
}

void
disk_checks_call_gone(const Call *call)
{
    CallRecord *gone = find_call(call);

    if (gone)
        *gone = (CallRecord){NULL};
}

uint64_t
disk_checks_started(const Call *call)
{
    const CallRecord *made = find_call(call);
    Record *record = made ? find_record(made->number) : NULL;

    if (!record)
        return 0;
    REQUIRE(record->n_started++ == 0, "%s of the disk of %s is carried out twice",
            record->operation, record->guest->name);
    return record->number;
}

void
disk_checks_ends(const Call *call, uint64_t number, bool completes)
{
    const CallRecord *made = find_call(call);
    const Record *by = made ? find_record(made->number) : NULL;

    if (!by)
        return;
    REQUIRE(by->cancel || (by->is_ours && by->number == number),
            "A job of %s's disk is ended, and others have begun it", by->guest->name);
    REQUIRE(by->cancel || completes, "A job of %s's disk is given up, and nobody asked for that",
            by->guest->name);
}

bool
disk_checks_is_late(const Call *call)
{
    const CallRecord *made = find_call(call);
    const Record *by = made ? find_record(made->number) : NULL;

    return by && !by->under_way;
}

void
disk_checks_ended_by_others(uint64_t number)
{
    Record *record = find_record(number);

    if (record)
        record->ended_by_others = true;
}

void
disk_checks_effect(uint64_t number, DiskEffect effect)
{
    Record *record = find_record(number);

    if (record)
        record->effect = effect;
}

/* --- jobs --------------------------------------------------------------------------------- */

bool
disk_checks_job_added(const JobObject *job)
{
    if (!*job->disk)
        return false;
    SimDomain *guest = guests_find(job->domain->uuid);

    for (unsigned i = 0; i < records.n; i++)
        REQUIRE(!records.all[i].under_way || records.all[i].guest != guest,
                "Two jobs of the disk of %s", guest->name);
    if (records.n == RECORDS_MAX) {
        fault("Too many jobs of disks");
        return true;
    }
    say("  %s of the disk of %s begins", job->operation, guest->name);
    records.all[records.n++] = (Record){
        .number = job->number,
        .guest = guest,
        .operation = job->operation,
        .under_way = true,
    };
    return true;
}

void
disk_checks_asked(const JobObject *job, const DiskOperationSpec *spec)
{
    Record *record = find_record(job->number);

    record->is_ours = true;
    record->kind = spec->kind;
    record->pivot = spec->pivot;
    record->bytes = spec->bytes;
}

void
disk_checks_progress(const JobObject *job)
{
    Record *record = find_record(job->number);

    if (!record)
        return;
    uint64_t *last = &record->progress_at[record->n_progress++ % A_SECOND];
    REQUIRE(record->n_progress <= A_SECOND || world_now() >= *last + SEC,
            "The progress of a job is told more than five times a second");
    *last = world_now();
}

bool
disk_checks_cancel(uint64_t number)
{
    Record *record = find_record(number);

    if (record)
        record->cancel = true;
    return record != NULL;
}

bool
disk_checks_canceled(uint64_t number, bool agreed)
{
    const Record *record = find_record(number);

    if (record)
        REQUIRE(!agreed || !record->under_way, "The job of %s's disk is canceled, and goes on",
                record->guest->name);
    return record != NULL;
}

static void
check_done(const Record *record)
{
    const Domain *domain = cache_find(records.core->cache, record->guest->uuid);
    bool is_kept = record->effect == DISK_EFFECT_KEPT;

    if (!record->is_ours)
        return;
    if (record->kind == DISK_RESIZE)
        REQUIRE(disk_capacity(record->guest) >= record->bytes, "%s: resized, and it is not so",
                record->guest->name);
    else
        REQUIRE(record->effect == DISK_EFFECT_DONE ||
                    (is_kept && record->kind == DISK_COPY && !record->pivot),
                "%s: %s is done, and the disk does not show it", record->guest->name,
                record->operation);
    if (domain && record->kind == DISK_RESIZE)
        for (Rows rows = domain_config_rows(&domain->config, HARDWARE_DISKS); rows.size > 0;) {
            Row row;

            if (rows_take(&rows, &row))
                REQUIRE(row_number(row, ROW_CAPACITY) >= record->bytes,
                        "%s: resized, and its capacity is not told", record->guest->name);
        }
}

static void
check_end(const Record *record, OperationResult result, const Error *error)
{
    const char *name = record->guest->name;
    bool is_vague = error && strstr(error->message, "may have been carried out");

    REQUIRE((result == RESULT_DONE) == (error == NULL), "%s: result and error differ", name);
    if (result == RESULT_DONE)
        check_done(record);
    if (result == RESULT_CANCELED) {
        REQUIRE(record->cancel || record->ended_by_others || !record->is_ours,
                "%s: the job of its disk was canceled by nobody", name);
        REQUIRE(record->effect != DISK_EFFECT_DONE,
                "%s: the job of its disk was canceled, and is done", name);
    }
    if (result == RESULT_FAILED && record->is_ours && record->guest->exists)
        REQUIRE(record->effect != DISK_EFFECT_DONE || is_vague,
                "%s: the job of its disk failed, and is done", name);
}

bool
disk_checks_job_removed(const JobObject *job, OperationResult result, const Error *error)
{
    Record *record = find_record(job->number);

    if (!*job->disk)
        return false;
    if (!record || !record->under_way) {
        fault("A job of a disk ends twice");
        return true;
    }
    say("  %s of the disk of %s ends: %s %s", record->operation, record->guest->name,
        operation_result_name(result), error ? error->message : "");
    record->under_way = false;
    check_end(record, result, error);
    return true;
}

/* --- at rest ------------------------------------------------------------------------------ */

void
disk_checks_at_rest(void)
{
    for (unsigned i = 0; i < records.n; i++)
        REQUIRE(!records.all[i].under_way, "%s of the disk of %s never ends",
                records.all[i].operation, records.all[i].guest->name);
    for (unsigned i = 0; i < guests_count(); i++) {
        const SimDomain *guest = guests_get(i);
        const Domain *domain = cache_find(records.core->cache, guest->uuid);
        Row row = {NULL};
        Rows rows = domain ? domain_config_rows(&domain->config, HARDWARE_DISKS) : (Rows){NULL};

        if (!rows_take(&rows, &row))
            continue;
        REQUIRE(g_str_equal(row_text(row, ROW_SOURCE), disk_source(guest)),
                "%s: where its disk is, is out of date", guest->name);
        REQUIRE(row_number(row, ROW_JOB) == 0, "%s: its disk still has a job", guest->name);
    }
}
