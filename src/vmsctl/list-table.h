/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* VMs as a table, with columns to choose from. */
#pragma once

#include "inventory.h"
#include "table.h"

/* Column names, separated by commas. NULL and an error that lists them all if one is unknown. */
GArray *list_table_parse(const char *names, GError **error);

/*
 * Prints the VMs at PATHS with the columns CHOSEN; NULL: the usual ones, on a terminal without
 * those that do not fit.
 */
void list_table_print(const Inventory *inventory, const GPtrArray *paths, const GArray *chosen,
                      bool legend);
