/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Config and Guest, as far as the embedded test driver implements them. */

#include "service.h"

#include <string.h>

#define INVALID_ARGS     "org.freedesktop.DBus.Error.InvalidArgs"
#define INVALID_STATE    VMS_ERROR_PREFIX "InvalidState"
#define OPERATION_FAILED VMS_ERROR_PREFIX "OperationFailed"

#define UUID "9c1b6f5e-4a4b-4c63-8d59-0d6d0c3a1f00"

#define MIB      (UINT64_C(1024) * 1024)
#define FOUR_TIB (UINT64_C(4) << 40)

#define config_call(s, path, member, ...)                                                          \
    client_call((s)->client, path, VMS_CONFIG_INTERFACE, member, __VA_ARGS__)
#define storage_call(s, path, member, ...)                                                         \
    client_call((s)->client, path, VMS_STORAGE_INTERFACE, member, __VA_ARGS__)
#define guest_call(s, path, member, ...)                                                           \
    client_call((s)->client, path, VMS_GUEST_INTERFACE, member, __VA_ARGS__)

static const char xml_head[] = "<domain type='test'>"
                               "  <name>web</name>"
                               "  <uuid>" UUID "</uuid>";

static const char xml_tail[] =
    "  <memory unit='MiB'>512</memory>"
    "  <currentMemory unit='MiB'>256</currentMemory>"
    "  <vcpu current='2'>4</vcpu>"
    "  <cputune><vcpupin vcpu='1' cpuset='0-2'/></cputune>"
    "  <os><type arch='x86_64' machine='q35'>hvm</type><boot dev='network'/><boot dev='hd'/></os>"
    "  <devices>"
    "    <disk type='file' device='disk'>"
    "      <source file='/var/lib/images/web &amp; more.img'/><target dev='vda' bus='virtio'/>"
    "    </disk>"
    "    <disk type='network' device='disk'>"
    "      <source protocol='rbd' name='pool/web'><host name='store' port='6789'/></source>"
    "      <target dev='vdb' bus='virtio'/>"
    "    </disk>"
    "    <disk type='file' device='cdrom'><target dev='hdc' bus='ide'/><readonly/></disk>"
    "    <interface type='network'>"
    "      <mac address='52:54:00:11:22:33'/><source network='default'/><model type='virtio'/>"
    "    </interface>"
    "    <interface type='bridge'>"
    "      <mac address='52:54:00:11:22:34'/><source bridge='br0'/><model type='e1000'/>"
    "    </interface>"
    "  </devices>"
    "</domain>";

static char *
define(Service *s, const char *between)
{
    g_autofree char *xml = g_strconcat(xml_head, between, xml_tail, NULL);
    g_autoptr(Call) call = manager_call(s, "DefineDomain", "s", xml);

    assert_ok(call);
    return g_strdup(call_path(call));
}

static char *
replaced(const char *text, const char *old, const char *new)
{
    g_auto(GStrv) parts = g_strsplit(text, old, -1);

    return g_strjoinv(new, parts);
}

static Service *
service(void)
{
    return service_new("--uri=test:///default", NULL);
}

static bool
config_is(Service *s, const char *path, const char *property, const char *value)
{
    return g_strcmp0(mirror_get(s->mirror, path, VMS_CONFIG_INTERFACE, property), value) == 0;
}

static void
assert_config(Service *s, const char *path, const char *property, const char *value)
{
    g_assert_cmpstr(mirror_get(s->mirror, path, VMS_CONFIG_INTERFACE, property), ==, value);
}

/* The text between <element> and its end in the persistent configuration. */
static void
assert_inactive_xml(Service *s, const char *path, const char *words)
{
    g_autoptr(Call) call = domain_call(s, path, "GetXml", "a{sv}", 1, "inactive", "b", 1);

    assert_ok(call);
    g_assert_nonnull(strstr(call->body, words));
}

