/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hardware.h"

#include <string.h>

#define BALLOON_PAGE 4096

struct Hardware {
    uint32_t ends[_HARDWARE_MAX]; /* of each part, in `data` */
    uint8_t data[];               /* one part after the other */
};

void
domain_config_clear(DomainConfig *config)
{
    g_free(config->hardware);
    *config = (DomainConfig){0};
}

Rows
domain_config_rows(const DomainConfig *config, HardwarePart part)
{
    const Hardware *hardware = config->hardware;

    if (!hardware)
        return (Rows){NULL, 0};

    uint32_t begin = part > 0 ? hardware->ends[part - 1] : 0;
    return (Rows){hardware->data + begin, hardware->ends[part] - begin};
}

const char *
domain_config_text(const DomainConfig *config, HardwarePart part)
{
    Rows text = domain_config_rows(config, part);

    return text.size ? (const char *)text.data : "";
}

void
domain_config_set_hardware(DomainConfig *config, const Rows parts[static _HARDWARE_MAX])
{
    size_t size = 0;

    for (unsigned part = 0; part < _HARDWARE_MAX; part++)
        size += parts[part].size;

    Hardware *hardware = g_malloc(sizeof *hardware + size);
    uint8_t *end = hardware->data;
    for (unsigned part = 0; part < _HARDWARE_MAX; part++) {
        if (parts[part].size > 0)
            memcpy(end, parts[part].data, parts[part].size);
        end += parts[part].size;
        hardware->ends[part] = (uint32_t)(end - hardware->data);
    }
    g_free(config->hardware);
    config->hardware = hardware;
}

/* --- what the XML does not tell of disks -------------------------------------------------- */

typedef struct {
    uint64_t capacity; /* 0: unknown */
    uint64_t job;      /* 0: none */
} DiskFacts;

/* Change the facts to what they have to be. */
typedef void (*DiskFactsOf)(Row disk, DiskFacts *facts, const void *data);

static void
put_disk(RowBuilder *disks, Row disk, const DiskFacts *facts)
{
    RowField field;

    row_builder_begin(disks);
    while (row_take(&disk, &field))
        if (field.key != ROW_CAPACITY && field.key != ROW_JOB)
            row_builder_field(disks, &field);
    if (facts->capacity)
        row_builder_number(disks, ROW_CAPACITY, facts->capacity);
    if (facts->job)
        row_builder_number(disks, ROW_JOB, facts->job);
    row_builder_end(disks);
}

static void
replace_disks(DomainConfig *config, Rows disks)
{
    Rows parts[_HARDWARE_MAX];

    for (HardwarePart part = 0; part < _HARDWARE_MAX; part++)
        parts[part] = part == HARDWARE_DISKS ? disks : domain_config_rows(config, part);
    domain_config_set_hardware(config, parts);
}

static DomainChanges
replace_disk_facts(DomainConfig *config, DiskFactsOf facts_of, const void *data)
{
    g_auto(RowBuilder) replaced = {NULL};
    bool changed = false;
    Row disk;

    for (Rows disks = domain_config_rows(config, HARDWARE_DISKS); rows_take(&disks, &disk);) {
        DiskFacts before = {row_number(disk, ROW_CAPACITY), row_number(disk, ROW_JOB)};
        DiskFacts facts = before;

        facts_of(disk, &facts, data);
        changed |= facts.capacity != before.capacity || facts.job != before.job;
        put_disk(&replaced, disk, &facts);
    }
    if (!changed)
        return 0;
    replace_disks(config, row_builder_rows(&replaced));
    return DOMAIN_CHANGED(DISKS);
}

static void
facts_before(Row disk, DiskFacts *facts, const void *data)
{
    const char *target = row_text(disk, ROW_TARGET);
    Row before;

    for (Rows disks = *(const Rows *)data; rows_take(&disks, &before);) {
        if (!g_str_equal(row_text(before, ROW_TARGET), target))
            continue;
        facts->job = row_number(before, ROW_JOB);
        if (g_str_equal(row_text(before, ROW_SOURCE), row_text(disk, ROW_SOURCE)))
            facts->capacity = row_number(before, ROW_CAPACITY);
        return;
    }
}

