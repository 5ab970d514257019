/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The hardware and the settings in a domain's XML. Any thread.
 */

#include "hardware.h"

#include <libxml/tree.h>

/* `root` is a <domain>. What it does not say is 0, "" or empty. */
void domain_xml_read_config(const xmlNode *root, DomainConfig *config);
