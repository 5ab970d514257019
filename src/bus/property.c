/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "property.h"

void
property_table_init(PropertyTable *table, const Property *rows)
{
    unsigned n = 0;

    while (rows && rows[n].name)
        n++;
    table->rows = rows;
    table->n_rows = n;
    table->heads = g_new0(Wire, n);
    for (unsigned i = 0; i < n; i++) {
        wire_put_string(&table->heads[i], rows[i].name);
        wire_put_signature(&table->heads[i], rows[i].signature);
    }
}

void
property_table_clear(PropertyTable *table)
{
    for (unsigned i = 0; i < table->n_rows; i++)
        wire_clear(&table->heads[i]);
    g_free(table->heads);
}

const Property *
property_table_find(const PropertyTable *table, const char *name)
{
    for (unsigned i = 0; i < table->n_rows; i++)
        if (g_str_equal(table->rows[i].name, name))
            return &table->rows[i];
    return NULL;
}

/* --- writing ------------------------------------------------------------------------------ */

static void
write_member(Wire *wire, char type, const void *member)
{
    switch (type) {
    case SD_BUS_TYPE_STRING:
    case SD_BUS_TYPE_OBJECT_PATH:
        wire_put_string(wire, *(const char *const *)member);
        break;
    case SD_BUS_TYPE_BOOLEAN:
        wire_put_u32(wire, *(const int *)member != 0);
        break;
    case SD_BUS_TYPE_INT32:
    case SD_BUS_TYPE_UINT32:
        wire_put_u32(wire, *(const uint32_t *)member);
        break;
    case SD_BUS_TYPE_UINT64:
    case SD_BUS_TYPE_DOUBLE:
        wire_put_u64(wire, *(const uint64_t *)member);
        break;
    default:
        g_assert_not_reached(); /* the tables of this folder have no other type without a writer */
    }
}

void
property_write_value(Wire *wire, const Property *property, const void *object)
{
    if (property->write)
        property->write(wire, object);
    else
        write_member(wire, property->signature[0], (const uint8_t *)object + property->offset);
}

/* "{sv}" */
static void
write_row(Wire *wire, const PropertyTable *table, unsigned i, const void *object)
{
    wire_align(wire, 8);
    wire_put_bytes(wire, table->heads[i].data, table->heads[i].size);
    property_write_value(wire, &table->rows[i], object);
}

void
property_table_write(Wire *wire, const PropertyTable *table, const void *object)
{
    for (unsigned i = 0; i < table->n_rows; i++)
        write_row(wire, table, i, object);
}

bool
property_table_write_changed(Wire *wire, const PropertyTable *table, const void *object,
                             uint64_t changes)
{
    bool any = false;

    for (unsigned i = 0; i < table->n_rows; i++) {
        int change = table->rows[i].change;

        if (change < 0 || !(changes & (UINT64_C(1) << change)))
            continue;
        write_row(wire, table, i, object);
        any = true;
    }
    return any;
}
