/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deferred.h"

#include "log.h"

#include <errno.h>
#include <glib.h>
#include <systemd/sd-event.h>

struct Deferred {
    sd_event_source *source;
    DeferredFunc func;
    void *userdata;
};

static int
on_turn(sd_event_source *source, void *userdata)
{
    Deferred *deferred = userdata;

    deferred->func(deferred->userdata);
    return 0;
}

Deferred *
deferred_new(struct sd_event *event, DeferredPlace place, DeferredFunc func, void *userdata)
{
    static const int64_t priorities[] = {
        [DEFERRED_TURN_END] = SD_EVENT_PRIORITY_NORMAL - 1,
        [DEFERRED_IN_TURN] = SD_EVENT_PRIORITY_NORMAL,
    };
    Deferred *deferred = g_new0(Deferred, 1);

    deferred->func = func;
    deferred->userdata = userdata;
    int r = sd_event_add_defer(event, &deferred->source, on_turn, deferred);
    if (r >= 0)
        r = sd_event_source_set_enabled(deferred->source, SD_EVENT_OFF);
    if (r >= 0)
        r = sd_event_source_set_priority(deferred->source, priorities[place]);
    if (r < 0)
        g_error("Making a deferred call failed: %s", g_strerror(-r));
    return deferred;
}

void
deferred_free(Deferred *deferred)
{
    if (!deferred)
        return;
    sd_event_source_disable_unref(deferred->source);
    g_free(deferred);
}

void
deferred_schedule(Deferred *deferred)
{
    int r = sd_event_source_set_enabled(deferred->source, SD_EVENT_ONESHOT);

    /* ESTALE: the loop has ended. */
    if (r < 0 && r != -ESTALE)
        log_message(LOG_ERR, "Scheduling a deferred call failed: %s", g_strerror(-r));
}
