/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Text from elsewhere (names, messages, XML) made safe for a terminal: the characters that a
 * terminal acts on, or that change the order or the lines of what surrounds them, are written as
 * escapes. Pure functions.
 */

#include <glib.h>
#include <stdbool.h>

/*
 * Controls (C0, DEL, C1), the separators of lines and paragraphs, and invisible format characters,
 * which include those that change the direction of writing. The two joiners are not among them:
 * Persian and Indic words and emoji need them.
 */
bool terminal_text_is_unsafe(gunichar c);

/* A copy with an escape (\x1b, \u202e) in place of each unsafe character and of each byte that is
 * not UTF-8. */
char *terminal_text_escape(const char *text);

/* The same for text of several lines: newlines and tabs stay as they are. */
char *terminal_text_escape_lines(const char *text);

/* How many cells of a terminal TEXT takes, which is valid UTF-8. */
int terminal_text_width(const char *text);

/* The longest beginning of TEXT that takes at most CELLS cells. */
char *terminal_text_cut(const char *text, int cells);
