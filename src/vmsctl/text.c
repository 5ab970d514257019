/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Unit {
    const char *name;
    double factor;
} Unit;

static bool
parse(const char *text, const Unit *units, guint64 *value)
{
    char *end = NULL;

    if (!g_ascii_isdigit(*text))
        return false;
    errno = 0;
    double number = g_ascii_strtod(text, &end);
    for (; errno == 0 && units->name; units++) {
        double result = number * units->factor;

        if (g_ascii_strcasecmp(end, units->name) != 0)
            continue;
        if (!isfinite(result) || result >= 0x1p63)
            return false;
        *value = (guint64)llround(result);
        return true;
    }
    return false;
}

bool
text_parse_time(const char *text, guint64 *usec, GError **error)
{
    static const Unit units[] = {{"", 1e6},   {"s", 1e6},    {"ms", 1e3}, {"min", 60e6},
                                 {"m", 60e6}, {"h", 3600e6}, {0}};

    if (parse(text, units, usec))
        return true;
    failure_set(error, EXIT_USAGE, "\"%s\" is not a time; write seconds, or 500ms, 2min, 1h", text);
    return false;
}

bool
text_parse_size(const char *text, guint64 *bytes, GError **error)
{
    static const Unit units[] = {{"", 0x1p20},
                                 {"b", 1},
                                 {"k", 0x1p10},
                                 {"KiB", 0x1p10},
                                 {"M", 0x1p20},
                                 {"MiB", 0x1p20},
                                 {"G", 0x1p30},
                                 {"GiB", 0x1p30},
                                 {"T", 0x1p40},
                                 {"TiB", 0x1p40},
                                 {0}};

    if (parse(text, units, bytes))
        return true;
    failure_set(error, EXIT_USAGE, "\"%s\" is not a size; write MiB, or 512M, 4G", text);
    return false;
}

bool
text_parse_unsigned(const char *text, guint32 *number, GError **error)
{
    guint64 value;

    if (!g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT32, &value, NULL)) {
        failure_set(error, EXIT_USAGE, "\"%s\" is not a number", text);
        return false;
    }
    *number = (guint32)value;
    return true;
}

char *
text_format_time(guint64 usec)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_local((gint64)(usec / G_USEC_PER_SEC));

    return time ? g_date_time_format(time, "%a %Y-%m-%d %H:%M:%S") : g_strdup("-");
}

char *
text_format_since(guint64 usec)
{
    gint64 seconds = MAX((g_get_real_time() - (gint64)usec) / G_USEC_PER_SEC, 0);

    if (seconds < 60)
        return g_strdup_printf("%ds", (int)seconds);
    if (seconds < 3600)
        return g_strdup_printf("%dmin %ds", (int)(seconds / 60), (int)(seconds % 60));
    if (seconds < 86400)
        return g_strdup_printf("%dh %dmin", (int)(seconds / 3600), (int)(seconds % 3600 / 60));
    return g_strdup_printf("%dd %dh", (int)(seconds / 86400), (int)(seconds % 86400 / 3600));
}

char *
text_format_ago(guint64 usec)
{
    g_autofree char *since = text_format_since(usec);

    return g_str_equal(since, "0s") ? g_strdup("now") : g_strconcat(since, " ago", NULL);
}

char *
text_format_size(guint64 bytes)
{
    static const char units[] = "BKMGTPE";
    double number = (double)bytes;
    unsigned unit = 0;

    for (; number >= 1023.95 && units[unit + 1]; unit++)
        number /= 1024;
    /* "512.0" is "512". */
    g_autofree char *text = g_strdup_printf("%.1f", number);
    if (g_str_has_suffix(text, "0"))
        text[strlen(text) - 2] = '\0';
    return g_strdup_printf("%s%c", text, units[unit]);
}
