/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The domains that use a device of the host. */

#include "host-device.h"

#include "domain-xml.h"
#include "node-device-xml.h"

#define PCI                                                                                        \
    "<device><capability type='pci'><domain>0</domain><bus>10</bus><slot>31</slot>"                \
    "<function>7</function><product id='0x1c82'/><vendor id='0x10de'/></capability></device>"
#define USB                                                                                        \
    "<device><capability type='usb_device'><bus>1</bus><device>12</device>"                        \
    "<product id='0x5567'/><vendor id='0x0781'/></capability></device>"
#define HOSTDEV(type, source)                                                                      \
    "<hostdev mode='subsystem' type='" type "'><source>" source "</source></hostdev>"
#define ADDRESS_OF_PCI "<address domain='0x0000' bus='0x0a' slot='0x1f' function='0x7'/>"

static void
assert_named(HostDeviceKind kind, const char *device_xml, const char *devices, bool expected)
{
    g_autoptr(DomainUpdate) update = domain_update_new("9c1b6f5e-4a4b-4c63-8d59-0d6d0c3a1f00");
    g_autofree char *xml = g_strdup_printf(
        "<domain type='test'><name>a</name><devices>%s</devices></domain>", devices);
    g_auto(RowBuilder) builder = {NULL};
    Row device;

    g_assert_true(domain_xml_read(xml, update));
    node_device_xml_put(&builder, device_xml);
    Rows rows = row_builder_rows(&builder);
    g_assert_true(rows_take(&rows, &device));
    g_assert_cmpint(host_device_is_named(kind, device, &update->config), ==, expected);
}

static void
assert_any_named(const char *devices, bool expected)
{
    g_autoptr(DomainUpdate) update = domain_update_new("9c1b6f5e-4a4b-4c63-8d59-0d6d0c3a1f00");
    g_autofree char *xml = g_strdup_printf(
        "<domain type='test'><name>a</name><devices>%s</devices></domain>", devices);

    g_assert_true(domain_xml_read(xml, update));
    g_assert_cmpint(host_device_is_any_named(&update->config), ==, expected);
}

static void
test_pci(void)
{
    assert_named(HOST_DEVICE_PCI, PCI, HOSTDEV("pci", ADDRESS_OF_PCI), true);
    assert_named(HOST_DEVICE_PCI, PCI, HOSTDEV("pci", "<address bus='10' slot='31'/>"), false);
    assert_named(HOST_DEVICE_PCI, PCI, HOSTDEV("pci", ""), false);
    assert_named(HOST_DEVICE_PCI, PCI, "", false);
}

static void
test_pci_otherwise(void)
{
    assert_named(HOST_DEVICE_PCI, PCI,
                 "<interface type='hostdev'><source>" ADDRESS_OF_PCI "</source></interface>", true);
    assert_named(HOST_DEVICE_PCI, PCI,
                 "<interface type='bridge'><source bridge='0000:0a:1f.7'/></interface>", false);
    assert_named(HOST_DEVICE_PCI, PCI,
                 "<disk type='nvme'><source type='pci' namespace='1'>" ADDRESS_OF_PCI
                 "</source><target dev='vda'/></disk>",
                 true);
    assert_named(HOST_DEVICE_PCI, PCI,
                 "<disk type='file'><source file='0000:0a:1f.7/1'/><target dev='vda'/></disk>",
                 false);
}

static void
test_usb(void)
{
    assert_named(HOST_DEVICE_USB, USB, HOSTDEV("usb", "<address bus='1' device='12'/>"), true);
    assert_named(HOST_DEVICE_USB, USB, HOSTDEV("usb", "<address bus='1' device='1'/>"), false);
    assert_named(HOST_DEVICE_USB, USB,
                 HOSTDEV("usb", "<vendor id='0x0781'/><product id='0x5567'/>"), true);
    assert_named(HOST_DEVICE_USB, USB,
                 HOSTDEV("usb", "<vendor id='0x0781'/><product id='0x5568'/>"), false);
    /* Of two sticks of a model it is the one that is plugged in there. */
    assert_named(HOST_DEVICE_USB, USB,
                 HOSTDEV("usb", "<vendor id='0x0781'/><product id='0x5567'/>"
                                "<address bus='1' device='13'/>"),
                 false);
    assert_named(HOST_DEVICE_USB, USB, HOSTDEV("usb", ""), false);
    assert_named(HOST_DEVICE_USB, USB, HOSTDEV("pci", ADDRESS_OF_PCI), false);
}

static void
test_any(void)
{
    assert_any_named("", false);
    assert_any_named("<interface type='bridge'><source bridge='br0'/></interface>"
                     "<disk type='file'><source file='/a'/><target dev='vda'/></disk>",
                     false);
    assert_any_named(HOSTDEV("usb", "<address bus='1' device='12'/>"), true);
    assert_any_named("<interface type='hostdev'><source>" ADDRESS_OF_PCI "</source></interface>",
                     true);
    assert_any_named("<disk type='file'><source file='/a'/><target dev='vda'/></disk>"
                     "<disk type='nvme'><source type='pci' namespace='1'>" ADDRESS_OF_PCI
                     "</source><target dev='vdb'/></disk>",
                     true);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/host-device/pci", test_pci);
    g_test_add_func("/host-device/pci-otherwise", test_pci_otherwise);
    g_test_add_func("/host-device/usb", test_usb);
    g_test_add_func("/host-device/any", test_any);
    return g_test_run();
}
