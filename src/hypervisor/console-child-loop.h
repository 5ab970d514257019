/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * libvirt's event loop for a process with one thread and one connection, whose owner decides when
 * libvirt may read. That is the only brake on what others send: libvirt's client keeps all that it
 * reads for a stream, however much that is.
 */

#include <poll.h>
#include <stdbool.h>

/* Before libvirt is used at all. */
void console_loop_register(void);

/*
 * One turn: wait until something of libvirt's or of `own` is ready (negative descriptors are
 * skipped), let libvirt handle its share, and leave revents in `own`. Timeout in ms, -1: none.
 *
 * may_read: whether libvirt may read from its connection.
 * write_ready: NULL, or wait for and tell whether a write to the connection will not block.
 */
void console_loop_turn(struct pollfd *own, unsigned n_own, int timeout, bool may_read,
                       bool *write_ready);

/* Free what libvirt has left with the loop. After its connection is closed. */
void console_loop_clear(void);
