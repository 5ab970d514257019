/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain-xml-config.h"

#include "disk-chain.h"
#include "domain-settings.h"
#include "domain-xml-disk.h"
#include "domain-xml-graphics.h"
#include "domain-xml-hostdev.h"
#include "domain-xml-nic.h"
#include "domain-xml-row.h"
#include "units.h"

#include <string.h>

#define AGENT_CHANNEL "org.qemu.guest_agent.0"

/* A default for all vCPUs is told of each of them, up to so many. */
#define PINS_MAX 1024

typedef struct {
    RowBuilder rows[_HARDWARE_MAX];
    char *texts[_HARDWARE_MAX];
} Parts;

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

    return parse_number(text, UINT64_MAX / KIB) * KIB;
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

static void
read_numbers(const xmlNode *root, DomainConfig *config)
{
    read_vcpus(root, config);
    config->max_memory_bytes = read_memory(root, "memory");
    config->memory_bytes = read_memory(root, "currentMemory");
    if (!xml_child(root, "currentMemory"))
        config->memory_bytes = config->max_memory_bytes;
}

/* --- what happens at the end -------------------------------------------------------------- */

static LifecycleAction
read_action(const xmlNode *root, const char *name)
{
    static const struct {
        const char *name;
        LifecycleAction action;
    } actions[] = {
        {"destroy", LIFECYCLE_DESTROY},
        {"restart", LIFECYCLE_RESTART},
        {"preserve", LIFECYCLE_PRESERVE},
        {"rename-restart", LIFECYCLE_RENAME_RESTART},
    };
    g_autofree char *text = xml_child_text(root, name);

    for (unsigned i = 0; i < G_N_ELEMENTS(actions); i++)
        if (g_str_equal(actions[i].name, text))
            return actions[i].action;
    return LIFECYCLE_UNKNOWN;
}

/* --- metadata ----------------------------------------------------------------------------- */

static bool
is_in_namespace(const xmlNode *node, const char *href)
{
    return node->ns && node->ns->href && xmlStrEqual(node->ns->href, BAD_CAST href);
}

static bool
is_template(const xmlNode *node)
{
    return xml_is_element(node, "vmtemplate") &&
           (is_in_namespace(node, "http://unraid") || is_in_namespace(node, "unraid"));
}

static bool
is_settings(const xmlNode *node)
{
    return xml_is_element(node, "settings") && is_in_namespace(node, DOMAIN_SETTINGS_NAMESPACE);
}

static const xmlNode *
find_metadata(const xmlNode *root, bool (*is_it)(const xmlNode *node))
{
    const xmlNode *metadata = xml_child(root, "metadata");
    const xmlNode *node = metadata ? metadata->children : NULL;

    while (node && !is_it(node))
        node = node->next;
    return node;
}

/* An attribute that is there and empty is told, too. */
static void
read_template(const xmlNode *root, RowBuilder *rows)
{
    static const struct {
        const char *attribute;
        RowKey key;
    } attributes[] = {
        {"name", ROW_NAME},   {"icon", ROW_ICON},       {"os", ROW_OS},
        {"webui", ROW_WEBUI}, {"storage", ROW_STORAGE},
    };
    const xmlNode *node = find_metadata(root, is_template);

    if (!node)
        return;
    row_builder_begin(rows);
    for (unsigned i = 0; i < G_N_ELEMENTS(attributes); i++) {
        if (!xmlHasNsProp(node, BAD_CAST attributes[i].attribute, NULL))
            continue;
        g_autofree char *value = xml_attribute(node, attributes[i].attribute);
        row_builder_field(rows, &(RowField){.key = attributes[i].key, .text = value});
    }
    row_builder_end(rows);
}

static uint64_t
read_stop_timeout(const xmlNode *root)
{
    g_autofree char *text =
        xml_attribute(find_metadata(root, is_settings), DOMAIN_SETTINGS_STOP_TIMEOUT);

    return parse_number(text, UINT64_MAX);
}

/* --- the machine -------------------------------------------------------------------------- */

/*
 * Which kind of firmware: the one that was asked for, else what can be told from the loader. A PC
 * without a loader has the hypervisor's BIOS.
 */
