/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The files that a disk is made of, out of a running domain's XML. Any thread.
 */

#include <glib.h>
#include <stdbool.h>

struct _xmlNode;

typedef struct {
    /*
     * From the file that is written to to the last backing file: a path, a device, "POOL/VOLUME",
     * or the name on a server; "" for what has none. NULL-terminated; empty where there is no such
     * disk. Of a domain that is off only the first one is known.
     */
    char **layers;
    bool is_active; /* the domain */
    /* There is a block job, whoever began it. The XML shows only a Copy, and a Commit of the first
     * layer. */
    bool has_job;
} DiskChain;

DiskChain disk_chain_read(const char *domain_xml, const char *target);
void disk_chain_clear(DiskChain *chain);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DiskChain, disk_chain_clear)

/*
 * The targets of the disks that have a layer below the top, or are being copied: no other one has
 * a job. NULL-terminated, for g_strfreev().
 */
char **disk_chain_find_layered(const char *domain_xml);

/* The target of the disk with this alias, as events name it; NULL where there is none. */
char *disk_chain_find_alias(const char *domain_xml, const char *alias);

/* Whether disk_chain_find_layered() would name this disk. */
bool disk_chain_is_layered(const struct _xmlNode *disk);

/* The targets of all disks that hold data: no CD-ROMs and floppies. NULL-terminated, for
 * g_strfreev(). */
char **disk_chain_targets(const char *domain_xml);
