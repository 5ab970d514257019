/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Values of a D-Bus message as GVariant, and back; the rest of vmsctl works with GVariant alone.
 * A handle (type h) is the number of a descriptor that belongs to the caller, not to the message.
 */
#pragma once

#include <glib.h>
#include <systemd/sd-bus.h>

/* The whole body as a tuple, floating; NULL and a negative errno in RET_R if it cannot be read. */
GVariant *value_read_body(sd_bus_message *message, int *ret_r);

/* Appends each child of the tuple VALUES. */
int value_append_body(sd_bus_message *message, GVariant *values);
