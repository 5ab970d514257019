/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A new password, which the user types twice on the terminal without seeing it, or which is the
 * first line of standard input where that is no terminal.
 */
#pragma once

#include "failure.h"

#include <stdbool.h>

/*
 * ABOUT is said on the terminal. EXIT_INTERRUPTED if vmsctl is told to end meanwhile; the terminal
 * is then as it was. Freed with password_free().
 */
char *password_read(const char *about, bool may_ask, GError **error);

/* Erases it, too. */
void password_free(char *password);
