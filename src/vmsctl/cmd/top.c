/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vmsctl top: the figures that the service sends at an interval, as a screen that is drawn again,
 * as tables or as JSON. */
#include "command.h"
#include "json.h"
#include "keyboard.h"
#include "loop.h"
#include "mirror.h"
#include "subscription.h"
#include "terminal-text.h"
#include "text.h"
#include "usage-table.h"

#include <stdio.h>
#include <unistd.h>

static char *interval;
static int iterations = G_MAXINT;
static char *sort;

static const GOptionEntry options[] = {
    {"interval", 'd', 0, G_OPTION_ARG_STRING, &interval, "Time between two tables (2)", "SECONDS"},
    {"iterations", 'n', 0, G_OPTION_ARG_INT, &iterations, "End after so many tables", "NUMBER"},
    {"sort", 's', 0, G_OPTION_ARG_STRING, &sort, "Sort by this column (cpu)", "COLUMN"},
    {NULL},
};

typedef struct Top {
    Client *client;
    char **wanted; /* paths; none: all */
    guint64 interval_usec;
    UsageOrder order;
    sd_event *loop;
    Mirror mirror;
    Subscription subscription;
    Keyboard keyboard;
    GVariant *usage; /* of the last tick; NULL before the first one */
    int shown;
    bool was_loaded;
    bool is_screen; /* one table that is drawn again, and keys */
} Top;

static const char *
manager_string(const Top *top, const char *property)
{
    const char *text =
        inventory_string(top->mirror.inventory, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, property);

    return text ? text : "";
}

static bool
is_available(const Top *top)
{
    return inventory_bool(top->mirror.inventory, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "Available");
}

/* The first line of the screen. */
static void
print_headline(const Top *top)
{
    g_autofree char *why = g_strdup_printf("%s %s", manager_string(top, "Status"),
                                           manager_string(top, "StatusMessage"));
    g_autofree char *safe = terminal_text_escape(why);

    if (!top->mirror.is_loaded)
        printf("%sThe service is away%s; it is waited for\n", term_color(STDOUT_FILENO, COLOR_RED),
               term_reset(STDOUT_FILENO));
    else if (!is_available(top))
        printf("%sVMs are not available%s: %s\n", term_color(STDOUT_FILENO, COLOR_RED),
               term_reset(STDOUT_FILENO), safe);
    else
        printf("Every %.15g s, by %s%s\n", (double)top->interval_usec / (double)G_USEC_PER_SEC,
               usage_order_name(&top->order), top->order.is_reversed ? ", reversed" : "");
}

/* A screen never wraps a line: its table would move. */
static void
draw_screen(const Top *top)
{
    bool has_keys = top->keyboard.input != NULL;
    int rows = term_lines(STDOUT_FILENO) - 4;
    g_autoptr(Table) table =
        usage_table_new(top->mirror.inventory, top->wanted, top->usage, &top->order,
                        (unsigned)MAX(rows, 1), term_columns(STDOUT_FILENO));
    g_autofree char *keys = usage_order_keys();

    (void)fputs("\033[?7l\033[H\033[J", stdout);
    print_headline(top);
    table_print(table, !top->client->options->no_legend);
    if (has_keys)
        printf("%sq quit  %s%s\n", term_color(STDOUT_FILENO, COLOR_GRAY), keys,
               term_reset(STDOUT_FILENO));
    (void)fputs("\033[?7h", stdout);
    (void)fflush(stdout);
}

static void
print_table(const Top *top)
{
    g_autoptr(Table) table =
        usage_table_new(top->mirror.inventory, top->wanted, top->usage, &top->order, 0, 0);

    if (top->shown > 0)
        putchar('\n');
    table_print(table, !top->client->options->no_legend);
    (void)fflush(stdout);
}

static GVariant *
add_vm(GVariant *figures, const char *vm)
{
    GVariantBuilder builder;
    GVariantIter iter;
    GVariant *figure;

    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&builder, "{sv}", "vm", g_variant_new_string(vm));
    g_variant_iter_init(&iter, figures);
    while ((figure = g_variant_iter_next_value(&iter))) {
        g_variant_builder_add_value(&builder, figure);
        g_variant_unref(figure);
    }
    return g_variant_builder_end(&builder);
}

/* The figures as the service sends them, with the name of each VM. */
static void
print_json(const Top *top, guint64 timestamp)
{
    GVariantBuilder builder;
    GVariantIter iter;
    const char *path;
    GVariant *figures;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("a{oa{sv}}"));
    g_variant_iter_init(&iter, top->usage);
    while (g_variant_iter_next(&iter, "{&o@a{sv}}", &path, &figures)) {
        if (!*top->wanted || g_strv_contains((const char *const *)top->wanted, path))
            g_variant_builder_add(&builder, "{o@a{sv}}", path,
                                  add_vm(figures, inventory_vm_name(top->mirror.inventory, path)));
        g_variant_unref(figures);
    }
    json_print(g_variant_new_parsed("{'timestamp': <%t>, 'usage': <%@a{oa{sv}}>}", timestamp,
                                    g_variant_builder_end(&builder)));
    (void)fflush(stdout);
}

