/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "terminal.h"

#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define BOUND_USEC ((gint64)30 * G_USEC_PER_SEC)

struct Terminal {
    pid_t pid;
    int fd;
    GString *output;
    gsize seen;
};

Terminal *
terminal_spawn(const char *const *argv)
{
    struct winsize size = {.ws_row = 25, .ws_col = 80};
    Terminal *t = g_new0(Terminal, 1);

    t->output = g_string_new(NULL);
    t->pid = forkpty(&t->fd, NULL, NULL, &size);
    g_assert_cmpint(t->pid, >=, 0);
    if (t->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        execvp(argv[0], (char *const *)argv);
        _exit(127);
    }
    return t;
}

void
terminal_free(Terminal *t)
{
    if (!t)
        return;
    if (t->pid > 0) {
        (void)kill(t->pid, SIGKILL);
        (void)waitpid(t->pid, NULL, 0);
    }
    close(t->fd);
    g_string_free(t->output, TRUE);
    g_free(t);
}

void
terminal_type(Terminal *t, const char *text)
{
    g_assert_cmpint(write(t->fd, text, strlen(text)), ==, (ssize_t)strlen(text));
}

/* Reads what there is, or waits for it; false at the end, which Linux tells as EIO. */
static gboolean
turn(Terminal *t, gint64 deadline, const char *what)
{
    struct pollfd fd = {.fd = t->fd, .events = POLLIN};
    gint64 left = deadline - g_get_monotonic_time();
    char buffer[4096];

    if (left <= 0 || poll(&fd, 1, (int)(left / 1000) + 1) == 0)
        g_error("not in time: %s; there was: %s", what, t->output->str);
    ssize_t n = read(t->fd, buffer, sizeof buffer);
    if (n <= 0)
        return n < 0 && errno == EINTR;
    g_string_append_len(t->output, buffer, n);
    return TRUE;
}

void
terminal_expect(Terminal *t, const char *text)
{
    gint64 deadline = g_get_monotonic_time() + BOUND_USEC;
    const char *found;

    while (!(found = strstr(t->output->str + t->seen, text)))
        if (!turn(t, deadline, text))
            g_error("the end came before \"%s\"; there was: %s", text, t->output->str);
    t->seen = (gsize)(found - t->output->str) + strlen(text);
}

int
terminal_wait(Terminal *t)
{
    gint64 deadline = g_get_monotonic_time() + BOUND_USEC;
    int status;

    while (turn(t, deadline, "the end"))
        ;
    g_assert_cmpint(waitpid(t->pid, &status, 0), ==, t->pid);
    t->pid = 0;
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

const char *
terminal_output(const Terminal *t)
{
    return t->output->str;
}

gboolean
terminal_is_cooked(const Terminal *t)
{
    struct termios settings;

    g_assert_cmpint(tcgetattr(t->fd, &settings), ==, 0);
    return (settings.c_lflag & ICANON) != 0 && (settings.c_lflag & ECHO) != 0;
}
