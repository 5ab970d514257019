/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The properties of a domain that change for clients: one bit each.
 */

#include <stdint.h>

#define DOMAIN_PROPERTIES(X)                                                                       \
    X(NAME)                                                                                        \
    X(TITLE)                                                                                       \
    X(DESCRIPTION)                                                                                 \
    X(STATE)                                                                                       \
    X(STATE_REASON)                                                                                \
    X(ID)                                                                                          \
    X(PERSISTENT)                                                                                  \
    X(AUTOSTART)                                                                                   \
    X(AVAILABLE)                                                                                   \
    X(JOB)                                                                                         \
    X(STARTED_AT)                                                                                  \
    X(PROBLEMS)                                                                                    \
    X(GRAPHICS)                                                                                    \
    X(HAS_MANAGED_SAVE)                                                                            \
    X(SNAPSHOT_COUNT)                                                                              \
    X(VCPUS)                                                                                       \
    X(MAX_VCPUS)                                                                                   \
    X(CPU_PINS)                                                                                    \
    X(MEMORY_BYTES)                                                                                \
    X(MAX_MEMORY_BYTES)                                                                            \
    X(OS_TYPE)                                                                                     \
    X(ARCHITECTURE)                                                                                \
    X(MACHINE)                                                                                     \
    X(FIRMWARE)                                                                                    \
    X(TEMPLATE)                                                                                    \
    X(BOOT_ORDER)                                                                                  \
    X(STOP_TIMEOUT_USEC)                                                                           \
    X(DISKS)                                                                                       \
    X(NICS)                                                                                        \
    X(HOST_DEVICES)                                                                                \
    X(NEXT)                                                                                        \
    X(AGENT_CONNECTED)                                                                             \
    X(HOSTNAME)                                                                                    \
    X(OS_INFO)                                                                                     \
    X(ADDRESSES)

enum {
#define X(symbol) DOMAIN_PROPERTY_##symbol,
    DOMAIN_PROPERTIES(X)
#undef X
        _DOMAIN_PROPERTY_MAX,
};

typedef uint64_t DomainChanges;

#define DOMAIN_CHANGED(symbol) (UINT64_C(1) << DOMAIN_PROPERTY_##symbol)
_Static_assert(_DOMAIN_PROPERTY_MAX <= 64, "DomainChanges has a bit for each property");
