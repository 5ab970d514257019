/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager.h"

#include "domain-xml-peek.h"
#include "domain-xml.h"
#include "hypervisor-domain.h"
#include "names.h"
#include "object-path.h"
#include "xml.h"

Manager *
manager_of(sd_bus_message *message)
{
    return sd_bus_slot_get_userdata(sd_bus_get_current_slot(sd_bus_message_get_bus(message)));
}

static int
method_list_domains(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Manager *m = userdata;
    Request *request = request_new(m, message, REQUEST_READ, "ListDomains", NULL, error);

    if (!request)
        return -EBUSY;
    return request_start(request, 0, manager_list);
}

/* --- GetDomain ---------------------------------------------------------------------------- */

typedef struct {
    RequestCall base;
    char *name;
    char *uuid;
} FindCall;

static Domain *
find_domain(Manager *m, const char *name_or_uuid)
{
    char uuid[UUID_LENGTH + 1];
    Domain *domain = domain_uuid_parse(name_or_uuid, uuid) ? manager_find_domain(m, uuid) : NULL;

    return domain ? domain : manager_find_domain_by_name(m, name_or_uuid);
}

static bool
work_find(Call *call, Hypervisor *h, Error **error)
{
    FindCall *find = (FindCall *)call;

    g_autoptr(Error) problem = NULL;

    find->uuid = hypervisor_find(h, find->name, &problem);
    if (find->uuid)
        return true;
    *error = problem->kind == ERROR_NO_SUCH_DOMAIN
                 ? error_new(ERROR_NO_SUCH_DOMAIN, "There is no domain \"%s\": %s", find->name,
                             problem->message)
                 : g_steal_pointer(&problem);
    return false;
}

static void
free_find(Call *call)
{
    FindCall *find = (FindCall *)call;

    g_free(find->name);
    g_free(find->uuid);
    g_free(find);
}

static Call *
make_find(Request *request)
{
    FindCall *find = request_call_new(request, sizeof *find, CALL_READ, work_find);

    find->base.call.free = free_find;
    find->name = g_strdup(request->args);
    return &find->base.call;
}

static void
reply_found(Request *request)
{
    const Domain *domain = find_domain(request->manager, request->args);

    if (domain) {
        request_reply_string(request, "o", object_path_of_domain(domain->uuid).text);
        return;
    }
    g_autoptr(Error) error =
        error_new(ERROR_NO_SUCH_DOMAIN, "There is no domain \"%s\"", (const char *)request->args);
    request_fail(request, error);
}

static void
on_found(Request *request, Call *call)
{
    request_refresh(request, ((FindCall *)call)->uuid, reply_found);
}

static void
run_get_domain(Request *request)
{
    if (find_domain(request->manager, request->args))
        reply_found(request);
    else
        request_call(request, make_find, on_found);
}

static int
method_get_domain(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    const char *name;
    int r = sd_bus_message_read(message, "s", &name);
    Request *request;

    if (r < 0)
        return r;
    request = request_new(userdata, message, REQUEST_READ, "GetDomain", NULL, error);
    if (!request)
        return -EBUSY;
    request_set_args(request, g_strdup(name), g_free);
    return request_start(request, 0, run_get_domain);
}

/* --- DefineDomain ------------------------------------------------------------------------- */

typedef struct {
    RequestCall base;
    char *xml;
    char *expected_name; /* what polkit was asked about */
    char *expected_uuid;
    char *uuid; /* what comes back */
} DefineCall;

/*
 * What polkit was asked about is what the XML says, to its end. What is no domain goes to libvirt
 * all the same, for its words.
 */
static bool
check_identity(const DefineCall *define, Error **error)
{
    g_autofree char *name = NULL;
    g_autofree char *uuid = NULL;

    /* libvirt would read its entities into a name that we do not see. */
    if (xml_has_doctype(define->xml)) {
        *error = error_new(ERROR_INVALID_ARGS, "The XML has a document type declaration");
        return false;
    }
    if (!domain_xml_identity(define->xml, &name, &uuid) ||
        (g_str_equal(name, define->expected_name) && g_str_equal(uuid, define->expected_uuid)))
        return true;
    *error = error_new(ERROR_INVALID_ARGS,
                       "The name and the UUID have to stand within the first %d bytes of the XML, "
                       "in UTF-8, and before any element with more than %d attributes",
                       DOMAIN_XML_PEEK_MAX, DOMAIN_XML_PEEK_ATTRIBUTES);
    return false;
}

static bool
work_define(Call *call, Hypervisor *h, Error **error)
{
    DefineCall *define = (DefineCall *)call;

    if (!check_identity(define, error))
        return false;
    define->uuid = hypervisor_define(h, define->xml, error);
    return define->uuid != NULL;
}

