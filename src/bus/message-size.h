/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How much memory the arguments of a message take, about: what is held for a caller is bounded by
 * it. The message is read from its start and left somewhere: rewind it.
 *
 * Every value and every container counts for 64 bytes at least, so that the time is bounded, too:
 * an argument of a mebibyte can consist of millions of structs.
 */

#include <stddef.h>
#include <systemd/sd-bus.h>

/* A real domain's XML has some ten thousand bytes; more than this costs libvirt and us much to
 * read. */
#define MESSAGE_SIZE_MAX ((size_t)1024 * 1024)

/*
 * 0, or a negative errno: -EMSGSIZE where the limit is exceeded, and then the rest has not been
 * read; -EBADMSG where sd-bus refuses to read a value, such as a string with a noncharacter of
 * Unicode, which other libraries send.
 */
int message_size(sd_bus_message *message, size_t limit, size_t *ret);
