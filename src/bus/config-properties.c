/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config-properties.h"

#include "domain.h"
#include "wire-rows.h"

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

/* --- out of a configuration --------------------------------------------------------------- */

#define NUMBER(symbol, put, member)                                                                \
    static void write_##symbol(Wire *wire, const DomainConfig *config)                             \
    {                                                                                              \
        put(wire, config->member);                                                                 \
    }
#define TEXT(symbol)                                                                               \
    static void write_##symbol(Wire *wire, const DomainConfig *config)                             \
    {                                                                                              \
        wire_put_string(wire, domain_config_text(config, HARDWARE_##symbol));                      \
    }
#define ROWS(symbol, put)                                                                          \
    static void write_##symbol(Wire *wire, const DomainConfig *config)                             \
    {                                                                                              \
        put(wire, domain_config_rows(config, HARDWARE_##symbol));                                  \
    }

NUMBER(VCPUS, wire_put_u32, vcpus)
NUMBER(MAX_VCPUS, wire_put_u32, max_vcpus)
ROWS(CPU_PINS, wire_put_structs)
NUMBER(MEMORY_BYTES, wire_put_u64, memory_bytes)
NUMBER(MAX_MEMORY_BYTES, wire_put_u64, max_memory_bytes)
TEXT(OS_TYPE)
TEXT(ARCHITECTURE)
TEXT(MACHINE)
TEXT(FIRMWARE)
ROWS(TEMPLATE, wire_put_texts_by_name)
ROWS(BOOT_ORDER, wire_put_texts)
NUMBER(STOP_TIMEOUT_USEC, wire_put_u64, stop_timeout_usec)
ROWS(DISKS, wire_put_dictionaries)
ROWS(NICS, wire_put_dictionaries)
ROWS(HOST_DEVICES, wire_put_dictionaries)

/* --- of the domain ------------------------------------------------------------------------ */

#define X(symbol, name, signature)                                                                 \
    static void put_##symbol(Wire *wire, const void *object)                                       \
    {                                                                                              \
        write_##symbol(wire, &((const Domain *)object)->config);                                   \
    }
CONFIG_PROPERTIES(X)
#undef X

static const struct {
    DomainChanges bit;
    const char *name;
    const char *signature;
    void (*write)(Wire *wire, const DomainConfig *config);
} properties[] = {
#define X(symbol, name, signature) {DOMAIN_CHANGED(symbol), name, signature, write_##symbol},
    CONFIG_PROPERTIES(X)
#undef X
};

/* "a{sv}" */
static void
put_next(Wire *wire, const void *object)
{
    const DomainNext *next = ((const Domain *)object)->next;
    size_t array = wire_begin_array(wire, 8);

    for (unsigned i = 0; next && i < G_N_ELEMENTS(properties); i++) {
        if (!(next->properties & properties[i].bit))
            continue;
        wire_align(wire, 8);
        wire_put_string(wire, properties[i].name);
        wire_put_signature(wire, properties[i].signature);
        properties[i].write(wire, &next->config);
    }
    wire_end_array(wire, array, 8);
}

const Property config_properties[] = {
#define X(symbol, name, signature) {name, signature, DOMAIN_PROPERTY_##symbol, put_##symbol, 0},
    CONFIG_PROPERTIES(X)
#undef X
        {"Next", "a{sv}", DOMAIN_PROPERTY_NEXT, put_next, 0},
    {NULL},
};