static void
test_properties(void)
{
    g_autoptr(Service) s = service();
    g_autofree char *path =
        define(s, "<metadata><vmtemplate xmlns='unraid' name='Debian' icon='debian.png' os='linux'"
                  " webui='' other='x'/><v:settings xmlns:v='http://unraid.org/vms/1'"
                  " stop-timeout-usec='90000000'/></metadata>");

    assert_config(s, path, "VCpus", "2");
    assert_config(s, path, "MaxVCpus", "4");
    assert_config(s, path, "MemoryBytes", "268435456");
    assert_config(s, path, "MaxMemoryBytes", "536870912");
    assert_config(s, path, "OsType", "hvm");
    assert_config(s, path, "Template",
                  "{\"icon\": \"debian.png\", \"name\": \"Debian\", \"os\": \"linux\", "
                  "\"webui\": \"\"}");
    assert_config(s, path, "Disks",
                  "[{\"bus\": <\"virtio\">, \"device\": <\"disk\">, \"readonly\": <false>, "
                  "\"shareable\": <false>, \"source\": <\"/var/lib/images/web & more.img\">, "
                  "\"target\": <\"vda\">, \"type\": <\"file\">}, "
                  "{\"bus\": <\"virtio\">, \"device\": <\"disk\">, \"readonly\": <false>, "
                  "\"shareable\": <false>, \"source\": <\"rbd://store:6789/pool/web\">, "
                  "\"target\": <\"vdb\">, \"type\": <\"network\">}, "
                  "{\"bus\": <\"ide\">, \"device\": <\"cdrom\">, \"readonly\": <true>, "
                  "\"shareable\": <false>, \"target\": <\"hdc\">, \"type\": <\"file\">}]");
    assert_config(s, path, "Nics",
                  "[{\"link\": <true>, \"mac\": <\"52:54:00:11:22:33\">, "
                  "\"model\": <\"virtio\">, \"source\": <\"default\">, "
                  "\"target\": <\"testnet0\">, \"type\": <\"network\">}, "
                  "{\"link\": <true>, \"mac\": <\"52:54:00:11:22:34\">, "
                  "\"model\": <\"e1000\">, \"source\": <\"br0\">, "
                  "\"target\": <\"testnet1\">, \"type\": <\"bridge\">}]");
    assert_config(s, path, "HostDevices", "[]");
    assert_config(s, path, "CpuPins", "[(1, \"0-2\")]");
    assert_config(s, path, "Architecture", "x86_64");
    assert_config(s, path, "Machine", "q35");
    assert_config(s, path, "Firmware", "bios");
    assert_config(s, path, "BootOrder", "[\"network\", \"hd\"]");
    assert_config(s, path, "StopTimeoutUSec", "90000000");
    assert_config(s, path, "Next", "{}");
    g_assert_cmpstr(mirror_get(s->mirror, path, VMS_GUEST_INTERFACE, "AgentConnected"), ==,
                    "false");
}

/* Devices whose source is neither a file nor a network are shown, too. */
static void
test_devices(void)
{
    static const char devices[] =
        "<disk type='nvme' device='disk'><source type='pci' namespace='1'>"
        "<address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/></source>"
        "<target dev='vda' bus='virtio'/><boot order='2'/></disk>"
        "<disk type='network' device='disk'><driver name='qemu' type='raw' cache='none'/>"
        "<source protocol='nbd' name='export'><host transport='unix' socket='/run/x'/></source>"
        "<target dev='vdb' bus='virtio'/><serial>s1</serial></disk>"
        "<interface type='hostdev'><mac address='52:54:00:ca:5e:12'/><source>"
        "<address type='pci' domain='0x0000' bus='0x3b' slot='0x02' function='0x3'/></source>"
        "<boot order='1'/></interface>"
        "<interface type='server'><mac address='52:54:00:ca:5e:13'/>"
        "<source address='10.0.0.1' port='5558'/><link state='down'/></interface>"
        "<hostdev mode='subsystem' type='pci' managed='yes'><source>"
        "<address domain='0x0000' bus='0x01' slot='0x00' function='0x1'/></source></hostdev>"
        "<hostdev mode='subsystem' type='usb'><source><vendor id='0x046d'/>"
        "<product id='0xc52b'/></source></hostdev>";
    g_autoptr(Node) node = node_new();
    g_autofree char *uuid = node_uuid(0);
    g_autofree char *path = domain_path(uuid);

    node_add_domain(node, &(NodeDomain){.name = "web", .state = "running", .devices = devices});
    g_autoptr(Service) s = service_on_node(node, "--stop-timeout=1", NULL);
    wait_for(s->world, !config_is(s, path, "Disks", "[]"));
    assert_config(s, path, "Disks",
                  "[{\"boot\": <2>, \"bus\": <\"virtio\">, \"device\": <\"disk\">, "
                  "\"readonly\": <false>, \"shareable\": <false>, "
                  "\"source\": <\"0000:01:00.0/1\">, \"target\": <\"vda\">, "
                  "\"type\": <\"nvme\">}, "
                  "{\"bus\": <\"virtio\">, \"cache\": <\"none\">, \"device\": <\"disk\">, "
                  "\"format\": <\"raw\">, \"readonly\": <false>, \"serial\": <\"s1\">, "
                  "\"shareable\": <false>, \"source\": <\"nbd+unix:///export?socket=/run/x\">, "
                  "\"target\": <\"vdb\">, \"type\": <\"network\">}]");
    assert_config(s, path, "Nics",
                  "[{\"boot\": <1>, \"link\": <true>, \"mac\": <\"52:54:00:ca:5e:12\">, "
                  "\"source\": <\"0000:3b:02.3\">, \"target\": <\"testnet0\">, "
                  "\"type\": <\"hostdev\">}, "
                  "{\"link\": <false>, \"mac\": <\"52:54:00:ca:5e:13\">, "
                  "\"source\": <\"10.0.0.1:5558\">, \"target\": <\"testnet1\">, "
                  "\"type\": <\"server\">}]");
    assert_config(s, path, "HostDevices",
                  "[{\"address\": <\"0000:01:00.1\">, \"type\": <\"pci\">}, "
                  "{\"product\": <\"c52b\">, \"type\": <\"usb\">, \"vendor\": <\"046d\">}]");
    assert_config(s, path, "BootOrder", "[\"nic:52:54:00:ca:5e:12\", \"disk:vda\"]");
    assert_config(s, path, "Next", "{}");
    mirror_check(s->mirror);
}

