/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Failures as scripts see them: each kind has an exit status, which is the code of a GError; the
 * error's message is the one line that the user reads. The numbers are documented in vmsctl(1) and
 * never change.
 */
#pragma once

#include <glib.h>
#include <systemd/sd-bus.h>

typedef enum ExitStatus {
    EXIT_OK = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_NO_SUCH_VM = 3,
    EXIT_INVALID_STATE = 4,
    EXIT_NOT_AVAILABLE = 5,
    EXIT_DENIED = 6,
    EXIT_BUSY = 7,
    EXIT_TIMEOUT = 8,
    EXIT_CANCELED = 9,
    EXIT_STILL_RUNNING = 10,
    EXIT_NOT_OFFERED = 11,
    EXIT_INTERRUPTED = 130,
} ExitStatus;

#define VMSCTL_ERROR (vmsctl_error_quark())
GQuark vmsctl_error_quark(void);

void failure_set(GError **error, ExitStatus status, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* From the result of a call of INTERFACE.METHOD: an error reply, or the negative errno R. */
void failure_from_bus(GError **error, const sd_bus_error *reply, int r, const char *interface,
                      const char *method);

/* The status for the result of a job, as JobRemoved has it. */
ExitStatus failure_of_result(const char *result);

/* Prints "vmsctl: SUBJECT: MESSAGE" (SUBJECT may be NULL) and returns the error's status. */
ExitStatus failure_report(const char *subject, const GError *error);

/* Where several things are done, the first failure gives the exit status. */
void failure_keep_first(ExitStatus *first, ExitStatus status);
