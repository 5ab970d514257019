/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The event loop of the commands that wait for signals of the service. SIGINT and SIGTERM end it
 * with EXIT_INTERRUPTED, a lost connection to the bus with a message and EXIT_NOT_AVAILABLE.
 */
#pragma once

#include "client.h"

#include <systemd/sd-event.h>

sd_event *loop_new(Client *client, GError **error);

/* Runs until sd_event_exit() and returns the status that was passed there. */
ExitStatus loop_run(Client *client, sd_event *loop);
