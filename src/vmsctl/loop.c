/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop.h"

#include <signal.h>

static int
on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *data)
{
    return sd_event_exit(sd_event_source_get_event(source), EXIT_INTERRUPTED);
}

static int
add_signals(sd_event *loop)
{
    sigset_t signals;
    int r;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);

    r = sd_event_add_signal(loop, NULL, SIGINT, on_signal, NULL);
    return r < 0 ? r : sd_event_add_signal(loop, NULL, SIGTERM, on_signal, NULL);
}

sd_event *
loop_new(GError **error)
{
    sd_event *loop = NULL;
    int r = sd_event_new(&loop);

    if (r >= 0)
        r = add_signals(loop);
    if (r < 0) {
        failure_set(error, EXIT_FAILED, "Cannot wait for events: %s", g_strerror(-r));
        return sd_event_unref(loop);
    }
    return loop;
}

bool
loop_attach(sd_event *loop, Client *client, sd_bus_message_handler_t lost, void *data,
            GError **error)
{
    int r = sd_bus_attach_event(client->bus, loop, SD_EVENT_PRIORITY_NORMAL);

    if (r >= 0)
        r = sd_bus_match_signal(client->bus, NULL, "org.freedesktop.DBus.Local",
                                "/org/freedesktop/DBus/Local", "org.freedesktop.DBus.Local",
                                "Disconnected", lost, data);
    if (r < 0)
        failure_set(error, EXIT_FAILED, "Cannot wait for messages: %s", g_strerror(-r));
    return r >= 0;
}

int
loop_end(sd_bus_message *message, void *data, sd_bus_error *error)
{
    g_autoptr(GError) lost =
        g_error_new_literal(VMSCTL_ERROR, EXIT_NOT_AVAILABLE, "The connection to the bus is lost");

    return sd_event_exit(data, (int)failure_report(NULL, lost));
}

ExitStatus
loop_run(Client *client, sd_event *loop)
{
    int r = sd_event_loop(loop);

    if (client->bus)
        (void)sd_bus_detach_event(client->bus);
    return r < 0 ? EXIT_FAILED : (ExitStatus)r;
}
