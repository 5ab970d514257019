/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain-xml.h"

#include "domain-xml-config.h"
#include "utf8.h"
#include "xml.h"

/* Title or description. */
static void
take_text(char **to, const xmlNode *root, const char *name)
{
    g_free(*to);
    *to = xml_child_text(root, name);
    (*to)[utf8_prefix(*to, ROW_TEXT_MAX)] = '\0';
}

bool
domain_xml_read(const char *xml, DomainUpdate *update)
{
    g_autoptr(xmlDoc) doc = xml_parse(xml, "domain");

    if (!doc)
        return false;

    const xmlNode *root = xmlDocGetRootElement(doc);
    take_text(&update->title, root, "title");
    take_text(&update->description, root, "description");
    domain_xml_read_config(root, &update->config);
    update->is_active = xmlHasNsProp(root, BAD_CAST "id", NULL) != NULL;
    update->known |= FACT_XML;
    return true;
}

bool
domain_xml_read_next(const char *xml, DomainUpdate *update)
{
    g_autoptr(xmlDoc) doc = xml_parse(xml, "domain");

    if (doc)
        domain_xml_read_config(xmlDocGetRootElement(doc), &update->next);
    update->has_next = doc != NULL;
    return update->has_next;
}

bool
domain_xml_identity(const char *xml, char **ret_name, char **ret_uuid)
{
    g_autoptr(xmlDoc) doc = xml_parse(xml, "domain");

    if (!doc)
        return false;

    const xmlNode *root = xmlDocGetRootElement(doc);
    g_autofree char *uuid = xml_child_text(root, "uuid");
    char canonical[UUID_LENGTH + 1];

    *ret_name = xml_child_text(root, "name");
    *ret_uuid = domain_uuid_parse(uuid, canonical) ? g_strdup(canonical) : g_steal_pointer(&uuid);
    return true;
}
