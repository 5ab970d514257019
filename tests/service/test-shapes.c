/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Whole configurations as people write them, through libvirt's own parser: that of a home server,
 * sizes in any unit, screens of every kind of listener.
 */

#include "libvirt-version.h"
#include "service.h"

#include <string.h>

#define UUID "c0de0026-0000-4000-8000-000000000026"

/* One property, and its canonical value. */
typedef struct {
    const char *interface;
    const char *property;
    const char *value;
} Row;

static void
assert_rows(Service *s, const char *path, const Row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        g_test_message("%s", rows[i].property);
        g_assert_cmpstr(mirror_get(s->mirror, path, rows[i].interface, rows[i].property), ==,
                        rows[i].value);
    }
}

static char *
define(Service *s, const char *xml)
{
    g_autoptr(Call) call = manager_call(s, "DefineDomain", "s", xml);

    assert_ok(call);
    return g_strdup(call_path(call));
}

/* --- a home server's ---------------------------------------------------------------------- */

#define NAME "Gaming PC (B\xc3\xbcro) & \"TV\""

static const char home_xml[] =
    "<domain type='test'>"
    "<name>Gaming PC (B\xc3\xbcro) &amp; \"TV\"</name><uuid>" UUID "</uuid>"
    "<description>Zweitrechner, nicht anfassen &lt;bitte&gt;</description>"
    "<metadata>"
    "<vmtemplate xmlns='http://unraid' name='Windows 11' iconold='windows11.png' "
    "icon='windows11.png' os='windowstpm' webui='' storage='default'/>"
    "<vmtemplate xmlns='unraid' name='Old Windows' icon='windows.png' os='windows10'/>"
    "</metadata>"
    "<memory unit='KiB'>65536</memory><currentMemory unit='KiB'>49152</currentMemory>"
    "<memoryBacking><nosharepages/></memoryBacking>"
    "<vcpu placement='static'>2</vcpu>"
    "<cputune><vcpupin vcpu='0' cpuset='0'/><vcpupin vcpu='1' cpuset='1'/></cputune>"
    "<os><type arch='x86_64' machine='q35'>hvm</type></os>"
    "<features><acpi/><apic/><hyperv mode='custom'><relaxed state='on'/>"
    "<spinlocks state='on' retries='8191'/><vendor_id state='on' value='none'/></hyperv></features>"
    "<clock offset='localtime'><timer name='hpet' present='no'/></clock>"
    "<on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot><on_crash>restart</on_crash>"
    "<devices>"
    "<disk type='file' device='disk'><driver name='qemu' type='raw' cache='writeback'/>"
    "<source file='/mnt/user/domains/Gaming PC (B\xc3\xbcro) &amp; \"TV\"/vdisk1.img'/>"
    "<target dev='hdc' bus='sata'/><serial>vdisk1</serial><boot order='1'/></disk>"
    "<disk type='file' device='cdrom'><driver name='qemu' type='raw'/>"
    "<source file=\"/mnt/user/isos/Don't (v2) &lt;b&gt; &amp; \xe4\xb8\xad [x64].iso\"/>"
    "<target dev='hda' bus='sata'/><readonly/><boot order='2'/></disk>"
    "<disk type='file' device='cdrom'><driver name='qemu' type='raw'/>"
    "<target dev='hdb' bus='sata'/><readonly/></disk>"
    "<disk type='block' device='disk'>"
    "<driver name='qemu' type='raw' cache='none' io='native' discard='unmap'/>"
    "<source dev='/dev/disk/by-id/ata-MADE_UP_1TB_0000000-part1'/>"
    "<target dev='sdd' bus='scsi'/></disk>"
    "<controller type='scsi' index='0' model='virtio-scsi'/>"
    "<controller type='usb' index='0' model='qemu-xhci' ports='15'/>"
    "<filesystem type='mount' accessmode='passthrough'><source dir='/mnt/user/share/'/>"
    "<target dir='share'/></filesystem>"
    "<interface type='bridge'><mac address='52:54:00:ca:5e:26'/><source bridge='br0'/>"
    "<model type='virtio-net'/></interface>"
    "<interface type='direct' trustGuestRxFilters='no'><mac address='52:54:00:ca:5e:27'/>"
    "<source dev='vhost0' mode='bridge'/><model type='virtio'/></interface>"
    "<serial type='pty'><target port='0'/></serial>"
    "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
    "<input type='tablet' bus='usb'/>"
    "<graphics type='vnc' port='-1' autoport='yes' websocket='-1' listen='0.0.0.0' "
    "sharePolicy='ignore' keymap='de'><listen type='address' address='0.0.0.0'/></graphics>"
    "<video><model type='qxl' ram='65536' vram='65536' vgamem='16384' heads='1' primary='yes'/>"
    "</video>"
    "<hostdev mode='subsystem' type='pci' managed='yes' xvga='yes'><driver name='vfio'/><source>"
    "<address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/></source>"
    "<rom file='/mnt/user/isos/vbios/made-up.rom'/></hostdev>"
    "<hostdev mode='subsystem' type='pci' managed='yes'><driver name='vfio'/><source>"
    "<address domain='0x0000' bus='0x01' slot='0x00' function='0x1'/></source></hostdev>"
    "<hostdev mode='subsystem' type='usb' managed='no'><source startupPolicy='optional'>"
    "<vendor id='0x046d'/><product id='0xc52b'/></source></hostdev>"
    "<memballoon model='none'/>"
    "</devices></domain>";

