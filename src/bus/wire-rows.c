/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wire-rows.h"

#include "object-path.h"

#define SIGNATURE_TEXT "s"
#define SIGNATURE_BOOL "b"
#define SIGNATURE_U32  "u"
#define SIGNATURE_U64  "t"
#define SIGNATURE_JOB  "o"
#define ALIGNMENT_TEXT 4
#define ALIGNMENT_BOOL 4
#define ALIGNMENT_U32  4
#define ALIGNMENT_U64  8
#define ALIGNMENT_JOB  4

/*
 * The bytes before a value in "{sv}", which begins at a multiple of 8: the name, the signature and
 * the padding up to the value. All of it is copied, however long it is: that is one store.
 */
typedef struct {
    uint32_t name_length;
    char bytes[28]; /* the name and its 0, the signature and its 0, zeros */
} Head;

#define BYTES(name, type)     name "\0\1" SIGNATURE_##type
#define HEAD_SIZE(name, type) (sizeof(uint32_t) + sizeof BYTES(name, type))

static const Head heads[_ROW_KEY_MAX] = {
#define X(symbol, name, type) [ROW_##symbol] = {sizeof(name) - 1, BYTES(name, type)},
    ROW_KEYS(X)
#undef X
};

static const uint8_t head_sizes[_ROW_KEY_MAX] = {
#define X(symbol, name, type)                                                                      \
    [ROW_##symbol] =                                                                               \
        (HEAD_SIZE(name, type) + ALIGNMENT_##type - 1) / ALIGNMENT_##type * ALIGNMENT_##type,
    ROW_KEYS(X)
#undef X
};

#define X(symbol, name, type) G_STATIC_ASSERT(HEAD_SIZE(name, type) <= sizeof(Head));
ROW_KEYS(X)
#undef X

/* The model's texts are valid. */
static void
put_text(Wire *wire, const RowField *field)
{
    wire_put_u32(wire, (uint32_t)field->length);
    wire_put_bytes(wire, field->text, field->length + 1);
}

static void
put_value(Wire *wire, const RowField *field)
{
    switch (row_key_type(field->key)) {
    case ROW_TYPE_TEXT:
        put_text(wire, field);
        break;
    case ROW_TYPE_BOOL:
    case ROW_TYPE_U32:
        wire_put_u32(wire, (uint32_t)field->number);
        break;
    case ROW_TYPE_U64:
        wire_put_u64(wire, field->number);
        break;
    case ROW_TYPE_JOB:
        wire_put_string(wire, object_path_of_job(field->number).text);
        break;
    }
}

/* "{sv}" */
static void
put_entry(Wire *wire, const RowField *field)
{
    wire_align(wire, 8);
    wire_reserve(wire, sizeof(Head));
    memcpy(wire->data + wire->size, &heads[field->key], sizeof(Head));
    wire->size += head_sizes[field->key];
    put_value(wire, field);
}

void
wire_put_fields(Wire *wire, Row row)
{
    for (RowField field; row_take(&row, &field);)
        put_entry(wire, &field);
}

static void
put_dictionary(Wire *wire, Row row)
{
    size_t fields = wire_begin_array(wire, 8);

    wire_put_fields(wire, row);
    wire_end_array(wire, fields, 8);
}

void
wire_put_dictionaries(Wire *wire, Rows rows)
{
    size_t array = wire_begin_array(wire, 4);

    for (Row row; rows_take(&rows, &row);)
        put_dictionary(wire, row);
    wire_end_array(wire, array, 4);
}

void
wire_put_texts_by_name(Wire *wire, Rows rows)
{
    size_t array = wire_begin_array(wire, 8);
    Row row;

    if (rows_take(&rows, &row))
        for (RowField field; row_take(&row, &field);) {
            wire_align(wire, 8);
            wire_put_u32(wire, heads[field.key].name_length);
            wire_put_bytes(wire, heads[field.key].bytes, heads[field.key].name_length + 1);
            put_text(wire, &field);
        }
    wire_end_array(wire, array, 8);
}

void
wire_put_texts(Wire *wire, Rows rows)
{
    size_t array = wire_begin_array(wire, 4);

    for (Row row; rows_take(&rows, &row);)
        for (RowField field; row_take(&row, &field);)
            put_text(wire, &field);
    wire_end_array(wire, array, 4);
}

void
wire_put_structs(Wire *wire, Rows rows)
{
    size_t array = wire_begin_array(wire, 8);

    for (Row row; rows_take(&rows, &row);) {
        wire_align(wire, 8);
        for (RowField field; row_take(&row, &field);)
            put_value(wire, &field);
    }
    wire_end_array(wire, array, 8);
}
