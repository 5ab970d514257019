/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The sockets of the journal and of syslog, with a bound on the wait for who reads them:
 * sd_journal_sendv(3) and syslog(3) wait without one, and so a daemon that hangs would hold up
 * whoever logs. May be called from any thread.
 *
 * An entry is lost where nobody listens, or where the daemon has not read for LOG_SOCKET_WAIT_MS;
 * then no entry waits again until the daemon has taken one.
 */

#include <glib.h>
#include <stdbool.h>

#define LOG_SOCKET_JOURNAL "/run/systemd/journal/socket"
#define LOG_SOCKET_SYSLOG  "/dev/log"
#define LOG_SOCKET_WAIT_MS 200

typedef struct {
    const char *key, *value;
} LogField;

/* An entry in the journal's own format (systemd's "Native Journal Protocol"). False: it is lost. */
bool log_socket_send_journal(const LogField *fields, size_t n_fields);

/* An entry of the facility "daemon", as syslog(3) writes it (RFC 3164). False: it is lost. */
bool log_socket_send_syslog(int level, const char *identifier, const char *text);
