/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "usage-table.h"

#include "terminal-text.h"
#include "text.h"

#include <math.h>
#include <string.h>

#define BAR_WIDTH 10

typedef enum Figure {
    FIGURE_NONE, /* of columns with a text */
    FIGURE_CPU,
    FIGURE_LOAD, /* of its own vCPUs, 0 to 1 */
    FIGURE_VCPUS,
    FIGURE_MEMORY_USED,
    FIGURE_MEMORY_GIVEN,
    FIGURE_READ,
    FIGURE_WRITE,
    FIGURE_RX,
    FIGURE_TX,
    _FIGURE_MAX,
} Figure;

typedef struct Row {
    char *name;
    const char *state;
    Color color;                 /* of the state */
    double figures[_FIGURE_MAX]; /* NAN: not known */
} Row;

typedef struct Column Column;
struct Column {
    const char *name;
    const char *heading;
    void (*add)(Table *table, const Row *row, const Column *column);
    Figure figure; /* to sort by */
    char key;
};

static void
add_name(Table *table, const Row *row, const Column *column)
{
    table_add(table, COLOR_BOLD, row->name);
}

static void
add_state(Table *table, const Row *row, const Column *column)
{
    table_add(table, row->color, row->state);
}

static void
add_number(Table *table, const Row *row, const Column *column)
{
    double number = row->figures[column->figure];

    if (isnan(number))
        table_add(table, COLOR_NONE, "-");
    else if (column->figure == FIGURE_CPU)
        table_add_format(table, COLOR_NONE, "%.1f", number * 100);
    else
        table_add_format(table, COLOR_NONE, "%.0f", number);
}

static char *
format_size(double bytes)
{
    return isnan(bytes) ? g_strdup("-") : text_format_size((guint64)llround(bytes));
}

static void
add_rate(Table *table, const Row *row, const Column *column)
{
    g_autofree char *size = format_size(row->figures[column->figure]);

    table_add(table, COLOR_NONE, size);
}

static void
add_memory(Table *table, const Row *row, const Column *column)
{
    g_autofree char *used = format_size(row->figures[FIGURE_MEMORY_USED]);
    g_autofree char *given = format_size(row->figures[FIGURE_MEMORY_GIVEN]);

    table_add_format(table, COLOR_NONE, "%s/%s", used, given);
}

static void
add_bar(Table *table, const Row *row, const Column *column)
{
    const char *full = term_is_unicode() ? "█" : "#", *empty = term_is_unicode() ? "░" : ".";
    double load = row->figures[FIGURE_LOAD];
    g_autoptr(GString) bar = g_string_new(NULL);

    if (isnan(load)) {
        table_add(table, COLOR_NONE, "-");
        return;
    }
    for (int i = 0; i < BAR_WIDTH; i++)
        g_string_append(bar, i < lround(load * BAR_WIDTH) ? full : empty);
    table_add(table, load < 0.5 ? COLOR_GREEN : load < 0.85 ? COLOR_YELLOW : COLOR_RED, bar->str);
}

static const Column columns[] = {
    {"name", "NAME", add_name, FIGURE_NONE, 'n'},
    {"state", "STATE", add_state, FIGURE_NONE, 's'},
    {"cpu", ">CPU%", add_number, FIGURE_CPU, 'c'},
    {"load", "LOAD", add_bar, FIGURE_LOAD, 'l'},
    {"vcpus", ">VCPUS", add_number, FIGURE_VCPUS, 'v'},
    {"memory", ">MEMORY", add_memory, FIGURE_MEMORY_USED, 'm'},
    {"read", ">READ/s", add_rate, FIGURE_READ, 'r'},
    {"write", ">WRITE/s", add_rate, FIGURE_WRITE, 'w'},
    {"rx", ">RX/s", add_rate, FIGURE_RX, 'i'},
    {"tx", ">TX/s", add_rate, FIGURE_TX, 'o'},
};

/* Those that a narrow screen leaves out, the first ones first. */
static const char *const optional[] = {"vcpus", "state", "write", "read", "tx", "rx", "memory"};

static unsigned
find_column(const char *name)
{
    unsigned i = 0;

    while (i < G_N_ELEMENTS(columns) && !g_str_equal(columns[i].name, name))
        i++;
    return i;
}

bool
usage_order_parse(UsageOrder *order, const char *name, GError **error)
{
    g_autoptr(GString) names = g_string_new(NULL);

    *order = (UsageOrder){.column = find_column(name)};
    if (order->column < G_N_ELEMENTS(columns))
        return true;
    for (size_t i = 0; i < G_N_ELEMENTS(columns); i++)
        g_string_append_printf(names, "%s%s", i > 0 ? ", " : "", columns[i].name);
    failure_set(error, EXIT_USAGE, "\"%s\" is not a column; the columns are: %s", name, names->str);
    return false;
}

bool
usage_order_type(UsageOrder *order, char key)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(columns); i++) {
        if (columns[i].key != key)
            continue;
        order->is_reversed = order->column == i && !order->is_reversed;
        order->column = i;
        return true;
    }
    return false;
}

const char *
usage_order_name(const UsageOrder *order)
{
    return columns[order->column].name;
}

char *
usage_order_keys(void)
{
    GString *keys = g_string_new(NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(columns); i++)
        g_string_append_printf(keys, "%s%c %s", i > 0 ? "  " : "", columns[i].key, columns[i].name);
    return g_string_free(keys, FALSE);
}

static double
usage_figure(GVariant *usage, const char *key)
{
    g_autoptr(GVariant) value = usage ? g_variant_lookup_value(usage, key, NULL) : NULL;

    if (value && g_variant_is_of_type(value, G_VARIANT_TYPE_DOUBLE))
        return g_variant_get_double(value);
    if (value && g_variant_is_of_type(value, G_VARIANT_TYPE_UINT64))
        return (double)g_variant_get_uint64(value);
    return NAN;
}

