/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "error.h"

Error *
error_new(ErrorKind kind, const char *format, ...)
{
    Error *error = g_new0(Error, 1);
    va_list args;

    error->kind = kind;
    va_start(args, format);
    error->message = g_strdup_vprintf(format, args);
    va_end(args);
    return error;
}

Error *
error_copy(const Error *error)
{
    if (!error)
        return NULL;
    Error *copy = error_new(error->kind, "%s", error->message);
    copy->libvirt_code = error->libvirt_code;
    copy->quotes_input = error->quotes_input;
    return copy;
}

void
error_free(Error *error)
{
    if (!error)
        return;
    g_free(error->message);
    g_free(error);
}

Error *
error_append(const Error *error, const char *more)
{
    Error *longer = error_new(error->kind, "%s; %s", error->message, more);
    longer->libvirt_code = error->libvirt_code;
    longer->quotes_input = error->quotes_input;
    return longer;
}

Error *
error_not_available(const char *why)
{
    return error_new(ERROR_NOT_AVAILABLE, "VMs are not available: %s", why);
}
