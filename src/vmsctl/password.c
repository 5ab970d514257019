/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "password.h"

#include "terminal-text.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#define PASSWORD_MAX 1023 /* bytes */

void
password_free(char *password)
{
    if (password)
        explicit_bzero(password, PASSWORD_MAX + 1);
    g_free(password);
}

/* Waits for input; SIGNALS becomes readable when vmsctl is told to end. */
static bool
wait_for_input(int signals, GError **error)
{
    struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                           {.fd = signals, .events = POLLIN}};
    struct signalfd_siginfo info;

    while (poll(fds, G_N_ELEMENTS(fds), -1) < 0)
        if (errno != EINTR) {
            failure_set(error, EXIT_FAILED, "Cannot wait for input: %s", g_strerror(errno));
            return false;
        }
    if (fds[1].revents == 0)
        return true;
    (void)!read(signals, &info, sizeof info);
    failure_set(error, EXIT_INTERRUPTED, "Interrupted; nothing was changed");
    return false;
}

/* One byte; `*ret` is '\n' at the end of the input, too. */
static bool
read_byte(int signals, bool is_first, char *ret, GError **error)
{
    if (!wait_for_input(signals, error))
        return false;

    ssize_t n = read(STDIN_FILENO, ret, 1);
    if (n < 0) {
        failure_set(error, EXIT_FAILED, "Cannot read the password: %s", g_strerror(errno));
        return false;
    }
    if (n == 0 && is_first) {
        failure_set(error, EXIT_USAGE, "No password was given");
        return false;
    }
    if (n == 0)
        *ret = '\n';
    return true;
}

/* The buffer has PASSWORD_MAX + 1 bytes. */
static bool
read_line(int signals, char *line, GError **error)
{
    for (size_t length = 0; length <= PASSWORD_MAX; length++) {
        if (!read_byte(signals, length == 0, &line[length], error))
            return false;
        if (line[length] != '\n')
            continue;
        line[length] = '\0';
        if (strlen(line) == length && g_utf8_validate(line, -1, NULL))
            return true;
        failure_set(error, EXIT_USAGE, "The password is not UTF-8 text");
        return false;
    }
    failure_set(error, EXIT_USAGE, "The password is longer than %d bytes", PASSWORD_MAX);
    return false;
}

static char *
read_password(int signals, GError **error)
{
    char *line = g_malloc0(PASSWORD_MAX + 1);

    if (read_line(signals, line, error))
        return line;
    password_free(line);
    return NULL;
}

static char *
ask(const char *about, int signals, GError **error)
{
    g_autofree char *safe = terminal_text_escape(about);

    fprintf(stderr, "%s: ", safe);
    char *first = read_password(signals, error);
    if (!first)
        return NULL;
    (void)fputs("Again: ", stderr);
    char *second = read_password(signals, error);
    if (second && g_str_equal(first, second)) {
        password_free(second);
        return first;
    }
    if (second)
        failure_set(error, EXIT_USAGE, "The two passwords differ; nothing was changed");
    password_free(first);
    password_free(second);
    return NULL;
}

static char *
ask_hidden(const char *about, int signals, GError **error)
{
    struct termios saved, hidden;

    if (tcgetattr(STDIN_FILENO, &saved) < 0) {
        failure_set(error, EXIT_FAILED, "Cannot hide the password: %s", g_strerror(errno));
        return NULL;
    }
    hidden = saved;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    hidden.c_lflag |= ECHONL;
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    char *password = ask(about, signals, error);
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved);
    return password;
}

char *
password_read(const char *about, bool may_ask, GError **error)
{
    /* ^Z takes effect when the terminal is as it was. */
    static const int numbers[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGTSTP};
    bool is_terminal = isatty(STDIN_FILENO);
    sigset_t signals, before;

    if (is_terminal && !may_ask) {
        failure_set(error, EXIT_USAGE,
                    "The password has to come from standard input, as it may "
                    "not be asked for");
        return NULL;
    }
    sigemptyset(&signals);
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
        sigaddset(&signals, numbers[i]);
    (void)sigprocmask(SIG_BLOCK, &signals, &before);
    sigdelset(&signals, SIGTSTP);

    int fd = signalfd(-1, &signals, SFD_CLOEXEC);
    char *password = is_terminal ? ask_hidden(about, fd, error) : read_password(fd, error);
    (void)close(fd);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return password;
}
