/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Changes to the whole of a domain's XML, as libvirt takes it back. The XML is that of
 * VIR_DOMAIN_XML_INACTIVE and _SECURE, or passwords and more would be lost. Pure; any thread.
 */

#include "error.h"

#include <stdint.h>

/*
 * The domain with another boot order: devices ("disk:TARGET", "nic:MAC", "hostdev:ADDRESS"), or
 * libvirt's own words ("hd", "cdrom", "network", "fd"), but not both; the list ends with NULL. A
 * device's address may be that of the domain as it runs, `running_xml` (which may be NULL). NULL
 * and `*error`: ERROR_INVALID_ARGS where the order is wrong whatever the domain is,
 * ERROR_OPERATION_FAILED where the domain has no such device.
 */
char *domain_edit_boot_order(const char *xml, const char *running_xml, const char *const *order,
                             Error **error);

/*
 * The element of domain-settings.h (NULL where there is none) with another stop time-out; 0:
 * without one. What others have put into it stays. NULL where nothing is left.
 */
char *domain_edit_settings(const char *element, uint64_t stop_timeout_usec);
