/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus-error.h"

#include "names.h"

#define STANDARD_PREFIX "org.freedesktop.DBus.Error."

static const char *const names[_ERROR_KIND_MAX] = {
    [ERROR_NOT_AVAILABLE] = VMS_ERROR_PREFIX "NotAvailable",
    [ERROR_NO_SUCH_DOMAIN] = VMS_ERROR_PREFIX "NoSuchDomain",
    [ERROR_INVALID_STATE] = VMS_ERROR_PREFIX "InvalidState",
    [ERROR_BUSY] = VMS_ERROR_PREFIX "Busy",
    [ERROR_TIMEOUT] = VMS_ERROR_PREFIX "Timeout",
    [ERROR_CANCELED] = VMS_ERROR_PREFIX "Canceled",
    [ERROR_STILL_RUNNING] = VMS_ERROR_PREFIX "StillRunning",
    [ERROR_OPERATION_FAILED] = VMS_ERROR_PREFIX "OperationFailed",
    [ERROR_INVALID_ARGS] = STANDARD_PREFIX "InvalidArgs",
    [ERROR_ACCESS_DENIED] = STANDARD_PREFIX "AccessDenied",
    [ERROR_LIMITS_EXCEEDED] = STANDARD_PREFIX "LimitsExceeded",
    [ERROR_UNKNOWN_OBJECT] = STANDARD_PREFIX "UnknownObject",
};

const char *
bus_error_name(ErrorKind kind)
{
    return names[kind];
}
