/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A <graphics> of a domain's XML: where a graphics server listens. Any thread.
 */

#include "rows.h"

#include <libxml/tree.h>

/* Append a row of HARDWARE_GRAPHICS. Ports that are chosen at the start are left out until then. */
void domain_xml_read_graphics(const xmlNode *graphics, RowBuilder *rows);
