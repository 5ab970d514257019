/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "refresh-query.h"

#include "clock.h"
#include "hypervisor-domain.h"
#include "hypervisor-list.h"
#include "log.h"

static void
free_query(Call *call)
{
    RefreshQuery *query = (RefreshQuery *)call;

    g_ptr_array_unref(query->uuids);
    g_array_unref(query->wanted);
    if (query->answer)
        g_ptr_array_unref(query->answer);
    g_free(query);
}

static bool
work_read_states(Call *call, Hypervisor *h, Error **error)
{
    RefreshQuery *query = (RefreshQuery *)call;

    query->answer = hypervisor_read_states(h, (const char *const *)query->uuids->pdata, error);
    return query->answer != NULL;
}

static bool
work_read_facts(Call *call, Hypervisor *h, Error **error)
{
    RefreshQuery *query = (RefreshQuery *)call;

    query->answer =
        g_ptr_array_new_with_free_func((GDestroyNotify)(void (*)(void))domain_update_free);
    for (unsigned i = 0; query->uuids->pdata[i] && !g_atomic_int_get(&query->split); i++) {
        g_autoptr(DomainUpdate) snapshot = domain_update_new(query->uuids->pdata[i]);
        DomainFacts wanted = g_array_index(query->wanted, DomainFacts, i);
        g_autoptr(Error) problem = NULL;

        if (!hypervisor_read_facts(h, wanted, snapshot, &problem)) {
            if (!hypervisor_is_alive(h)) {
                *error = g_steal_pointer(&problem);
                return false;
            }
            if (problem->kind == ERROR_NO_SUCH_DOMAIN)
                continue;
            /* One domain that cannot be read hides no other; what could be read is used. */
            log_message(LOG_WARNING, "Reading domain %s failed: %s", snapshot->uuid,
                        problem->message);
        }
        g_ptr_array_add(query->answer, g_steal_pointer(&snapshot));
    }
    return true;
}

/* libvirt's function that may take long. */
static const char *
name_of(DomainFacts facts)
{
    if (facts == FACT_STATE)
        return "virDomainListGetStats";
    return facts & FACT_XML ? "virDomainGetXMLDesc" : "virDomainGetAutostart";
}

RefreshQuery *
refresh_query_new(DomainFacts facts, RefreshQueryDone done, void *userdata)
{
    RefreshQuery *query = g_new0(RefreshQuery, 1);

    query->userdata = userdata;
    query->states = facts == FACT_STATE;
    query->uuids = g_ptr_array_new_with_free_func(g_free);
    query->wanted = g_array_new(FALSE, FALSE, sizeof(DomainFacts));
    query->call.class = CALL_QUICK;
    query->call.name = name_of(facts);
    query->call.work = query->states ? work_read_states : work_read_facts;
    query->call.done = done;
    query->call.free = free_query;
    return query;
}

void
refresh_query_add(RefreshQuery *query, const char *uuid, DomainFacts facts)
{
    g_ptr_array_add(query->uuids, g_strdup(uuid));
    g_array_append_val(query->wanted, facts);
    if (!(facts & FACT_XML))
        return;
    query->call.with_xml = true;
    query->call.name = "virDomainGetXMLDesc";
}

void
refresh_query_send(RefreshQuery *query, LanePool *lane_pool)
{
    g_ptr_array_add(query->uuids, NULL);
    query->asked_at = clock_now_usec();
    lane_pool_submit(lane_pool, &query->call);
}

bool
refresh_query_is_watched(const RefreshQuery *query)
{
    if (query->alone)
        return query->call.class == CALL_XML && !query->left;
    return !g_atomic_int_get(&query->split);
}

DomainUpdate *
refresh_query_take(RefreshQuery *query, const char *uuid)
{
    for (unsigned i = 0; i < query->answer->len; i++) {
        DomainUpdate *snapshot = query->answer->pdata[i];

        if (g_str_equal(snapshot->uuid, uuid))
            return g_ptr_array_steal_index_fast(query->answer, i);
    }
    return NULL;
}
