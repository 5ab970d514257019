/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain-xml-config.h"

#include "xml.h"

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

static GVariant *
read_template(const xmlNode *root)
{
    static const char *const names[] = {"name", "icon", "os", "webui", "storage"};
    const xmlNode *metadata = xml_child(root, "metadata");
    const xmlNode *node = metadata ? metadata->children : NULL;
    GVariantBuilder attributes;

    g_variant_builder_init(&attributes, G_VARIANT_TYPE("a{ss}"));
    while (node && !is_template(node))
        node = node->next;
    for (unsigned i = 0; node && i < G_N_ELEMENTS(names); i++) {
        if (!xmlHasNsProp(node, BAD_CAST names[i], NULL))
            continue;
        g_autofree char *value = xml_attribute(node, names[i]);
        g_variant_builder_add(&attributes, "{ss}", names[i], value);
    }
    return g_variant_builder_end(&attributes);
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
add_disk(GVariantBuilder *disks, const xmlNode *disk)
{
    g_autofree char *target = xml_child_attribute(disk, "target", "dev");
    g_autofree char *bus = xml_child_attribute(disk, "target", "bus");
    g_autofree char *source = disk_source(disk);

    g_variant_builder_add(disks, "(ssst)", target, bus, source, UINT64_C(0));
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
add_nic(GVariantBuilder *nics, const xmlNode *nic)
{
    g_autofree char *mac = xml_child_attribute(nic, "mac", "address");
    g_autofree char *model = xml_child_attribute(nic, "model", "type");
    g_autofree char *source = nic_source(nic);

    g_variant_builder_add(nics, "(sss)", mac, model, source);
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
read_devices(const xmlNode *root, DomainConfig *config, GVariant **ret_disks, GVariant **ret_nics)
{
    const xmlNode *devices = xml_child(root, "devices");
    GVariantBuilder disks;
    GVariantBuilder nics;

    g_variant_builder_init(&disks, G_VARIANT_TYPE("a(ssst)"));
    g_variant_builder_init(&nics, G_VARIANT_TYPE("a(sss)"));
    for (const xmlNode *node = devices ? devices->children : NULL; node; node = node->next) {
        if (xml_is_element(node, "disk"))
            add_disk(&disks, node);
        else if (xml_is_element(node, "interface"))
            add_nic(&nics, node);
        else if (xml_is_element(node, "channel") && is_connected_agent(node))
            config->agent_connected = true;
    }
    *ret_disks = g_variant_builder_end(&disks);
    *ret_nics = g_variant_builder_end(&nics);
}

void
domain_xml_read_config(const xmlNode *root, DomainConfig *config)
{
    g_autofree char *os_type = xml_child_text(xml_child(root, "os"), "type");
    GVariant *children[_HARDWARE_MAX];

    domain_config_clear(config);
    read_vcpus(root, config);
    config->max_memory_bytes = read_memory(root, "memory");
    config->memory_bytes = read_memory(root, "currentMemory");
    if (!xml_child(root, "currentMemory"))
        config->memory_bytes = config->max_memory_bytes;
    children[HARDWARE_OS_TYPE] = g_variant_new_string(os_type);
    children[HARDWARE_TEMPLATE] = read_template(root);
    read_devices(root, config, &children[HARDWARE_DISKS], &children[HARDWARE_NICS]);
    domain_config_set_hardware(config, children);
}
