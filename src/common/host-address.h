/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The D-Bus address of the system bus of another host, over ssh. Does no I/O. */

/*
 * HOST is [USER@]NAME[:PORT]; an IPv6 address stands in brackets. On the other host runs the first
 * of these that is there: systemd-stdio-bridge, elogind-stdio-bridge, vmsctl itself. Freed with
 * g_free(); NULL where HOST is none.
 */
char *host_address(const char *host);
