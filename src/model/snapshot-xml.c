/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snapshot-xml.h"

#include "xml.h"

char *
snapshot_xml_new(const char *name, const char *description)
{
    g_autofree char *escaped_name = g_markup_escape_text(name, -1);
    g_autofree char *escaped_description = g_markup_escape_text(description ? description : "", -1);

    return g_strdup_printf("<domainsnapshot><name>%s</name><description>%s</description>"
                           "</domainsnapshot>",
                           escaped_name, escaped_description);
}

bool
snapshot_xml_read(const char *xml, int64_t *ret_created, char **ret_state)
{
    g_autoptr(xmlDoc) doc = xml_parse(xml, "domainsnapshot");

    if (!doc)
        return false;

    const xmlNode *root = xmlDocGetRootElement(doc);
    g_autofree char *created = xml_child_text(root, "creationTime");
    *ret_created = g_ascii_strtoll(created, NULL, 10);
    *ret_state = xml_child_text(root, "state");
    return true;
}
