/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager.h"

#include "hypervisor-guest.h"
#include "names.h"
#include "wire-rows.h"

#include <string.h>

typedef struct {
    AddressSource source;
    GuestVerb verb;
    char *user;
    char *password;
} GuestArgs;

/* Nothing keeps a password longer than it is needed. */
static void
free_secret(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    g_free(secret);
}

static void
free_args(void *data)
{
    GuestArgs *args = data;

    g_free(args->user);
    free_secret(args->password);
    g_free(args);
}

/* --- calls -------------------------------------------------------------------------------- */

typedef struct {
    RequestCall base;
    AddressSource source;
    GuestVerb verb;
    char *user;
    char *password;

    GVariant *rows; /* what comes back */
    char *text;
} GuestCall;

static void
free_call(Call *call)
{
    GuestCall *guest = (GuestCall *)call;

    g_free(guest->user);
    free_secret(guest->password);
    if (guest->rows)
        g_variant_unref(guest->rows);
    g_free(guest->text);
    g_free(guest);
}

static bool
work_get_addresses(Call *call, Hypervisor *h, Error **error)
{
    GuestCall *guest = (GuestCall *)call;

    guest->rows = hypervisor_guest_addresses(h, call->key, guest->source, error);
    return guest->rows != NULL;
}

static bool
work_get_hostname(Call *call, Hypervisor *h, Error **error)
{
    GuestCall *guest = (GuestCall *)call;

    guest->text = hypervisor_guest_hostname(h, call->key, error);
    return guest->text != NULL;
}

static bool
work_get_filesystems(Call *call, Hypervisor *h, Error **error)
{
    GuestCall *guest = (GuestCall *)call;

    guest->rows = hypervisor_guest_filesystems(h, call->key, error);
    return guest->rows != NULL;
}

static bool
work_verb(Call *call, Hypervisor *h, Error **error)
{
    return hypervisor_guest_do(h, call->key, ((GuestCall *)call)->verb, error);
}

static bool
work_set_password(Call *call, Hypervisor *h, Error **error)
{
    const GuestCall *guest = (GuestCall *)call;

    return hypervisor_guest_set_password(h, call->key, guest->user, guest->password, error);
}

static Call *
make_call(const Request *request, CallWork work)
{
    const GuestArgs *args = request->args;
    GuestCall *guest = request_call_new(request, sizeof *guest, CALL_GUEST, work);

    guest->base.call.free = free_call;
    guest->source = args->source;
    guest->verb = args->verb;
    guest->user = g_strdup(args->user);
    guest->password = g_strdup(args->password);
    return &guest->base.call;
}

/* --- answers ------------------------------------------------------------------------------ */

