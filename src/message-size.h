/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How much memory the arguments of a message take, about: what is held for a caller is bounded by
 * it. The message is read from its start and left somewhere: rewind it.
 */

#include <stddef.h>
#include <systemd/sd-bus.h>

size_t message_size(sd_bus_message *message);
