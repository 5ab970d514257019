/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The files that a disk is made of, out of a running domain's XML. Any thread.
 */

/*
 * From the file that is written to to the last backing file: a path, a device, "POOL/VOLUME", or
 * the name on a server; "" for what has none. NULL-terminated, for g_strfreev(); empty where there
 * is no such disk.
 */
char **disk_chain_read(const char *domain_xml, const char *target);

/* The target of the disk with this alias, as events name it; NULL where there is none. */
char *disk_chain_find_alias(const char *domain_xml, const char *alias);

/* The targets of all disks that hold data: no CD-ROMs and floppies. As above. */
char **disk_chain_targets(const char *domain_xml);