static double
config_figure(const Inventory *inventory, const char *path, const char *property)
{
    guint64 number = inventory_u64(inventory, path, VMS_CONFIG_INTERFACE, property);

    return number > 0 ? (double)number : NAN;
}

/* USAGE is a{sv}; NULL: there is none. */
static Row
make_row(const Inventory *inventory, const char *path, GVariant *usage)
{
    const char *state = inventory_string(inventory, path, VMS_DOMAIN_INTERFACE, "State");
    double vcpus = config_figure(inventory, path, "VCpus");
    double cpu = usage_figure(usage, "cpu");
    gboolean is_stale = FALSE;
    Row row = {
        .name = g_strdup(inventory_vm_name(inventory, path)),
        .state = state ? state : "-",
        .color = state ? term_state_color(state) : COLOR_NONE,
        .figures = {[FIGURE_NONE] = NAN,
                    [FIGURE_CPU] = cpu,
                    [FIGURE_LOAD] = CLAMP(cpu / vcpus, 0, 1),
                    [FIGURE_VCPUS] = vcpus,
                    [FIGURE_MEMORY_USED] = usage_figure(usage, "memory_used"),
                    [FIGURE_MEMORY_GIVEN] = config_figure(inventory, path, "MemoryBytes"),
                    [FIGURE_READ] = usage_figure(usage, "disk_read"),
                    [FIGURE_WRITE] = usage_figure(usage, "disk_write"),
                    [FIGURE_RX] = usage_figure(usage, "net_rx"),
                    [FIGURE_TX] = usage_figure(usage, "net_tx")},
    };

    if (usage && g_variant_lookup(usage, "stale", "b", &is_stale) && is_stale) {
        row.state = "no answer";
        row.color = COLOR_RED;
    }
    return row;
}

static void
row_clear(void *data)
{
    g_free(((Row *)data)->name);
}

/* Rows without the figure come last, whatever the direction. */
static int
compare_figures(double left, double right, bool is_reversed)
{
    if (isnan(left) || isnan(right))
        return (isnan(left) ? 1 : 0) - (isnan(right) ? 1 : 0);
    return (left < right ? 1 : left > right ? -1 : 0) * (is_reversed ? -1 : 1);
}

static int
compare_texts(const char *left, const char *right, bool is_reversed)
{
    return is_reversed ? strcmp(right, left) : strcmp(left, right);
}

static int
compare_rows(const void *a, const void *b, void *data)
{
    const Row *left = a, *right = b;
    const UsageOrder *order = data;
    const Column *column = &columns[order->column];
    int result;

    if (column->add == add_name)
        return compare_texts(left->name, right->name, order->is_reversed);
    if (column->add == add_state)
        result = compare_texts(left->state, right->state, order->is_reversed);
    else
        result = compare_figures(left->figures[column->figure], right->figures[column->figure],
                                 order->is_reversed);
    return result != 0 ? result : strcmp(left->name, right->name);
}

static bool
is_shown(const Inventory *inventory, const char *path, char **wanted)
{
    return *wanted ? g_strv_contains((const char *const *)wanted, path)
                   : inventory_vm_id(inventory, path) >= 0;
}

/* path → a{sv} */
static GHashTable *
index_usage(GVariant *usage)
{
    GHashTable *by_path =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_variant_unref);
    GVariantIter iter;
    char *path;
    GVariant *figures;

    if (!usage)
        return by_path;
    g_variant_iter_init(&iter, usage);
    while (g_variant_iter_next(&iter, "{o@a{sv}}", &path, &figures))
        g_hash_table_insert(by_path, path, figures);
    return by_path;
}

static GArray *
make_rows(const Inventory *inventory, char **wanted, GVariant *usage, const UsageOrder *order)
{
    g_autoptr(GPtrArray) paths = inventory_paths(inventory, VMS_DOMAIN_PREFIX);
    g_autoptr(GHashTable) by_path = index_usage(usage);
    GArray *rows = g_array_new(FALSE, FALSE, sizeof(Row));

    g_array_set_clear_func(rows, row_clear);
    for (unsigned i = 0; i < paths->len; i++) {
        const char *path = paths->pdata[i];

        if (!is_shown(inventory, path, wanted))
            continue;
        Row row = make_row(inventory, path, g_hash_table_lookup(by_path, path));
        g_array_append_val(rows, row);
    }
    g_array_sort_with_data(rows, compare_rows, (void *)order);
    return rows;
}

/* A long name leaves room for the figures. */
static void
cut_name(Row *row, int cells)
{
    g_autofree char *safe = terminal_text_escape(row->name);

    g_free(row->name);
    row->name = terminal_text_cut(safe, MAX(cells / 3, 1));
}

Table *
usage_table_new(const Inventory *inventory, char **wanted, GVariant *usage, const UsageOrder *order,
                unsigned rows, int cells)
{
    static const char *headings[G_N_ELEMENTS(columns) + 1];
    g_autoptr(GArray) all = make_rows(inventory, wanted, usage, order);

    for (size_t i = 0; i < G_N_ELEMENTS(columns); i++)
        headings[i] = columns[i].heading;
    Table *table = table_new(headings);
    for (unsigned i = 0; i < all->len && (rows == 0 || i < rows); i++) {
        Row *row = &g_array_index(all, Row, i);

        if (cells > 0)
            cut_name(row, cells);
        for (size_t j = 0; j < G_N_ELEMENTS(columns); j++)
            columns[j].add(table, row, &columns[j]);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(optional) && cells > 0; i++)
        if (table_width(table, true) > cells)
            table_hide(table, find_column(optional[i]));
    return table;
}
