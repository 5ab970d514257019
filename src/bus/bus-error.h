/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The name on the bus of each kind of error, such as "org.unraid.Vms.Error.Busy". Any thread.
 */

#include "error.h"

/* Static; `kind` is not ERROR_NONE. */
const char *bus_error_name(ErrorKind kind);
