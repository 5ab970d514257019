/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The service on the bus: the parts of this folder, made in one place. Each method call becomes a
 * request; each change of the core becomes a signal. Belongs to the loop.
 */

#include "authorize.h"
#include "core.h"
#include "object-server.h"
#include "publisher.h"
#include "raw-message.h"

#include <systemd/sd-bus.h>

typedef struct Requests Requests;

/* Owned by the caller, who keeps it. */
typedef struct {
    const char *version;
    const char *instance; /* "" for the main one */
    uint64_t stop_timeout_usec;

    /* core_describe() may say something else. */
    void (*status_changed)(void *userdata);
    /* The core has stopped. */
    void (*stopped)(void *userdata);
    void *userdata;
} ServiceSettings;

typedef struct Service {
    sd_bus *bus;
    const ServiceSettings *settings;
    sd_bus_slot *message_filter;
    Core *core;
    Authorizer *authorizer;
    RawMessenger *messenger;
    ObjectServer *objects;
    Publisher *publisher;
    Requests *requests;
} Service;

/* Publish the objects; the bus is attached to the loop already. A negative errno on failure. */
int service_new(sd_bus *bus, const ServiceSettings *settings, Service **ret);
/* The core's listener, whose userdata is the service. */
extern const CoreListener service_core_listener;
/* The core that it serves; before anything is dispatched. */
void service_set_core(Service *service, Core *core);
/* Answer every call that waits: the process ends. */
void service_stop(Service *service);
void service_free(Service *service);