static const char *
firmware_of(const xmlNode *os, const char *architecture)
{
    const xmlNode *loader = xml_child(os, "loader");
    g_autofree char *asked_for = xml_attribute(os, "firmware");
    g_autofree char *type = xml_attribute(loader, "type");
    bool is_pc = g_str_equal(architecture, "x86_64") || g_str_equal(architecture, "i686");

    if (g_str_equal(asked_for, "efi") || g_str_equal(type, "pflash"))
        return "efi";
    if (g_str_equal(asked_for, "bios") || (is_pc && !loader))
        return "bios";
    return "";
}

static void
read_machine(const xmlNode *root, Parts *parts)
{
    const xmlNode *os = xml_child(root, "os");
    const xmlNode *type = xml_child(os, "type");
    g_autofree char *os_type = xml_text(type);

    parts->texts[HARDWARE_ARCHITECTURE] = xml_attribute(type, "arch");
    parts->texts[HARDWARE_MACHINE] = xml_attribute(type, "machine");
    if (g_str_equal(os_type, "hvm"))
        parts->texts[HARDWARE_FIRMWARE] =
            g_strdup(firmware_of(os, parts->texts[HARDWARE_ARCHITECTURE]));
    parts->texts[HARDWARE_OS_TYPE] = g_steal_pointer(&os_type);
}

static void
put_pin(RowBuilder *pins, uint32_t vcpu, const char *cpus)
{
    if (*cpus == '\0')
        return;
    row_builder_begin(pins);
    row_builder_number(pins, ROW_VCPU, vcpu);
    row_builder_text(pins, ROW_CPUS, cpus);
    row_builder_end(pins);
}

static bool
is_pinned(Rows pins, uint32_t vcpu)
{
    for (Row pin; rows_take(&pins, &pin);)
        if (row_number(pin, ROW_VCPU) == vcpu)
            return true;
    return false;
}

static void
read_pins(const xmlNode *root, uint32_t max_vcpus, RowBuilder *pins)
{
    const xmlNode *tuning = xml_child(root, "cputune");
    g_autofree char *others = xml_child_attribute(root, "vcpu", "cpuset");

    for (const xmlNode *node = tuning ? tuning->children : NULL; node; node = node->next) {
        if (!xml_is_element(node, "vcpupin"))
            continue;
        g_autofree char *vcpu = xml_attribute(node, "vcpu");
        g_autofree char *cpus = xml_attribute(node, "cpuset");
        put_pin(pins, (uint32_t)parse_number(vcpu, UINT32_MAX), cpus);
    }
    if (*others == '\0')
        return;
    for (uint32_t vcpu = 0; vcpu < MIN(max_vcpus, PINS_MAX); vcpu++)
        if (!is_pinned(row_builder_rows(pins), vcpu))
            put_pin(pins, vcpu, others);
}

/* --- devices ------------------------------------------------------------------------------ */

static bool
is_connected_agent(const xmlNode *channel)
{
    const xmlNode *target = xml_child(channel, "target");
    g_autofree char *name = xml_attribute(target, "name");
    g_autofree char *state = xml_attribute(target, "state");

    return g_str_equal(name, AGENT_CHANNEL) && g_str_equal(state, "connected");
}

static void
read_devices(const xmlNode *root, DomainConfig *config, RowBuilder rows[static _HARDWARE_MAX])
{
    static const struct {
        const char *element;
        HardwarePart part;
        void (*read)(const xmlNode *device, RowBuilder *rows);
    } readers[] = {
        {"disk", HARDWARE_DISKS, domain_xml_read_disk},
        {"interface", HARDWARE_NICS, domain_xml_read_nic},
        {"hostdev", HARDWARE_HOST_DEVICES, domain_xml_read_host_device},
        {"graphics", HARDWARE_GRAPHICS, domain_xml_read_graphics},
    };
    const xmlNode *devices = xml_child(root, "devices");

    for (const xmlNode *node = devices ? devices->children : NULL; node; node = node->next) {
        for (unsigned i = 0; i < G_N_ELEMENTS(readers); i++)
            if (xml_is_element(node, readers[i].element))
                readers[i].read(node, &rows[readers[i].part]);
        if (xml_is_element(node, "channel") && is_connected_agent(node))
            config->agent_connected = true;
        if (xml_is_element(node, "disk") && disk_chain_is_layered(node))
            config->has_layered_disks = true;
    }
}