static void
redraw(void *data)
{
    Top *top = data;

    if (top->is_screen)
        draw_screen(top);
}

static void
on_typed(char key, void *data)
{
    Top *top = data;

    if (key == 'q')
        (void)sd_event_exit(top->loop, EXIT_OK);
    else if (usage_order_type(&top->order, key))
        redraw(top);
}

static const KeyboardEvents keyboard_events = {on_typed, redraw};

/* A program that reads the tables would wait for a first one that may never come. */
static void
check_available(Top *top)
{
    g_autoptr(GError) error = NULL;

    if (top->is_screen || top->shown > 0 || is_available(top) ||
        g_str_equal(manager_string(top, "Status"), "starting"))
        return;
    failure_set(&error, EXIT_NOT_AVAILABLE, "VMs are not available: %s",
                manager_string(top, "StatusMessage"));
    (void)sd_event_exit(top->loop, (int)failure_report(NULL, error));
}

static void
on_loaded(void *data)
{
    Top *top = data;

    top->was_loaded = true;
    subscription_start(&top->subscription);
    check_available(top);
    redraw(top);
}

static void
on_changed(const char *path, void *data)
{
    if (!g_str_equal(path, VMS_ROOT_PATH))
        return;
    check_available(data);
    redraw(data);
}

static void
on_signalled(const char *member, GVariant *body, void *data)
{
    Top *top = data;
    guint64 timestamp;

    if (!g_str_equal(member, "Usage") ||
        !g_variant_is_of_type(body, G_VARIANT_TYPE("(ta{oa{sv}})")))
        return;
    g_clear_pointer(&top->usage, g_variant_unref);
    g_variant_get(body, "(t@a{oa{sv}})", &timestamp, &top->usage);
    if (top->client->options->json)
        print_json(top, timestamp);
    else if (top->is_screen)
        draw_screen(top);
    else
        print_table(top);
    if (++top->shown == iterations)
        (void)sd_event_exit(top->loop, EXIT_OK);
}

static void
on_left(void *data)
{
    Top *top = data;

    subscription_stop(&top->subscription);
    g_clear_pointer(&top->usage, g_variant_unref);
    redraw(top);
}

static void
on_failed(const GError *error, void *data)
{
    Top *top = data;

    /* A service that was there before is waited for. */
    if (!top->was_loaded)
        (void)sd_event_exit(top->loop, (int)failure_report(NULL, error));
}

static void
on_refused(const GError *error, void *data)
{
    Top *top = data;

    /* A service that ends before it answers is waited for, too. */
    if (top->shown == 0 && error->code != EXIT_NOT_AVAILABLE)
        (void)sd_event_exit(top->loop, (int)failure_report(NULL, error));
}

static const MirrorEvents mirror_events = {on_loaded, on_changed, on_signalled, on_left, on_failed};

static ExitStatus
run_loop(Top *top)
{
    g_autoptr(GError) error = NULL;
    ExitStatus status;

    if (!subscription_open(&top->subscription, top->client, top->loop, top->interval_usec,
                           on_refused, top, &error) ||
        !mirror_open(&top->mirror, top->client, top->loop, &mirror_events, top, &error))
        return failure_report(NULL, error);
    if (top->is_screen)
        keyboard_open(&top->keyboard, top->loop, &keyboard_events, top);
    status = loop_run(top->client, top->loop);
    keyboard_close(&top->keyboard);
    /* Without a number of tables nothing else ends this command. */
    return status == EXIT_INTERRUPTED ? EXIT_OK : status;
}

static bool
parse_options(Top *top, GError **error)
{
    if (interval && !text_parse_time(interval, &top->interval_usec, error))
        return false;
    if (iterations < 1) {
        failure_set(error, EXIT_USAGE, "The number of tables must be at least 1");
        return false;
    }
    return usage_order_parse(&top->order, sort ? sort : "cpu", error);
}

static ExitStatus
run_top(Client *client, const Command *command, char **arguments)
{
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) wanted = NULL;
    Top top = {.client = client, .interval_usec = 2 * (guint64)G_USEC_PER_SEC};

    if (!parse_options(&top, &error))
        return failure_report(NULL, error);
    wanted = client_find_vms(client, arguments, &error);
    if (!wanted)
        return failure_report(NULL, error);
    top.wanted = wanted;
    top.is_screen = term_is_fancy(STDOUT_FILENO) && !client->options->json;
    top.loop = loop_new(&error);

    ExitStatus status = top.loop ? run_loop(&top) : failure_report(NULL, error);
    subscription_close(&top.subscription);
    mirror_close(&top.mirror);
    g_clear_pointer(&top.usage, g_variant_unref);
    sd_event_unref(top.loop);
    return status;
}

const Command command_top = {run_top, options, NULL};
