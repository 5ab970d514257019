/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vmsctl top: calls GetStats at an interval and shows the differences of two replies as rates. The
 * names of the figures are libvirt's.
 */
#include "command.h"
#include "inventory.h"
#include "json.h"
#include "loop.h"
#include "table.h"
#include "text.h"
#include "value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *interval;
static int iterations = G_MAXINT;

static const GOptionEntry options[] = {
    {"interval", 'd', 0, G_OPTION_ARG_STRING, &interval, "Time between two tables (2)", "SECONDS"},
    {"iterations", 'n', 0, G_OPTION_ARG_INT, &iterations, "End after so many tables", "NUMBER"},
    {NULL},
};

typedef struct Figures {
    double cpu_nsec;
    double read_bytes, written_bytes;
    double received_bytes, sent_bytes;
    double memory_bytes;
    guint32 vcpus;
} Figures;

typedef struct Row {
    const char *path;
    Figures rates; /* per second, but memory_bytes and vcpus as they are */
    bool has_rates;
} Row;

typedef struct Top {
    Client *client;
    char **wanted; /* paths; none: all */
    sd_event *loop;
    sd_event_source *timer;
    guint64 interval_usec;
    Inventory *inventory;
    GHashTable *before; /* path → Figures */
    gint64 before_usec;
    int shown;
} Top;

static double
number(GVariant *stats, const char *name)
{
    g_autoptr(GVariant) value = g_variant_lookup_value(stats, name, NULL);

    if (!value)
        return 0;
    switch (g_variant_classify(value)) {
    case G_VARIANT_CLASS_UINT64:
        return (double)g_variant_get_uint64(value);
    case G_VARIANT_CLASS_INT64:
        return (double)g_variant_get_int64(value);
    case G_VARIANT_CLASS_UINT32:
        return g_variant_get_uint32(value);
    case G_VARIANT_CLASS_INT32:
        return g_variant_get_int32(value);
    case G_VARIANT_CLASS_DOUBLE:
        return g_variant_get_double(value);
    default:
        return 0;
    }
}

/* The sum of GROUP.0.FIELD, GROUP.1.FIELD, … */
static double
sum(GVariant *stats, const char *group, const char *field)
{
    g_autofree char *count_name = g_strconcat(group, ".count", NULL);
    unsigned count = (unsigned)number(stats, count_name);
    double total = 0;

    for (unsigned i = 0; i < count; i++) {
        g_autofree char *name = g_strdup_printf("%s.%u.%s", group, i, field);

        total += number(stats, name);
    }
    return total;
}

static Figures
read_figures(GVariant *stats)
{
    return (Figures){
        .cpu_nsec = number(stats, "cpu.time"),
        .read_bytes = sum(stats, "block", "rd.bytes"),
        .written_bytes = sum(stats, "block", "wr.bytes"),
        .received_bytes = sum(stats, "net", "rx.bytes"),
        .sent_bytes = sum(stats, "net", "tx.bytes"),
        .memory_bytes = number(stats, "balloon.current") * 1024,
        .vcpus = (guint32)number(stats, "vcpu.current"),
    };
}

/* A counter that has fallen was reset: there is no rate. */
static double
rate(double now, double before, double seconds)
{
    return now >= before && seconds > 0 ? (now - before) / seconds : 0;
}

/* libvirt may have figures of the last run. */
static bool
is_active(const Top *top, const char *path)
{
    GVariant *id = inventory_get(top->inventory, path, VMS_DOMAIN_INTERFACE, "Id");

    return id && g_variant_is_of_type(id, G_VARIANT_TYPE_INT32) && g_variant_get_int32(id) >= 0;
}

static Row
make_row(const Top *top, const char *path, const Figures *now, double seconds)
{
    const Figures *before = g_hash_table_lookup(top->before, path);
    Row row = {.path = path,
               .rates = *now,
               .has_rates = before != NULL && seconds > 0 && is_active(top, path)};

    if (!row.has_rates)
        return row;
    row.rates.cpu_nsec = rate(now->cpu_nsec, before->cpu_nsec, seconds);
    row.rates.read_bytes = rate(now->read_bytes, before->read_bytes, seconds);
    row.rates.written_bytes = rate(now->written_bytes, before->written_bytes, seconds);
    row.rates.received_bytes = rate(now->received_bytes, before->received_bytes, seconds);
    row.rates.sent_bytes = rate(now->sent_bytes, before->sent_bytes, seconds);
    return row;
}

