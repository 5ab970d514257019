/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The figures of one signal Usage as a table, and the order of its rows. */
#pragma once

#include "inventory.h"
#include "table.h"

/* A column of the table, and the direction in which it begins: figures with the largest one. */
typedef struct UsageOrder {
    unsigned column;
    bool is_reversed;
} UsageOrder;

/* The column with this name; an error lists them all. */
bool usage_order_parse(UsageOrder *order, const char *name, GError **error);
/* Sorts by the column with this key or, if it is that already, the other way round. False if no
 * column has the key. */
bool usage_order_type(UsageOrder *order, char key);
const char *usage_order_name(const UsageOrder *order);
/* "n name  s state …" */
char *usage_order_keys(void);

/*
 * The VMs at the paths WANTED or, where there are none, all that are active. USAGE is of the type
 * a{oa{sv}}; NULL: there are no figures yet. The rest is for a screen: at most ROWS rows, and as
 * many columns as fit into CELLS; 0: all.
 */
Table *usage_table_new(const Inventory *inventory, char **wanted, GVariant *usage,
                       const UsageOrder *order, unsigned rows, int cells);
