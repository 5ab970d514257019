/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Snapshots as a tree: each below the one that it descends from. */
#pragma once

#include <glib.h>

/* BRANCH is drawn before the name of the snapshot; it is empty for one that descends from none. */
typedef void (*SnapshotVisit)(GVariant *snapshot, const char *branch, void *data);

/* Visits each of SNAPSHOTS (rows, oldest first), those that descend from one right after it. */
void snapshot_tree_visit(GVariant *snapshots, SnapshotVisit visit, void *data);
