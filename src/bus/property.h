/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A property of an interface, as a row of a table, and how the values of the table are written.
 *
 * A name and a signature are the same for every object, so they are written once, when the table is
 * made, and copied from there. The table is its owner's, the rows are static, and an object stays
 * the caller's. Belongs to the loop.
 */

#include "method.h"
#include "wire.h"

/* Write the value of a property of the object. */
typedef void (*PropertyWriter)(Wire *wire, const void *object);

#define PROPERTY_CONST  (-1)
#define PROPERTY_SILENT (-2)

typedef struct {
    const char *name; /* NULL at the end of a table */
    const char *signature;
    /* The bit in a mask of changes that tells of it; PROPERTY_CONST: it never changes;
     * PROPERTY_SILENT: no signal tells of it. */
    int change;
    PropertyWriter write; /* NULL: its type is a basic one, and it is at the offset */
    size_t offset; /* of a char *, int (for a boolean), uint32_t, int32_t, uint64_t or double */
    /* Handles Properties.Set as a method of its arguments; NULL: nobody may write it. */
    const Method *set;
} Property;

/* All zero is one without rows. */
typedef struct {
    const Property *rows;
    unsigned n_rows;
    Wire *heads; /* of each: name and signature, as "{sv}" begins with them */
} PropertyTable;

/* `rows` may be NULL. */
void property_table_init(PropertyTable *table, const Property *rows);
void property_table_clear(PropertyTable *table);
/* NULL where there is none. */
const Property *property_table_find(const PropertyTable *table, const char *name);

/* The value alone. */
void property_write_value(Wire *wire, const Property *property, const void *object);
/* "a{sv}" without its length: all properties; or those that the mask names, and false for none. */
void property_table_write(Wire *wire, const PropertyTable *table, const void *object);
bool property_table_write_changed(Wire *wire, const PropertyTable *table, const void *object,
                                  uint64_t changes);
