/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The domains that use a device of the host. Pure; any thread.
 */

#include "hardware.h"

typedef enum {
    HOST_DEVICE_PCI,
    HOST_DEVICE_USB,
} HostDeviceKind;

/*
 * Whether the configuration names the device, a row of node_device_xml_put(): as a host device, for
 * a network interface or as an NVMe disk. A USB device that is named by vendor and product alone is
 * any of that model.
 */
bool host_device_is_named(HostDeviceKind kind, Row device, const DomainConfig *config);
/* Whether the configuration names any device: much cheaper, where many domains are asked. */
bool host_device_is_any_named(const DomainConfig *config);
