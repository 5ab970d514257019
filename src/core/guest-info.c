/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest-info.h"

#include "hypervisor-guest.h"
#include "timer.h"

#define SEC UINT64_C(1000000)

#define INTERVAL    (60 * SEC)
#define ACCURACY    (5 * SEC)
/* Of a guest that has just come. */
#define SOON        (1 * SEC)
/* After n failures an agent is asked every 2^n minutes, at the longest after this many rounds. */
#define SKIPPED_MAX 16

struct GuestInfo {
    LanePool *lane_pool;
    Cache *cache;
    Timer *timer;
    bool connected;
    GHashTable *guests; /* uuid -> Known, of domains that run */
    Call *leases;       /* the call under way, or NULL */
};

/* Knowledge about one run of a domain. */
typedef struct {
    int run; /* the domain's id */
    bool agent_connected;
    bool agent_answers; /* the last time that it was asked */
    bool has_os;        /* the OS was read since the agent connected */
    unsigned skip;      /* how many rounds are skipped */
    unsigned skip_next; /* how many are after the next failure */
    bool is_asked;
} Known;

typedef struct {
    Call call;
    GuestInfo *info;
    int run;
    GuestFacts wanted;
    GuestUpdate update;
} AgentCall;

typedef struct {
    Call call;
    GuestInfo *info;
    GBytes *rows;
} LeasesCall;

/* --- the agent ---------------------------------------------------------------------------- */

static bool
work_agent(Call *call, Hypervisor *h, Error **error)
{
    AgentCall *asked = (AgentCall *)call;

    return hypervisor_guest_read(h, call->key, asked->wanted, &asked->update, error);
}

static void
free_agent_call(Call *call)
{
    AgentCall *asked = (AgentCall *)call;

    guest_clear(&asked->update.guest);
    g_free(asked);
}

static void
take_failure(Known *known)
{
    known->agent_answers = false;
    known->skip = known->skip_next;
    known->skip_next = MIN(MAX(1, 2 * known->skip_next), SKIPPED_MAX);
}

static void
take_answer(GuestInfo *info, Known *known, AgentCall *asked, Domain *domain)
{
    known->agent_answers = true;
    known->skip_next = 0;
    known->has_os |= (asked->update.known & GUEST_OS_INFO) != 0;
    domain_apply_guest(domain, &asked->update);
    cache_changed(info->cache, domain);
}

static void
on_agent_done(Call *call, CallOutcome outcome, const Error *error)
{
    AgentCall *asked = (AgentCall *)call;
    GuestInfo *info = asked->info;
    Known *known = g_hash_table_lookup(info->guests, call->key);
    Domain *domain = cache_find(info->cache, call->key);

    if (!known || !domain || known->run != asked->run || domain->id != asked->run)
        return;
    known->is_asked = false;
    if (outcome == OUTCOME_OK)
        take_answer(info, known, asked, domain);
    else if (outcome == OUTCOME_FAILED)
        take_failure(known);
}

static void
ask_agent(GuestInfo *info, const Domain *domain, Known *known)
{
    if (!known->agent_connected || known->is_asked)
        return;
    if (known->skip > 0) {
        known->skip--;
        return;
    }
    AgentCall *asked = g_new0(AgentCall, 1);

    asked->info = info;
    asked->run = domain->id;
    asked->wanted = GUEST_HOSTNAME | GUEST_ADDRESSES | (known->has_os ? 0U : GUEST_OS_INFO);
    asked->call.class = CALL_GUEST;
    asked->call.name = "virDomainGetGuestInfo";
    g_strlcpy(asked->call.key, domain->uuid, sizeof asked->call.key);
    asked->call.work = work_agent;
    asked->call.done = on_agent_done;
    asked->call.free = free_agent_call;
    known->is_asked = true;
    lane_pool_submit(info->lane_pool, &asked->call);
}

/* --- leases ------------------------------------------------------------------------------- */

static bool
work_leases(Call *call, Hypervisor *h, Error **error)
{
    return hypervisor_read_leases(h, &((LeasesCall *)call)->rows, error);
}

static void
free_leases_call(Call *call)
{
    LeasesCall *asked = (LeasesCall *)call;

    g_clear_pointer(&asked->rows, g_bytes_unref);
    g_free(asked);
}

static void
put_lease(RowBuilder *rows, Row nic, Row lease)
{
    row_builder_begin(rows);
    row_builder_text(rows, ROW_INTERFACE, row_text(nic, ROW_TARGET));
    row_builder_text(rows, ROW_MAC, row_text(nic, ROW_MAC));
    row_builder_text(rows, ROW_ADDRESS, row_text(lease, ROW_ADDRESS));
    row_builder_number(rows, ROW_PREFIX, row_number(lease, ROW_PREFIX));
    row_builder_text(rows, ROW_SOURCE, "lease");
    row_builder_end(rows);
}

