/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Reads again what libvirt sends no event for, though no list tells it: what comes out of a
 * domain's XML, within a minute while it runs and within ten while it is off. Each domain has its
 * moment in the period, so that a thousand cause no burst. Belongs to the loop.
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
