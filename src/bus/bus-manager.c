/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "interfaces.h"

#include "bus-stats.h"
#include "bus-usage.h"
#include "context.h"
#include "domain-xml-peek.h"
#include "domain-xml.h"
#include "hypervisor-domain.h"
#include "method-options.h"
#include "names.h"
#include "xml.h"

/* --- ListDomains -------------------------------------------------------------------------- */

static void
write_list(const Service *service, const GPtrArray *shared, Wire *body)
{
    g_autoptr(GPtrArray) domains = cache_sorted(service->core->cache);
    size_t rows = wire_begin_array(body, 8);

    for (unsigned i = 0; i < domains->len; i++) {
        const Domain *domain = domains->pdata[i];

        wire_align(body, 8);
        wire_put_string(body, domain->uuid);
        wire_put_string(body, domain->name);
        wire_put_string(body, domain->state_name);
        wire_put_string(body, object_path_of_domain(domain->uuid).text);
    }
    wire_end_array(body, rows, 8);
}

static void ask_list(Request *request);

static void
on_listed(void *userdata, CallOutcome outcome, void *answer, const Error *error)
{
    Request *request = userdata;

    if (request_check(request, outcome, error, ask_list))
        request_reply_in_turn(request, write_list, NULL);
}

static void
ask_list(Request *request)
{
    request->phase = PHASE_ASKING;
    lister_list(request->service->core->lister, &request->pending, on_listed, request);
}

static void
run_list(Request *request)
{
    request_connect(request, ask_list);
}

/* --- GetDomain ---------------------------------------------------------------------------- */

static void
reply_found(Request *request)
{
    const char *name = request->args->name;
    const Domain *domain = cache_find_by_any(request->service->core->cache, name);

    if (domain) {
        request_reply_path(request, object_path_of_domain(domain->uuid).text);
        return;
    }
    g_autoptr(Error) error = error_new(ERROR_NO_SUCH_DOMAIN, "There is no domain \"%s\"", name);
    request_fail(request, error);
}

static void
run_get_domain(Request *request)
{
    if (cache_find_by_any(request->service->core->cache, request->args->name))
        reply_found(request);
    else
        request_call(request);
}

static bool
work_find(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
          Error **error)
{
    g_autoptr(Error) problem = NULL;
    char *found = hypervisor_find(h, args->name, &problem);

    if (found)
        result->value = g_variant_new_take_string(found);
    else if (problem->kind == ERROR_NO_SUCH_DOMAIN)
        *error = error_new(ERROR_NO_SUCH_DOMAIN, "There is no domain \"%s\": %s", args->name,
                           problem->message);
    else
        *error = g_steal_pointer(&problem);
    return found != NULL;
}

static void
on_found(Request *request, const MethodResult *result)
{
    request_refresh(request, g_variant_get_string(result->value, NULL), reply_found);
}

/* --- DefineDomain ------------------------------------------------------------------------- */

static int
parse_define(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    int r = method_read_text(message, &args->xml);

    if (r >= 0)
        domain_xml_peek(args->xml, &args->subject_name, &args->subject_uuid);
    return r;
}

/*
 * polkit was asked about the name and the UUID that the XML has from its beginning to its end. XML
 * that is no domain is sent to libvirt nevertheless, for its words.
 */
static bool
check_identity(const MethodArgs *args, Error **error)
{
    g_autofree char *name = NULL;
    g_autofree char *uuid = NULL;

    /* libvirt would read its entities into a name that is not seen here. */
    if (xml_has_doctype(args->xml)) {
        *error = error_new(ERROR_INVALID_ARGS, "The XML has a document type declaration");
        return false;
    }
    if (!domain_xml_identity(args->xml, &name, &uuid) ||
        (g_str_equal(name, args->subject_name) && g_str_equal(uuid, args->subject_uuid)))
        return true;
    *error = error_new(ERROR_INVALID_ARGS,
                       "The name and the UUID have to stand within the first %d bytes of the XML, "
                       "in UTF-8, and before any element with more than %d attributes",
                       DOMAIN_XML_PEEK_MAX, DOMAIN_XML_PEEK_ATTRIBUTES);
    return false;
}

static bool
work_define(Hypervisor *h, const char *uuid, const MethodArgs *args, MethodResult *result,
            Error **error)
{
    char *defined = check_identity(args, error) ? hypervisor_define(h, args->xml, error) : NULL;

    if (defined)
        result->value = g_variant_new_take_string(defined);
    return defined != NULL;
}

static void
reply_defined(Request *request)
{
    request_reply_path(request, object_path_of_domain(request->domain_uuid).text);
}

static void
on_defined(Request *request, const MethodResult *result)
{
    /* Without a UUID in the XML libvirt has made one up. */
    g_free(request->domain_uuid);
    request->domain_uuid = g_strdup(g_variant_get_string(result->value, NULL));
    request_refresh(request, request->domain_uuid, reply_defined);
}

/* --- Reconnect ---------------------------------------------------------------------------- */

static void
on_reconnected(void *userdata, const Error *error)
{
    request_end(userdata, OUTCOME_OK, NULL, error);
}

static void
run_reconnect(Request *request)
{
    connection_reconnect(request->service->core->connection, &request->pending, on_reconnected,
                         request);
}