static void
test_template_namespace(void)
{
    g_autoptr(Service) s = service();
    g_autofree char *path =
        define(s, "<metadata><vmtemplate xmlns='elsewhere' name='no'/>"
                  "<u:vmtemplate xmlns:u='http://unraid' name='yes'/></metadata>");

    assert_config(s, path, "Template", "{\"name\": \"yes\"}");
    g_autofree char *again = define(s, "");
    g_assert_cmpstr(again, ==, path);
    assert_config(s, path, "Template", "{}");
}

/* Only what changed is signalled, and before the reply. */
static void
test_numbers(void)
{
    g_autoptr(Service) s = service();
    g_autofree char *path = define(s, "");
    guint64 mark = mirror_mark(s->mirror);

    g_autoptr(Call) memory = config_call(s, path, "SetMemory", "ta{sv}", 384 * MIB, 0);
    assert_ok(memory);
    assert_config(s, path, "MemoryBytes", "402653184");
    g_assert_cmpuint(mirror_count(s->mirror, mark, path, "PropertiesChanged"), ==, 1);
    g_assert_nonnull(strstr(mirror_find(s->mirror, mark, path, "PropertiesChanged")->body,
                            "{\"MemoryBytes\": <402653184>}"));
    g_autoptr(Call) vcpus = config_call(s, path, "SetVCpus", "ua{sv}", 3, 0);
    assert_ok(vcpus);
    assert_config(s, path, "VCpus", "3");
    assert_inactive_xml(s, path, "current='3'>4</vcpu>");

    g_autoptr(Call) much = config_call(s, path, "SetMemory", "ta{sv}", 1024 * MIB, 0);
    assert_error_says(much, OPERATION_FAILED, "memory");
    /* In KiB and 32 bits this would be 384 MiB. */
    g_autoptr(Call) cut = config_call(s, path, "SetMemory", "ta{sv}", FOUR_TIB + 384 * MIB, 0);
    assert_error_says(cut, OPERATION_FAILED, "memory");
    g_autoptr(Call) many = config_call(s, path, "SetVCpus", "ua{sv}", 5, 0);
    assert_error_says(many, OPERATION_FAILED, "exceeds maximum");
    assert_config(s, path, "VCpus", "3");
    assert_config(s, path, "MemoryBytes", "402653184");
}

