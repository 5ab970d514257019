/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Sends messages whose body is a Wire.
 *
 * sd-bus has no call that takes a finished body, but it forwards a message that came in on another
 * connection as it is: that is how systemd-stdio-bridge works. So the message is written into a
 * private pair of sockets, and what sd-bus reads at its other end goes out. Belongs to the loop.
 */

#include "caller.h"
#include "wire.h"

#include <systemd/sd-bus.h>

typedef struct RawMessenger RawMessenger;

int raw_message_new(RawMessenger **ret);
void raw_message_free(RawMessenger *messenger);

/* The body has this signature; nobody checks that before the bus does. */
int raw_message_signal(RawMessenger *messenger, sd_bus *bus, const char *path,
                       const char *interface, const char *member, const char *signature,
                       const Wire *body);
/* The same for one connection alone. */
int raw_message_signal_to(RawMessenger *messenger, sd_bus *bus, const char *destination,
                          const char *path, const char *interface, const char *member,
                          const char *signature, const Wire *body);
/* -EMSGSIZE: too long for a bus; nothing has been answered. */
int raw_message_reply(RawMessenger *messenger, sd_bus *bus, const Caller *caller,
                      const char *signature, const Wire *body);