static int
compare_rows(const void *a, const void *b, void *data)
{
    const Row *left = a, *right = b;
    const Top *top = data;
    double left_cpu = left->has_rates ? left->rates.cpu_nsec : 0;
    double right_cpu = right->has_rates ? right->rates.cpu_nsec : 0;

    if (left_cpu != right_cpu)
        return left_cpu < right_cpu ? 1 : -1;
    return strcmp(inventory_vm_name(top->inventory, left->path),
                  inventory_vm_name(top->inventory, right->path));
}

static void
add_rate(Table *table, const Row *row, double bytes)
{
    g_autofree char *size = text_format_size((guint64)llround(bytes));

    table_add(table, COLOR_NONE, row->has_rates ? size : "-");
}

static void
add_row(Table *table, const Top *top, const Row *row)
{
    const char *state = inventory_string(top->inventory, row->path, VMS_DOMAIN_INTERFACE, "State");
    g_autofree char *memory = text_format_size((guint64)row->rates.memory_bytes);

    table_add(table, COLOR_BOLD, inventory_vm_name(top->inventory, row->path));
    table_add(table, state ? term_state_color(state) : COLOR_NONE, state ? state : "-");
    if (row->has_rates)
        table_add_format(table, COLOR_NONE, "%.1f", row->rates.cpu_nsec / 1e7);
    else
        table_add(table, COLOR_NONE, "-");
    if (row->rates.vcpus > 0)
        table_add_format(table, COLOR_NONE, "%u", row->rates.vcpus);
    else
        table_add(table, COLOR_NONE, "-");
    table_add(table, COLOR_NONE, row->rates.memory_bytes > 0 ? memory : "-");
    add_rate(table, row, row->rates.read_bytes);
    add_rate(table, row, row->rates.written_bytes);
    add_rate(table, row, row->rates.received_bytes);
    add_rate(table, row, row->rates.sent_bytes);
}

static bool
is_wanted(const Top *top, const char *path)
{
    return !*top->wanted || g_strv_contains((const char *const *)top->wanted, path);
}

/* The rows of the wanted VMs; keeps the figures for the next table. */
static GArray *
make_rows(Top *top, GVariant *all)
{
    GArray *rows = g_array_new(FALSE, FALSE, sizeof(Row));
    GHashTable *now_all = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    gint64 now_usec = g_get_monotonic_time();
    double seconds = (double)(now_usec - top->before_usec) / G_USEC_PER_SEC;
    GVariantIter iter;
    const char *path;
    GVariant *stats;

    g_variant_iter_init(&iter, all);
    while (g_variant_iter_next(&iter, "{&o@a{sv}}", &path, &stats)) {
        Figures now = read_figures(stats);

        g_hash_table_insert(now_all, g_strdup(path), g_memdup2(&now, sizeof now));
        if (is_wanted(top, path)) {
            Row row = make_row(top, path, &now, seconds);

            g_array_append_val(rows, row);
        }
        g_variant_unref(stats);
    }
    g_hash_table_unref(top->before);
    top->before = now_all;
    top->before_usec = now_usec;
    g_array_sort_with_data(rows, compare_rows, top);
    return rows;
}

static void
show(Top *top, GVariant *all)
{
    static const char *const headings[] = {"NAME",    "STATE",    ">CPU%",   ">VCPUS",  ">MEMORY",
                                           ">READ/s", ">WRITE/s", ">RECV/s", ">SENT/s", NULL};
    g_autoptr(Table) table = table_new(headings);
    g_autoptr(GArray) rows = make_rows(top, all);
    unsigned count = rows->len;
    bool is_screen = term_is_fancy(STDOUT_FILENO);

    if (is_screen)
        count = MIN(count, (unsigned)MAX(term_lines(STDOUT_FILENO) - 2, 1));
    for (unsigned i = 0; i < count; i++)
        add_row(table, top, &g_array_index(rows, Row, i));
    if (is_screen)
        (void)fputs("\033[H\033[J", stdout);
    else if (top->shown > 0)
        putchar('\n');
    table_print(table, !top->client->options->no_legend);
    (void)fflush(stdout);
}

/* The figures of the wanted VMs as the service has them. */
static void
show_json(const Top *top, GVariant *all)
{
    GVariantBuilder builder;
    GVariantIter iter;
    const char *path;
    GVariant *stats;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("a{oa{sv}}"));
    g_variant_iter_init(&iter, all);
    while (g_variant_iter_next(&iter, "{&o@a{sv}}", &path, &stats)) {
        if (is_wanted(top, path))
            g_variant_builder_add(&builder, "{o@a{sv}}", path, stats);
        g_variant_unref(stats);
    }
    g_autoptr(GVariant) wanted = g_variant_ref_sink(g_variant_builder_end(&builder));
    json_print(wanted);
}

