/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a domain's XML says of its hardware, and what of it is new.
 *
 * There may be a thousand of these: the lists are kept as they go out on the bus, in one piece of
 * memory that nobody changes. Pure, any thread.
 */

#include "wire.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* The parts of Hardware, in this order. */
typedef enum {
    HARDWARE_OS_TYPE,  /* the text; without its end, so that there being none is the same as "" */
    HARDWARE_TEMPLATE, /* rows {ss} */
    HARDWARE_DISKS,    /* rows (ssst): target, bus, source, capacity in bytes or 0 */
    HARDWARE_NICS,     /* rows (sss): mac, model, source */
    HARDWARE_GRAPHICS, /* rows (sssi): type, listen, "port" or "websocket", number or -1 */
    _HARDWARE_MAX,
} HardwarePart;

typedef struct {
    uint32_t sizes[_HARDWARE_MAX];
    uint8_t data[]; /* one part after the other */
} Hardware;

/* The types are those that sd-bus reads at an offset. */
typedef struct {
    uint32_t vcpus;
    uint32_t max_vcpus;
    uint64_t memory_bytes; /* what it has now */
    uint64_t max_memory_bytes;
    int agent_connected;
    Hardware *hardware; /* NULL: nothing */
} DomainConfig;

/* Free what it holds, and make it one of which nothing is known. */
void domain_config_clear(DomainConfig *config);
/*
 * Move `from` into `to`; the mask (DOMAIN_CHANGED) of what that changed. The XML tells no
 * capacities: a disk that stays keeps the one it had.
 */
uint64_t domain_config_apply(DomainConfig *to, DomainConfig *from);
/* What one of its parts is; it stays the config's. */
WireReader domain_config_part(const DomainConfig *config, HardwarePart part);
/* Copies the parts. */
void domain_config_set_hardware(DomainConfig *config, const Wire parts[static _HARDWARE_MAX]);
/* Another row of HARDWARE_DISKS. */
void domain_config_put_disk(Wire *disks, const char *target, const char *bus, const char *source,
                            uint64_t capacity);
/* target -> uint64_t *; the mask of what that changed. */
uint64_t domain_config_set_capacities(DomainConfig *config, GHashTable *capacities);
