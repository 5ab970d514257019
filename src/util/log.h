/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The log. To the journal, with fields, where standard error is connected to it (or is nowhere, and
 * a journal runs); to syslog, with the fields as text, where standard error is nowhere and no
 * journal runs; one plain line per entry on standard error everywhere else. May be called from any
 * thread, keeps errno. Secrets never come here: nothing filters them out. */

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>
#include <syslog.h>

/* The fields of an event; a caller's name for a field is one of these. */
#define LOG_FIELD_VM_UUID            "VM_UUID"
#define LOG_FIELD_VM_NAME            "VM_NAME"
#define LOG_FIELD_VM_OPERATION       "VM_OPERATION"
#define LOG_FIELD_VM_RESULT          "VM_RESULT"
#define LOG_FIELD_VM_STATE           "VM_STATE"
#define LOG_FIELD_VM_STATE_REASON    "VM_STATE_REASON"
#define LOG_FIELD_VMS_STATUS         "VMS_STATUS"
#define LOG_FIELD_LIBVIRT_URI        "LIBVIRT_URI"
#define LOG_FIELD_LIBVIRT_ERROR_CODE "LIBVIRT_ERROR_CODE"
#define LOG_FIELD_LIBVIRT_CALL       "LIBVIRT_CALL"
#define LOG_FIELD_POLKIT_ACTION      "POLKIT_ACTION"
#define LOG_FIELD_CALLER_UID         "CALLER_UID"
#define LOG_FIELD_CALLER_BUS_NAME    "CALLER_BUS_NAME"

/* The kinds of entry that have a message id; systemd/unraid-vms.catalog explains each. */
typedef enum {
    LOG_EVENT_OPERATION_DONE,     /* an operation or another change was carried out */
    LOG_EVENT_POWER_CUT,          /* a Stop is done: its guest did not power off in time */
    LOG_EVENT_OPERATION_FAILED,   /* VM_RESULT is "failed" or "timeout" */
    LOG_EVENT_OPERATION_CANCELED, /* by a caller, or overtaken */
    LOG_EVENT_DENIED,             /* the caller may not, or polkit could not say so */
    LOG_EVENT_STATE_CHANGED,      /* a domain went from one state to another */
    LOG_EVENT_DOMAIN_ADDED,
    LOG_EVENT_DOMAIN_REMOVED,
    LOG_EVENT_AVAILABLE,    /* once, when the hypervisor answers (again) */
    LOG_EVENT_UNAVAILABLE,  /* once, when it stops answering, whatever the attempts that follow say
                             */
    LOG_EVENT_UNRESPONSIVE, /* libvirt does not answer for one domain; LIBVIRT_CALL hangs */
    LOG_EVENT_RECOVERED,    /* it answers again */
    _LOG_EVENT_MAX,
} LogEvent;

/* Entries less important than `level` (LOG_EMERG … LOG_DEBUG) are dropped; LOG_INFO at first. */
void log_set_level(int level);
int log_get_level(void);

/* CONSOLE is standard error. The comment at the top tells which one is in use at first. */
typedef enum {
    LOG_TARGET_CONSOLE,
    LOG_TARGET_JOURNAL,
    LOG_TARGET_SYSLOG,
} LogTarget;

LogTarget log_get_target(void);
/* False, and nothing changes, where there is no such log. */
bool log_set_target(LogTarget target);
/* Does a journal run on this host? */
bool log_journal_runs(void);

/* The identifier of our entries in the journal. */
#define LOG_IDENTIFIER "unraid-vmsd"

/* "error", "warning", "notice", "info", "debug"; -EINVAL for anything else. */
int log_level_from_string(const char *name);

/* The 32 hexadecimal digits of an event's MESSAGE_ID. */
const char *log_event_id(LogEvent event);

void log_message(int level, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* After the message come pairs of a field's name and its value (both const char *), up to NULL in
 * the place of a name. A pair whose value is NULL is left out. */
void log_event(LogEvent event, const char *message, ...) G_GNUC_NULL_TERMINATED;

/* A field's value from a number: "%d", in a buffer that the caller keeps until the entry is made.
 */
#define LOG_NUMBER_SIZE 24
const char *log_number(char buffer[static LOG_NUMBER_SIZE], gint64 number);
