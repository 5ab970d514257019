/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "waiters.h"

struct Waiters {
    GQueue queue; /* Waiter */
};

typedef struct {
    Waiters *waiters;
    GList link;
    Pending *pending;
    WaiterDone done;
    void *userdata;
} Waiter;

Waiters *
waiters_new(void)
{
    Waiters *waiters = g_new0(Waiters, 1);

    g_queue_init(&waiters->queue);
    return waiters;
}

static void
cancel_waiter(void *data)
{
    Waiter *waiter = data;

    g_queue_unlink(&waiter->waiters->queue, &waiter->link);
    g_free(waiter);
}

void
waiters_add(Waiters *waiters, Pending *pending, WaiterDone done, void *userdata)
{
    Waiter *waiter = g_new0(Waiter, 1);

    waiter->waiters = waiters;
    waiter->link.data = waiter;
    waiter->pending = pending;
    waiter->done = done;
    waiter->userdata = userdata;
    g_queue_push_tail_link(&waiters->queue, &waiter->link);
    *pending = (Pending){cancel_waiter, waiter};
}

unsigned
waiters_count(const Waiters *waiters)
{
    return waiters->queue.length;
}

void
waiters_answer(Waiters *waiters, CallOutcome outcome, void *answer, const Error *error)
{
    GList *link;

    while ((link = g_queue_pop_head_link(&waiters->queue))) {
        g_autofree Waiter *waiter = link->data;

        *waiter->pending = (Pending){0};
        waiter->done(waiter->userdata, outcome, answer, error);
    }
    g_free(waiters);
}

void
waiters_free(Waiters *waiters)
{
    GList *link;

    if (!waiters)
        return;
    while ((link = g_queue_peek_head_link(&waiters->queue)))
        pending_cancel(((Waiter *)link->data)->pending);
    g_free(waiters);
}