static const Row home_rows[] = {
    {VMS_DOMAIN_INTERFACE, "Name", NAME},
    {VMS_DOMAIN_INTERFACE, "Title", ""},
    {VMS_DOMAIN_INTERFACE, "Description", "Zweitrechner, nicht anfassen <bitte>"},
    {VMS_DOMAIN_INTERFACE, "Persistent", "true"},
    {VMS_DOMAIN_INTERFACE, "Problems", "[]"},
    {VMS_CONFIG_INTERFACE, "VCpus", "2"},
    {VMS_CONFIG_INTERFACE, "MaxVCpus", "2"},
    {VMS_CONFIG_INTERFACE, "CpuPins", "[(0, \"0\"), (1, \"1\")]"},
    {VMS_CONFIG_INTERFACE, "MemoryBytes", "50331648"},
    {VMS_CONFIG_INTERFACE, "MaxMemoryBytes", "67108864"},
    {VMS_CONFIG_INTERFACE, "OsType", "hvm"},
    {VMS_CONFIG_INTERFACE, "Architecture", "x86_64"},
    {VMS_CONFIG_INTERFACE, "Machine", "q35"},
    {VMS_CONFIG_INTERFACE, "Firmware", "bios"},
    {VMS_CONFIG_INTERFACE, "Template",
     "{\"icon\": \"windows11.png\", \"name\": \"Windows 11\", \"os\": \"windowstpm\", "
     "\"storage\": \"default\", \"webui\": \"\"}"},
    {VMS_CONFIG_INTERFACE, "BootOrder", "[\"disk:hdc\", \"disk:hda\"]"},
    {VMS_CONFIG_INTERFACE, "StopTimeoutUSec", "0"},
    {VMS_CONFIG_INTERFACE, "Disks",
     "[{\"boot\": <2>, \"bus\": <\"sata\">, \"device\": <\"cdrom\">, \"format\": <\"raw\">, "
     "\"readonly\": <true>, \"shareable\": <false>, "
     "\"source\": <\"/mnt/user/isos/Don't (v2) <b> & \\344\\270\\255 [x64].iso\">, "
     "\"target\": <\"hda\">, \"type\": <\"file\">}, "
     "{\"bus\": <\"sata\">, \"device\": <\"cdrom\">, \"readonly\": <true>, "
     "\"shareable\": <false>, \"target\": <\"hdb\">, \"type\": <\"file\">}, "
     "{\"boot\": <1>, \"bus\": <\"sata\">, \"cache\": <\"writeback\">, \"device\": <\"disk\">, "
     "\"format\": <\"raw\">, \"readonly\": <false>, \"serial\": <\"vdisk1\">, "
     "\"shareable\": <false>, "
     "\"source\": <\"/mnt/user/domains/Gaming PC (B\\303\\274ro) & \\\"TV\\\"/vdisk1.img\">, "
     "\"target\": <\"hdc\">, \"type\": <\"file\">}, "
     "{\"bus\": <\"scsi\">, \"cache\": <\"none\">, \"device\": <\"disk\">, \"format\": <\"raw\">, "
     "\"readonly\": <false>, \"shareable\": <false>, "
     "\"source\": <\"/dev/disk/by-id/ata-MADE_UP_1TB_0000000-part1\">, \"target\": <\"sdd\">, "
     "\"type\": <\"block\">}]"},
    {VMS_CONFIG_INTERFACE, "Nics",
     "[{\"link\": <true>, \"mac\": <\"52:54:00:ca:5e:26\">, \"model\": <\"virtio-net\">, "
     "\"source\": <\"br0\">, \"target\": <\"testnet0\">, \"type\": <\"bridge\">}, "
     "{\"link\": <true>, \"mac\": <\"52:54:00:ca:5e:27\">, \"model\": <\"virtio\">, "
     "\"source\": <\"vhost0\">, \"target\": <\"testnet1\">, \"type\": <\"direct\">}]"},
    {VMS_CONFIG_INTERFACE, "HostDevices",
     "[{\"address\": <\"0000:01:00.0\">, \"type\": <\"pci\">}, "
     "{\"address\": <\"0000:01:00.1\">, \"type\": <\"pci\">}, "
     "{\"product\": <\"c52b\">, \"type\": <\"usb\">, \"vendor\": <\"046d\">}]"},
    {VMS_CONFIG_INTERFACE, "Next", "{}"},
    {VMS_DISPLAY_INTERFACE, "Graphics", "[{\"listen\": <\"0.0.0.0\">, \"type\": <\"vnc\">}]"},
};

