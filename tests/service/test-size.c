/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How large GetManagedObjects is, on a bus with the limits of a system bus. VMS_DOMAINS is how many
 * domains there are. */

#include "gio-bus.h"
#include "service.h"

#include <gio/gio.h>

#define DOMAINS    100
/* Ten thousand take their time on a busy machine. */
#define READING_MS 600000
/* The largest body that the service sends, see the manual. */
#define BODY_MAX   ((gsize)31 * 1024 * 1024)

typedef struct {
    const char *metadata;
    const char *devices;
    gsize n_disks, n_nics, n_host_devices;
    /* So many fit into a message. */
    gsize many;
} Kind;

static const Kind plain = {
    .devices =
        "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>"
        "<source file='/var/lib/libvirt/images/office.qcow2'/>"
        "<target dev='vda' bus='virtio'/></disk>"
        "<interface type='network'><source network='default'/><model type='virtio'/></interface>"
        "<graphics type='vnc' port='5900'/>",
    .n_disks = 1,
    .n_nics = 1,
    .many = 10000,
};

/* As a home server has it, with devices of the host. */
static const Kind full = {
    .metadata =
        "<vmtemplate xmlns='http://unraid' name='Windows 11' icon='windows11.png' os='windowstpm' "
        "webui='http://[IP]:[PORT:8080]/' storage='default'/>",
    .devices =
        "<disk type='file' device='disk'><driver name='qemu' type='raw' cache='writeback'/>"
        "<source file='/mnt/user/domains/Windows of the living room/vdisk1.img'/>"
        "<target dev='hdc' bus='sata'/><serial>vdisk1</serial><boot order='1'/></disk>"
        "<disk type='file' device='cdrom'><driver name='qemu' type='raw'/>"
        "<source file='/mnt/user/isos/Windows 11 24H2 x64.iso'/><target dev='hda' bus='sata'/>"
        "<readonly/><boot order='2'/></disk>"
        "<disk type='file' device='cdrom'><target dev='hdb' bus='sata'/><readonly/></disk>"
        "<disk type='block' device='disk'><driver name='qemu' type='raw' cache='none'/>"
        "<source dev='/dev/disk/by-id/ata-MADE_UP_1TB_0000000-part1'/>"
        "<target dev='sdd' bus='scsi'/></disk>"
        "<controller type='scsi' index='0' model='virtio-scsi'/>"
        "<interface type='bridge'><source bridge='br0'/><model type='virtio'/></interface>"
        "<interface type='network'><source network='default'/><model type='virtio'/></interface>"
        "<serial type='pty'/>"
        "<graphics type='vnc' port='5900' websocket='5700' listen='0.0.0.0'/>"
        "<hostdev mode='subsystem' type='pci' managed='yes'>"
        "<source><address domain='0' bus='1' slot='0' function='0'/></source></hostdev>"
        "<hostdev mode='subsystem' type='pci' managed='yes'>"
        "<source><address domain='0' bus='1' slot='0' function='1'/></source></hostdev>"
        "<hostdev mode='subsystem' type='usb'>"
        "<source><vendor id='0x046d'/><product id='0xc52b'/></source></hostdev>",
    .n_disks = 4,
    .n_nics = 2,
    .n_host_devices = 3,
    .many = 9000,
};

static unsigned
wanted_domains(void)
{
    const char *text = g_getenv("VMS_DOMAINS");

    return text ? (unsigned)g_ascii_strtoull(text, NULL, 10) : DOMAINS;
}

static Node *
node_with(unsigned n, const Kind *kind)
{
    Node *node = node_new();

    for (unsigned i = 0; i < n; i++) {
        g_autofree char *name = g_strdup_printf("domain %05u", i);

        node_add_domain(node, &(NodeDomain){
                                  .name = name,
                                  .state = "running",
                                  .title = "Games and films on the large screen",
                                  .description = "Second computer: ask before it is turned off, "
                                                 "and never while an update is under way",
                                  .metadata = kind->metadata,
                                  .devices = kind->devices,
                              });
    }
    return node;
}

static GVariant *
call_root(GDBusConnection *bus, const char *interface, const char *member, const char *type,
          GError **error)
{
    return g_dbus_connection_call_sync(bus, VMS_BUS_NAME, VMS_ROOT_PATH, interface, member, NULL,
                                       G_VARIANT_TYPE(type), G_DBUS_CALL_FLAGS_NONE, READING_MS,
                                       NULL, error);
}

/* NULL where they do not fit into a message. */
static GVariant *
managed_objects(GDBusConnection *bus)
{
    g_autoptr(GError) error = NULL;
    GVariant *reply = call_root(bus, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects",
                                "(a{oa{sa{sv}}})", &error);

    if (!g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_LIMITS_EXCEEDED))
        g_assert_no_error(error);
    return reply;
}

