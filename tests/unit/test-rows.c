/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Packed rows: what is put in comes out, and nothing else. */

#include "rows-text.h"

#include <string.h>

static void
test_empty(void)
{
    g_auto(RowBuilder) builder = {NULL};
    Rows rows = row_builder_rows(&builder);
    Row row;

    g_assert_false(rows_take(&rows, &row));
    g_assert_null(row_builder_take(&builder));
    rows = rows_of_bytes(NULL);
    g_assert_false(rows_take(&rows, &row));
    g_assert_true(rows_equal(rows, row_builder_rows(&builder)));
}

static void
put_disk(RowBuilder *builder, const char *target, uint64_t capacity)
{
    row_builder_begin(builder);
    row_builder_text(builder, ROW_TARGET, target);
    row_builder_text(builder, ROW_SOURCE, "");
    row_builder_field(builder, &(RowField){.key = ROW_SERIAL, .text = ""});
    row_builder_number(builder, ROW_READONLY, true);
    row_builder_number(builder, ROW_BOOT, UINT32_MAX);
    row_builder_number(builder, ROW_CAPACITY, capacity);
    row_builder_number(builder, ROW_JOB, 7);
    row_builder_end(builder);
}

static void
test_fields(void)
{
    g_auto(RowBuilder) builder = {NULL};

    put_disk(&builder, "vda", UINT64_MAX);
    row_builder_begin(&builder);
    row_builder_end(&builder);
    put_disk(&builder, "vd\xc3\xa9", 0);

    Rows rows = row_builder_rows(&builder);
    g_autofree char *text = rows_text(rows);
    g_assert_cmpstr(text, ==,
                    "target=vda, serial=, readonly=1, boot=4294967295, "
                    "capacity=18446744073709551615, job=7"
                    "; target=vd\xc3\xa9, serial=, readonly=1, boot=4294967295, capacity=0, job=7");

    Row row;
    g_assert_true(rows_take(&rows, &row));
    g_assert_cmpstr(row_text(row, ROW_TARGET), ==, "vda");
    g_assert_cmpstr(row_text(row, ROW_SOURCE), ==, "");
    g_assert_false(row_has(row, ROW_SOURCE));
    g_assert_true(row_has(row, ROW_SERIAL));
    g_assert_cmpuint(row_number(row, ROW_CAPACITY), ==, UINT64_MAX);
    g_assert_cmpuint(row_number(row, ROW_PORT), ==, 0);
    g_assert_true(rows_take(&rows, &row));
    g_assert_cmpuint(row.size, ==, 0);
    g_assert_true(rows_take(&rows, &row));
    g_assert_false(rows_take(&rows, &row));
}

static void
test_equality(void)
{
    RowBuilder builders[3] = {{NULL}};

    put_disk(&builders[0], "vda", 1);
    put_disk(&builders[1], "vda", 1);
    put_disk(&builders[2], "vda", 2);
    g_assert_true(rows_equal(row_builder_rows(&builders[0]), row_builder_rows(&builders[1])));
    g_assert_false(rows_equal(row_builder_rows(&builders[0]), row_builder_rows(&builders[2])));
    g_assert_false(rows_equal(row_builder_rows(&builders[0]), (Rows){NULL, 0}));
    for (unsigned i = 0; i < G_N_ELEMENTS(builders); i++)
        row_builder_clear(&builders[i]);
}

static void
test_bytes(void)
{
    g_auto(RowBuilder) builder = {NULL};

    put_disk(&builder, "vda", 1);
    g_autofree char *before = rows_text(row_builder_rows(&builder));
    g_autoptr(GBytes) bytes = row_builder_take(&builder);
    g_autofree char *after = rows_text(rows_of_bytes(bytes));
    g_assert_cmpstr(before, ==, after);
    g_assert_null(builder.bytes);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rows/empty", test_empty);
    g_test_add_func("/rows/fields", test_fields);
    g_test_add_func("/rows/equality", test_equality);
    g_test_add_func("/rows/bytes", test_bytes);
    return g_test_run();
}
