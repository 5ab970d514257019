/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The simulated libvirt daemon: it stops, starts as another process, freezes and thaws. Its
 * connections, and what they carry, are the lanes'.
 */

#include <stdbool.h>
#include <stdint.h>

typedef enum {
    DAEMON_STOPPED,
    DAEMON_UP,
    DAEMON_FROZEN,
} DaemonState;

/* How long a new daemon takes to connect to the guests that it finds. */
#define DAEMON_CONNECTING UINT64_C(1000000)

void daemon_begin(void);

DaemonState daemon_state(void);
/* The process; each start makes another one. */
unsigned daemon_number(void);
uint64_t daemon_since(void);
/* This process is there, frozen or not. */
bool daemon_is(unsigned number);

/* Something goes wrong with it, and comes right by itself later. */
void daemon_trouble(void);
/* It works, and goes on working. */
void daemon_heal(void);
