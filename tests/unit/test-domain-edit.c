/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Changes to a domain's XML: what is asked for is in the result, and nothing else is different. */

#include "cpu-set.h"
#include "device-edit.h"
#include "disk-chain.h"
#include "domain-edit.h"

#include <glib.h>
#include <string.h>

#define DOMAIN                                                                                     \
    "<domain type='kvm'><name>web</name>"                                                          \
    "<metadata><x:y xmlns:x='urn:x' z='1'/></metadata>"                                            \
    "<os><type>hvm</type><boot dev='hd'/><boot dev='cdrom'/></os>"                                 \
    "<devices>"                                                                                    \
    "<disk type='file' device='disk'><source file='/a.img'/><target dev='vda' bus='virtio'/>"      \
    "<boot order='3'/></disk>"                                                                     \
    "<disk type='block' device='cdrom'><driver name='qemu' type='raw' cache='none'/>"              \
    "<source dev='/dev/sr0'/><backingStore/><target dev='sda' bus='sata'/><readonly/></disk>"      \
    "<interface type='bridge'><mac address='52:54:00:aa:bb:cc'/><link state='up'/></interface>"    \
    "<hostdev mode='subsystem' type='usb'><source><vendor id='0x1'/><address bus='1' "             \
    "device='4'/></source></hostdev>"                                                              \
    "<hostdev mode='subsystem' type='pci'><source><address domain='0x0000' bus='0x0a' "            \
    "slot='0x1f' function='0x7'/></source></hostdev>"                                              \
    "<graphics type='vnc' port='-1'><listen type='address'/></graphics>"                           \
    "<graphics type='spice' passwd='old' passwdValidTo='2020-01-01T00:00:00'/>"                    \
    "</devices></domain>"

static void
assert_has(const char *text, const char *part)
{
    if (!text || !strstr(text, part))
        g_error("\"%s\" is not in %s", part, text);
}

static void
assert_has_not(const char *text, const char *part)
{
    if (text && strstr(text, part))
        g_error("\"%s\" is in %s", part, text);
}

static Error *error; /* of the last call */

static void
refused(ErrorKind kind, char *text)
{
    g_assert_null(text);
    g_assert_nonnull(error);
    g_assert_cmpint(error->kind, ==, kind);
    g_clear_pointer(&error, error_free);
}

static char *
boot_order(const char *entries)
{
    g_auto(GStrv) order = g_strsplit(entries, " ", -1);

    return domain_edit_boot_order(DOMAIN, NULL, (const char *const *)order, &error);
}

static void
test_boot_order(void)
{
    g_autofree char *devices =
        boot_order("nic:52:54:00:AA:BB:CC disk:vda hostdev:1:4 hostdev:0000:0a:1f.7");

    g_assert_null(error);
    assert_has(devices, "<link state=\"up\"/><boot order=\"1\"/></interface>");
    assert_has(devices, "<target dev=\"vda\" bus=\"virtio\"/><boot order=\"2\"/></disk>");
    assert_has(devices, "device=\"4\"/></source><boot order=\"3\"/></hostdev>");
    assert_has(devices, "function=\"0x7\"/></source><boot order=\"4\"/></hostdev>");
    assert_has(devices, "<x:y xmlns:x=\"urn:x\" z=\"1\"/>");
    assert_has(devices, "passwd=\"old\"");
    assert_has_not(devices, "<boot dev");

    g_autofree char *words = boot_order("network hd");
    g_assert_null(error);
    assert_has(words, "<boot dev=\"network\"/><boot dev=\"hd\"/></os>");
    assert_has_not(words, "<boot order");

    g_autofree char *none = boot_order("");
    g_assert_null(error);
    assert_has_not(none, "<boot");

    refused(ERROR_INVALID_ARGS, boot_order("hd disk:vda"));
    refused(ERROR_INVALID_ARGS, boot_order("disk:vda hd"));
    refused(ERROR_INVALID_ARGS, boot_order("hd hd"));
    refused(ERROR_INVALID_ARGS, boot_order("disk:vda disk:vda"));
    refused(ERROR_INVALID_ARGS, boot_order("nic:52:54:00:aa:bb:cc nic:52:54:00:aa:bb:CC"));
    refused(ERROR_INVALID_ARGS, boot_order("usb"));
    refused(ERROR_OPERATION_FAILED, boot_order("disk:vdb"));
    refused(ERROR_OPERATION_FAILED, boot_order("hostdev:1:5"));
    refused(ERROR_OPERATION_FAILED, boot_order("hostdev:x"));
}

