/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The host that the domains run on. On a lane, like all of hypervisor.h; no domain is asked.
 */

#include "host-device.h"
#include "hypervisor.h"

typedef struct {
    char *cpu_model; /* NULL where it was not asked for */
    uint64_t memory_bytes;
    uint32_t cpus;
    uint32_t cells;
    uint32_t sockets; /* in a cell, and so on */
    uint32_t cores;
    uint32_t threads;
} HostInfo;

void host_info_clear(HostInfo *info);

/* One round trip, and up to two further ones for the model of its processors. */
bool hypervisor_read_host(Hypervisor *h, bool with_model, HostInfo *ret, Error **error);

/*
 * GBytes of a row each, as of node_device_xml_put(), by their addresses: a round trip for each
 * device. A device that is unplugged meanwhile is left out. NULL with an error where they cannot be
 * listed.
 */
GPtrArray *hypervisor_list_host_devices(Hypervisor *h, HostDeviceKind kind, Error **error);
