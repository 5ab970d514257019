/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A call of the refresher: facts of one domain, or of many. Made and filled on the loop, which
 * reads the answers when the call is done; the lane pool frees it. The members are the refresher's
 * to use.
 */

#include "lane-pool.h"

typedef struct {
    Call call;
    void *userdata;
    unsigned number;
    bool states; /* reads FACT_STATE of all in one round trip; else other facts, one by one */
    uint64_t asked_at;
    GPtrArray *uuids;  /* NULL-terminated */
    GArray *wanted;    /* DomainFacts of each, where it reads facts */
    GPtrArray *answer; /* DomainUpdate; those that are missing are gone */
    bool alone;        /* about one domain that may hang; not counted among the batches */
    gint split;        /* atomic: it hangs, so each of its domains is asked about alone instead */
    bool left;         /* it hangs on a domain's XML, and nobody waits for it any longer */
    bool again;        /* it was left, and the XML was marked since */
} RefreshQuery;

typedef void (*RefreshQueryDone)(Call *call, CallOutcome outcome, const Error *error);

/* Reads the states of domains where `facts` is FACT_STATE, else what is added for each. */
RefreshQuery *refresh_query_new(DomainFacts facts, RefreshQueryDone done, void *userdata);
void refresh_query_add(RefreshQuery *query, const char *uuid, DomainFacts facts);
void refresh_query_send(RefreshQuery *query, LanePool *lane_pool);

/* It may hang, and then something is done about that. */
bool refresh_query_is_watched(const RefreshQuery *query);
/* The answer about this domain, which the caller takes over. NULL: there is none, or it was taken.
 */
DomainUpdate *refresh_query_take(RefreshQuery *query, const char *uuid);