static void
test_live_and_config(void)
{
    g_autoptr(Service) s = service();
    g_autofree char *path = define(s, "");

    g_autoptr(Call) off = config_call(s, path, "SetVCpus", "ua{sv}", 3, 1, "live", "b", 1);
    assert_error_says(off, INVALID_STATE, "not running");
    g_autoptr(Call) start = domain_call(s, path, "Start", NULL);
    assert_ok(start);

    g_autoptr(Call) live = config_call(s, path, "SetVCpus", "ua{sv}", 3, 1, "live", "b", 1);
    assert_ok(live);
    assert_config(s, path, "VCpus", "3");
    assert_inactive_xml(s, path, "current='2'>4</vcpu>");
    g_autoptr(Call) config = config_call(s, path, "SetVCpus", "ua{sv}", 4, 1, "config", "b", 1);
    assert_ok(config);
    assert_config(s, path, "VCpus", "3");
    assert_inactive_xml(s, path, ">4</vcpu>");
    g_autoptr(Call) not_live = config_call(s, path, "SetVCpus", "ua{sv}", 2, 1, "live", "b", 0);
    assert_ok(not_live);
    assert_config(s, path, "VCpus", "3");
    assert_inactive_xml(s, path, "current='2'>4</vcpu>");
    g_autoptr(Call) both = config_call(s, path, "SetVCpus", "ua{sv}", 1, 0);
    assert_ok(both);
    assert_config(s, path, "VCpus", "1");
    assert_inactive_xml(s, path, "current='1'>4</vcpu>");

    g_autoptr(Call) balloon = config_call(s, path, "SetMemory", "ta{sv}", 300 * MIB, 0);
    assert_ok(balloon);
    assert_config(s, path, "MemoryBytes", "314572800");
}

static void
set_number(Service *s, const char *path, const char *method, const char *signature, guint64 number,
           const char *option)
{
    g_autoptr(Call) call =
        g_str_equal(signature, "t")
            ? config_call(s, path, method, "ta{sv}", number, 1, option, "b", 1)
            : config_call(s, path, method, "ua{sv}", (guint32)number, 1, option, "b", 1);

    assert_ok(call);
}

/* Pending is what differs in value, and only while the domain runs. */
static void
test_next(void)
{
    g_autoptr(Service) s = service();
    g_autofree char *path = define(s, "");

    assert_config(s, path, "Next", "{}");
    g_autoptr(Call) start = domain_call(s, path, "Start", NULL);
    assert_ok(start);
    assert_config(s, path, "Next", "{}");
    set_number(s, path, "SetVCpus", "u", 3, "live");
    assert_config(s, path, "Next", "{\"VCpus\": <2>}");
    set_number(s, path, "SetVCpus", "u", 4, "config");
    assert_config(s, path, "Next", "{\"VCpus\": <4>}");
    set_number(s, path, "SetVCpus", "u", 3, "config");
    assert_config(s, path, "Next", "{}");

    /* The memory of what runs is no change of the configuration. */
    set_number(s, path, "SetMemory", "t", 128 * MIB, "live");
    assert_config(s, path, "MemoryBytes", "134217728");
    assert_config(s, path, "Next", "{}");
    set_number(s, path, "SetMemory", "t", 384 * MIB, "config");
    assert_config(s, path, "Next", "{\"MemoryBytes\": <402653184>}");
    set_number(s, path, "SetMemory", "t", 256 * MIB, "config");
    assert_config(s, path, "Next", "{}");

    /* Another configuration altogether; its title is not of Config. */
    g_autofree char *other =
        define(s, "<title>other</title><metadata><vmtemplate xmlns='unraid' name='x'/></metadata>");
    g_assert_cmpstr(other, ==, path);
    assert_config(s, path, "Next", "{\"Template\": <{\"name\": \"x\"}>, \"VCpus\": <2>}");
    mirror_check(s->mirror);
    g_autoptr(Call) stop = domain_call(s, path, "ForceStop", NULL);
    assert_ok(stop);
    assert_config(s, path, "Next", "{}");
    assert_config(s, path, "VCpus", "2");
    mirror_check(s->mirror);
}

static void
test_options(void)
{
    g_autoptr(Service) s = service();
    g_autofree char *path = define(s, "");
    guint64 mark = mirror_mark(s->mirror);

    g_autoptr(Call) none =
        config_call(s, path, "SetVCpus", "ua{sv}", 1, 2, "live", "b", 0, "config", "b", 0);
    assert_error(none, INVALID_ARGS);
    g_autoptr(Call) unknown = config_call(s, path, "SetVCpus", "ua{sv}", 1, 1, "maximum", "b", 1);
    assert_error_says(unknown, INVALID_ARGS, "maximum");
    g_autoptr(Call) type = config_call(s, path, "SetMemory", "ta{sv}", MIB, 1, "live", "s", "yes");
    assert_error(type, INVALID_ARGS);
    g_assert_cmpuint(mirror_count(s->mirror, mark, NULL, NULL), ==, 0);
}

