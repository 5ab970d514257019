/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager.h"

#include "config-properties.h"
#include "hypervisor-device.h"
#include "method-options.h"
#include "names.h"
#include "xml.h"

/* QEMU's balloon counts in pages. */
#define BALLOON_PAGE 4096

/* What a request is about, whichever method it is; its call has a copy. */
typedef struct {
    uint64_t number; /* bytes or CPUs */
    char *text;      /* a name, a title, a description, a device's XML */
    Affect affect;
    DeviceChange change;

    GPtrArray *pending; /* aliases of the devices that the guest may yet let go */
    GHashTable *news;   /* alias -> HypervisorEventKind, since the call was made */
} ConfigArgs;

static void
free_args(void *data)
{
    ConfigArgs *args = data;

    g_free(args->text);
    if (args->pending)
        g_ptr_array_unref(args->pending);
    if (args->news)
        g_hash_table_unref(args->news);
    g_free(args);
}

/* --- calls -------------------------------------------------------------------------------- */

typedef struct {
    RequestCall base;
    uint64_t number;
    char *text;
    Affect affect;
    DeviceChange change;

    char **pending; /* what comes back */
} ConfigCall;

static void
free_call(Call *call)
{
    ConfigCall *config = (ConfigCall *)call;

    g_free(config->text);
    g_strfreev(config->pending);
    g_free(config);
}

static bool
work_set_memory(Call *call, Hypervisor *h, Error **error)
{
    const ConfigCall *config = (ConfigCall *)call;

    return hypervisor_set_memory(h, call->key, config->number, config->affect, error);
}

static bool
work_set_vcpus(Call *call, Hypervisor *h, Error **error)
{
    const ConfigCall *config = (ConfigCall *)call;

    return hypervisor_set_vcpus(h, call->key, (uint32_t)config->number, config->affect, error);
}

static bool
work_rename(Call *call, Hypervisor *h, Error **error)
{
    return hypervisor_rename(h, call->key, ((ConfigCall *)call)->text, error);
}

static bool
work_set_title(Call *call, Hypervisor *h, Error **error)
{
    return hypervisor_set_title(h, call->key, ((ConfigCall *)call)->text, error);
}

static bool
work_set_description(Call *call, Hypervisor *h, Error **error)
{
    return hypervisor_set_description(h, call->key, ((ConfigCall *)call)->text, error);
}

static bool
work_change_device(Call *call, Hypervisor *h, Error **error)
{
    ConfigCall *config = (ConfigCall *)call;

    if (xml_has_doctype(config->text)) {
        *error = error_new(ERROR_INVALID_ARGS, "The XML of a device cannot have a DOCTYPE");
        return false;
    }
    return hypervisor_change_device(h, call->key, config->change, config->text, config->affect,
                                    &config->pending, error);
}

static Call *
make_call(const Request *request, CallWork work)
{
    const ConfigArgs *args = request->args;
    ConfigCall *config = request_call_new(request, sizeof *config, CALL_CHANGE, work);

    config->base.call.free = free_call;
    config->number = args->number;
    config->text = g_strdup(args->text);
    config->affect = args->affect;
    config->change = args->change;
    return &config->base.call;
}

/* The change is made: what it did is signalled before the reply. */
static void
refresh_and_reply(Request *request, Call *call)
{
    request_refresh(request, request->vm_uuid, request_reply);
}

