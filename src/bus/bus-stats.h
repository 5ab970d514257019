/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* GetStats: the stages that its row in bus-manager.c names. */

#include "request.h"

int bus_stats_parse(sd_bus_message *message, MethodArgs *args, sd_bus_error *error);
void bus_stats_run(Request *request);
