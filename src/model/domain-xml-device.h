/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Which of a domain's devices a device's XML may mean. Any thread.
 */

/*
 * The aliases of those devices in `domain_xml` that are of the same kind as `device_xml` and differ
 * from it in nothing that identifies a device (alias, MAC address, a disk's target, address), as
 * far as both state it. NULL-terminated, for g_strfreev(); empty where either is no such XML.
 */
char **domain_xml_match_devices(const char *domain_xml, const char *device_xml);
