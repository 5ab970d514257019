/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain-xml-config.h"

#include "domain-xml-graphics.h"
#include "xml.h"

#include <string.h>

#define AGENT_CHANNEL "org.qemu.guest_agent.0"

/* --- numbers ------------------------------------------------------------------------------ */

static uint64_t
parse_number(const char *text, uint64_t max)
{
    g_autofree char *copy = g_strstrip(g_strdup(text));
    guint64 value;

    return g_ascii_string_to_unsigned(copy, 10, 0, max, &value, NULL) ? value : 0;
}

/* libvirt writes every amount of memory in KiB. */
static uint64_t
read_memory(const xmlNode *root, const char *name)
{
    g_autofree char *text = xml_child_text(root, name);

    return parse_number(text, UINT64_MAX / 1024) * 1024;
}

static void
read_vcpus(const xmlNode *root, DomainConfig *config)
{
    const xmlNode *vcpu = xml_child(root, "vcpu");
    g_autofree char *max = xml_text(vcpu);
    g_autofree char *current = xml_attribute(vcpu, "current");

    config->max_vcpus = (uint32_t)parse_number(max, UINT32_MAX);
    config->vcpus = (uint32_t)parse_number(current, UINT32_MAX);
    if (*current == '\0')
        config->vcpus = config->max_vcpus;
}

/* --- template ----------------------------------------------------------------------------- */

static bool
is_template(const xmlNode *node)
{
    return xml_is_element(node, "vmtemplate") && node->ns && node->ns->href &&
           (xmlStrEqual(node->ns->href, BAD_CAST "http://unraid") ||
            xmlStrEqual(node->ns->href, BAD_CAST "unraid"));
}

static void
read_template(const xmlNode *root, Wire *rows)
{
    static const char *const names[] = {"name", "icon", "os", "webui", "storage"};
    const xmlNode *metadata = xml_child(root, "metadata");
    const xmlNode *node = metadata ? metadata->children : NULL;

    while (node && !is_template(node))
        node = node->next;
    for (unsigned i = 0; node && i < G_N_ELEMENTS(names); i++) {
        if (!xmlHasNsProp(node, BAD_CAST names[i], NULL))
            continue;
        g_autofree char *value = xml_attribute(node, names[i]);
        wire_align(rows, 8);
        wire_put_string(rows, names[i]);
        wire_put_string(rows, value);
    }
}

/* --- devices ------------------------------------------------------------------------------ */

/* "a", "a/b" */
static char *
join_path(const char *first, const char *second)
{
    return *second ? g_strconcat(first, "/", second, NULL) : g_strdup(first);
}

/* A path, a volume ("pool/volume") or a URL without its host; empty for none. */
static char *
disk_source(const xmlNode *disk)
{
    static const char *const attributes[] = {"file", "dev", "dir"};
    const xmlNode *source = xml_child(disk, "source");

    for (unsigned i = 0; i < G_N_ELEMENTS(attributes); i++) {
        g_autofree char *path = xml_attribute(source, attributes[i]);

        if (*path)
            return g_steal_pointer(&path);
    }
    g_autofree char *pool = xml_attribute(source, "pool");
    g_autofree char *volume = xml_attribute(source, "volume");
    if (*pool)
        return join_path(pool, volume);

    g_autofree char *protocol = xml_attribute(source, "protocol");
    g_autofree char *name = xml_attribute(source, "name");
    g_autofree char *host = xml_child_attribute(source, "host", "name");
    if (*protocol) {
        g_autofree char *place = join_path(host, name);

        return g_strconcat(protocol, "://", place, NULL);
    }
    return xml_attribute(source, "path");
}

static void
add_disk(Wire *disks, const xmlNode *disk)
{
    g_autofree char *target = xml_child_attribute(disk, "target", "dev");
    g_autofree char *bus = xml_child_attribute(disk, "target", "bus");
    g_autofree char *source = disk_source(disk);

    domain_config_put_disk(disks, target, bus, source, 0);
}

/* A network, a bridge, a device: whichever the kind of the interface names. */
static char *
nic_source(const xmlNode *nic)
{
    static const char *const attributes[] = {"network", "bridge", "dev", "path", "name", "address"};
    const xmlNode *source = xml_child(nic, "source");

    for (unsigned i = 0; i < G_N_ELEMENTS(attributes); i++) {
        g_autofree char *text = xml_attribute(source, attributes[i]);

        if (*text)
            return g_steal_pointer(&text);
    }
    return g_strdup("");
}

static void
add_nic(Wire *nics, const xmlNode *nic)
{
    g_autofree char *mac = xml_child_attribute(nic, "mac", "address");
    g_autofree char *model = xml_child_attribute(nic, "model", "type");
    g_autofree char *source = nic_source(nic);

    wire_align(nics, 8);
    wire_put_string(nics, mac);
    wire_put_string(nics, model);
    wire_put_string(nics, source);
}

static bool
is_connected_agent(const xmlNode *channel)
{
    const xmlNode *target = xml_child(channel, "target");
    g_autofree char *name = xml_attribute(target, "name");
    g_autofree char *state = xml_attribute(target, "state");

    return g_str_equal(name, AGENT_CHANNEL) && g_str_equal(state, "connected");
}

static void
read_devices(const xmlNode *root, DomainConfig *config, Wire *disks, Wire *nics)
{
    const xmlNode *devices = xml_child(root, "devices");

    for (const xmlNode *node = devices ? devices->children : NULL; node; node = node->next) {
        if (xml_is_element(node, "disk"))
            add_disk(disks, node);
        else if (xml_is_element(node, "interface"))
            add_nic(nics, node);
        else if (xml_is_element(node, "channel") && is_connected_agent(node))
            config->agent_connected = true;
    }
}

void
domain_xml_read_config(const xmlNode *root, DomainConfig *config)
{
    g_autofree char *os_type = xml_child_text(xml_child(root, "os"), "type");
    Wire parts[_HARDWARE_MAX] = {{NULL}};

    domain_config_clear(config);
    read_vcpus(root, config);
    config->max_memory_bytes = read_memory(root, "memory");
    config->memory_bytes = read_memory(root, "currentMemory");
    if (!xml_child(root, "currentMemory"))
        config->memory_bytes = config->max_memory_bytes;
    wire_put_bytes(&parts[HARDWARE_OS_TYPE], os_type, strlen(os_type));
    read_template(root, &parts[HARDWARE_TEMPLATE]);
    read_devices(root, config, &parts[HARDWARE_DISKS], &parts[HARDWARE_NICS]);
    domain_xml_read_graphics(root, &parts[HARDWARE_GRAPHICS]);
    domain_config_set_hardware(config, parts);
    for (unsigned part = 0; part < _HARDWARE_MAX; part++)
        wire_clear(&parts[part]);
}
