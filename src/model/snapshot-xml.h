/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * libvirt's XML of a snapshot, read and written. What is returned is the caller's. Pure; any
 * thread.
 */

#include <stdbool.h>
#include <stdint.h>

/* The XML that a snapshot is created from; the description may be NULL. */
char *snapshot_xml_new(const char *name, const char *description);

/* When it was taken (s since the epoch) and in which state; false where `xml` is no snapshot. */
bool snapshot_xml_read(const char *xml, int64_t *ret_created, char **ret_state);
