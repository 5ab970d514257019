/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

/*
 * Whether libvirt's daemon behind `uri` answers at all: it is sent the first question of a
 * connection, and the connection is dropped. Unlike virConnectOpen() this ends, whatever the daemon
 * does: nothing is waited for longer than `limit_msec`, but the name of a host. Not for the loop.
 *
 * `sockets` are the local ones that the URI may mean, NULL-terminated. Where neither they nor a
 * host show how to ask (ssh, say), the answer is true. Of TLS only the connection is tried.
 */
bool daemon_probe(const char *uri, const char *const *sockets, int limit_msec);
