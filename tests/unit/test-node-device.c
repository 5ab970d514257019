/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Devices of the host, as libvirt describes them. */

#include "node-device-xml.h"

#include "rows-text.h"

static void
assert_row(const char *xml, const char *expected)
{
    g_auto(RowBuilder) rows = {0};

    node_device_xml_put(&rows, xml);
    g_autofree char *text = rows_text(row_builder_rows(&rows));
    g_assert_cmpstr(text, ==, expected);
}

static void
test_pci(void)
{
    assert_row("<device><name>pci_0000_0a_1f_7</name><parent>computer</parent>"
               "<driver><name>vfio-pci</name></driver><capability type='pci'>"
               "<class>0x030000</class><domain>0</domain><bus>10</bus><slot>31</slot>"
               "<function>7</function><product id='0x1c82'> GP107 &lt;1050&gt; </product>"
               "<vendor id='0x10de'>NVIDIA Corporation</vendor>"
               "<iommuGroup number='0'><address domain='0x0000'/></iommuGroup>"
               "</capability></device>",
               "address=0000:0a:1f.7, vendor=10de, vendor_name=NVIDIA Corporation, product=1c82, "
               "product_name=GP107 <1050>, driver=vfio-pci, iommu_group=0");
}

static void
test_usb(void)
{
    assert_row("<device><name>usb_1_1</name><driver><name>usb</name></driver>"
               "<capability type='usb_device'><bus>1</bus><device>12</device>"
               "<product id='0x5567'/><vendor id='0x0781'>SanDisk</vendor></capability></device>",
               "address=1:12, vendor=0781, vendor_name=SanDisk, product=5567, driver=usb");
}

static void
test_others(void)
{
    assert_row("<device><name>computer</name><capability type='system'/></device>", "");
    assert_row("<device/>", "");
    assert_row("<domain/>", "");
    assert_row("<device", "");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/node-device/pci", test_pci);
    g_test_add_func("/node-device/usb", test_usb);
    g_test_add_func("/node-device/others", test_others);
    return g_test_run();
}
