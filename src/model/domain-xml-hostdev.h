/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A <hostdev> of a domain's XML: a device of the host that the guest has. Any thread.
 */

#include "rows.h"

#include <libxml/tree.h>

/* Append a row of HARDWARE_HOST_DEVICES. */
void domain_xml_read_host_device(const xmlNode *device, RowBuilder *devices);
/* The name that such a row has in a boot order: its address, else "VENDOR:PRODUCT". The caller's.
 */
char *domain_xml_host_device_name(Row device);
