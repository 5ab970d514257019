/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A service with three domains, and checks that several tests of vmsctl need. */

#include "run.h"

/* "web" is running, "two words" paused and "off" shutoff; their UUIDs are node_uuid(0) to (2). */
Service *service_with_three(void);
/* The same; "web" has a disk, a drive, a network interface and a device of the host. */
Service *service_with_hardware(void);

/* Waits until the domain with this NAME is in this STATE. */
void assert_state(Service *s, const char *name, const char *state);

/* A file in the world's directory; returns its path. */
char *write_file(World *w, const char *name, const char *text);

/* Python's EXPRESSION about x, which is the JSON of "vmsctl --json VERB ARGUMENT", is EXPECTED. */
void assert_json(World *w, const char *expression, const char *expected, const char *verb,
                 const char *argument);
