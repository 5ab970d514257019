/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A <disk> of a domain's XML, and where its data is. Any thread.
 */

#include "rows.h"

#include <libxml/tree.h>

/* Append a row of HARDWARE_DISKS. */
void domain_xml_read_disk(const xmlNode *disk, RowBuilder *disks);

/*
 * Where the data is, for every type of disk: a path, "POOL/VOLUME", a PCI address and a namespace
 * ("0000:01:00.0/1"), or a URL. A URL has neither user, password, cookie nor query of the source; a
 * Unix socket and all hosts but the first are its own query (nbd+unix:///export?socket=/run/x).
 * "" where there is no medium. The caller's.
 */
char *domain_xml_disk_source(const xmlNode *disk);
