/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The part of a method call that its reply needs.
 *
 * A message that waits for its answer is not kept: all that is attached to it, descriptors above
 * all, would be kept with it for as long as the caller likes. Belongs to the loop.
 */

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

typedef struct {
    char *sender; /* "" where the message has none */
    uint64_t serial;
    bool expects_reply;
    bool interactive; /* polkit may ask the user for a password */
} Caller;

/* Copies what it needs: the message may go. */
Caller caller_of(sd_bus_message *message);
void caller_clear(Caller *caller);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Caller, caller_clear)

/* Any user but root and our own. */
static inline bool
caller_is_ordinary(uid_t uid)
{
    return uid != 0 && uid != geteuid();
}

/* An empty reply to the call, to be filled and sent. 0 or a negative errno. */
int caller_new_reply(const Caller *caller, sd_bus *bus, sd_bus_message **ret);
/* Answer with an error. 0 or a negative errno. */
int caller_reply_error(const Caller *caller, sd_bus *bus, const sd_bus_error *error);
