/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the parts of the hypervisor module share: the connection's insides. For hypervisor*.c alone.
 */

#include "hypervisor.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

typedef struct HypervisorWatch HypervisorWatch;

struct Hypervisor {
    virConnectPtr conn;
    GHashTable *domains; /* uuid -> virDomainPtr, so that a call needs no look-up first */
    HypervisorWatch *watch;
    GArray *callbacks; /* ids of registered events */
    bool has_close_callback;
    gint *gate;
};

typedef virDomainPtr VirDomain;
G_DEFINE_AUTO_CLEANUP_FREE_FUNC(VirDomain, virDomainFree, NULL)

/*
 * Take libvirt's last error of this thread, unless `error` has one already; returns false. To be
 * called before anything else: even freeing a domain erases it.
 */
bool hypervisor_fail(Error **error);

/* The domain's handle, which stays the connection's. One round trip at most. */
virDomainPtr hypervisor_domain(Hypervisor *h, const char *uuid, Error **error);
/* Keep this handle for later; takes over the reference. */
void hypervisor_keep_domain(Hypervisor *h, const char *uuid, virDomainPtr dom);

/* False where a change must not be sent any more, or would not get there. */
bool hypervisor_pass_gate(Hypervisor *h, Error **error);

/* End what hypervisor_watch() began. */
void hypervisor_unwatch(Hypervisor *h);
