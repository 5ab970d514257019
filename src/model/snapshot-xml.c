/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snapshot-xml.h"

#include "xml.h"

/* --- writing ------------------------------------------------------------------------------ */

static void
add(GString *xml, const char *before, const char *text, const char *after)
{
    g_autofree char *escaped = g_markup_escape_text(text ? text : "", -1);

    g_string_append_printf(xml, "%s%s%s", before, escaped, after);
}

char *
snapshot_xml_new(const SnapshotSpec *spec)
{
    GString *xml = g_string_new("<domainsnapshot>");

    add(xml, "<name>", spec->name, "</name>");
    add(xml, "<description>", spec->description, "</description>");
    if (spec->memory_file)
        add(xml, "<memory snapshot='external' file='", spec->memory_file, "'/>");
    if (spec->skipped_disks) {
        g_string_append(xml, "<disks>");
        for (unsigned i = 0; spec->skipped_disks[i]; i++)
            add(xml, "<disk name='", spec->skipped_disks[i], "' snapshot='no'/>");
        g_string_append(xml, "</disks>");
    }
    g_string_append(xml, "</domainsnapshot>");
    return g_string_free(xml, FALSE);
}

/* --- reading ------------------------------------------------------------------------------ */

static bool
is_external(const xmlNode *root)
{
    const xmlNode *disks = xml_child(root, "disks");
    g_autofree char *memory = xml_child_attribute(root, "memory", "snapshot");

    if (g_str_equal(memory, "external"))
        return true;
    for (const xmlNode *disk = disks ? disks->children : NULL; disk; disk = disk->next) {
        g_autofree char *where = xml_attribute(disk, "snapshot");

        if (g_str_equal(where, "external"))
            return true;
    }
    return false;
}

static bool
has_memory(const xmlNode *root)
{
    g_autofree char *memory = xml_child_attribute(root, "memory", "snapshot");

    return g_str_equal(memory, "internal") || g_str_equal(memory, "external");
}

static void
put_text(RowBuilder *row, RowKey key, const xmlNode *parent, const char *child)
{
    g_autofree char *text = xml_child_text(parent, child);

    row_builder_text(row, key, text);
}

bool
snapshot_xml_read(const char *xml, uint64_t *ret_created, RowBuilder *row)
{
    g_autoptr(xmlDoc) doc = xml_parse(xml, "domainsnapshot");

    if (!doc)
        return false;

    const xmlNode *root = xmlDocGetRootElement(doc);
    g_autofree char *created = xml_child_text(root, "creationTime");
    uint64_t seconds = g_ascii_strtoull(created, NULL, 10);
    *ret_created = MIN(seconds, UINT64_MAX / G_USEC_PER_SEC) * G_USEC_PER_SEC;
    put_text(row, ROW_PARENT, xml_child(root, "parent"), "name");
    put_text(row, ROW_DESCRIPTION, root, "description");
    put_text(row, ROW_STATE, root, "state");
    row_builder_number(row, ROW_CREATED, *ret_created);
    row_builder_number(row, ROW_EXTERNAL, is_external(root));
    row_builder_number(row, ROW_MEMORY, has_memory(root));
    return true;
}
