/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vmsctl service and vmsctl reconnect: the service itself, and what it is connected to. */
#include "json.h"
#include "term.h"
#include "text.h"
#include "verb.h"

#include <stdio.h>
#include <unistd.h>

typedef struct Advice {
    const char *status;
    Color color;
    const char *next;
} Advice;

static const Advice advices[] = {
    {"starting", COLOR_YELLOW, "the first attempt to connect is under way"},
    {"available", COLOR_GREEN, NULL},
    {"stopped", COLOR_YELLOW,
     "nothing listens there: the service connects as soon as the hypervisor's daemon comes up,\n"
     "and tries by itself at least every 10 s and at every call (is libvirtd started?)"},
    {"unreachable", COLOR_RED,
     "the daemon hangs, is slow or was lost: the service tries again at least every 10 s, and at\n"
     "every call"},
    {"denied", COLOR_RED,
     "the service's user may not use it: see the polkit rule for libvirt, or the socket's group;\n"
     "the service tries again at least every 10 s, and at every call"},
    {"failed", COLOR_RED,
     "see the message: this may not pass by itself; the service tries again at least every 10 s,\n"
     "and at every call"},
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

static const char *
get_string(GVariant *properties, const char *name)
{
    const char *text = "";

    (void)g_variant_lookup(properties, name, "&s", &text);
    return text;
}

static void
print_line(const char *label, const char *value)
{
    g_autofree char *safe = term_safe(value);

    if (*value)
        printf("%12s: %s\n", label, safe);
}

static void
print_indented(const char *label, const char *lines)
{
    g_auto(GStrv) parts = g_strsplit(lines, "\n", -1);

    for (char **part = parts; *part; part++)
        printf("%12s%s%s\n", part == parts ? label : "", part == parts ? ": " : "  ", *part);
}

static void
print_service(Client *client, GVariant *properties)
{
    const char *status = get_string(properties, "Status");
    const Advice *advice = find_advice(status);
    guint64 since = 0, stop_timeout = 0;

    (void)g_variant_lookup(properties, "StatusSince", "t", &since);
    (void)g_variant_lookup(properties, "StopTimeoutUSec", "t", &stop_timeout);
    g_autofree char *time = text_format_time(since);
    g_autofree char *ago = text_format_ago(since);
    g_autofree char *wait = g_strdup_printf("%.15g s, then Stop cuts the power",
                                            (double)stop_timeout / (double)G_USEC_PER_SEC);
    g_autofree char *hypervisor =
        g_strstrip(g_strjoin(" ", get_string(properties, "HypervisorType"),
                             get_string(properties, "HypervisorVersion"), NULL));

    printf("%s%s%s %s %s\n", term_color(STDOUT_FILENO, advice->color),
           term_is_unicode() ? "●" : "*", term_reset(STDOUT_FILENO), client->service,
           get_string(properties, "Version"));
    print_line("URI", get_string(properties, "Uri"));
    printf("%12s: %s%s%s since %s; %s\n", "Status", term_color(STDOUT_FILENO, advice->color),
           status, term_reset(STDOUT_FILENO), time, ago);
    print_line("Reason", get_string(properties, "StatusMessage"));
    if (advice->next)
        print_indented("Next", advice->next);
    print_line("Host", get_string(properties, "Hostname"));
    print_line("Hypervisor", hypervisor);
    print_line("libvirt", get_string(properties, "LibvirtVersion"));
    print_line("Stop waits", wait);
}

VERB(verb_service)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        client_read(client, VMS_ROOT_PATH, "org.freedesktop.DBus.Properties", "GetAll",
                    g_variant_new("(s)", VMS_MANAGER_INTERFACE), &error);

    if (!reply)
        return failure_report(NULL, error);

    g_autoptr(GVariant) properties = g_variant_get_child_value(reply, 0);
    gboolean is_available = FALSE;
    (void)g_variant_lookup(properties, "Available", "b", &is_available);
    if (client->options->json)
        json_print(properties);
    else
        print_service(client, properties);
    return is_available ? EXIT_OK : EXIT_NOT_AVAILABLE;
}

VERB(verb_reconnect)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        client_change(client, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "Reconnect", NULL, &error);

    return reply ? EXIT_OK : failure_report(NULL, error);
}
