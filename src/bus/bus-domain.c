/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager.h"

#include "config-properties.h"
#include "hypervisor-domain.h"
#include "hypervisor-traits.h"
#include "method-options.h"
#include "names.h"
#include "object-path.h"
#include "operation-plan.h"
#include "wire-rows.h"

/* --- operations --------------------------------------------------------------------------- */

/* What an operation's request carries. */
typedef struct {
    OperationSpec spec;
    bool reply_at_once; /* with the job */
} OperationArgs;

static void
enter_job(Request *request, Job *job)
{
    const OperationArgs *args = request->args;

    if (args->reply_at_once)
        request_reply_string(request, "o", job->path);
    else
        request_wait_for_job(request, job);
}

static void
begin_job(Request *request)
{
    Domain *domain = request_domain(request);
    g_autoptr(Error) error = NULL;

    if (!domain)
        return;
    OperationArgs *args = request->args;
    HypervisorTraits traits = hypervisor_traits_of_type(request->manager->identity.type);
    args->spec.reboot_in_call = (traits & TRAIT_REBOOT_IN_CALL) != 0;
    Job *job = job_begin(request, domain, &args->spec, &error);
    if (job)
        enter_job(request, job);
    else
        request_fail(request, error);
}

/* Judge by what the domain is now: an event may still be on its way. */
static void
look_and_begin(Request *request)
{
    request_refresh(request, request->vm_uuid, begin_job);
}

static void
run_operation(Request *request)
{
    const OperationArgs *args = request->args;
    Domain *domain = request_domain(request);

    if (!domain)
        return;
    bool force = args->spec.kind == OPERATION_FORCE_STOP;
    g_autoptr(Error) refusal =
        operation_check(&args->spec, domain->state, domain->persistent, domain->name);

    const Job *running = jobs_find(request->manager->jobs, domain->uuid);

    /* A job that runs is joined or named, libvirt or not; nothing that hangs holds up ForceStop. */
    if (running && (!force || operation_is_same(running->operation, &args->spec)))
        begin_job(request);
    else if (running || (force && !refusal))
        request_when_available(request, begin_job);
    else
        request_when_available(request, look_and_begin);
}

/* A Stop that forces sooner than the service would is a ForceStop, too. */
static uint64_t
actions_of(const Manager *m, const OperationSpec *spec)
{
    static const Action actions[_OPERATION_MAX] = {
        [OPERATION_START] = ACTION_START,
        [OPERATION_STOP] = ACTION_STOP,
        [OPERATION_PAUSE] = ACTION_PAUSE,
        [OPERATION_RESUME] = ACTION_RESUME,
        [OPERATION_REBOOT] = ACTION_REBOOT,
        [OPERATION_FORCE_STOP] = ACTION_FORCE_STOP,
        [OPERATION_RESET] = ACTION_RESET,
        [OPERATION_SAVE] = ACTION_SAVE,
        [OPERATION_CREATE_SNAPSHOT] = ACTION_SNAPSHOT,
        [OPERATION_REVERT_SNAPSHOT] = ACTION_SNAPSHOT,
        [OPERATION_DELETE_SNAPSHOT] = ACTION_SNAPSHOT,
        [OPERATION_MIGRATE] = ACTION_MIGRATE,
    };
    uint64_t mask = ACTION_BIT(actions[spec->kind]);

    if (spec->kind == OPERATION_STOP && spec->force && spec->timeout < m->stop_timeout_usec)
        mask |= ACTION_BIT(ACTION_FORCE_STOP);
    return mask;
}

static OperationSpec
default_spec(const Manager *m, OperationKind kind)
{
    return (OperationSpec){
        .kind = kind,
        .timeout = m->stop_timeout_usec,
        .force = kind == OPERATION_STOP,
    };
}

static void
free_operation_args(gpointer data)
{
    OperationArgs *args = data;

    operation_payload_unref((OperationPayload *)args->spec.payload);
    g_free(args);
}