/* Neither libvirt's own text of it nor a start makes it another one. */
static void
test_home_server(void)
{
    g_autoptr(Service) s = service_new("--uri=test:///default", NULL);
    g_autofree char *path = define(s, home_xml);
    guint64 mark = mirror_mark(s->mirror);

    assert_rows(s, path, home_rows, G_N_ELEMENTS(home_rows));
    g_autofree char *found = client_domain(s->client, NAME);
    g_assert_cmpstr(found, ==, path);

    g_autoptr(Call) xml = domain_call(s, path, "GetXml", "a{sv}", 1, "inactive", "b", 1);
    assert_ok(xml);
    g_autofree char *again = define(s, xml->body);
    g_assert_cmpstr(again, ==, path);
    g_assert_cmpuint(mirror_count(s->mirror, mark, path, NULL), ==, 0);

    g_autoptr(Call) start = domain_call(s, path, "Start", NULL);
    assert_ok(start);
    assert_rows(s, path, home_rows, G_N_ELEMENTS(home_rows));
    mirror_check(s->mirror);
}

/* --- sizes and screens -------------------------------------------------------------------- */

#define SHAPE(content)                                                                             \
    "<domain type='test'><name>shape</name><uuid>" UUID "</uuid>" content                          \
    "<os><type arch='x86_64' machine='pc'>hvm</type></os></domain>"
#define SCREENS(xml)                                                                               \
    SHAPE("<memory>32768</memory><devices>" xml "<video><model type='vga'/></video></devices>")
#define VALUE(interface, property, value)                                                          \
    {                                                                                              \
        interface, property, value                                                                 \
    }
#define GRAPHICS(value)                                                                            \
    {                                                                                              \
        VALUE(VMS_DISPLAY_INTERFACE, "Graphics", value)                                            \
    }
#define MEMORY(maximum, current)                                                                   \
    VALUE(VMS_CONFIG_INTERFACE, "MaxMemoryBytes", maximum),                                        \
        VALUE(VMS_CONFIG_INTERFACE, "MemoryBytes", current)

typedef struct {
    const char *xml;
    Row rows[6];
} Shape;

