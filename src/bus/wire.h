/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Values as D-Bus has them on the wire, written and read without sd-bus.
 *
 * sd-bus checks a signature with each of the six calls that a property takes, which is most of what
 * a thousand domains cost. Here the caller alone answers for the types. Positions count from the
 * start of the buffer, as those of a message's body do. Pure, any thread.
 */

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* All zero is an empty one; wire_clear() frees what it holds. */
typedef struct {
    uint8_t *data;
    size_t size;
    size_t allocated;
} Wire;

void wire_clear(Wire *wire);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Wire, wire_clear)

#define WIRE_ALIGNMENT_MAX 8
/* Make room for at least so much more. */
void wire_grow(Wire *wire, size_t size);

static inline void
wire_reserve(Wire *wire, size_t size)
{
    if (G_UNLIKELY(wire->size + size > wire->allocated))
        wire_grow(wire, size);
}

static inline void
wire_align(Wire *wire, size_t alignment)
{
    /* As many zeros as there may be are one store. */
    wire_reserve(wire, WIRE_ALIGNMENT_MAX);
    memset(wire->data + wire->size, 0, WIRE_ALIGNMENT_MAX);
    wire->size = (wire->size + alignment - 1) & ~(alignment - 1);
}

static inline void
wire_put_bytes(Wire *wire, const void *bytes, size_t size)
{
    if (size == 0)
        return;
    wire_reserve(wire, size);
    memcpy(wire->data + wire->size, bytes, size);
    wire->size += size;
}

static inline void
wire_put_byte(Wire *wire, uint8_t value)
{
    wire_put_bytes(wire, &value, sizeof value);
}

/* "u", "i", "b" */
static inline void
wire_put_u32(Wire *wire, uint32_t value)
{
    wire_align(wire, sizeof value);
    wire_put_bytes(wire, &value, sizeof value);
}

/* "t", "x", and "d" as its bits */
static inline void
wire_put_u64(Wire *wire, uint64_t value)
{
    wire_align(wire, sizeof value);
    wire_put_bytes(wire, &value, sizeof value);
}

/* "s", "o": the bus cuts off whoever sends it what is no UTF-8, so that is sent as "". */
void wire_put_string(Wire *wire, const char *text);
void wire_put_text(Wire *wire, const void *text, size_t length);
/* "g" */
void wire_put_signature(Wire *wire, const char *signature);
/* Where the array is, for the end; its elements are aligned to so much. */
size_t wire_begin_array(Wire *wire, size_t alignment);
void wire_end_array(Wire *wire, size_t array, size_t alignment);
/* An array of structs or dictionary entries, which are these. */
void wire_put_rows(Wire *wire, const void *rows, size_t size);
/* Any value; its type is the signature. A tuple of several is written as a struct. */
void wire_put_variant(Wire *wire, GVariant *value);
