/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rows-text.h"

#include "domain-xml.h"

static const char *const names[_ROW_KEY_MAX] = {
#define X(symbol, name, type) [ROW_##symbol] = name,
    ROW_KEYS(X)
#undef X
};

static void
append_row(GString *text, Row row)
{
    const char *separator = text->len > 0 ? "; " : "";
    RowField field;

    while (row_take(&row, &field)) {
        g_string_append_printf(text, "%s%s=", separator, names[field.key]);
        if (field.text)
            g_string_append(text, field.text);
        else
            g_string_append_printf(text, "%" G_GUINT64_FORMAT, field.number);
        separator = ", ";
    }
}

char *
rows_text(Rows rows)
{
    GString *text = g_string_new(NULL);
    Row row;

    while (rows_take(&rows, &row))
        append_row(text, row);
    return g_string_free(text, FALSE);
}

char *
part_text(const char *domain, HardwarePart part)
{
    g_autofree char *xml = g_strconcat("<domain>", domain, "</domain>", NULL);
    g_autoptr(DomainUpdate) update = domain_update_new("");

    g_assert_true(domain_xml_read(xml, update));
    if (part <= HARDWARE_FIRMWARE)
        return g_strdup(domain_config_text(&update->config, part));
    return rows_text(domain_config_rows(&update->config, part));
}