static GBytes *
addresses_of(const Domain *domain, GBytes *leases)
{
    g_auto(RowBuilder) rows = {0};
    Rows nics = domain_config_rows(&domain->config, HARDWARE_NICS);
    Row nic, lease;

    while (rows_take(&nics, &nic)) {
        Rows left = rows_of_bytes(leases);

        while (rows_take(&left, &lease))
            if (g_ascii_strcasecmp(row_text(nic, ROW_MAC), row_text(lease, ROW_MAC)) == 0)
                put_lease(&rows, nic, lease);
    }
    return row_builder_take(&rows);
}

static bool
needs_leases(const GuestInfo *info, const Domain *domain)
{
    const Known *known = g_hash_table_lookup(info->guests, domain->uuid);

    return known && known->run == domain->id && !(known->agent_connected && known->agent_answers);
}

static void
take_leases(GuestInfo *info, GBytes *leases)
{
    GHashTableIter iter;
    gpointer value;

    cache_iter_init(&iter, info->cache);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Domain *domain = value;

        if (!needs_leases(info, domain))
            continue;
        GuestUpdate update = {
            .known = GUEST_ADDRESSES,
            .guest.addresses = addresses_of(domain, leases),
        };
        domain_apply_guest(domain, &update);
        guest_clear(&update.guest);
        cache_changed(info->cache, domain);
    }
}

static void
on_leases_done(Call *call, CallOutcome outcome, const Error *error)
{
    LeasesCall *asked = (LeasesCall *)call;

    asked->info->leases = NULL;
    if (outcome == OUTCOME_OK)
        take_leases(asked->info, asked->rows);
}

static void
ask_leases(GuestInfo *info)
{
    LeasesCall *asked = g_new0(LeasesCall, 1);

    asked->info = info;
    asked->call.class = CALL_GUEST;
    asked->call.name = "virNetworkGetDHCPLeases";
    asked->call.work = work_leases;
    asked->call.done = on_leases_done;
    asked->call.free = free_leases_call;
    info->leases = &asked->call;
    lane_pool_submit(info->lane_pool, &asked->call);
}

/* --- when --------------------------------------------------------------------------------- */

static void
on_timer(void *userdata)
{
    GuestInfo *info = userdata;
    bool wants_leases = false;
    GHashTableIter iter;
    gpointer value;

    cache_iter_init(&iter, info->cache);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Domain *domain = value;
        Known *known = g_hash_table_lookup(info->guests, domain->uuid);

        if (!known || domain->id != known->run)
            continue;
        ask_agent(info, domain, known);
        wants_leases = wants_leases || needs_leases(info, domain);
    }
    if (wants_leases && !info->leases)
        ask_leases(info);
    if (g_hash_table_size(info->guests) > 0)
        timer_arm_relative(info->timer, INTERVAL);
}

void
guest_info_refreshed(GuestInfo *info, const Domain *domain)
{
    bool agent_connected = domain->config.agent_connected;
    Known *known;

    if (!info)
        return;
    known = g_hash_table_lookup(info->guests, domain->uuid);
    if (domain->id < 0) {
        g_hash_table_remove(info->guests, domain->uuid);
        return;
    }
    if (known && known->run == domain->id && known->agent_connected == agent_connected)
        return;
    known = g_new0(Known, 1);
    known->run = domain->id;
    known->agent_connected = agent_connected;
    g_hash_table_replace(info->guests, g_strdup(domain->uuid), known);
    if (info->connected)
        timer_arm_relative(info->timer, SOON);
}

void
guest_info_forget(GuestInfo *info, const Domain *domain)
{
    if (info)
        g_hash_table_remove(info->guests, domain->uuid);
}

void
guest_info_set_connected(GuestInfo *info, bool connected)
{
    if (!info)
        return;
    info->connected = connected;
    if (connected && g_hash_table_size(info->guests) > 0)
        timer_arm_relative(info->timer, SOON);
    else
        timer_disarm(info->timer);
}

/* --- life --------------------------------------------------------------------------------- */

GuestInfo *
guest_info_new(struct sd_event *event, LanePool *lane_pool, Cache *cache)
{
    GuestInfo *info = g_new0(GuestInfo, 1);

    info->lane_pool = lane_pool;
    info->cache = cache;
    info->timer = timer_new(event, ACCURACY, on_timer, info);
    info->guests = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return info;
}

void
guest_info_free(GuestInfo *info)
{
    if (!info)
        return;
    timer_free(info->timer);
    g_hash_table_unref(info->guests);
    g_free(info);
}
