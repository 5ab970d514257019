/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager.h"

#include "names.h"
#include "object-path.h"

/* --- Cancel ------------------------------------------------------------------------------- */

static void
run_cancel(Request *request)
{
    Job *job = jobs_find_by_number(request->manager->jobs, *(uint64_t *)request->args);

    if (job) {
        job_cancel(job, request);
        return;
    }
    g_autoptr(Error) error = error_new(ERROR_UNKNOWN_OBJECT, "The job has ended");
    request_fail(request, error);
}

static int
method_cancel(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    const Job *job = userdata;
    Request *request = request_new(manager_of(message), message, REQUEST_CHANGE, "Cancel",
                                   job->domain->uuid, error);

    if (!request)
        return -EBUSY;
    request_set_args(request, g_memdup2(&job->number, sizeof job->number), g_free);
    return request_start(request, job->actions, run_cancel);
}

/* --- the vtable --------------------------------------------------------------------------- */

static void
put_domain(Wire *wire, const void *object)
{
    wire_put_string(wire, object_path_of_domain(((const Job *)object)->domain->uuid).text);
}

static const PropertyWriter values[] = {{"Domain", put_domain}, {NULL}};

static const sd_bus_vtable job_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("Operation", "s", NULL, offsetof(Job, operation_name),
                    SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("Domain", "o", object_server_get, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("StartedAt", "t", NULL, offsetof(Job, started_at),
                    SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("Progress", "d", NULL, offsetof(Job, progress),
                    SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_METHOD_WITH_ARGS("Cancel", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_cancel,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

static int
find_object(sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret,
            sd_bus_error *error)
{
    Manager *m = userdata;
    uint64_t number;

    *ret = object_path_to_job(path, &number) ? jobs_find_by_number(m->jobs, number) : NULL;
    return *ret != NULL;
}

static int
enumerate_objects(sd_bus *bus, const char *prefix, void *userdata, char ***ret, sd_bus_error *error)
{
    g_autoptr(GPtrArray) jobs = jobs_all(((Manager *)userdata)->jobs);
    /* sd-bus frees it with free(), which is what g_free() is. */
    char **paths = g_new0(char *, jobs->len + 1);

    for (unsigned i = 0; i < jobs->len; i++)
        paths[i] = g_strdup(((Job *)jobs->pdata[i])->path);
    *ret = paths;
    return 0;
}

int
job_bus_register(Manager *m)
{
    sd_bus_slot *slot;
    int r = sd_bus_add_fallback_vtable(m->bus, &slot, VMS_JOB_PREFIX, VMS_JOB_INTERFACE, job_vtable,
                                       find_object, m);

    if (r < 0)
        return r;
    g_ptr_array_add(m->slots, slot);
    object_interface_add(m->job_interfaces, VMS_JOB_INTERFACE, job_vtable, values);
    r = sd_bus_add_node_enumerator(m->bus, &slot, VMS_JOB_PREFIX, enumerate_objects, m);
    if (r < 0)
        return r;
    g_ptr_array_add(m->slots, slot);
    return 0;
}