/* The domains of which something has to be read. */
static guint32
backlog(GDBusConnection *bus)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply = call_root(bus, VMS_DEBUG_INTERFACE, "GetState", "(a{sv})", &error);
    g_autoptr(GVariant) state = NULL;
    guint32 n;

    g_assert_no_error(error);
    state = g_variant_get_child_value(reply, 0);
    g_assert_true(g_variant_lookup(state, "refresh_backlog", "u", &n));
    return n;
}

/* How many domains show as many rows of this property as the XML has. */
static unsigned
count_rows(GVariant *reply, const char *interface, const char *property, gsize n_rows)
{
    g_autoptr(GVariant) objects = g_variant_get_child_value(reply, 0);
    GVariantIter iter;
    GVariant *interfaces;
    unsigned n = 0;

    g_variant_iter_init(&iter, objects);
    while (g_variant_iter_loop(&iter, "{&o@a{sa{sv}}}", NULL, &interfaces)) {
        g_autoptr(GVariant) properties =
            g_variant_lookup_value(interfaces, interface, G_VARIANT_TYPE("a{sv}"));
        g_autoptr(GVariant) rows =
            properties ? g_variant_lookup_value(properties, property, G_VARIANT_TYPE("aa{sv}"))
                       : NULL;

        n += rows && g_variant_n_children(rows) == n_rows;
    }
    return n;
}

static gsize
message_bytes(GVariant *reply)
{
    g_autoptr(GDBusMessage) message =
        g_dbus_message_new_method_call(VMS_BUS_NAME, VMS_ROOT_PATH, NULL, "GetManagedObjects");
    g_autoptr(GError) error = NULL;
    g_autofree guchar *blob = NULL;
    gsize size;

    g_dbus_message_set_serial(message, 1);
    g_dbus_message_set_body(message, reply);
    blob = g_dbus_message_to_blob(message, &size, G_DBUS_CAPABILITY_FLAGS_NONE, &error);
    g_assert_no_error(error);
    return size;
}

static void
check_size(GVariant *reply, unsigned n, const Kind *kind)
{
    gsize size = message_bytes(reply);

    g_assert_cmpuint(count_rows(reply, VMS_DISPLAY_INTERFACE, "Graphics", 1), ==, n);
    g_assert_cmpuint(count_rows(reply, VMS_CONFIG_INTERFACE, "Disks", kind->n_disks), ==, n);
    g_assert_cmpuint(count_rows(reply, VMS_CONFIG_INTERFACE, "Nics", kind->n_nics), ==, n);
    g_assert_cmpuint(count_rows(reply, VMS_CONFIG_INTERFACE, "HostDevices", kind->n_host_devices),
                     ==, n);
    g_test_message("%u domains: %" G_GSIZE_FORMAT " bytes, %" G_GSIZE_FORMAT
                   " each; the largest message holds %" G_GSIZE_FORMAT " of these",
                   n, size, size / n, BODY_MAX / (size / n));
    g_assert_cmpuint(size / n * kind->many, <, BODY_MAX);
}

static bool
is_available(Client *client)
{
    g_autofree char *available =
        client_get(client, VMS_ROOT_PATH, VMS_MANAGER_INTERFACE, "Available");

    return g_str_equal(available, "true");
}

/* As the manual says for more domains than a message holds. */
static void
assert_read_one_by_one(GDBusConnection *bus, Client *client, unsigned n)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        call_root(bus, VMS_MANAGER_INTERFACE, "ListDomains", "(a(ssso))", &error);
    g_autoptr(GVariant) list = NULL;
    g_autofree char *path = NULL;

    g_assert_no_error(error);
    list = g_variant_get_child_value(reply, 0);
    g_assert_cmpuint(g_variant_n_children(list), ==, n);
    g_variant_get_child(list, n - 1, "(ssso)", NULL, NULL, NULL, &path);
    assert_property(client, path, VMS_DOMAIN_INTERFACE, "State", "running");
}

static void
test_size(gconstpointer data)
{
    const Kind *kind = data;
    unsigned n = wanted_domains();
    g_autoptr(Node) node = node_with(n, kind);
    g_autoptr(World) w = world_new_with_limits();
    g_autofree char *uri = node_uri_option(node, w);

    world_start(w, uri, NULL);
    g_autoptr(GDBusConnection) bus = gio_bus_connect(w);
    g_autoptr(Client) client = client_new(w);
    while (!is_available(client) || backlog(bus) > 0)
        continue;
    g_autoptr(GVariant) reply = managed_objects(bus);
    if (reply) {
        check_size(reply, n, kind);
        return;
    }
    g_test_message("%u domains: more than a message holds", n);
    g_assert_cmpuint(n, >, kind->many);
    assert_read_one_by_one(bus, client, n);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/size/plain", &plain, test_size);
    g_test_add_data_func("/size/full", &full, test_size);
    return g_test_run();
}
