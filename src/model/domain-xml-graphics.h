/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The <graphics> of a domain's XML: where its graphics servers listen. Any thread.
 *
 * A device has a row "port", and one more, "websocket", where it has been given one. Rows are in
 * the order of the devices. An address is empty if the XML names none, a number is -1 where there
 * is none yet.
 */

#include "wire.h"

#include <libxml/tree.h>

/* Appends rows of HARDWARE_GRAPHICS. */
void domain_xml_read_graphics(const xmlNode *root, Wire *rows);