/* Addresses are numbers; a device that is configured by its IDs has the name of these, and that of
 * its address while the domain runs. */
static void
test_boot_from_host_device(void)
{
#define STICK(address)                                                                             \
    "<domain><os/><devices><hostdev type='usb'><source><vendor id='0x046d'/>"                      \
    "<product id='0xc52b'/>" address "</source></hostdev></devices></domain>"
    static const char running[] = STICK("<address bus='3' device='7'/>");
    static const char *const by_address[] = {"hostdev:3:7", NULL};
    static const char *const by_ids[] = {"hostdev:046d:c52b", NULL};
    static const char *const other[] = {"hostdev:3:8", NULL};

    g_autofree char *numbers = boot_order("hostdev:001:004 hostdev:0000:0A:1F.7");
    g_assert_null(error);
    assert_has(numbers, "device=\"4\"/></source><boot order=\"1\"/></hostdev>");
    assert_has(numbers, "function=\"0x7\"/></source><boot order=\"2\"/></hostdev>");

    g_autofree char *ids = domain_edit_boot_order(STICK(""), running, by_ids, &error);
    assert_has(ids, "</source><boot order=\"1\"/></hostdev>");
    g_autofree char *address = domain_edit_boot_order(STICK(""), running, by_address, &error);
    assert_has(address, "</source><boot order=\"1\"/></hostdev>");
    assert_has_not(address, "<address");
    refused(ERROR_OPERATION_FAILED, domain_edit_boot_order(STICK(""), running, other, &error));
    refused(ERROR_OPERATION_FAILED, domain_edit_boot_order(STICK(""), NULL, by_address, &error));
#undef STICK
}

static void
test_settings(void)
{
    g_autofree char *first = domain_edit_settings(NULL, 7);
    g_assert_cmpstr(first, ==, "<settings stop-timeout-usec=\"7\"/>");
    g_autofree char *other = domain_edit_settings(first, G_MAXUINT64);
    g_assert_cmpstr(other, ==, "<settings stop-timeout-usec=\"18446744073709551615\"/>");
    g_autofree char *none = domain_edit_settings(other, 0);
    g_assert_null(none);
    g_autofree char *kept =
        domain_edit_settings("<settings a='b' stop-timeout-usec='1'><c/></settings>", 0);
    g_assert_cmpstr(kept, ==, "<settings a=\"b\"><c/></settings>");
    g_autofree char *broken = domain_edit_settings("<no", 1);
    g_assert_cmpstr(broken, ==, "<settings stop-timeout-usec=\"1\"/>");
}

