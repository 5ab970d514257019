/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "subscription.h"

#include "units.h"

#define AGAIN_USEC (10 * SEC)

static void
renew_after(Subscription *subscription, uint64_t usec)
{
    (void)sd_event_source_set_time_relative(subscription->renewal, usec);
    (void)sd_event_source_set_enabled(subscription->renewal, SD_EVENT_ONESHOT);
}

static int
on_reply(sd_bus_message *reply, void *data, sd_bus_error *unused)
{
    Subscription *subscription = data;
    uint64_t valid_for_usec = 2 * AGAIN_USEC;

    if (!subscription->is_wanted)
        return 0;
    if (sd_bus_message_is_method_error(reply, NULL)) {
        g_autoptr(GError) error = NULL;

        renew_after(subscription, AGAIN_USEC);
        failure_from_bus(&error, sd_bus_message_get_error(reply), 0, VMS_MANAGER_INTERFACE,
                         "SubscribeUsage");
        subscription->failed(error, subscription->data);
        return 0;
    }
    (void)sd_bus_message_read(reply, "t", &valid_for_usec);
    renew_after(subscription, valid_for_usec / 2);
    return 0;
}

void
subscription_start(Subscription *subscription)
{
    Client *client = subscription->client;
    int r;

    subscription->is_wanted = true;
    r = sd_bus_call_method_async(client->bus, NULL, client->service, VMS_ROOT_PATH,
                                 VMS_MANAGER_INTERFACE, "SubscribeUsage", on_reply, subscription,
                                 "ta{sv}", subscription->interval_usec, 0);
    if (r < 0)
        renew_after(subscription, AGAIN_USEC);
}

static int
on_renewal(sd_event_source *source, uint64_t usec, void *data)
{
    subscription_start(data);
    return 0;
}

void
subscription_stop(Subscription *subscription)
{
    subscription->is_wanted = false;
    (void)sd_event_source_set_enabled(subscription->renewal, SD_EVENT_OFF);
}

bool
subscription_open(Subscription *subscription, Client *client, sd_event *loop, guint64 interval_usec,
                  SubscriptionFailed failed, void *data, GError **error)
{
    int r;

    *subscription = (Subscription){
        .client = client, .interval_usec = interval_usec, .failed = failed, .data = data};
    r = sd_event_add_time_relative(loop, &subscription->renewal, CLOCK_MONOTONIC, 0, 0, on_renewal,
                                   subscription);
    if (r >= 0)
        r = sd_event_source_set_enabled(subscription->renewal, SD_EVENT_OFF);
    if (r < 0)
        failure_set(error, EXIT_FAILED, "Cannot make a timer: %s", g_strerror(-r));
    return r >= 0;
}

void
subscription_close(Subscription *subscription)
{
    subscription->renewal = sd_event_source_unref(subscription->renewal);
}
