/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Stand-ins for what is beside the point of a schedule: the log, consoles, figures, libvirt's
 * library, and the watch on PID files, whose hints the world gives.
 */

#include "availability.h"

/* As the watch on PID files and sockets would. */
void parts_hint(Hint hint);
