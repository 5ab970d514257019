/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The user of each connection to the bus that calls.
 *
 * The bus is asked once for each unique name, and the answer is kept until the name has gone: the
 * bus never gives a unique name to a second connection. What waits for an answer is bounded in all,
 * but a first small call is always taken, so that nobody is kept out by the number of other
 * callers. Belongs to the loop.
 */

#include "waiters.h"

#include <stddef.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>

#define CALLER_UID_UNKNOWN ((uid_t)-1)

typedef struct Callers Callers;

/* `gone` is called for every unique name that has left the bus. */
int callers_new(sd_bus *bus, void (*gone)(void *userdata, const char *name), void *userdata,
                Callers **ret);
void callers_free(Callers *callers);

/* CALLER_UID_UNKNOWN where the bus has not told yet. */
uid_t callers_find(const Callers *callers, const char *name);
/*
 * Wait until the bus has told; answers with a `uid_t *`, or with an error where the caller is gone
 * or the bus cannot tell. `bytes` are kept meanwhile. False where too much waits already.
 */
bool callers_ask(Callers *callers, const char *name, size_t bytes, Pending *pending,
                 WaiterDone done, void *userdata);
