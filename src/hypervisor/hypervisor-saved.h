/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Managed saves and the guest's own sleep. On a lane, like all of hypervisor.h. Saving itself is a
 * long call: hypervisor-job.h.
 */

#include "hypervisor.h"

/* Changes. */

/* ERROR_INVALID_STATE where there is none. */
bool hypervisor_discard_managed_save(Hypervisor *h, const char *uuid, Error **error);

typedef enum {
    SUSPEND_MEMORY,
    SUSPEND_DISK,
    SUSPEND_HYBRID,
} SuspendTarget;

/* Have the guest put itself to sleep. */
bool hypervisor_suspend(Hypervisor *h, const char *uuid, SuspendTarget target, Error **error);
