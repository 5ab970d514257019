/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers, sizes and times as people write and read them. */
#pragma once

#include "failure.h"

#include <stdbool.h>

/* "10", "1.5", "90s", "2min", "1h" in µs. */
bool text_parse_time(const char *text, guint64 *usec, GError **error);
/* "512" (MiB), "512M", "4G", "4GiB" in bytes. */
bool text_parse_size(const char *text, guint64 *bytes, GError **error);
bool text_parse_unsigned(const char *text, guint32 *number, GError **error);

/* "Sun 2026-11-22 22:01:06", local time. */
char *text_format_time(guint64 usec);
/* "3min 5s", from USEC (since the epoch) to now */
char *text_format_since(guint64 usec);
/* "3min 5s ago" */
char *text_format_ago(guint64 usec);
/* "512M", "1.5G": one word, with at most one decimal, as the sizes that are read. */
char *text_format_size(guint64 bytes);
