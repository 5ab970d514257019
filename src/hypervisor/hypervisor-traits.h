/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How some drivers behave differently. No other file knows drivers by their names; that a driver
 * lacks a call is told by its error. Pure; any thread.
 */

typedef enum {
    TRAIT_SEPARATE_WORLDS = 1 << 0,  /* a second connection may see other domains: use only one */
    TRAIT_REBOOT_IN_CALL = 1 << 1,   /* a reboot is over when the call returns */
    TRAIT_SETS_MEMORY_ONCE = 1 << 2, /* changes the memory of one configuration at a time */
    TRAIT_WAYS_TO_ASK = 1 << 3,      /* a guest can be asked through its agent, or by ACPI */
    TRAIT_XML_WAITS = 1 << 4, /* a read of a domain's XML waits for any job of the domain, even for
                                 a question to a process that is stopped */
} HypervisorTraits;

/* Of the driver that a URI names; none where it names none, as an alias does. */
HypervisorTraits hypervisor_traits_of_uri(const char *uri);
/* Of the type that the connected hypervisor gives itself, such as "QEMU". */
HypervisorTraits hypervisor_traits_of_type(const char *type);
/* The same with those of libvirt's version in the daemon, such as "11.3.0". */
HypervisorTraits hypervisor_traits_of_daemon(const char *type, const char *libvirt_version);
