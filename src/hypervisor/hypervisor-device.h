/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Changes to the devices of a domain, which may be in its running configuration, in that of its
 * next start, or in both. On a lane, like all of hypervisor.h.
 */

#include "hypervisor-config.h"

typedef enum {
    DEVICE_ATTACH,
    DEVICE_DETACH,
    DEVICE_UPDATE,
    DEVICE_UPDATE_FORCE, /* even if the guest has locked the medium in */
} DeviceChange;

/*
 * A running guest may take its time to let a device go: `ret_pending` are the aliases of those that
 * may be the one, NULL if it is gone. For g_strfreev().
 */
bool hypervisor_change_device(Hypervisor *h, const char *uuid, DeviceChange change, const char *xml,
                              Affect affect, char ***ret_pending, Error **error);

/* A device of the host: PCI "0000:01:00.0", USB "BUS:DEVICE". */
bool hypervisor_attach_host_device(Hypervisor *h, const char *uuid, const char *address,
                                   Affect affect, Error **error);
/* `ret_pending` as above. */
bool hypervisor_detach_host_device(Hypervisor *h, const char *uuid, const char *address,
                                   Affect affect, char ***ret_pending, Error **error);

/* The network interface with this MAC address. */
bool hypervisor_set_link(Hypervisor *h, const char *uuid, const char *mac, bool up, Affect affect,
                         Error **error);
/* Change the media of a drive, as device_edit_media() says. */
bool hypervisor_change_media(Hypervisor *h, const char *uuid, const char *target,
                             const char *source, bool force, Affect affect, Error **error);
/*
 * Of the graphics device `index`, until `until` (µs since the epoch; 0: for ever). A server that
 * runs without a password takes none: where `affect` leaves the choice, the configuration alone is
 * changed then.
 */
bool hypervisor_set_graphics_password(Hypervisor *h, const char *uuid, unsigned index,
                                      const char *password, uint64_t until, Affect affect,
                                      Error **error);
