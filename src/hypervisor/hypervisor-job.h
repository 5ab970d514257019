/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The long calls, which libvirt carries out as a job of the domain with progress. On a lane, like
 * all of hypervisor.h; the call itself takes as long as the job.
 */

#include "hypervisor.h"
#include "operation-spec.h"
#include "verb.h"

/* VERB_SAVE to VERB_MIGRATE. */
bool hypervisor_do_long(Hypervisor *h, const char *uuid, DomainVerb verb,
                        const OperationPayload *payload, Error **error);

/* Have libvirt give up the long call; ERROR_INVALID_STATE: it has not begun or is over. */
bool hypervisor_abort(Hypervisor *h, const char *uuid, Error **error);

/*
 * How far the long call that is under way for the domain has come, 0 to 1; -1 where there is none,
 * or libvirt does not say.
 */
bool hypervisor_get_progress(Hypervisor *h, const char *uuid, double *ret, Error **error);

typedef struct {
    OperationKind kind; /* _OPERATION_MAX: none, or one that is no operation */
    double progress;    /* -1: not known */
    char *name;         /* of the snapshot that is created; NULL: not known */
} FoundJob;

/* The long call that libvirt carries out for a running domain, whoever made it. */
bool hypervisor_find_job(Hypervisor *h, const char *uuid, FoundJob *ret, Error **error);

/*
 * Tell how a long call ended whose connection was lost, or that somebody else made (its name is
 * NULL where it is not known); `was_active` is from before the call.
 */
bool hypervisor_probe(Hypervisor *h, const char *uuid, DomainVerb verb,
                      const OperationPayload *payload, bool was_active, ProbeAnswer *ret,
                      Error **error);
