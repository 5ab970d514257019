/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Facts that a running guest, or libvirt's networks, tell. The texts come out of the guest: the
 * maker of an update makes them fit for D-Bus (utf8.h). Pure, any thread.
 */

#include "domain-changes.h"
#include "rows.h"

typedef struct {
    char *hostname;    /* NULL: none, as below */
    GBytes *os_info;   /* one row: id, name, version, kernel */
    GBytes *addresses; /* rows: interface, mac, address, prefix, source */
} Guest;

typedef enum {
    GUEST_HOSTNAME = 1 << 0,
    GUEST_OS_INFO = 1 << 1,
    GUEST_ADDRESSES = 1 << 2,
} GuestFacts;

/* The facts at one moment. */
typedef struct {
    GuestFacts known;
    Guest guest;
} GuestUpdate;

void guest_clear(Guest *guest);
/* Move what the update knows into the guest; returns what that changed. */
DomainChanges guest_apply(Guest *guest, GuestUpdate *update);
