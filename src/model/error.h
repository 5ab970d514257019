/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A failure, as one value that travels from a worker to the loop, to the caller and to the
 * journal without losing anything: our kind of error, libvirt's code, libvirt's words.
 *
 * Pure: no D-Bus, no libvirt. An Error is owned by whoever holds the pointer and is not shared
 * between threads; hand it over or copy it.
 */

#include <glib.h>
#include <stdbool.h>

typedef enum {
    ERROR_NONE,
    ERROR_NOT_AVAILABLE,
    ERROR_NO_SUCH_DOMAIN,
    ERROR_INVALID_STATE,
    ERROR_BUSY,
    ERROR_TIMEOUT,
    ERROR_CANCELED,
    ERROR_STILL_RUNNING,
    ERROR_OPERATION_FAILED,
    ERROR_INVALID_ARGS,
    ERROR_ACCESS_DENIED,
    ERROR_LIMITS_EXCEEDED,
    ERROR_UNKNOWN_OBJECT,
    _ERROR_KIND_MAX,
} ErrorKind;

typedef struct {
    ErrorKind kind;
    int libvirt_code;  /* virErrorNumber, 0 if libvirt did not say it */
    bool quotes_input; /* after its first line: what the caller wrote, which is not for a log */
    char *message;
} Error;

Error *error_new(ErrorKind kind, const char *format, ...) G_GNUC_PRINTF(2, 3);
Error *error_copy(const Error *error);
void error_free(Error *error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Error, error_free)

/* The same failure with more words behind libvirt's own: "<message>; <more>". */
Error *error_append(const Error *error, const char *more);

/* "VMs are not available: <why>": the one wording of NotAvailable. */
Error *error_not_available(const char *why);
