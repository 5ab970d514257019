/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain-next.h"

#include "units.h"

#define MEMORY_ALIGNMENT MIB

/* More than these are compared in their order alone: the time grows with the square. */
#define UNORDERED_MAX 256

/* --- rows --------------------------------------------------------------------------------- */

typedef bool (*IsSameRow)(Row live, Row next);

/* Whether rows have the same fields, except those in the mask. */
static bool
is_same_but(Row a, Row b, uint64_t but)
{
    RowField left;
    RowField right;

    for (;;) {
        bool has_left;
        bool has_right;

        while ((has_left = row_take(&a, &left)) && (but >> left.key & 1))
            ;
        while ((has_right = row_take(&b, &right)) && (but >> right.key & 1))
            ;
        if (!has_left || !has_right)
            return has_left == has_right;
        if (left.key != right.key || left.number != right.number ||
            g_strcmp0(left.text, right.text) != 0)
            return false;
    }
}

#define BUT(symbol) (UINT64_C(1) << ROW_##symbol)
G_STATIC_ASSERT(_ROW_KEY_MAX <= 64);

static bool
is_same_row(Row live, Row next)
{
    return is_same_but(live, next, 0);
}

static bool
is_same_disk(Row live, Row next)
{
    return is_same_but(live, next, BUT(CAPACITY) | BUT(JOB));
}

/* The network may have lent it one of its host's devices, which the live XML shows instead. */
static bool
is_lent_by_network(Row live, Row next)
{
    return g_str_equal(row_text(live, ROW_TYPE), "hostdev") &&
           g_str_equal(row_text(next, ROW_TYPE), "network");
}

static bool
is_same_nic(Row live, Row next)
{
    uint64_t but = BUT(TARGET);

    if (is_lent_by_network(live, next))
        but |= BUT(TYPE) | BUT(SOURCE);
    return is_same_but(live, next, but);
}

/* libvirt looks for a USB device by its IDs at the start, and tells its address while it runs. */
static bool
is_found_by_ids(Row next)
{
    return row_has(next, ROW_VENDOR) && !row_has(next, ROW_ADDRESS);
}

static bool
is_same_host_device(Row live, Row next)
{
    return is_same_but(live, next, BUT(ALIAS) | (is_found_by_ids(next) ? BUT(ADDRESS) : 0));
}

static unsigned
count_rows(Rows rows)
{
    unsigned n = 0;

    for (Row row; rows_take(&rows, &row);)
        n++;
    return n;
}

static bool
is_in_order(Rows live, Rows next, IsSameRow is_same)
{
    Row a;
    Row b;

    while (rows_take(&live, &a) && rows_take(&next, &b))
        if (!is_same(a, b))
            return false;
    return true;
}

static bool
has_row(Rows live, Row next, IsSameRow is_same)
{
    for (Row row; rows_take(&live, &row);)
        if (is_same(row, next))
            return true;
    return false;
}

static bool
is_same_list(Rows live, Rows next, IsSameRow is_same)
{
    unsigned n = count_rows(live);

    if (n != count_rows(next))
        return false;
    if (is_in_order(live, next, is_same))
        return true;
    if (n > UNORDERED_MAX)
        return false;
    for (Row row; rows_take(&next, &row);)
        if (!has_row(live, row, is_same))
            return false;
    return true;
}

/* --- the configuration -------------------------------------------------------------------- */

static const struct {
    HardwarePart part;
    DomainChanges bit;
    IsSameRow is_same; /* NULL: as a whole, byte by byte */
} parts[] = {
    {HARDWARE_OS_TYPE, DOMAIN_CHANGED(OS_TYPE), NULL},
    {HARDWARE_ARCHITECTURE, DOMAIN_CHANGED(ARCHITECTURE), NULL},
    {HARDWARE_MACHINE, DOMAIN_CHANGED(MACHINE), NULL},
    {HARDWARE_FIRMWARE, DOMAIN_CHANGED(FIRMWARE), NULL},
    {HARDWARE_TEMPLATE, DOMAIN_CHANGED(TEMPLATE), NULL},
    {HARDWARE_CPU_PINS, DOMAIN_CHANGED(CPU_PINS), is_same_row},
    {HARDWARE_DISKS, DOMAIN_CHANGED(DISKS), is_same_disk},
    {HARDWARE_NICS, DOMAIN_CHANGED(NICS), is_same_nic},
    {HARDWARE_HOST_DEVICES, DOMAIN_CHANGED(HOST_DEVICES), is_same_host_device},
};

static bool
is_host_device(Row row)
{
    return g_str_has_prefix(row_text(row, ROW_DEVICE), "hostdev:");
}

static bool
is_same_boot_device(Row live, Row next)
{
    return is_same_row(live, next) || (is_host_device(live) && is_host_device(next));
}

/* Where the host's devices are the same, so are those in the order, though an address is only known
 * while the domain runs. */
static bool
is_same_boot_order(const DomainConfig *live, const DomainConfig *next, DomainChanges differ)
{
    Rows left = domain_config_rows(live, HARDWARE_BOOT_ORDER);
    Rows right = domain_config_rows(next, HARDWARE_BOOT_ORDER);

    return count_rows(left) == count_rows(right) &&
           is_in_order(left, right,
                       differ & DOMAIN_CHANGED(HOST_DEVICES) ? is_same_row : is_same_boot_device);
}

/* libvirt rounds it up when it starts QEMU. */
static bool
is_other_max_memory(uint64_t live, uint64_t next)
{
    return live < next || live - next >= MEMORY_ALIGNMENT;
}

DomainChanges
domain_next_compare(const DomainConfig *live, const DomainConfig *next, uint64_t begun_memory_bytes)
{
    DomainChanges differ = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++) {
        Rows left = domain_config_rows(live, parts[i].part);
        Rows right = domain_config_rows(next, parts[i].part);

        if (!rows_equal(left, right) &&
            (!parts[i].is_same || !is_same_list(left, right, parts[i].is_same)))
            differ |= parts[i].bit;
    }
    if (!is_same_boot_order(live, next, differ))
        differ |= DOMAIN_CHANGED(BOOT_ORDER);
    if (live->vcpus != next->vcpus)
        differ |= DOMAIN_CHANGED(VCPUS);
    if (live->max_vcpus != next->max_vcpus)
        differ |= DOMAIN_CHANGED(MAX_VCPUS);
    if (next->memory_bytes != begun_memory_bytes &&
        !domain_memory_is_same(live->memory_bytes, next->memory_bytes))
        differ |= DOMAIN_CHANGED(MEMORY_BYTES);
    if (is_other_max_memory(live->max_memory_bytes, next->max_memory_bytes))
        differ |= DOMAIN_CHANGED(MAX_MEMORY_BYTES);
    if (live->stop_timeout_usec != next->stop_timeout_usec)
        differ |= DOMAIN_CHANGED(STOP_TIMEOUT_USEC);
    return differ;
}
