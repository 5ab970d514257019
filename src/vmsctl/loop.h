/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The event loop of the commands that go on: the bus is attached; SIGINT and SIGTERM end it with
 * EXIT_INTERRUPTED, a lost bus with EXIT_NOT_AVAILABLE (and a line that says so).
 */
#pragma once

#include "client.h"

#include <systemd/sd-event.h>

sd_event *loop_new(Client *client, GError **error);

/* Runs until sd_event_exit() and gives the status that was passed there. */
ExitStatus loop_run(Client *client, sd_event *loop);
