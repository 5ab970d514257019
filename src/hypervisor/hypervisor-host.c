/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisor-host.h"

#include "hypervisor-private.h"
#include "node-device-xml.h"
#include "units.h"
#include "utf8.h"
#include "xml.h"

/* --- the host ----------------------------------------------------------------------------- */

void
host_info_clear(HostInfo *info)
{
    g_clear_pointer(&info->cpu_model, g_free);
}

/* The name that the firmware gives the processor; "" where the host does not tell. */
static char *
model_of_sysinfo(virConnectPtr conn)
{
    g_autofree char *xml = virConnectGetSysinfo(conn, 0);
    g_autoptr(xmlDoc) doc = xml ? xml_parse(xml, "sysinfo") : NULL;
    const xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;
    const xmlNode *processor = xml_child(root, "processor");

    for (const xmlNode *entry = processor ? processor->children : NULL; entry;
         entry = entry->next) {
        g_autofree char *name =
            xml_is_element(entry, "entry") ? xml_attribute(entry, "name") : g_strdup("");

        if (g_str_equal(name, "version"))
            return xml_text(entry);
    }
    return g_strdup("");
}

/* libvirt's name for the model that it comes nearest to. */
static char *
model_of_capabilities(virConnectPtr conn)
{
    g_autofree char *xml = virConnectGetCapabilities(conn);
    g_autoptr(xmlDoc) doc = xml ? xml_parse(xml, "capabilities") : NULL;
    const xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;

    return xml_child_text(xml_child(xml_child(root, "host"), "cpu"), "model");
}

/* The architecture is the last resort. */
static char *
read_model(virConnectPtr conn, const virNodeInfo *node)
{
    char *model = model_of_sysinfo(conn);

    if (!*model) {
        g_free(model);
        model = model_of_capabilities(conn);
    }
    if (!*model) {
        g_free(model);
        model = utf8_for_bus(node->model);
    }
    return model;
}

bool
hypervisor_read_host(Hypervisor *h, bool with_model, HostInfo *ret, Error **error)
{
    virNodeInfo node;

    if (virNodeGetInfo(h->conn, &node) < 0)
        return hypervisor_fail(error);
    *ret = (HostInfo){
        .cpu_model = with_model ? read_model(h->conn, &node) : NULL,
        .memory_bytes = (uint64_t)node.memory * KIB,
        .cpus = node.cpus,
        .cells = node.nodes,
        .sockets = node.sockets,
        .cores = node.cores,
        .threads = node.threads,
    };
    return true;
}

/* --- its devices -------------------------------------------------------------------------- */

static void
free_row(gpointer row)
{
    g_bytes_unref(row);
}

static const char *
address_of(GBytes *device)
{
    Rows rows = rows_of_bytes(device);
    Row row;

    return rows_take(&rows, &row) ? row_text(row, ROW_ADDRESS) : "";
}

/* Number by number. Read as hexadecimal ones, the decimal numbers of USB have the same order. */
static gint
compare_addresses(gconstpointer a, gconstpointer b)
{
    const char *mine = address_of(*(GBytes *const *)a);
    const char *theirs = address_of(*(GBytes *const *)b);
    char *mine_end;
    char *theirs_end;

    for (;; mine = mine_end + 1, theirs = theirs_end + 1) {
        guint64 x = g_ascii_strtoull(mine, &mine_end, 16);
        guint64 y = g_ascii_strtoull(theirs, &theirs_end, 16);

        if (x != y)
            return x < y ? -1 : 1;
        if (*mine_end == '\0' || *theirs_end == '\0')
            return 0;
    }
}

static void
add_device(GPtrArray *rows, virNodeDevicePtr device)
{
    g_autofree char *xml = virNodeDeviceGetXMLDesc(device, 0);
    g_auto(RowBuilder) builder = {0};

    if (xml)
        node_device_xml_put(&builder, xml);
    GBytes *row = row_builder_take(&builder);
    if (row)
        g_ptr_array_add(rows, row);
}

GPtrArray *
hypervisor_list_host_devices(Hypervisor *h, HostDeviceKind kind, Error **error)
{
    static const unsigned capabilities[] = {
        [HOST_DEVICE_PCI] = VIR_CONNECT_LIST_NODE_DEVICES_CAP_PCI_DEV,
        [HOST_DEVICE_USB] = VIR_CONNECT_LIST_NODE_DEVICES_CAP_USB_DEV,
    };
    virNodeDevicePtr *devices = NULL;
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(free_row);

    if (virConnectListAllNodeDevices(h->conn, &devices, capabilities[kind]) < 0) {
        hypervisor_fail(error);
        return NULL;
    }
    int n = hypervisor_count((void **)devices);
    for (int i = 0; i < n; i++) {
        add_device(rows, devices[i]);
        virNodeDeviceFree(devices[i]);
    }
    free(devices);
    g_ptr_array_sort(rows, compare_addresses);
    if (hypervisor_is_alive(h))
        return g_steal_pointer(&rows);
    hypervisor_fail(error);
    return NULL;
}
