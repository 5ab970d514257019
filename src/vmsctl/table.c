/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "table.h"

#include "terminal-text.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define GAP 2 /* blanks between two columns */

typedef struct Cell {
    char *text;
    int width;
    Color color;
} Cell;

struct Table {
    const char *const *headings;
    unsigned columns;
    bool *is_hidden; /* by column */
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
    table->is_hidden = g_new0(bool, table->columns);
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
    g_free(table->is_hidden);
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

int
table_width(const Table *table, bool legend)
{
    int width = -GAP;

    for (unsigned i = 0; i < table->columns; i++)
        if (!table->is_hidden[i])
            width += column_width(table, i, legend) + GAP;
    return MAX(width, 0);
}

void
table_hide(Table *table, unsigned column)
{
    table->is_hidden[column] = true;
}

/* BLANKS counts the blanks before the next text, so that no line ends in blanks. */
static void
print_cell(const Cell *cell, int padding, bool to_right, int *blanks)
{
    if (to_right)
        *blanks += padding;
    if (*cell->text) {
        printf("%*s%s%s%s", *blanks, "", term_color(STDOUT_FILENO, cell->color), cell->text,
               cell->color == COLOR_NONE ? "" : term_reset(STDOUT_FILENO));
        *blanks = 0;
    }
    *blanks += (to_right ? 0 : padding) + GAP;
}

static void
print_row(const Table *table, const Cell *cells, const int *widths)
{
    int blanks = 0;

    for (unsigned i = 0; i < table->columns; i++)
        if (!table->is_hidden[i])
            print_cell(&cells[i], widths[i] - cells[i].width, is_right(table, i), &blanks);
    putchar('\n');
}

static void
print_legend(const Table *table, const int *widths)
{
    g_autofree Cell *cells = g_new0(Cell, table->columns);

    for (unsigned i = 0; i < table->columns; i++) {
        char *text = (char *)heading(table, i);

        cells[i] = (Cell){.text = text, .width = terminal_text_width(text), .color = COLOR_BOLD};
    }
    print_row(table, cells, widths);
}

void
table_print(const Table *table, bool legend)
{
    g_autofree int *widths = g_new0(int, table->columns);

    for (unsigned i = 0; i < table->columns; i++)
        widths[i] = column_width(table, i, legend);
    if (legend)
        print_legend(table, widths);
    for (unsigned i = 0; i < table->cells->len; i += table->columns)
        print_row(table, &g_array_index(table->cells, Cell, i), widths);
}
