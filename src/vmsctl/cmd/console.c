/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vmsctl console: joins the terminal, in raw mode, and the descriptor from OpenConsole. Each
 * direction has its own buffer, so that a guest that does not read cannot stop its own output.
 */
#include "command.h"
#include "flags.h"
#include "terminal-text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#define ESCAPE 0x1d /* ^] */

static gboolean want_force;

static const GOptionEntry options[] = {
    {"force", 0, 0, G_OPTION_ARG_NONE, &want_force,
     "Take the console over from whoever has it open", NULL},
    {NULL},
};

typedef struct Pipe {
    int from, to;
    char data[16384];
    size_t start, length;
    bool is_ended; /* nothing more comes in */
} Pipe;

/* A descriptor that is readable once vmsctl is told to end, so that poll() misses no signal. */
static int
open_signals(void)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &signals, SFD_CLOEXEC);
}

/* Keeps the settings of before in SAVED. */
static bool
make_raw(struct termios *saved)
{
    struct termios raw;

    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, saved) < 0)
        return false;
    raw = *saved;
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

/* Writes once, as much as poll() says a pipe takes without blocking; false if there is no reader.
 */
static bool
drain(Pipe *way)
{
    ssize_t n = write(way->to, way->data + way->start, MIN(way->length, PIPE_BUF));

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

/*
 * Returns when the guest's end is closed, when ^] is typed, or when one of SIGNALS comes: then
 * false.
 */
static bool
bridge(int console, int signals, bool has_escape)
{
    Pipe keys = {.from = STDIN_FILENO, .to = console};
    Pipe screen = {.from = console, .to = STDOUT_FILENO};
    bool is_leaving = false;

    while (!(screen.is_ended && screen.length == 0) && !(is_leaving && keys.length == 0)) {
        struct pollfd fds[] = {
            {.fd = STDIN_FILENO, .events = wanted(&keys, true)},
            {.fd = console, .events = wanted(&keys, false)},
            {.fd = console, .events = wanted(&screen, true)},
            {.fd = STDOUT_FILENO, .events = wanted(&screen, false)},
            {.fd = signals, .events = POLLIN},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
            if (fds[i].events == 0)
                fds[i].fd = -1;
        if (poll(fds, G_N_ELEMENTS(fds), -1) < 0)
            continue;
        if (is_ready(&fds[4]))
            return false;
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
    return true;
}

static int
open_console(Client *client, char **arguments, GError **error)
{
    const char *device = arguments[1] ? arguments[1] : "";
    g_autofree char *path = NULL;
    g_autoptr(GVariant) reply = NULL;
    gint32 fd = -1;
    static const Flag flags[] = {{"force", &want_force}, {NULL}};

    if (client->options->host) {
        failure_set(error, EXIT_NOT_OFFERED,
                    "A console cannot be opened from another host; log in there first");
        return -1;
    }
    path = client_find_vm(client, arguments[0], error);
    if (!path)
        return -1;
    g_autoptr(GVariantBuilder) builder = flags_build(flags);
    reply = client_change(client, path, VMS_DISPLAY_INTERFACE, "OpenConsole",
                          g_variant_new("(sa{sv})", device, builder), error);
    if (reply)
        g_variant_get(reply, "(h)", &fd);
    return fd;
}

static ExitStatus
run(Client *client, const Command *command, char **arguments)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *vm = terminal_text_escape(arguments[0]);
    int console = open_console(client, arguments, &error);
    struct termios saved;

    if (console < 0)
        return failure_report(arguments[0], error);

    (void)fcntl(console, F_SETFL, fcntl(console, F_GETFL) | O_NONBLOCK);
    int signals = open_signals();
    if (isatty(STDIN_FILENO))
        fprintf(stderr, "Connected to %s; ^] leaves.\n", vm);
    bool is_raw = make_raw(&saved);
    bool is_over = bridge(console, signals, is_raw);

    if (is_raw) {
        (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
        (void)fputc('\n', stderr);
    }
    (void)close(signals);
    (void)close(console);
    return is_over ? EXIT_OK : EXIT_INTERRUPTED;
}

const Command command_console = {.run = run, .options = options};
