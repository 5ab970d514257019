/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The hardware and the settings in a domain's XML, and which of them are new.
 *
 * There may be a thousand of these: all lists and texts are in one piece of memory that does not
 * change. Pure, any thread.
 */

#include "domain-changes.h"
#include "rows.h"

/* The parts of Hardware: a text, or rows with these fields. */
typedef enum {
    HARDWARE_OS_TYPE,      /* text */
    HARDWARE_ARCHITECTURE, /* text */
    HARDWARE_MACHINE,      /* text */
    HARDWARE_FIRMWARE,     /* text: bios, efi */
    HARDWARE_TEMPLATE,     /* one row or none: name, icon, os, webui, storage */
    HARDWARE_CPU_PINS,     /* vcpu, cpus */
    HARDWARE_BOOT_ORDER,   /* device */
    HARDWARE_DISKS,        /* target, bus, device, type, source, format, serial, cache, readonly,
                              shareable,        boot, capacity, job */
    HARDWARE_NICS,         /* mac, model, type, source, target, link, boot */
    HARDWARE_HOST_DEVICES, /* type, address, vendor, product, alias, boot */
    HARDWARE_GRAPHICS,     /* type, listen, socket, port, tls_port, websocket, password */
    _HARDWARE_MAX,
} HardwarePart;

typedef struct Hardware Hardware;

/* The fate of the domain when its guest ends by itself. */
typedef enum {
    LIFECYCLE_UNKNOWN, /* not said: libvirt's default */
    LIFECYCLE_DESTROY,
    LIFECYCLE_RESTART,
    LIFECYCLE_PRESERVE,
    LIFECYCLE_RENAME_RESTART,
} LifecycleAction;

typedef struct {
    uint32_t vcpus;
    uint32_t max_vcpus;
    uint64_t memory_bytes; /* what it has now */
    uint64_t max_memory_bytes;
    uint64_t stop_timeout_usec; /* 0: it has none of its own */
    int agent_connected;        /* a boolean */
    bool has_layered_disks;     /* disk_chain_is_layered() */
    LifecycleAction on_poweroff;
    LifecycleAction on_reboot;
    Hardware *hardware; /* NULL: nothing */
} DomainConfig;

/* Whether these amounts of memory differ by less than a page, the unit of a balloon. */
bool domain_memory_is_same(uint64_t a, uint64_t b);

/* Free what it holds, and make it one of which nothing is known. */
void domain_config_clear(DomainConfig *config);
/* The rows of a part; they stay the config's. */
Rows domain_config_rows(const DomainConfig *config, HardwarePart part);
/* The text of a part. */
const char *domain_config_text(const DomainConfig *config, HardwarePart part);
/* Copies the parts. A text is its bytes and a 0, or nothing if it is "". */
void domain_config_set_hardware(DomainConfig *config, const Rows parts[static _HARDWARE_MAX]);

/*
 * Move `from` into `to`; returns what that changed. The XML tells neither capacities nor jobs: a
 * disk that stays keeps its job, and its capacity while its source is the same.
 */
DomainChanges domain_config_apply(DomainConfig *to, DomainConfig *from);
/* target -> uint64_t *; returns what that changed. */
DomainChanges domain_config_set_capacities(DomainConfig *config, GHashTable *capacities);
/* The storage job of a disk, 0 for none; returns what that changed. */
DomainChanges domain_config_set_disk_job(DomainConfig *config, const char *target, uint64_t number);
