/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "utf8.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

static bool
is_noncharacter(gunichar c)
{
    return (c >= 0xfdd0 && c <= 0xfdef) || (c & 0xfffe) == 0xfffe;
}

static bool
is_clean(const char *text)
{
    for (; *text; text = g_utf8_next_char(text))
        if (is_noncharacter(g_utf8_get_char(text)))
            return false;
    return true;
}

char *
utf8_for_bus(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text ? text : "", -1);

    if (is_clean(valid))
        return g_steal_pointer(&valid);

    GString *clean = g_string_new(NULL);
    for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
        if (is_noncharacter(g_utf8_get_char(p)))
            g_string_append(clean, REPLACEMENT);
        else
            g_string_append_len(clean, p, g_utf8_next_char(p) - p);
    }
    return g_string_free(clean, FALSE);
}

size_t
utf8_prefix(const char *text, size_t max)
{
    size_t length = strnlen(text, max + 1);

    if (length <= max)
        return length;
    for (length = max; length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80;)
        length--;
    return length;
}
