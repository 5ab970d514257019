/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The difference that the next start of a running domain will make. Pure, any thread.
 */

#include "hardware.h"

/*
 * The properties of the configuration whose value in `next` is another one than in `live`, without
 * what only a domain that runs has: a NIC's target, a disk's capacity and job, aliases, what
 * libvirt chose at the start. The order of devices makes no difference. The balloon changes the
 * memory of a domain that runs, which makes no difference either: MEMORY_BYTES counts only if
 * `next` also differs from `begun_memory_bytes`, the memory in the configuration when this run
 * began.
 */
DomainChanges domain_next_compare(const DomainConfig *live, const DomainConfig *next,
                                  uint64_t begun_memory_bytes);
