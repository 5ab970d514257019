/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "term.h"

#include <glib.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool
term_is_fancy(int fd)
{
    const char *term = getenv("TERM");
    const char *no_color = getenv("NO_COLOR");

    if (!isatty(fd) || !term || !*term || g_str_equal(term, "dumb"))
        return false;
    return !no_color || !*no_color;
}

bool
term_is_unicode(void)
{
    return g_get_charset(NULL);
}

const char *
term_color(int fd, Color color)
{
    static const char *const sequences[] = {
        [COLOR_NONE] = "",           [COLOR_BOLD] = "\033[1m", [COLOR_GREEN] = "\033[32m",
        [COLOR_YELLOW] = "\033[33m", [COLOR_RED] = "\033[31m", [COLOR_GRAY] = "\033[90m",
    };

    return term_is_fancy(fd) ? sequences[color] : "";
}

const char *
term_reset(int fd)
{
    return term_is_fancy(fd) ? "\033[0m" : "";
}

int
term_columns(int fd)
{
    struct winsize size;

    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

int
term_lines(int fd)
{
    struct winsize size;

    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : 25;
}

Color
term_state_color(const char *state)
{
    static const struct {
        const char *state;
        Color color;
    } colors[] = {
        {"running", COLOR_GREEN},   {"idle", COLOR_GREEN},         {"paused", COLOR_YELLOW},
        {"shutdown", COLOR_YELLOW}, {"pmsuspended", COLOR_YELLOW}, {"crashed", COLOR_RED},
        {"shutoff", COLOR_GRAY},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(colors); i++)
        if (g_str_equal(state, colors[i].state))
            return colors[i].color;
    return COLOR_NONE;
}
