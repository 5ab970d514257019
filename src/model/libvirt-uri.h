/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * All that is known of libvirt's connection URIs. They are parsed as libvirt does it, with libxml2.
 * Pure; any thread.
 */

#include <stdbool.h>

/* Where the driver of a URI runs, and so how its connection may fail. */
typedef enum {
    LIBVIRT_URI_IN_PROCESS, /* in ours: no socket is involved */
    LIBVIRT_URI_LOCAL, /* behind a socket of this machine; also an alias, whose URI is unknown */
    LIBVIRT_URI_REMOTE,
} LibvirtUriPlace;

LibvirtUriPlace libvirt_uri_place(const char *uri);

/* The driver's name in lower case, such as "qemu"; "" where the URI names none. */
char *libvirt_uri_driver(const char *uri);

/*
 * The sockets that a connection to `uri` may go to: the one of `socket=`, or else those where the
 * driver's own daemon and libvirtd listen, which for a session is below `runtime_dir`.
 * NULL-terminated, for g_strfreev(); empty where no local socket is used.
 */
char **libvirt_uri_sockets(const char *uri, const char *runtime_dir);

/*
 * The PID file of the process that runs the domain of this name: its time is when the process
 * began. NULL where the driver has none on this machine.
 */
char *libvirt_uri_domain_pid_file(const char *uri, const char *runtime_dir, const char *name);

/*
 * Whether a domain may be migrated to this URI: NULL, or else why not. libvirt's daemon acts on it
 * as root, and some of what libvirt takes in a URI makes it run a program or read a key of the
 * caller's choice, so only what is listed in the code passes.
 *
 * The transport is named ("qemu+ssh://…"), or is TLS as in libvirt where there is none but a
 * server. A URI of no transport and no server is the hypervisor that opens it, and no destination.
 */
char *libvirt_uri_refuse_destination(const char *uri);

/*
 * A copy of a URI, or of any text with URIs in it, without the passwords of "user:password@": for
 * what others may read.
 */
char *libvirt_uri_hide_passwords(const char *text);
