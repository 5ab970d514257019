/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "json.h"

#include "terminal-text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* JSON can write every character as an escape, so nothing is lost. */
static void
append_escape(GString *out, gunichar c)
{
    if (c > 0xffff)
        g_string_append_printf(out, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10),
                               0xdc00 + (c & 0x3ff));
    else
        g_string_append_printf(out, "\\u%04x", c);
}

static void
append_string(GString *out, const char *text)
{
    g_string_append_c(out, '"');
    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);

        if (c == '"' || c == '\\')
            g_string_append_printf(out, "\\%c", (char)c);
        else if (c == '\n')
            g_string_append(out, "\\n");
        else if (c == '\t')
            g_string_append(out, "\\t");
        else if (terminal_text_is_unsafe(c))
            append_escape(out, c);
        else
            g_string_append_unichar(out, c);
    }
    g_string_append_c(out, '"');
}

static void
append_double(GString *out, double number)
{
    char buffer[G_ASCII_DTOSTR_BUF_SIZE];

    if (isfinite(number))
        g_string_append(out, g_ascii_dtostr(buffer, sizeof buffer, number));
    else
        g_string_append(out, "null");
}

static void append_value(GString *out, GVariant *value);

static void
append_members(GString *out, GVariant *value)
{
    GVariantIter iter;
    GVariant *entry;
    bool first = true;

    g_string_append_c(out, '{');
    g_variant_iter_init(&iter, value);
    while ((entry = g_variant_iter_next_value(&iter))) {
        g_autoptr(GVariant) key = g_variant_get_child_value(entry, 0);
        g_autoptr(GVariant) member = g_variant_get_child_value(entry, 1);

        if (!first)
            g_string_append_c(out, ',');
        first = false;
        append_string(out, g_variant_get_string(key, NULL));
        g_string_append_c(out, ':');
        append_value(out, member);
        g_variant_unref(entry);
    }
    g_string_append_c(out, '}');
}

static void
append_elements(GString *out, GVariant *value)
{
    GVariantIter iter;
    GVariant *element;
    bool first = true;

    g_string_append_c(out, '[');
    g_variant_iter_init(&iter, value);
    while ((element = g_variant_iter_next_value(&iter))) {
        if (!first)
            g_string_append_c(out, ',');
        first = false;
        append_value(out, element);
        g_variant_unref(element);
    }
    g_string_append_c(out, ']');
}

static bool
is_object(GVariant *value)
{
    const char *type = g_variant_get_type_string(value);

    return g_str_has_prefix(type, "a{s") || g_str_has_prefix(type, "a{o");
}

static void
append_value(GString *out, GVariant *value)
{
    switch (g_variant_classify(value)) {
    case G_VARIANT_CLASS_BOOLEAN:
        g_string_append(out, g_variant_get_boolean(value) ? "true" : "false");
        return;
    case G_VARIANT_CLASS_BYTE:
        g_string_append_printf(out, "%u", g_variant_get_byte(value));
        return;
    case G_VARIANT_CLASS_INT16:
        g_string_append_printf(out, "%d", g_variant_get_int16(value));
        return;
    case G_VARIANT_CLASS_UINT16:
        g_string_append_printf(out, "%u", g_variant_get_uint16(value));
        return;
    case G_VARIANT_CLASS_INT32:
        g_string_append_printf(out, "%d", g_variant_get_int32(value));
        return;
    case G_VARIANT_CLASS_UINT32:
        g_string_append_printf(out, "%u", g_variant_get_uint32(value));
        return;
    case G_VARIANT_CLASS_INT64:
        g_string_append_printf(out, "%" PRId64, g_variant_get_int64(value));
        return;
    case G_VARIANT_CLASS_UINT64:
        g_string_append_printf(out, "%" PRIu64, g_variant_get_uint64(value));
        return;
    case G_VARIANT_CLASS_DOUBLE:
        append_double(out, g_variant_get_double(value));
        return;
    case G_VARIANT_CLASS_STRING:
    case G_VARIANT_CLASS_OBJECT_PATH:
    case G_VARIANT_CLASS_SIGNATURE:
        append_string(out, g_variant_get_string(value, NULL));
        return;
    case G_VARIANT_CLASS_VARIANT: {
        g_autoptr(GVariant) inner = g_variant_get_variant(value);

        append_value(out, inner);
        return;
    }
    case G_VARIANT_CLASS_ARRAY:
        if (is_object(value))
            append_members(out, value);
        else
            append_elements(out, value);
        return;
    case G_VARIANT_CLASS_TUPLE:
    case G_VARIANT_CLASS_DICT_ENTRY:
        append_elements(out, value);
        return;
    case G_VARIANT_CLASS_HANDLE:
    case G_VARIANT_CLASS_MAYBE:
    default:
        g_string_append(out, "null");
        return;
    }
}

char *
json_format(GVariant *value)
{
    GString *out = g_string_new(NULL);

    append_value(out, value);
    return g_string_free(out, FALSE);
}

void
json_print(GVariant *value)
{
    g_autoptr(GVariant) held = g_variant_ref_sink(value);
    g_autofree char *line = json_format(held);

    puts(line);
}
