/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * libvirt, as plain C: only the files of this folder include its headers.
 *
 * A Hypervisor is one connection. It carries one call at a time and belongs to the lane (thread)
 * that opened it: every function that takes one is called on that thread only and may block for as
 * long as libvirt does.
 *
 * A function that can fail returns false, NULL or -1, and sets `*error`, with libvirt's own words,
 * if it was NULL. What a function returns is the caller's: arrays own their elements.
 */

#include "error.h"
#include "status.h"

#include <glib.h>
#include <stdbool.h>

typedef struct Hypervisor Hypervisor;

/* The connected hypervisor; the texts are fit for D-Bus. */
typedef struct {
    char *hostname;
    char *type;
    char *version; /* "" where the driver tells none; NULL where it has not been read yet */
    char *libvirt_version;
} HypervisorIdentity;

void hypervisor_identity_clear(HypervisorIdentity *identity);

/* virConnectOpen() and keepalive. On failure `*why` says which Status that makes. */
Hypervisor *hypervisor_open(const char *uri, Status *why, Error **error);
/* One that is watched is unwatched first; NULL is fine. */
void hypervisor_close(Hypervisor *h);
/* All but the version. */
bool hypervisor_identify(Hypervisor *h, HypervisorIdentity *ret, Error **error);
/* virConnectGetVersion(), freed with g_free(); never NULL. A libvirtd that has just been started
 * may run QEMU to ask it, which takes a second. */
char *hypervisor_read_version(Hypervisor *h);
/* Whether the connection still stands. An error's text never tells. */
bool hypervisor_is_alive(Hypervisor *h);
/* Free what earlier calls have left behind: once their results have been handed over. */
void hypervisor_free_deferred(Hypervisor *h);

/*
 * A change goes through this gate right before it is sent: a gate that was closed from outside
 * keeps it from being sent, and one that it went through tells that it may have been carried out.
 */
typedef enum {
    GATE_OPEN,
    GATE_PASSED,
    GATE_CLOSED,
} Gate;

void hypervisor_set_gate(Hypervisor *h, gint *gate);
