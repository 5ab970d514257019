/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * libvirt asked directly, with the fewest calls that fetch what the service shows: nothing on top
 * of libvirt can be faster than this. And the driver's own view of events.
 *
 * Aborts where libvirt fails.
 */

#include <libvirt/libvirt.h>
#include <stdbool.h>

typedef struct {
    virConnectPtr conn;
} Floor;

/* Once, before the first connection: libvirt's event loop in a thread of its own. */
void floor_start_events(void);

void floor_open(Floor *floor, const char *uri);
void floor_close(Floor *floor);

/* One domain's state: one round trip. */
void floor_look(Floor *floor, virDomainPtr dom);

/*
 * The bare program: a process of its own, forked before anything else, that has no thread and no
 * event loop, which make every call of libvirt's dearer. Returns the socket to ask it through.
 */
int floor_fork(void);

/* In ms: of names and states, with the flags, and with every XML (when connecting). */
typedef struct {
    double names;
    double bulk;
    double all;
} FloorTimes;

/*
 * List on the connection that it keeps; or connect anew, in another process, which is counted, and
 * fetch everything. One that lists has libvirt in use: connect through another one.
 */
FloorTimes floor_ask(int fd, const char *uri, bool connect);

/* Defines domain number i of the benchmark. */
void floor_define(Floor *floor, unsigned i);

/* Stamp each lifecycle event of this kind (-1: any) with the time at which libvirt called us. */
void floor_watch(Floor *floor);
void floor_expect(int event);
/* The time in ms, or 0 as long as none has come. */
double floor_event_time(void);
