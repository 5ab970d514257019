/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the journal of this machine says of a VM. */
#pragma once

/* The last LINES entries that UNIT wrote about it, oldest first; nothing where there are none, or
 * none that we may read. */
void history_print(const char *uuid, const char *unit, int lines);
