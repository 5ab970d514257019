/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The <graphics> of a domain's XML. Any thread.
 */

#include "domain-graphics.h"

#include <libxml/tree.h>

/* The table of a <domain>; never NULL. */
GPtrArray *domain_xml_read_graphics(const xmlNode *root);
