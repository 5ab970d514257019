/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Watches the PID files and the local sockets of libvirt daemons, which come, go, and go stale.
 *
 * It reports hints only: a daemon may run without the file, and the file may be wrong. It belongs
 * to the loop, blocks on no kind of file that is in the place of a PID file, and needs no directory
 * to exist yet: every directory on the path is watched, and symlinks are followed and watched, too.
 * A file system that is mounted over a directory is the one change it does not see by itself.
 */

#include "availability.h"

#include <stddef.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

/* A longer file holds no PID. */
#define PIDFILE_SIZE_MAX 64

typedef struct DaemonWatch DaemonWatch;

/*
 * HINT_NEW_DAEMON: a file holds another PID than before (where it was missing in between, any PID
 * is another), or a socket was created. HINT_STOPPED: the PID files are gone, as a daemon that ends
 * in order removes its own, and there still is a socket, which it removes too unless it belongs to
 * systemd. HINT_PROBE: any other change, also a deletion. Changes in one turn of the loop are
 * reported once. The function may free the watch.
 */
typedef void (*DaemonHint)(void *userdata, Hint hint);

/* Files and sockets that exist already are not reported. The lists end in NULL, and may be NULL. */
int daemon_watch_new(sd_event *event, const char *const *pid_paths, const char *const *socket_paths,
                     DaemonHint hint, void *userdata, DaemonWatch **ret);
void daemon_watch_free(DaemonWatch *watch);
/* Whether HINT_STOPPED may come: there are a PID file and a socket. */
bool daemon_watch_may_stop(const DaemonWatch *watch);
/* Whether the process that a PID file names is there, ending or not. */
bool daemon_watch_lives(const DaemonWatch *watch);

/* The PID in `text`, which may be any bytes: a decimal number, white space around it allowed.
 * -EINVAL, and `ret` left alone, for anything else. */
int pidfile_parse(const char *text, size_t length, pid_t *ret);
