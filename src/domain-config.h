/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a domain's XML says of its hardware, and what of it is new.
 *
 * There may be a thousand of these: the lists are one serialised GVariant, in one piece of memory
 * that nobody changes. Pure, any thread.
 */

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* The children of DomainConfig.hardware, in this order. */
typedef enum {
    HARDWARE_OS_TYPE,
    HARDWARE_TEMPLATE,
    HARDWARE_DISKS, /* target, bus, source, capacity in bytes or 0 */
    HARDWARE_NICS,  /* mac, model, source */
    _HARDWARE_MAX,
} Hardware;

#define HARDWARE_TYPE "(sa{ss}a(ssst)a(sss))"

/* The types are those that sd-bus reads at an offset. */
typedef struct {
    uint32_t vcpus;
    uint32_t max_vcpus;
    uint64_t memory_bytes; /* what it has now */
    uint64_t max_memory_bytes;
    int agent_connected;
    GVariant *hardware; /* of HARDWARE_TYPE; NULL: nothing */
} DomainConfig;

/* Free what it holds, and make it one of which nothing is known. */
void domain_config_clear(DomainConfig *config);
/*
 * Move `from` into `to`; the mask (DOMAIN_CHANGED) of what that changed. The XML tells no
 * capacities: a disk that stays keeps the one it had.
 */
uint64_t domain_config_apply(DomainConfig *to, DomainConfig *from);
/* One of the children; free it with g_variant_unref(). */
GVariant *domain_config_hardware(const DomainConfig *config, Hardware what);
/* Take over the children and free them. */
void domain_config_set_hardware(DomainConfig *config, GVariant *children[static _HARDWARE_MAX]);
/* target -> uint64_t *; the mask of what that changed. */
uint64_t domain_config_set_capacities(DomainConfig *config, GHashTable *capacities);
