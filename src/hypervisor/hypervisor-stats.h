/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Every domain's figures, as libvirt names them. On a lane, as all of hypervisor.h.
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
    STATS_ALL = (1 << 7) - 1,
    /* Known to libvirt without asking the domain's own process, which may not answer. */
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

/* The group of this name; 0 where there is none. */
StatsGroups hypervisor_stats_group(const char *name);

/*
 * StatsRecord of every domain, in one round trip; waits for no domain that others are busy with,
 * which then has less to say.
 */
GPtrArray *hypervisor_stats(Hypervisor *h, StatsGroups groups, Error **error);
