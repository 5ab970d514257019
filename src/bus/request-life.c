/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The requests that there are, what they hold, and their end. */

#include "request-private.h"

#include "context.h"

Requests *
requests_new(Service *service)
{
    Requests *requests = g_new0(Requests, 1);

    requests->service = service;
    requests->budget = budget_new();
    requests->all = g_hash_table_new(NULL, NULL);
    g_queue_init(&requests->in_turn);
    return requests;
}

void
requests_free(Requests *requests)
{
    if (!requests)
        return;
    deferred_free(requests->turn);
    budget_free(requests->budget);
    g_hash_table_unref(requests->all);
    g_free(requests);
}

void
request_drop_state(Request *request)
{
    GDestroyNotify free_state = g_steal_pointer(&request->free_state);

    if (free_state)
        free_state(g_steal_pointer(&request->state));
}

void
requests_describe(const Requests *requests, BudgetTell tell, void *userdata)
{
    budget_describe(requests->budget, tell, userdata);
}

void
request_free(Request *request)
{
    Service *service = request->service;

    g_hash_table_remove(service->requests->all, request);
    if (request->uid != CALLER_UID_UNKNOWN)
        budget_return(service->requests->budget, request->uid, request->caller.sender,
                      request->bytes);
    if (request->authorization)
        authorize_request_cancel(request->authorization);
    if (request->call)
        lane_pool_abandon(service->core->lane_pool, request->call);
    pending_cancel(&request->pending);
    request_drop_state(request);
    timer_free(request->deadline);
    wire_clear(&request->held_reply);
    method_args_unref(request->args);
    caller_clear(&request->caller);
    g_free(request->domain_uuid);
    error_free(request->failure);
    g_free(request->domain_name);
    g_free(request);
}

bool
request_charge(Request *request, uid_t uid)
{
    if (!budget_take(request->service->requests->budget, uid, request->caller.sender,
                     request->bytes))
        return false;
    request->uid = uid;
    return true;
}

bool
request_charge_more(Request *request, size_t bytes)
{
    if (!budget_take_more(request->service->requests->budget, request->uid, request->caller.sender,
                          bytes))
        return false;
    request->bytes += bytes;
    return true;
}
