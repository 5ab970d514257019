/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"

/*
 * libvirtd has 20 workers for all its clients, and each call that is under way holds one. What we
 * send leaves it some: two for others always, two more for changes, and two are not given to reads
 * of a domain that a change holds up, which are the ones most likely to hang (see the schedule).
 */
#define CHANGES_MAX 18
#define READS_MAX   16

const CallRules call_rules[_CALL_CLASS_MAX] = {
    [CALL_FORCE] = {.name = "force", .track = TRACK_NONE, .limit = UINT_MAX},
    [CALL_ACPI] = {.name = "acpi", .track = TRACK_NONE, .limit = UINT_MAX},
    [CALL_QUICK] = {.name = "quick", .track = TRACK_READ, .limit = 4, .total_max = READS_MAX},
    [CALL_JOB_CONTROL] = {.name = "job-control", .track = TRACK_NONE, .limit = 4},
    [CALL_OPERATION] = {.name = "operation",
                        .track = TRACK_CHANGE,
                        .limit = 8,
                        .total_max = CHANGES_MAX},
    [CALL_CHANGE] = {.name = "change",
                     .track = TRACK_CHANGE,
                     .limit = 8,
                     .total_max = CHANGES_MAX,
                     .per_user = 1024},
    [CALL_LONG] = {.name = "long",
                   .track = TRACK_LONG,
                   .limit = 6,
                   .total_max = CHANGES_MAX,
                   .is_patient = true},
    [CALL_READ] =
        {.name = "read", .track = TRACK_READ, .limit = 4, .total_max = READS_MAX, .per_user = 1024},
    /* An agent that does not answer is given up by libvirt after some seconds. */
    [CALL_GUEST] = {.name = "guest",
                    .track = TRACK_GUEST,
                    .limit = 6,
                    .hanging_max = 8,
                    .total_max = READS_MAX,
                    .per_user = 256},
    [CALL_DISPLAY] = {.name = "display",
                      .track = TRACK_DISPLAY,
                      .limit = 4,
                      .hanging_max = 6,
                      .total_max = READS_MAX,
                      .per_user = 256},
    [CALL_PROGRESS] = {.name = "progress", .track = TRACK_READ, .limit = 4, .total_max = READS_MAX},
    [CALL_STATS] = {.name = "stats",
                    .track = TRACK_NONE,
                    .limit = 4,
                    .hanging_max = 7,
                    .total_max = READS_MAX},
    [CALL_SIZES] = {.name = "sizes",
                    .track = TRACK_READ,
                    .limit = 2,
                    .hanging_max = 6,
                    .total_max = READS_MAX},
};

const char *
call_name_of_verb(DomainVerb verb)
{
    static const char *const names[_VERB_MAX] = {
        [VERB_CREATE] = "virDomainCreate",
        [VERB_CREATE_PAUSED] = "virDomainCreateWithFlags",
        [VERB_RESUME] = "virDomainResume",
        [VERB_WAKEUP] = "virDomainPMWakeup",
        [VERB_SUSPEND] = "virDomainSuspend",
        [VERB_SHUTDOWN] = "virDomainShutdown",
        [VERB_DESTROY] = "virDomainDestroy",
        [VERB_REBOOT] = "virDomainReboot",
        [VERB_RESET] = "virDomainReset",
        [VERB_SAVE] = "virDomainManagedSave",
        [VERB_CREATE_SNAPSHOT] = "virDomainSnapshotCreateXML",
        [VERB_REVERT_SNAPSHOT] = "virDomainRevertToSnapshot",
        [VERB_DELETE_SNAPSHOT] = "virDomainSnapshotDelete",
        [VERB_MIGRATE] = "virDomainMigrateToURI3",
    };

    return names[verb];
}
