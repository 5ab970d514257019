/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One domain: what is read of it, and the calls of its lifecycle. On a lane, like all of
 * hypervisor.h.
 */

#include "domain.h"
#include "hypervisor.h"
#include "operation-spec.h"
#include "verb.h"

/* More facts about one domain, a round trip each, added to `update`. */
bool hypervisor_read_facts(Hypervisor *h, DomainFacts facts, DomainUpdate *update, Error **error);
/* Returns once libvirt could take the domain's lock; false where there is no such domain. */
bool hypervisor_await_lock(Hypervisor *h, const char *uuid);
/* The UUID of the domain with this UUID, or else this name. */
char *hypervisor_find(Hypervisor *h, const char *name_or_uuid, Error **error);

typedef enum {
    XML_INACTIVE = 1 << 0,
    XML_SECURE = 1 << 1,
} XmlFlags;

char *hypervisor_get_xml(Hypervisor *h, const char *uuid, XmlFlags flags, Error **error);

/* Changes. */

/* One of the short calls, VERB_CREATE to VERB_RESET; the others are hypervisor_do_long()'s. */
bool hypervisor_do(Hypervisor *h, const char *uuid, DomainVerb verb, Error **error);
bool hypervisor_set_autostart(Hypervisor *h, const char *uuid, bool autostart, Error **error);
/* Returns the UUID of what was defined. */
char *hypervisor_define(Hypervisor *h, const char *xml, Error **error);

typedef enum {
    UNDEFINE_MANAGED_SAVE = 1 << 0,
    UNDEFINE_SNAPSHOTS_METADATA = 1 << 1,
    UNDEFINE_CHECKPOINTS_METADATA = 1 << 2,
    UNDEFINE_NVRAM = 1 << 3,
    UNDEFINE_KEEP_NVRAM = 1 << 4,
    UNDEFINE_TPM = 1 << 5, /* this one and the next one need libvirt 8.9 */
    UNDEFINE_KEEP_TPM = 1 << 6,
} UndefineFlags;

bool hypervisor_undefine(Hypervisor *h, const char *uuid, UndefineFlags flags, Error **error);
