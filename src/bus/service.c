/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "service.h"

#include "bus-usage.h"
#include "interfaces.h"
#include "message-size.h"
#include "names.h"
#include "request.h"

#include <errno.h>

/* --- the objects -------------------------------------------------------------------------- */

static void *
find_root(void *userdata, const char *path)
{
    return g_str_equal(path, VMS_ROOT_PATH) ? userdata : NULL;
}

static void *
find_log_control(void *userdata, const char *path)
{
    return g_str_equal(path, LOG_CONTROL_PATH) ? userdata : NULL;
}

static void *
find_domain(void *userdata, const char *path)
{
    const Service *service = userdata;
    char uuid[UUID_LENGTH + 1];

    return object_path_to_domain(path, uuid) ? cache_find(service->core->cache, uuid) : NULL;
}

static GArray *
list_domains(void *userdata)
{
    const Cache *cache = ((const Service *)userdata)->core->cache;
    GArray *entries = g_array_sized_new(FALSE, FALSE, sizeof(ObjectEntry), cache_size(cache));
    GHashTableIter iter;
    gpointer domain;

    cache_iter_init(&iter, cache);
    while (g_hash_table_iter_next(&iter, NULL, &domain)) {
        const ObjectEntry entry = {object_path_of_domain(((const Domain *)domain)->uuid), domain};

        g_array_append_val(entries, entry);
    }
    return entries;
}

static void *
find_job(void *userdata, const char *path)
{
    const Service *service = userdata;
    uint64_t number;

    return object_path_to_job(path, &number) ? job_objects_find(service->core->job_objects, number)
                                             : NULL;
}

static GArray *
list_jobs(void *userdata)
{
    const Core *core = ((const Service *)userdata)->core;
    g_autoptr(GPtrArray) jobs = job_objects_all(core->job_objects, NULL);
    GArray *entries = g_array_sized_new(FALSE, FALSE, sizeof(ObjectEntry), jobs->len);

    for (unsigned i = 0; i < jobs->len; i++) {
        const JobObject *job = jobs->pdata[i];
        const ObjectEntry entry = {object_path_of_job(job->number), job};

        g_array_append_val(entries, entry);
    }
    return entries;
}

static const Interface *const root_interfaces[] = {&bus_manager_interface, &bus_host_interface,
                                                   &bus_debug_interface, NULL};
static const Interface *const log_control_interfaces[] = {&bus_log_control_interface, NULL};
static const Interface *const domain_interfaces[] = {
    &bus_domain_interface,  &bus_config_interface,    &bus_display_interface,
    &bus_guest_interface,   &bus_snapshots_interface, &bus_saved_interface,
    &bus_storage_interface, &bus_migration_interface, NULL,
};
static const Interface *const job_interfaces[] = {&bus_job_interface, NULL};

static const ObjectKindSpec root_kind = {
    .path = VMS_ROOT_PATH,
    .interfaces = root_interfaces,
    .find = find_root,
};
static const ObjectKindSpec log_control_kind = {
    .path = LOG_CONTROL_PATH,
    .interfaces = log_control_interfaces,
    .find = find_log_control,
};
static const ObjectKindSpec domain_kind = {
    .path = VMS_DOMAIN_PREFIX,
    .is_node = true,
    .interfaces = domain_interfaces,
    .find = find_domain,
    .list = list_domains,
};
static const ObjectKindSpec job_kind = {
    .path = VMS_JOB_PREFIX,
    .is_node = true,
    .interfaces = job_interfaces,
    .find = find_job,
    .list = list_jobs,
};

/* --- calls -------------------------------------------------------------------------------- */

/* Every message comes through here first, also those to objects that are not there. */
static int
on_message(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    const Service *service = userdata;
    const char *sender = sd_bus_message_get_sender(message);
    size_t size;

    if (!sd_bus_message_is_method_call(message, NULL, NULL))
        return 0;
    if (!replies_expect(service->replies, sender ? sender : ""))
        return 1;
    switch (message_size(message, MESSAGE_SIZE_MAX, &size)) {
    case 0:
        return 0;
    case -EMSGSIZE:
        return sd_bus_error_setf(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                 "The arguments take more than %zu bytes", MESSAGE_SIZE_MAX);
    default:
        return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                "The arguments cannot be read: a text may have a character that "
                                "Unicode does not assign");
    }
}

static int
on_method(void *userdata, const Method *method, sd_bus_message *message, void *object,
          sd_bus_error *error)
{
    Service *service = userdata;
    const char *path = sd_bus_message_get_path(message);
    uint64_t number;

    if (object == service)
        return request_handle(service, method, message, NULL, 0, error);
    if (object_path_to_job(path, &number))
        return request_handle(service, method, message, ((const JobObject *)object)->domain, number,
                              error);
    return request_handle(service, method, message, object, 0, error);
}

static void
on_flush(void *userdata)
{
    publisher_flush(((Service *)userdata)->publisher);
}

/* --- changes of the core ------------------------------------------------------------------ */

