/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "xml.h"

#include "utf8.h"

#include <libxml/parser.h>
#include <string.h>

static xmlDoc *
parse(const char *text)
{
    size_t length = strlen(text);

    if (length > G_MAXINT)
        return NULL;
    return xmlReadMemory(text, (int)length, NULL, NULL,
                         XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
}

static bool
has_doctype(const xmlDoc *doc)
{
    return doc->intSubset || doc->extSubset;
}

xmlDoc *
xml_parse(const char *text, const char *name)
{
    g_autoptr(xmlDoc) doc = parse(text);
    const xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;

    /* Entities would expand, each into many more, whenever a text is read. */
    if (!root || has_doctype(doc) || (name && !xml_is_element(root, name)))
        return NULL;
    return g_steal_pointer(&doc);
}

bool
xml_has_doctype(const char *text)
{
    g_autoptr(xmlDoc) doc = parse(text);

    return doc && has_doctype(doc);
}

bool
xml_is_element(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && xmlStrEqual(node->name, BAD_CAST name);
}

const xmlNode *
xml_child(const xmlNode *parent, const char *name)
{
    for (const xmlNode *node = parent ? parent->children : NULL; node; node = node->next)
        if (xml_is_element(node, name) && !node->ns)
            return node;
    return NULL;
}

static char *
take_text(xmlChar *text)
{
    char *clean = utf8_for_bus((const char *)text);

    xmlFree(text);
    return clean;
}

char *
xml_text(const xmlNode *node)
{
    return take_text(node ? xmlNodeGetContent(node) : NULL);
}

char *
xml_child_text(const xmlNode *parent, const char *name)
{
    return xml_text(xml_child(parent, name));
}

char *
xml_attribute(const xmlNode *node, const char *name)
{
    return take_text(node ? xmlGetNoNsProp(node, BAD_CAST name) : NULL);
}

char *
xml_child_attribute(const xmlNode *parent, const char *child, const char *name)
{
    return xml_attribute(xml_child(parent, child), name);
}
