/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "interfaces.h"

#include "clock.h"
#include "hypervisor-snapshot.h"
#include "method-options.h"
#include "names.h"
#include "operation-call.h"
#include "wire-rows.h"

/* --- reads -------------------------------------------------------------------------------- */

static bool
work_list(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
          Error **error)
{
    return hypervisor_list_snapshots(h, uuid, &result->rows, error);
}

static bool
work_get_xml(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
             Error **error)
{
    char *xml = hypervisor_get_snapshot_xml(h, uuid, args->name, error);

    if (xml)
        result->value = g_variant_new_take_string(xml);
    return xml != NULL;
}

/* --- Create, Revert and Delete ------------------------------------------------------------ */

typedef struct {
    const char *description;
    const char *memory_file;
    char **disks;
    int disk_only;
    int quiesce;
} CreateOptions;

static int
read_create_options(sd_bus_message *message, CreateOptions *ret, sd_bus_error *error)
{
    static const MethodOption options[] = {
        {"description", SD_BUS_TYPE_STRING, offsetof(CreateOptions, description)},
        {"memory_file", SD_BUS_TYPE_STRING, offsetof(CreateOptions, memory_file)},
        {"disks", METHOD_OPTION_TEXTS, offsetof(CreateOptions, disks)},
        {"disk_only", SD_BUS_TYPE_BOOLEAN, offsetof(CreateOptions, disk_only)},
        {"quiesce", SD_BUS_TYPE_BOOLEAN, offsetof(CreateOptions, quiesce)},
        {NULL},
    };
    int r = method_options_read(message, options, ret, NULL, error);

    if (r >= 0 && ret->disk_only && ret->memory_file)
        return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                "Only one of 'disk_only' and 'memory_file' can be given");
    return r;
}

static int
parse_create(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    g_autofree char *generated = NULL;
    CreateOptions given = {0};
    const char *name;
    int r = sd_bus_message_read(message, "s", &name);

    if (r >= 0)
        r = read_create_options(message, &given, error);
    g_auto(GStrv) disks = given.disks;
    if (r < 0)
        return r;
    /* libvirt would name it by the second. It has to be known here, to find the snapshot again, and
     * two in a second must not collide. */
    generated = g_strdup_printf("%" G_GUINT64_FORMAT, clock_realtime_usec());
    const OperationPayload payload = {
        .name = *name ? (char *)name : generated,
        .generated = *name == '\0',
        .description = (char *)given.description,
        .memory_file = (char *)given.memory_file,
        .disks = disks,
        .flags = (given.disk_only ? PAYLOAD_DISK_ONLY : 0) | (given.quiesce ? PAYLOAD_QUIESCE : 0),
    };
    operation_call_set_long(args, OPERATION_CREATE_SNAPSHOT, &payload);
    return 0;
}

static int
parse_with_flags(sd_bus_message *message, MethodArgs *args, OperationKind kind,
                 const MethodFlag *flags, sd_bus_error *error)
{
    OperationPayload payload = {0};
    const char *name;
    int r = sd_bus_message_read(message, "s", &name);

    if (r >= 0)
        r = method_options_read_flags(message, flags, &payload.flags, error);
    if (r < 0)
        return r;
    payload.name = (char *)name;
    operation_call_set_long(args, kind, &payload);
    return 0;
}

static int
parse_revert(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    static const MethodFlag flags[] = {
        {"running", PAYLOAD_RUNNING},
        {"paused", PAYLOAD_PAUSED},
        {"force", PAYLOAD_FORCE},
        {NULL},
    };
    const unsigned both = PAYLOAD_RUNNING | PAYLOAD_PAUSED;
    int r = parse_with_flags(message, args, OPERATION_REVERT_SNAPSHOT, flags, error);

    if (r >= 0 && (args->operation.payload->flags & both) == both)
        return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                "Only one of 'running' and 'paused' can be true");
    return r;
}

static int
parse_delete(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    static const MethodFlag flags[] = {
        {"children", PAYLOAD_CHILDREN},
        {"metadata_only", PAYLOAD_METADATA_ONLY},
        {NULL},
    };

    return parse_with_flags(message, args, OPERATION_DELETE_SNAPSHOT, flags, error);
}

/* --- the tables --------------------------------------------------------------------------- */

static const Property properties[] = {
    {"Count", "u", DOMAIN_PROPERTY_SNAPSHOT_COUNT, NULL, offsetof(Domain, snapshot_count)},
    {NULL},
};

#define JOB_METHOD(method_name, parser)                                                            \
    {                                                                                              \
        .name = method_name, .in = "sa{sv}", .out = "o", .names = "name\0options\0job\0",          \
        .kind = METHOD_OPERATION, .more_actions = operation_call_actions, .parse = parser,         \
        .run = operation_call_run,                                                                 \
    }

static const Method methods[] = {
    {
        .name = "List",
        .call = "virDomainListAllSnapshots",
        .in = "",
        .out = ROWS_SIGNATURE,
        .names = "snapshots\0",
        .kind = METHOD_READ,
        .class = CALL_READ,
        .work = work_list,
    },
    JOB_METHOD("Create", parse_create),
    JOB_METHOD("Revert", parse_revert),
    JOB_METHOD("Delete", parse_delete),
    {
        .name = "GetXml",
        .call = "virDomainSnapshotGetXMLDesc",
        .in = "s",
        .out = "s",
        .names = "name\0xml\0",
        .kind = METHOD_READ,
        .class = CALL_READ,
        .actions = ACTION_BIT(ACTION_SNAPSHOT),
        .parse = method_parse_name,
        .work = work_get_xml,
    },
    {NULL},
};

const Interface bus_snapshots_interface = {
    .name = VMS_SNAPSHOTS_INTERFACE,
    .properties = properties,
    .methods = methods,
};
