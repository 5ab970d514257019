/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * An open console is a process of its own: this program again, which consoles.c starts with the
 * descriptors below, and in it nothing but one connection, one stream, one thread.
 *
 * A thread would not do. libvirt's client keeps all that it reads for a stream, and what reads is
 * the event loop of the process: only its owner can stop a guest that writes faster than anybody
 * reads. And a call that hangs on libvirt can be ended together with its process, a thread cannot.
 *
 * Bytes wait in bounded buffers, and in the sockets. The console ends when the guest's side ends,
 * when all who held the client's side have closed it, or when the control socket closes. What was
 * written before an end is still delivered, as far as somebody takes it.
 */

#include "error.h"

#include <stdint.h>

/* The first argument; the URI, the domain's UUID, the device ("": the first one) and one of the
 * next two follow. */
#define CONSOLE_ARGUMENT   "--console"
#define CONSOLE_IF_FREE    "if-free"
#define CONSOLE_TAKE_OVER  "take-over"
#define CONSOLE_FD_CLIENT  3 /* a stream socket */
#define CONSOLE_FD_CONTROL 4 /* a sequenced-packet socket */

/* The only packet on the control socket; ERROR_NONE means that the console is open. */
#define CONSOLE_MESSAGE_MAX 4096
typedef struct {
    int32_t kind;
    int32_t libvirt_code;
    char message[CONSOLE_MESSAGE_MAX]; /* NUL-terminated; the packet may end right after that */
} ConsoleReport;

/* Runs the process; returns its exit status. */
int hypervisor_console_main(int argc, char **argv);
