/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Whether the hypervisor is there, and why not: Manager.Status. Pure; any thread.
 */

typedef enum {
    STATUS_STARTING,    /* no attempt has finished yet */
    STATUS_AVAILABLE,   /* connected */
    STATUS_STOPPED,     /* nothing listens, or the socket of a daemon that was stopped does */
    STATUS_UNREACHABLE, /* was lost, or does not answer in time */
    STATUS_DENIED,      /* refused us */
    STATUS_FAILED,      /* any other reason */
    _STATUS_MAX,
} Status;

const char *status_name(Status status);