static int
start_operation(sd_bus_message *message, const Domain *domain, const OperationSpec *spec,
                bool reply_at_once, sd_bus_error *error)
{
    OperationArgs *args = g_new0(OperationArgs, 1);
    const DomainRequest request = {
        .kind = REQUEST_OPERATION,
        .verb = operation_name(spec->kind),
        .actions = actions_of(manager_of(message), spec),
        .run = run_operation,
        .args = args,
        .free_args = free_operation_args,
    };

    args->spec = *spec;
    args->spec.payload = operation_payload_ref(spec->payload);
    args->reply_at_once = reply_at_once;
    return domain_bus_request(message, domain, &request, error);
}

int
domain_bus_long_operation(sd_bus_message *message, const Domain *domain, OperationKind kind,
                          const OperationPayload *payload, sd_bus_error *error)
{
    g_autoptr(OperationPayload) copy = operation_payload_new(payload);
    const OperationSpec spec = {.kind = kind, .timeout = OPERATION_NO_TIMEOUT, .payload = copy};

    return start_operation(message, domain, &spec, true, error);
}

#define PLAIN_OPERATION(name, kind)                                                                \
    static int method_##name(sd_bus_message *message, void *userdata, sd_bus_error *error)         \
    {                                                                                              \
        OperationSpec spec = default_spec(manager_of(message), kind);                              \
                                                                                                   \
        return start_operation(message, userdata, &spec, false, error);                            \
    }

PLAIN_OPERATION(start, OPERATION_START)
PLAIN_OPERATION(stop, OPERATION_STOP)
PLAIN_OPERATION(pause, OPERATION_PAUSE)
PLAIN_OPERATION(resume, OPERATION_RESUME)
PLAIN_OPERATION(force_stop, OPERATION_FORCE_STOP)
PLAIN_OPERATION(reboot, OPERATION_REBOOT)
PLAIN_OPERATION(reset, OPERATION_RESET)

/* What a{sv} may say of an operation; a timeout of UINT64_MAX is none. */
typedef struct {
    uint64_t timeout;
    int force;
    int paused;
} OperationOptions;

#define OPTION_TIMEOUT                                                                             \
    {                                                                                              \
        "timeout", SD_BUS_TYPE_UINT64, offsetof(OperationOptions, timeout)                         \
    }
#define OPTION_FORCE                                                                               \
    {                                                                                              \
        "force", SD_BUS_TYPE_BOOLEAN, offsetof(OperationOptions, force)                            \
    }
#define OPTION_PAUSED                                                                              \
    {                                                                                              \
        "paused", SD_BUS_TYPE_BOOLEAN, offsetof(OperationOptions, paused)                          \
    }

static int
start_with_options(sd_bus_message *message, const Domain *domain, OperationKind kind,
                   const MethodOption *options, sd_bus_error *error)
{
    OperationSpec spec = default_spec(manager_of(message), kind);
    OperationOptions given = {.timeout = spec.timeout, .force = spec.force};
    uint64_t seen = 0;
    int r = method_options_read(message, options, &given, &seen, error);

    if (r < 0)
        return r;
    /* Every table begins with the timeout. */
    spec.timeout_given = kind == OPERATION_START && (seen & 1);
    spec.timeout = given.timeout;
    spec.force = given.force;
    spec.paused = given.paused;
    return start_operation(message, domain, &spec, true, error);
}

static int
method_start_with_options(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    static const MethodOption options[] = {OPTION_TIMEOUT, OPTION_PAUSED, {NULL}};

    return start_with_options(message, userdata, OPERATION_START, options, error);
}

static int
method_stop_with_options(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    static const MethodOption options[] = {OPTION_TIMEOUT, OPTION_FORCE, {NULL}};

    return start_with_options(message, userdata, OPERATION_STOP, options, error);
}

