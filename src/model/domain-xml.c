/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain-xml.h"

#include "domain-xml-config.h"
#include "xml.h"

bool
domain_xml_read(const char *xml, DomainUpdate *snapshot)
{
    g_autoptr(xmlDoc) doc = xml_parse(xml, "domain");

    if (!doc)
        return false;

    const xmlNode *root = xmlDocGetRootElement(doc);
    g_free(snapshot->title);
    g_free(snapshot->description);
    snapshot->title = xml_child_text(root, "title");
    snapshot->description = xml_child_text(root, "description");
    domain_xml_read_config(root, &snapshot->config);
    snapshot->known |= FACT_XML;
    return true;
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