static void
free_define(Call *call)
{
    DefineCall *define = (DefineCall *)call;

    g_free(define->xml);
    g_free(define->expected_name);
    g_free(define->expected_uuid);
    g_free(define->uuid);
    g_free(define);
}

static Call *
make_define(Request *request)
{
    DefineCall *define = request_call_new(request, sizeof *define, CALL_CHANGE, work_define);

    define->base.call.free = free_define;
    define->base.call.stops_others = true;
    define->xml = g_strdup(request->args);
    define->expected_name = g_strdup(request->vm_name);
    define->expected_uuid = g_strdup(request->vm_uuid);
    return &define->base.call;
}

static void
reply_defined(Request *request)
{
    request_reply_string(request, "o", object_path_of_domain(request->vm_uuid).text);
}

static void
on_defined(Request *request, Call *call)
{
    g_free(request->vm_uuid);
    request->vm_uuid = g_strdup(((DefineCall *)call)->uuid);
    request_refresh(request, request->vm_uuid, reply_defined);
}

static void
run_define(Request *request)
{
    request_call(request, make_define, on_defined);
}

static int
method_define_domain(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    const char *xml;
    int r = sd_bus_message_read(message, "s", &xml);
    Request *request;

    if (r < 0)
        return r;
    request = request_new(userdata, message, REQUEST_CHANGE, "DefineDomain", NULL, error);
    if (!request)
        return -EBUSY;
    request_set_args(request, g_strdup(xml), g_free);
    domain_xml_peek(xml, &request->vm_name, &request->vm_uuid);
    return request_start(request, ACTION_BIT(ACTION_CONFIGURE), run_define);
}

/* --- Reconnect ---------------------------------------------------------------------------- */

static void
run_reconnect(Request *request)
{
    Manager *m = request->manager;

    request->available = request_reply;
    availability_reconnect(m->availability, manager_now(m), request);
}

static int
method_reconnect(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Request *request = request_new(userdata, message, REQUEST_CHANGE, "Reconnect", NULL, error);

    if (!request)
        return -EBUSY;
    return request_start(request, ACTION_BIT(ACTION_RECONNECT), run_reconnect);
}

/* --- the vtable --------------------------------------------------------------------------- */

#define CONST(name, type, member)                                                                  \
    SD_BUS_PROPERTY(name, type, NULL, offsetof(Manager, member), SD_BUS_VTABLE_PROPERTY_CONST)
#define EMITS(name, type, member)                                                                  \
    SD_BUS_PROPERTY(name, type, NULL, offsetof(Manager, member),                                   \
                    SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)

static const sd_bus_vtable manager_vtable[] = {
    SD_BUS_VTABLE_START(0),
    CONST("Version", "s", version),
    CONST("Uri", "s", uri),
    CONST("StopTimeoutUSec", "t", stop_timeout_usec),
    EMITS("Available", "b", available),
    EMITS("Status", "s", status_name),
    EMITS("StatusMessage", "s", status_message),
    EMITS("StatusSince", "t", status_since),
    EMITS("Hostname", "s", identity.hostname),
    EMITS("HypervisorType", "s", identity.type),
    EMITS("HypervisorVersion", "s", identity.version),
    EMITS("LibvirtVersion", "s", identity.libvirt_version),
    SD_BUS_METHOD_WITH_ARGS("ListDomains", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(ssso)", domains),
                            method_list_domains, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("GetDomain", SD_BUS_ARGS("s", name_or_uuid), SD_BUS_RESULT("o", domain),
                            method_get_domain, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("DefineDomain", SD_BUS_ARGS("s", xml), SD_BUS_RESULT("o", domain),
                            method_define_domain, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Reconnect", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_reconnect,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("GetStats", SD_BUS_ARGS("as", groups, "a{sv}", options),
                            SD_BUS_RESULT("a{oa{sv}}", stats), stats_bus_get,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_SIGNAL_WITH_ARGS(
        "JobRemoved", SD_BUS_ARGS("o", job, "o", domain, "s", operation, "s", result, "s", message),
        0),
    SD_BUS_VTABLE_END,
};

/* Whoever reads finds nothing that has not been signalled: what signals say stays what reads say.
 */
static int
on_message(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    manager_flush(userdata);
    return 0;
}

int
manager_bus_register(Manager *m)
{
    sd_bus_slot *slot;
    int r = sd_bus_add_filter(m->bus, &slot, on_message, m);

    if (r < 0)
        return r;
    g_ptr_array_add(m->slots, slot);
    r = object_server_register(m);
    if (r < 0)
        return r;
    r = sd_bus_add_object_manager(m->bus, &slot, VMS_ROOT_PATH);

    if (r < 0)
        return r;
    g_ptr_array_add(m->slots, slot);
    r = sd_bus_add_object_vtable(m->bus, &slot, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE,
                                 manager_vtable, m);
    if (r < 0)
        return r;
    g_ptr_array_add(m->slots, slot);
    return 0;
}
