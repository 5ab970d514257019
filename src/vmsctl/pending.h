/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The changes that a VM's next start brings, from Config.Next and what Config says now. */
#pragma once

#include "inventory.h"

/*
 * One text for each change, not yet safe for a terminal: "MemoryBytes: 2G → 4G", "Disks: + vdb …"
 * for a row that will be new, "-" for one that will be gone, "~" for one that will be another.
 */
GPtrArray *pending_changes(const Inventory *inventory, const char *path);
