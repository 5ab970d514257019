/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Properties of a VM as people read them, for the commands that show it. Texts are not yet safe for
 * a terminal. */
#pragma once

#include "inventory.h"

/* "3d 4h"; NULL where the VM is not active, or its start not known. */
char *describe_uptime(const Inventory *inventory, const char *path);

/* "10 s, then Stop cuts the power" */
char *describe_stop_timeout(guint64 usec);

/* Rows of Domain.Problems; NULL: there are none. */
GVariant *describe_problem_rows(const Inventory *inventory, const char *path);
/* "no-space vda" */
char *describe_problem(GVariant *row);
/* The kinds of all of them, or NULL. */
char *describe_problems(const Inventory *inventory, const char *path);

/* The first address of the guest that others can reach, else the first one; NULL: none is known. */
const char *describe_address(const Inventory *inventory, const char *path);

/* Rows of Config and Guest. */
char *describe_disk(GVariant *disk);
char *describe_nic(GVariant *nic);
char *describe_host_device(GVariant *device);
char *describe_guest_address(GVariant *address);
