/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rereader.h"

#include "timer.h"
#include "units.h"

#define TICK_USEC      (2 * SEC)
#define ACCURACY_USEC  (200 * MSEC)
/* In ticks: 50 s, so that the read of a running domain has an answer within a minute; and 9 min. */
#define PERIOD_RUNNING 25
#define PERIOD_OFF     270

struct Rereader {
    const Cache *cache;
    void (*reread)(void *userdata, const Domain *domain);
    void *userdata;
    Timer *timer;
    unsigned tick;
};

static bool
has_come(const Rereader *rereader, const Domain *domain)
{
    unsigned period = domain->id >= 0 ? PERIOD_RUNNING : PERIOD_OFF;

    return g_str_hash(domain->uuid) % period == rereader->tick % period;
}

static void
on_tick(void *userdata)
{
    Rereader *rereader = userdata;
    GHashTableIter iter;
    gpointer domain;

    rereader->tick++;
    cache_iter_init(&iter, rereader->cache);
    while (g_hash_table_iter_next(&iter, NULL, &domain))
        if (has_come(rereader, domain))
            rereader->reread(rereader->userdata, domain);
    timer_arm_relative(rereader->timer, TICK_USEC);
}

void
rereader_set_connected(Rereader *rereader, bool connected)
{
    if (connected)
        timer_arm_relative(rereader->timer, TICK_USEC);
    else
        timer_disarm(rereader->timer);
}

Rereader *
rereader_new(struct sd_event *event, const Cache *cache,
             void (*reread)(void *userdata, const Domain *domain), void *userdata)
{
    Rereader *rereader = g_new0(Rereader, 1);

    rereader->cache = cache;
    rereader->reread = reread;
    rereader->userdata = userdata;
    rereader->timer = timer_new(event, ACCURACY_USEC, on_tick, rereader);
    return rereader;
}

void
rereader_free(Rereader *rereader)
{
    if (!rereader)
        return;
    timer_free(rereader->timer);
    g_free(rereader);
}
