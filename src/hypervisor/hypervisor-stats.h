/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Figures of domains, as libvirt names them. On a lane, like all of hypervisor.h.
 */

#include "domain.h"
#include "hypervisor.h"

typedef enum {
    STATS_STATE = 1 << 0,
    STATS_CPU = 1 << 1,
    STATS_BALLOON = 1 << 2,
    STATS_VCPU = 1 << 3,
    STATS_INTERFACE = 1 << 4,
    STATS_BLOCK = 1 << 5,
    STATS_PERF = 1 << 6,
    STATS_IOTHREAD = 1 << 7,
    STATS_MEMORY = 1 << 8,
    STATS_DIRTYRATE = 1 << 9,
    STATS_VM = 1 << 10,
    STATS_ALL = (1 << 11) - 1,
    /* Known to libvirt without asking the domain's process, which may not answer. */
    STATS_UNASKED = STATS_STATE | STATS_INTERFACE | STATS_PERF,
} StatsGroups;

typedef struct {
    char *name;
    char type; /* D-Bus: i, u, x, t, d, b or s, and which of these it is: */
    union {
        int32_t i;
        uint32_t u;
        int64_t x;
        uint64_t t;
        double d;
        int b;
        char *s;
    };
} StatsField;

typedef struct {
    char uuid[UUID_LENGTH + 1];
    GArray *fields; /* StatsField */
} StatsRecord;

void stats_record_free(StatsRecord *record);
/* Add those of `from`. */
void stats_record_copy_fields(StatsRecord *record, const StatsRecord *from);

/* The group of this name; 0 where libvirt has none. */
StatsGroups hypervisor_stats_group(const char *name);

/*
 * StatsRecord of the domains whose `uuids` are given, in one round trip. With STATS_BLOCK, domains
 * that are off are left out, since libvirt would open their images. It also opens those of some
 * domains that run: see hypervisor_disk_capacities().
 *
 * The call does not wait for a domain that others are busy with; its record then has fewer fields.
 */
GPtrArray *hypervisor_stats(Hypervisor *h, const char *const *uuids, StatsGroups groups,
                            Error **error);
/*
 * The same of all domains, and STATS_BLOCK only of those that run and are in the set of UUIDs, in a
 * second round trip.
 */
GPtrArray *hypervisor_all_stats(Hypervisor *h, StatsGroups groups, GHashTable *block_of,
                                Error **error);

/*
 * The figures of STATS_BLOCK that need no image to be opened, of the disks with these targets,
 * which are all disks of the domain in their order: a round trip each. A disk that libvirt has no
 * figures of has its name alone.
 */
StatsRecord *hypervisor_block_stats(Hypervisor *h, const char *uuid, const char *const *targets,
                                    Error **error);
/* The bytes that all disks together have read and written; likewise, in one round trip. */
bool hypervisor_block_totals(Hypervisor *h, const char *uuid, uint64_t *ret_read,
                             uint64_t *ret_written, Error **error);
