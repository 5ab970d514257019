/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The domains for which libvirt does not answer: which of our calls about each of them hang, and
 * what is published of it.
 *
 * A domain is suspect while a call about it hangs that needs its lock: it is left out of what is
 * asked about many domains. It is unresponsive once a read of it has hung for some seconds: then it
 * is not Available, and has a problem that says so. The return of the read is the sign that it is
 * back. Belongs to the loop.
 */

#include "cache.h"
#include "lane-pool.h"

struct sd_event;

typedef struct Unresponsive Unresponsive;

Unresponsive *unresponsive_new(struct sd_event *event, Cache *cache);
void unresponsive_free(Unresponsive *unresponsive);

/* LanePoolCallbacks: a call hangs, under way since `since`. False where that makes nobody suspect,
 * because a call of its class waits for more than the domain's lock. */
bool unresponsive_hanging(Unresponsive *unresponsive, const Call *call, uint64_t since);
/* LanePoolCallbacks: it has returned, or its connection died, which is no answer: a read tells. */
void unresponsive_returned(Unresponsive *unresponsive, const Call *call, bool answered);
/* A read of this domain, which did not hang, was answered, if only that there is no such domain. */
void unresponsive_read(Unresponsive *unresponsive, const char *uuid);
/* The connection is gone, and with it all that hung. */
void unresponsive_connection_lost(Unresponsive *unresponsive);

bool unresponsive_is_suspect(const Unresponsive *unresponsive, const char *uuid);
/* Whether any domain is suspect. */
bool unresponsive_has_suspects(const Unresponsive *unresponsive);