static int
on_stats(sd_bus_message *reply, void *data, sd_bus_error *unused)
{
    Top *top = data;
    int r = 0;

    if (sd_bus_message_is_method_error(reply, NULL)) {
        g_autoptr(GError) error = NULL;

        failure_from_bus(&error, sd_bus_message_get_error(reply), 0, VMS_MANAGER_INTERFACE,
                         "GetStats");
        return sd_event_exit(top->loop, (int)failure_report(NULL, error));
    }

    g_autoptr(GVariant) body = value_read_body(reply, &r);
    if (!body || !g_variant_is_of_type(body, G_VARIANT_TYPE("(a{oa{sv}})")))
        return sd_event_exit(top->loop, EXIT_FAILED);
    g_autoptr(GVariant) all = g_variant_get_child_value(body, 0);
    if (top->client->options->json)
        show_json(top, all);
    else
        show(top, all);
    (void)fflush(stdout);
    if (++top->shown == iterations)
        return sd_event_exit(top->loop, EXIT_OK);
    (void)sd_event_source_set_time_relative(top->timer, top->interval_usec);
    return sd_event_source_set_enabled(top->timer, SD_EVENT_ONESHOT);
}

/* This reply comes first, so that names and states are as old as the figures. */
static int
on_objects(sd_bus_message *reply, void *data, sd_bus_error *unused)
{
    Top *top = data;
    int r = 0;

    if (sd_bus_message_is_method_error(reply, NULL))
        return 0;
    g_autoptr(GVariant) body = value_read_body(reply, &r);
    if (body && g_variant_is_of_type(body, G_VARIANT_TYPE("(a{oa{sa{sv}}})")))
        inventory_replace(top->inventory, body);
    return 0;
}

static int
ask(Top *top)
{
    sd_bus *bus = top->client->bus;
    const char *service = top->client->service;
    int r;

    r = sd_bus_call_method_async(bus, NULL, service, VMS_ROOT_PATH,
                                 "org.freedesktop.DBus.ObjectManager", "GetManagedObjects",
                                 on_objects, top, NULL);
    if (r < 0)
        return r;
    return sd_bus_call_method_async(bus, NULL, service, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE,
                                    "GetStats", on_stats, top, "asa{sv}", 6, "state", "cpu",
                                    "balloon", "vcpu", "interface", "block", 0);
}

static int
on_timer(sd_event_source *source, uint64_t usec, void *data)
{
    return ask(data);
}

static ExitStatus
run(Top *top)
{
    g_autoptr(GError) error = NULL;
    int r;

    top->loop = loop_new(top->client, &error);
    if (!top->loop)
        return failure_report(NULL, error);
    r = sd_event_add_time_relative(top->loop, &top->timer, CLOCK_MONOTONIC, 0, 0, on_timer, top);
    if (r < 0) {
        failure_set(&error, EXIT_FAILED, "Cannot make a timer: %s", g_strerror(-r));
        return failure_report(NULL, error);
    }

    ExitStatus status = loop_run(top->client, top->loop);
    /* Without a number of tables nothing else ends this command. */
    return status == EXIT_INTERRUPTED ? EXIT_OK : status;
}

static ExitStatus
run_top(Client *client, const Command *command, char **arguments)
{
    g_autoptr(GError) error = NULL;
    Top top = {.client = client, .interval_usec = 2 * (guint64)G_USEC_PER_SEC};

    if (interval && !text_parse_time(interval, &top.interval_usec, &error))
        return failure_report(NULL, error);
    if (iterations < 1) {
        failure_set(&error, EXIT_USAGE, "The number of tables must be at least 1");
        return failure_report(NULL, error);
    }

    g_auto(GStrv) wanted = client_find_vms(client, arguments, &error);
    if (!wanted)
        return failure_report(NULL, error);
    top.wanted = wanted;
    top.interval_usec = MAX(top.interval_usec, G_USEC_PER_SEC / 10);
    top.inventory = inventory_new();
    top.before = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

    ExitStatus status = run(&top);
    sd_event_source_unref(top.timer);
    sd_event_unref(top.loop);
    g_hash_table_unref(top.before);
    inventory_free(top.inventory);
    return status;
}

const Command command_top = {run_top, options, NULL};
