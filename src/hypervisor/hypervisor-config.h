/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Changes to a domain's configuration. On a lane, like all of hypervisor.h. Its devices are in
 * hypervisor-device.h.
 */

#include "hypervisor.h"

#include <stdint.h>

/* The configurations that a change is for; 0: those that the domain has. */
typedef enum {
    AFFECT_LIVE = 1 << 0,
    AFFECT_CONFIG = 1 << 1,
} Affect;

bool hypervisor_set_memory(Hypervisor *h, const char *uuid, uint64_t bytes, Affect affect,
                           Error **error);
bool hypervisor_set_vcpus(Hypervisor *h, const char *uuid, uint32_t count, Affect affect,
                          Error **error);

typedef struct {
    uint32_t vcpu;
    char *cpus; /* "0-3,^2" */
} CpuPin;

/* In the order given, up to the first that fails, which the error names. */
bool hypervisor_set_cpu_pins(Hypervisor *h, const char *uuid, const CpuPin *pins, unsigned n_pins,
                             Affect affect, Error **error);
/* Of the configuration, from the next start on; see domain_edit_boot_order(). */
bool hypervisor_set_boot_order(Hypervisor *h, const char *uuid, const char *const *order,
                               Error **error);
/* In the domain's metadata; 0: none of its own. */
bool hypervisor_set_stop_timeout(Hypervisor *h, const char *uuid, uint64_t usec, Error **error);

bool hypervisor_rename(Hypervisor *h, const char *uuid, const char *name, Error **error);
bool hypervisor_set_title(Hypervisor *h, const char *uuid, const char *title, Error **error);
bool hypervisor_set_description(Hypervisor *h, const char *uuid, const char *text, Error **error);
