/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "terminal-text.h"

#include <string.h>

#define ZERO_WIDTH_NON_JOINER 0x200c
#define ZERO_WIDTH_JOINER     0x200d

bool
terminal_text_is_unsafe(gunichar c)
{
    switch (g_unichar_type(c)) {
    case G_UNICODE_CONTROL:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
        return true;
    case G_UNICODE_FORMAT:
        return c != ZERO_WIDTH_NON_JOINER && c != ZERO_WIDTH_JOINER;
    default:
        return false;
    }
}

static void
append_escape(GString *out, gunichar c)
{
    if (c <= 0xff)
        g_string_append_printf(out, "\\x%02x", c);
    else if (c <= 0xffff)
        g_string_append_printf(out, "\\u%04x", c);
    else
        g_string_append_printf(out, "\\U%08x", c);
}

/* KEPT: unsafe characters that are copied nevertheless. */
static char *
escape(const char *text, const char *kept)
{
    GString *out = g_string_new(NULL);

    for (const char *p = text; *p;) {
        gunichar c = g_utf8_get_char_validated(p, -1);

        if (c == (gunichar)-1 || c == (gunichar)-2) {
            append_escape(out, (unsigned char)*p++);
            continue;
        }
        if (terminal_text_is_unsafe(c) && !(c < 0x80 && strchr(kept, (char)c)))
            append_escape(out, c);
        else
            g_string_append_unichar(out, c);
        p = g_utf8_next_char(p);
    }
    return g_string_free(out, FALSE);
}

char *
terminal_text_escape(const char *text)
{
    return escape(text, "");
}

char *
terminal_text_escape_lines(const char *text)
{
    return escape(text, "\n\t");
}

static int
cells_of(gunichar c)
{
    if (g_unichar_iszerowidth(c))
        return 0;
    return g_unichar_iswide(c) ? 2 : 1;
}

int
terminal_text_width(const char *text)
{
    int width = 0;

    for (const char *p = text; *p; p = g_utf8_next_char(p))
        width += cells_of(g_utf8_get_char(p));
    return width;
}

char *
terminal_text_cut(const char *text, int cells)
{
    const char *end = text;

    for (; *end; end = g_utf8_next_char(end)) {
        cells -= cells_of(g_utf8_get_char(end));
        if (cells < 0)
            break;
    }
    return g_strndup(text, (gsize)(end - text));
}
