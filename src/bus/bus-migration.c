/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager.h"

#include "libvirt-uri.h"
#include "method-options.h"
#include "names.h"

typedef struct {
    int live;
    int persist_destination;
    int undefine_source;
    uint64_t bandwidth;
} MigrateOptions;

static int
method_migrate(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    static const MethodOption options[] = {
        {"live", SD_BUS_TYPE_BOOLEAN, offsetof(MigrateOptions, live)},
        {"persist_destination", SD_BUS_TYPE_BOOLEAN, offsetof(MigrateOptions, persist_destination)},
        {"undefine_source", SD_BUS_TYPE_BOOLEAN, offsetof(MigrateOptions, undefine_source)},
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
                 (given.undefine_source ? PAYLOAD_UNDEFINE_SOURCE : 0),
        .bandwidth = given.bandwidth,
    };
    return domain_bus_long_operation(message, userdata, OPERATION_MIGRATE, &payload, error);
}

static const sd_bus_vtable migration_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_ARGS("Migrate", SD_BUS_ARGS("s", destination_uri, "a{sv}", options),
                            SD_BUS_RESULT("o", job), method_migrate, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

int
migration_bus_register(Manager *m)
{
    return domain_bus_add_interface(m, VMS_MIGRATION_INTERFACE, migration_vtable, NULL);
}