/* --- properties --------------------------------------------------------------------------- */

static const ConnectionState *
state_of(const void *object)
{
    return connection_state(((const Service *)object)->core->connection);
}

static void
write_version(Wire *wire, const void *object)
{
    wire_put_string(wire, ((const Service *)object)->settings->version);
}

static void
write_uri(Wire *wire, const void *object)
{
    wire_put_string(wire, ((const Service *)object)->core->uri);
}

static void
write_stop_timeout(Wire *wire, const void *object)
{
    wire_put_u64(wire, ((const Service *)object)->settings->stop_timeout_usec);
}

static void
write_available(Wire *wire, const void *object)
{
    wire_put_u32(wire, state_of(object)->status == STATUS_AVAILABLE);
}

static void
write_status(Wire *wire, const void *object)
{
    wire_put_string(wire, status_name(state_of(object)->status));
}

static void
write_status_message(Wire *wire, const void *object)
{
    wire_put_string(wire, state_of(object)->status_message);
}

static void
write_status_since(Wire *wire, const void *object)
{
    wire_put_u64(wire, state_of(object)->status_since);
}

static void
write_hostname(Wire *wire, const void *object)
{
    wire_put_string(wire, state_of(object)->identity.hostname);
}

static void
write_type(Wire *wire, const void *object)
{
    wire_put_string(wire, state_of(object)->identity.type);
}

static void
write_hypervisor_version(Wire *wire, const void *object)
{
    wire_put_string(wire, state_of(object)->identity.version);
}

static void
write_libvirt_version(Wire *wire, const void *object)
{
    wire_put_string(wire, state_of(object)->identity.libvirt_version);
}

/* --- the tables --------------------------------------------------------------------------- */

static const Property properties[] = {
    {"Version", "s", PROPERTY_CONST, write_version, 0},
    {"Uri", "s", PROPERTY_CONST, write_uri, 0},
    {"StopTimeoutUSec", "t", PROPERTY_CONST, write_stop_timeout, 0},
    {"Available", "b", CONNECTION_PROPERTY_AVAILABLE, write_available, 0},
    {"Status", "s", CONNECTION_PROPERTY_STATUS, write_status, 0},
    {"StatusMessage", "s", CONNECTION_PROPERTY_STATUS_MESSAGE, write_status_message, 0},
    {"StatusSince", "t", CONNECTION_PROPERTY_STATUS_SINCE, write_status_since, 0},
    {"Hostname", "s", CONNECTION_PROPERTY_HOSTNAME, write_hostname, 0},
    {"HypervisorType", "s", CONNECTION_PROPERTY_TYPE, write_type, 0},
    {"HypervisorVersion", "s", CONNECTION_PROPERTY_VERSION, write_hypervisor_version, 0},
    {"LibvirtVersion", "s", CONNECTION_PROPERTY_LIBVIRT_VERSION, write_libvirt_version, 0},
    {NULL},
};

static const Method methods[] = {
    {
        .name = "ListDomains",
        .in = "",
        .out = "a(ssso)",
        .names = "domains\0",
        .kind = METHOD_READ,
        .run = run_list,
    },
    {
        .name = "GetDomain",
        .call = "virDomainLookupByName",
        .in = "s",
        .out = "o",
        .names = "name_or_uuid\0domain\0",
        .kind = METHOD_READ,
        .class = CALL_READ,
        .parse = method_parse_name,
        .run = run_get_domain,
        .work = work_find,
        .then = on_found,
    },
    {
        .name = "DefineDomain",
        .call = "virDomainDefineXMLFlags",
        .in = "s",
        .out = "o",
        .names = "xml\0domain\0",
        .kind = METHOD_CHANGE,
        .class = CALL_CHANGE,
        .stops_others = true,
        .actions = ACTION_BIT(ACTION_CONFIGURE),
        .parse = parse_define,
        .work = work_define,
        .then = on_defined,
    },
    {
        .name = "Reconnect",
        .in = "",
        .out = "",
        .names = "",
        .kind = METHOD_CHANGE,
        .actions = ACTION_BIT(ACTION_RECONNECT),
        .run = run_reconnect,
    },
    {
        .name = "GetStats",
        .in = "asa{sv}",
        .out = "a{oa{sv}}",
        .names = "groups\0options\0stats\0",
        .kind = METHOD_READ,
        .parse = bus_stats_parse,
        .run = bus_stats_run,
    },
    {
        .name = "SubscribeUsage",
        .in = "ta{sv}",
        .out = "t",
        .names = "interval_usec\0options\0valid_for_usec\0",
        .kind = METHOD_READ,
        .parse = bus_usage_parse,
        .run = bus_usage_run_subscribe,
    },
    {
        .name = "UnsubscribeUsage",
        .in = "",
        .out = "",
        .names = "",
        .kind = METHOD_READ,
        .run = bus_usage_run_unsubscribe,
    },
    {NULL},
};

static const Signal signals[] = {
    {"JobRemoved", "oosss", "job\0domain\0operation\0result\0message\0"},
    {"Usage", "ta{oa{sv}}", "timestamp\0usage\0"},
    {NULL},
};

const Interface bus_manager_interface = {
    .name = VMS_MANAGER_INTERFACE,
    .properties = properties,
    .methods = methods,
    .signals = signals,
};
