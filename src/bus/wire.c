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

/* Room for so much more. */
static void
reserve(Wire *wire, size_t size)
{
    if (wire->size + size <= wire->allocated)
        return;
    wire->allocated = MAX(2 * (wire->size + size), FIRST_SIZE);
    wire->data = g_realloc(wire->data, wire->allocated);
}

void
wire_align(Wire *wire, size_t alignment)
{
    static const uint8_t padding[WIRE_ALIGNMENT_MAX];

    /* As many as there may be are one store. */
    reserve(wire, sizeof padding);
    memcpy(wire->data + wire->size, padding, sizeof padding);
    wire->size = aligned(wire->size, alignment);
}

void
wire_put_bytes(Wire *wire, const void *bytes, size_t size)
{
    if (size == 0)
        return;
    reserve(wire, size);
    memcpy(wire->data + wire->size, bytes, size);
    wire->size += size;
}

void
wire_put_byte(Wire *wire, uint8_t value)
{
    wire_put_bytes(wire, &value, sizeof value);
}

void
wire_put_u32(Wire *wire, uint32_t value)
{
    wire_align(wire, sizeof value);
    wire_put_bytes(wire, &value, sizeof value);
}

void
wire_put_u64(Wire *wire, uint64_t value)
{
    wire_align(wire, sizeof value);
    wire_put_bytes(wire, &value, sizeof value);
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
