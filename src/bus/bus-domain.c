/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "interfaces.h"

#include "hypervisor-domain.h"
#include "method-options.h"
#include "names.h"
#include "operation-call.h"
#include "wire-rows.h"

/* --- operations --------------------------------------------------------------------------- */

static int
set_operation(MethodArgs *args, OperationKind kind)
{
    args->operation = (OperationSpec){.kind = kind, .force = kind == OPERATION_STOP};
    args->timeout_is_default = true;
    return 0;
}

#define PLAIN_OPERATION(name, kind)                                                                \
    static int parse_##name(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)        \
    {                                                                                              \
        return set_operation(args, kind);                                                          \
    }

PLAIN_OPERATION(start, OPERATION_START)
PLAIN_OPERATION(stop, OPERATION_STOP)
PLAIN_OPERATION(pause, OPERATION_PAUSE)
PLAIN_OPERATION(resume, OPERATION_RESUME)
PLAIN_OPERATION(force_stop, OPERATION_FORCE_STOP)
PLAIN_OPERATION(reboot, OPERATION_REBOOT)
PLAIN_OPERATION(reset, OPERATION_RESET)

typedef struct {
    uint64_t timeout;
    int force;
    int paused;
} OperationOptions;

#define OPTION(name, type, member)                                                                 \
    {                                                                                              \
        name, type, offsetof(OperationOptions, member)                                             \
    }
/* Every table begins with it. */
#define OPTION_TIMEOUT OPTION("timeout", SD_BUS_TYPE_UINT64, timeout)

static int
parse_with_options(sd_bus_message *message, MethodArgs *args, OperationKind kind,
                   const MethodOption *options, sd_bus_error *error)
{
    OperationOptions given = {.force = kind == OPERATION_STOP};
    uint64_t seen = 0;
    int r = method_options_read(message, options, &given, &seen, error);

    if (r < 0)
        return r;
    args->timeout_is_default = !(seen & 1);
    args->operation = (OperationSpec){
        .kind = kind,
        .timeout = given.timeout,
        .timeout_given = kind == OPERATION_START && (seen & 1),
        .force = given.force,
        .paused = given.paused,
    };
    return 0;
}

static int
parse_start_with_options(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    static const MethodOption options[] = {
        OPTION_TIMEOUT,
        OPTION("paused", SD_BUS_TYPE_BOOLEAN, paused),
        {NULL},
    };

    return parse_with_options(message, args, OPERATION_START, options, error);
}

static int
parse_stop_with_options(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    static const MethodOption options[] = {
        OPTION_TIMEOUT,
        OPTION("force", SD_BUS_TYPE_BOOLEAN, force),
        {NULL},
    };

    return parse_with_options(message, args, OPERATION_STOP, options, error);
}

static int
parse_reboot_with_options(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    static const MethodOption options[] = {OPTION_TIMEOUT, {NULL}};

    return parse_with_options(message, args, OPERATION_REBOOT, options, error);
}

/* --- SetAutostart, Undefine and GetXml ---------------------------------------------------- */

static int
parse_autostart(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    return sd_bus_message_read(message, "b", &args->autostart);
}

static bool
work_set_autostart(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
                   Error **error)
{
    return hypervisor_set_autostart(h, uuid, args->autostart != 0, error);
}

static int
parse_undefine(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    static const MethodFlag flags[] = {
        {"managed_save", UNDEFINE_MANAGED_SAVE},
        {"snapshots_metadata", UNDEFINE_SNAPSHOTS_METADATA},
        {"checkpoints_metadata", UNDEFINE_CHECKPOINTS_METADATA},
        {"nvram", UNDEFINE_NVRAM},
        {"keep_nvram", UNDEFINE_KEEP_NVRAM},
        {"tpm", UNDEFINE_TPM},
        {"keep_tpm", UNDEFINE_KEEP_TPM},
        {NULL},
    };

    return method_options_read_flags(message, flags, &args->undefine_flags, error);
}

static bool
work_undefine(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
              Error **error)
{
    return hypervisor_undefine(h, uuid, args->undefine_flags, error);
}

static int
parse_get_xml(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    static const MethodFlag flags[] = {
        {"inactive", XML_INACTIVE},
        {"secure", XML_SECURE},
        {NULL},
    };

    return method_options_read_flags(message, flags, &args->xml_flags, error);
}

static uint64_t
get_xml_actions(const Request *request)
{
    return request->args->xml_flags & XML_SECURE ? ACTION_BIT(ACTION_READ_SECRETS) : 0;
}

