/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Shared by the readers of a domain's devices: fields out of attributes, and the addresses of host
 * devices. A field that the XML does not have is left out of the row. Any thread.
 */

#include "rows.h"
#include "xml.h"

/* The attribute as it is. The node may be NULL. */
void domain_xml_put_text(RowBuilder *row, RowKey key, const xmlNode *node, const char *attribute);
/* A decimal number from 1 to `max`; anything else is left out, as the -1 of what is not chosen yet.
 */
void domain_xml_put_number(RowBuilder *row, RowKey key, const xmlNode *node, const char *attribute,
                           uint32_t max);
/* The order in which the firmware tries this device. */
void domain_xml_put_boot(RowBuilder *row, const xmlNode *device);

/* "0000:01:00.0" of <address type='pci'>, "1:2" (bus and device) of a USB address; "" for none. */
char *domain_xml_pci_address(const xmlNode *address);
char *domain_xml_usb_address(const xmlNode *address);
/* Either: whichever the <address> in a <source> is. */
char *domain_xml_host_address(const xmlNode *source);
