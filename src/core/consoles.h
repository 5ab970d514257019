/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The consoles that are open: starts a process for each (see hypervisor-console.h), answers the
 * request that asked for it, and ends it with the service. What goes through a console never comes
 * by here. Belongs to the loop.
 */

#include "request.h"

typedef struct Consoles Consoles;

/* Answer the request with the client's side, which stays the caller's. */
typedef void (*ConsoleAnswer)(Request *request, int fd);

Consoles *consoles_new(Manager *m);
/* Close them all. */
void consoles_stop(Consoles *consoles);
void consoles_free(Consoles *consoles);

/* For request_set_args(), with console_open() as what is to be run. */
void *console_args_new(const char *device, ConsoleAnswer answer);
void console_args_free(void *args);
void console_open(Request *request);
