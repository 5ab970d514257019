/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The service on the bus, as its parts see it: what a request needs to be carried out. service.c
 * makes it. Belongs to the loop.
 */

#include "authorize.h"
#include "callers.h"
#include "core.h"
#include "object-server.h"
#include "pictures.h"
#include "publisher.h"
#include "raw-message.h"
#include "replies.h"

#include <systemd/sd-bus.h>

typedef struct Requests Requests;
typedef struct UsageSubscribers UsageSubscribers;

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
    Callers *callers;
    Authorizer *authorizer;
    RawMessenger *messenger;
    Unread *unread;
    Replies *replies;
    ObjectServer *objects;
    Publisher *publisher;
    Requests *requests;
    Pictures *pictures;
    UsageSubscribers *usage;
} Service;
