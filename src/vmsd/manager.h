/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The root: makes the loop, the bus, the core and the service, runs them, and stops them in order.
 * It is known to main() alone. Main thread.
 */

#include "error.h"
#include "options.h"

typedef struct Manager Manager;

/*
 * SIGTERM and SIGINT have to be blocked. The options have to stay. Where it cannot start there is
 * an error to show, too; it has to be freed, and cannot run.
 */
Manager *manager_new(const Options *options, Error **error);
/* Until SIGTERM or SIGINT; a negative errno where the bus or the loop broke. */
int manager_run(Manager *m);
/* False: a thread still waits for libvirt, and nothing was freed. */
bool manager_free(Manager *m);
