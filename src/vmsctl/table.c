/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "table.h"

#include "terminal-text.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

typedef struct Cell {
    char *text;
    int width;
    Color color;
} Cell;

struct Table {
    const char *const *headings;
    unsigned columns;
    GArray *cells;
};

static void
cell_clear(void *data)
{
    Cell *cell = data;

    g_free(cell->text);
}

Table *
table_new(const char *const *headings)
{
    Table *table = g_new0(Table, 1);

    table->headings = headings;
    table->columns = g_strv_length((char **)headings);
    table->cells = g_array_new(FALSE, FALSE, sizeof(Cell));
    g_array_set_clear_func(table->cells, cell_clear);
    return table;
}

void
table_free(Table *table)
{
    if (!table)
        return;
    g_array_unref(table->cells);
    g_free(table);
}

void
table_add(Table *table, Color color, const char *text)
{
    Cell cell = {.text = terminal_text_escape(text), .color = color};

    cell.width = terminal_text_width(cell.text);
    g_array_append_val(table->cells, cell);
}

void
table_add_format(Table *table, Color color, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    table_add(table, color, text);
}

unsigned
table_rows(const Table *table)
{
    return table->cells->len / table->columns;
}

static bool
is_right(const Table *table, unsigned column)
{
    return table->headings[column][0] == '>';
}

static const char *
heading(const Table *table, unsigned column)
{
    return table->headings[column] + (is_right(table, column) ? 1 : 0);
}

static int
column_width(const Table *table, unsigned column, bool legend)
{
    int width = legend ? terminal_text_width(heading(table, column)) : 0;

    for (unsigned i = column; i < table->cells->len; i += table->columns)
        width = MAX(width, g_array_index(table->cells, Cell, i).width);
    return width;
}

/* BLANKS counts the blanks before the next text, so that no line ends in blanks. */
static void
print_cell(const Table *table, unsigned column, const int *widths, const Cell *cell, int *blanks)
{
    int padding = widths[column] - cell->width;

    if (is_right(table, column))
        *blanks += padding;
    if (*cell->text) {
        printf("%*s%s%s%s", *blanks, "", term_color(STDOUT_FILENO, cell->color), cell->text,
               cell->color == COLOR_NONE ? "" : term_reset(STDOUT_FILENO));
        *blanks = 0;
    }
    *blanks += (is_right(table, column) ? 0 : padding) + 2;
    if (column + 1 < table->columns)
        return;
    putchar('\n');
    *blanks = 0;
}

void
table_print(const Table *table, bool legend)
{
    g_autofree int *widths = g_new0(int, table->columns);
    int blanks = 0;

    for (unsigned i = 0; i < table->columns; i++)
        widths[i] = column_width(table, i, legend);

    for (unsigned i = 0; legend && i < table->columns; i++) {
        Cell cell = {.text = (char *)heading(table, i), .color = COLOR_BOLD};

        cell.width = terminal_text_width(cell.text);
        print_cell(table, i, widths, &cell, &blanks);
    }
    for (unsigned i = 0; i < table->cells->len; i++)
        print_cell(table, i % table->columns, widths, &g_array_index(table->cells, Cell, i),
                   &blanks);
}
