/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A request for the Manager's signal Usage, renewed in time for as long as it is wanted. The signal
 * itself comes to those who listen to the service (see mirror.h).
 */
#pragma once

#include "client.h"

#include <systemd/sd-event.h>

/* The service has refused the request, which is repeated all the same. */
typedef void (*SubscriptionFailed)(const GError *error, void *data);

typedef struct Subscription {
    Client *client;
    guint64 interval_usec;
    SubscriptionFailed failed;
    void *data;
    sd_event_source *renewal;
    bool is_wanted;
} Subscription;

/* LOOP calls, and has to outlive the subscription. */
bool subscription_open(Subscription *subscription, Client *client, sd_event *loop,
                       guint64 interval_usec, SubscriptionFailed failed, void *data,
                       GError **error);
void subscription_close(Subscription *subscription);

/* Asks now. To be called again for each process of the service: it forgets when it ends. */
void subscription_start(Subscription *subscription);
void subscription_stop(Subscription *subscription);
