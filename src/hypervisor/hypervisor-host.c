/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisor-host.h"

#include "hypervisor-private.h"
#include "node-device-xml.h"
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

bool
hypervisor_read_host(Hypervisor *h, HostInfo *ret, Error **error)
{
    virNodeInfo node;

    if (virNodeGetInfo(h->conn, &node) < 0)
        return hypervisor_fail(error);

    g_autofree char *model = model_of_sysinfo(h->conn);
    if (!*model) {
        g_free(model);
        model = model_of_capabilities(h->conn);
    }
    *ret = (HostInfo){
        /* The architecture is the last resort. */
        .cpu_model = *model ? g_strdup(model) : utf8_for_bus(node.model),
        .memory_bytes = (uint64_t)node.memory * 1024,
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
put_device(RowBuilder *rows, virNodeDevicePtr device)
{
    g_autofree char *xml = virNodeDeviceGetXMLDesc(device, 0);

    if (xml)
        node_device_xml_put(rows, xml);
}

bool
hypervisor_list_host_devices(Hypervisor *h, HostDeviceKind kind, GBytes **ret, Error **error)
{
    static const unsigned capabilities[] = {
        [HOST_DEVICE_PCI] = VIR_CONNECT_LIST_NODE_DEVICES_CAP_PCI_DEV,
        [HOST_DEVICE_USB] = VIR_CONNECT_LIST_NODE_DEVICES_CAP_USB_DEV,
    };
    virNodeDevicePtr *devices = NULL;
    g_auto(RowBuilder) rows = {0};
    int n = virConnectListAllNodeDevices(h->conn, &devices, capabilities[kind]);

    if (n < 0)
        return hypervisor_fail(error);
    for (int i = 0; i < n; i++) {
        put_device(&rows, devices[i]);
        virNodeDeviceFree(devices[i]);
    }
    free(devices);
    if (!hypervisor_is_alive(h))
        return hypervisor_fail(error);
    *ret = row_builder_take(&rows);
    return true;
}
