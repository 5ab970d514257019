/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The terminal: whether there is one, its colours, the width of text on it, and text made safe for
 * it. Names and messages come from elsewhere and may hold control characters.
 */
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

/* Colours and moving lines are for a terminal that can show them; NO_COLOR is honoured. */
bool term_is_fancy(int fd);
bool term_is_unicode(void);

/* Escape sequence for FD, empty where there are no colours. */
const char *term_color(int fd, Color color);
const char *term_reset(int fd);

/* A copy with every control character, and every byte that is no UTF-8, written as an escape. */
char *term_safe(const char *text);

/* The cells that TEXT takes. */
int term_width(const char *text);

int term_columns(int fd);
int term_lines(int fd);

/* The colour of a VM's state. */
Color term_state_color(const char *state);
