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
 * SIGTERM and SIGINT have to be blocked. The options have to stay. NULL with an error to show where
 * it cannot start.
 */
Manager *manager_new(const Options *options, Error **error);
/* Until SIGTERM or SIGINT; a negative errno where the bus or the loop broke. */
int manager_run(Manager *m);
void manager_free(Manager *m);
