/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snapshot-xml.h"

#include <glib.h>
#include <libxml/parser.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)

char *
snapshot_xml_new(const char *name, const char *description)
{
    g_autofree char *escaped_name = g_markup_escape_text(name, -1);
    g_autofree char *escaped_description = g_markup_escape_text(description ? description : "", -1);

    return g_strdup_printf("<domainsnapshot><name>%s</name><description>%s</description>"
                           "</domainsnapshot>",
                           escaped_name, escaped_description);
}

static char *
child_text(const xmlNode *parent, const char *name)
{
    for (const xmlNode *node = parent->children; node; node = node->next) {
        if (node->type != XML_ELEMENT_NODE || !xmlStrEqual(node->name, BAD_CAST name))
            continue;
        xmlChar *content = xmlNodeGetContent(node);
        char *text = g_strdup(content ? (const char *)content : "");
        xmlFree(content);
        return text;
    }
    return g_strdup("");
}

bool
snapshot_xml_read(const char *xml, int64_t *ret_created, char **ret_state)
{
    size_t length = strlen(xml);

    if (length > G_MAXINT)
        return false;

    g_autoptr(xmlDoc) doc = xmlReadMemory(
        xml, (int)length, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    const xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;
    if (!root || !xmlStrEqual(root->name, BAD_CAST "domainsnapshot"))
        return false;

    g_autofree char *created = child_text(root, "creationTime");
    *ret_created = g_ascii_strtoll(created, NULL, 10);
    *ret_state = child_text(root, "state");
    return true;
}