static void
test_texts(void)
{
    g_autoptr(Service) s = service();
    g_autofree char *path = define(s, "");

    g_autoptr(Call) title = config_call(s, path, "SetTitle", "s", "A title");
    assert_ok(title);
    g_assert_true(mirror_is(s->mirror, path, "Title", "A title"));
    g_autoptr(Call) description = config_call(s, path, "SetDescription", "s", "Two\nlines");
    assert_ok(description);
    g_assert_true(mirror_is(s->mirror, path, "Description", "Two\nlines"));
    g_autoptr(Call) none = config_call(s, path, "SetTitle", "s", "");
    assert_ok(none);
    g_assert_true(mirror_is(s->mirror, path, "Title", ""));
    g_autoptr(Call) bad = config_call(s, path, "SetTitle", "s", "Two\nlines");
    assert_error_says(bad, OPERATION_FAILED, "newline");
    g_assert_true(mirror_is(s->mirror, path, "Title", ""));
}

static void
test_settings(void)
{
    g_autoptr(Service) s = service();
    g_autofree char *path = define(s, "");

    g_autoptr(Call) own = config_call(s, path, "SetStopTimeout", "t", (guint64)5000000);
    assert_ok(own);
    assert_config(s, path, "StopTimeoutUSec", "5000000");
    g_autoptr(Call) none = config_call(s, path, "SetStopTimeout", "t", (guint64)0);
    assert_ok(none);
    assert_config(s, path, "StopTimeoutUSec", "0");

    g_autoptr(Call) boot =
        config_call(s, path, "SetBootOrder", "asa{sv}", 2, "disk:vdb", "nic:52:54:00:11:22:33", 0);
    assert_ok(boot);
    assert_config(s, path, "BootOrder", "[\"disk:vdb\", \"nic:52:54:00:11:22:33\"]");
    g_autoptr(Call) live =
        config_call(s, path, "SetBootOrder", "asa{sv}", 1, "hd", 1, "live", "b", true);
    assert_error_says(live, INVALID_ARGS, "runs");
    g_autoptr(Call) unknown = config_call(s, path, "SetBootOrder", "asa{sv}", 1, "disk:vdz", 0);
    assert_error_says(unknown, OPERATION_FAILED, "vdz");
    g_autoptr(Call) pins =
        config_call(s, path, "SetCpuPins", "a(us)a{sv}", 2, 0, "0-1", 1, "one", 0);
    assert_error_says(pins, INVALID_ARGS, "vCPU 1");
    mirror_check(s->mirror);
}

/* A name that BootOrder publishes is one that SetBootOrder takes. */
static void
test_boot_from_host_device(void)
{
    static const char name[] = "named";
    static const char xml[] =
        "<domain type='test'><name>named</name><memory>65536</memory><os><type>hvm</type></os>"
        "<devices>"
        "<hostdev mode='subsystem' type='usb'><source>"
        "<vendor id='0x046d'/><product id='0xc52b'/></source><boot order='2'/></hostdev>"
        "<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source>"
        "<address uuid='c2177883-f1bb-47f0-914d-32a22e3a8804'/></source><boot order='1'/></hostdev>"
        "</devices></domain>";
    static const char *const orders[] = {
        "[\"hostdev:c2177883-f1bb-47f0-914d-32a22e3a8804\", \"hostdev:046d:c52b\"]",
        "[\"hostdev:046d:c52b\", \"hostdev:c2177883-f1bb-47f0-914d-32a22e3a8804\"]",
    };
    g_autoptr(Service) s = service();
    g_autoptr(Call) define = manager_call(s, "DefineDomain", "s", xml);
    assert_ok(define);
    g_autofree char *path = client_domain(s->client, name);

    assert_config(s, path, "BootOrder", orders[0]);
    g_autoptr(Call) boot = config_call(s, path, "SetBootOrder", "asa{sv}", 2, "hostdev:046d:c52b",
                                       "hostdev:c2177883-f1bb-47f0-914d-32a22e3a8804", 0);
    assert_ok(boot);
    assert_config(s, path, "BootOrder", orders[1]);
    g_autoptr(Call) unknown =
        config_call(s, path, "SetBootOrder", "asa{sv}", 1, "hostdev:046d:c52c", 0);
    assert_error_says(unknown, OPERATION_FAILED, "046d:c52c");
    mirror_check(s->mirror);
}

