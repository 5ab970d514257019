/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "failure.h"

#include "names.h"
#include "terminal-text.h"

#include <stdarg.h>
#include <stdio.h>

G_DEFINE_QUARK(vmsctl_error, vmsctl_error)

static const struct {
    const char *name;
    ExitStatus status;
} statuses[] = {
    {VMS_ERROR_PREFIX "NoSuchDomain", EXIT_NO_SUCH_VM},
    {VMS_ERROR_PREFIX "InvalidState", EXIT_INVALID_STATE},
    {VMS_ERROR_PREFIX "NotAvailable", EXIT_NOT_AVAILABLE},
    {VMS_ERROR_PREFIX "Busy", EXIT_BUSY},
    {VMS_ERROR_PREFIX "Timeout", EXIT_TIMEOUT},
    {VMS_ERROR_PREFIX "Canceled", EXIT_CANCELED},
    {VMS_ERROR_PREFIX "StillRunning", EXIT_STILL_RUNNING},
    {VMS_ERROR_PREFIX "OperationFailed", EXIT_FAILED},
    {SD_BUS_ERROR_INVALID_ARGS, EXIT_USAGE},
    {SD_BUS_ERROR_INVALID_SIGNATURE, EXIT_USAGE},
    {SD_BUS_ERROR_ACCESS_DENIED, EXIT_DENIED},
    {SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, EXIT_DENIED},
    {SD_BUS_ERROR_LIMITS_EXCEEDED, EXIT_BUSY},
    {SD_BUS_ERROR_UNKNOWN_OBJECT, EXIT_NO_SUCH_VM},
    {SD_BUS_ERROR_UNKNOWN_INTERFACE, EXIT_NOT_OFFERED},
    {SD_BUS_ERROR_UNKNOWN_METHOD, EXIT_NOT_OFFERED},
    {SD_BUS_ERROR_UNKNOWN_PROPERTY, EXIT_NOT_OFFERED},
    {SD_BUS_ERROR_SERVICE_UNKNOWN, EXIT_NOT_AVAILABLE},
    {SD_BUS_ERROR_NAME_HAS_NO_OWNER, EXIT_NOT_AVAILABLE},
    {SD_BUS_ERROR_DISCONNECTED, EXIT_NOT_AVAILABLE},
    /* A bus that cannot be reached, as where ssh to another host fails. */
    {"System.Error.ENOTCONN", EXIT_NOT_AVAILABLE},
    /* The bus sends this for a service that went away during the call. A service that is slow is a
     * timeout. */
    {SD_BUS_ERROR_NO_REPLY, EXIT_NOT_AVAILABLE},
    {SD_BUS_ERROR_TIMEOUT, EXIT_TIMEOUT},
};

static ExitStatus
status_of_name(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(statuses); i++)
        if (g_str_equal(name, statuses[i].name))
            return statuses[i].status;

    if (g_str_has_prefix(name, "org.freedesktop.DBus.Error.Spawn."))
        return EXIT_NOT_AVAILABLE;
    return EXIT_FAILED;
}

void
failure_set(GError **error, ExitStatus status, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, VMSCTL_ERROR, (int)status, message);
}

void
failure_from_bus(GError **error, const sd_bus_error *reply, int r, const char *interface,
                 const char *method)
{
    if (!reply || !reply->name) {
        ExitStatus status = r == -ETIMEDOUT ? EXIT_TIMEOUT : EXIT_FAILED;

        failure_set(error, status, "%s: %s", method, g_strerror(-r));
        return;
    }

    const char *message = reply->message && *reply->message ? reply->message : reply->name;
    ExitStatus status = status_of_name(reply->name);

    if (status == EXIT_NOT_OFFERED) {
        failure_set(error, status, "This service does not offer %s.%s", interface, method);
        return;
    }
    if (g_str_equal(reply->name, SD_BUS_ERROR_NO_REPLY)) {
        failure_set(error, status, "The service did not answer %s: %s", method, message);
        return;
    }
    if (status == EXIT_NOT_AVAILABLE && !g_str_has_prefix(reply->name, VMS_ERROR_PREFIX)) {
        failure_set(error, status, "The service cannot be reached: %s", message);
        return;
    }
    failure_set(error, status, "%s", message);
}

ExitStatus
failure_of_result(const char *result)
{
    if (g_str_equal(result, "done"))
        return EXIT_OK;
    if (g_str_equal(result, "timeout"))
        return EXIT_TIMEOUT;
    if (g_str_equal(result, "canceled"))
        return EXIT_CANCELED;
    return EXIT_FAILED;
}

ExitStatus
failure_report(const char *subject, const GError *error)
{
    g_autofree char *message = terminal_text_escape(error->message);
    g_autofree char *about = subject ? terminal_text_escape(subject) : NULL;

    (void)fflush(stdout);
    if (about)
        fprintf(stderr, "vmsctl: %s: %s\n", about, message);
    else
        fprintf(stderr, "vmsctl: %s\n", message);
    return error->domain == VMSCTL_ERROR ? (ExitStatus)error->code : EXIT_FAILED;
}

void
failure_keep_first(ExitStatus *first, ExitStatus status)
{
    if (*first == EXIT_OK)
        *first = status;
}
