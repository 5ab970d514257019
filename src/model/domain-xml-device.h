/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Which of a domain's devices a device's XML may mean. Any thread.
 */

/*
 * The aliases of those devices in `domain_xml` that are of the same kind and no different in what
 * identifies one: alias, MAC address, a disk's target, address. NULL-terminated, for g_strfreev();
 * empty where either is no such XML.
 */
char **domain_xml_match_devices(const char *domain_xml, const char *device_xml);
