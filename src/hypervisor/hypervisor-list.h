/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The domains there are, and their states, many in one round trip. On a lane, like all of
 * hypervisor.h.
 *
 * libvirt locks each domain in turn to answer for it: a question about all domains hangs for as
 * long as one domain's lock is held, a question about some of them only if one of these hangs.
 */

#include "domain.h"
#include "hypervisor.h"

/*
 * DomainUpdate of every domain: FACT_STATE and FACT_FLAGS, in a constant number of round trips; but
 * FACT_SNAPSHOTS only of those that have none: the others' `has_snapshots` is true.
 */
GPtrArray *hypervisor_list(Hypervisor *h, Error **error);

/*
 * FACT_STATE of those of the NULL-terminated `uuids` that exist, in one round trip; a domain that
 * this connection has not met before takes one more to be found.
 */
GPtrArray *hypervisor_read_states(Hypervisor *h, const char *const *uuids, Error **error);

/*
 * The state of a domain, read after the calls that are busy with it and after its process has
 * answered. A restarted libvirtd answers the other functions with the state that it knew before,
 * although the process may be gone. Opens no image.
 */
bool hypervisor_read_state_in_turn(Hypervisor *h, const char *uuid, DomainState *ret,
                                   Error **error);
