/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* GIO's connection to the bus of a test, for messages that sd-bus does not send or read:
 * descriptors that the arguments do not mention, and the largest ones. */

#include "world.h"

#include <gio/gio.h>

/* Owned by the caller. */
GDBusConnection *gio_bus_connect(World *w);
