/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The other half of the lane pool's stand-in: the attempts to connect, what becomes of their
 * connections, and the events that come over these. Checks that the availability engine asks for
 * nothing that it must not, and closes each connection once.
 */

#include "guests.h"
#include "lane-pool.h"

void attempts_begin(const LanePoolCallbacks *callbacks, void *userdata);
void attempts_end(void);

/* As lane_pool_*(). */
void attempts_start(unsigned number);
bool attempts_leave(unsigned number);
void attempts_probe(void);
/* Returns the daemon that the connection is to. */
unsigned attempts_adopt(unsigned number);
void attempts_discard(unsigned number);
void attempts_clear(unsigned number);
void attempts_close_cleared(void);
/* Those under way end now. */
void attempts_stop(void);

unsigned attempts_in_flight(void);
/* Something has changed for those that wait in the daemon. */
void attempts_retry(void);
/* The connections to the daemon close by themselves, some time in this span. */
void attempts_lose(uint64_t low, uint64_t high);
/* The service is told of another daemon. */
void attempts_note_new_daemon(void);
/* libvirt sends an event to whoever listens. */
void attempts_post_event(SimDomain *guest, HypervisorEventKind kind);
void attempts_post_block_job_event(SimDomain *guest, BlockJobEvent about);
