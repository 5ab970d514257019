/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "timer.h"

#include "clock.h"
#include "log.h"

#include <errno.h>
#include <glib.h>
#include <systemd/sd-event.h>

struct Timer {
    sd_event_source *source;
    TimerFunc func;
    void *userdata;
};

static int
on_time(sd_event_source *source, uint64_t usec, void *userdata)
{
    Timer *timer = userdata;

    timer->func(timer->userdata);
    return 0;
}

Timer *
timer_new(struct sd_event *event, uint64_t accuracy_usec, TimerFunc func, void *userdata)
{
    Timer *timer = g_new0(Timer, 1);

    timer->func = func;
    timer->userdata = userdata;
    /* For sd-event an accuracy of 0 means 250 ms. */
    int r = sd_event_add_time(event, &timer->source, CLOCK_MONOTONIC, 0, MAX(accuracy_usec, 1),
                              on_time, timer);
    if (r >= 0)
        r = sd_event_source_set_enabled(timer->source, SD_EVENT_OFF);
    if (r < 0)
        g_error("Making a timer failed: %s", g_strerror(-r));
    return timer;
}

void
timer_free(Timer *timer)
{
    if (!timer)
        return;
    sd_event_source_disable_unref(timer->source);
    g_free(timer);
}

void
timer_arm(Timer *timer, uint64_t when_usec)
{
    if (when_usec == TIMER_NEVER) {
        timer_disarm(timer);
        return;
    }
    int r = sd_event_source_set_time(timer->source, when_usec);

    if (r >= 0)
        r = sd_event_source_set_enabled(timer->source, SD_EVENT_ONESHOT);
    /* ESTALE: the loop has ended. */
    if (r < 0 && r != -ESTALE)
        log_message(LOG_ERR, "Arming a timer failed: %s", g_strerror(-r));
}

void
timer_arm_relative(Timer *timer, uint64_t usec)
{
    uint64_t now = clock_now_usec();

    timer_arm(timer, usec < TIMER_NEVER - now ? now + usec : TIMER_NEVER);
}

void
timer_disarm(Timer *timer)
{
    if (timer)
        (void)sd_event_source_set_enabled(timer->source, SD_EVENT_OFF);
}
