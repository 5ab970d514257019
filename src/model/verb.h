/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The calls to the hypervisor of which operations are made, and how a call ends. Pure; for any
 * thread.
 */

/* One call that changes a domain. */
typedef enum {
    VERB_CREATE,
    VERB_CREATE_PAUSED,
    VERB_RESUME,
    VERB_WAKEUP,
    VERB_SUSPEND,
    VERB_SHUTDOWN_AGENT, /* asks the guest, through its agent */
    VERB_SHUTDOWN_ACPI,  /* likewise by ACPI, or in the driver's own way where it knows no other */
    VERB_DESTROY,
    VERB_REBOOT_AGENT, /* as shutdown; the guest, or the hypervisor, starts it again in place */
    VERB_REBOOT_ACPI,
    VERB_RESET,
    VERB_SAVE, /* this one and those below: as the payload says */
    VERB_CREATE_SNAPSHOT,
    VERB_REVERT_SNAPSHOT,
    VERB_DELETE_SNAPSHOT,
    VERB_MIGRATE,
    _VERB_MAX,
} DomainVerb;

/* How a call ended, be it one that changes a domain or one that reads. */
typedef enum {
    OUTCOME_OK,
    OUTCOME_FAILED, /* the hypervisor said no */
    OUTCOME_LOST,   /* the connection was lost while it was under way: nobody knows */
    OUTCOME_UNSENT, /* it cannot have reached the hypervisor */
} CallOutcome;

/* The outcome of a long call whose connection was lost. */
typedef enum {
    PROBE_CARRIED_OUT,
    PROBE_NOT_CARRIED_OUT, /* or nobody can tell */
    PROBE_UNDER_WAY,
    PROBE_UNANSWERED,
} ProbeAnswer;
