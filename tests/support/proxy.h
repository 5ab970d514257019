/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A proxy between the service and libvirtd's socket that does one fault at a time to what passes
 * through it. It runs in the world's loop.
 *
 *     g_autoptr(Proxy) p = proxy_new(w, "/run/libvirt/libvirt-sock");
 *     ... --uri=test+unix:///default?socket=<proxy_path(p)>
 *     proxy_arm(p, &(Fault){FAULT_CUT, TO_LIBVIRT, .at = 100});
 *     ...
 *     proxy_heal(p);
 */

#include "world.h"

typedef enum {
    FAULT_NONE,
    FAULT_CUT,      /* both sides are closed */
    FAULT_TRUNCATE, /* the receiver sees the end of the stream, the other direction goes on */
    FAULT_SWALLOW,  /* some bytes are lost */
    FAULT_GARBLE,   /* some bytes are others */
    FAULT_DELAY,    /* this direction stands still for some milliseconds */
    FAULT_FREEZE,   /* nothing moves any more, nor on new connections */
    _FAULT_MAX,
} FaultKind;

typedef enum { TO_LIBVIRT, TO_SERVICE, _DIRECTION_MAX } Direction;

typedef struct Fault {
    FaultKind kind;
    Direction direction;
    guint64 at;     /* bytes of the direction, from when it is armed, that pass before */
    guint amount;   /* bytes that are lost or garbled, or milliseconds */
    guint8 pattern; /* garbled bytes are combined with it; not 0 */
} Fault;

typedef struct Proxy Proxy;

Proxy *proxy_new(World *w, const char *upstream);
void proxy_free(Proxy *p);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Proxy, proxy_free)

const char *proxy_path(const Proxy *p);
const char *fault_name(FaultKind kind);

/* Counts from now on, over all connections. */
void proxy_arm(Proxy *p, const Fault *fault);
/* Whether the byte has come. */
bool proxy_fired(const Proxy *p);
/* No fault from now on: what stands still goes on, and a stream that has lost its meaning is
 * closed, as a daemon that found it so would do. */
void proxy_heal(Proxy *p);
