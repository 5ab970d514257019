/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The line that shows how far a job has come. */
#pragma once

#include <glib.h>

/*
 * "[====>    ]  42%    7 s  TEXT", cut to COLUMNS cells, as a line that wraps could not be erased.
 * DONE is 0 to 1; below 0, where it is unknown, something moves with the time that has ELAPSED.
 */
char *progress_format(double done, gint64 elapsed_usec, const char *text, int columns);
