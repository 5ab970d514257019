/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain-xml-hostdev.h"

#include "domain-xml-row.h"

#include <string.h>

#define SCSI_HOST "scsi_host"

/* "0:0:1:0" (host, bus, target, unit), or an iSCSI name. */
static char *
scsi_address(const xmlNode *source)
{
    const xmlNode *address = xml_child(source, "address");
    g_autofree char *name = xml_attribute(source, "name");
    g_autofree char *adapter = xml_child_attribute(source, "adapter", "name");
    g_autofree char *bus = xml_attribute(address, "bus");
    g_autofree char *target = xml_attribute(address, "target");
    g_autofree char *unit = xml_attribute(address, "unit");
    const char *host = g_str_has_prefix(adapter, SCSI_HOST) ? adapter + strlen(SCSI_HOST) : adapter;

    if (!address)
        return g_steal_pointer(&name);
    return g_strdup_printf("%s:%s:%s:%s", host, bus, target, unit);
}

static char *
mdev_address(const xmlNode *source)
{
    return xml_child_attribute(source, "address", "uuid");
}

static char *
vhost_address(const xmlNode *source)
{
    return xml_attribute(source, "wwpn");
}

static char *
storage_address(const xmlNode *source)
{
    return xml_child_text(source, "block");
}

static char *
misc_address(const xmlNode *source)
{
    return xml_child_text(source, "char");
}

static char *
net_address(const xmlNode *source)
{
    return xml_child_text(source, "interface");
}

static const struct {
    const char *type;
    char *(*address)(const xmlNode *source);
} addresses[] = {
    {"pci", domain_xml_host_address}, {"usb", domain_xml_host_address},
    {"scsi", scsi_address},           {"mdev", mdev_address},
    {"scsi_host", vhost_address},     {"storage", storage_address},
    {"misc", misc_address},           {"net", net_address},
};

static char *
address_of(const char *type, const xmlNode *source)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(addresses); i++)
        if (g_str_equal(addresses[i].type, type))
            return addresses[i].address(source);
    return g_strdup("");
}

/* "046d" of <vendor id='0x046d'/>. */
static void
put_id(RowBuilder *row, RowKey key, const xmlNode *source, const char *element)
{
    g_autofree char *text = xml_child_attribute(source, element, "id");
    guint64 id;

    if (!g_ascii_string_to_unsigned(g_str_has_prefix(text, "0x") ? text + 2 : text, 16, 0,
                                    UINT16_MAX, &id, NULL))
        return;
    g_autofree char *digits = g_strdup_printf("%04x", (unsigned)id);
    row_builder_text(row, key, digits);
}

void
domain_xml_read_host_device(const xmlNode *device, RowBuilder *devices)
{
    const xmlNode *source = xml_child(device, "source");
    g_autofree char *type = xml_attribute(device, "type");
    g_autofree char *address = address_of(type, source);

    row_builder_begin(devices);
    row_builder_text(devices, ROW_TYPE, type);
    row_builder_text(devices, ROW_ADDRESS, address);
    put_id(devices, ROW_VENDOR, source, "vendor");
    put_id(devices, ROW_PRODUCT, source, "product");
    domain_xml_put_text(devices, ROW_ALIAS, xml_child(device, "alias"), "name");
    domain_xml_put_boot(devices, device);
    row_builder_end(devices);
}

char *
domain_xml_host_device_name(Row device)
{
    if (row_has(device, ROW_ADDRESS))
        return g_strdup(row_text(device, ROW_ADDRESS));
    return g_strconcat(row_text(device, ROW_VENDOR), ":", row_text(device, ROW_PRODUCT), NULL);
}
