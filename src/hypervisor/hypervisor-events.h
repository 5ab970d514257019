/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * libvirt's events, and the thread on which they arrive: it copies them, hands them on, and does
 * nothing else.
 */

#include "block-job.h"
#include "domain.h"
#include "hypervisor.h"

/* Only events whose details are needed have a kind of their own. */
typedef enum {
    EVENT_CHANGED, /* any other; a refresh shows what changed */

    EVENT_STARTED,  /* a new process of the hypervisor runs the guest */
    EVENT_RESUMED,  /* from a pause */
    EVENT_STOPPED,  /* the process is gone */
    EVENT_MIGRATED, /* likewise: the guest goes on elsewhere */
    EVENT_REBOOTED, /* by itself or by a reset in place; the process is the same */

    EVENT_IO_ERROR,       /* of the disk `device`, an alias */
    EVENT_NO_SPACE,       /* the same, because its storage is full */
    EVENT_WATCHDOG,       /* it fired, and the guest was left as it was */
    EVENT_PANICKED,       /* the guest's kernel says so */
    EVENT_MEMORY_FAILURE, /* in the host's memory below the guest */
    EVENT_CONTROL_ERROR,  /* libvirt lost control of the hypervisor's process */

    EVENT_DEVICE_REMOVED, /* the device `device`, an alias */
    EVENT_DEVICE_KEPT,    /* the guest did not let go of it */
    EVENT_BLOCK_JOB,      /* of the disk `device`, a target */
} HypervisorEventKind;

/*
 * Something happened to a domain. Other properties may have changed with it, for which libvirt has
 * no event, so all that is known of the domain is stale, whatever the kind. The event is the
 * receiver's to g_free().
 */
typedef struct {
    void *userdata;
    unsigned generation;
    char uuid[UUID_LENGTH + 1];
    HypervisorEventKind kind;
    uint64_t time;       /* when it arrived, µs since the epoch */
    bool reported;       /* EVENT_IO_ERROR, EVENT_NO_SPACE: to the guest, which runs on */
    BlockJobType job;    /* EVENT_BLOCK_JOB */
    BlockJobEvent about; /* likewise */
    char device[];       /* "" where it is about none */
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

/* Report events and the loss of this connection as `generation`, until hypervisor_unwatch(). */
bool hypervisor_watch(Hypervisor *h, const HypervisorWatcher *watcher, void *userdata,
                      unsigned generation, Error **error);
/* Before hypervisor_close(), of any connection; NULL is fine. */
void hypervisor_unwatch(Hypervisor *h);