#define PLAIN_CHANGE(name)                                                                         \
    static Call *make_##name(Request *request)                                                     \
    {                                                                                              \
        return make_call(request, work_##name);                                                    \
    }                                                                                              \
                                                                                                   \
    static void run_##name(Request *request)                                                       \
    {                                                                                              \
        request_call(request, make_##name, refresh_and_reply);                                     \
    }

PLAIN_CHANGE(set_vcpus)
PLAIN_CHANGE(rename)
PLAIN_CHANGE(set_title)
PLAIN_CHANGE(set_description)
PLAIN_CHANGE(change_device)

/* --- memory: the guest gives it back, or takes it, in its own time ------------------------ */

static bool
is_down(const Domain *domain)
{
    return domain->id < 0;
}

static bool
has_memory(const Domain *domain, uint64_t bytes)
{
    uint64_t now = domain->config.memory_bytes;

    return (now > bytes ? now - bytes : bytes - now) < BALLOON_PAGE;
}

static void
look_at_memory(Request *request)
{
    const Domain *domain = request_domain(request);
    const ConfigArgs *args = request->args;

    if (domain && (is_down(domain) || has_memory(domain, args->number)))
        request_reply(request);
}

static void
await_memory(Request *request)
{
    const ConfigArgs *args = request->args;

    if (args->affect == AFFECT_CONFIG)
        request_reply(request); /* what runs does not change */
    else
        request_await(request, look_at_memory);
}

static void
on_memory_set(Request *request, Call *call)
{
    request_refresh(request, request->vm_uuid, await_memory);
}

static Call *
make_set_memory(Request *request)
{
    return make_call(request, work_set_memory);
}

static void
run_set_memory(Request *request)
{
    request_call(request, make_set_memory, on_memory_set);
}

/* --- detaching: a guest that runs has to agree -------------------------------------------- */

static bool
has_news(const ConfigArgs *args, HypervisorEventKind news)
{
    for (unsigned i = 0; i < args->pending->len; i++)
        if (GPOINTER_TO_UINT(g_hash_table_lookup(args->news, args->pending->pdata[i])) == news)
            return true;
    return false;
}

static void
look_for_device(Request *request)
{
    const Domain *domain = request_domain(request);
    const ConfigArgs *args = request->args;

    if (!domain)
        return;
    if (is_down(domain) || has_news(args, EVENT_DEVICE_REMOVED)) {
        request->awaited = NULL;
        request_refresh(request, request->vm_uuid, request_reply);
    } else if (has_news(args, EVENT_DEVICE_KEPT)) {
        g_autoptr(Error) error =
            error_new(ERROR_OPERATION_FAILED, "The guest refused to let go of the device");

        request_fail(request, error);
    }
}

static void
note_device(Request *request, const char *alias, HypervisorEventKind news)
{
    const ConfigArgs *args = request->args;

    g_hash_table_replace(args->news, g_strdup(alias), GUINT_TO_POINTER(news));
    if (request->awaited)
        look_for_device(request);
}

static void
await_device(Request *request)
{
    request_await(request, look_for_device);
}

static void
on_detached(Request *request, Call *call)
{
    ConfigCall *config = (ConfigCall *)call;
    ConfigArgs *args = request->args;

    if (!config->pending) {
        refresh_and_reply(request, call);
        return;
    }
    args->pending = g_ptr_array_new_with_free_func(g_free);
    for (char **alias = config->pending; *alias; alias++)
        g_ptr_array_add(args->pending, g_strdup(*alias));
    request_refresh(request, request->vm_uuid, await_device);
}

static void
run_detach_device(Request *request)
{
    ConfigArgs *args = request->args;

    args->news = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    request_watch_devices(request, note_device);
    request_call(request, make_change_device, on_detached);
}

/* --- methods ------------------------------------------------------------------------------ */

typedef struct {
    int live;
    int config;
} AffectOptions;

enum {
    SEEN_LIVE = 1 << 0,
    SEEN_CONFIG = 1 << 1,
};

/*
 * What is asked for with true is what is changed. Where that is nothing, what is refused with false
 * is what is left: the other one.
 */
static int
read_affect(sd_bus_message *message, Affect *ret, sd_bus_error *error)
{
    static const MethodOption options[] = {
        {"live", SD_BUS_TYPE_BOOLEAN, offsetof(AffectOptions, live)},
        {"config", SD_BUS_TYPE_BOOLEAN, offsetof(AffectOptions, config)},
        {NULL},
    };
    AffectOptions given = {0};
    uint64_t seen = 0;
    int r = method_options_read(message, options, &given, &seen, error);

    if (r < 0)
        return r;
    *ret = (given.live ? AFFECT_LIVE : 0) | (given.config ? AFFECT_CONFIG : 0);
    if (*ret || seen == 0)
        return 0;
    if (seen == (SEEN_LIVE | SEEN_CONFIG))
        return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                "Neither live nor config: nothing is left to change");
    *ret = seen == SEEN_LIVE ? AFFECT_CONFIG : AFFECT_LIVE;
    return 0;
}

static int
start(sd_bus_message *message, const Domain *domain, const char *verb, RequestStep run,
      const ConfigArgs *args, sd_bus_error *error)
{
    const DomainRequest request = {
        .kind = REQUEST_CHANGE,
        .verb = verb,
        .actions = ACTION_BIT(ACTION_CONFIGURE),
        .run = run,
        .args = g_memdup2(args, sizeof *args),
        .free_args = free_args,
    };

    return domain_bus_request(message, domain, &request, error);
}

static int
method_set_memory(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    ConfigArgs args = {0};
    int r = sd_bus_message_read(message, "t", &args.number);

    if (r >= 0)
        r = read_affect(message, &args.affect, error);
    return r < 0 ? r : start(message, userdata, "SetMemory", run_set_memory, &args, error);
}

static int
method_set_vcpus(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    ConfigArgs args = {0};
    uint32_t count = 0;
    int r = sd_bus_message_read(message, "u", &count);

    if (r >= 0)
        r = read_affect(message, &args.affect, error);
    args.number = count;
    return r < 0 ? r : start(message, userdata, "SetVCpus", run_set_vcpus, &args, error);
}

static int
start_with_text(sd_bus_message *message, const Domain *domain, const char *verb, RequestStep run,
                sd_bus_error *error)
{
    ConfigArgs args = {0};
    const char *text;
    int r = sd_bus_message_read(message, "s", &text);

    if (r < 0)
        return r;
    args.text = g_strdup(text);
    return start(message, domain, verb, run, &args, error);
}

static int
method_rename(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    return start_with_text(message, userdata, "Rename", run_rename, error);
}

static int
method_set_title(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    return start_with_text(message, userdata, "SetTitle", run_set_title, error);
}

static int
method_set_description(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    return start_with_text(message, userdata, "SetDescription", run_set_description, error);
}

static int
start_device(sd_bus_message *message, const Domain *domain, const char *verb, DeviceChange change,
             sd_bus_error *error)
{
    ConfigArgs args = {.change = change};
    const char *xml;
    int r = sd_bus_message_read(message, "s", &xml);

    if (r >= 0)
        r = read_affect(message, &args.affect, error);
    if (r < 0)
        return r;
    args.text = g_strdup(xml);
    return start(message, domain, verb,
                 change == DEVICE_DETACH ? run_detach_device : run_change_device, &args, error);
}

static int
method_attach_device(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    return start_device(message, userdata, "AttachDevice", DEVICE_ATTACH, error);
}

static int
method_detach_device(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    return start_device(message, userdata, "DetachDevice", DEVICE_DETACH, error);
}

static int
method_update_device(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    return start_device(message, userdata, "UpdateDevice", DEVICE_UPDATE, error);
}

/* --- the vtable --------------------------------------------------------------------------- */

#define PROPERTY(symbol, name, signature)                                                          \
    SD_BUS_PROPERTY(name, signature, object_server_get, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
#define TEXT_METHOD(name, argument, handler)                                                       \
    SD_BUS_METHOD_WITH_ARGS(name, SD_BUS_ARGS("s", argument), SD_BUS_NO_RESULT, handler,           \
                            SD_BUS_VTABLE_UNPRIVILEGED)
#define DEVICE_METHOD(name, handler)                                                               \
    SD_BUS_METHOD_WITH_ARGS(name, SD_BUS_ARGS("s", xml, "a{sv}", options), SD_BUS_NO_RESULT,       \
                            handler, SD_BUS_VTABLE_UNPRIVILEGED)

static const sd_bus_vtable config_vtable[] = {
    SD_BUS_VTABLE_START(0),
    CONFIG_PROPERTIES(PROPERTY) PROPERTY(NEXT, "Next", "a{sv}")
        SD_BUS_METHOD_WITH_ARGS("SetMemory", SD_BUS_ARGS("t", bytes, "a{sv}", options),
                                SD_BUS_NO_RESULT, method_set_memory, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("SetVCpus", SD_BUS_ARGS("u", count, "a{sv}", options), SD_BUS_NO_RESULT,
                            method_set_vcpus, SD_BUS_VTABLE_UNPRIVILEGED),
    TEXT_METHOD("Rename", name, method_rename),
    TEXT_METHOD("SetTitle", title, method_set_title),
    TEXT_METHOD("SetDescription", description, method_set_description),
    DEVICE_METHOD("AttachDevice", method_attach_device),
    DEVICE_METHOD("DetachDevice", method_detach_device),
    DEVICE_METHOD("UpdateDevice", method_update_device),
    SD_BUS_VTABLE_END,
};

int
config_bus_register(Manager *m)
{
    return domain_bus_add_interface(m, VMS_CONFIG_INTERFACE, config_vtable,
                                    config_property_writers);
}
