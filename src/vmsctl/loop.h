/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The event loop of the commands that wait for signals of the service. SIGINT and SIGTERM end it
 * with EXIT_INTERRUPTED.
 */
#pragma once

#include "client.h"

#include <systemd/sd-event.h>

sd_event *loop_new(GError **error);

/* Has the client's messages dispatched. LOST is called with DATA when the bus is lost. */
bool loop_attach(sd_event *loop, Client *client, sd_bus_message_handler_t lost, void *data,
                 GError **error);

/* The LOST of commands that cannot go on then: ends DATA, the loop, with a message and
 * EXIT_NOT_AVAILABLE. */
int loop_end(sd_bus_message *message, void *data, sd_bus_error *error);

/* Runs until sd_event_exit() and returns the status that was passed there. */
ExitStatus loop_run(Client *client, sd_event *loop);
