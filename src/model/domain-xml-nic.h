/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * An <interface> of a domain's XML, and what it is attached to. Any thread.
 */

#include "rows.h"

#include <libxml/tree.h>

/* Append a row of HARDWARE_NICS. */
void domain_xml_read_nic(const xmlNode *nic, RowBuilder *nics);
