/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The log. To the journal, with fields, where standard error is connected to it (or is nowhere, and
 * a journal runs); one plain line per entry on standard error everywhere else. May be called from
 * any thread, keeps errno. Secrets never come here: nothing filters them out. */

#include <glib.h>
#include <sys/types.h>
#include <syslog.h>

/* The fields of an event; a caller's name for a field is one of these. */
#define JOURNAL_VM_UUID            "VM_UUID"
#define JOURNAL_VM_NAME            "VM_NAME"
#define JOURNAL_VM_OPERATION       "VM_OPERATION"
#define JOURNAL_VM_RESULT          "VM_RESULT"
#define JOURNAL_VM_STATE           "VM_STATE"
#define JOURNAL_VM_STATE_REASON    "VM_STATE_REASON"
#define JOURNAL_VMS_STATUS         "VMS_STATUS"
#define JOURNAL_LIBVIRT_URI        "LIBVIRT_URI"
#define JOURNAL_LIBVIRT_ERROR_CODE "LIBVIRT_ERROR_CODE"
#define JOURNAL_POLKIT_ACTION      "POLKIT_ACTION"
#define JOURNAL_CALLER_UID         "CALLER_UID"
#define JOURNAL_CALLER_BUS_NAME    "CALLER_BUS_NAME"

/* The kinds of entry that have a message id; systemd/unraid-vms.catalog explains each. */
typedef enum {
    JOURNAL_OPERATION_DONE,     /* an operation or another change was carried out */
    JOURNAL_OPERATION_FAILED,   /* VM_RESULT is "failed" or "timeout" */
    JOURNAL_OPERATION_CANCELED, /* by a caller, or overtaken */
    JOURNAL_DENIED,             /* the caller may not, or polkit could not say so */
    JOURNAL_STATE_CHANGED,      /* a machine went from one state to another */
    JOURNAL_DOMAIN_ADDED,
    JOURNAL_DOMAIN_REMOVED,
    JOURNAL_AVAILABLE,   /* once, when the hypervisor answers (again) */
    JOURNAL_UNAVAILABLE, /* once, when it stops answering, whatever the attempts that follow say */
    _JOURNAL_EVENT_MAX,
} JournalEvent;

/* Entries less important than `level` (LOG_ERR … LOG_DEBUG) are dropped; LOG_INFO at first. */
void journal_set_level(int level);
int journal_get_level(void);

/* "error", "warning", "notice", "info", "debug"; -EINVAL for anything else. */
int journal_level_from_string(const char *name);

/* The 32 hexadecimal digits of an event's MESSAGE_ID. */
const char *journal_event_id(JournalEvent event);

void journal_log(int level, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* After the message come pairs of a field's name and its value (both const char *), up to NULL in
 * the place of a name. A pair whose value is NULL is left out. */
void journal_event(JournalEvent event, const char *message, ...) G_GNUC_NULL_TERMINATED;

/* A field's value from a number: "%d", in a buffer that the caller keeps until the entry is made.
 */
#define JOURNAL_NUMBER_SIZE 24
const char *journal_number(char buffer[static JOURNAL_NUMBER_SIZE], gint64 number);
