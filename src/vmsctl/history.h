/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The entries of this host's journal that are about a VM. */
#pragma once

/* Prints the last LINES entries that UNIT wrote about the VM, oldest first, if the user may read
 * them. */
void history_print(const char *uuid, const char *unit, int lines);
