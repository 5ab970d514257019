/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The hardware and the settings in a domain's XML. Any thread.
 */

#include "hardware.h"

#include <libxml/tree.h>

/* Our own metadata: <vms:settings xmlns:vms='http://unraid.org/vms/1' stop-timeout-usec='…'/>. */
#define SETTINGS_NAMESPACE    "http://unraid.org/vms/1"
#define SETTINGS_STOP_TIMEOUT "stop-timeout-usec"

/* `root` is a <domain>. What it does not say is 0, "" or empty. */
void domain_xml_read_config(const xmlNode *root, DomainConfig *config);
