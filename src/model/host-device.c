/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host-device.h"

#include <string.h>

/* A text that the configuration leaves out fits any device. */
static bool
fits(Row named, Row device, RowKey key)
{
    const char *text = row_text(named, key);

    return *text == '\0' || g_str_equal(text, row_text(device, key));
}

static bool
is_host_device(HostDeviceKind kind, Row device, Row named)
{
    return g_str_equal(row_text(named, ROW_TYPE), kind == HOST_DEVICE_PCI ? "pci" : "usb") &&
           (row_has(named, ROW_ADDRESS) || row_has(named, ROW_VENDOR)) &&
           fits(named, device, ROW_ADDRESS) && fits(named, device, ROW_VENDOR) &&
           fits(named, device, ROW_PRODUCT);
}

static bool
is_nic(HostDeviceKind kind, Row device, Row nic)
{
    return g_str_equal(row_text(nic, ROW_TYPE), "hostdev") &&
           g_str_equal(row_text(nic, ROW_SOURCE), row_text(device, ROW_ADDRESS));
}

/* The source is the address, and the namespace behind a slash. */
static bool
is_disk(HostDeviceKind kind, Row device, Row disk)
{
    const char *source = row_text(disk, ROW_SOURCE);
    const char *address = row_text(device, ROW_ADDRESS);

    return g_str_equal(row_text(disk, ROW_TYPE), "nvme") &&
           strcspn(source, "/") == strlen(address) && g_str_has_prefix(source, address);
}

bool
host_device_is_named(HostDeviceKind kind, Row device, const DomainConfig *config)
{
    static const struct {
        HardwarePart part;
        bool (*is_same)(HostDeviceKind kind, Row device, Row row);
    } places[] = {
        {HARDWARE_HOST_DEVICES, is_host_device},
        {HARDWARE_NICS, is_nic},
        {HARDWARE_DISKS, is_disk},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(places); i++) {
        Rows rows = domain_config_rows(config, places[i].part);
        Row row;

        while (rows_take(&rows, &row))
            if (places[i].is_same(kind, device, row))
                return true;
    }
    return false;
}

static bool
has_type(const DomainConfig *config, HardwarePart part, const char *type)
{
    Rows rows = domain_config_rows(config, part);
    Row row;

    while (rows_take(&rows, &row))
        if (g_str_equal(row_text(row, ROW_TYPE), type))
            return true;
    return false;
}

bool
host_device_is_any_named(const DomainConfig *config)
{
    Rows devices = domain_config_rows(config, HARDWARE_HOST_DEVICES);
    Row first;

    return rows_take(&devices, &first) || has_type(config, HARDWARE_NICS, "hostdev") ||
           has_type(config, HARDWARE_DISKS, "nvme");
}
