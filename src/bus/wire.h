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

/* All zero is an empty one; wire_clear() frees what it holds. */
typedef struct {
    uint8_t *data;
    size_t size;
    size_t allocated;
} Wire;

void wire_clear(Wire *wire);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Wire, wire_clear)

#define WIRE_ALIGNMENT_MAX 8
void wire_align(Wire *wire, size_t alignment);
void wire_put_bytes(Wire *wire, const void *bytes, size_t size);
void wire_put_byte(Wire *wire, uint8_t value);
/* "u", "i", "b" */
void wire_put_u32(Wire *wire, uint32_t value);
/* "t", "x", and "d" as its bits */
void wire_put_u64(Wire *wire, uint64_t value);
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