static void
test_media(void)
{
    static const struct {
        const char *source;
        const char *type;
        const char *element;
    } cases[] = {
        {"/iso/a & b.iso", "type=\"file\"", "<source file=\"/iso/a &amp; b.iso\"/>"},
        {"/dev/sr1", "type=\"block\"", "<source dev=\"/dev/sr1\"/>"},
        {"isos/a.iso", "type=\"volume\"", "<source pool=\"isos\" volume=\"a.iso\"/>"},
        {"https://host:8443/x/a.iso?k=v", "type=\"network\"",
         "<source protocol=\"https\" name=\"x/a.iso\" query=\"k=v\"><host name=\"host\" "
         "port=\"8443\"/></source>"},
        {"ftp://host/a.iso", "type=\"network\"",
         "<source protocol=\"ftp\" name=\"a.iso\"><host name=\"host\"/></source>"},
        {"", "type=\"block\"", "<target dev=\"sda\" bus=\"sata\"/>"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml = device_edit_media(DOMAIN, "sda", cases[i].source, &error);

        g_assert_null(error);
        assert_has(xml, cases[i].type);
        assert_has(xml, cases[i].element);
        assert_has(xml, "cache=\"none\"");
        assert_has_not(xml, "sr0");
        assert_has_not(xml, "backingStore");
    }
    refused(ERROR_INVALID_ARGS, device_edit_media(DOMAIN, "sda", "/a\nb", &error));
    refused(ERROR_INVALID_ARGS, device_edit_media(DOMAIN, "sda", "relative.iso", &error));
    refused(ERROR_INVALID_ARGS, device_edit_media(DOMAIN, "sda", "../a.iso/x", &error));
    refused(ERROR_INVALID_ARGS, device_edit_media(DOMAIN, "sda", "pool/", &error));
    refused(ERROR_INVALID_ARGS, device_edit_media(DOMAIN, "sda", "ssh://host/a.iso", &error));
    refused(ERROR_INVALID_ARGS, device_edit_media(DOMAIN, "sda", "http:///a.iso", &error));
    refused(ERROR_INVALID_ARGS, device_edit_media(DOMAIN, "sda", "http://u:p@host/a.iso", &error));
    refused(ERROR_OPERATION_FAILED, device_edit_media(DOMAIN, "vda", "/a.iso", &error));
    refused(ERROR_OPERATION_FAILED, device_edit_media(DOMAIN, "sdb", "/a.iso", &error));
    refused(ERROR_OPERATION_FAILED, device_edit_media("<x/>", "sda", "/a.iso", &error));
}

static void
test_link(void)
{
    g_autofree char *xml = device_edit_link(DOMAIN, "52:54:00:AA:bb:cc", false, &error);

    g_assert_null(error);
    assert_has(xml, "<link state=\"down\"/>");
    assert_has_not(xml, "\"up\"");
    refused(ERROR_OPERATION_FAILED, device_edit_link(DOMAIN, "52:54:00:00:00:00", true, &error));
}

static void
test_password(void)
{
    bool had_one;
    g_autofree char *vnc = device_edit_password(DOMAIN, 0, "a<b", 0, &had_one, &error);

    g_assert_null(error);
    g_assert_false(had_one);
    assert_has(vnc, "passwd=\"a&lt;b\"");
    g_autofree char *spice =
        device_edit_password(DOMAIN, 1, "", UINT64_C(1700000000000000), &had_one, &error);
    g_assert_null(error);
    g_assert_true(had_one);
    assert_has(spice, "passwd=\"\"");
    assert_has(spice, "passwdValidTo=\"2023-11-14T22:13:20\"");
    g_autofree char *never = device_edit_password(DOMAIN, 1, "x", UINT64_MAX, &had_one, &error);
    g_assert_null(error);
    assert_has_not(never, "passwdValidTo");
    refused(ERROR_INVALID_ARGS, device_edit_password(DOMAIN, 0, "a\x01", 0, &had_one, &error));
    refused(ERROR_INVALID_ARGS, device_edit_password(DOMAIN, 0, "\xff", 0, &had_one, &error));
    refused(ERROR_OPERATION_FAILED, device_edit_password(DOMAIN, 2, "a", 0, &had_one, &error));
}

static void
test_host_devices(void)
{
    static const char *const bad[] = {"",
                                      "1",
                                      "1:",
                                      "1:4:",
                                      "-1:4",
                                      "1:4x",
                                      "0000:01",
                                      "0000:01:00.08",
                                      "00:01:00.0",
                                      "+000:01:00.0",
                                      "0000:01:00.0 "};
    g_autofree char *pci = device_edit_new_host_device("0000:0a:1f.7", &error);
    g_autofree char *usb = device_edit_new_host_device("1:12", &error);

    g_assert_null(error);
    g_assert_cmpstr(pci, ==,
                    "<hostdev mode=\"subsystem\" type=\"pci\" managed=\"yes\"><source>"
                    "<address domain=\"0x0\" bus=\"0xa\" slot=\"0x1f\" function=\"0x7\"/>"
                    "</source></hostdev>");
    assert_has(usb, "<address bus=\"1\" device=\"12\"/>");
    g_autofree char *found = device_edit_find_host_device(DOMAIN, "0000:0A:1F.7", &error);
    g_assert_null(error);
    assert_has(found, "bus=\"0x0a\"");
    g_autofree char *stick = device_edit_find_host_device(DOMAIN, "1:4", &error);
    g_assert_null(error);
    assert_has(stick, "<vendor id=\"0x1\"/>");
    refused(ERROR_OPERATION_FAILED, device_edit_find_host_device(DOMAIN, "1:5", &error));
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++)
        refused(ERROR_INVALID_ARGS, device_edit_new_host_device(bad[i], &error));
}

