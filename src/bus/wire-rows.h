/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The model's rows as values on the wire. Pure, any thread.
 */

#include "rows.h"
#include "wire.h"

#define ROWS_SIGNATURE "aa{sv}"
/* All rows, a dictionary each. */
void wire_put_dictionaries(Wire *wire, Rows rows);
/* The fields of a row as entries of an "a{sv}", which the caller begins and ends. */
void wire_put_fields(Wire *wire, Row row);
/* "a{ss}": the texts of the first row; without one it is empty. */
void wire_put_texts_by_name(Wire *wire, Rows rows);
/* "as": the texts of all rows. */
void wire_put_texts(Wire *wire, Rows rows);
/* An array of structs, which have the fields of a row in their order. */
void wire_put_structs(Wire *wire, Rows rows);
