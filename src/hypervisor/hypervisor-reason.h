/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * libvirt's numbers for why a domain is in its state, as words. Pure, any thread.
 */

#include "domain.h"

/* The reason as hyphenated lower case, static; "unknown" for a number we have not heard of. */
const char *hypervisor_reason_name(DomainState state, int reason);
