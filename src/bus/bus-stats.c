/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus-stats.h"

#include "context.h"

/* --- the question ------------------------------------------------------------------------- */

int
bus_stats_parse(sd_bus_message *message, MethodArgs *args, sd_bus_error *error)
{
    const char *name;
    int r = sd_bus_message_enter_container(message, 'a', "s");

    if (r < 0)
        return r;
    while ((r = sd_bus_message_read(message, "s", &name)) > 0) {
        StatsGroups group = hypervisor_stats_group(name);

        if (!group)
            return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                                     "Unknown group of figures '%s'", name);
        args->stats_groups |= group;
    }
    if (r >= 0)
        r = sd_bus_message_exit_container(message);
    if (args->stats_groups == 0)
        args->stats_groups = STATS_ALL;
    return r < 0 ? r : method_parse_no_options(message, error);
}

/* --- the answer --------------------------------------------------------------------------- */

static void
write_figure(Wire *body, const StatsField *field)
{
    const char signature[] = {field->type, '\0'};

    wire_align(body, 8);
    wire_put_string(body, field->name);
    wire_put_signature(body, signature);
    switch (field->type) {
    case 'i':
    case 'u':
    case 'b':
        wire_put_u32(body, field->u);
        break;
    case 's':
        wire_put_string(body, field->s);
        break;
    default: /* x, t, d */
        wire_put_u64(body, field->t);
    }
}

/* "{oa{sv}}" */
static void
write_record(Wire *body, const StatsRecord *record)
{
    wire_align(body, 8);
    wire_put_string(body, object_path_of_domain(record->uuid).text);
    size_t figures = wire_begin_array(body, 8);
    for (unsigned i = 0; i < record->fields->len; i++)
        write_figure(body, &g_array_index(record->fields, StatsField, i));
    wire_end_array(body, figures, 8);
}

static void
write_records(const Service *service, const GPtrArray *records, Wire *body)
{
    const Core *core = service->core;
    size_t array = wire_begin_array(body, 8);

    for (unsigned i = 0; i < records->len; i++) {
        const StatsRecord *record = records->pdata[i];

        if (cache_find(core->cache, record->uuid))
            write_record(body, record);
        else
            /* The domain is not published yet: refresh it, so that the next reply has it. */
            refresher_mark(core->refresher, record->uuid, FACT_ALL);
    }
    wire_end_array(body, array, 8);
}

static void ask(Request *request);

static void
on_records(void *userdata, CallOutcome outcome, void *records, const Error *error)
{
    Request *request = userdata;

    if (request_check(request, outcome, error, ask))
        request_reply_in_turn(request, write_records, records);
}

static void
ask(Request *request)
{
    request->phase = PHASE_ASKING;
    stats_ask(request->service->core->stats, request->args->stats_groups, &request->pending,
              on_records, request);
}

void
bus_stats_run(Request *request)
{
    request_connect(request, ask);
}
