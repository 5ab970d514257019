/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reading a domain's XML, with every type of device that libvirt's schema has. */

#include "domain-xml.h"
#include "rows-text.h"

#include <string.h>

#define UUID "6695eb01-f6a4-8304-79aa-97f2502e193f"

/* The content of a <domain>, and what a part of it reads as. */
typedef struct {
    const char *xml;
    const char *text;
} Case;

static void
check(const Case *cases, size_t n, HardwarePart part)
{
    for (size_t i = 0; i < n; i++) {
        g_autofree char *text = part_text(cases[i].xml, part);

        g_assert_cmpstr(text, ==, cases[i].text);
    }
}

/* --- disks -------------------------------------------------------------------------------- */

#define DISK(attributes, content)                                                                  \
    "<devices><disk " attributes ">" content "<target dev='vda' bus='virtio'/></disk></devices>"
#define ROW(before, after) "target=vda, bus=virtio, " before "readonly=0, shareable=0" after

static void
test_disks(void)
{
    static const Case cases[] = {
        {"", ""},
        {"<devices><video><disk/></video></devices>", ""},
        {"<devices><disk/></devices>", "readonly=0, shareable=0"},
        {DISK("type='file' device='disk'",
              "<driver name='qemu' type='qcow2' cache='none'/><source file='/a b/c.img'/>"
              "<serial>one</serial><boot order='2'/>"),
         ROW("device=disk, type=file, source=/a b/c.img, format=qcow2, serial=one, cache=none, ",
             ", boot=2")},
        {DISK("type='file' device='cdrom'", "<readonly/><shareable/>"),
         "target=vda, bus=virtio, device=cdrom, type=file, readonly=1, shareable=1"},
        {DISK("type='file'", "<driver name='qemu' type='raw'/><source file=''/>"),
         ROW("type=file, ", "")},
        {DISK("type='file'", "<boot order='0'/><serial/>"), ROW("type=file, ", "")},
        {DISK("type='block' device='lun'", "<source dev='/dev/sda'/>"),
         ROW("device=lun, type=block, source=/dev/sda, ", "")},
        {DISK("type='dir' device='floppy'", "<source dir='/srv'/>"),
         ROW("device=floppy, type=dir, source=/srv, ", "")},
        {DISK("type='volume'", "<source pool='default' volume='x.qcow2'/>"),
         ROW("type=volume, source=default/x.qcow2, ", "")},
        {DISK("type='nvme'", "<source type='pci' managed='yes' namespace='1'>"
                             "<address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>"
                             "</source>"),
         ROW("type=nvme, source=0000:01:00.0/1, ", "")},
        {DISK("type='vhostuser'", "<source type='unix' path='/run/v.sock'/>"),
         ROW("type=vhostuser, source=/run/v.sock, ", "")},
        {DISK("type='vhostvdpa'", "<source dev='/dev/vhost-vdpa-0'/>"),
         ROW("type=vhostvdpa, source=/dev/vhost-vdpa-0, ", "")},
    };

    check(cases, G_N_ELEMENTS(cases), HARDWARE_DISKS);
}

