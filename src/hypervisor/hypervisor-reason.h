/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * libvirt's numbers in our words: why a domain is in its state, and what an error means. Pure; any
 * thread.
 */

#include "domain.h"
#include "error.h"

/* The reason as hyphenated lower case, static; "unknown" for a number that is not known here. */
const char *hypervisor_reason_name(DomainState state, int reason);

/* The kind of the virErrorNumber `code`; ERROR_OPERATION_FAILED where there is no closer one. */
ErrorKind hypervisor_error_kind(int code);
