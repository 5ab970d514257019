/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "interfaces.h"

#include "hypervisor-guest.h"
#include "method-options.h"
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
    int r = method_parse_word(message, sources, "source", error);

    if (r >= 0)
        args->address_source = (AddressSource)r;
    return r;
}

/* The leases are the host's own: a read. */
static uint64_t
get_addresses_actions(const Request *request)
{
    return request->args->address_source == ADDRESSES_LEASE ? 0 : ACTION_BIT(ACTION_GUEST);
}

static bool
work_get_addresses(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
                   Error **error)
{
    return hypervisor_guest_addresses(h, uuid, args->address_source, &result->rows, error);
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
    return hypervisor_guest_filesystems(h, uuid, &result->rows, error);
}

/* --- changes, of which nothing is published ----------------------------------------------- */

static int
parse_freeze(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    static const MethodOption options[] = {
        {"mountpoints", METHOD_OPTION_TEXTS, offsetof(MethodArgs, mountpoints)},
        {NULL},
    };

    return method_options_read(message, options, args, NULL, error);
}

static bool
work_freeze(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
            Error **error)
{
    return hypervisor_guest_freeze(h, uuid, (const char *const *)args->mountpoints, error);
}

static bool
work_thaw(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
          Error **error)
{
    return hypervisor_guest_thaw(h, uuid, error);
}

static int
parse_trim(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    static const MethodOption options[] = {
        {"minimum", SD_BUS_TYPE_UINT64, offsetof(MethodArgs, trim_minimum)},
        {NULL},
    };

    return method_options_read(message, options, args, NULL, error);
}

static bool
work_trim(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
          Error **error)
{
    return hypervisor_guest_trim(h, uuid, args->trim_minimum, error);
}

static int
parse_password(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    static const MethodOption options[] = {
        {"crypted", SD_BUS_TYPE_BOOLEAN, offsetof(MethodArgs, crypted)},
        {NULL},
    };
    int r = method_read_text(message, &args->name);

    if (r >= 0)
        r = method_read_text(message, &args->secret);
    return r < 0 ? r : method_options_read(message, options, args, NULL, error);
}

static bool
work_set_password(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
                  Error **error)
{
    return hypervisor_guest_set_password(h, uuid, args->name, args->secret, args->crypted != 0,
                                         error);
}

static int
parse_time(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    static const MethodOption options[] = {
        {"sync", SD_BUS_TYPE_BOOLEAN, offsetof(MethodArgs, sync)},
        {NULL},
    };

    return method_options_read(message, options, args, NULL, error);
}

static bool
work_set_time(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
              Error **error)
{
    return hypervisor_guest_set_time(h, uuid, args->sync != 0, error);
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
#define CHANGE_WITH_OPTIONS(method_name, libvirt_function, parser, function)                       \
    {                                                                                              \
        .name = method_name, .call = libvirt_function, .in = "a{sv}", .out = "",                   \
        .names = "options\0", .kind = METHOD_CHANGE, GUEST_CALL, .parse = parser,                  \
        .work = function, .then = request_reply_result,                                            \
    }

static const Method methods[] = {
    {
        .name = "GetAddresses",
        .call = "virDomainInterfaceAddresses",
        .in = "s",
        .out = ROWS_SIGNATURE,
        .names = "source\0addresses\0",
        .kind = METHOD_READ,
        .class = CALL_GUEST,
        .more_actions = get_addresses_actions,
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
        .out = ROWS_SIGNATURE,
        .names = "filesystems\0",
        .kind = METHOD_READ,
        GUEST_CALL,
        .work = work_get_filesystems,
    },
    CHANGE_WITH_OPTIONS("Freeze", "virDomainFSFreeze", parse_freeze, work_freeze),
    {
        .name = "Thaw",
        .call = "virDomainFSThaw",
        .in = "",
        .out = "",
        .names = "",
        .kind = METHOD_CHANGE,
        GUEST_CALL,
        .work = work_thaw,
        .then = request_reply_result,
    },
    CHANGE_WITH_OPTIONS("Trim", "virDomainFSTrim", parse_trim, work_trim),
    CHANGE_WITH_OPTIONS("SetTime", "virDomainSetTime", parse_time, work_set_time),
    {
        .name = "SetUserPassword",
        .call = "virDomainSetUserPassword",
        .in = "ssa{sv}",
        .out = "",
        .names = "user\0password\0options\0",
        .is_sensitive = true,
        .kind = METHOD_CHANGE,
        GUEST_CALL,
        .parse = parse_password,
        .work = work_set_password,
        .then = request_reply_result,
    },
    {NULL},
};

const Interface bus_guest_interface = {
    .name = VMS_GUEST_INTERFACE,
    .properties = properties,
    .methods = methods,
};
