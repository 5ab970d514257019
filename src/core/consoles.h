/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The consoles that are open: starts a process for each (console-child.h), hands its socket to the
 * one who asked, and ends it with the service. The console's data never passes through here.
 * Belongs to the loop.
 */

#include "waiters.h"

#include <systemd/sd-event.h>

typedef struct Consoles Consoles;

/* Which console, and for whom, for the log. The strings are copied. */
typedef struct {
    const char *domain_uuid;
    const char *domain_name;
    const char *device; /* "": the first one */
    bool force;         /* take it over from its user */
    const char *caller;
    uid_t uid; /* of the caller */
} ConsoleTarget;

Consoles *consoles_new(sd_event *event, const char *uri);
/* Close them all. */
void consoles_stop(Consoles *consoles);
void consoles_free(Consoles *consoles);

/*
 * Answers with an `int *`: the client's side, which is closed after the callback. Cancelling ends a
 * console that is not open yet.
 */
void consoles_open(Consoles *consoles, const ConsoleTarget *target, Pending *pending,
                   WaiterDone done, void *userdata);
