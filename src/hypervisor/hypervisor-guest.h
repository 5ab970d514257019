/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Questions to the agent inside a guest, and the leases of libvirt's networks. On a lane, like all
 * of hypervisor.h.
 *
 * A read gives the agent AGENT_TIMEOUT_SEC. A change may take as long as the agent, which may hang
 * for ever once it has begun; libvirt itself notices one that hung before. Either way an agent that
 * does not answer is ERROR_TIMEOUT. Rows are NULL if there are none. The guest's texts are bounded
 * and fit for D-Bus.
 */

#include "guest.h"
#include "hypervisor.h"

#define AGENT_TIMEOUT_SEC 5

typedef enum {
    ADDRESSES_LEASE,
    ADDRESSES_AGENT,
    ADDRESSES_ARP,
} AddressSource;

/*
 * Ask the agent alone, in one call, and in a second one for the OS. `ret->known` are the facts that
 * it has told, at least one of those that are wanted; an agent may lack the others.
 */
bool hypervisor_guest_read(Hypervisor *h, const char *uuid, GuestFacts wanted, GuestUpdate *ret,
                           Error **error);
/* Rows: "interface", "mac", "address", "prefix", "source". */
bool hypervisor_guest_addresses(Hypervisor *h, const char *uuid, AddressSource source, GBytes **ret,
                                Error **error);
char *hypervisor_guest_hostname(Hypervisor *h, const char *uuid, Error **error);
/* Rows: "mountpoint", "device", "type", "total", "used"; without sizes where the agent has none. */
bool hypervisor_guest_filesystems(Hypervisor *h, const char *uuid, GBytes **ret, Error **error);

/*
 * The leases of all of libvirt's networks, in one round trip for each of them; no domain is asked.
 * Rows: "mac", "address", "prefix", and "name" where the guest has told one.
 */
bool hypervisor_read_leases(Hypervisor *h, GBytes **ret, Error **error);

/* Changes. */

/* `mountpoints` ends with NULL; NULL for all. */
bool hypervisor_guest_freeze(Hypervisor *h, const char *uuid, const char *const *mountpoints,
                             Error **error);
bool hypervisor_guest_thaw(Hypervisor *h, const char *uuid, Error **error);
/* Discard the free space that is in pieces of at least `minimum` bytes. */
bool hypervisor_guest_trim(Hypervisor *h, const char *uuid, uint64_t minimum, Error **error);
bool hypervisor_guest_set_password(Hypervisor *h, const char *uuid, const char *user,
                                   const char *password, bool crypted, Error **error);
/* To this host's time, or, with `sync`, to that of the guest's own hardware clock. */
bool hypervisor_guest_set_time(Hypervisor *h, const char *uuid, bool sync, Error **error);
