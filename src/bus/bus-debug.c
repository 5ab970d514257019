/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "interfaces.h"

#include "clock.h"
#include "names.h"
#include "request.h"
#include "service.h"

/* --- GetState ----------------------------------------------------------------------------- */

static GVariant *
lane_row(const LaneDescription *lane, uint64_t now)
{
    GVariantDict row;

    g_variant_dict_init(&row, NULL);
    g_variant_dict_insert(&row, "state", "s", lane->state);
    g_variant_dict_insert(&row, "primary", "b", lane->primary);
    g_variant_dict_insert(&row, "age_usec", "t", now - lane->since);
    if (lane->class)
        g_variant_dict_insert(&row, "class", "s", lane->class);
    if (lane->call)
        g_variant_dict_insert(&row, "call", "s", lane->call);
    if (*lane->domain != '\0')
        g_variant_dict_insert(&row, "domain", "o", object_path_of_domain(lane->domain).text);
    return g_variant_dict_end(&row);
}

static GVariant *
lane_rows(const LanePoolDescription *pool)
{
    GVariantBuilder rows;
    uint64_t now = clock_now_usec();

    g_variant_builder_init(&rows, G_VARIANT_TYPE("aa{sv}"));
    for (unsigned i = 0; i < pool->lanes->len; i++)
        g_variant_builder_add_value(&rows,
                                    lane_row(&g_array_index(pool->lanes, LaneDescription, i), now));
    return g_variant_builder_end(&rows);
}

static GVariant *
queue_rows(const LanePoolDescription *pool)
{
    GVariantBuilder rows;

    g_variant_builder_init(&rows, G_VARIANT_TYPE("aa{sv}"));
    for (unsigned i = 0; i < pool->queues->len; i++) {
        const QueueDescription *queue = &g_array_index(pool->queues, QueueDescription, i);
        GVariantDict row;

        g_variant_dict_init(&row, NULL);
        g_variant_dict_insert(&row, "class", "s", queue->class);
        g_variant_dict_insert(&row, "uid", "u", (guint32)queue->uid);
        g_variant_dict_insert(&row, "waiting", "u", queue->waiting);
        g_variant_builder_add_value(&rows, g_variant_dict_end(&row));
    }
    return g_variant_builder_end(&rows);
}

static void
add_budget(void *rows, uid_t uid, unsigned calls, size_t bytes)
{
    GVariantDict row;

    g_variant_dict_init(&row, NULL);
    g_variant_dict_insert(&row, "uid", "u", (guint32)uid);
    g_variant_dict_insert(&row, "calls", "u", calls);
    g_variant_dict_insert(&row, "bytes", "t", (guint64)bytes);
    g_variant_builder_add_value(rows, g_variant_dict_end(&row));
}

static GVariant *
budget_rows(const Service *service)
{
    GVariantBuilder rows;

    g_variant_builder_init(&rows, G_VARIANT_TYPE("aa{sv}"));
    requests_describe(service->requests, add_budget, &rows);
    return g_variant_builder_end(&rows);
}

static void
add_unread(void *rows, uid_t uid, size_t bytes)
{
    GVariantDict row;

    g_variant_dict_init(&row, NULL);
    g_variant_dict_insert(&row, "uid", "u", (guint32)uid);
    g_variant_dict_insert(&row, "bytes", "t", (guint64)bytes);
    g_variant_builder_add_value(rows, g_variant_dict_end(&row));
}

static GVariant *
unread_rows(const Service *service)
{
    GVariantBuilder rows;

    g_variant_builder_init(&rows, G_VARIANT_TYPE("aa{sv}"));
    unread_describe(service->unread, add_unread, &rows);
    return g_variant_builder_end(&rows);
}

static GVariant *
describe(const Service *service)
{
    const Core *core = service->core;
    LanePoolDescription pool;
    GVariantDict state;

    lane_pool_describe(core->lane_pool, &pool);
    g_variant_dict_init(&state, NULL);
    g_variant_dict_insert_value(&state, "lanes", lane_rows(&pool));
    g_variant_dict_insert_value(&state, "queues", queue_rows(&pool));
    g_variant_dict_insert(&state, "threads", "u", pool.threads);
    g_variant_dict_insert(&state, "lanes_left_behind", "u", pool.left_behind);
    g_variant_dict_insert(&state, "generation", "u", connection_generation(core->connection));
    g_variant_dict_insert(&state, "attempts", "u", connection_attempts(core->connection));
    g_variant_dict_insert(&state, "refresh_backlog", "u", refresher_backlog(core->refresher));
    g_variant_dict_insert_value(&state, "budgets", budget_rows(service));
    g_variant_dict_insert_value(&state, "unread", unread_rows(service));
    g_variant_dict_insert(&state, "signals_missed", "u", publisher_missed(service->publisher));
    lane_pool_description_clear(&pool);
    return g_variant_dict_end(&state);
}

static void
run_get_state(Request *request)
{
    g_autoptr(GVariant) state = g_variant_ref_sink(describe(request->service));

    request_reply_result(request, &(MethodResult){.value = state, .fd = -1});
}

/* --- the table ---------------------------------------------------------------------------- */

static const Method methods[] = {
    {
        .name = "GetState",
        .in = "",
        .out = "a{sv}",
        .names = "state\0",
        .kind = METHOD_READ,
        .actions = ACTION_BIT(ACTION_DEBUG),
        .run = run_get_state,
    },
    {NULL},
};

const Interface bus_debug_interface = {
    .name = VMS_DEBUG_INTERFACE,
    .methods = methods,
};
