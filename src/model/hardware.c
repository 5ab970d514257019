/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hardware.h"

#include "domain.h"

#include <string.h>

void
domain_config_clear(DomainConfig *config)
{
    g_free(config->hardware);
    *config = (DomainConfig){0};
}

WireReader
domain_config_part(const DomainConfig *config, HardwarePart part)
{
    const Hardware *hardware = config->hardware;
    size_t begin = 0;

    if (!hardware)
        return (WireReader){NULL};
    for (unsigned i = 0; i < part; i++)
        begin += hardware->sizes[i];
    return (WireReader){hardware->data + begin, hardware->sizes[part], 0};
}

void
domain_config_set_hardware(DomainConfig *config, const Wire parts[static _HARDWARE_MAX])
{
    size_t size = 0;

    for (unsigned part = 0; part < _HARDWARE_MAX; part++)
        size += parts[part].size;

    Hardware *hardware = g_malloc(sizeof *hardware + size);
    uint8_t *end = hardware->data;
    for (unsigned part = 0; part < _HARDWARE_MAX; part++) {
        hardware->sizes[part] = (uint32_t)parts[part].size;
        if (parts[part].size > 0)
            memcpy(end, parts[part].data, parts[part].size);
        end += parts[part].size;
    }
    g_free(config->hardware);
    config->hardware = hardware;
}

/* --- capacities --------------------------------------------------------------------------- */

/* A row of HARDWARE_DISKS. */
typedef struct {
    const char *target;
    const char *bus;
    const char *source;
    uint64_t capacity;
} Disk;

static bool
next_disk(WireReader *disks, Disk *disk)
{
    if (!wire_next_row(disks))
        return false;
    disk->target = wire_read_string(disks);
    disk->bus = wire_read_string(disks);
    disk->source = wire_read_string(disks);
    disk->capacity = wire_read_u64(disks);
    return true;
}

void
domain_config_put_disk(Wire *disks, const char *target, const char *bus, const char *source,
                       uint64_t capacity)
{
    wire_align(disks, 8);
    wire_put_string(disks, target);
    wire_put_string(disks, bus);
    wire_put_string(disks, source);
    wire_put_u64(disks, capacity);
}

/* What the capacity of a disk is, where it is known. */
typedef uint64_t (*CapacityOf)(const Disk *disk, void *data);

static void
replace_disks(DomainConfig *config, Wire *disks)
{
    Wire parts[_HARDWARE_MAX];

    for (HardwarePart part = 0; part < _HARDWARE_MAX; part++) {
        WireReader now = domain_config_part(config, part);

        parts[part] = (Wire){(uint8_t *)now.data, now.size, 0};
    }
    parts[HARDWARE_DISKS] = *disks;
    domain_config_set_hardware(config, parts);
}

/* Returns whether any became another one. */
static bool
replace_capacities(DomainConfig *config, CapacityOf capacity_of, void *data)
{
    WireReader disks = domain_config_part(config, HARDWARE_DISKS);
    g_auto(Wire) replaced = {NULL};
    bool changed = false;
    Disk disk;

    while (next_disk(&disks, &disk)) {
        uint64_t capacity = capacity_of(&disk, data);

        changed |= capacity != disk.capacity;
        domain_config_put_disk(&replaced, disk.target, disk.bus, disk.source, capacity);
    }
    if (changed)
        replace_disks(config, &replaced);
    return changed;
}

static uint64_t
capacity_before(const Disk *disk, void *data)
{
    WireReader before = *(const WireReader *)data;
    Disk old;

    while (next_disk(&before, &old))
        if (old.capacity != 0 && g_str_equal(old.target, disk->target) &&
            g_str_equal(old.source, disk->source))
            return old.capacity;
    return disk->capacity;
}

static void
keep_capacities(DomainConfig *config, const DomainConfig *before)
{
    WireReader disks = domain_config_part(before, HARDWARE_DISKS);

    replace_capacities(config, capacity_before, &disks);
}

static uint64_t
capacity_now(const Disk *disk, void *data)
{
    const uint64_t *capacity = g_hash_table_lookup(data, disk->target);

    return capacity && *disk->source != '\0' ? *capacity : disk->capacity;
}

uint64_t
domain_config_set_capacities(DomainConfig *config, GHashTable *capacities)
{
    return replace_capacities(config, capacity_now, capacities) ? DOMAIN_CHANGED(DISKS) : 0;
}

/* --- what is new -------------------------------------------------------------------------- */

static bool
is_part_equal(const DomainConfig *a, const DomainConfig *b, HardwarePart part)
{
    WireReader left = domain_config_part(a, part);
    WireReader right = domain_config_part(b, part);

    return left.size == right.size &&
           (left.size == 0 || memcmp(left.data, right.data, left.size) == 0);
}

static uint64_t
compare_hardware(const DomainConfig *a, const DomainConfig *b)
{
    static const uint64_t bits[_HARDWARE_MAX] = {
        [HARDWARE_OS_TYPE] = DOMAIN_CHANGED(OS_TYPE),
        [HARDWARE_TEMPLATE] = DOMAIN_CHANGED(TEMPLATE),
        [HARDWARE_DISKS] = DOMAIN_CHANGED(DISKS),
        [HARDWARE_NICS] = DOMAIN_CHANGED(NICS),
        [HARDWARE_GRAPHICS] = DOMAIN_CHANGED(GRAPHICS),
    };
    uint64_t changed = 0;

    for (HardwarePart part = 0; part < _HARDWARE_MAX; part++)
        if (!is_part_equal(a, b, part))
            changed |= bits[part];
    return changed;
}

uint64_t
domain_config_apply(DomainConfig *to, DomainConfig *from)
{
    keep_capacities(from, to);

    uint64_t changed = compare_hardware(to, from);

    if (to->vcpus != from->vcpus)
        changed |= DOMAIN_CHANGED(VCPUS);
    if (to->max_vcpus != from->max_vcpus)
        changed |= DOMAIN_CHANGED(MAX_VCPUS);
    if (to->memory_bytes != from->memory_bytes)
        changed |= DOMAIN_CHANGED(MEMORY_BYTES);
    if (to->max_memory_bytes != from->max_memory_bytes)
        changed |= DOMAIN_CHANGED(MAX_MEMORY_BYTES);
    if (to->agent_connected != from->agent_connected)
        changed |= DOMAIN_CHANGED(AGENT_CONNECTED);
    domain_config_clear(to);
    *to = *from;
    *from = (DomainConfig){0};
    return changed;
}
