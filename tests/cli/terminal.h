/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A program in a pseudo terminal of 80 × 25, as a user sees it: what it writes is collected, what
 * is typed goes in. Every wait has a deadline, at which the test aborts and prints the output.
 */

#include <glib.h>

typedef struct Terminal Terminal;

Terminal *terminal_spawn(const char *const *argv);
/* Kills the program if it still lives. */
void terminal_free(Terminal *t);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Terminal, terminal_free)

void terminal_type(Terminal *t, const char *text);
/* Until TEXT is among what was written since the last such call. */
void terminal_expect(Terminal *t, const char *text);
/* Its exit status, or minus the signal that killed it. */
int terminal_wait(Terminal *t);
/* All that it has written so far. */
const char *terminal_output(const Terminal *t);
/* Is the terminal as it was at the beginning (that is, not raw)? */
gboolean terminal_is_cooked(const Terminal *t);
