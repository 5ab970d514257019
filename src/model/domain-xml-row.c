/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain-xml-row.h"

void
domain_xml_put_text(RowBuilder *row, RowKey key, const xmlNode *node, const char *attribute)
{
    g_autofree char *text = xml_attribute(node, attribute);

    row_builder_text(row, key, text);
}

void
domain_xml_put_number(RowBuilder *row, RowKey key, const xmlNode *node, const char *attribute,
                      uint32_t max)
{
    g_autofree char *text = xml_attribute(node, attribute);
    guint64 number;

    if (g_ascii_string_to_unsigned(text, 10, 1, max, &number, NULL))
        row_builder_number(row, key, number);
}

void
domain_xml_put_boot(RowBuilder *row, const xmlNode *device)
{
    domain_xml_put_number(row, ROW_BOOT, xml_child(device, "boot"), "order", UINT32_MAX);
}

/* Decimal, or hexadecimal with "0x"; false where there is no number. */
static bool
read_number(const xmlNode *node, const char *attribute, unsigned *ret)
{
    g_autofree char *text = xml_attribute(node, attribute);
    char *end;
    guint64 number = g_ascii_strtoull(text, &end, 0);

    *ret = (unsigned)number;
    return *text && *end == '\0' && number <= UINT32_MAX;
}

char *
domain_xml_pci_address(const xmlNode *address)
{
    unsigned domain;
    unsigned bus;
    unsigned slot;
    unsigned function;

    if (!read_number(address, "bus", &bus) || !read_number(address, "slot", &slot))
        return g_strdup("");
    if (!read_number(address, "domain", &domain))
        domain = 0;
    if (!read_number(address, "function", &function))
        function = 0;
    return g_strdup_printf("%04x:%02x:%02x.%x", domain, bus, slot, function);
}

char *
domain_xml_usb_address(const xmlNode *address)
{
    unsigned bus;
    unsigned device;

    if (!read_number(address, "bus", &bus) || !read_number(address, "device", &device))
        return g_strdup("");
    return g_strdup_printf("%u:%u", bus, device);
}

char *
domain_xml_host_address(const xmlNode *source)
{
    const xmlNode *address = xml_child(source, "address");
    char *pci = domain_xml_pci_address(address);

    if (*pci)
        return pci;
    g_free(pci);
    return domain_xml_usb_address(address);
}
