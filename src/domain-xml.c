/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain-xml.h"

#include "domain-xml-graphics.h"

#include <libxml/parser.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)

static xmlDoc *
parse_domain(const char *xml)
{
    size_t length = strlen(xml);

    if (length > G_MAXINT)
        return NULL;

    g_autoptr(xmlDoc) doc = xmlReadMemory(
        xml, (int)length, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    const xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;

    if (!root || !xmlStrEqual(root->name, BAD_CAST "domain"))
        return NULL;
    return g_steal_pointer(&doc);
}

static const xmlNode *
find_child(const xmlNode *parent, const char *name)
{
    for (const xmlNode *node = parent->children; node; node = node->next)
        if (node->type == XML_ELEMENT_NODE && xmlStrEqual(node->name, BAD_CAST name))
            return node;
    return NULL;
}

static char *
child_text(const xmlNode *parent, const char *name)
{
    const xmlNode *child = find_child(parent, name);
    xmlChar *content = child ? xmlNodeGetContent(child) : NULL;
    char *text = g_strdup(content ? (const char *)content : "");

    xmlFree(content);
    return text;
}

bool
domain_xml_read(const char *xml, DomainSnapshot *snapshot)
{
    g_autoptr(xmlDoc) doc = parse_domain(xml);

    if (!doc)
        return false;

    const xmlNode *root = xmlDocGetRootElement(doc);
    snapshot->title = child_text(root, "title");
    snapshot->description = child_text(root, "description");
    snapshot->graphics = domain_xml_read_graphics(root);
    snapshot->known |= FACT_XML;
    return true;
}

bool
domain_xml_identity(const char *xml, char **ret_name, char **ret_uuid)
{
    g_autoptr(xmlDoc) doc = parse_domain(xml);

    if (!doc)
        return false;

    const xmlNode *root = xmlDocGetRootElement(doc);
    *ret_name = child_text(root, "name");
    *ret_uuid = child_text(root, "uuid");
    return true;
}
