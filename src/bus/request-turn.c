/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Replies that many wait for at once. A thousand of them written and sent in one turn of the loop
 * would hold up everybody else.
 */

#include "request-private.h"

#include "context.h"

#define REPLIES_PER_TURN 16

typedef struct {
    Request *request;
    BodyWriter write;
    GPtrArray *shared;
    GList link;
} Turn;

static void
free_turn(void *data)
{
    Turn *turn = data;

    g_queue_unlink(&turn->request->service->requests->in_turn, &turn->link);
    if (turn->shared)
        g_ptr_array_unref(turn->shared);
    g_free(turn);
}

/* Reply to the first request, and to those behind it that get the same body. */
static void
reply_to_first(Requests *requests)
{
    const Turn first = *(const Turn *)g_queue_peek_head(&requests->in_turn);
    g_autoptr(GPtrArray) shared = first.shared ? g_ptr_array_ref(first.shared) : NULL;
    const Turn *turn;
    g_auto(Wire) body = {NULL};

    first.write(requests->service, shared, &body);
    for (unsigned i = 0; i < REPLIES_PER_TURN; i++) {
        turn = g_queue_peek_head(&requests->in_turn);
        if (!turn || turn->write != first.write || turn->shared != shared)
            break;
        Request *request = turn->request;
        pending_cancel(&request->pending);
        request_reply_body(request, &body);
    }
}

static void
take_turn(void *userdata)
{
    Requests *requests = userdata;

    if (!g_queue_is_empty(&requests->in_turn))
        reply_to_first(requests);
    if (!g_queue_is_empty(&requests->in_turn))
        deferred_schedule(requests->turn);
}

void
request_reply_in_turn(Request *request, BodyWriter write, GPtrArray *shared)
{
    Requests *requests = request->service->requests;
    Turn *turn = g_new0(Turn, 1);

    turn->request = request;
    turn->write = write;
    turn->shared = shared ? g_ptr_array_ref(shared) : NULL;
    turn->link.data = turn;
    request->pending = (Pending){free_turn, turn};
    g_queue_push_tail_link(&requests->in_turn, &turn->link);
    if (!requests->turn)
        requests->turn = deferred_new(sd_bus_get_event(request->service->bus), DEFERRED_IN_TURN,
                                      take_turn, requests);
    deferred_schedule(requests->turn);
}
