/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* libFuzzer: a snapshot's XML as libvirt gives it, and what a caller's name and description (the
 * input's first line, and its rest) make of the XML that libvirt is given. */

#include "snapshot-xml.h"
#include "xml.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_read(const char *xml)
{
    g_auto(RowBuilder) rows = {0};
    uint64_t created;

    row_builder_begin(&rows);
    if (!snapshot_xml_read(xml, &created, &rows))
        return;
    row_builder_end(&rows);

    Rows read = row_builder_rows(&rows);
    Row row;
    RowField field;
    while (rows_take(&read, &row))
        while (row_take(&row, &field))
            if (field.text && !g_utf8_validate(field.text, (gssize)field.length, NULL))
                abort();
}

/* No text adds an element; one that XML cannot carry makes XML that cannot be read. */
static void
check_new(const char *text)
{
    const char *end = strchrnul(text, '\n');
    g_autofree char *name = g_strndup(text, (size_t)(end - text));
    g_autofree char *xml =
        snapshot_xml_new(&(SnapshotSpec){.name = name, .description = *end ? end + 1 : NULL});
    g_autoptr(xmlDoc) doc = xml_parse(xml, "domainsnapshot");

    if (!doc)
        return;
    const xmlNode *root = xmlDocGetRootElement(doc);
    if (xmlChildElementCount((xmlNode *)root) != 2 || !xml_child(root, "name") ||
        !xml_child(root, "description"))
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);

    check_read(text);
    /* As the bus guarantees. */
    if (g_utf8_validate(text, -1, NULL))
        check_new(text);
    return 0;
}
