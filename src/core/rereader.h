/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Has each domain's XML read again from time to time, since libvirt has no event for some of its
 * changes, and the list of all domains does not show them: within a minute while the domain runs,
 * and within ten while it is off. Each domain has a moment of its own in the period, so that a
 * thousand of them cause no burst. Belongs to the loop.
 */

#include "cache.h"

struct sd_event;

typedef struct Rereader Rereader;

/* `reread` is called for each domain whose moment has come. */
Rereader *rereader_new(struct sd_event *event, const Cache *cache,
                       void (*reread)(void *userdata, const Domain *domain), void *userdata);
void rereader_free(Rereader *rereader);

/* While there is a connection. */
void rereader_set_connected(Rereader *rereader, bool connected);