static const Shape shapes[] = {
    {SHAPE("<maxMemory slots='4' unit='GB'>2</maxMemory><memory unit='MB'>100</memory>"
           "<currentMemory unit='b'>50000001</currentMemory>"
           "<vcpu placement='static' cpuset='0-3,^2' current='1'>3</vcpu>"
           "<cpu><numa><cell id='0' cpus='0-2' memory='97656' unit='KiB'/></numa></cpu>"),
     {MEMORY("100000768", "50000896"), VALUE(VMS_CONFIG_INTERFACE, "VCpus", "1"),
      VALUE(VMS_CONFIG_INTERFACE, "MaxVCpus", "3"),
      VALUE(VMS_CONFIG_INTERFACE, "CpuPins", "[(0, \"0-1,3\"), (1, \"0-1,3\"), (2, \"0-1,3\")]")}},
    {SHAPE("<memory unit='GiB'>3</memory><currentMemory unit='MiB'>1024</currentMemory>"),
     {MEMORY("3221225472", "1073741824")}},
    {SHAPE("<memory>1024</memory>"), {MEMORY("1048576", "1048576")}},
    {SCREENS("<graphics type='spice' autoport='yes'><listen type='address' address='::1'/>"
             "</graphics><graphics type='vnc' port='-1' autoport='yes' websocket='-1'>"
             "<listen type='address' address='127.0.0.1'/></graphics>"),
     GRAPHICS("[{\"listen\": <\"::1\">, \"type\": <\"spice\">}, "
              "{\"listen\": <\"127.0.0.1\">, \"type\": <\"vnc\">}]")},
    {SCREENS("<graphics type='vnc' port='-1' autoport='yes' websocket='-1'>"
             "<listen type='network' network='none-yet'/></graphics>"),
     GRAPHICS("[{\"type\": <\"vnc\">}]")},
    {SCREENS("<graphics type='vnc'><listen type='none'/></graphics>"),
     GRAPHICS("[{\"type\": <\"vnc\">}]")},
    {SCREENS("<graphics type='vnc'><listen type='socket'/></graphics>"),
     GRAPHICS("[{\"type\": <\"vnc\">}]")},
    {SCREENS("<graphics type='vnc'><listen type='socket' socket='/run/a b'/></graphics>"),
     GRAPHICS("[{\"socket\": <\"/run/a b\">, \"type\": <\"vnc\">}]")},
    {SCREENS("<graphics type='spice' port='5901' tlsPort='5902' passwd='secret'/>"),
     GRAPHICS("[{\"port\": <5901>, \"tls_port\": <5902>, \"type\": <\"spice\">}]")},
    {SCREENS("<graphics type='egl-headless'/>"), GRAPHICS("[{\"type\": <\"egl-headless\">}]")},
};

static const Shape bus_screen = {
    SCREENS("<graphics type='egl-headless'/><graphics type='dbus'/>"),
    GRAPHICS("[{\"type\": <\"egl-headless\">}, {\"type\": <\"dbus\">}]")};

static size_t
count_rows(const Row *rows)
{
    size_t n = 0;

    while (n < G_N_ELEMENTS(shapes[0].rows) && rows[n].interface)
        n++;
    return n;
}

static void
assert_shape(Service *s, const Shape *shape)
{
    g_test_message("%s", shape->xml);
    g_autofree char *path = define(s, shape->xml);
    assert_rows(s, path, shape->rows, count_rows(shape->rows));
}

static void
test_shapes(void)
{
    g_autoptr(Service) s = service_new("--uri=test:///default", NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++)
        assert_shape(s, &shapes[i]);
    mirror_check(s->mirror);
}

static void
test_bus_screen(void)
{
    if (!libvirt_is_at_least(8, 4)) {
        g_test_skip("graphics of the type dbus came with libvirt 8.4");
        return;
    }
    g_autoptr(Service) s = service_new("--uri=test:///default", NULL);

    assert_shape(s, &bus_screen);
    mirror_check(s->mirror);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/service/shapes/home-server", test_home_server);
    g_test_add_func("/service/shapes/shapes", test_shapes);
    g_test_add_func("/service/shapes/bus-screen", test_bus_screen);
    return g_test_run();
}