/* --- the boot order: of devices, or of kinds of devices ----------------------------------- */

typedef struct {
    uint32_t order;
    char *device;
} BootDevice;

static void
clear_boot_device(gpointer data)
{
    g_free(((BootDevice *)data)->device);
}

static int
compare_boot_devices(gconstpointer a, gconstpointer b)
{
    uint32_t left = ((const BootDevice *)a)->order;
    uint32_t right = ((const BootDevice *)b)->order;

    return (left > right) - (left < right);
}

static char *
boot_name(HardwarePart part, Row device)
{
    switch (part) {
    case HARDWARE_DISKS:
        return g_strconcat("disk:", row_text(device, ROW_TARGET), NULL);
    case HARDWARE_NICS:
        return g_strconcat("nic:", row_text(device, ROW_MAC), NULL);
    default:
        break;
    }

    g_autofree char *name = domain_xml_host_device_name(device);

    return g_strconcat("hostdev:", name, NULL);
}

static void
add_boot_devices(GArray *order, HardwarePart part, Rows devices)
{
    for (Row device; rows_take(&devices, &device);) {
        if (!row_has(device, ROW_BOOT))
            continue;
        BootDevice boot = {(uint32_t)row_number(device, ROW_BOOT), boot_name(part, device)};
        g_array_append_val(order, boot);
    }
}

static void
put_boot_device(RowBuilder *rows, const char *device)
{
    row_builder_begin(rows);
    row_builder_text(rows, ROW_DEVICE, device);
    row_builder_end(rows);
}

static void
read_boot_order(const xmlNode *root, RowBuilder rows[static _HARDWARE_MAX])
{
    static const HardwarePart parts[] = {HARDWARE_DISKS, HARDWARE_NICS, HARDWARE_HOST_DEVICES};
    g_autoptr(GArray) order = g_array_new(FALSE, FALSE, sizeof(BootDevice));
    const xmlNode *os = xml_child(root, "os");

    for (const xmlNode *node = os ? os->children : NULL; node; node = node->next) {
        if (!xml_is_element(node, "boot"))
            continue;
        g_autofree char *kind = xml_attribute(node, "dev");
        put_boot_device(&rows[HARDWARE_BOOT_ORDER], kind);
    }
    g_array_set_clear_func(order, clear_boot_device);
    for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++)
        add_boot_devices(order, parts[i], row_builder_rows(&rows[parts[i]]));
    g_array_sort(order, compare_boot_devices);
    for (unsigned i = 0; i < order->len; i++)
        put_boot_device(&rows[HARDWARE_BOOT_ORDER], g_array_index(order, BootDevice, i).device);
}

/* --- the whole ---------------------------------------------------------------------------- */

static Rows
part_of(const Parts *parts, HardwarePart part)
{
    const char *text = parts->texts[part];

    if (!text)
        return row_builder_rows(&parts->rows[part]);
    return (Rows){(const uint8_t *)text, *text ? strlen(text) + 1 : 0};
}

static void
pack(DomainConfig *config, Parts *parts)
{
    Rows packed[_HARDWARE_MAX];

    for (HardwarePart part = 0; part < _HARDWARE_MAX; part++)
        packed[part] = part_of(parts, part);
    domain_config_set_hardware(config, packed);
    for (HardwarePart part = 0; part < _HARDWARE_MAX; part++) {
        row_builder_clear(&parts->rows[part]);
        g_free(parts->texts[part]);
    }
}

void
domain_xml_read_config(const xmlNode *root, DomainConfig *config)
{
    Parts parts = {0};

    domain_config_clear(config);
    read_numbers(root, config);
    config->stop_timeout_usec = read_stop_timeout(root);
    config->on_poweroff = read_action(root, "on_poweroff");
    config->on_reboot = read_action(root, "on_reboot");
    read_machine(root, &parts);
    read_template(root, &parts.rows[HARDWARE_TEMPLATE]);
    read_pins(root, config->max_vcpus, &parts.rows[HARDWARE_CPU_PINS]);
    read_devices(root, config, parts.rows);
    read_boot_order(root, parts.rows);
    pack(config, &parts);
}
