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

/* Name, UUID and state of all domains: one round trip. Returns how many there are. */
int floor_list(Floor *floor);
/* And persistent, autostart, managed save: one more round trip for each. */
void floor_flags(Floor *floor);
/* The XML of each domain. */
void floor_xml(Floor *floor);
/* One domain's state: one round trip. */
void floor_look(Floor *floor, virDomainPtr dom);

/* Defines domain number i of the benchmark. */
void floor_define(Floor *floor, unsigned i);

/* Stamp each lifecycle event of this kind (-1: any) with the time at which libvirt called us. */
void floor_watch(Floor *floor);
void floor_expect(int event);
/* The time in ms, or 0 as long as none has come. */
double floor_event_time(void);
