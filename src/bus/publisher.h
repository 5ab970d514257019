/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Turns what changed in the core into signals, each change once: at the end of the loop's turn, or
 * at a flush, which comes before every reply and every read. Belongs to the loop.
 */

#include "core.h"
#include "object-server.h"

typedef struct Publisher Publisher;

/* The kinds of object that it signals for, and the root's own object. */
typedef struct {
    sd_bus *bus;
    ObjectKind *root;
    ObjectKind *domain;
    ObjectKind *job;
    const void *root_object;
} PublisherParts;

Publisher *publisher_new(struct sd_event *event, const PublisherParts *parts);
void publisher_free(Publisher *publisher);

/* At once. */
void publisher_domain_added(Publisher *publisher, Domain *domain);
void publisher_domain_removed(Publisher *publisher, Domain *domain);
void publisher_job_added(Publisher *publisher, JobObject *job);
void publisher_job_removed(Publisher *publisher, JobObject *job, OperationResult result,
                           const Error *error);
void publisher_job_changed(Publisher *publisher, JobObject *job, JobChange change);
/* At the next flush. */
void publisher_domain_changed(Publisher *publisher, Domain *domain);
/* A mask of the root object's properties: ConnectionChanges and HostChanges. */
void publisher_root_changed(Publisher *publisher, uint64_t changes);

void publisher_flush(Publisher *publisher);
/* How many signals could not be sent so far, and had to be made up for. */
unsigned publisher_missed(const Publisher *publisher);
