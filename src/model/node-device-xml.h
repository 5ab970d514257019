/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * libvirt's XML of a device of the host. Pure; any thread.
 */

#include "rows.h"

/*
 * Append a row: "address" (PCI "0000:01:00.0", USB "BUS:DEVICE"), "vendor", "product",
 * "vendor_name", "product_name", "driver", "iommu_group". Nothing is added for other kinds of
 * devices.
 */
void node_device_xml_put(RowBuilder *rows, const char *xml);
