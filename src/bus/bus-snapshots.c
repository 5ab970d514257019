/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager.h"

#include "hypervisor-snapshot.h"
#include "method-options.h"
#include "names.h"

/* --- List --------------------------------------------------------------------------------- */

typedef struct {
    RequestCall base;
    GPtrArray *snapshots;
} ListCall;

static bool
work_list(Call *call, Hypervisor *h, Error **error)
{
    ListCall *list = (ListCall *)call;

    list->snapshots = hypervisor_list_snapshots(h, call->key, error);
    return list->snapshots != NULL;
}

static void
free_list(Call *call)
{
    ListCall *list = (ListCall *)call;

    if (list->snapshots)
        g_ptr_array_unref(list->snapshots);
    g_free(list);
}

static Call *
make_list(Request *request)
{
    ListCall *list = request_call_new(request, sizeof *list, CALL_READ, work_list);

    list->base.call.free = free_list;
    return &list->base.call;
}

static int
append_snapshots(sd_bus_message *reply, const GPtrArray *snapshots)
{
    int r = sd_bus_message_open_container(reply, 'a', "(sxsb)");

    for (unsigned i = 0; r >= 0 && i < snapshots->len; i++) {
        const SnapshotInfo *info = snapshots->pdata[i];

        r = sd_bus_message_append(reply, "(sxsb)", info->name, info->created, info->state,
                                  info->current);
    }
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

static void
reply_list(Request *request, Call *call)
{
    sd_bus_message *reply = NULL;
    int r = request_new_reply(request, &reply);

    if (r >= 0)
        r = append_snapshots(reply, ((ListCall *)call)->snapshots);
    if (r >= 0) {
        request_reply_message(request, reply);
        return;
    }
    g_autoptr(Error) error =
        error_new(ERROR_OPERATION_FAILED, "The list cannot be sent: %s", g_strerror(-r));
    sd_bus_message_unref(reply);
    request_fail(request, error);
}

static void
run_list(Request *request)
{
    request_call(request, make_list, reply_list);
}

static int
method_list(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    const DomainRequest request = {.kind = REQUEST_READ, .verb = "List", .run = run_list};

    return domain_bus_request(message, userdata, &request, error);
}

/* --- GetXml ------------------------------------------------------------------------------- */

typedef struct {
    RequestCall base;
    char *name;
    char *xml;
} XmlCall;

static bool
work_get_xml(Call *call, Hypervisor *h, Error **error)
{
    XmlCall *get = (XmlCall *)call;

    get->xml = hypervisor_get_snapshot_xml(h, call->key, get->name, error);
    return get->xml != NULL;
}

static void
free_xml(Call *call)
{
    XmlCall *get = (XmlCall *)call;

    g_free(get->name);
    g_free(get->xml);
    g_free(get);
}

static Call *
make_get_xml(Request *request)
{
    XmlCall *get = request_call_new(request, sizeof *get, CALL_READ, work_get_xml);

    get->base.call.free = free_xml;
    get->name = g_strdup(request->args);
    return &get->base.call;
}

static void
reply_xml(Request *request, Call *call)
{
    request_reply_string(request, "s", ((XmlCall *)call)->xml);
}

static void
run_get_xml(Request *request)
{
    request_call(request, make_get_xml, reply_xml);
}

static int
method_get_xml(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    const char *name;
    int r = sd_bus_message_read(message, "s", &name);

    if (r < 0)
        return r;
    const DomainRequest request = {
        .kind = REQUEST_READ,
        .verb = "GetXml",
        .actions = ACTION_BIT(ACTION_SNAPSHOT),
        .run = run_get_xml,
        .args = g_strdup(name),
        .free_args = g_free,
    };
    return domain_bus_request(message, userdata, &request, error);
}

/* --- Create, Revert and Delete ------------------------------------------------------------ */

typedef struct {
    const char *description;
    int first; /* each method has two flags at most */
    int second;
} SnapshotOptions;

#define OPTION(name, type, member)                                                                 \
    {                                                                                              \
        name, type, offsetof(SnapshotOptions, member)                                              \
    }

/* What is common: a name and its options. */
static int
read_arguments(sd_bus_message *message, const MethodOption *options, OperationPayload *payload,
               SnapshotOptions *given, sd_bus_error *error)
{
    const char *name;
    int r = sd_bus_message_read(message, "s", &name);

    if (r >= 0)
        r = method_options_read(message, options, given, NULL, error);
    if (r < 0)
        return r;
    payload->name = (char *)name;
    payload->description = (char *)given->description;
    return 0;
}

static int
method_create(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    static const MethodOption options[] = {
        OPTION("description", SD_BUS_TYPE_STRING, description),
        OPTION("disk_only", SD_BUS_TYPE_BOOLEAN, first),
        {NULL},
    };
    g_autofree char *made_up = NULL;
    SnapshotOptions given = {0};
    OperationPayload payload = {0};
    int r = read_arguments(message, options, &payload, &given, error);

    if (r < 0)
        return r;
    payload.flags = given.first ? PAYLOAD_DISK_ONLY : 0;
    payload.made_up = *payload.name == '\0';
    if (payload.made_up) {
        /* What libvirt would take; but we have to know it, to find the snapshot again. */
        made_up = g_strdup_printf("%" G_GINT64_FORMAT, g_get_real_time() / G_USEC_PER_SEC);
        payload.name = made_up;
    }
    return domain_bus_long_operation(message, userdata, OPERATION_CREATE_SNAPSHOT, &payload, error);
}

static int
method_revert(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    static const MethodOption options[] = {
        OPTION("running", SD_BUS_TYPE_BOOLEAN, first),
        OPTION("paused", SD_BUS_TYPE_BOOLEAN, second),
        {NULL},
    };
    SnapshotOptions given = {0};
    OperationPayload payload = {0};
    int r = read_arguments(message, options, &payload, &given, error);

    if (r < 0)
        return r;
    if (given.first && given.second)
        return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                "Only one of 'running' and 'paused' can be true");
    payload.flags = (given.first ? PAYLOAD_RUNNING : 0) | (given.second ? PAYLOAD_PAUSED : 0);
    return domain_bus_long_operation(message, userdata, OPERATION_REVERT_SNAPSHOT, &payload, error);
}