static void
test_copy(void)
{
    g_autofree char *xml = device_edit_copy("/b.img", "qcow2", &error);

    g_assert_null(error);
    g_assert_cmpstr(xml, ==,
                    "<disk type=\"file\"><source file=\"/b.img\"/><driver type=\"qcow2\"/></disk>");
    refused(ERROR_INVALID_ARGS, device_edit_copy("b.img", "", &error));
    refused(ERROR_INVALID_ARGS, device_edit_copy("/b\x07.img", "", &error));
    refused(ERROR_INVALID_ARGS, device_edit_copy("http://host/b", "raw", &error));

    g_assert_null(device_edit_copy("/b.img", "q\x07", &error));
    g_assert_cmpstr(error->message, ==, "The format has a character that XML cannot hold");
    g_clear_pointer(&error, error_free);
}

static void
test_disk_chain(void)
{
    const char *xml =
        "<domain id='1'><devices><disk><source file='/top'/><backingStore type='block'><source "
        "dev='/dev/x'/>"
        "<backingStore type='volume'><source pool='p' volume='v'/><backingStore type='network'>"
        "<source protocol='nbd' name='export'/><backingStore/></backingStore></backingStore>"
        "</backingStore><target dev='vda'/><alias name='virtio-disk0'/></disk>"
        "<disk device='cdrom'><target dev='sda'/></disk>"
        "<disk><source file='/c'/><backingStore/><mirror job='copy'/><target dev='vdc'/></disk>"
        "<disk><source file='/d'/><backingStore/><target dev='vdd'/></disk></devices></domain>";
    g_auto(DiskChain) chain = disk_chain_read(xml, "vda");
    g_auto(DiskChain) none = disk_chain_read(xml, "vdb");
    g_auto(DiskChain) copied = disk_chain_read(xml, "vdc");
    g_auto(DiskChain) broken = disk_chain_read("<x", "vda");
    g_autofree char *joined = g_strjoinv(" ", chain.layers);

    g_assert_cmpstr(joined, ==, "/top /dev/x p/v export");
    g_assert_true(chain.is_active);
    g_assert_false(chain.has_job);
    g_assert_true(copied.has_job);
    g_assert_null(*none.layers);
    g_assert_false(none.has_job);
    g_assert_null(*broken.layers);
    g_assert_false(broken.is_active);

    g_autofree char *target = disk_chain_find_alias(xml, "virtio-disk0");
    g_autofree char *other = disk_chain_find_alias(xml, "virtio-disk1");
    g_auto(GStrv) targets = disk_chain_targets(xml);
    g_assert_cmpstr(target, ==, "vda");
    g_assert_null(other);
    g_autofree char *all = g_strjoinv(" ", targets);
    g_assert_cmpstr(all, ==, "vda vdc vdd");
    g_auto(GStrv) layered = disk_chain_find_layered(xml);
    g_autofree char *some = g_strjoinv(" ", layered);
    g_assert_cmpstr(some, ==, "vda vdc");
}

static void
test_cpu_sets(void)
{
    static const char *const bad[] = {"",   ",",    "1,", "a",    "1-",   "3-1",   "-1",
                                      "^1", "1,^1", "1 ", "1--2", "^1-2", "16384", "99999999999"};
    g_autoptr(GByteArray) set = cpu_set_parse("0-3,^2,9");

    g_assert_cmpmem(set->data, set->len, "\x0b\x02", 2);
    g_autoptr(GByteArray) last = cpu_set_parse("16383");
    g_assert_cmpint(last->len, ==, 2048);
    g_autoptr(GByteArray) less = cpu_set_parse("1,8,^8");
    g_assert_cmpmem(less->data, less->len, "\x02", 1);
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_null(cpu_set_parse(bad[i]));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/domain-edit/boot-order", test_boot_order);
    g_test_add_func("/domain-edit/boot-from-host-device", test_boot_from_host_device);
    g_test_add_func("/domain-edit/settings", test_settings);
    g_test_add_func("/domain-edit/media", test_media);
    g_test_add_func("/domain-edit/link", test_link);
    g_test_add_func("/domain-edit/password", test_password);
    g_test_add_func("/domain-edit/host-devices", test_host_devices);
    g_test_add_func("/domain-edit/copy", test_copy);
    g_test_add_func("/domain-edit/disk-chain", test_disk_chain);
    g_test_add_func("/domain-edit/cpu-sets", test_cpu_sets);
    return g_test_run();
}
