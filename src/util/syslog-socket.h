/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Syslog's socket, without waiting for who reads it: syslog(3) waits, and so a daemon that hangs
 * would hold up whoever logs. For one thread at a time.
 */

#include <stdbool.h>

#define SYSLOG_SOCKET_PATH "/dev/log"

/*
 * An entry of the facility "daemon", as syslog(3) writes it (RFC 3164). False where it is lost:
 * nobody listens at a datagram socket there, or its queue is full.
 */
bool syslog_socket_send(int level, const char *identifier, const char *text);
