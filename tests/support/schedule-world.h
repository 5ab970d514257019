/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A call schedule with calls that no lane carries: the test starts, hangs and ends them. */

#include "call-schedule.h"

#include <glib.h>

#define ROOT  0
#define ALICE 1000
#define BOB   1001

typedef struct {
    CallSchedule *schedule;
    GPtrArray *calls; /* all of them */
} World;

void world_init(World *w);
void world_clear(World *w);
Call *add(World *w, CallClass class, uid_t uid, const char *key);
Call *add_nth(World *w, CallClass class, uid_t uid, unsigned n);
/* Start the next one of the class: it has to be this one; NULL: there is to be none. */
void expect(World *w, CallClass class, Call *expected);
void hang(World *w, Call *call);
void start_and_hang(World *w, Call *call);
/* Not on the domain's lock. */
void start_and_hang_in_xml(World *w, Call *call);
void end(World *w, Call *call);
