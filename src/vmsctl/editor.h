/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The user's editor. The text may hold passwords: it is in a file only while the editor runs, in a
 * directory that nobody else may enter, and that is removed with all that the editor has left there
 * (swap and backup files) even if vmsctl is told to end.
 */
#pragma once

#include "failure.h"

/*
 * Lets the user edit TEXT, and returns the result. SIGTERM and SIGHUP end the editor and are
 * EXIT_INTERRUPTED; what is typed on the terminal (^C) is for the editor alone.
 */
char *editor_run(const char *text, GError **error);