static bool
work_get_xml(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
             Error **error)
{
    char *xml = hypervisor_get_xml(h, uuid, args->xml_flags, error);

    if (xml)
        result->value = g_variant_new_take_string(xml);
    return xml != NULL;
}

/* --- the tables --------------------------------------------------------------------------- */

#define MEMBER(name, type, symbol, member)                                                         \
    {                                                                                              \
        name, type, DOMAIN_PROPERTY_##symbol, NULL, offsetof(Domain, member)                       \
    }

static void
write_job(Wire *wire, const void *object)
{
    wire_put_string(wire, object_path_of_job(((const Domain *)object)->job).text);
}

static void
write_problems(Wire *wire, const void *object)
{
    g_auto(RowBuilder) rows = {NULL};

    problems_write(((const Domain *)object)->problems, &rows);
    wire_put_dictionaries(wire, row_builder_rows(&rows));
}

static const Property properties[] = {
    {"Uuid", "s", PROPERTY_CONST, NULL, offsetof(Domain, uuid)},
    MEMBER("Name", "s", NAME, name),
    MEMBER("Title", "s", TITLE, title),
    MEMBER("Description", "s", DESCRIPTION, description),
    MEMBER("State", "s", STATE, state_name),
    MEMBER("StateReason", "s", STATE_REASON, reason),
    MEMBER("Id", "i", ID, id),
    MEMBER("Persistent", "b", PERSISTENT, persistent),
    MEMBER("Autostart", "b", AUTOSTART, autostart),
    MEMBER("Available", "b", AVAILABLE, available),
    {"Job", "o", DOMAIN_PROPERTY_JOB, write_job, 0},
    MEMBER("StartedAt", "t", STARTED_AT, started_at),
    {"Problems", "aa{sv}", DOMAIN_PROPERTY_PROBLEMS, write_problems, 0},
    {NULL},
};

#define OPERATION(method_name, parser)                                                             \
    {                                                                                              \
        .name = method_name, .in = "", .out = "", .names = "", .kind = METHOD_OPERATION,           \
        .more_actions = operation_call_actions, .parse = parser, .run = operation_call_run,        \
    }
#define OPERATION_WITH_OPTIONS(method_name, parser)                                                \
    {                                                                                              \
        .name = method_name, .in = "a{sv}", .out = "o", .names = "options\0job\0",                 \
        .kind = METHOD_OPERATION, .more_actions = operation_call_actions, .parse = parser,         \
        .run = operation_call_run,                                                                 \
    }

static const Method methods[] = {
    OPERATION("Start", parse_start),
    OPERATION("Stop", parse_stop),
    OPERATION("Pause", parse_pause),
    OPERATION("Resume", parse_resume),
    OPERATION("ForceStop", parse_force_stop),
    OPERATION("Reboot", parse_reboot),
    OPERATION("Reset", parse_reset),
    OPERATION_WITH_OPTIONS("StartWithOptions", parse_start_with_options),
    OPERATION_WITH_OPTIONS("StopWithOptions", parse_stop_with_options),
    OPERATION_WITH_OPTIONS("RebootWithOptions", parse_reboot_with_options),
    {
        .name = "SetAutostart",
        .call = "virDomainSetAutostart",
        .in = "b",
        .out = "",
        .names = "autostart\0",
        .kind = METHOD_CHANGE,
        .class = CALL_CHANGE,
        .actions = ACTION_BIT(ACTION_ADJUST),
        .parse = parse_autostart,
        .work = work_set_autostart,
    },
    {
        .name = "Undefine",
        .call = "virDomainUndefineFlags",
        .in = "a{sv}",
        .out = "",
        .names = "options\0",
        .kind = METHOD_CHANGE,
        .class = CALL_CHANGE,
        .stops_others = true,
        .actions = ACTION_BIT(ACTION_CONFIGURE),
        .parse = parse_undefine,
        .work = work_undefine,
    },
    {
        .name = "GetXml",
        .call = "virDomainGetXMLDesc",
        .in = "a{sv}",
        .out = "s",
        .names = "options\0xml\0",
        .kind = METHOD_READ,
        .class = CALL_XML,
        .more_actions = get_xml_actions,
        .parse = parse_get_xml,
        .work = work_get_xml,
    },
    {NULL},
};

const Interface bus_domain_interface = {
    .name = VMS_DOMAIN_INTERFACE,
    .properties = properties,
    .methods = methods,
};
