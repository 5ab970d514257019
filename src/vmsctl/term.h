/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The terminal: whether a descriptor is one, its colours and its size. */
#pragma once

#include <stdbool.h>

typedef enum Color {
    COLOR_NONE,
    COLOR_BOLD,
    COLOR_GREEN,
    COLOR_YELLOW,
    COLOR_RED,
    COLOR_GRAY,
} Color;

/* Can FD show colours and lines that are drawn again? Never where NO_COLOR is set. */
bool term_is_fancy(int fd);
bool term_is_unicode(void);

/* Escape sequence for FD, empty where there are no colours. */
const char *term_color(int fd, Color color);
const char *term_reset(int fd);

int term_columns(int fd);
int term_lines(int fd);

/* The colour of a VM's state. */
Color term_state_color(const char *state);
