/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "canonical.h"

#include <glib.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

static char *print_one(sd_bus_message *m, bool bare);

static int
compare_texts(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *
quoted(const char *text)
{
    g_autofree char *escaped = g_strescape(text, NULL);

    return g_strconcat("\"", escaped, "\"", NULL);
}

static GPtrArray *
print_all(sd_bus_message *m)
{
    GPtrArray *texts = g_ptr_array_new_with_free_func(g_free);

    while (sd_bus_message_at_end(m, false) == 0)
        g_ptr_array_add(texts, print_one(m, false));
    return texts;
}

static char *
join(GPtrArray *texts, const char *open, const char *separator, const char *close)
{
    g_autoptr(GString) s = g_string_new(open);

    for (guint i = 0; i < texts->len; i++)
        g_string_append_printf(s, "%s%s", i ? separator : "", (char *)texts->pdata[i]);
    g_string_append(s, close);
    return g_string_free(g_steal_pointer(&s), FALSE);
}

static char *
print_container(sd_bus_message *m, char type, const char *content, bool bare)
{
    g_autoptr(GPtrArray) texts = NULL;

    g_assert_cmpint(sd_bus_message_enter_container(m, type, content), >=, 0);
    if (type == SD_BUS_TYPE_VARIANT && bare) {
        char *text = print_one(m, true);
        g_assert_cmpint(sd_bus_message_exit_container(m), >=, 0);
        return text;
    }
    texts = print_all(m);
    g_assert_cmpint(sd_bus_message_exit_container(m), >=, 0);
    switch (type) {
    case SD_BUS_TYPE_ARRAY:
        if (*content != '{')
            return join(texts, "[", ", ", "]");
        g_ptr_array_sort(texts, compare_texts);
        return join(texts, "{", ", ", "}");
    case SD_BUS_TYPE_STRUCT:
        return join(texts, "(", ", ", ")");
    case SD_BUS_TYPE_DICT_ENTRY:
        return join(texts, "", ": ", "");
    case SD_BUS_TYPE_VARIANT:
        return join(texts, "<", "", ">");
    default:
        g_assert_not_reached();
    }
}

static char *
print_basic(sd_bus_message *m, char type, bool bare)
{
    union {
        const char *s;
        uint8_t y;
        int b;
        int16_t n;
        uint16_t q;
        int32_t i;
        uint32_t u;
        int64_t x;
        uint64_t t;
        double d;
    } v;

    g_assert_cmpint(sd_bus_message_read_basic(m, type, &v), >, 0);
    switch (type) {
    case SD_BUS_TYPE_STRING:
    case SD_BUS_TYPE_OBJECT_PATH:
    case SD_BUS_TYPE_SIGNATURE:
        return bare ? g_strdup(v.s) : quoted(v.s);
    case SD_BUS_TYPE_BYTE:
        return g_strdup_printf("%u", v.y);
    case SD_BUS_TYPE_BOOLEAN:
        return g_strdup(v.b ? "true" : "false");
    case SD_BUS_TYPE_INT16:
        return g_strdup_printf("%d", v.n);
    case SD_BUS_TYPE_UINT16:
        return g_strdup_printf("%u", v.q);
    case SD_BUS_TYPE_INT32:
        return g_strdup_printf("%" PRIi32, v.i);
    case SD_BUS_TYPE_UINT32:
        return g_strdup_printf("%" PRIu32, v.u);
    case SD_BUS_TYPE_INT64:
        return g_strdup_printf("%" PRIi64, v.x);
    case SD_BUS_TYPE_UINT64:
        return g_strdup_printf("%" PRIu64, v.t);
    case SD_BUS_TYPE_DOUBLE:
        return g_strdup_printf("%.17g", v.d);
    case SD_BUS_TYPE_UNIX_FD:
        return g_strdup("fd");
    default:
        g_assert_not_reached();
    }
}

static char *
print_one(sd_bus_message *m, bool bare)
{
    const char *content;
    char type;

    g_assert_cmpint(sd_bus_message_peek_type(m, &type, &content), >, 0);
    if (content)
        return print_container(m, type, content, bare);
    return print_basic(m, type, bare);
}

char *
canonical_next(sd_bus_message *m)
{
    return print_one(m, true);
}

char *
canonical_rest(sd_bus_message *m)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);

    while (sd_bus_message_at_end(m, false) == 0)
        g_ptr_array_add(texts, print_one(m, true));
    return join(texts, "", " ", "");
}
