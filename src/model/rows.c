/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rows.h"

#include "utf8.h"

#include <string.h>

/*
 * A row is the length of its fields (32 bits) and its fields. A field is its key (8 bits) and its
 * value: a text is its length (16 bits), its bytes and a 0. Nothing is aligned.
 */
typedef uint32_t RowLength;
typedef uint16_t TextLength;

G_STATIC_ASSERT(_ROW_KEY_MAX <= UINT8_MAX);
G_STATIC_ASSERT(ROW_TEXT_MAX <= UINT16_MAX);

static const RowType types[_ROW_KEY_MAX] = {
#define X(symbol, name, type) [ROW_##symbol] = ROW_TYPE_##type,
    ROW_KEYS(X)
#undef X
};

static const uint8_t number_sizes[] = {
    [ROW_TYPE_BOOL] = 1,
    [ROW_TYPE_U32] = 4,
    [ROW_TYPE_U64] = 8,
    [ROW_TYPE_JOB] = 8,
};

RowType
row_key_type(RowKey key)
{
    return types[key];
}

/* --- reading ------------------------------------------------------------------------------ */

bool
rows_take(Rows *rows, Row *ret_row)
{
    RowLength length;

    if (rows->size == 0)
        return false;
    memcpy(&length, rows->data, sizeof length);
    *ret_row = (Row){rows->data + sizeof length, length};
    rows->data += sizeof length + length;
    rows->size -= sizeof length + length;
    return true;
}

static size_t
read_text(const uint8_t *data, RowField *field)
{
    TextLength length;

    memcpy(&length, data, sizeof length);
    field->text = (const char *)data + sizeof length;
    field->length = length;
    return sizeof length + length + 1;
}

static size_t
read_number(const uint8_t *data, RowField *field)
{
    size_t size = number_sizes[types[field->key]];

    memcpy(&field->number, data, size);
    field->number = GUINT64_FROM_LE(field->number);
    return size;
}

bool
row_take(Row *row, RowField *ret_field)
{
    if (row->size == 0)
        return false;
    *ret_field = (RowField){.key = row->data[0]};

    size_t size = types[ret_field->key] == ROW_TYPE_TEXT ? read_text(row->data + 1, ret_field)
                                                         : read_number(row->data + 1, ret_field);
    row->data += 1 + size;
    row->size -= 1 + size;
    return true;
}

static bool
find(Row row, RowKey key, RowField *ret_field)
{
    while (row_take(&row, ret_field))
        if (ret_field->key == key)
            return true;
    return false;
}

const char *
row_text(Row row, RowKey key)
{
    RowField field;

    return find(row, key, &field) ? field.text : "";
}

uint64_t
row_number(Row row, RowKey key)
{
    RowField field;

    return find(row, key, &field) ? field.number : 0;
}

bool
row_has(Row row, RowKey key)
{
    RowField field;

    return find(row, key, &field);
}

bool
rows_equal(Rows a, Rows b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* --- making them -------------------------------------------------------------------------- */

void
row_builder_clear(RowBuilder *builder)
{
    if (builder->bytes)
        g_byte_array_unref(builder->bytes);
    *builder = (RowBuilder){NULL};
}

static void
append(RowBuilder *builder, const void *bytes, size_t size)
{
    g_byte_array_append(builder->bytes, bytes, (guint)size);
}

void
row_builder_begin(RowBuilder *builder)
{
    const RowLength length = 0;

    if (!builder->bytes)
        builder->bytes = g_byte_array_new();
    builder->row = builder->bytes->len;
    append(builder, &length, sizeof length);
}

void
row_builder_end(RowBuilder *builder)
{
    RowLength length = (RowLength)(builder->bytes->len - builder->row - sizeof length);

    memcpy(builder->bytes->data + builder->row, &length, sizeof length);
}

static void
append_text(RowBuilder *builder, const char *text)
{
    TextLength length = (TextLength)utf8_prefix(text, ROW_TEXT_MAX);

    append(builder, &length, sizeof length);
    append(builder, text, length);
    append(builder, "", 1);
}

static void
append_number(RowBuilder *builder, uint64_t number, size_t size)
{
    uint64_t bytes = GUINT64_TO_LE(number);

    append(builder, &bytes, size);
}

void
row_builder_field(RowBuilder *builder, const RowField *field)
{
    uint8_t key = (uint8_t)field->key;
    RowType type = types[field->key];

    append(builder, &key, sizeof key);
    if (type == ROW_TYPE_TEXT)
        append_text(builder, field->text);
    else
        append_number(builder, field->number, number_sizes[type]);
}

void
row_builder_text(RowBuilder *builder, RowKey key, const char *text)
{
    if (*text)
        row_builder_field(builder, &(RowField){.key = key, .text = text});
}

void
row_builder_number(RowBuilder *builder, RowKey key, uint64_t number)
{
    row_builder_field(builder, &(RowField){.key = key, .number = number});
}

Rows
row_builder_rows(const RowBuilder *builder)
{
    return builder->bytes ? (Rows){builder->bytes->data, builder->bytes->len} : (Rows){NULL, 0};
}

GBytes *
row_builder_take(RowBuilder *builder)
{
    GByteArray *bytes = g_steal_pointer(&builder->bytes);

    return bytes ? g_byte_array_free_to_bytes(bytes) : NULL;
}

Rows
rows_of_bytes(GBytes *bytes)
{
    Rows rows = {NULL, 0};

    if (bytes)
        rows.data = g_bytes_get_data(bytes, &rows.size);
    return rows;
}
