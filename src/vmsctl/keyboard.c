/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keyboard.h"

#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

static void
take_terminal(const Keyboard *keyboard)
{
    struct termios settings = keyboard->before;

    settings.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    settings.c_cc[VMIN] = 1;
    settings.c_cc[VTIME] = 0;
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &settings);
}

static int
on_input(sd_event_source *source, int fd, uint32_t events, void *data)
{
    Keyboard *keyboard = data;
    char keys[64];
    ssize_t n = read(fd, keys, sizeof keys);

    if (n <= 0)
        return sd_event_source_set_enabled(source, SD_EVENT_OFF);
    /* An escape begins a key of several characters, such as an arrow. */
    for (ssize_t i = 0; i < n && keys[i] != '\033'; i++)
        keyboard->events->typed(keys[i], keyboard->data);
    return 0;
}

static int
on_redraw(sd_event_source *source, const struct signalfd_siginfo *info, void *data)
{
    Keyboard *keyboard = data;

    /* The shell has set the terminal to its own needs meanwhile. */
    if (info->ssi_signo == SIGCONT && keyboard->input)
        take_terminal(keyboard);
    keyboard->events->redraw(keyboard->data);
    return 0;
}

void
keyboard_open(Keyboard *keyboard, sd_event *loop, const KeyboardEvents *events, void *data)
{
    sigset_t signals;

    *keyboard = (Keyboard){.events = events, .data = data};
    sigemptyset(&signals);
    sigaddset(&signals, SIGCONT);
    sigaddset(&signals, SIGWINCH);
    (void)sigprocmask(SIG_BLOCK, &signals, NULL);
    (void)sd_event_add_signal(loop, NULL, SIGCONT, on_redraw, keyboard);
    (void)sd_event_add_signal(loop, NULL, SIGWINCH, on_redraw, keyboard);

    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &keyboard->before) < 0 ||
        sd_event_add_io(loop, &keyboard->input, STDIN_FILENO, EPOLLIN, on_input, keyboard) < 0)
        return;
    take_terminal(keyboard);
}

void
keyboard_close(Keyboard *keyboard)
{
    if (!keyboard->input)
        return;
    keyboard->input = sd_event_source_unref(keyboard->input);
    (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &keyboard->before);
}
