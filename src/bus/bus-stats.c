/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager.h"

#include "method-options.h"
#include "object-path.h"

/* --- the answer --------------------------------------------------------------------------- */

static int
append_field(sd_bus_message *reply, const StatsField *field)
{
    const char type[] = {field->type, '\0'};

    switch (field->type) {
    case 'i':
        return sd_bus_message_append(reply, "{sv}", field->name, type, field->i);
    case 'u':
        return sd_bus_message_append(reply, "{sv}", field->name, type, field->u);
    case 'x':
        return sd_bus_message_append(reply, "{sv}", field->name, type, field->x);
    case 't':
        return sd_bus_message_append(reply, "{sv}", field->name, type, field->t);
    case 'd':
        return sd_bus_message_append(reply, "{sv}", field->name, type, field->d);
    case 'b':
        return sd_bus_message_append(reply, "{sv}", field->name, type, field->b);
    default:
        return sd_bus_message_append(reply, "{sv}", field->name, type, field->s);
    }
}

static int
append_record(sd_bus_message *reply, const char *path, const StatsRecord *record)
{
    int r = sd_bus_message_open_container(reply, 'e', "oa{sv}");

    if (r >= 0)
        r = sd_bus_message_append(reply, "o", path);
    if (r >= 0)
        r = sd_bus_message_open_container(reply, 'a', "{sv}");
    for (unsigned i = 0; r >= 0 && i < record->fields->len; i++)
        r = append_field(reply, &g_array_index(record->fields, StatsField, i));
    if (r >= 0)
        r = sd_bus_message_close_container(reply);
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int
append_records(sd_bus_message *reply, Manager *m, const GPtrArray *records)
{
    int r = sd_bus_message_open_container(reply, 'a', "{oa{sv}}");

    for (unsigned i = 0; r >= 0 && i < records->len; i++) {
        const StatsRecord *record = records->pdata[i];
        const Domain *domain = manager_find_domain(m, record->uuid);

        if (domain)
            r = append_record(reply, object_path_of_domain(domain->uuid).text, record);
        else
            /* A path that leads nowhere helps nobody: publish it, for the next time. */
            refresher_mark(m->refresher, record->uuid, FACT_ALL);
    }
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

static void
answer(Request *request, GPtrArray *records)
{
    sd_bus_message *reply = NULL;
    int r = request_new_reply(request, &reply);

    if (r >= 0)
        r = append_records(reply, request->manager, records);
    if (r >= 0) {
        request_reply_message(request, reply);
        return;
    }
    g_autoptr(Error) error =
        error_new(ERROR_OPERATION_FAILED, "The figures cannot be sent: %s", g_strerror(-r));
    sd_bus_message_unref(reply);
    request_fail(request, error);
}

/* --- the question ------------------------------------------------------------------------- */

static int
read_groups(sd_bus_message *message, StatsGroups *ret, sd_bus_error *error)
{
    StatsGroups groups = 0;
    const char *name;
    int r = sd_bus_message_enter_container(message, 'a', "s");

    if (r < 0)
        return r;
    while ((r = sd_bus_message_read(message, "s", &name)) > 0) {
        StatsGroups group = hypervisor_stats_group(name);

        if (!group)
            return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                                     "Unknown group of figures '%s'", name);
        groups |= group;
    }
    *ret = groups ? groups : STATS_ALL;
    return r < 0 ? r : sd_bus_message_exit_container(message);
}

int
stats_bus_get(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    static const MethodOption no_options[] = {{NULL}};
    StatsGroups groups = 0;
    int r = read_groups(message, &groups, error);

    if (r >= 0)
        r = method_options_read(message, no_options, NULL, NULL, error);
    if (r < 0)
        return r;
    Request *request = request_new(userdata, message, REQUEST_READ, "GetStats", NULL, error);
    if (!request)
        return -EBUSY;
    request_set_args(request, stats_args_new(groups, answer), stats_args_free);
    return request_start(request, 0, stats_ask);
}
