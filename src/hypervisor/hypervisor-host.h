/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The host that the domains run on. On a lane, like all of hypervisor.h; no domain is asked.
 */

#include "hypervisor.h"
#include "rows.h"

typedef struct {
    char *cpu_model;
    uint64_t memory_bytes;
    uint32_t cpus;
    uint32_t cells;
    uint32_t sockets; /* in a cell, and so on */
    uint32_t cores;
    uint32_t threads;
} HostInfo;

void host_info_clear(HostInfo *info);

bool hypervisor_read_host(Hypervisor *h, HostInfo *ret, Error **error);

typedef enum {
    HOST_DEVICE_PCI,
    HOST_DEVICE_USB,
} HostDeviceKind;

/*
 * Rows, as of node_device_xml_put(): a round trip for each device. NULL where there are none. A
 * device that is unplugged meanwhile is left out.
 */
bool hypervisor_list_host_devices(Hypervisor *h, HostDeviceKind kind, GBytes **ret, Error **error);
