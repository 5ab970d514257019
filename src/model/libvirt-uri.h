/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Which URIs a domain may be migrated to. libvirt's daemon acts on the URI as root, and some of
 * what libvirt takes in one makes it run a program or read a key of the caller's choice: so only
 * what is listed here passes. Pure; any thread.
 *
 * The transport is said ("qemu+ssh://…"), or is TLS as in libvirt where there is none but a server.
 * A URI of no transport and no server is the hypervisor that opens it, and no destination.
 */

/* NULL: it may be used; else why not. */
char *migration_uri_refuse(const char *uri);