static int
method_delete(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    static const MethodOption options[] = {
        OPTION("children", SD_BUS_TYPE_BOOLEAN, first),
        OPTION("metadata_only", SD_BUS_TYPE_BOOLEAN, second),
        {NULL},
    };
    SnapshotOptions given = {0};
    OperationPayload payload = {0};
    int r = read_arguments(message, options, &payload, &given, error);

    if (r < 0)
        return r;
    payload.flags =
        (given.first ? PAYLOAD_CHILDREN : 0) | (given.second ? PAYLOAD_METADATA_ONLY : 0);
    return domain_bus_long_operation(message, userdata, OPERATION_DELETE_SNAPSHOT, &payload, error);
}

/* --- the vtable --------------------------------------------------------------------------- */

#define JOB_METHOD(member, handler)                                                                \
    SD_BUS_METHOD_WITH_ARGS(member, SD_BUS_ARGS("s", name, "a{sv}", options),                      \
                            SD_BUS_RESULT("o", job), handler, SD_BUS_VTABLE_UNPRIVILEGED)

static const sd_bus_vtable snapshots_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("Count", "u", NULL, offsetof(Domain, snapshot_count),
                    SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_METHOD_WITH_ARGS("List", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(sxsb)", snapshots),
                            method_list, SD_BUS_VTABLE_UNPRIVILEGED),
    JOB_METHOD("Create", method_create),
    JOB_METHOD("Revert", method_revert),
    JOB_METHOD("Delete", method_delete),
    SD_BUS_METHOD_WITH_ARGS("GetXml", SD_BUS_ARGS("s", name), SD_BUS_RESULT("s", xml),
                            method_get_xml, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

int
snapshots_bus_register(Manager *m)
{
    return domain_bus_add_interface(m, VMS_SNAPSHOTS_INTERFACE, snapshots_vtable, NULL);
}
