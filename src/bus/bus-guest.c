/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "interfaces.h"

#include "hypervisor-guest.h"
#include "names.h"
#include "request.h"
#include "wire-rows.h"

/* --- reads -------------------------------------------------------------------------------- */

static int
parse_source(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    static const char *const sources[] = {
        [ADDRESSES_LEASE] = "lease",
        [ADDRESSES_AGENT] = "agent",
        [ADDRESSES_ARP] = "arp",
        NULL,
    };
    const char *source;
    int r = sd_bus_message_read(message, "s", &source);

    if (r >= 0)
        r = method_parse_word(source, sources, "source", error);
    if (r >= 0)
        args->number = (uint64_t)r;
    return r;
}

static bool
work_get_addresses(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
                   Error **error)
{
    result->value = hypervisor_guest_addresses(h, uuid, (AddressSource)args->number, error);
    return result->value != NULL;
}

static bool
work_get_hostname(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
                  Error **error)
{
    char *hostname = hypervisor_guest_hostname(h, uuid, error);

    if (hostname)
        result->value = g_variant_new_take_string(hostname);
    return hostname != NULL;
}

static bool
work_get_filesystems(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
                     Error **error)
{
    result->value = hypervisor_guest_filesystems(h, uuid, error);
    return result->value != NULL;
}

/* --- changes, of which nothing is published ----------------------------------------------- */

static bool
work_freeze(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
            Error **error)
{
    return hypervisor_guest_do(h, uuid, GUEST_FREEZE, error);
}

static bool
work_thaw(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
          Error **error)
{
    return hypervisor_guest_do(h, uuid, GUEST_THAW, error);
}

static bool
work_trim(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
          Error **error)
{
    return hypervisor_guest_do(h, uuid, GUEST_TRIM, error);
}

static int
parse_password(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    const char *user;
    const char *password;
    int r = sd_bus_message_read(message, "ss", &user, &password);

    if (r < 0)
        return r;
    args->text = g_strdup(user);
    args->secret = g_strdup(password);
    return 0;
}

static bool
work_set_password(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
                  Error **error)
{
    return hypervisor_guest_set_password(h, uuid, args->text, args->secret, error);
}

static void
reply_without_refresh(Request *request, const MethodResult *result)
{
    request_reply_result(request, result);
}

/* --- properties --------------------------------------------------------------------------- */

static const Guest *
guest_of(const void *object)
{
    return &((const Domain *)object)->guest;
}

static void
write_hostname(Wire *wire, const void *object)
{
    const char *hostname = guest_of(object)->hostname;

    wire_put_string(wire, hostname ? hostname : "");
}

static void
write_os_info(Wire *wire, const void *object)
{
    wire_put_texts_by_name(wire, rows_of_bytes(guest_of(object)->os_info));
}

static void
write_addresses(Wire *wire, const void *object)
{
    wire_put_dictionaries(wire, rows_of_bytes(guest_of(object)->addresses));
}

static const Property properties[] = {
    {"AgentConnected", "b", DOMAIN_PROPERTY_AGENT_CONNECTED, NULL,
     offsetof(Domain, config.agent_connected)},
    {"Hostname", "s", DOMAIN_PROPERTY_HOSTNAME, write_hostname, 0},
    {"OsInfo", "a{ss}", DOMAIN_PROPERTY_OS_INFO, write_os_info, 0},
    {"Addresses", "aa{sv}", DOMAIN_PROPERTY_ADDRESSES, write_addresses, 0},
    {NULL},
};

/* --- the tables --------------------------------------------------------------------------- */

#define GUEST_CALL .class = CALL_GUEST, .actions = ACTION_BIT(ACTION_GUEST)
#define PLAIN_CHANGE(method_name, function, libvirt_function)                                      \
    {                                                                                              \
        .name = method_name, .call = libvirt_function, .in = "", .out = "", .names = "",           \
        .kind = METHOD_CHANGE, GUEST_CALL, .work = function, .then = reply_without_refresh,        \
    }

static const Method methods[] = {
    {
        .name = "GetAddresses",
        .call = "virDomainInterfaceAddresses",
        .in = "s",
        .out = GUEST_ADDRESSES_TYPE,
        .names = "source\0interfaces\0",
        .kind = METHOD_READ,
        GUEST_CALL,
        .parse = parse_source,
        .work = work_get_addresses,
    },
    {
        .name = "GetHostname",
        .call = "virDomainGetHostname",
        .in = "",
        .out = "s",
        .names = "hostname\0",
        .kind = METHOD_READ,
        GUEST_CALL,
        .work = work_get_hostname,
    },
    {
        .name = "GetFilesystems",
        .call = "virDomainGetFSInfo",
        .in = "",
        .out = GUEST_FILESYSTEMS_TYPE,
        .names = "filesystems\0",
        .kind = METHOD_READ,
        GUEST_CALL,
        .work = work_get_filesystems,
    },
    PLAIN_CHANGE("Freeze", work_freeze, "virDomainFSFreeze"),
    PLAIN_CHANGE("Thaw", work_thaw, "virDomainFSThaw"),
    PLAIN_CHANGE("Trim", work_trim, "virDomainFSTrim"),
    {
        .name = "SetUserPassword",
        .call = "virDomainSetUserPassword",
        .in = "ss",
        .out = "",
        .names = "user\0password\0",
        .is_sensitive = true,
        .kind = METHOD_CHANGE,
        GUEST_CALL,
        .parse = parse_password,
        .work = work_set_password,
        .then = reply_without_refresh,
    },
    {NULL},
};

const Interface bus_guest_interface = {
    .name = VMS_GUEST_INTERFACE,
    .properties = properties,
    .methods = methods,
};
