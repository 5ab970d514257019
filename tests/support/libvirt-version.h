/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The version of libvirt's library on this machine. The embedded hypervisor, the test driver, is a
 * part of it, and learns more with each version.
 *
 *     if (!can_read_embedded_stats())
 *         return;
 */

#include <stdbool.h>

bool libvirt_is_at_least(unsigned major, unsigned minor);

/* Whether the embedded hypervisor has statistics of domains, which came with libvirt 7.8. */
bool embedded_has_stats(void);
/* The same; if it has none, the case has been marked as skipped. */
bool can_read_embedded_stats(void);
