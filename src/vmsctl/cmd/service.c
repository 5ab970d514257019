/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vmsctl service and vmsctl reconnect */
#include "command.h"
#include "describe.h"
#include "json.h"
#include "term.h"
#include "terminal-text.h"
#include "text.h"

#include <stdio.h>
#include <unistd.h>

static gboolean wants_debug;

static const GOptionEntry options[] = {
    {"debug", 0, 0, G_OPTION_ARG_NONE, &wants_debug,
     "Print what the service does now: calls to libvirt, and what waits (root only)", NULL},
    {NULL},
};

typedef struct Advice {
    const char *status;
    Color color;
    const char *next;
} Advice;

static const Advice advices[] = {
    {"starting", COLOR_YELLOW, "the first attempt to connect is under way"},
    {"available", COLOR_GREEN, NULL},
    {"stopped", COLOR_YELLOW,
     "nothing listens at this URI (is libvirtd started?), or the daemon was stopped.\n"
     "The service connects as soon as the daemon comes up, and at every call. A call\n"
     "starts a daemon whose sockets are not stopped: to keep libvirt stopped, do this,\n"
     "or the same for virtqemud:\n"
     "systemctl stop libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket \\\n"
     "    libvirtd.service"},
    {"unreachable", COLOR_RED,
     "the hypervisor's daemon hangs, is slow or was lost. The service tries again at\n"
     "least every 10 s and at every call"},
    {"denied", COLOR_RED,
     "the service's user may not use the hypervisor: see the polkit rule for libvirt,\n"
     "or the group of its socket. The service tries again at least every 10 s and at\n"
     "every call"},
    {"failed", COLOR_RED,
     "see the reason: this may not pass by itself. The service tries again at least\n"
     "every 10 s and at every call"},
};

static const Advice *
find_advice(const char *status)
{
    static const Advice unknown = {.status = NULL, .color = COLOR_NONE, .next = NULL};

    for (size_t i = 0; i < G_N_ELEMENTS(advices); i++)
        if (g_str_equal(advices[i].status, status))
            return &advices[i];
    return &unknown;
}

/* Safe for a terminal. */
static char *
get_string(GVariant *properties, const char *name)
{
    const char *text = "";

    (void)g_variant_lookup(properties, name, "&s", &text);
    return terminal_text_escape(text);
}

static void
print_line(const char *label, const char *text)
{
    if (*text)
        printf("%12s: %s\n", label, text);
}

static void
print_property(GVariant *properties, const char *label, const char *name)
{
    g_autofree char *text = get_string(properties, name);

    print_line(label, text);
}

static void
print_indented(const char *label, const char *lines)
{
    g_auto(GStrv) parts = g_strsplit(lines, "\n", -1);

    for (char **part = parts; *part; part++)
        printf("%12s%s%s\n", part == parts ? label : "", part == parts ? ": " : "  ", *part);
}

static void
print_status(const Client *client, GVariant *properties)
{
    g_autofree char *status = get_string(properties, "Status");
    g_autofree char *version = get_string(properties, "Version");
    const Advice *advice = find_advice(status);
    guint64 since = 0;

    (void)g_variant_lookup(properties, "StatusSince", "t", &since);
    g_autofree char *time = text_format_time(since);
    g_autofree char *ago = text_format_ago(since);

    printf("%s%s%s %s %s\n", term_color(STDOUT_FILENO, advice->color),
           term_is_unicode() ? "●" : "*", term_reset(STDOUT_FILENO), client->service, version);
    print_property(properties, "URI", "Uri");
    printf("%12s: %s%s%s since %s; %s\n", "Status", term_color(STDOUT_FILENO, advice->color),
           status, term_reset(STDOUT_FILENO), time, ago);
    print_property(properties, "Reason", "StatusMessage");
    if (advice->next)
        print_indented("Next", advice->next);
}

static void
print_service(const Client *client, GVariant *properties)
{
    guint64 stop_timeout = 0;

    (void)g_variant_lookup(properties, "StopTimeoutUSec", "t", &stop_timeout);
    g_autofree char *wait = describe_stop_timeout(stop_timeout);
    g_autofree char *type = get_string(properties, "HypervisorType");
    g_autofree char *version = get_string(properties, "HypervisorVersion");
    g_autofree char *hypervisor = g_strstrip(g_strjoin(" ", type, version, NULL));

    print_status(client, properties);
    print_property(properties, "Host", "Hostname");
    print_line("Hypervisor", hypervisor);
    print_property(properties, "libvirt", "LibvirtVersion");
    print_line("Stop waits", wait);
}

static void
print_debug_row(GVariant *row)
{
    GVariantIter iter;
    const char *key;
    GVariant *value;

    g_variant_iter_init(&iter, row);
    while (g_variant_iter_next(&iter, "{&sv}", &key, &value)) {
        g_autofree char *text = g_variant_is_of_type(value, G_VARIANT_TYPE_STRING) ||
                                        g_variant_is_of_type(value, G_VARIANT_TYPE_OBJECT_PATH)
                                    ? g_variant_dup_string(value, NULL)
                                    : g_variant_print(value, FALSE);
        g_autofree char *safe = terminal_text_escape(text);

        printf(" %s=%s", key, safe);
        g_variant_unref(value);
    }
    putchar('\n');
}

/* One line for each row, so that it can be searched. */
static void
print_debug(GVariant *state)
{
    GVariantIter iter;
    const char *key;
    GVariant *value;

    g_variant_iter_init(&iter, state);
    while (g_variant_iter_next(&iter, "{&sv}", &key, &value)) {
        g_autofree char *text = g_variant_print(value, FALSE);
        bool has_rows = g_variant_is_of_type(value, G_VARIANT_TYPE("aa{sv}"));

        for (gsize i = 0; has_rows && i < g_variant_n_children(value); i++) {
            g_autoptr(GVariant) row = g_variant_get_child_value(value, i);

            printf("%s:", key);
            print_debug_row(row);
        }
        if (!has_rows)
            printf("%s: %s\n", key, text);
        g_variant_unref(value);
    }
}

static ExitStatus
run_debug(Client *client)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        client_read(client, VMS_ROOT_PATH, VMS_DEBUG_INTERFACE, "GetState", NULL, &error);

    if (!reply)
        return failure_report(NULL, error);

    g_autoptr(GVariant) state = g_variant_get_child_value(reply, 0);
    if (client->options->json)
        json_print(state);
    else
        print_debug(state);
    return EXIT_OK;
}

static ExitStatus
run_service(Client *client, const Command *command, char **arguments)
{
    if (wants_debug)
        return run_debug(client);

    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) properties =
        client_get_all(client, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, &error);
    gboolean is_available = FALSE;

    if (!properties)
        return failure_report(NULL, error);
    (void)g_variant_lookup(properties, "Available", "b", &is_available);
    if (client->options->json)
        json_print(properties);
    else
        print_service(client, properties);
    return is_available ? EXIT_OK : EXIT_NOT_AVAILABLE;
}

static ExitStatus
run_reconnect(Client *client, const Command *command, char **arguments)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        client_change(client, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "Reconnect", NULL, &error);

    return reply ? EXIT_OK : failure_report(NULL, error);
}

const Command command_service = {.run = run_service, .options = options};
const Command command_reconnect = {.run = run_reconnect};