/* The running domain refuses, and its configuration does not: that is signalled all the same. */
static void
test_half_made(void)
{
    g_autoptr(Service) s = service();
    g_autofree char *path = define(s, "");
    g_autoptr(Call) start = domain_call(s, path, "Start", NULL);
    assert_ok(start);
    g_autofree char *all = g_strconcat(xml_head, xml_tail, NULL);
    g_autofree char *xml = replaced(all, "<memory unit='MiB'>512<", "<memory unit='MiB'>2048<");
    g_autoptr(Call) again = manager_call(s, "DefineDomain", "s", xml);
    assert_ok(again);

    g_autoptr(Call) half = config_call(s, path, "SetMemory", "ta{sv}", 1024 * MIB, 0);
    assert_error_says(half, OPERATION_FAILED, "memory");
    assert_inactive_xml(s, path, "<currentMemory unit='KiB'>1048576<");
    g_assert_nonnull(strstr(mirror_get(s->mirror, path, VMS_CONFIG_INTERFACE, "Next"),
                            "\"MemoryBytes\": <1073741824>"));
    mirror_check(s->mirror);
}

/* The test driver of libvirt 9 changes no device: the call gets as far as that. */
static void
change_media(Service *s, const char *path, const char *source)
{
    g_autoptr(Call) change = storage_call(s, path, "ChangeMedia", "ssa{sv}", "hdc", source, 0);

    if (change->error_name) {
        assert_error_says(change, OPERATION_FAILED, "virDomainUpdateDeviceFlags");
        return;
    }
    const char *disks = mirror_get(s->mirror, path, VMS_CONFIG_INTERFACE, "Disks");
    g_assert_true((strstr(disks, "/iso/a.iso") != NULL) == (*source != '\0'));
}

static void
test_media(void)
{
    g_autoptr(Service) s = service();
    g_autofree char *path = define(s, "");

    change_media(s, path, "/iso/a.iso");
    change_media(s, path, "");
    g_autoptr(Call) disk = storage_call(s, path, "ChangeMedia", "ssa{sv}", "vda", "/iso/a.iso", 0);
    assert_error_says(disk, OPERATION_FAILED, "no removable media");
    g_autoptr(Call) none = storage_call(s, path, "ChangeMedia", "ssa{sv}", "hdz", "", 0);
    assert_error_says(none, OPERATION_FAILED, "hdz");
    g_autoptr(Call) option =
        storage_call(s, path, "ChangeMedia", "ssa{sv}", "hdc", "", 1, "lock", "b", true);
    assert_error_says(option, INVALID_ARGS, "lock");
    mirror_check(s->mirror);

    if (!can_be_ordinary_user())
        return;
    g_autoptr(Client) c = client_new_as(s->world, ORDINARY_UID);
    g_autoptr(Call) denied =
        client_call(c, path, VMS_STORAGE_INTERFACE, "ChangeMedia", "ssa{sv}", "hdc", "/a", 0);
    assert_error_says(denied, SD_BUS_ERROR_ACCESS_DENIED, "configure the virtual machine");
    g_autoptr(Call) ejecting =
        client_call(c, path, VMS_STORAGE_INTERFACE, "ChangeMedia", "ssa{sv}", "hdc", "", 0);
    assert_error_says(ejecting, SD_BUS_ERROR_ACCESS_DENIED, "adjust the settings");
}

static void
test_rename(void)
{
    g_autoptr(Service) s = service();
    g_autofree char *path = define(s, "");
    guint64 mark = mirror_mark(s->mirror);

    g_autoptr(Call) rename = config_call(s, path, "Rename", "s", "shop");
    assert_ok(rename);
    g_assert_true(mirror_is(s->mirror, path, "Name", "shop"));
    g_autoptr(Call) taken = config_call(s, path, "Rename", "s", "test");
    assert_error_says(taken, INVALID_STATE, "already exists");
    g_assert_cmpuint(mirror_count(s->mirror, mark, NULL, "InterfacesRemoved"), ==, 0);
    g_assert_cmpuint(mirror_count(s->mirror, mark, NULL, "InterfacesAdded"), ==, 0);
    g_autoptr(Call) start = domain_call(s, path, "Start", NULL);
    assert_ok(start);
    g_autoptr(Call) running = config_call(s, path, "Rename", "s", "mail");
    assert_error_says(running, INVALID_STATE, "active");
    g_assert_true(mirror_is(s->mirror, path, "Name", "shop"));
}

