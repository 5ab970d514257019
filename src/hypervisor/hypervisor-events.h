/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * libvirt's events, and the thread on which they arrive: it copies them, hands them on, and does
 * nothing else.
 */

#include "domain.h"
#include "hypervisor.h"

/* What became of a device that a guest was asked to let go. */
typedef enum {
    DEVICE_NONE, /* the event is about no device */
    DEVICE_REMOVED,
    DEVICE_KEPT, /* the guest said no */
} DeviceEvent;

/*
 * Something happened to a domain. libvirt has no event for some of what changes beside, so all that
 * is known of it is stale. The event is the receiver's to g_free().
 */
typedef struct {
    void *userdata;
    unsigned generation;
    char uuid[UUID_LENGTH + 1];
    bool rebooted;
    DeviceEvent device_news;
    char device[]; /* its alias */
} HypervisorEvent;

/* The connection has closed by itself; `message` says how. Free it with g_free(). */
typedef struct {
    void *userdata;
    unsigned generation;
    const char *message; /* static */
} HypervisorLoss;

/* Both are called on any thread, under libvirt's locks: they may only post. */
typedef struct {
    void (*event)(HypervisorEvent *event);
    void (*lost)(HypervisorLoss *loss);
} HypervisorWatcher;

/* Start libvirt and its event thread; stop it when all connections are closed. Main thread. */
bool hypervisor_library_start(Error **error);
void hypervisor_library_stop(void);

/* Report events and the loss of this connection as `generation`, until it is closed. */
bool hypervisor_watch(Hypervisor *h, const HypervisorWatcher *watcher, void *userdata,
                      unsigned generation, Error **error);
