/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The XML of single devices: out of a domain's XML with a change, or new. The domain's XML is that
 * of VIR_DOMAIN_XML_SECURE, or passwords would be lost. Pure; any thread.
 *
 * All return NULL and set `*error` where it cannot be done: ERROR_INVALID_ARGS where an argument is
 * wrong whatever the domain is, ERROR_OPERATION_FAILED where the domain has no such device.
 */

#include "error.h"

#include <libxml/tree.h>
#include <stdint.h>

/*
 * The CD-ROM or floppy drive `target` with other media: a path, "POOL/VOLUME", or a URL of http,
 * https, ftp, ftps or tftp; "" takes out what is in it.
 */
char *device_edit_media(const char *xml, const char *target, const char *source, Error **error);

/* The network interface with its link up or down. */
char *device_edit_link(const char *xml, const char *mac, bool up, Error **error);

/*
 * The graphics device `index` with another password, which expires at `until` (µs since the epoch;
 * 0: never). `*ret_had_one`: it has a password already.
 */
char *device_edit_password(const char *xml, unsigned index, const char *password, uint64_t until,
                           bool *ret_had_one, Error **error);

/* The disk that a copy is written to: a path, and its format; "": as the hypervisor sees fit. */
char *device_edit_copy(const char *destination, const char *format, Error **error);

/* A device of the host, PCI ("0000:01:00.0") or USB ("BUS:DEVICE"), for a domain to get. */
char *device_edit_new_host_device(const char *address, Error **error);
/* The domain's own XML of its host device with this address. */
char *device_edit_find_host_device(const char *xml, const char *address, Error **error);

/* --- for domain-edit.c */

/* The devices; NULL for the last three where there is none. */
xmlNode *device_edit_devices(xmlDoc *domain);
xmlNode *device_edit_disk(xmlDoc *domain, const char *target);
xmlNode *device_edit_nic(xmlDoc *domain, const char *mac);
/* By its address, or by the name of domain_xml_host_device_name(). */
xmlNode *device_edit_host_device(xmlDoc *domain, const char *name);
/* The one that is configured by vendor and product alone, as `device` of the running domain was. */
xmlNode *device_edit_host_device_of_model(xmlDoc *domain, const xmlNode *device);
