/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A mirror of what the core publishes, kept from what CoreListener is told alone, as a client keeps
 * one from signals. The law of the mirror: after each turn of the loop it equals the core's own
 * state, and nothing is told that was so already.
 */

#include "core.h"

void mirror_begin(struct sd_event *event);
void mirror_end(void);

/* As CoreListener. */
void mirror_domain_added(Domain *domain);
void mirror_domain_removed(Domain *domain);
void mirror_domain_changed(Domain *domain);
void mirror_connection_changed(const Core *core, ConnectionChanges changes);
void mirror_job_added(const JobObject *job);
void mirror_job_removed(const JobObject *job);
/* Everything that changed is told now. */
void mirror_flush(void);

/* Check the law. */
void mirror_check(const Core *core);
