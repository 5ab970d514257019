/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "value.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>

static GVariant *read_one(sd_bus_message *message, int *r);

static GVariant *
read_basic(sd_bus_message *message, char type, int *r)
{
    union {
        uint8_t u8;
        int16_t s16;
        uint16_t u16;
        int32_t s32;
        uint32_t u32;
        int64_t s64;
        uint64_t u64;
        double d;
        int b;
        const char *s;
    } v;

    *r = sd_bus_message_read_basic(message, type, &v);
    if (*r < 0)
        return NULL;

    switch (type) {
    case 'y':
        return g_variant_new_byte(v.u8);
    case 'b':
        return g_variant_new_boolean(v.b);
    case 'n':
        return g_variant_new_int16(v.s16);
    case 'q':
        return g_variant_new_uint16(v.u16);
    case 'i':
        return g_variant_new_int32(v.s32);
    case 'u':
        return g_variant_new_uint32(v.u32);
    case 'x':
        return g_variant_new_int64(v.s64);
    case 't':
        return g_variant_new_uint64(v.u64);
    case 'd':
        return g_variant_new_double(v.d);
    case 's':
        return g_variant_new_string(v.s);
    case 'o':
        return g_variant_new_object_path(v.s);
    case 'g':
        return g_variant_new_signature(v.s);
    case 'h': {
        /* The message keeps its descriptor and closes it; the value outlives the message. */
        int fd = fcntl(v.s32, F_DUPFD_CLOEXEC, 3);

        if (fd < 0) {
            *r = -errno;
            return NULL;
        }
        return g_variant_new_handle(fd);
    }
    default:
        *r = -EBADMSG;
        return NULL;
    }
}

static char *
container_type(char type, const char *contents)
{
    switch (type) {
    case SD_BUS_TYPE_ARRAY:
        return g_strconcat("a", contents, NULL);
    case SD_BUS_TYPE_STRUCT:
        return g_strconcat("(", contents, ")", NULL);
    case SD_BUS_TYPE_DICT_ENTRY:
        return g_strconcat("{", contents, "}", NULL);
    default:
        return g_strdup("v");
    }
}

static GVariant *
read_container(sd_bus_message *message, char type, const char *contents, int *r)
{
    g_autofree char *signature = container_type(type, contents);
    GVariantBuilder builder;

    *r = sd_bus_message_enter_container(message, type, contents);
    if (*r < 0)
        return NULL;

    g_variant_builder_init(&builder, G_VARIANT_TYPE(signature));
    while (!sd_bus_message_at_end(message, false)) {
        GVariant *child = read_one(message, r);

        if (!child) {
            g_variant_builder_clear(&builder);
            return NULL;
        }
        g_variant_builder_add_value(&builder, child);
    }
    *r = sd_bus_message_exit_container(message);
    if (*r < 0) {
        g_variant_builder_clear(&builder);
        return NULL;
    }
    return g_variant_builder_end(&builder);
}

static GVariant *
read_one(sd_bus_message *message, int *r)
{
    const char *contents = NULL;
    char type = 0;

    *r = sd_bus_message_peek_type(message, &type, &contents);
    if (*r < 0)
        return NULL;
    if (*r == 0) {
        *r = -EBADMSG;
        return NULL;
    }
    if (contents)
        return read_container(message, type, contents, r);
    return read_basic(message, type, r);
}

GVariant *
value_read_body(sd_bus_message *message, int *ret_r)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE_TUPLE);
    while (!sd_bus_message_at_end(message, true)) {
        GVariant *child = read_one(message, ret_r);

        if (!child) {
            g_variant_builder_clear(&builder);
            return NULL;
        }
        g_variant_builder_add_value(&builder, child);
    }
    *ret_r = 0;
    return g_variant_builder_end(&builder);
}

static int append_one(sd_bus_message *message, GVariant *value);

static int
append_basic(sd_bus_message *message, GVariant *value, char type)
{
    uint64_t number; /* room for a number of any type */
    int is_true;

    switch (type) {
    case 'b': /* a byte in a GVariant, an int for sd-bus */
        is_true = g_variant_get_boolean(value);
        return sd_bus_message_append_basic(message, type, &is_true);
    case 's':
    case 'o':
    case 'g':
        return sd_bus_message_append_basic(message, type, g_variant_get_string(value, NULL));
    default:
        if (!strchr("ynqiuxtdh", type))
            return -EINVAL;
        g_variant_store(value, &number);
        return sd_bus_message_append_basic(message, type, &number);
    }
}

static int
append_container(sd_bus_message *message, GVariant *value, char type, const char *contents)
{
    GVariantIter iter;
    GVariant *child;
    int r;

    r = sd_bus_message_open_container(message, type, contents);
    if (r < 0)
        return r;
    g_variant_iter_init(&iter, value);
    while ((child = g_variant_iter_next_value(&iter))) {
        r = append_one(message, child);
        g_variant_unref(child);
        if (r < 0)
            return r;
    }
    return sd_bus_message_close_container(message);
}

static int
append_one(sd_bus_message *message, GVariant *value)
{
    const char *type = g_variant_get_type_string(value);

    switch (*type) {
    case 'a':
        return append_container(message, value, SD_BUS_TYPE_ARRAY, type + 1);
    case 'v': {
        g_autoptr(GVariant) inner = g_variant_get_variant(value);

        return append_container(message, value, SD_BUS_TYPE_VARIANT,
                                g_variant_get_type_string(inner));
    }
    case '(':
    case '{': {
        g_autofree char *contents = g_strndup(type + 1, strlen(type) - 2);

        return append_container(
            message, value, *type == '(' ? SD_BUS_TYPE_STRUCT : SD_BUS_TYPE_DICT_ENTRY, contents);
    }
    default:
        return append_basic(message, value, *type);
    }
}

int
value_append_body(sd_bus_message *message, GVariant *values)
{
    for (gsize i = 0; i < g_variant_n_children(values); i++) {
        g_autoptr(GVariant) child = g_variant_get_child_value(values, i);
        int r = append_one(message, child);

        if (r < 0)
            return r;
    }
    return 0;
}
