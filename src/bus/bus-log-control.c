/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "interfaces.h"

#include "log.h"
#include "names.h"
#include "request.h"

#include <errno.h>

/* In the order of their numbers in syslog(3). */
static const char *const levels[] = {"emerg",  "alert", "crit",  "err", "warning",
                                     "notice", "info",  "debug", NULL};
static const char *const targets[] = {
    [LOG_TARGET_CONSOLE] = "console",
    [LOG_TARGET_JOURNAL] = "journal",
    [LOG_TARGET_SYSLOG] = "syslog",
    NULL,
};

/* --- Set ---------------------------------------------------------------------------------- */

/* "ssv" of Properties.Set: the index of the word, or a negative errno. */
static int
parse_word(sd_bus_message *message, const char *const *words, const char *what, sd_bus_error *error)
{
    const char *word;
    int r = sd_bus_message_skip(message, "ss");

    if (r >= 0)
        r = sd_bus_message_read(message, "v", "s", &word);
    if (r == -ENXIO)
        return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "The %s has to be a string",
                                 what);
    return r < 0 ? r : method_find_word(word, words, what, error);
}

static int
parse_level(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    int r = parse_word(message, levels, "log level", error);

    if (r >= 0)
        args->log_level = r;
    return r;
}

static int
parse_target(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    int r = parse_word(message, targets, "log target", error);

    if (r >= 0)
        args->log_target = (LogTarget)r;
    return r;
}

static void
run_set_level(Request *request)
{
    log_set_level(request->args->log_level);
    request_reply(request);
}

static void
run_set_target(Request *request)
{
    g_autoptr(Error) error = NULL;

    if (log_set_target(request->args->log_target)) {
        request_reply(request);
        return;
    }
    error = error_new(ERROR_OPERATION_FAILED, "There is no %s to log to",
                      targets[request->args->log_target]);
    request_fail(request, error);
}

static const Method set_level = {
    .name = "SetLogLevel",
    .out = "",
    .kind = METHOD_CHANGE,
    .actions = ACTION_BIT(ACTION_LOG),
    .parse = parse_level,
    .run = run_set_level,
};

static const Method set_target = {
    .name = "SetLogTarget",
    .out = "",
    .kind = METHOD_CHANGE,
    .actions = ACTION_BIT(ACTION_LOG),
    .parse = parse_target,
    .run = run_set_target,
};

/* --- properties --------------------------------------------------------------------------- */

static void
write_level(Wire *wire, const void *object)
{
    wire_put_string(wire, levels[log_get_level()]);
}

static void
write_target(Wire *wire, const void *object)
{
    wire_put_string(wire, targets[log_get_target()]);
}

static void
write_identifier(Wire *wire, const void *object)
{
    wire_put_string(wire, LOG_IDENTIFIER);
}

static const Property properties[] = {
    {"LogLevel", "s", PROPERTY_SILENT, write_level, 0, &set_level},
    {"LogTarget", "s", PROPERTY_SILENT, write_target, 0, &set_target},
    {"SyslogIdentifier", "s", PROPERTY_SILENT, write_identifier, 0, NULL},
    {NULL},
};

const Interface bus_log_control_interface = {
    .name = LOG_CONTROL_INTERFACE,
    .properties = properties,
};
