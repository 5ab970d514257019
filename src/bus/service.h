/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Makes the service on the bus: its objects, the requests that calls become, and the signals that
 * changes of the core become. Belongs to the loop.
 */

#include "context.h"

/* Publish the objects; the bus is attached to the loop already. A negative errno on failure. */
int service_new(sd_bus *bus, const ServiceSettings *settings, Service **ret);
/* The core's listener, whose userdata is the service. */
extern const CoreListener service_core_listener;
/* The core that it serves; before anything is dispatched. */
void service_set_core(Service *service, Core *core);
/* Answer every call that waits: the process ends. */
void service_stop(Service *service);
void service_free(Service *service);