/* XML allows characters that D-Bus does not: one text must not hide all objects. */
static void
test_noncharacter(void)
{
    g_autoptr(Node) node = node_new();
    g_autofree char *uuid = node_uuid(0);
    g_autofree char *path = domain_path(uuid);

    node_add_domain(node, &(NodeDomain){
                              .name = "web",
                              .state = "shutoff",
                              .title = "a\xef\xb7\x90z",
                              .metadata = "<vmtemplate xmlns='unraid' name='\xf0\x9f\xbf\xbf'/>",
                          });
    g_autoptr(Service) s = service_on_node(node, "--stop-timeout=1", NULL);
    wait_for(s->world, mirror_is(s->mirror, path, "Title", "a\xef\xbf\xbdz"));
    wait_for(s->world, !config_is(s, path, "Template", "{}"));
    assert_config(s, path, "Template", "{\"name\": \"\\357\\277\\275\"}");
    g_autoptr(Call) xml = domain_call(s, path, "GetXml", "a{sv}", 0);
    assert_ok(xml);
    g_assert_nonnull(strstr(xml->body, "<title>a\xef\xbf\xbdz</title>"));
    mirror_check(s->mirror);
}

static void
test_doctype(void)
{
    g_autoptr(Service) s = service();
    g_autoptr(Call) call = manager_call(
        s, "DefineDomain", "s",
        "<!DOCTYPE domain [<!ENTITY n \"entity\">]><domain type='test'><name>&n;</name>"
        "<memory>1024</memory><os><type>hvm</type></os></domain>");

    assert_error_says(call, INVALID_ARGS, "document type");
}

/* The name is asked about before the whole is read: it has to be the same afterwards. */
static void
test_late_name(void)
{
    static const char rest[] = "<memory>1024</memory><os><type>hvm</type></os></domain>";
    g_autoptr(Service) s = service();
    g_autofree char *filler = g_strnfill(100000, 'x');
    g_autofree char *late =
        g_strdup_printf("<domain type='test'><title>%s</title><name>late</name>%s", filler, rest);
    g_autofree char *early =
        g_strdup_printf("<domain type='test'><name>early</name><title>%s</title>%s", filler, rest);
    g_autofree char *torn =
        g_strdup_printf("<domain type='test'><title>%s<name>torn%s", filler, rest);

    g_autoptr(Call) refused = manager_call(s, "DefineDomain", "s", late);
    assert_error_says(refused, INVALID_ARGS, "first 16384 bytes");
    g_autoptr(Call) defined = manager_call(s, "DefineDomain", "s", early);
    assert_ok(defined);
    g_autoptr(Call) broken = manager_call(s, "DefineDomain", "s", torn);
    assert_error(broken, OPERATION_FAILED);
}

static void
test_guest(void)
{
    g_autoptr(Service) s = service();
    g_autofree char *path = client_domain(s->client, "test");

    g_autoptr(Call) hostname = guest_call(s, path, "GetHostname", NULL);
    assert_ok(hostname);
    g_assert_cmpstr(hostname->body, ==, "testhost");
    g_autoptr(Call) filesystems = guest_call(s, path, "GetFilesystems", NULL);
    assert_ok(filesystems);
    g_assert_nonnull(strstr(filesystems->body, "{\"device\": <\"vda1\">, \"mountpoint\": <\"/\">, "
                                               "\"type\": <\"ext4\">}"));
    g_autoptr(Call) freeze = guest_call(s, path, "Freeze", "a{sv}", 0);
    assert_ok(freeze);
    g_autoptr(Call) some = guest_call(s, path, "Freeze", "a{sv}", 1, "mountpoints", "as", 1, "/");
    assert_ok(some);
    g_autoptr(Call) text = guest_call(s, path, "Freeze", "a{sv}", 1, "mountpoints", "s", "/");
    assert_error_says(text, INVALID_ARGS, "'as'");
    g_autoptr(Call) thaw = guest_call(s, path, "Thaw", NULL);
    assert_ok(thaw);
    g_autoptr(Call) trim = guest_call(s, path, "Trim", "a{sv}", 1, "minimum", "t", (guint64)4096);
    assert_ok(trim);
    g_autoptr(Call) time = guest_call(s, path, "SetTime", "a{sv}", 1, "sync", "b", true);
    assert_ok(time);
    g_autoptr(Call) option = guest_call(s, path, "SetTime", "a{sv}", 1, "time", "t", (guint64)1);
    assert_error_says(option, INVALID_ARGS, "'time'");
}

