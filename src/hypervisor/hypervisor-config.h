/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Changes to a domain's configuration. On a lane, like all of hypervisor.h.
 */

#include "hypervisor.h"

#include <stdint.h>

/* Which of the two configurations a change is for; none given: those that the domain has. */
typedef enum {
    AFFECT_LIVE = 1 << 0,
    AFFECT_CONFIG = 1 << 1,
} Affect;

typedef enum {
    DEVICE_ATTACH,
    DEVICE_DETACH,
    DEVICE_UPDATE,
} DeviceChange;

bool hypervisor_set_memory(Hypervisor *h, const char *uuid, uint64_t bytes, Affect affect,
                           Error **error);
bool hypervisor_set_vcpus(Hypervisor *h, const char *uuid, uint32_t count, Affect affect,
                          Error **error);
bool hypervisor_rename(Hypervisor *h, const char *uuid, const char *name, Error **error);
bool hypervisor_set_title(Hypervisor *h, const char *uuid, const char *title, Error **error);
bool hypervisor_set_description(Hypervisor *h, const char *uuid, const char *text, Error **error);
/*
 * A running guest may take its time to let a device go: `ret_pending` are the aliases of those that
 * may be the one, NULL if it is gone. For g_strfreev().
 */
bool hypervisor_change_device(Hypervisor *h, const char *uuid, DeviceChange change, const char *xml,
                              Affect affect, char ***ret_pending, Error **error);
