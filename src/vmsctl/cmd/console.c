/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vmsctl console: the descriptor that OpenConsole gives, joined with a raw terminal. Both ways are
 * buffered on their own, so that a guest that does not read cannot stop what it writes.
 */
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#define ESCAPE 0x1d /* ^] */

typedef struct Pipe {
    int from, to;
    char data[16384];
    size_t start, length;
    bool is_ended; /* nothing more comes in */
} Pipe;

static struct termios saved_terminal;
static volatile sig_atomic_t stop_signal;

static void
on_signal(int number)
{
    stop_signal = number;
}

/* Without SA_RESTART: poll() is to return. */
static void
catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};

    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGHUP, &action, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

static bool
make_raw(void)
{
    struct termios raw;

    if (tcgetattr(STDIN_FILENO, &saved_terminal) < 0)
        return false;
    raw = saved_terminal;
    cfmakeraw(&raw);
    return tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

static bool
is_passing(void)
{
    return errno == EAGAIN || errno == EINTR;
}

/* Reads once. */
static void
fill(Pipe *way)
{
    ssize_t n = read(way->from, way->data, sizeof way->data);

    if (n < 0 && is_passing())
        return;
    if (n <= 0) {
        way->is_ended = true;
        return;
    }
    way->start = 0;
    way->length = (size_t)n;
}

/* Writes once; false if nobody takes it any more. */
static bool
drain(Pipe *way)
{
    ssize_t n = write(way->to, way->data + way->start, way->length);

    if (n < 0)
        return is_passing();
    way->start += (size_t)n;
    way->length -= (size_t)n;
    return true;
}

/* Cuts the input at the escape character; true if it is there. */
static bool
cut_at_escape(Pipe *keys)
{
    const char *found = memchr(keys->data + keys->start, ESCAPE, keys->length);

    if (!found)
        return false;
    keys->length = (size_t)(found - (keys->data + keys->start));
    keys->is_ended = true;
    return true;
}

static short
wanted(const Pipe *way, bool for_reading)
{
    if (for_reading)
        return way->length == 0 && !way->is_ended ? POLLIN : 0;
    return way->length > 0 ? POLLOUT : 0;
}

static bool
is_ready(const struct pollfd *fd)
{
    return fd->events != 0 && (fd->revents & (fd->events | POLLHUP | POLLERR)) != 0;
}

/* Until the guest's end is closed, ^] is typed or a signal comes. */
static void
bridge(int console, bool has_escape)
{
    Pipe keys = {.from = STDIN_FILENO, .to = console};
    Pipe screen = {.from = console, .to = STDOUT_FILENO};
    bool is_leaving = false;

    while (!stop_signal && !(screen.is_ended && screen.length == 0) &&
           !(is_leaving && keys.length == 0)) {
        struct pollfd fds[] = {
            {.fd = STDIN_FILENO, .events = wanted(&keys, true)},
            {.fd = console, .events = wanted(&keys, false)},
            {.fd = console, .events = wanted(&screen, true)},
            {.fd = STDOUT_FILENO, .events = wanted(&screen, false)},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
            if (fds[i].events == 0)
                fds[i].fd = -1;
        if (poll(fds, G_N_ELEMENTS(fds), -1) < 0)
            continue;
        if (is_ready(&fds[0])) {
            fill(&keys);
            is_leaving = has_escape && cut_at_escape(&keys);
        }
        if (is_ready(&fds[1]) && !drain(&keys))
            break;
        if (is_ready(&fds[2]))
            fill(&screen);
        if (is_ready(&fds[3]) && !drain(&screen))
            break;
    }
}

static int
open_console(Client *client, char **arguments, GError **error)
{
    const char *device = arguments[1] ? arguments[1] : "";
    g_autofree char *path = NULL;
    g_autoptr(GVariant) reply = NULL;
    gint32 fd = -1;

    if (client->options->host) {
        failure_set(error, EXIT_NOT_OFFERED,
                    "A console cannot be opened from another host; log in there first");
        return -1;
    }
    path = client_find_vm(client, arguments[0], error);
    if (!path)
        return -1;
    reply = client_change(client, path, VMS_DISPLAY_INTERFACE, "OpenConsole",
                          g_variant_new("(s)", device), error);
    if (reply)
        g_variant_get(reply, "(h)", &fd);
    return fd;
}

static ExitStatus
run(Client *client, const Command *command, char **arguments)
{
    g_autoptr(GError) error = NULL;
    int console = open_console(client, arguments, &error);
    bool is_terminal = isatty(STDIN_FILENO);

    if (console < 0)
        return failure_report(arguments[0], error);

    (void)fcntl(console, F_SETFL, fcntl(console, F_GETFL) | O_NONBLOCK);
    catch_signals();
    if (is_terminal) {
        fprintf(stderr, "Connected to %s; ^] leaves.\n", arguments[0]);
        is_terminal = make_raw();
    }
    bridge(console, is_terminal);
    if (is_terminal) {
        (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &saved_terminal);
        (void)fputc('\n', stderr);
    }
    (void)close(console);
    return stop_signal ? EXIT_INTERRUPTED : EXIT_OK;
}

const Command command_console = {.run = run};
