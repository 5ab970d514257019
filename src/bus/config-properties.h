/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The properties of org.unraid.Vms.Config. Next has the same ones of another configuration: each is
 * written out of a DomainConfig, in one table.
 */

#include "object-server.h"

/* (symbol in DomainChanges, name, signature) */
#define CONFIG_PROPERTIES(X)                                                                       \
    X(VCPUS, "VCpus", "u")                                                                         \
    X(MAX_VCPUS, "MaxVCpus", "u")                                                                  \
    X(CPU_PINS, "CpuPins", "a(us)")                                                                \
    X(MEMORY_BYTES, "MemoryBytes", "t")                                                            \
    X(MAX_MEMORY_BYTES, "MaxMemoryBytes", "t")                                                     \
    X(OS_TYPE, "OsType", "s")                                                                      \
    X(ARCHITECTURE, "Architecture", "s")                                                           \
    X(MACHINE, "Machine", "s")                                                                     \
    X(FIRMWARE, "Firmware", "s")                                                                   \
    X(TEMPLATE, "Template", "a{ss}")                                                               \
    X(BOOT_ORDER, "BootOrder", "as")                                                               \
    X(STOP_TIMEOUT_USEC, "StopTimeoutUSec", "t")                                                   \
    X(DISKS, "Disks", "aa{sv}")                                                                    \
    X(NICS, "Nics", "aa{sv}")                                                                      \
    X(HOST_DEVICES, "HostDevices", "aa{sv}")

/* Of a Domain, and Next, too; ends with an empty one. */
extern const PropertyWriter config_property_writers[];