static int
append_address_rows(sd_bus_message *reply, GVariantIter *addresses)
{
    const char *address;
    guint32 prefix;
    int r = sd_bus_message_open_container(reply, 'a', "(su)");

    while (r >= 0 && g_variant_iter_next(addresses, "(&su)", &address, &prefix))
        r = sd_bus_message_append(reply, "(su)", address, prefix);
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int
append_interface(sd_bus_message *reply, const char *name, const char *mac, GVariantIter *addresses)
{
    int r = sd_bus_message_open_container(reply, 'r', "ssa(su)");

    if (r >= 0)
        r = sd_bus_message_append(reply, "ss", name, mac);
    if (r >= 0)
        r = append_address_rows(reply, addresses);
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int
append_addresses(sd_bus_message *reply, GVariant *interfaces)
{
    GVariantIter rows;
    GVariantIter *addresses;
    const char *name;
    const char *mac;
    int r = sd_bus_message_open_container(reply, 'a', "(ssa(su))");

    g_variant_iter_init(&rows, interfaces);
    while (r >= 0 && g_variant_iter_next(&rows, "(&s&sa(su))", &name, &mac, &addresses)) {
        r = append_interface(reply, name, mac, addresses);
        g_variant_iter_free(addresses);
    }
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int
append_filesystems(sd_bus_message *reply, GVariant *filesystems)
{
    GVariantIter rows;
    const char *mountpoint;
    const char *device;
    const char *type;
    guint64 size;
    int r = sd_bus_message_open_container(reply, 'a', "(ssst)");

    g_variant_iter_init(&rows, filesystems);
    while (r >= 0 && g_variant_iter_next(&rows, "(&s&s&st)", &mountpoint, &device, &type, &size))
        r = sd_bus_message_append(reply, "(ssst)", mountpoint, device, type, (uint64_t)size);
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

static void
reply_rows(Request *request, GVariant *rows, int (*append)(sd_bus_message *reply, GVariant *rows))
{
    sd_bus_message *reply = NULL;
    int r = request_new_reply(request, &reply);

    if (r >= 0)
        r = append(reply, rows);
    if (r >= 0) {
        request_reply_message(request, reply);
        return;
    }
    g_autoptr(Error) error =
        error_new(ERROR_OPERATION_FAILED, "The guest's answer cannot be sent: %s", g_strerror(-r));
    sd_bus_message_unref(reply);
    request_fail(request, error);
}

static void
reply_addresses(Request *request, Call *call)
{
    reply_rows(request, ((GuestCall *)call)->rows, append_addresses);
}

static void
reply_filesystems(Request *request, Call *call)
{
    reply_rows(request, ((GuestCall *)call)->rows, append_filesystems);
}

static void
reply_hostname(Request *request, Call *call)
{
    request_reply_string(request, "s", ((GuestCall *)call)->text);
}

static void
reply_done(Request *request, Call *call)
{
    request_reply(request);
}

#define GUEST_CALL(name, reply)                                                                    \
    static Call *make_##name(Request *request)                                                     \
    {                                                                                              \
        return make_call(request, work_##name);                                                    \
    }                                                                                              \
                                                                                                   \
    static void run_##name(Request *request)                                                       \
    {                                                                                              \
        request_call(request, make_##name, reply);                                                 \
    }

GUEST_CALL(get_addresses, reply_addresses)
GUEST_CALL(get_hostname, reply_hostname)
GUEST_CALL(get_filesystems, reply_filesystems)
GUEST_CALL(verb, reply_done)
GUEST_CALL(set_password, reply_done)

/* --- methods ------------------------------------------------------------------------------ */

static int
start(sd_bus_message *message, const Domain *domain, RequestKind kind, const char *verb,
      RequestStep run, const GuestArgs *args, sd_bus_error *error)
{
    const DomainRequest request = {
        .kind = kind,
        .verb = verb,
        .actions = ACTION_BIT(ACTION_GUEST),
        .run = run,
        .args = g_memdup2(args, sizeof *args),
        .free_args = free_args,
    };

    return domain_bus_request(message, domain, &request, error);
}

static int
method_get_addresses(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    static const char *const sources[] = {
        [ADDRESSES_LEASE] = "lease",
        [ADDRESSES_AGENT] = "agent",
        [ADDRESSES_ARP] = "arp",
    };
    GuestArgs args = {0};
    const char *source;
    int r = sd_bus_message_read(message, "s", &source);

    if (r < 0)
        return r;
    while (args.source < G_N_ELEMENTS(sources) && !g_str_equal(source, sources[args.source]))
        args.source++;
    if (args.source == G_N_ELEMENTS(sources))
        return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                                 "Unknown source '%s': lease, agent or arp", source);
    return start(message, userdata, REQUEST_READ, "GetAddresses", run_get_addresses, &args, error);
}

static int
method_get_hostname(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    const GuestArgs args = {0};

    return start(message, userdata, REQUEST_READ, "GetHostname", run_get_hostname, &args, error);
}

static int
method_get_filesystems(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    const GuestArgs args = {0};

    return start(message, userdata, REQUEST_READ, "GetFilesystems", run_get_filesystems, &args,
                 error);
}

static int
method_freeze(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    const GuestArgs args = {.verb = GUEST_FREEZE};

    return start(message, userdata, REQUEST_CHANGE, "Freeze", run_verb, &args, error);
}

static int
method_thaw(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    const GuestArgs args = {.verb = GUEST_THAW};

    return start(message, userdata, REQUEST_CHANGE, "Thaw", run_verb, &args, error);
}

static int
method_trim(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    const GuestArgs args = {.verb = GUEST_TRIM};

    return start(message, userdata, REQUEST_CHANGE, "Trim", run_verb, &args, error);
}

static int
method_set_user_password(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    GuestArgs args = {0};
    const char *user;
    const char *password;
    int r = sd_bus_message_read(message, "ss", &user, &password);

    if (r < 0)
        return r;
    args.user = g_strdup(user);
    args.password = g_strdup(password);
    return start(message, userdata, REQUEST_CHANGE, "SetUserPassword", run_set_password, &args,
                 error);
}

/* --- properties --------------------------------------------------------------------------- */

static const Guest *
guest_of(const void *object)
{
    return &((const Domain *)object)->guest;
}

static void
put_hostname(Wire *wire, const void *object)
{
    const char *hostname = guest_of(object)->hostname;

    wire_put_string(wire, hostname ? hostname : "");
}

static void
put_os_info(Wire *wire, const void *object)
{
    wire_put_texts_by_name(wire, rows_of_bytes(guest_of(object)->os_info));
}

static void
put_addresses(Wire *wire, const void *object)
{
    wire_put_dictionaries(wire, rows_of_bytes(guest_of(object)->addresses));
}

static const PropertyWriter writers[] = {
    {"Hostname", put_hostname},
    {"OsInfo", put_os_info},
    {"Addresses", put_addresses},
    {NULL},
};

/* --- the vtable --------------------------------------------------------------------------- */

#define WRITTEN(name, signature)                                                                   \
    SD_BUS_PROPERTY(name, signature, object_server_get, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)

#define PLAIN_METHOD(name, handler)                                                                \
    SD_BUS_METHOD_WITH_ARGS(name, SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, handler,                       \
                            SD_BUS_VTABLE_UNPRIVILEGED)

static const sd_bus_vtable guest_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("AgentConnected", "b", NULL, offsetof(Domain, config.agent_connected),
                    SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    WRITTEN("Hostname", "s"),
    WRITTEN("OsInfo", "a{ss}"),
    WRITTEN("Addresses", "aa{sv}"),
    SD_BUS_METHOD_WITH_ARGS("GetAddresses", SD_BUS_ARGS("s", source),
                            SD_BUS_RESULT("a(ssa(su))", interfaces), method_get_addresses,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("GetHostname", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", hostname),
                            method_get_hostname, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("GetFilesystems", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(ssst)", filesystems),
                            method_get_filesystems, SD_BUS_VTABLE_UNPRIVILEGED),
    PLAIN_METHOD("Freeze", method_freeze),
    PLAIN_METHOD("Thaw", method_thaw),
    PLAIN_METHOD("Trim", method_trim),
    SD_BUS_METHOD_WITH_ARGS("SetUserPassword", SD_BUS_ARGS("s", user, "s", password),
                            SD_BUS_NO_RESULT, method_set_user_password,
                            SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
    SD_BUS_VTABLE_END,
};

int
guest_bus_register(Manager *m)
{
    return domain_bus_add_interface(m, VMS_GUEST_INTERFACE, guest_vtable, writers);
}
