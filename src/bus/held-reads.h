/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Replies to reads of properties, which may have to wait until it is known whether the caller reads
 * replies.
 *
 * The message is held until then, and the read made anew: what it says has to fit the signals that
 * were sent before it. How many are held is bounded, but the first one of a caller always is.
 * Belongs to the loop.
 */

#include "replies.h"

typedef struct HeldReads HeldReads;

/*
 * Make the read that the message asks for anew, and reply with held_reads_reply(): a positive
 * number. 0: the object is gone. Or a negative errno, with `error` set or not.
 */
typedef int (*HeldReadAgain)(void *userdata, sd_bus_message *message, sd_bus_error *error);

/* `replies` stay the caller's. */
HeldReads *held_reads_new(Replies *replies, HeldReadAgain again, void *userdata);
/* NULL is fine. Drops what is held; those calls get no reply. */
void held_reads_free(HeldReads *reads);

/* Reply now, or hold the message: 1. Or a negative errno, and `error` set. */
int held_reads_reply(HeldReads *reads, sd_bus_message *message, const char *signature,
                     const Wire *body, sd_bus_error *error);