static int
method_reboot_with_options(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    static const MethodOption options[] = {OPTION_TIMEOUT, {NULL}};

    return start_with_options(message, userdata, OPERATION_REBOOT, options, error);
}

/* --- configuration ------------------------------------------------------------------------ */

typedef struct {
    RequestCall base;
    bool autostart;
    UndefineFlags undefine;
    XmlFlags xml_flags;
    char *xml;
} ConfigureCall;

static void
free_configure(Call *call)
{
    g_free(((ConfigureCall *)call)->xml);
    g_free(call);
}

static ConfigureCall *
configure_call_new(const Request *request, CallClass class, CallWork work)
{
    ConfigureCall *configure = request_call_new(request, sizeof *configure, class, work);

    configure->base.call.free = free_configure;
    return configure;
}

/* The change is made: what it did is signalled before the reply. */
static void
refresh_and_reply(Request *request, Call *call)
{
    request_refresh(request, request->vm_uuid, request_reply);
}

static bool
work_set_autostart(Call *call, Hypervisor *h, Error **error)
{
    return hypervisor_set_autostart(h, call->key, ((ConfigureCall *)call)->autostart, error);
}

static Call *
make_set_autostart(Request *request)
{
    ConfigureCall *configure = configure_call_new(request, CALL_CHANGE, work_set_autostart);

    configure->autostart = GPOINTER_TO_INT(request->args);
    return &configure->base.call;
}

static void
run_set_autostart(Request *request)
{
    request_call(request, make_set_autostart, refresh_and_reply);
}

static int
method_set_autostart(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    const Domain *domain = userdata;
    int autostart;
    int r = sd_bus_message_read(message, "b", &autostart);

    if (r < 0)
        return r;
    const DomainRequest request = {
        .kind = REQUEST_CHANGE,
        .verb = "SetAutostart",
        .actions = ACTION_BIT(ACTION_CONFIGURE),
        .run = run_set_autostart,
        .args = GINT_TO_POINTER(autostart),
    };
    return domain_bus_request(message, domain, &request, error);
}

static bool
work_undefine(Call *call, Hypervisor *h, Error **error)
{
    return hypervisor_undefine(h, call->key, ((ConfigureCall *)call)->undefine, error);
}

static Call *
make_undefine(Request *request)
{
    ConfigureCall *configure = configure_call_new(request, CALL_CHANGE, work_undefine);

    configure->base.call.stops_others = true;
    configure->undefine = GPOINTER_TO_UINT(request->args);
    return &configure->base.call;
}

static void
run_undefine(Request *request)
{
    request_call(request, make_undefine, refresh_and_reply);
}

typedef struct {
    int managed_save;
    int snapshots_metadata;
    int nvram;
    int keep_nvram;
} UndefineOptions;

static int
method_undefine(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    static const MethodOption options[] = {
        {"managed_save", SD_BUS_TYPE_BOOLEAN, offsetof(UndefineOptions, managed_save)},
        {"snapshots_metadata", SD_BUS_TYPE_BOOLEAN, offsetof(UndefineOptions, snapshots_metadata)},
        {"nvram", SD_BUS_TYPE_BOOLEAN, offsetof(UndefineOptions, nvram)},
        {"keep_nvram", SD_BUS_TYPE_BOOLEAN, offsetof(UndefineOptions, keep_nvram)},
        {NULL},
    };
    const Domain *domain = userdata;
    UndefineOptions given = {0};
    int r = method_options_read(message, options, &given, NULL, error);

    if (r < 0)
        return r;
    UndefineFlags flags = (given.managed_save ? UNDEFINE_MANAGED_SAVE : 0) |
                          (given.snapshots_metadata ? UNDEFINE_SNAPSHOTS_METADATA : 0) |
                          (given.nvram ? UNDEFINE_NVRAM : 0) |
                          (given.keep_nvram ? UNDEFINE_KEEP_NVRAM : 0);
    const DomainRequest request = {
        .kind = REQUEST_CHANGE,
        .verb = "Undefine",
        .actions = ACTION_BIT(ACTION_CONFIGURE),
        .run = run_undefine,
        .args = GUINT_TO_POINTER(flags),
    };
    return domain_bus_request(message, domain, &request, error);
}

