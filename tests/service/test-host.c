/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The host of the test driver: its processors, its memory, and the devices of a hand-written one.
 */

#include "service.h"

#define PCI_DEVICE(slot)                                                                           \
    "<device><name>pci_0000_01_" slot "_0</name><parent>computer</parent>"                         \
    "<capability type='pci'><class>0x030000</class><domain>0</domain><bus>1</bus><slot>" slot      \
    "</slot><function>0</function><product id='0x1c82'>GP107</product>"                            \
    "<vendor id='0x10de'>NVIDIA Corporation</vendor>"                                              \
    "<iommuGroup number='7'><address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>"      \
    "</iommuGroup></capability></device>"
#define USB_DEVICE(number)                                                                         \
    "<device><name>usb_1_" number "</name><parent>computer</parent>"                               \
    "<capability type='usb_device'><bus>1</bus><device>" number "</device>"                        \
    "<product id='0x5567'>Cruzer</product><vendor id='0x0781'>SanDisk</vendor>"                    \
    "</capability></device>"
#define HOSTDEV(type, source)                                                                      \
    "<hostdev mode='subsystem' type='" type "'><source>" source "</source></hostdev>"

static Call *
get_devices(Service *s, const char *kind)
{
    return client_call(s->client, VMS_ROOT_PATH, VMS_HOST_INTERFACE, "GetDevices", "s", kind);
}

static void
assert_devices(Service *s, const char *kind, const char *expected)
{
    g_autoptr(Call) call = get_devices(s, kind);

    assert_ok(call);
    g_assert_cmpstr(call->body, ==, expected);
}

/* Whether the property has come to be that, which it may do just after the Manager's Available. */
static bool
host_is(Service *s, const char *property, const char *value)
{
    g_autofree char *now = client_get(s->client, VMS_ROOT_PATH, VMS_HOST_INTERFACE, property);

    return g_str_equal(now, value);
}

static void
test_properties(void)
{
    g_autoptr(Node) node = node_new();

    node_add_xml(node, "<cpu><active>12</active><mhz>3000</mhz><model>fast</model>"
                       "<nodes>2</nodes><sockets>1</sockets><cores>4</cores><threads>2</threads>"
                       "</cpu><memory>8388608</memory>");
    g_autoptr(Service) s = service_on_node(node, "--stop-timeout=1", NULL);
    wait_for(s->world, host_is(s, "CpuCount", "12"));
    g_assert_true(host_is(s, "CpuModel", "fast"));
    g_assert_true(host_is(s, "MemoryBytes", "8589934592"));
    g_assert_true(
        host_is(s, "CpuTopology", "{\"cells\": 2, \"cores\": 4, \"sockets\": 1, \"threads\": 2}"));
}

static int
on_changed(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    const char *interface;

    g_assert_cmpint(sd_bus_message_read(message, "s", &interface), >, 0);
    *(unsigned *)userdata += g_str_equal(interface, VMS_HOST_INTERFACE);
    return 0;
}

/* A new connection tells nothing that is known already. */
static void
test_signals(void)
{
    g_autoptr(Service) s = service_new("--uri=test:///default", NULL);
    sd_bus_slot *slot;
    unsigned signals = 0;

    wait_for(s->world, !host_is(s, "CpuCount", "0"));
    g_assert_cmpint(sd_bus_match_signal(s->client->bus, &slot, NULL, VMS_ROOT_PATH,
                                        "org.freedesktop.DBus.Properties", "PropertiesChanged",
                                        on_changed, &signals),
                    >=, 0);
    g_autoptr(Call) again = manager_call(s, "Reconnect", NULL);
    assert_ok(again);
    /* The one lane of this driver has read the host before it lists its devices. */
    assert_devices(s, "pci", "[]");
    g_assert_cmpuint(signals, ==, 0);
    sd_bus_slot_unref(slot);
}

static void
test_devices(void)
{
    g_autoptr(Node) node = node_new();

    node_add_xml(node,
                 "<device><name>computer</name><capability type='system'><hardware><uuid>"
                 "1c9d0f7e-6b6c-4b8e-8f0a-0d6d0c3a1f00</uuid></hardware></capability></device>");
    node_add_xml(node, PCI_DEVICE("1"));
    node_add_xml(node, PCI_DEVICE("0"));
    node_add_xml(node, USB_DEVICE("12"));
    node_add_domain(node, &(NodeDomain){.name = "a",
                                        .state = "shutoff",
                                        .devices = HOSTDEV("pci", "<address domain='0' bus='1' "
                                                                  "slot='0' function='0'/>")});
    node_add_domain(node, &(NodeDomain){.name = "b",
                                        .state = "shutoff",
                                        .devices = HOSTDEV("usb", "<vendor id='0x0781'/>"
                                                                  "<product id='0x5567'/>")});
    g_autoptr(Service) s = service_on_node(node, "--stop-timeout=1", NULL);
    g_autofree char *a = client_domain(s->client, "a");
    g_autofree char *b = client_domain(s->client, "b");
#define GP107  "\"iommu_group\": <7>, \"product\": <\"1c82\">, \"product_name\": <\"GP107\">, "
#define NVIDIA "\"vendor\": <\"10de\">, \"vendor_name\": <\"NVIDIA Corporation\">}"
    g_autofree char *pci = g_strdup_printf(
        "[{\"address\": <\"0000:01:00.0\">, " GP107 "\"used_by\": <[\"%s\"]>, " NVIDIA
        ", {\"address\": <\"0000:01:01.0\">, " GP107 "\"used_by\": <[]>, " NVIDIA "]",
        a);
    g_autofree char *usb = g_strdup_printf(
        "[{\"address\": <\"1:12\">, \"product\": <\"5567\">, \"product_name\": <\"Cruzer\">, "
        "\"used_by\": <[\"%s\"]>, \"vendor\": <\"0781\">, "
        "\"vendor_name\": <\"SanDisk\">}]",
        b);

    assert_devices(s, "pci", pci);
    assert_devices(s, "usb", usb);
}

static void
test_kinds(void)
{
    g_autoptr(Service) s = service_new("--uri=test:///default", NULL);
    g_autoptr(Call) none = get_devices(s, "");
    g_autoptr(Call) unknown = get_devices(s, "scsi");

    assert_error(none, SD_BUS_ERROR_INVALID_ARGS);
    assert_error_says(unknown, SD_BUS_ERROR_INVALID_ARGS, "pci");
}

/* Nobody has ever seen this host. */
static void
test_away(void)
{
    g_autoptr(World) w = world_new();
    g_autoptr(Client) c = NULL;

    world_start(w, "--uri=test:///no/such/file", NULL);
    c = client_new(w);
    assert_property(c, VMS_ROOT_PATH, VMS_HOST_INTERFACE, "CpuCount", "0");
    assert_property(c, VMS_ROOT_PATH, VMS_HOST_INTERFACE, "CpuModel", "");
    g_autoptr(Call) call =
        client_call(c, VMS_ROOT_PATH, VMS_HOST_INTERFACE, "GetDevices", "s", "pci");
    assert_error(call, VMS_ERROR_PREFIX "NotAvailable");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/host/properties", test_properties);
    g_test_add_func("/host/signals", test_signals);
    g_test_add_func("/host/devices", test_devices);
    g_test_add_func("/host/kinds", test_kinds);
    g_test_add_func("/host/away", test_away);
    return g_test_run();
}