static void
keep_disk_facts(DomainConfig *config, const DomainConfig *before)
{
    Rows disks = domain_config_rows(before, HARDWARE_DISKS);

    replace_disk_facts(config, facts_before, &disks);
}

static void
capacity_now(Row disk, DiskFacts *facts, const void *data)
{
    GHashTable *capacities = (GHashTable *)data;
    const uint64_t *capacity = g_hash_table_lookup(capacities, row_text(disk, ROW_TARGET));

    if (capacity && row_has(disk, ROW_SOURCE))
        facts->capacity = *capacity;
}

DomainChanges
domain_config_set_capacities(DomainConfig *config, GHashTable *capacities)
{
    return replace_disk_facts(config, capacity_now, capacities);
}

typedef struct {
    const char *target;
    uint64_t number;
} DiskJob;

static void
job_now(Row disk, DiskFacts *facts, const void *data)
{
    const DiskJob *job = data;

    if (g_str_equal(row_text(disk, ROW_TARGET), job->target))
        facts->job = job->number;
}

DomainChanges
domain_config_set_disk_job(DomainConfig *config, const char *target, uint64_t number)
{
    const DiskJob job = {target, number};

    return replace_disk_facts(config, job_now, &job);
}

/* --- what is new -------------------------------------------------------------------------- */

static DomainChanges
compare_hardware(const DomainConfig *a, const DomainConfig *b)
{
    static const DomainChanges bits[_HARDWARE_MAX] = {
        [HARDWARE_OS_TYPE] = DOMAIN_CHANGED(OS_TYPE),
        [HARDWARE_ARCHITECTURE] = DOMAIN_CHANGED(ARCHITECTURE),
        [HARDWARE_MACHINE] = DOMAIN_CHANGED(MACHINE),
        [HARDWARE_FIRMWARE] = DOMAIN_CHANGED(FIRMWARE),
        [HARDWARE_TEMPLATE] = DOMAIN_CHANGED(TEMPLATE),
        [HARDWARE_CPU_PINS] = DOMAIN_CHANGED(CPU_PINS),
        [HARDWARE_BOOT_ORDER] = DOMAIN_CHANGED(BOOT_ORDER),
        [HARDWARE_DISKS] = DOMAIN_CHANGED(DISKS),
        [HARDWARE_NICS] = DOMAIN_CHANGED(NICS),
        [HARDWARE_HOST_DEVICES] = DOMAIN_CHANGED(HOST_DEVICES),
        [HARDWARE_GRAPHICS] = DOMAIN_CHANGED(GRAPHICS),
    };
    DomainChanges changed = 0;

    for (HardwarePart part = 0; part < _HARDWARE_MAX; part++)
        if (!rows_equal(domain_config_rows(a, part), domain_config_rows(b, part)))
            changed |= bits[part];
    return changed;
}

bool
domain_memory_is_same(uint64_t a, uint64_t b)
{
    return (a > b ? a - b : b - a) < BALLOON_PAGE;
}

DomainChanges
domain_config_apply(DomainConfig *to, DomainConfig *from)
{
    keep_disk_facts(from, to);

    DomainChanges changed = compare_hardware(to, from);

    if (to->vcpus != from->vcpus)
        changed |= DOMAIN_CHANGED(VCPUS);
    if (to->max_vcpus != from->max_vcpus)
        changed |= DOMAIN_CHANGED(MAX_VCPUS);
    if (to->memory_bytes != from->memory_bytes)
        changed |= DOMAIN_CHANGED(MEMORY_BYTES);
    if (to->max_memory_bytes != from->max_memory_bytes)
        changed |= DOMAIN_CHANGED(MAX_MEMORY_BYTES);
    if (to->stop_timeout_usec != from->stop_timeout_usec)
        changed |= DOMAIN_CHANGED(STOP_TIMEOUT_USEC);
    if (to->agent_connected != from->agent_connected)
        changed |= DOMAIN_CHANGED(AGENT_CONNECTED);
    domain_config_clear(to);
    *to = *from;
    *from = (DomainConfig){0};
    return changed;
}