/* Every URL parses as one, and holds no secret. */
static void
test_urls(void)
{
    static const struct {
        const char *source; /* content of <source protocol=… */
        const char *url;
    } rows[] = {
        {"'nbd'/>", "nbd://"},
        {"'nbd' name='export'><host name='store' port='10809'/></source>",
         "nbd://store:10809/export"},
        {"'nbd' name='/export'><host name='store'/></source>", "nbd://store//export"},
        {"'nbd'><host name='store'/></source>", "nbd://store"},
        {"'nbd' name='export'><host transport='unix' socket='/run/x'/></source>",
         "nbd+unix:///export?socket=/run/x"},
        {"'nbd'><host transport='unix' socket='/run/a&amp;b c'/></source>",
         "nbd+unix://?socket=/run/a%26b%20c"},
        {"'nbd' name='a?b#c d%e'><host name='store'/></source>", "nbd://store/a%3Fb%23c%20d%25e"},
        {"'nbd' name='\xc3\xa9'><host name='2001:db8::1' port='1'/></source>",
         "nbd://[2001:db8::1]:1/%C3%A9"},
        {"'rbd' name='pool/image'/>", "rbd:///pool/image"},
        {"'rbd' name='pool/image'><auth username='admin'><secret type='ceph' uuid='x'/></auth>"
         "<host name='mon1' port='6789'/><host name='mon2' port='6789'/><host name='::1'/>"
         "<snapshot name='s1'/><config file='/etc/ceph.conf'/></source>",
         "rbd://mon1:6789/pool/image@s1?host=mon2:6789&host=%5B::1%5D"},
        {"'gluster' name='volume/image'><host transport='rdma' name='g' port='24007'/></source>",
         "gluster+rdma://g:24007/volume/image"},
        {"'gluster' name='v/i'><host transport='tcp' name='g'/><host name='h'/></source>",
         "gluster://g/v/i?host=h"},
        {"'iscsi' name='iqn.2013-07.com.example:disk/1'><host name='server' port='3260'/>"
         "<auth username='u'/></source>",
         "iscsi://server:3260/iqn.2013-07.com.example:disk/1"},
        {"'https' name='/a/b.iso' query='token=secret'><host name='server' port='443'/>"
         "<cookies><cookie name='c'>secret</cookie></cookies></source>",
         "https://server:443/a/b.iso"},
        {"'http' name='a.iso?token=secret'><host name='me:secret@server'/></source>",
         "http://server/a.iso"},
        {"'ftp' name='a'><host name='server'/></source>", "ftp://server/a"},
        {"'ftps' name='/a?token=secret'><host name='server'/><ssl verify='no'/></source>",
         "ftps://server/a"},
        {"'tftp' name='a'><host name='server'/></source>", "tftp://server/a"},
        {"'nfs' name='/export/a'><host name='server'/><identity user='u' group='g'/></source>",
         "nfs://server/export/a"},
        {"'sheepdog' name='image'/>", "sheepdog:///image"},
        {"'vxhs' name='uuid'><host name='::1' port='9999'/></source>", "vxhs://[::1]:9999/uuid"},
        {"'ssh' name='/a'><host name='u@server' port='22'/></source>", "ssh://server:22/a"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *xml =
            g_strconcat("<devices><disk type='network'><source protocol=", rows[i].source,
                        "</disk></devices>", NULL);
        g_autofree char *wanted =
            g_strconcat("type=network, source=", rows[i].url, ", readonly=0, shareable=0", NULL);
        g_autofree char *text = part_text(xml, HARDWARE_DISKS);
        g_autoptr(GError) error = NULL;

        g_assert_cmpstr(text, ==, wanted);
        g_assert_null(strstr(text, "secret"));
        g_assert_true(g_uri_is_valid(rows[i].url, G_URI_FLAGS_NONE, &error));
        g_assert_no_error(error);
    }
}

/* --- interfaces --------------------------------------------------------------------------- */

#define NIC(attributes, content)                                                                   \
    "<devices><interface " attributes "><mac address='52:54:00:00:00:01'/>" content                \
    "</interface></devices>"
#define MAC "mac=52:54:00:00:00:01, "

static void
test_nics(void)
{
    static const Case cases[] = {
        {"<devices><interface/></devices>", "link=1"},
        {NIC("type='network'", "<source network='default' portid='x' bridge='virbr0'/>"
                               "<target dev='vnet0'/><model type='virtio'/><boot order='1'/>"),
         MAC "model=virtio, type=network, source=default, target=vnet0, link=1, boot=1"},
        /* A network of bridges, and one of devices, as the live XML has them. */
        {NIC("type='bridge'", "<source network='lan' bridge='br0'/>"),
         MAC "type=network, source=lan, link=1"},
        {NIC("type='direct'", "<source network='lan' dev='eth0' mode='bridge'/>"),
         MAC "type=network, source=lan, link=1"},
        {NIC("type='bridge'", "<source bridge='br0'/><link state='down'/>"),
         MAC "type=bridge, source=br0, link=0"},
        {NIC("type='direct'", "<source dev='eth0' mode='vepa'/><link state='up'/>"),
         MAC "type=direct, source=eth0, link=1"},
        {NIC("type='user'", "<source dev='eth0'/>"), MAC "type=user, link=1"},
        {NIC("type='ethernet'", "<target dev='tap0' managed='no'/>"),
         MAC "type=ethernet, target=tap0, link=1"},
        {NIC("type='ethernet'", "<source dev='eth0'/>"), MAC "type=ethernet, source=eth0, link=1"},
        {NIC("type='vhostuser'", "<source type='unix' path='/run/v' mode='client'/>"),
         MAC "type=vhostuser, source=/run/v, link=1"},
        {NIC("type='vhostuser'", "<source dev='eth0'/><backend type='passt'/>"),
         MAC "type=vhostuser, source=eth0, link=1"},
        {NIC("type='vhostuser'", "<backend type='passt'/>"), MAC "type=vhostuser, link=1"},
        {NIC("type='mcast'", "<source address='230.0.0.1' port='5558'/>"),
         MAC "type=mcast, source=230.0.0.1:5558, link=1"},
        {NIC("type='client'", "<source address='::1' port='5558'/>"),
         MAC "type=client, source=[::1]:5558, link=1"},
        {NIC("type='server'", "<source port='5558'/>"), MAC "type=server, source=:5558, link=1"},
        {NIC("type='udp'", "<source address='10.0.0.2' port='1'>"
                           "<local address='10.0.0.1' port='2'/></source>"),
         MAC "type=udp, source=10.0.0.2:1, link=1"},
        {NIC("type='internal'", "<source name='vm-net'/>"),
         MAC "type=internal, source=vm-net, link=1"},
        {NIC("type='hostdev' managed='yes'", "<source><address type='pci' domain='0x0000' "
                                             "bus='0x3b' slot='0x02' function='0x3'/></source>"),
         MAC "type=hostdev, source=0000:3b:02.3, link=1"},
        {NIC("type='hostdev'", "<source><address type='usb' bus='1' device='2'/></source>"),
         MAC "type=hostdev, source=1:2, link=1"},
        {NIC("type='vdpa'", "<source dev='/dev/vhost-vdpa-0'/>"),
         MAC "type=vdpa, source=/dev/vhost-vdpa-0, link=1"},
        {NIC("type='vds'", "<source switchid='5' portid='1' portgroupid='g' connectionid='2'/>"),
         MAC "type=vds, source=5, link=1"},
        {NIC("type='null'", ""), MAC "type=null, link=1"},
    };

    check(cases, G_N_ELEMENTS(cases), HARDWARE_NICS);
}

/* --- host devices ------------------------------------------------------------------------- */

#define HOSTDEV(attributes, content)                                                               \
    "<devices><hostdev " attributes ">" content "</hostdev></devices>"

static void
test_host_devices(void)
{
    static const Case cases[] = {
        {HOSTDEV("mode='subsystem' type='pci'",
                 "<source><address domain='0x0001' bus='0xa0' slot='0x1f' function='0x7'/></source>"
                 "<alias name='hostdev0'/><boot order='3'/>"
                 "<address type='pci' domain='0x0000' bus='0x00' slot='0x05' function='0x0'/>"),
         "type=pci, address=0001:a0:1f.7, alias=hostdev0, boot=3"},
        {HOSTDEV("mode='subsystem' type='usb'",
                 "<source startupPolicy='optional'><vendor id='0x046d'/><product id='0xc52b'/>"
                 "</source><address type='usb' bus='0' port='1'/>"),
         "type=usb, vendor=046d, product=c52b"},
        {HOSTDEV("mode='subsystem' type='usb'",
                 "<source><vendor id='0x46d'/><product id='0x1'/><address bus='1' device='12'/>"
                 "</source>"),
         "type=usb, address=1:12, vendor=046d, product=0001"},
        {HOSTDEV("mode='subsystem' type='mdev' model='vfio-pci'",
                 "<source><address uuid='" UUID "'/></source>"),
         "type=mdev, address=" UUID},
        {HOSTDEV("mode='subsystem' type='scsi'",
                 "<source><adapter name='scsi_host2'/><address bus='0' target='1' unit='3'/>"
                 "</source>"),
         "type=scsi, address=2:0:1:3"},
        {HOSTDEV("mode='subsystem' type='scsi'",
                 "<source protocol='iscsi' name='iqn.2014-08.com.example:t/1'>"
                 "<host name='server' port='3260'/><auth username='u'/></source>"),
         "type=scsi, address=iqn.2014-08.com.example:t/1"},
        {HOSTDEV("mode='subsystem' type='scsi_host'",
                 "<source protocol='vhost' wwpn='naa.50014057667280d8'/>"),
         "type=scsi_host, address=naa.50014057667280d8"},
        {HOSTDEV("mode='capabilities' type='storage'", "<source><block>/dev/sdb</block></source>"),
         "type=storage, address=/dev/sdb"},
        {HOSTDEV("mode='capabilities' type='misc'", "<source><char>/dev/input/e</char></source>"),
         "type=misc, address=/dev/input/e"},
        {HOSTDEV("mode='capabilities' type='net'", "<source><interface>eth0</interface></source>"),
         "type=net, address=eth0"},
        {HOSTDEV("mode='subsystem' type='pci'", ""), "type=pci"},
        {HOSTDEV("mode='subsystem' type='usb'", "<source><vendor id='0x10000'/></source>"),
         "type=usb"},
    };

    check(cases, G_N_ELEMENTS(cases), HARDWARE_HOST_DEVICES);
}

/* --- graphics ----------------------------------------------------------------------------- */

#define GRAPHICS(xml) "<devices>" xml "</devices>"

static void
test_graphics(void)
{
    static const Case cases[] = {
        {GRAPHICS("<video/><disk><graphics type='vnc'/></disk>"), ""},
        {GRAPHICS("<graphics type='vnc' port='5901' autoport='yes' listen='127.0.0.1'/>"),
         "type=vnc, listen=127.0.0.1, port=5901"},
        {GRAPHICS("<graphics type='vnc' port='-1' autoport='yes'/>"), "type=vnc"},
        {GRAPHICS("<graphics type='vnc' port='5901' websocket='5701' listen='1.2.3.4'>"
                  "<listen type='address' address='0.0.0.0'/></graphics>"),
         "type=vnc, listen=0.0.0.0, port=5901, websocket=5701"},
        {GRAPHICS("<graphics type='vnc' port='-1' websocket='-1'/>"), "type=vnc"},
        {GRAPHICS("<graphics type='vnc' passwd='*****'/>"), "type=vnc, password=1"},
        {GRAPHICS("<graphics type='vnc'><listen type='network' network='default'/></graphics>"),
         "type=vnc"},
        {GRAPHICS("<graphics type='vnc'><listen type='network' network='default' "
                  "address='10.0.0.1'/></graphics>"),
         "type=vnc, listen=10.0.0.1"},
        {GRAPHICS("<graphics type='vnc' socket='/run/a'/>"), "type=vnc, socket=/run/a"},
        {GRAPHICS("<graphics type='spice' tlsPort='5902'>"
                  "<listen type='socket' socket='/run/b'/></graphics>"),
         "type=spice, socket=/run/b, tls_port=5902"},
        {GRAPHICS("<graphics type='spice'><listen type='none'/></graphics>"
                  "<graphics type='vnc' port='1'/>"),
         "type=spice; type=vnc, port=1"},
        {GRAPHICS("<graphics type='vnc' port='65536' websocket='x' tlsPort='0'/>"), "type=vnc"},
        {GRAPHICS("<graphics type='sdl' display=':0.0'/><graphics type='dbus'/>"
                  "<graphics type='egl-headless'/><graphics type='desktop' fullscreen='yes'/>"),
         "type=sdl; type=dbus; type=egl-headless; type=desktop"},
        {GRAPHICS("<graphics type='rdp' port='3389' replaceUser='yes'>"
                  "<listen type='address' address='::'/></graphics>"),
         "type=rdp, listen=::, port=3389"},
    };

    check(cases, G_N_ELEMENTS(cases), HARDWARE_GRAPHICS);
}

/* --- the machine -------------------------------------------------------------------------- */

static void
test_firmware(void)
{
#define OS(attributes, arch, content)                                                              \
    "<os " attributes "><type arch='" arch "' machine='q35'>hvm</type>" content "</os>"
    static const Case cases[] = {
        {"", ""},
        {"<os><type>exe</type></os>", ""},
        {OS("", "x86_64", ""), "bios"},
        {OS("", "i686", ""), "bios"},
        {OS("", "aarch64", ""), ""},
        {OS("firmware='efi'", "x86_64", ""), "efi"},
        {OS("firmware='bios'", "x86_64", "<loader type='rom'>/x</loader>"), "bios"},
        {OS("", "x86_64", "<loader readonly='yes' type='pflash'>/x</loader>"), "efi"},
        {OS("", "aarch64", "<loader readonly='yes' type='pflash'>/x</loader>"), "efi"},
        {OS("", "x86_64", "<loader type='rom'>/x</loader>"), ""},
    };

    check(cases, G_N_ELEMENTS(cases), HARDWARE_FIRMWARE);
}

static void
test_boot_order(void)
{
    static const Case cases[] = {
        {"", ""},
        {"<os><boot dev='network'/><boot dev='hd'/><boot dev='cdrom'/></os>",
         "device=network; device=hd; device=cdrom"},
        {"<devices>"
         "<disk><target dev='vda'/><boot order='12'/></disk>"
         "<disk><target dev='sda'/></disk>"
         "<interface><mac address='52:54:00:00:00:01'/><boot order='2'/></interface>"
         "<hostdev type='pci'><source><address bus='0x1' slot='0x2'/></source><boot order='3'/>"
         "</hostdev>"
         "<hostdev type='usb'><source><vendor id='0x1'/><product id='0x2'/></source>"
         "<boot order='1'/></hostdev>"
         "</devices>",
         "device=hostdev:0001:0002; device=nic:52:54:00:00:00:01; device=hostdev:0000:01:02.0; "
         "device=disk:vda"},
    };

    check(cases, G_N_ELEMENTS(cases), HARDWARE_BOOT_ORDER);
}

static void
test_pins(void)
{
    static const Case cases[] = {
        {"<vcpu>2</vcpu>", ""},
        {"<vcpu>2</vcpu><cputune><vcpupin vcpu='1' cpuset='2-3'/><shares>5</shares></cputune>",
         "vcpu=1, cpus=2-3"},
        {"<vcpu cpuset='0-1,3'>3</vcpu><cputune><vcpupin vcpu='1' cpuset='2'/></cputune>",
         "vcpu=1, cpus=2; vcpu=0, cpus=0-1,3; vcpu=2, cpus=0-1,3"},
        {"<vcpu>1</vcpu><cputune><vcpupin vcpu='0' cpuset=''/></cputune>", ""},
    };

    check(cases, G_N_ELEMENTS(cases), HARDWARE_CPU_PINS);

    /* A number of vCPUs that no machine has costs no memory. */
    g_autofree char *pins = part_text("<vcpu cpuset='1'>4294967295</vcpu>", HARDWARE_CPU_PINS);
    g_assert_cmpuint(strlen(pins), <, 64 * 1024);
}

static void
test_template(void)
{
#define TEMPLATE(xml) "<metadata>" xml "</metadata>"
    static const Case cases[] = {
        {TEMPLATE("<vmtemplate name='none'/>"), ""},
        {TEMPLATE("<vmtemplate xmlns='elsewhere' name='no'/>"
                  "<u:vmtemplate xmlns:u='http://unraid' name='yes' webui='' other='x'/>"),
         "name=yes, webui="},
        {TEMPLATE("<vmtemplate xmlns='unraid' name='a' icon='b' os='c' webui='d' storage='e'/>"),
         "name=a, icon=b, os=c, webui=d, storage=e"},
    };

    check(cases, G_N_ELEMENTS(cases), HARDWARE_TEMPLATE);
}

static void
test_settings(void)
{
    static const struct {
        const char *xml;
        uint64_t stop_timeout;
        LifecycleAction on_poweroff;
        LifecycleAction on_reboot;
        bool agent_connected;
    } rows[] = {
        {"", 0, LIFECYCLE_UNKNOWN, LIFECYCLE_UNKNOWN, false},
        {"<on_poweroff>restart</on_poweroff><on_reboot>restart</on_reboot>", 0, LIFECYCLE_RESTART,
         LIFECYCLE_RESTART, false},
        {"<on_poweroff>preserve</on_poweroff><on_reboot>rename-restart</on_reboot>", 0,
         LIFECYCLE_PRESERVE, LIFECYCLE_RENAME_RESTART, false},
        {"<on_poweroff>destroy</on_poweroff><on_reboot>destroy</on_reboot>", 0, LIFECYCLE_DESTROY,
         LIFECYCLE_DESTROY, false},
        {"<metadata><s:settings xmlns:s='http://unraid.org/vms/1' stop-timeout-usec='90000000'/>"
         "</metadata>",
         90000000, LIFECYCLE_UNKNOWN, LIFECYCLE_UNKNOWN, false},
        {"<metadata><settings stop-timeout-usec='1'/><settings xmlns='http://unraid.org/vms/1' "
         "stop-timeout-usec='long'/></metadata>",
         0, LIFECYCLE_UNKNOWN, LIFECYCLE_UNKNOWN, false},
        {"<devices><channel><target type='virtio' name='org.qemu.guest_agent.0' "
         "state='connected'/></channel></devices>",
         0, LIFECYCLE_UNKNOWN, LIFECYCLE_UNKNOWN, true},
        {"<devices><channel><target name='org.qemu.guest_agent.0' state='disconnected'/></channel>"
         "<channel><target name='com.redhat.spice.0' state='connected'/></channel></devices>",
         0, LIFECYCLE_UNKNOWN, LIFECYCLE_UNKNOWN, false},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *xml = g_strconcat("<domain>", rows[i].xml, "</domain>", NULL);
        g_autoptr(DomainUpdate) update = domain_update_new(UUID);

        g_assert_true(domain_xml_read(xml, update));
        g_assert_cmpuint(update->config.stop_timeout_usec, ==, rows[i].stop_timeout);
        g_assert_cmpint(update->config.on_poweroff, ==, rows[i].on_poweroff);
        g_assert_cmpint(update->config.on_reboot, ==, rows[i].on_reboot);
        g_assert_cmpint(update->config.agent_connected, ==, rows[i].agent_connected);
    }
}

/* As a home server's form makes it. */
static void
test_whole(void)
{
    static const char xml[] =
        "<domain type='kvm'>"
        "<metadata><vmtemplate xmlns='http://unraid' name='Windows 11' icon='windows11.png' "
        "os='windowstpm' webui='' storage='default'/>"
        "<vmtemplate xmlns='unraid' name='Old Windows'/></metadata>"
        "<memory unit='KiB'>65536</memory><currentMemory unit='KiB'>49152</currentMemory>"
        "<vcpu placement='static'>2</vcpu>"
        "<os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>"
        "<devices>"
        "<disk type='file' device='disk'><driver name='qemu' type='raw' cache='writeback'/>"
        "<source file='/mnt/user/domains/Gaming PC (B\xc3\xbcro) &amp; \"TV\"/vdisk1.img'/>"
        "<target dev='hdc' bus='sata'/><serial>vdisk1</serial><boot order='1'/></disk>"
        "<filesystem type='mount'><source dir='/mnt'/><target dir='share'/></filesystem>"
        "</devices></domain>";
    g_autoptr(DomainUpdate) update = domain_update_new(UUID);

    g_assert_true(domain_xml_read(xml, update));
    const DomainConfig *config = &update->config;
    g_autofree char *disks = rows_text(domain_config_rows(config, HARDWARE_DISKS));
    g_autofree char *template = rows_text(domain_config_rows(config, HARDWARE_TEMPLATE));
    g_assert_cmpuint(config->vcpus, ==, 2);
    g_assert_cmpuint(config->memory_bytes, ==, 48 << 20);
    g_assert_cmpuint(config->max_memory_bytes, ==, 64 << 20);
    g_assert_cmpstr(domain_config_text(config, HARDWARE_OS_TYPE), ==, "hvm");
    g_assert_cmpstr(domain_config_text(config, HARDWARE_ARCHITECTURE), ==, "x86_64");
    g_assert_cmpstr(domain_config_text(config, HARDWARE_MACHINE), ==, "pc-q35-7.2");
    g_assert_cmpstr(disks, ==,
                    "target=hdc, bus=sata, device=disk, type=file, source=/mnt/user/domains/"
                    "Gaming PC (B\xc3\xbcro) & \"TV\"/vdisk1.img, format=raw, serial=vdisk1, "
                    "cache=writeback, readonly=0, shareable=0, boot=1");
    g_assert_cmpstr(template, ==,
                    "name=Windows 11, icon=windows11.png, os=windowstpm, webui=, storage=default");
}

/* --- bounds ------------------------------------------------------------------------------- */

/* Texts are cut between two characters. */
static void
test_long_texts(void)
{
    g_autoptr(GString) text = g_string_new("x");

    while (text->len < 3 * ROW_TEXT_MAX)
        g_string_append(text, "\xe2\x82\xac");
    g_autofree char *xml = g_strdup_printf(
        "<domain><title>%s</title><description>%s</description>"
        "<devices><disk type='file'><source file='%s'/><serial>%s</serial></disk></devices>"
        "</domain>",
        text->str, text->str, text->str, text->str);
    g_autoptr(DomainUpdate) update = domain_update_new(UUID);
    g_assert_true(domain_xml_read(xml, update));

    Rows disks = domain_config_rows(&update->config, HARDWARE_DISKS);
    Row disk;
    g_assert_true(rows_take(&disks, &disk));
    const char *const all[] = {update->title, update->description, row_text(disk, ROW_SOURCE),
                               row_text(disk, ROW_SERIAL)};
    for (unsigned i = 0; i < G_N_ELEMENTS(all); i++) {
        g_assert_cmpuint(strlen(all[i]), ==, ROW_TEXT_MAX);
        g_assert_true(g_utf8_validate(all[i], -1, NULL));
        g_assert_true(g_str_has_prefix(text->str, all[i]));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/domain-config/disks", test_disks);
    g_test_add_func("/domain-config/urls", test_urls);
    g_test_add_func("/domain-config/nics", test_nics);
    g_test_add_func("/domain-config/host-devices", test_host_devices);
    g_test_add_func("/domain-config/graphics", test_graphics);
    g_test_add_func("/domain-config/firmware", test_firmware);
    g_test_add_func("/domain-config/boot-order", test_boot_order);
    g_test_add_func("/domain-config/pins", test_pins);
    g_test_add_func("/domain-config/template", test_template);
    g_test_add_func("/domain-config/settings", test_settings);
    g_test_add_func("/domain-config/whole", test_whole);
    g_test_add_func("/domain-config/long-texts", test_long_texts);
    return g_test_run();
}
