/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Questions to the guest itself, by libvirt's agent in it; for a lane, like all of
 * hypervisor.h. A call is as slow as the agent, which may hang for ever.
 */

#include "hypervisor.h"

/* The D-Bus types of the answers, in which the strings are fit for D-Bus. */
#define GUEST_ADDRESSES_TYPE   "a(ssa(su))"
#define GUEST_FILESYSTEMS_TYPE "a(ssst)"

typedef enum {
    ADDRESSES_LEASE,
    ADDRESSES_AGENT,
    ADDRESSES_ARP,
} AddressSource;

typedef enum {
    GUEST_FREEZE,
    GUEST_THAW,
    GUEST_TRIM,
} GuestVerb;

GVariant *hypervisor_guest_addresses(Hypervisor *h, const char *uuid, AddressSource source,
                                     Error **error);
char *hypervisor_guest_hostname(Hypervisor *h, const char *uuid, Error **error);
GVariant *hypervisor_guest_filesystems(Hypervisor *h, const char *uuid, Error **error);
bool hypervisor_guest_do(Hypervisor *h, const char *uuid, GuestVerb verb, Error **error);
bool hypervisor_guest_set_password(Hypervisor *h, const char *uuid, const char *user,
                                   const char *password, Error **error);