static void
test_addresses(void)
{
    g_autoptr(Service) s = service();
    g_autofree char *path = define(s, "");

    g_autoptr(Call) unknown = guest_call(s, path, "GetAddresses", "s", "oracle");
    assert_error_says(unknown, INVALID_ARGS, "oracle");
    g_autoptr(Call) off = guest_call(s, path, "GetAddresses", "s", "agent");
    assert_error_says(off, INVALID_STATE, "not running");
    g_autoptr(Call) start = domain_call(s, path, "Start", NULL);
    assert_ok(start);
    g_autoptr(Call) agent = guest_call(s, path, "GetAddresses", "s", "agent");
    assert_ok(agent);
    g_assert_nonnull(strstr(agent->body, "\"mac\": <\"52:54:00:11:22:33\">"));
}

/* --- secrets ------------------------------------------------------------------------------ */

#define SECRET "open-sesame"

/* Nobody writes them down, however much is logged and whatever becomes of the call. */
static void
test_secrets(void)
{
    g_autoptr(Node) node = node_new();

    node_add_domain(node, &(NodeDomain){.name = "on",
                                        .state = "running",
                                        .devices = "<graphics type='vnc' passwd='" SECRET "'/>"});
    node_add(node, "off", "shutoff");
    g_autoptr(Service) s = service_on_node(node, "--log-level=debug", NULL);
    g_autofree char *on = client_domain(s->client, "on");
    g_autofree char *off = client_domain(s->client, "off");

    g_autoptr(Call) xml = domain_call(s, on, "GetXml", "a{sv}", 1, "secure", "b", true);
    assert_ok(xml);
    g_assert_nonnull(strstr(xml->body, SECRET));
    g_autoptr(Call) option = domain_call(s, on, "GetXml", "a{sv}", 1, "secure", "s", SECRET);
    assert_error(option, INVALID_ARGS);

    g_autoptr(Call) set = guest_call(s, on, "SetUserPassword", "ssa{sv}", "root", SECRET, 0);
    assert_ok(set);
    g_autoptr(Call) failed = guest_call(s, off, "SetUserPassword", "ssa{sv}", "root", SECRET, 0);
    assert_error_says(failed, INVALID_STATE, "not running");
    g_assert_null(strstr(failed->error_message, SECRET));
    g_autoptr(Call) more = guest_call(s, on, "SetUserPassword", "sss", "root", SECRET, SECRET);
    assert_error(more, INVALID_ARGS);

    /* libvirt quotes the line that it cannot read: to the caller, who wrote it. */
    g_autoptr(Call) define = manager_call(
        s, "DefineDomain", "s",
        "<domain type='test'><name>torn</name><graphics passwd='" SECRET "'></domain>");
    assert_error_says(define, OPERATION_FAILED, SECRET);
    g_autoptr(Call) doctype =
        config_call(s, on, "DetachDevice", "sa{sv}", "<!DOCTYPE disk [<!ENTITY a 'b'>]><disk/>", 0);
    assert_error_says(doctype, INVALID_ARGS, "DOCTYPE");

    g_autofree char *log = process_stderr(world_service(s->world));
    g_assert_nonnull(strstr(log, "warning: DefineDomain"));
    g_assert_nonnull(strstr(log, "info: SetUserPassword of \"on\" is done"));
    g_assert_nonnull(strstr(log, "warning: SetUserPassword of \"off\" failed: "));
    g_assert_null(strstr(log, SECRET));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/service/config/properties", test_properties);
    g_test_add_func("/service/config/devices", test_devices);
    g_test_add_func("/service/config/template-namespace", test_template_namespace);
    g_test_add_func("/service/config/numbers", test_numbers);
    g_test_add_func("/service/config/live-and-config", test_live_and_config);
    g_test_add_func("/service/config/next", test_next);
    g_test_add_func("/service/config/options", test_options);
    g_test_add_func("/service/config/texts", test_texts);
    g_test_add_func("/service/config/settings", test_settings);
    g_test_add_func("/service/config/boot-from-host-device", test_boot_from_host_device);
    g_test_add_func("/service/config/half-made", test_half_made);
    g_test_add_func("/service/config/media", test_media);
    g_test_add_func("/service/config/rename", test_rename);
    g_test_add_func("/service/config/noncharacter", test_noncharacter);
    g_test_add_func("/service/config/doctype", test_doctype);
    g_test_add_func("/service/config/late-name", test_late_name);
    g_test_add_func("/service/guest/answers", test_guest);
    g_test_add_func("/service/guest/addresses", test_addresses);
    g_test_add_func("/service/guest/secrets", test_secrets);
    return g_test_run();
}
