/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wire.h"

#include <string.h>

#define FIRST_SIZE 256

static size_t
aligned(size_t position, size_t alignment)
{
    return (position + alignment - 1) & ~(alignment - 1);
}

void
wire_clear(Wire *wire)
{
    g_free(wire->data);
    *wire = (Wire){NULL};
}

void
wire_grow(Wire *wire, size_t size)
{
    wire->allocated = MAX(2 * (wire->size + size), FIRST_SIZE);
    wire->data = g_realloc(wire->data, wire->allocated);
}

void
wire_put_text(Wire *wire, const void *text, size_t length)
{
    if (!g_utf8_validate(text, (gssize)length, NULL))
        length = 0;
    wire_put_u32(wire, (uint32_t)length);
    wire_put_bytes(wire, text, length);
    wire_put_byte(wire, 0);
}

void
wire_put_string(Wire *wire, const char *text)
{
    wire_put_text(wire, text, strlen(text));
}

void
wire_put_signature(Wire *wire, const char *signature)
{
    size_t length = strlen(signature);

    wire_put_byte(wire, (uint8_t)length);
    wire_put_bytes(wire, signature, length + 1);
}

size_t
wire_begin_array(Wire *wire, size_t alignment)
{
    wire_put_u32(wire, 0);

    size_t array = wire->size - sizeof(uint32_t);
    wire_align(wire, alignment);
    return array;
}

void
wire_end_array(Wire *wire, size_t array, size_t alignment)
{
    uint32_t length = (uint32_t)(wire->size - aligned(array + sizeof length, alignment));

    memcpy(wire->data + array, &length, sizeof length);
}

void
wire_put_rows(Wire *wire, const void *rows, size_t size)
{
    size_t array = wire_begin_array(wire, 8);

    wire_put_bytes(wire, rows, size);
    wire_end_array(wire, array, 8);
}

/* --- values of GLib ----------------------------------------------------------------------- */

/* The alignment of the type that a signature begins with. */
static size_t
alignment_of(char type)
{
    if (type == 'y' || type == 'g' || type == 'v')
        return 1;
    if (type == 'n' || type == 'q')
        return 2;
    return strchr("xtd({", type) ? 8 : 4;
}

static void
put_children(Wire *wire, GVariant *value)
{
    GVariantIter iter;
    GVariant *child;

    g_variant_iter_init(&iter, value);
    while ((child = g_variant_iter_next_value(&iter))) {
        wire_put_variant(wire, child);
        g_variant_unref(child);
    }
}

static void
put_array(Wire *wire, GVariant *value)
{
    size_t alignment = alignment_of(g_variant_get_type_string(value)[1]);
    size_t array = wire_begin_array(wire, alignment);

    put_children(wire, value);
    wire_end_array(wire, array, alignment);
}

static void
put_variant(Wire *wire, GVariant *value)
{
    GVariant *inner = g_variant_get_variant(value);

    wire_put_signature(wire, g_variant_get_type_string(inner));
    wire_put_variant(wire, inner);
    g_variant_unref(inner);
}

static void
put_number(Wire *wire, GVariant *value)
{
    /* In the order of this machine, as on the wire. */
    wire_align(wire, g_variant_get_size(value));
    wire_put_bytes(wire, g_variant_get_data(value), g_variant_get_size(value));
}

void
wire_put_variant(Wire *wire, GVariant *value)
{
    switch (g_variant_classify(value)) {
    case G_VARIANT_CLASS_STRING:
    case G_VARIANT_CLASS_OBJECT_PATH:
        wire_put_string(wire, g_variant_get_string(value, NULL));
        break;
    case G_VARIANT_CLASS_SIGNATURE:
        wire_put_signature(wire, g_variant_get_string(value, NULL));
        break;
    case G_VARIANT_CLASS_BOOLEAN:
        wire_put_u32(wire, g_variant_get_boolean(value) != FALSE);
        break;
    case G_VARIANT_CLASS_VARIANT:
        put_variant(wire, value);
        break;
    case G_VARIANT_CLASS_ARRAY:
        put_array(wire, value);
        break;
    case G_VARIANT_CLASS_TUPLE:
    case G_VARIANT_CLASS_DICT_ENTRY:
        wire_align(wire, 8);
        put_children(wire, value);
        break;
    default:
        put_number(wire, value);
    }
}