/* --- GetXml ------------------------------------------------------------------------------- */

static bool
work_get_xml(Call *call, Hypervisor *h, Error **error)
{
    ConfigureCall *configure = (ConfigureCall *)call;

    configure->xml = hypervisor_get_xml(h, call->key, configure->xml_flags, error);
    return configure->xml != NULL;
}

static Call *
make_get_xml(Request *request)
{
    ConfigureCall *configure = configure_call_new(request, CALL_READ, work_get_xml);

    configure->xml_flags = GPOINTER_TO_UINT(request->args);
    return &configure->base.call;
}

static void
reply_xml(Request *request, Call *call)
{
    request_reply_string(request, "s", ((ConfigureCall *)call)->xml);
}

static void
run_get_xml(Request *request)
{
    request_call(request, make_get_xml, reply_xml);
}

typedef struct {
    int inactive;
    int secure;
} XmlOptions;

static int
method_get_xml(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    static const MethodOption options[] = {
        {"inactive", SD_BUS_TYPE_BOOLEAN, offsetof(XmlOptions, inactive)},
        {"secure", SD_BUS_TYPE_BOOLEAN, offsetof(XmlOptions, secure)},
        {NULL},
    };
    const Domain *domain = userdata;
    XmlOptions given = {0};
    int r = method_options_read(message, options, &given, NULL, error);

    if (r < 0)
        return r;
    XmlFlags flags = (given.inactive ? XML_INACTIVE : 0) | (given.secure ? XML_SECURE : 0);
    const DomainRequest request = {
        .kind = REQUEST_READ,
        .verb = "GetXml",
        .actions = given.secure ? ACTION_BIT(ACTION_READ_SECRETS) : 0,
        .run = run_get_xml,
        .args = GUINT_TO_POINTER(flags),
    };
    return domain_bus_request(message, domain, &request, error);
}

/* --- the vtable --------------------------------------------------------------------------- */

#define EMITS(name, type, member)                                                                  \
    SD_BUS_PROPERTY(name, type, NULL, offsetof(Domain, member), SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)
#define OPERATION(name, handler)                                                                   \
    SD_BUS_METHOD_WITH_ARGS(name, SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, handler,                       \
                            SD_BUS_VTABLE_UNPRIVILEGED)
#define OPERATION_WITH_OPTIONS(name, handler)                                                      \
    SD_BUS_METHOD_WITH_ARGS(name, SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("o", job), handler, \
                            SD_BUS_VTABLE_UNPRIVILEGED)

static void
put_job(Wire *wire, const void *object)
{
    wire_put_string(wire, object_path_of_job(((const Domain *)object)->job).text);
}

static void
put_problems(Wire *wire, const void *object)
{
    g_auto(RowBuilder) rows = {NULL};

    problems_write(((const Domain *)object)->problems, &rows);
    wire_put_dictionaries(wire, row_builder_rows(&rows));
}

static const PropertyWriter writers[] = {{"Job", put_job}, {"Problems", put_problems}, {NULL}};

