/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "refresh-waits.h"

struct RefreshWaits {
    GQueue all; /* Wait, in the order in which they came */
};

typedef struct {
    GQueue *queue; /* that it is in */
    GList link;
    GHashTable *stale;    /* set of UUIDs */
    bool awaits_suspects; /* waits for suspect domains, too */
    Pending *pending;
    WaiterDone done;
    void *userdata;
} Wait;

static void
free_wait(void *data)
{
    Wait *wait = data;

    g_queue_unlink(wait->queue, &wait->link);
    g_hash_table_unref(wait->stale);
    g_free(wait);
}

static void
push_wait(GQueue *queue, Wait *wait)
{
    wait->queue = queue;
    g_queue_push_tail_link(queue, &wait->link);
}

static void
answer_wait(Wait *wait)
{
    WaiterDone done = wait->done;
    void *userdata = wait->userdata;

    *wait->pending = (Pending){0};
    free_wait(wait);
    done(userdata, OUTCOME_OK, NULL, NULL);
}

void
refresh_waits_answer(RefreshWaits *waits, const char *uuid, bool all)
{
    GQueue ready = G_QUEUE_INIT;

    for (GList *link = waits->all.head, *next; link; link = next) {
        Wait *wait = link->data;

        next = link->next;
        if ((wait->awaits_suspects && !all) || !g_hash_table_remove(wait->stale, uuid) ||
            g_hash_table_size(wait->stale) > 0)
            continue;
        g_queue_unlink(&waits->all, link);
        push_wait(&ready, wait);
    }
    /* Each may wait again, and may cancel others that are answered here. */
    while (!g_queue_is_empty(&ready))
        answer_wait(g_queue_peek_head(&ready));
}

void
refresh_waits_add(RefreshWaits *waits, GHashTable *uuids, bool awaits_suspects, Pending *pending,
                  WaiterDone done, void *userdata)
{
    Wait *wait = g_new0(Wait, 1);

    wait->link.data = wait;
    wait->stale = uuids;
    wait->awaits_suspects = awaits_suspects;
    wait->pending = pending;
    wait->done = done;
    wait->userdata = userdata;
    push_wait(&waits->all, wait);
    *pending = (Pending){free_wait, wait};
    if (g_hash_table_size(uuids) == 0)
        answer_wait(wait);
}

RefreshWaits *
refresh_waits_new(void)
{
    RefreshWaits *waits = g_new0(RefreshWaits, 1);

    g_queue_init(&waits->all);
    return waits;
}

void
refresh_waits_free(RefreshWaits *waits)
{
    if (!waits)
        return;
    while (!g_queue_is_empty(&waits->all))
        pending_cancel(((Wait *)g_queue_peek_head(&waits->all))->pending);
    g_free(waits);
}
