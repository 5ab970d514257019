/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * SubscribeUsage, UnsubscribeUsage and the signal Usage.
 *
 * A connection has one subscription: the requests of it that are still valid, of which the shortest
 * interval counts. It ends with the last of them, with UnsubscribeUsage, or with the connection. A
 * subscriber that does not read its messages is sent no more of them. Belongs to the loop.
 */

#include "request.h"

typedef struct UsageSubscribers UsageSubscribers;

UsageSubscribers *usage_subscribers_new(Service *service);
/* The connection has left the bus. */
void usage_subscribers_forget(UsageSubscribers *subscribers, const char *name);
/* End all subscriptions: the service ends. */
void usage_subscribers_stop(UsageSubscribers *subscribers);
void usage_subscribers_free(UsageSubscribers *subscribers);

/* t, a{sv}: the interval into `number`. */
int bus_usage_parse(sd_bus_message *message, MethodArgs *args, sd_bus_error *error);
void bus_usage_run_subscribe(Request *request);
void bus_usage_run_unsubscribe(Request *request);
