/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Sends replies. Every reply with a body passes replies_send(), which keeps to the limits of the
 * bus and to what the caller's user may leave unread. Belongs to the loop.
 */

#include "caller.h"
#include "callers.h"
#include "raw-message.h"
#include "unread.h"

typedef struct Replies Replies;

/* The parts stay the caller's. */
Replies *replies_new(sd_bus *bus, RawMessenger *messenger, Callers *callers, Unread *unread);
void replies_free(Replies *replies);

/* Has to be called for each call that arrives. False: its user does not read replies, and gets
 * none. */
bool replies_expect(Replies *replies, const char *sender);

/*
 * 0 or a negative errno, and then nothing has been sent: -EMSGSIZE, the body is too long for a bus;
 * -EDQUOT, the user has not read what was sent before; -EAGAIN, replies_wait() and try again.
 */
int replies_send(Replies *replies, const Caller *caller, const char *signature, const Wire *body);
/* Wait until it is known whose call it is and how much that user has read. False where too many
 * wait for that. */
bool replies_wait(Replies *replies, const Caller *caller, Pending *pending, WaiterDone done,
                  void *userdata);
/* The message for an errno of replies_send(). */
Error *replies_error(int r);
