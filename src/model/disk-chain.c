/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "disk-chain.h"

#include "device-edit.h"
#include "xml.h"

/* The attribute that names the source depends on its type; no source has two of them. */
static char *
source_of(const xmlNode *layer)
{
    static const char *const attributes[] = {"file", "dev", "dir", "name"};
    const xmlNode *source = xml_child(layer, "source");

    for (unsigned i = 0; i < G_N_ELEMENTS(attributes); i++) {
        g_autofree char *text = xml_attribute(source, attributes[i]);

        if (*text)
            return g_steal_pointer(&text);
    }
    g_autofree char *pool = xml_attribute(source, "pool");
    g_autofree char *volume = xml_attribute(source, "volume");
    return *pool ? g_strdup_printf("%s/%s", pool, volume) : g_strdup("");
}

DiskChain
disk_chain_read(const char *domain_xml, const char *target)
{
    g_autoptr(xmlDoc) domain = xml_parse(domain_xml, "domain");
    g_autofree char *id = xml_attribute(domain ? xmlDocGetRootElement(domain) : NULL, "id");
    const xmlNode *disk = domain ? device_edit_disk(domain, target) : NULL;
    GPtrArray *chain = g_ptr_array_new();

    /* The end of a chain is an empty <backingStore/>. */
    for (const xmlNode *layer = disk; layer && xml_child(layer, "source");
         layer = xml_child(layer, "backingStore"))
        g_ptr_array_add(chain, source_of(layer));
    g_ptr_array_add(chain, NULL);
    return (DiskChain){
        .layers = (char **)g_ptr_array_free(chain, FALSE),
        .is_active = *id != '\0',
        .has_job = disk && xml_child(disk, "mirror"),
    };
}

void
disk_chain_clear(DiskChain *chain)
{
    g_clear_pointer(&chain->layers, g_strfreev);
}

static const xmlNode *
first_device(xmlDoc *domain)
{
    const xmlNode *devices = domain ? device_edit_devices(domain) : NULL;

    return devices ? devices->children : NULL;
}

char *
disk_chain_find_alias(const char *domain_xml, const char *alias)
{
    g_autoptr(xmlDoc) domain = xml_parse(domain_xml, "domain");

    for (const xmlNode *node = first_device(domain); node; node = node->next) {
        g_autofree char *its_alias = xml_child_attribute(node, "alias", "name");

        if (xml_is_element(node, "disk") && g_str_equal(its_alias, alias))
            return xml_child_attribute(node, "target", "dev");
    }
    return NULL;
}

static bool
holds_data(const xmlNode *disk)
{
    g_autofree char *device = xml_attribute(disk, "device");

    return !g_str_equal(device, "cdrom") && !g_str_equal(device, "floppy");
}

bool
disk_chain_is_layered(const xmlNode *disk)
{
    return xml_child(disk, "mirror") || xml_child(xml_child(disk, "backingStore"), "source");
}

char **
disk_chain_find_layered(const char *domain_xml)
{
    g_autoptr(xmlDoc) domain = xml_parse(domain_xml, "domain");
    GPtrArray *targets = g_ptr_array_new();

    for (const xmlNode *node = first_device(domain); node; node = node->next)
        if (xml_is_element(node, "disk") && disk_chain_is_layered(node))
            g_ptr_array_add(targets, xml_child_attribute(node, "target", "dev"));
    g_ptr_array_add(targets, NULL);
    return (char **)g_ptr_array_free(targets, FALSE);
}

char **
disk_chain_targets(const char *domain_xml)
{
    g_autoptr(xmlDoc) domain = xml_parse(domain_xml, "domain");
    GPtrArray *targets = g_ptr_array_new();

    for (const xmlNode *node = first_device(domain); node; node = node->next)
        if (xml_is_element(node, "disk") && holds_data(node))
            g_ptr_array_add(targets, xml_child_attribute(node, "target", "dev"));
    g_ptr_array_add(targets, NULL);
    return (char **)g_ptr_array_free(targets, FALSE);
}
