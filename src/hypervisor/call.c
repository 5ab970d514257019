/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"

/*
 * libvirtd has 20 workers for all its clients, and each call that is under way holds one. What we
 * send leaves it one for others, and no groups of calls take all places together: three stay for
 * reads, whatever else hangs, and three for changes. Five further workers carry only what libvirt
 * calls high priority, such as virDomainDestroy, which is not bounded here.
 */
const CallGroupRules call_group_rules[_CALL_GROUP_MAX] = {
    /* max, total_max, kept_for, others_max */
    [CALL_GROUP_URGENT] = {UINT_MAX, UINT_MAX, CALL_GROUP_READ, UINT_MAX},
    [CALL_GROUP_CHANGE] = {16, 19, CALL_GROUP_READ, 16},
    [CALL_GROUP_READ] = {16, 19, CALL_GROUP_CHANGE, 16},
    [CALL_GROUP_GUEST] = {8, 16, CALL_GROUP_READ, 16},
};

const CallRules call_rules[_CALL_CLASS_MAX] = {
    [CALL_FORCE] = {"force", CALL_GROUP_URGENT, TRACK_NONE, .limit = UINT_MAX},
    [CALL_ACPI] = {"acpi", CALL_GROUP_URGENT, TRACK_NONE, .limit = UINT_MAX},
    [CALL_QUICK] = {"quick", CALL_GROUP_READ, TRACK_READ, .limit = 4},
    [CALL_JOB_CONTROL] = {"job-control", CALL_GROUP_URGENT, TRACK_NONE, .limit = 4},
    [CALL_OPERATION] = {"operation", CALL_GROUP_CHANGE, TRACK_CHANGE, .limit = 8},
    [CALL_CHANGE] = {"change", CALL_GROUP_CHANGE, TRACK_CHANGE, .limit = 8, .per_user = 1024},
    [CALL_LONG] = {"long", CALL_GROUP_CHANGE, TRACK_LONG, .limit = 6, .is_slow = true},
    [CALL_READ] = {"read", CALL_GROUP_READ, TRACK_READ, .limit = 4, .per_user = 1024},
    [CALL_XML] = {"xml", CALL_GROUP_READ, TRACK_XML, .limit = 4, .per_user = 1024},
    [CALL_GUEST] = {"guest", CALL_GROUP_GUEST, TRACK_GUEST, .limit = 6, .per_user = 256},
    [CALL_DISPLAY] = {"display", CALL_GROUP_GUEST, TRACK_DISPLAY, .limit = 4, .per_user = 256},
    [CALL_PROGRESS] = {"progress", CALL_GROUP_GUEST, TRACK_PROGRESS, .limit = 4},
    [CALL_STATS] = {"stats", CALL_GROUP_READ, TRACK_NONE, .limit = 4},
    [CALL_HOST] = {"host", CALL_GROUP_GUEST, TRACK_NONE, .limit = 2},
    [CALL_SIZES] = {"sizes", CALL_GROUP_GUEST, TRACK_SIZES, .limit = 2},
};

CallTrack
call_track_of_hang(const Call *call)
{
    CallTrack track = call_rules[call->class].track;

    return track == TRACK_XML && !call->waits_for_process ? TRACK_READ : track;
}

const char *
call_name_of_verb(DomainVerb verb)
{
    static const char *const names[_VERB_MAX] = {
        [VERB_CREATE] = "virDomainCreate",
        [VERB_CREATE_PAUSED] = "virDomainCreateWithFlags",
        [VERB_RESUME] = "virDomainResume",
        [VERB_WAKEUP] = "virDomainPMWakeup",
        [VERB_SUSPEND] = "virDomainSuspend",
        [VERB_SHUTDOWN_AGENT] = "virDomainShutdownFlags",
        [VERB_SHUTDOWN_ACPI] = "virDomainShutdownFlags",
        [VERB_DESTROY] = "virDomainDestroy",
        [VERB_REBOOT_AGENT] = "virDomainReboot",
        [VERB_REBOOT_ACPI] = "virDomainReboot",
        [VERB_RESET] = "virDomainReset",
        [VERB_SAVE] = "virDomainManagedSave",
        [VERB_CREATE_SNAPSHOT] = "virDomainSnapshotCreateXML",
        [VERB_REVERT_SNAPSHOT] = "virDomainRevertToSnapshot",
        [VERB_DELETE_SNAPSHOT] = "virDomainSnapshotDelete",
        [VERB_MIGRATE] = "virDomainMigrateToURI3",
    };

    return names[verb];
}
