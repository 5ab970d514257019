/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "interfaces.h"

#include "libvirt-uri.h"
#include "method-options.h"
#include "names.h"
#include "operation-call.h"
#include "units.h"

typedef struct {
    int live;
    int persist_destination;
    int undefine_source;
    int copy_storage;
    uint64_t bandwidth;
} MigrateOptions;

static int
parse_migrate(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    static const MethodOption options[] = {
        {"live", SD_BUS_TYPE_BOOLEAN, offsetof(MigrateOptions, live)},
        {"persist_destination", SD_BUS_TYPE_BOOLEAN, offsetof(MigrateOptions, persist_destination)},
        {"undefine_source", SD_BUS_TYPE_BOOLEAN, offsetof(MigrateOptions, undefine_source)},
        {"copy_storage", SD_BUS_TYPE_BOOLEAN, offsetof(MigrateOptions, copy_storage)},
        {"bandwidth", SD_BUS_TYPE_UINT64, offsetof(MigrateOptions, bandwidth)},
        {NULL},
    };
    MigrateOptions given = {0};
    const char *uri;
    int r = sd_bus_message_read(message, "s", &uri);

    if (r >= 0)
        r = method_options_read(message, options, &given, NULL, error);
    if (r < 0)
        return r;
    g_autofree char *refusal = libvirt_uri_refuse_destination(uri);
    if (refusal)
        return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS, refusal);

    const OperationPayload payload = {
        .name = (char *)uri,
        .flags = (given.live ? PAYLOAD_LIVE : 0) |
                 (given.persist_destination ? PAYLOAD_PERSIST_DESTINATION : 0) |
                 (given.undefine_source ? PAYLOAD_UNDEFINE_SOURCE : 0) |
                 (given.copy_storage ? PAYLOAD_COPY_STORAGE : 0),
        .bandwidth = given.bandwidth / MIB + (given.bandwidth % MIB ? 1 : 0),
    };
    operation_call_set_long(args, OPERATION_MIGRATE, &payload);
    return 0;
}

static const Method methods[] = {
    {
        .name = "Migrate",
        .in = "sa{sv}",
        .out = "o",
        .names = "destination_uri\0options\0job\0",
        .kind = METHOD_OPERATION,
        .more_actions = operation_call_actions,
        .parse = parse_migrate,
        .run = operation_call_run,
    },
    {NULL},
};

const Interface bus_migration_interface = {
    .name = VMS_MIGRATION_INTERFACE,
    .methods = methods,
};