static const sd_bus_vtable domain_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("Uuid", "s", NULL, offsetof(Domain, uuid), SD_BUS_VTABLE_PROPERTY_CONST),
    EMITS("Name", "s", name),
    EMITS("Title", "s", title),
    EMITS("Description", "s", description),
    EMITS("State", "s", state_name),
    EMITS("StateReason", "s", reason),
    EMITS("Id", "i", id),
    EMITS("Persistent", "b", persistent),
    EMITS("Autostart", "b", autostart),
    EMITS("Available", "b", available),
    SD_BUS_PROPERTY("Job", "o", object_server_get, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    EMITS("StartedAt", "t", started_at),
    SD_BUS_PROPERTY("Problems", "aa{sv}", object_server_get, 0,
                    SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    OPERATION("Start", method_start),
    OPERATION("Stop", method_stop),
    OPERATION("Pause", method_pause),
    OPERATION("Resume", method_resume),
    OPERATION("ForceStop", method_force_stop),
    OPERATION("Reboot", method_reboot),
    OPERATION("Reset", method_reset),
    OPERATION_WITH_OPTIONS("StartWithOptions", method_start_with_options),
    OPERATION_WITH_OPTIONS("StopWithOptions", method_stop_with_options),
    OPERATION_WITH_OPTIONS("RebootWithOptions", method_reboot_with_options),
    SD_BUS_METHOD_WITH_ARGS("SetAutostart", SD_BUS_ARGS("b", autostart), SD_BUS_NO_RESULT,
                            method_set_autostart, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Undefine", SD_BUS_ARGS("a{sv}", options), SD_BUS_NO_RESULT,
                            method_undefine, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("GetXml", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("s", xml),
                            method_get_xml, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

static int
find_object(sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret,
            sd_bus_error *error)
{
    char uuid[UUID_LENGTH + 1];
    Domain *domain = object_path_to_domain(path, uuid) ? manager_find_domain(userdata, uuid) : NULL;

    *ret = domain;
    return domain != NULL;
}

static int
enumerate_objects(sd_bus *bus, const char *prefix, void *userdata, char ***ret, sd_bus_error *error)
{
    Manager *m = userdata;
    /* sd-bus frees it with free(), which is what g_free() is. */
    char **paths = g_new0(char *, g_hash_table_size(m->domains) + 1);
    GHashTableIter iter;
    gpointer uuid;
    unsigned n = 0;

    g_hash_table_iter_init(&iter, m->domains);
    while (g_hash_table_iter_next(&iter, &uuid, NULL))
        paths[n++] = g_strdup(object_path_of_domain(uuid).text);
    *ret = paths;
    return 0;
}

/* An interface's properties are next to each other: they share a signal. */
static const struct {
    const char *interface;
    const char *name;
} properties[_DOMAIN_PROPERTY_MAX] = {
    [DOMAIN_PROPERTY_NAME] = {VMS_DOMAIN_INTERFACE, "Name"},
    [DOMAIN_PROPERTY_TITLE] = {VMS_DOMAIN_INTERFACE, "Title"},
    [DOMAIN_PROPERTY_DESCRIPTION] = {VMS_DOMAIN_INTERFACE, "Description"},
    [DOMAIN_PROPERTY_STATE] = {VMS_DOMAIN_INTERFACE, "State"},
    [DOMAIN_PROPERTY_STATE_REASON] = {VMS_DOMAIN_INTERFACE, "StateReason"},
    [DOMAIN_PROPERTY_ID] = {VMS_DOMAIN_INTERFACE, "Id"},
    [DOMAIN_PROPERTY_PERSISTENT] = {VMS_DOMAIN_INTERFACE, "Persistent"},
    [DOMAIN_PROPERTY_AUTOSTART] = {VMS_DOMAIN_INTERFACE, "Autostart"},
    [DOMAIN_PROPERTY_AVAILABLE] = {VMS_DOMAIN_INTERFACE, "Available"},
    [DOMAIN_PROPERTY_JOB] = {VMS_DOMAIN_INTERFACE, "Job"},
    [DOMAIN_PROPERTY_STARTED_AT] = {VMS_DOMAIN_INTERFACE, "StartedAt"},
    [DOMAIN_PROPERTY_PROBLEMS] = {VMS_DOMAIN_INTERFACE, "Problems"},
    [DOMAIN_PROPERTY_GRAPHICS] = {VMS_DISPLAY_INTERFACE, "Graphics"},
    [DOMAIN_PROPERTY_HAS_MANAGED_SAVE] = {VMS_SAVED_INTERFACE, "HasManagedSave"},
    [DOMAIN_PROPERTY_SNAPSHOT_COUNT] = {VMS_SNAPSHOTS_INTERFACE, "Count"},
#define X(symbol, name, signature) [DOMAIN_PROPERTY_##symbol] = {VMS_CONFIG_INTERFACE, name},
    CONFIG_PROPERTIES(X)
#undef X
        [DOMAIN_PROPERTY_NEXT] = {VMS_CONFIG_INTERFACE, "Next"},
    [DOMAIN_PROPERTY_AGENT_CONNECTED] = {VMS_GUEST_INTERFACE, "AgentConnected"},
    [DOMAIN_PROPERTY_HOSTNAME] = {VMS_GUEST_INTERFACE, "Hostname"},
    [DOMAIN_PROPERTY_OS_INFO] = {VMS_GUEST_INTERFACE, "OsInfo"},
    [DOMAIN_PROPERTY_ADDRESSES] = {VMS_GUEST_INTERFACE, "Addresses"},
};

/* Once, so that a signal needs no look-up. */
static void
note_properties(Manager *m, const ObjectInterface *interface)
{
    for (unsigned i = 0; i < _DOMAIN_PROPERTY_MAX; i++)
        if (g_str_equal(properties[i].interface, interface->name))
            m->domain_properties[i] = object_interface_property(interface, properties[i].name);
}

int
domain_bus_add_interface(Manager *m, const char *interface, const sd_bus_vtable *vtable,
                         const PropertyWriter *values)
{
    sd_bus_slot *slot;
    int r = sd_bus_add_fallback_vtable(m->bus, &slot, VMS_DOMAIN_PREFIX, interface, vtable,
                                       find_object, m);

    if (r < 0)
        return r;
    g_ptr_array_add(m->slots, slot);
    note_properties(m, object_interface_add(m->domain_interfaces, interface, vtable, values));
    return 0;
}

int
domain_bus_register(Manager *m)
{
    sd_bus_slot *slot;
    int r = sd_bus_add_node_enumerator(m->bus, &slot, VMS_DOMAIN_PREFIX, enumerate_objects, m);

    if (r < 0)
        return r;
    g_ptr_array_add(m->slots, slot);
    return domain_bus_add_interface(m, VMS_DOMAIN_INTERFACE, domain_vtable, writers);
}

int
domain_bus_request(sd_bus_message *message, const Domain *domain, const DomainRequest *what,
                   sd_bus_error *error)
{
    Request *request =
        request_new(manager_of(message), message, what->kind, what->verb, domain->uuid, error);

    if (!request) {
        if (what->free_args)
            what->free_args(what->args);
        return -EBUSY;
    }
    request_set_args(request, what->args, what->free_args);
    return request_start(request, what->actions, what->run);
}

/* --- signals ------------------------------------------------------------------------------ */

int
domain_bus_emit_added(Manager *m, Domain *domain)
{
    return object_server_emit_added(m, object_path_of_domain(domain->uuid).text,
                                    m->domain_interfaces, domain);
}

int
domain_bus_emit_changed(Manager *m, Domain *domain, DomainChanges changed)
{
    unsigned i = 0;

    /* The table keeps an interface's properties together: one signal for each interface. */
    while (i < _DOMAIN_PROPERTY_MAX) {
        const char *interface = properties[i].interface;
        const ObjectProperty *entries[_DOMAIN_PROPERTY_MAX + 1] = {NULL};
        unsigned n = 0;

        for (; i < _DOMAIN_PROPERTY_MAX && properties[i].interface == interface; i++)
            if ((changed & (UINT64_C(1) << i)) && m->domain_properties[i])
                entries[n++] = m->domain_properties[i];
        if (n == 0)
            continue;
        int r = object_server_emit_changed(m, object_path_of_domain(domain->uuid).text, entries,
                                           domain);
        if (r < 0)
            return r;
    }
    return 0;
}