static void
on_domain_added(void *userdata, Domain *domain)
{
    publisher_domain_added(((Service *)userdata)->publisher, domain);
}

static void
on_domain_removed(void *userdata, Domain *domain)
{
    publisher_domain_removed(((Service *)userdata)->publisher, domain);
}

static void
on_domain_changed(void *userdata, Domain *domain)
{
    publisher_domain_changed(((Service *)userdata)->publisher, domain);
}

static void
on_job_added(void *userdata, JobObject *job)
{
    publisher_job_added(((Service *)userdata)->publisher, job);
}

static void
on_job_removed(void *userdata, JobObject *job, OperationResult result, const Error *error)
{
    publisher_job_removed(((Service *)userdata)->publisher, job, result, error);
}

static void
on_job_changed(void *userdata, JobObject *job, JobChange change)
{
    publisher_job_changed(((Service *)userdata)->publisher, job, change);
}

static void
on_connection_changed(void *userdata, ConnectionChanges changes)
{
    Service *service = userdata;

    publisher_root_changed(service->publisher, changes);
    service->settings->status_changed(service->settings->userdata);
}

static void
on_host_changed(void *userdata, HostChanges changes)
{
    publisher_root_changed(((Service *)userdata)->publisher, changes);
}

static void
on_stopped(void *userdata)
{
    const Service *service = userdata;

    service->settings->stopped(service->settings->userdata);
}

const CoreListener service_core_listener = {
    .domains =
        {
            .added = on_domain_added,
            .removed = on_domain_removed,
            .changed = on_domain_changed,
            .flush = on_flush,
        },
    .jobs =
        {
            .added = on_job_added,
            .removed = on_job_removed,
            .changed = on_job_changed,
        },
    .connection_changed = on_connection_changed,
    .host_changed = on_host_changed,
    .stopped = on_stopped,
};

static void
on_caller_gone(void *userdata, const char *name)
{
    const Service *service = userdata;

    authorizer_caller_gone(service->authorizer, name);
    unread_forget(service->unread, name);
    usage_subscribers_forget(service->usage, name);
}

/* --- life --------------------------------------------------------------------------------- */

static int
add_kinds(Service *service)
{
    PublisherParts parts = {.bus = service->bus, .root_object = service};
    ObjectKind *log_control; /* nothing is signalled of it */
    int r = object_server_add_kind(service->objects, &root_kind, service, &parts.root);

    if (r >= 0)
        r = object_server_add_kind(service->objects, &log_control_kind, service, &log_control);
    if (r >= 0)
        r = object_server_add_kind(service->objects, &domain_kind, service, &parts.domain);
    if (r >= 0)
        r = object_server_add_kind(service->objects, &job_kind, service, &parts.job);
    if (r >= 0)
        service->publisher = publisher_new(sd_bus_get_event(service->bus), &parts);
    return r;
}

static int
make_objects(Service *service)
{
    const ObjectServerParts parts = {
        .bus = service->bus,
        .messenger = service->messenger,
        .replies = service->replies,
        .handle = on_method,
        .flush = on_flush,
        .userdata = service,
    };
    int r = object_server_new(&parts, &service->objects);

    /* After that of the objects: sd-bus calls the filter first that was added last. */
    return r < 0 ? r
                 : sd_bus_add_filter(service->bus, &service->message_filter, on_message, service);
}

int
service_new(sd_bus *bus, const ServiceSettings *settings, Service **ret)
{
    Service *service = g_new0(Service, 1);

    service->bus = sd_bus_ref(bus);
    service->settings = settings;
    service->authorizer = authorizer_new(bus, settings->instance);
    service->requests = requests_new(service);
    service->usage = usage_subscribers_new(service);
    service->unread = unread_new(bus);
    int r = callers_new(bus, on_caller_gone, service, &service->callers);
    if (r >= 0)
        r = pictures_new(sd_bus_get_event(bus), &service->pictures);
    if (r >= 0)
        r = raw_message_new(&service->messenger);
    if (r >= 0) {
        service->replies = replies_new(bus, service->messenger, service->callers, service->unread);
        r = make_objects(service);
    }
    if (r >= 0)
        r = add_kinds(service);
    if (r < 0) {
        service_free(service);
        return r;
    }
    *ret = service;
    return 0;
}

void
service_set_core(Service *service, Core *core)
{
    service->core = core;
}

void
service_stop(Service *service)
{
    usage_subscribers_stop(service->usage);
    requests_stop(service->requests);
    publisher_flush(service->publisher);
}

void
service_free(Service *service)
{
    if (!service)
        return;
    sd_bus_slot_unref(service->message_filter);
    publisher_free(service->publisher);
    object_server_free(service->objects);
    authorizer_free(service->authorizer);
    usage_subscribers_free(service->usage);
    requests_free(service->requests);
    pictures_free(service->pictures);
    replies_free(service->replies);
    unread_free(service->unread);
    callers_free(service->callers);
    raw_message_free(service->messenger);
    sd_bus_unref(service->bus);
    g_free(service);
}
