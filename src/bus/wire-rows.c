/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wire-rows.h"

#include "object-path.h"

#define SIGNATURE_TEXT "s"
#define SIGNATURE_BOOL "b"
#define SIGNATURE_U32  "u"
#define SIGNATURE_U64  "t"
#define SIGNATURE_JOB  "o"

/* What comes before a value in "{sv}": the name's length, the name and its 0, the signature and
 * the 0 behind it. */
static const struct {
    uint32_t name_length;
    uint32_t size; /* of the bytes */
    const char *bytes;
} heads[_ROW_KEY_MAX] = {
#define HEAD(name, signature) name "\0\1" signature
#define X(symbol, name, type)                                                                      \
    [ROW_##symbol] = {sizeof name - 1, sizeof HEAD(name, SIGNATURE_##type),                        \
                      HEAD(name, SIGNATURE_##type)},
    ROW_KEYS(X)
#undef X
};

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

static void
put_dictionary(Wire *wire, Row row)
{
    size_t fields = wire_begin_array(wire, 8);

    for (RowField field; row_take(&row, &field);) {
        wire_align(wire, 8);
        wire_put_u32(wire, heads[field.key].name_length);
        wire_put_bytes(wire, heads[field.key].bytes, heads[field.key].size);
        put_value(wire, &field);
    }
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
