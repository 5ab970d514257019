/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "node-device-xml.h"

#include "xml.h"

/* The capability that is the device itself; others are parts of it, as the ports of a card. */
static const xmlNode *
find_capability(const xmlNode *root, const char *type)
{
    for (const xmlNode *node = root->children; node; node = node->next) {
        g_autofree char *its_type =
            xml_is_element(node, "capability") ? xml_attribute(node, "type") : g_strdup("");

        if (g_str_equal(its_type, type))
            return node;
    }
    return NULL;
}

/* A part of an address: decimal in the XML, whatever the device is. */
static unsigned
get_number(const xmlNode *capability, const char *name)
{
    g_autofree char *text = xml_child_text(capability, name);

    return (unsigned)g_ascii_strtoull(text, NULL, 0);
}

static char *
address_of_pci(const xmlNode *capability)
{
    return g_strdup_printf("%04x:%02x:%02x.%x", get_number(capability, "domain"),
                           get_number(capability, "bus"), get_number(capability, "slot"),
                           get_number(capability, "function"));
}

static char *
address_of_usb(const xmlNode *capability)
{
    return g_strdup_printf("%u:%u", get_number(capability, "bus"),
                           get_number(capability, "device"));
}

/* "0x8086" is published as "8086". */
static void
put_id(RowBuilder *rows, RowKey id_key, RowKey name_key, const xmlNode *node)
{
    g_autofree char *id = xml_attribute(node, "id");
    g_autofree char *name = xml_text(node);

    row_builder_text(rows, id_key, g_str_has_prefix(id, "0x") ? id + 2 : id);
    row_builder_text(rows, name_key, g_strstrip(name));
}

static void
put_iommu_group(RowBuilder *rows, const xmlNode *capability)
{
    g_autofree char *number = xml_child_attribute(capability, "iommuGroup", "number");

    if (*number)
        row_builder_number(rows, ROW_IOMMU_GROUP, g_ascii_strtoull(number, NULL, 10));
}

void
node_device_xml_put(RowBuilder *rows, const char *xml)
{
    g_autoptr(xmlDoc) doc = xml_parse(xml, "device");
    const xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;
    const xmlNode *pci = root ? find_capability(root, "pci") : NULL;
    const xmlNode *capability = pci || !root ? pci : find_capability(root, "usb_device");

    if (!capability)
        return;
    g_autofree char *address = pci ? address_of_pci(pci) : address_of_usb(capability);
    g_autofree char *driver = xml_child_text(xml_child(root, "driver"), "name");
    row_builder_begin(rows);
    row_builder_text(rows, ROW_ADDRESS, address);
    put_id(rows, ROW_VENDOR, ROW_VENDOR_NAME, xml_child(capability, "vendor"));
    put_id(rows, ROW_PRODUCT, ROW_PRODUCT_NAME, xml_child(capability, "product"));
    row_builder_text(rows, ROW_DRIVER, driver);
    put_iommu_group(rows, capability);
    row_builder_end(rows);
}
