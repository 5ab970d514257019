/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How much of what was sent to a user the user has not read yet.
 *
 * The bus keeps it, and dbus-daemon stops reading from a service that has too much kept: then
 * nobody is answered any more. So what is sent to each connection is counted, and above a bound the
 * bus is asked how much of it is left (GetConnectionStats), which dbus-daemon tells. Where the bus
 * does not tell, as dbus-broker, which accounts by itself, the connection is pinged: its answer
 * shows that it has read what was sent before, and a large reply waits for it a moment. Its silence
 * shows nothing, so nobody is refused because of our own count alone. Belongs to the loop.
 */

#include "waiters.h"

#include <stddef.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>

typedef struct Unread Unread;

typedef enum {
    UNREAD_SEND,
    UNREAD_ASK,    /* unread_ask() and try again when it answers */
    UNREAD_REFUSE, /* the user has too much left */
} UnreadVerdict;

Unread *unread_new(sd_bus *bus);
void unread_free(Unread *unread);

/* A call has come from the connection: what is sent to it is counted until it leaves the bus. */
void unread_meet(Unread *unread, const char *name);
/* So many bytes are sent to the connection; CALLER_UID_UNKNOWN is fine. */
void unread_add(Unread *unread, const char *name, uid_t uid, size_t bytes);
/* The connection has left the bus. */
void unread_forget(Unread *unread, const char *name);
/* Whether a reply of so many bytes may be sent to the user. */
UnreadVerdict unread_check(Unread *unread, uid_t uid, size_t bytes);
/* The same where the connection's user is not known yet: never UNREAD_REFUSE. */
UnreadVerdict unread_check_unknown(const Unread *unread, const char *name, size_t bytes);
/* Ask the bus about the user. */
void unread_ask(Unread *unread, uid_t uid, Pending *pending, WaiterDone done, void *userdata);
/* True if so much is unread that not even an error may be sent; asks the bus again. */
bool unread_is_deaf(Unread *unread, uid_t uid);

/* Tell of each user how much is taken to be unread; of CALLER_UID_UNKNOWN where there is any. */
typedef void (*UnreadTell)(void *userdata, uid_t uid, size_t bytes);
void unread_describe(const Unread *unread, UnreadTell tell, void *userdata);
